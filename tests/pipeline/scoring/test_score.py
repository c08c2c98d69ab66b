"""Files of scores: who is scored, and the very probabilities of the run."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from asking import request_of
from validating import checked

from models.bundle.folder import Bundle
from models.explaining.reasons import GROUPS
from models.explaining.words import Language
from pipeline.assembly.featuring import features
from pipeline.errors import Stop
from pipeline.outcomes.ended import ended
from pipeline.scoring import score as scoring
from pipeline.scoring.remarks import remarks
from pipeline.scoring.score import Asked, parse_time, read, score_tables
from pipeline.scoring.stalled import stalled

NOW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def scored(bundle: Bundle, asked: Asked) -> pl.DataFrame:
    """With reasons."""
    return score_tables(bundle, asked, "en")


def test_every_lead_that_exists_has_one_status(scored: pl.DataFrame, asked: Asked, day: datetime) -> None:
    """scored, closed or objected; the last two have no probability; the order is the input's."""
    leads = asked.checked.tables["leads"].filter(pl.col("created_at") <= day)
    gone = asked.checked.excluded["leads"].filter((pl.col("code") == "objected") & (pl.col("created_at") <= day))
    assert len(gone) > 0
    rows = pl.concat([leads.select("row", "lead_id"), gone.select("row", "lead_id")]).sort("row")
    assert scored["lead_id"].to_list() == rows["lead_id"].to_list()
    assert set(scored["status"]) == {"scored", "closed", "objected"}
    assert scored.filter(pl.col("status") == "objected")["lead_id"].to_list() == gone.sort("row")["lead_id"].to_list()
    for status, frame in scored.group_by("status"):
        known = frame["probability"].is_not_null()
        assert known.all() if status == ("scored",) else not known.any()
        assert frame["score"].is_null().to_list() == (~known).to_list()
    assert scored.schema == scoring.SCHEMA
    assert scored["as_of"].unique().to_list() == [day]


def test_objectors_of_later_are_not_there_yet(bundle: Bundle, asked: Asked) -> None:
    """One who objects and was created after the instant does not exist as of it."""
    gone = asked.checked.excluded["leads"].filter(pl.col("code") == "objected").sort("created_at")
    before = gone["created_at"][0] - timedelta(days=1)
    assert "objected" not in score_tables(bundle, replace(asked, as_of=before), None)["status"]


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_another_language_changes_words_alone(
    bundle: Bundle, asked: Asked, scored: pl.DataFrame, language: Language
) -> None:
    """The same numbers and as many reasons, none in the words of English but what has no words, such as a name."""
    other, texts = score_tables(bundle, asked, language), [f"reason_{n + 1}" for n in range(scoring.REASONS)]
    assert other.drop(texts).equals(scored.drop(texts))
    for name in texts:
        assert (other[name].is_null() == scored[name].is_null()).all()
    both = pl.DataFrame({"one": scored["reason_1"], "other": other["reason_1"]}).drop_nulls()
    assert (both["one"] != both["other"]).mean() > 0.5  # a field of the CRM goes by its own name


def test_reasons_change_no_bit(bundle: Bundle, asked: Asked, scored: pl.DataFrame) -> None:
    """Without reasons: the same but for base, groups and reasons, which are empty."""
    plain = score_tables(bundle, asked, None)
    more = ["base", *GROUPS, "reason_1", "reason_2", "reason_3"]
    assert plain.drop(more).equals(scored.drop(more))
    assert plain.select(more).null_count().row(0) == (len(plain),) * len(more)


