"""`leadscore accounts`: the account's probability is of the leads' own, and who is there is what was known then."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner
from validating import NOW, checked

from features.arrays import DAY_US
from models.bundle.accounts import COUNT, UNION, AccountModel, looks
from models.bundle.folder import Bundle
from models.bundle.roles import Wanted
from models.judging.metrics import logit
from pipeline.assembly.planning import bare_plan
from pipeline.assembly.values import instant_us
from pipeline.buying.buyers import SCHEMA, accounts
from pipeline.buying.looks import Past, converts, gathered, look_at, open_lead_converts, past
from pipeline.buying.model import LEAST_CONVERTING, _reliability, learned, roles_of_won
from pipeline.cli import app
from pipeline.errors import Stop
from pipeline.params import Definition
from pipeline.scoring.score import Asked, score_tables

MODEL = AccountModel(0.2, {UNION: 0.9, COUNT: -0.3})


@pytest.fixture(scope="module")
def knowing(bundle: Bundle) -> Bundle:
    """The small run's model with an account's model, whatever it learned."""
    return replace(bundle, accounts=MODEL, roles=(Wanted("decision-maker", 0.6, 0.3), Wanted("manager", 0.5, 0.4)))


@pytest.fixture(scope="module")
def found(knowing: Bundle, asked: Asked) -> pl.DataFrame:
    """Its accounts."""
    return accounts(knowing, asked)


def test_each_account_has_the_probability_of_its_open_leads(found: pl.DataFrame, knowing: Bundle, asked: Asked) -> None:
    """Made again from the file of scores, account by account; the best lead and its reason are of that file."""
    assert dict(found.schema) == SCHEMA
    scores = score_tables(knowing, asked, "en").filter(pl.col("status") == "scored")
    ids = asked.checked.tables["leads"].select("lead_id", "account_id").drop_nulls()
    mine = scores.join(ids, on="lead_id")
    assert set(found["account_id"]) == set(mine["account_id"])
    for row in found.head(25).iter_rows(named=True):
        leads = mine.filter(pl.col("account_id") == row["account_id"])
        p = leads["probability"].to_numpy()
        seen = looks(logit(p), np.zeros(len(p), np.int64), 1)
        assert row["probability"] == pytest.approx(float(MODEL.probability(seen)[0]), rel=1e-12)
        assert row["open_leads"] == len(leads)
        best = leads.filter(pl.col("lead_id") == row["best_lead"])
        assert best["reason_1"].to_list() == [row["reason"]]
        assert best["expected_value"][0] == leads["expected_value"].max()
    worth = found["expected_value"].drop_nulls().to_list()
    assert worth == sorted(worth, reverse=True)


def test_tables_cut_at_the_instant_give_the_same(found: pl.DataFrame, knowing: Bundle, asked: Asked) -> None:
    """Nothing that came later is looked at."""
    at = {"leads": "created_at", "events": "known_at", "stages": "entered_at", "history": "changed_at"}
    cut = {
        name: table.filter(pl.col(at[name]) <= asked.as_of) if name in at else table
        for name, table in asked.checked.tables.items()
    }
    assert accounts(knowing, replace(asked, checked=replace(asked.checked, tables=cut))).equals(found)


def test_the_missing_role_is_nobodys(found: pl.DataFrame) -> None:
    """The first wanted role that no known person has; none is missing where all are there."""
    for known, gone in found.select("people_known", "missing_role").iter_rows():
        assert gone == next((role for role in ("decision-maker", "manager") if role not in (known or "")), None)
    assert found["missing_role"].null_count() < len(found)


def test_an_account_converts_where_any_lead_of_it_does(
    checked_tables: dict[str, pl.DataFrame], bundle: Bundle, asked: Asked
) -> None:
    """Counted from the stages; a lead that is yet to come counts too, and open leads' conversions are among them."""
    until = checked_tables["stages"]["entered_at"].max()
    assert asked.as_of is not None
    whole = past(checked_tables, bundle.plan, Definition(), until)  # type: ignore[arg-type]
    look = look_at(whole, [instant_us(asked.as_of)])
    y = converts(whole, look, instant_us(until))  # type: ignore[arg-type]
    names = whole.order["account_id"].gather(whole.records.account_start[:-1]).to_list()
    leads = checked_tables["leads"].filter(~pl.col("outcome_refused"))
    won = checked_tables["stages"].filter(
        (pl.col("stage") == "won") & (pl.col("entered_at") > asked.as_of)
        & (pl.col("entered_at") <= asked.as_of + pl.duration(days=90))
    ).join(leads, on="lead_id")["account_id"].to_list()  # fmt: skip
    assert [bool(v) for v in y] == [names[a] in won for a in look.account.tolist()]
    assert y[open_lead_converts(whole, look)].all()
    assert (np.diff(look.at) >= 0).all()


