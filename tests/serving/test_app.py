"""The service in this process: answers, statuses, problems and limits."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import app_of
from starlette.testclient import TestClient

from models.bundle.folder import Bundle
from models.bundle.golden import golden_requests
from serving.answers import Model, answer, wanted
from serving.cautions import Cautions
from serving.settings import Settings
from serving.store import Served, served

SECRET = "s3cret-Value"  # noqa: S105, a word that may not come back


@pytest.fixture(scope="module")
def request_(bundle: Bundle) -> dict[str, Any]:
    """A good request of every part."""
    made = golden_requests(bundle.plan, bundle.encoding, 0, 50)
    return max(made, key=len)


def problem(reply: Any, status: int) -> dict[str, Any]:
    """A problem document of a status, which does not repeat what was sent."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert SECRET not in reply.text
    found: dict[str, Any] = reply.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["type"].startswith("urn:leadscore:")
    return found


def test_a_lead_is_scored(client: TestClient, request_: dict[str, Any], model: Model) -> None:
    """Everything that the contract names; base and groups make the raw score."""
    reply = client.post("/v1/score", json=request_)
    assert reply.status_code == 200, reply.text
    one = reply.json()
    assert one["lead_id"] == request_["lead"]["lead_id"]
    assert (one["status"], one["as_of"]) == ("scored", request_["as_of"])
    assert one["raw_score"] == pytest.approx(one["base"] + sum(one["groups"].values()), abs=1e-9)
    assert [r["contribution"] for r in one["reasons"]] == sorted(
        (r["contribution"] for r in one["reasons"]), key=abs, reverse=True
    )
    assert one["grade"] in {*dict(model.bundle.policy.grades), model.bundle.policy.rest}
    assert one["model_version"] == model.bundle.version
    assert reply.headers["x-request-id"]


def test_explain_and_language(client: TestClient, request_: dict[str, Any]) -> None:
    """Without reasons the same bits; in another language the same reasons in other words."""
    plain = client.post("/v1/score", json={**request_, "explain": False}).json()
    english, finnish, swedish = (
        client.post("/v1/score", json={**request_, "language": code}).json() for code in ("en", "fi", "sv")
    )
    assert (plain["probability"], plain["raw_score"]) == (english["probability"], english["raw_score"])
    assert (plain["base"], plain["groups"], plain["reasons"]) == (None, None, [])
    for other in (finnish, swedish):
        for a, b in zip(english["reasons"], other["reasons"], strict=True):
            assert (a["feature"], a["contribution"]) == (b["feature"], b["contribution"])
        assert [r["text"] for r in english["reasons"]] != [r["text"] for r in other["reasons"]]


def test_objected_and_closed_leads_have_no_probability(
    client: TestClient, request_: dict[str, Any], model: Model
) -> None:
    """200 with the status; an objector's record is not looked at."""
    lead, closes = request_["lead"], model.bundle.plan.closes[0]
    over = [{"stage": closes, "entered_at": "2025-05-30T00:00:00Z"}]
    for changed, status in (({"lead": {**lead, "objected": True}}, "objected"), ({"stages": over}, "closed")):
        reply = client.post("/v1/score", json={**request_, **changed})
        assert reply.status_code == 200, reply.text
        one = reply.json()
        assert one["status"] == status
        assert one["probability"] is one["score"] is one["grade"] is one["raw_score"] is None
        assert one["reasons"] == []


def test_as_of_is_now_where_it_is_left_out(client: TestClient, request_: dict[str, Any]) -> None:
    """And a lead of then is old by now, which a warning says."""
    del (now := dict(request_))["as_of"]
    before = datetime.now(UTC)
    one = client.post("/v1/score", json=now).json()
    assert before <= datetime.fromisoformat(one["as_of"]) <= datetime.now(UTC)
    assert "older" in {w["code"] for w in one["warnings"]}


