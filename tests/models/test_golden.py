"""Imagined requests with the answers that a model gave."""

import json
from dataclasses import replace

from models.bundle.folder import Bundle
from models.bundle.golden import answer, failures, golden_requests


def test_golden_requests_are_the_same_for_a_seed_and_are_json(bundle: Bundle) -> None:
    """Seeded, plain types, and about nobody."""
    one, two = (golden_requests(bundle.plan, bundle.encoding, 3, 30) for _ in range(2))
    assert one == two
    assert json.loads(json.dumps(one)) == one
    assert all(r["lead"]["lead_id"].startswith("golden-") for r in one)
    left_out = {k for r in one for k in ("account", "events", "stages", "history", "account_leads") if k not in r}
    assert len(left_out) >= 3, "some have parts left out"


def test_golden_requests_tell_what_changes_in_the_history(bundle: Bundle) -> None:
    """A field that changes counts nowhere else; so the proof reads histories, of leads, accounts and colleagues."""
    made = golden_requests(bundle.plan, bundle.encoding, 0, 50)
    changing = {(a.entity, a.column) for a in bundle.plan.attributes if a.has_history}
    told = [(row["entity"], row["field"]) for request in made for row in request.get("history", [])]
    assert set(told) == changing
    for request in made:
        assert not {("lead", name) for name in request["lead"]} & changing
        assert not {("account", name) for name in request.get("account", {})} & changing
    assert any(other["history"] for request in made for other in request.get("account_leads", []))
    without = [{**request, "history": []} for request in made if request.get("history")]
    assert sum(answer(bundle, one) != answer(bundle, request) for one, request in
               zip(without, (r for r in made if r.get("history")), strict=True)) > len(without) / 2  # fmt: skip


def test_a_changed_answer_is_a_failure(bundle: Bundle) -> None:
    """A last bit that differs is named; the same answer is none."""
    request = golden_requests(bundle.plan, bundle.encoding, 0, 1)[0]
    right = answer(bundle, request)
    assert failures(bundle, [{"request": request, "answer": right}]) == []
    wrong = {**right, "probability": right["probability"] * (1 + 2**-52)}
    assert len(failures(bundle, [{"request": request, "answer": wrong}])) == 1


def test_answers_are_of_the_reading_that_is_served(bundle: Bundle) -> None:
    """The bundle's own marks of numbers and zone: a proof of another reading would prove another service."""
    size = next(a for a in bundle.plan.attributes if a.kind == "numeric" and not a.has_history)
    northern = replace(bundle, reading={**bundle.reading, "decimal": ",", "timezone": "Europe/Helsinki"})
    created = {"created_at": "2025-05-01T03:00:00"}

    def said(value: object, as_of: str) -> dict[str, object]:
        parts = {"lead": dict(created), "account": {}}
        parts[size.entity][size.column] = value
        return answer(northern, {**parts, "as_of": as_of})

    assert said("120,5", "2025-06-01T03:00:00") == said(120.5, "2025-06-01T00:00:00Z")