def test_looks_are_in_the_order_of_instant_and_account() -> None:
    """Each pair once, whatever the order of the leads; no leads give no looks."""
    lead, as_of, account = np.arange(5), np.array([9, 3, 9, 3, 9]), np.array([2, 7, 0, 1, 2])
    look = gathered(lead, as_of, account)
    assert list(zip(look.at.tolist(), look.account.tolist(), strict=True)) == [(3, 1), (3, 7), (9, 0), (9, 2)]
    assert (look.at[look.look] == as_of).all()
    assert (look.account[look.look] == account).all()
    assert len(gathered(lead[:0], as_of[:0], account[:0]).account) == 0


def test_with_few_converting_accounts_nothing_is_learned(
    checked_tables: dict[str, pl.DataFrame], bundle: Bundle, asked: Asked
) -> None:
    """Leads count as independent, and it is said."""
    assert asked.as_of is not None
    whole = past(checked_tables, bundle.plan, Definition(), asked.as_of)
    early = int(whole.records.created.min()) + 95 * DAY_US
    model, facts = learned(whole, lambda rows: np.full(len(rows), -3.0), early)
    assert facts["converting_accounts"] < LEAST_CONVERTING
    assert not facts["learned"]
    assert model == AccountModel(0.0, {UNION: 1.0})