def test_warnings_name_places(client: TestClient, request_: dict[str, Any], model: Model) -> None:
    """Fields unknown, values unseen, numbers out of range, parts left out; never the values."""
    numeric = next(a for a in model.bundle.plan.attributes if a.kind == "numeric" and not a.has_history)
    text = next(a for a in model.bundle.plan.attributes if a.kind == "categorical" and not a.has_history)
    changed = json.loads(json.dumps(request_))
    changed.setdefault(numeric.entity, {})[numeric.column] = 1e12
    changed.setdefault(text.entity, {})[text.column] = SECRET
    changed["lead"]["shoe_size"] = 44
    known = next(t.name for t in model.bundle.plan.types)
    changed["events"] = [{"type": known, "occurred_at": "2025-05-01"}, {"type": SECRET, "occurred_at": "2025-05-01"}]
    del changed["stages"]
    reply = client.post("/v1/score", json=changed)
    found = {(w["code"], w["place"]) for w in reply.json()["warnings"]}
    assert {("unknown_field", "lead.shoe_size"), ("unseen", f"{text.entity}.{text.column}"),
            ("unseen", "events[1].type"), ("missing", "stages"),
            ("out_of_range", f"{numeric.entity}.{numeric.column}")} <= found  # fmt: skip
    assert SECRET not in json.dumps(reply.json()["warnings"])
    codes = [w["code"] == "missing" for w in reply.json()["warnings"]]
    assert codes == sorted(codes)  # what is not given does not bury the others


def test_texts_that_nobody_has_seen_take_no_longer_than_others(
    model: Model, request_: dict[str, Any], settings: Settings
) -> None:
    """Each is named where it stands first. Comparing each with all would take a minute."""
    many = Settings(**{**settings.model_dump(), "max_events": 50_001})
    events = [{"type": f"t{i}", "topic": f"u{i}", "occurred_at": "2025-05-01"} for i in range(50_000)]
    begun = time.process_time()
    (one,) = answer(model, [wanted({**request_, "events": [events[0], *events]}, many)], datetime.now(UTC))
    assert time.process_time() - begun < 20
    assert isinstance(one, dict)
    places = [w["place"] for w in one["warnings"] if w["code"] == "unseen"]
    assert {"events[0].type", "events[2].type", "events[50].type"} <= {*places}
    assert "events[1].type" not in places