def test_base_and_groups_add_up(bundle: Bundle, scored: pl.DataFrame) -> None:
    """In log odds before calibration, within 1e-9: calibrated they are the probability."""
    from models.learning.calibration import apply

    mine = scored.filter(pl.col("status") == "scored")
    raw = mine.select(pl.sum_horizontal("base", *GROUPS)).to_series().to_numpy()
    np.testing.assert_allclose(apply(bundle.calibration, raw), mine["probability"].to_numpy(), rtol=1e-8)
    assert mine["reason_1"].null_count() < len(mine)


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_do_not_show(
    bundle: Bundle, asked: Asked, scored: pl.DataFrame, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many leads are looked at together, the file is the same, and progress reaches the end."""
    monkeypatch.setattr(scoring, "CHUNK", chunk)
    seen: list[tuple[int, int]] = []
    plain = score_tables(bundle, asked, None, lambda done, of: seen.append((done, of)))
    assert plain["probability"].equals(scored["probability"])
    assert seen[-1][0] == seen[-1][1] == len(asked.checked.tables["leads"])


def test_the_runs_own_probabilities_come_again(
    bundle: Bundle, lead_tables: Path, predictions: pl.DataFrame, asked: Asked
) -> None:
    """To the last bit, at the instants of predictions.parquet; policy and version beside them."""
    at = predictions.filter(pl.col("fold") == "test").sample(12, seed=1)
    for lead_id, as_of, p in at.select("lead_id", "as_of", "probability").rows():
        found = score_tables(bundle, replace(asked, as_of=as_of), None).filter(pl.col("lead_id") == lead_id)
        assert found["probability"].to_list() == [p]
        assert found["grade"].to_list() == bundle.policy.grade(np.array([p]))
        assert found["model_version"].to_list() == [bundle.version]


def test_tables_cut_at_the_instant_score_the_same(
    bundle: Bundle, lead_tables: Path, day: datetime, scored: pl.DataFrame, tmp_path: Path
) -> None:
    """Rows that were not known yet change nothing, in tables of CSV as in those of Parquet."""
    times = {"leads": "created_at", "stages": "entered_at", "history": "changed_at", "events": "occurred_at"}
    for path in lead_tables.glob("*.*"):
        name = path.name.partition(".")[0]
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
        if name in times:
            at = frame[times[name]]
            at = at.str.to_datetime(time_zone="UTC", strict=False) if at.dtype == pl.String else at
            frame = frame.filter((at <= day).fill_null(True))
        frame.cast({c: pl.String for c, t in frame.schema.items() if not t.is_temporal()}).write_csv(
            tmp_path / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ"
        )
    again = score_tables(bundle, read(bundle, tmp_path, day, None, NOW), "en")
    shared = scored.drop("expected_value")
    assert again.drop("expected_value").equals(shared)


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_scores_are_written_whole(scored: pl.DataFrame, tmp_path: Path, name: str) -> None:
    """CSV gives every bit of a probability back, as Parquet does."""
    scoring.write(scored, tmp_path / name)
    again = pl.read_csv(tmp_path / name) if name.endswith("csv") else pl.read_parquet(tmp_path / name)
    assert again["probability"].equals(scored["probability"])
    assert again.columns == list(scoring.SCHEMA)


def test_a_name_or_a_time_that_cannot_be_read_stops() -> None:
    """Before any work is done, with what was expected."""
    with pytest.raises(Stop, match=r"\.csv or \.parquet"):
        scoring.check_output(Path("scores.xls"))
    with pytest.raises(Stop, match="ISO 8601"):
        parse_time("tomorrow", "UTC")
    for beyond in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        with pytest.raises(Stop, match="ISO 8601"):
            parse_time(beyond, "UTC")
    for text in ("2025-01-01", "2025-01-01T00:00:00+02:00", "2024-12-31T22:00:00Z"):
        assert repr(parse_time(text, "Europe/Helsinki")) == repr(datetime(2024, 12, 31, 22, tzinfo=UTC))


def test_an_instant_of_another_zone_is_the_same(
    bundle: Bundle, lead_tables: Path, day: datetime, scored: pl.DataFrame
) -> None:
    """`--as-of` without an offset is of the tables' zone; one long after the last row is scored with a word."""
    at = parse_time(day.astimezone(ZoneInfo("Europe/Helsinki")).replace(tzinfo=None).isoformat(), "Europe/Helsinki")
    assert score_tables(bundle, read(bundle, lead_tables, at, None, NOW), "en").equals(scored)
    late = read(bundle, lead_tables, day + timedelta(days=900), None, NOW)
    assert any("every lead seems to have been silent" in line for line in remarks(bundle, late))
    early = read(bundle, lead_tables, day, None, NOW)
    assert not any("silent" in line for line in remarks(bundle, early))


def test_requests_made_of_tables_get_the_tables_probabilities(
    bundle: Bundle, asked: Asked, scored: pl.DataFrame, day: datetime
) -> None:
    """JSON made of a lead's rows and those of its account gives the very bits of the file of scores."""
    from models.bundle.golden import answer

    tables = asked.checked.tables
    mine = scored.filter(pl.col("status") == "scored").sample(25, seed=2)
    for lead_id, p in mine.select("lead_id", "probability").rows():
        assert answer(bundle, request_of(tables, lead_id, day))["probability"] == p


def test_tables_asked_need_not_have_every_column_that_training_mapped(bundle: Bundle, tmp_path: Path) -> None:
    """Open leads have no outcome column, and may come with our own names already."""
    mapped = replace(bundle, reading={**bundle.reading, "columns": {"lead_id": "Prospect ID", "converted": "Won?"}})
    for column in ("Prospect ID", "lead_id"):
        (tmp_path / "leads.csv").write_text(f"{column},created_at\n007,2025-01-01\n")
        found = score_tables(mapped, read(mapped, tmp_path, None, None, NOW), None)
        assert found["lead_id"].to_list() == ["007"]


def test_a_dated_model_does_not_score_leads_without_dates(bundle: Bundle, tmp_path: Path) -> None:
    """A misspelt column is said, rather than every lead scored as of 1970."""
    (tmp_path / "leads.csv").write_text("lead_id,created\n007,2025-01-01\n")
    with pytest.raises(Stop, match=r"leads\.created_at is missing"):
        read(bundle, tmp_path, None, None, NOW)


def test_a_lead_whose_outcome_was_refused_is_not_called(bundle: Bundle, tmp_path: Path) -> None:
    """A deal of a negative amount, one won and lost at once, one won before the lead came: closed from that time on."""
    stages = [
        "won-before,won,2025-04-20T08:00:00Z,", "negative,won,2025-05-10T08:00:00Z,-5",
        "both,won,2025-05-10T08:00:00Z,100", "both,lost,2025-05-10T08:00:00Z,", "open,mql,2025-05-10T08:00:00Z,",
        "again,won,2025-05-10T08:00:00Z,-5", "again,lost,2025-05-11T08:00:00Z,", "again,recycled,2025-05-12T08:00:00Z,",
        "opened,lost,2025-05-10T08:00:00Z,-5", "opened,recycled,2025-05-12T08:00:00Z,",
    ]  # fmt: skip
    leads = list(dict.fromkeys(row.split(",")[0] for row in stages))
    (tmp_path / "leads.csv").write_text("lead_id,created_at\n" + "".join(f"{i},2025-05-01T08:00:00Z\n" for i in leads))
    (tmp_path / "stages.csv").write_text("lead_id,stage,entered_at,amount\n" + "\n".join(stages) + "\n")
    for day, expected in ((9, {"won-before"}), (20, {"won-before", "negative", "both"})):
        as_of = datetime(2025, 5, day, tzinfo=UTC)
        found = score_tables(bundle, read(bundle, tmp_path, as_of, None, NOW), None)
        assert set(found.filter(pl.col("status") == "closed")["lead_id"]) == expected
        assert set(found.filter(pl.col("status") == "scored")["lead_id"]) == set(leads) - expected


def test_remarks_name_every_table_that_is_missing(bundle: Bundle, tmp_path: Path) -> None:
    """Those that training had, `accounts` among them."""
    (tmp_path / "leads.csv").write_text("lead_id,created_at\n007,2025-01-01\n")
    lines = remarks(bundle, read(bundle, tmp_path, None, None, NOW))
    for name in ("accounts", "events", "stages", "history"):
        assert any(line.startswith(f"{name}:") for line in lines)


def test_remarks_name_stages_and_event_types_that_the_model_does_not_know(
    bundle: Bundle, lead_tables: Path, tmp_path: Path, day: datetime
) -> None:
    """A stage that the CRM has renamed closes nobody, and that is said; of what training knew, nothing is."""
    usual = read(bundle, lead_tables, day, None, NOW)
    assert not any("training, so they" in line for line in remarks(bundle, usual))
    shutil.copytree(lead_tables, tmp_path / "renamed")
    for name, column, old in (("stages", "stage", "lost"), ("events", "type", "page_view")):
        path = tmp_path / f"renamed/{name}.parquet"
        pl.read_parquet(path).with_columns(pl.col(column).replace({old: f"New {old}"})).write_parquet(path)
    said = "\n".join(remarks(bundle, read(bundle, tmp_path / "renamed", day, None, NOW)))
    for name, new in (("stages", "'New lost'"), ("events", "'New page_view'")):
        assert re.search(rf"^{name}: rare or not there in training, so they .*: {new} \(\d+ rows\)$", said, re.M)


def test_leads_that_are_older_than_any_that_was_learned_from_are_counted(
    bundle: Bundle, lead_tables: Path, day: datetime
) -> None:
    """As the service warns, by the age of those that are scored."""
    for at in (day, day + timedelta(days=60)):
        asked = read(bundle, lead_tables, at, None, NOW)
        scored = score_tables(bundle, asked, None).filter(pl.col("status") == "scored")["lead_id"].to_list()
        examples = pl.DataFrame({"lead_id": scored, "as_of": [at] * len(scored)})
        matrix = features(asked.checked.tables, bundle.plan, examples)
        age = matrix.values[:, bundle.plan.place["engagement_age_days"]]
        old = int((age > bundle.training["ages_days"][1]).sum())
        assert old
        (line,) = [line for line in remarks(bundle, asked) if "older than any" in line]
        assert line.startswith(f"{old} of {len(scored)} open leads are older")


def test_advice_is_what_can_be_followed(bundle: Bundle, tmp_path: Path) -> None:
    """The settings of training hold, so a message that names one says that the file must change."""
    (tmp_path / "leads.csv").write_text("lead_id;created_at\n007;2025-01-01\n")
    with pytest.raises(Stop, match=r"source.separator.*whatever params\.yaml says: bring them in that form"):
        read(bundle, tmp_path, None, None, NOW)
    flat = replace(bundle, training={**bundle.training, "shape": "flat"})
    (tmp_path / "leads.csv").write_text("lead_id\n007\n")
    with pytest.raises(Stop, match="how long they have stood still"):
        stalled(flat, read(flat, tmp_path, None, None, NOW), 30)


def test_a_bad_row_closes_nobody_who_may_buy_again() -> None:
    """A purchase that repeats closes no lead, so one that was refused does not either; it is left out of training."""
    leads = [{"lead_id": str(i), "created_at": "2024-01-01"} for i in range(3)]
    events = [
        {"lead_id": "0", "occurred_at": "2024-02-01", "type": "purchase"},
        {"lead_id": "1", "occurred_at": "soon", "type": "purchase"},
    ]
    mql = {"lead_id": "0", "stage": "mql", "entered_at": "2024-01-02"}
    for repeats in (True, False):
        definition = {"conversion": {"event": "purchase", "repeats": repeats}}
        found = checked(definition, leads=leads, events=events, stages=[mql])
        table = found.tables["leads"]
        assert table["outcome_refused"].to_list() == [False, True, False]
        order = table.select("lead_id")
        assert ended(found.tables, order, ["recycled"], 10**18).tolist() == [False, not repeats, False]