def test_what_came_after_the_test_began_teaches_nothing(
    checked_tables: dict[str, pl.DataFrame], bundle: Bundle, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outcomes after that instant, taken away, leave the account's model, its counts and the wanted roles as they
    are; before it they do not."""
    monkeypatch.setattr("pipeline.buying.model.LEAST_CONVERTING", 2)
    assert asked.as_of is not None
    begin, until = instant_us(asked.as_of), checked_tables["stages"]["entered_at"].max()

    def taught(last: int) -> object:
        lost = checked_tables["stages"].filter(
            (pl.col("stage") != "won") | (pl.col("entered_at").to_physical() <= last)
        )
        found: Past = past({**checked_tables, "stages": lost}, bundle.plan, Definition(), until)  # type: ignore[arg-type]
        odds = np.random.default_rng(1)
        return learned(found, lambda rows: odds.normal(-3, 1, len(rows)), begin), roles_of_won(found, begin)

    assert taught(instant_us(until)) == taught(begin)  # type: ignore[arg-type]
    assert taught(begin) != taught(begin - 200 * DAY_US)


def test_a_late_record_hides_no_conversion_that_was_known() -> None:
    """An account that bought twice, of which the first was heard of after the second: it had converted by then."""
    definition = {"conversion": {"event": "purchase", "within_days": 90, "repeats": True}}
    bought = {"lead_id": "1", "type": "purchase"}
    events = [
        {**bought, "occurred_at": "2024-02-01", "available_at": "2024-09-01"},
        {**bought, "occurred_at": "2024-03-01", "available_at": "2024-03-02"},
    ]
    leads = [{"lead_id": "1", "created_at": "2024-01-01", "account_id": "A"}]
    tables = checked(definition, leads=leads, events=events).tables
    made = Definition.model_validate(definition)
    found = past(tables, bare_plan(made), made, NOW)
    look = look_at(found, [instant_us(datetime(2024, 1, 10, tzinfo=UTC))])
    told = [converts(found, look, instant_us(datetime(2024, month, 5, tzinfo=UTC))).tolist() for month in (2, 3, 10)]
    assert told == [[0], [1], [1]]


def test_accounts_are_scored_before_anything_converted(knowing: Bundle, asked: Asked, found: pl.DataFrame) -> None:
    """A model of a conversion by event needs no such event in the tables, nor any event at all."""
    event = {**knowing.definition, "conversion": {"event": "signed", "within_days": 90.0}}
    by_event = replace(knowing, definition=event)
    tables = asked.checked.tables
    assert len(accounts(by_event, asked)) >= len(found)
    bare = replace(asked, checked=replace(asked.checked, tables={n: t for n, t in tables.items() if n != "events"}))
    assert len(accounts(by_event, bare))


def test_a_model_that_knows_no_accounts_says_what_to_bring(bundle: Bundle, asked: Asked) -> None:
    """The error names what is missing, in the model and in the tables."""
    with pytest.raises(Stop, match=r"knows no accounts.*account_id"):
        accounts(replace(bundle, accounts=None), asked)
    leads = asked.checked.tables["leads"].with_columns(account_id=pl.lit(None, pl.String))
    bare = replace(asked, checked=replace(asked.checked, tables={**asked.checked.tables, "leads": leads}))
    with pytest.raises(Stop, match="no lead has an account_id"):
        accounts(replace(bundle, accounts=MODEL), bare)


def test_the_command_writes_a_file_whole(
    bundle_folder: Path, lead_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CSV with the columns, a line that says how many; another ending is refused before anything is read."""
    monkeypatch.setattr("models.bundle.folder.prove", lambda folder: None)
    there = ["accounts", "--tables", str(lead_tables), "--bundle", str(bundle_folder), "--output"]
    done = CliRunner().invoke(app, [*there, str(tmp_path / "accounts.csv")])
    assert done.exit_code == 0, done.output
    written = pl.read_csv(tmp_path / "accounts.csv")
    assert written.columns == list(SCHEMA)
    assert f"{len(written)} accounts" in done.output
    again = CliRunner().invoke(app, [*there, str(tmp_path / "accounts.csv"), "--language", "sv"])
    assert again.exit_code == 0, again.output
    other = pl.read_csv(tmp_path / "accounts.csv")
    assert other.drop("reason").equals(written.drop("reason"))
    assert (other["reason"] != written["reason"]).mean() > 0.5  # a field of the CRM goes by its own name
    refused = CliRunner().invoke(app, [*there, str(tmp_path / "accounts.txt")])
    assert refused.exit_code == 1
    assert ".csv or .parquet" in refused.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["accounts.csv"]
    assert "Example: leadscore accounts" in CliRunner().invoke(app, ["accounts", "--help"]).output


def test_the_bundle_keeps_the_account_model(bundle: Bundle, bundle_folder: Path) -> None:
    """As JSON, in the manifest, as the stage found it."""
    stored = json.loads((bundle_folder / "accounts.json").read_text())
    assert "accounts.json" in json.loads((bundle_folder / "manifest.json").read_text())
    assert bundle.accounts == AccountModel.of_json(stored["model"])
    assert [one.role for one in bundle.roles] == [row["role"] for row in stored["roles"]]


def test_a_tenth_of_which_nothing_converted_is_not_sure_of_nothing() -> None:
    """Drawing its accounts again would show no conversion ever; a tenth of fifty looks may have come from some 4 %."""
    p, y = np.linspace(0.01, 0.2, 500), np.repeat([0.0, 1.0, 0.0], [50, 20, 430])
    rows = _reliability(y, p, np.arange(500))
    assert rows[0]["observed"] == 0
    assert rows[0]["interval"][0] == 0
    assert rows[0]["interval"][1] > 0.04