def test_the_least_request(client: TestClient) -> None:
    """A lead with its creation is enough; nothing else is known."""
    one = client.post("/v1/score", json={"lead": {"created_at": "2025-05-01T00:00:00Z"}, "as_of": "2025-06-01"}).json()
    assert one["status"] == "scored"
    assert {("missing", p) for p in ("account", "events", "stages", "history", "account_leads")} <= {
        (w["code"], w["place"]) for w in one["warnings"]
    }


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lead": SECRET}, "lead"), ({"lead": None}, "lead"), ({"as_of": SECRET}, "as_of"),
    ({"lead": {"created_at": SECRET}}, "lead.created_at"), ({"lead": {}}, "lead.created_at"),
    ({"lead": {"created_at": "2999-01-01"}}, "lead.created_at"),
    ({"events": [{}, {"type": SECRET}]}, "events[0].occurred_at"), ({"events": SECRET}, "events"),
    ({"events": [{"type": "x", "occurred_at": "10000-01-01"}]}, "events[0].occurred_at"),
    ({"stages": [SECRET]}, "stages[0]"), ({"history": [{"changed_at": SECRET}]}, "history[0].changed_at"),
    ({"account": [SECRET]}, "account"), ({"account_leads": [{"lead": {"created_at": SECRET}}]},
                                         "account_leads[0].lead.created_at"),
    ({"account_leads": [{"lead": {"lead_id": "1"}}]}, "account_leads[0].lead.created_at"),
    ({"language": SECRET}, "language"), ({"explain": SECRET}, "explain"), ({"language": []}, "language"),
    ({"lead": {"created_at": "2025-01-01", "lead_id": [SECRET]}}, "lead.lead_id"),
    ({"lead": {"created_at": "2025-01-01", "value": SECRET}}, "lead.value"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "place"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named_by_its_place(
    client: TestClient, request_: dict[str, Any], parts: dict[str, Any], place: str
) -> None:
    """422 alone; in a batch the others are answered."""
    wrong = {**request_, **parts}
    assert problem(client.post("/v1/score", json=wrong), 422)["place"] == place
    reply = client.post("/v1/score/batch", json={"leads": [request_, wrong, request_]})
    assert reply.status_code == 200
    first, middle, last = reply.json()["results"]
    assert first["probability"] == last["probability"] is not None
    assert middle["place"] == f"leads[1].{place}"
    assert middle["status"] == 422
    assert SECRET not in reply.text


def test_a_batch_says_what_nobody_looks_at(client: TestClient, request_: dict[str, Any]) -> None:
    """An instant for all beside the leads would be passed over without a word; options there are all leads'."""
    reply = client.post("/v1/score/batch", json={"leads": [request_], "as_of": SECRET, "language": "fi"})
    (warning,) = reply.json()["warnings"]
    assert (warning["code"], warning["place"]) == ("unknown_field", "as_of")
    assert warning["text"].startswith("malli")
    assert SECRET not in reply.text
    for name in ("explain", "language"):
        assert problem(client.post("/v1/score/batch", json={"leads": [], name: SECRET}), 422)["place"] == name


def test_many_rows_are_refused(client: TestClient, request_: dict[str, Any], settings: Settings) -> None:
    """Events beyond the limit, other leads beyond theirs, a batch beyond its own."""
    row = {"type": "x", "occurred_at": "2025-05-01"}
    small = Settings(**{**settings.model_dump(), "max_events": 3, "max_colleagues": 1, "max_batch": 2})
    client.app.service.settings = small  # type: ignore[attr-defined]
    colleague = {"lead": {"created_at": "2025-01-01"}}
    for parts, place in (
        ({"events": [row] * 4}, "events"), ({"account_leads": [colleague] * 2}, "account_leads"),
        ({"account_leads": [{**colleague, "events": [row] * 4}]}, "account_leads[0].events"),
    ):  # fmt: skip
        bare = {**request_, "events": [], "history": [], "account_leads": []}
        assert problem(client.post("/v1/score", json={**bare, **parts}), 422)["place"] == place
    assert problem(client.post("/v1/score/batch", json={"leads": [{}] * 3}), 422)["place"] == "leads"


@pytest.mark.parametrize("many", ["leads", "rows"])
def test_a_batch_stops_when_its_time_has_passed(
    client: TestClient, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch, many: str
) -> None:
    """Whether it has many leads or few with many rows, the clock is looked at in between."""
    from serving import scoring

    whole, sizes, clock = scoring.each, list[int](), [0.0]

    def slow(model: Model, asked: Any, now: datetime) -> Any:
        sizes.append(len(asked))
        clock[0] += 4
        return whole(model, asked, now)

    monkeypatch.setattr(scoring, "each", slow)
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    row = {"type": "x", "occurred_at": "2025-05-01"}
    leads = [request_] * 600 if many == "leads" else [{**request_, "events": [row] * 4000}] * 10
    service = client.app.service  # type: ignore[attr-defined]
    service.settings = Settings(**{**service.settings.model_dump(), "max_batch_body": 8 << 20})
    assert client.post("/v1/score/batch", json={"leads": leads}).status_code == 200
    assert sizes == ([250, 250, 100] if many == "leads" else [5, 5])
    service.settings = Settings(**{**service.settings.model_dump(), "timeout_s": 3})
    problem(client.post("/v1/score/batch", json={"leads": leads}), 503)
    assert sizes[-1] == sizes[0]
    assert len(sizes) == (4 if many == "leads" else 3)


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_bodies_have_limits(client: TestClient, path: str, settings: Settings) -> None:
    """Too large (with a length or without), compressed, of another type, not JSON, of another shape."""
    most = settings.max_body if path == "/v1/score" else settings.max_batch_body
    large = b" " * (most + 1)
    json_ = {"content-type": "application/json"}
    assert problem(client.post(path, content=large, headers=json_), 413)
    assert problem(client.post(path, content=iter([large[: most // 2]] * 3), headers=json_), 413)
    assert problem(client.post(path, content=b"{}", headers={**json_, "content-encoding": "gzip"}), 415)
    assert problem(client.post(path, content=b"{}"), 415)
    assert problem(client.post(path, content=f"lead={SECRET}", headers={"content-type": "text/plain"}), 415)
    assert problem(client.post(path, content=f'{{"{SECRET}'.encode(), headers=json_), 400)
    for body in (b"[]", b"null", b"7", b'"x"', b"{}"):
        assert problem(client.post(path, content=body, headers=json_), 422)
    assert client.post(path, content=b'{"leads": [], "lead": {"created_at": "2025-05-01"}}',
                       headers={"content-type": "application/json; charset=utf-8"}).status_code == 200  # fmt: skip


def test_other_routes_and_methods_are_problems(client: TestClient) -> None:
    """404 and 405, with the methods that there are."""
    problem(client.get("/nowhere"), 404)
    problem(client.get(f"/v1/{SECRET}"), 404)
    for path in ("/v1/score", "/v1/score/batch"):
        assert problem(client.get(path), 405)
        assert client.get(path).headers["allow"] == "POST"
    problem(client.post("/livez"), 405)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_monitors_may_ask_by_head(client: TestClient, path: str) -> None:
    """The same status and type, and no body."""
    asked, told = client.head(path), client.get(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == told.headers["content-type"]


def test_the_model_is_described(client: TestClient, model: Model) -> None:
    """Version, definition, times, inputs, metrics and the card."""
    found = client.get("/v1/model").json()
    assert found["model_digest"] == model.bundle.digest
    assert found["definition"]["conversion"]["within_days"] == 90
    assert found["training"]["folds"]["train"]["converting_leads"] > 0
    assert found["test"]["auc"] == model.bundle.training["metrics"]["test"]["auc"]
    assert found["card"].startswith("# ")
    assert {a["place"] for a in found["inputs"]["attributes"]} >= {"lead.job_title"}


def test_what_is_said_of_a_model_is_made_once(settings: Settings, model: Served) -> None:
    """With the model, at its load: the event loop only sends it."""
    told = replace(model, openapi=b'{"o":1}', description=b'{"d":1}')
    with TestClient(app_of(settings, told)) as client:
        for path, content in (("/v1/openapi.json", told.openapi), ("/v1/model", told.description)):
            reply = client.get(path)
            assert (reply.content, reply.headers["content-type"]) == (content, "application/json")


def test_without_an_admin_key_nobody_reloads_over_http(client: TestClient) -> None:
    """Even on loopback."""
    problem(client.post("/v1/model/reload"), 403)


def test_without_a_model_nothing_is_served(client: TestClient, request_: dict[str, Any]) -> None:
    """503, and not ready, but alive. While it drains it is not ready either, and sends its clients away."""
    service = client.app.service  # type: ignore[attr-defined]
    kept, service.store.current = service.store.current, None
    problem(client.post("/v1/score", json=request_), 503)
    problem(client.get("/readyz"), 503)
    assert client.get("/livez").status_code == 200
    service.store.current, service.draining = kept, True
    problem(client.get("/readyz"), 503)
    reply = client.post("/v1/score", json=request_)
    assert (reply.status_code, reply.headers["connection"]) == (200, "close")


def test_what_is_counted(client: TestClient, request_: dict[str, Any], model: Model) -> None:
    """Requests, seconds, grades, missing inputs, the model: Prometheus reads it, and nothing of a lead is in it."""
    marked = {**request_, "lead": {**request_["lead"], "lead_id": SECRET}}
    del marked["stages"]
    one = client.post("/v1/score", json=marked).json()
    client.get(f"/{SECRET}")
    text = client.get("/metrics").text
    assert f'leadscore_scores_total{{grade="{one["grade"]}",version="{model.bundle.version}"}} 1.0' in text
    assert 'leadscore_requests_total{route="/v1/score",status="200"} 1.0' in text
    assert 'leadscore_missing_inputs_total{input="stages"} 1.0' in text
    assert "leadscore_request_seconds_bucket" in text
    assert SECRET not in text


def test_a_failure_of_ours_is_a_problem_without_words(
    client: TestClient, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """500 with nothing of the request in it, nor in the log; the service goes on."""

    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr("serving.answers.in_steps", fail)
        reply = client.post("/v1/score", json=request_)
        problem(reply, 500)
        assert "x-request-id" in reply.headers
    with monkeypatch.context() as patch:
        patch.setattr("serving.app.ready", fail)
        problem(client.get("/v1/model"), 500)
    with monkeypatch.context() as patch:
        patch.setattr("serving.gate.SCORING", {"/v1/score": fail})
        reply = client.post("/v1/score", json=request_)
        problem(reply, 500)
    assert client.post("/v1/score", json=request_).status_code == 200
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    bugs = [line for line in map(json.loads, said.splitlines()) if line["event"] == "bug"]
    assert [line["error"] for line in bugs] == ["RuntimeError"] * 3
    assert bugs[-1]["request_id"] == reply.headers["x-request-id"]
    assert all("test_app.py:" in line["trace"][-1] for line in bugs)


def test_a_lead_that_fails_us_fails_no_other(
    client: TestClient, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a batch its place holds the problem, and the others have their answers."""
    from serving import answers

    whole = answers.in_steps

    def fail(model: Model, asked: Any, now: datetime) -> Any:
        if any(w.request["lead"].get("lead_id") == "bad" for w in asked):
            raise RuntimeError
        return whole(model, asked, now)

    monkeypatch.setattr("serving.answers.in_steps", fail)
    bad = {**request_, "lead": {**request_["lead"], "lead_id": "bad"}}
    results = client.post("/v1/score/batch", json={"leads": [request_, bad, request_]}).json()["results"]
    assert [r.get("status") for r in results] == ["scored", 500, "scored"]


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("objected", [False, True])
def test_an_instant_outside_the_calendar_is_a_problem(
    client: TestClient, request_: dict[str, Any], as_of: str, objected: bool
) -> None:
    """In UTC it is of no year from 1 to 9999; alone and in a batch."""
    lead = {**request_["lead"], "objected": objected}
    bad = {**request_, "lead": lead, "as_of": as_of}
    assert problem(client.post("/v1/score", json=bad), 422)["place"] == "as_of"
    results = client.post("/v1/score/batch", json={"leads": [request_, bad]}).json()["results"]
    assert [r["status"] for r in results] == ["scored", 422]


@pytest.fixture
def flat(settings: Settings, model: Model) -> Iterator[TestClient]:
    """Of a model that learned from leads without dates."""
    undated = replace(model.bundle, training={**model.bundle.training, "shape": "flat"})
    app = app_of(settings, served(undated, settings))
    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


@pytest.mark.parametrize("objected", [False, True])
@pytest.mark.parametrize("as_of", [SECRET, 5, ["2025-06-01"]])
def test_a_model_without_dates_reads_the_instant_too(
    flat: TestClient, request_: dict[str, Any], as_of: Any, objected: bool
) -> None:
    """It says as of when it answered, so what is no time is a problem of the caller's."""
    bad = {**request_, "lead": {**request_["lead"], "objected": objected}, "as_of": as_of}
    assert problem(flat.post("/v1/score", json=bad), 422)["place"] == "as_of"
    results = flat.post("/v1/score/batch", json={"leads": [request_, bad]}).json()["results"]
    assert [r["status"] for r in results] == ["scored", 422]


def test_a_model_without_dates_looks_at_none(flat: TestClient, request_: dict[str, Any]) -> None:
    """Whenever the lead and its colleagues were created, and as of whenever: the same probability."""
    found = []
    for created, as_of in ((None, "2025-06-01T00:00:00Z"), ("2030-01-01", "2020-01-01T00:00:00Z"), (SECRET, None)):
        colleagues = [{"lead": {"created_at": created}, "events": [], "stages": [], "history": []}]
        lead = {**request_["lead"], "created_at": created}
        reply = flat.post("/v1/score", json={**request_, "lead": lead, "account_leads": colleagues, "as_of": as_of})
        found.append(reply.json()["probability"])
        assert as_of in (None, reply.json()["as_of"])
    assert found[0] is not None
    assert len(set(found)) == 1


@pytest.mark.parametrize("path", ["/v1/model", "/v1/openapi.json", "/v1/score", "/livez"])
@pytest.mark.parametrize("end", ["%0A", "/", "%0D%0A", "%00", "//", "%20", ";a"])
def test_a_path_that_is_nearly_a_route_is_none(client: TestClient, path: str, end: str) -> None:
    """A router may take it for one; the gate, which knows what key it needs, does not."""
    for reply in (client.get(path + end), client.post(path + end)):
        problem(reply, 404)
    problem(client.post(f"/v1/model/reload{end}"), 404)


@pytest.mark.parametrize(
    ("part", "row", "place"),
    [
        ("history", {"changed_at": "2025-05-01", "value": "x"}, "history[0].field"),
        ("history", {"changed_at": "2025-05-01", "field": 7}, "history[0].field"),
        ("history", {"changed_at": "2025-05-01", "field": "x", "entity": []}, "history[0].entity"),
        ("history", {"changed_at": "2025-05-01", "field": "x", "entity": 0}, "history[0].entity"),
        ("events", {"type": "x", "occurred_at": "2025-05-01", "event_id": {}}, "events[0].event_id"),
        ("events", {"type": "x", "occurred_at": "2025-05-01", "event_id": True}, "events[0].event_id"),
        ("events", {"type": "x", "occurred_at": "2025-05-01", "value": True}, "events[0].value"),
        ("lead", {"lead_id": True}, "lead.lead_id"),
        ("lead", {"value": True}, "lead.value"),
    ],
)
def test_a_wrong_kind_is_named(
    client: TestClient, request_: dict[str, Any], part: str, row: dict[str, Any], place: str
) -> None:
    """Yes is no number, and a name is a text."""
    changed = {**request_, part: {**request_["lead"], **row} if part == "lead" else [row]}
    assert problem(client.post("/v1/score", json=changed), 422)["place"] == place


def test_what_history_does_not_know_is_said(client: TestClient, request_: dict[str, Any], model: Model) -> None:
    """A field without a past, and fields that nobody knows: in order, and not without end."""
    row = {"field": "shoe size", "value": "44", "changed_at": "2025-05-01"}
    lead = {**request_["lead"], **{f"b{i:03}": 1 for i in range(150)}}
    reply = client.post("/v1/score", json={**request_, "lead": lead, "history": [row]}).json()
    places = [w["place"] for w in reply["warnings"] if w["code"] == "unknown_field"]
    assert len(reply["warnings"]) == 100
    assert places == sorted(places)
    reply = client.post("/v1/score", json={**request_, "history": [row]}).json()
    assert ("unknown_field", "history[0].field") in {(w["code"], w["place"]) for w in reply["warnings"]}


def test_what_was_excluded_on_purpose_is_no_surprise(request_: dict[str, Any], model: Model) -> None:
    """What training knew and left out is passed over without a word: in the lead, in its account and in histories,
    there in any spelling. Fields that it did not know are still said."""
    left_out = dict.fromkeys(("Last Activity", "tags"), "definition.exclude names it")
    bundle = replace(model.bundle, training={**model.bundle.training, "left_out_columns": left_out})
    given = {"Last Activity": "call", "tags": "x"}
    rows = [{"field": name, "value": "44", "changed_at": "2025-05-01"} for name in ("Last Activity", "Tags__c", "size")]
    asked = {**request_, "lead": {**request_["lead"], **given}, "account": {**given, "new": 1}, "history": rows}
    (one,) = answer(Model(bundle, Cautions(bundle)), [wanted(asked, Settings())], datetime.now(UTC))
    places = [warning["place"] for warning in one["warnings"] if warning["code"] == "unknown_field"]
    assert places == ["account.new", "history[2].field"]


def test_a_field_that_only_history_tells_is_said(client: TestClient, request_: dict[str, Any], model: Model) -> None:
    """Beside the lead or its account it counts for nothing; nor does a row that says the other of the two."""
    past = next(a for a in model.bundle.plan.attributes if a.has_history)
    other = {"lead": "account", "account": "lead"}[past.entity]
    row = {"entity": other, "field": past.column, "value": "7", "changed_at": "2025-05-01"}
    changed = {**request_, past.entity: {**request_.get(past.entity, {}), past.column: "7"}, "history": [row]}
    found = {(w["code"], w["place"]) for w in client.post("/v1/score", json=changed).json()["warnings"]}
    assert {("history_only", f"{past.entity}.{past.column}"), ("unknown_field", "history[0].field")} <= found


def test_the_log_has_a_line_for_each_request(
    client: TestClient, request_: dict[str, Any], model: Model, capfd: pytest.CaptureFixture[str]
) -> None:
    """One JSON object with id, status, time and version, and nothing of the lead."""
    marked = {**request_, "lead": {**request_["lead"], "lead_id": SECRET, "job_title": SECRET}}
    ids = {client.post("/v1/score", json=marked).headers["x-request-id"] for _ in range(2)}
    said = capfd.readouterr().err
    assert SECRET not in said
    lines = [line for line in map(json.loads, said.splitlines()) if line["event"] == "request"]
    assert {line["request_id"] for line in lines} == ids
    for line in lines:
        assert (line["route"], line["status"], line["model_version"]) == ("/v1/score", 200, model.bundle.version)
        assert line["ms"] > 0
