"""Honest data pass every leak check, whatever its shape."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from leaking import AFTER, BEFORE, WORLDS, brought, check, leaks, run, simulated, stopped

from pipeline.leaks.results import BETTER

ROOT = Path(__file__).parents[3]
X_EDUCATION = ROOT / "../shared/data/x_education/Leads.csv"
needs_x_education = pytest.mark.skipif(not X_EDUCATION.exists(), reason="the data are not ours to bring along")


@pytest.mark.parametrize("world", WORLDS)
def test_no_honest_company_is_suspected(world: str, tmp_path: Path) -> None:
    """Every check passes, warns of nothing, and has looked at something."""
    simulated(tmp_path, world, 600, 11)
    run(tmp_path, *BEFORE, "screen", *AFTER)
    found = leaks(tmp_path)
    assert found["result"] == "passed"
    warnings = {one["name"]: one["warnings"] for one in found["checks"] if one["warnings"]}
    # learned from some thirty converting leads a model may be worse than the base rate: that is no suspicion
    assert {*warnings} <= {BETTER}
    assert check(tmp_path, "scores without the future")["numbers"] == {
        "examples": 200, "deleted_changes": 0, "changed_changes": 0,
    }  # fmt: skip
    splits = check(tmp_path, "random split against split in time")["numbers"]
    assert splits["random_rows"] > splits["in_time"]


def flat(rows: int, copies: int = 0) -> pl.DataFrame:
    """One row a lead, without dates: some fields that tell a little, and one that most leave empty."""
    rng = np.random.default_rng(2)
    size, source = rng.lognormal(3, 1, rows).round(2), rng.choice(["web", "fair", "call"], rows)
    y = rng.random(rows) < 0.1 + 0.2 * (source == "call") + 0.1 * (size > 30)
    fax = np.where(rng.random(rows) < 0.1, "yes", "")
    visits = rng.gamma(2, 300, rows).round(1)
    frame = pl.DataFrame({"size": size, "source": source, "fax": fax, "seconds": visits, "converted": y})
    frame = pl.concat([frame, frame.head(copies)])
    return frame.select(pl.int_range(pl.len()).cast(pl.String).alias("lead_id"), pl.all())


def test_flat_data_pass_and_say_what_does_not_apply(tmp_path: Path) -> None:
    """Without dates there is no future to delete and no split in time; the other checks are made."""
    brought(tmp_path, {"leads": flat(800)})
    run(tmp_path, *BEFORE, "screen", *AFTER)
    assert {one["name"]: one["result"] for one in leaks(tmp_path)["checks"]} == {
        "features from what was known": "does not apply",
        "names from what was known": "does not apply",
        "single features": "passed",
        "duplicate leads across the split": "passed",
        "scores without the future": "does not apply",
        "target encodings": "passed",
        "labels shuffled within their month": "passed",
        "random split against split in time": "does not apply",
        "better than the base rate": "passed",
        "AUC of the test fold": "passed",
    }


def test_a_copied_row_of_a_flat_file_is_caught(tmp_path: Path) -> None:
    """Rows that are equal in two numbers that nobody else has are one lead, with or without a name."""
    brought(tmp_path, {"leads": flat(600, copies=12)})
    said = stopped(tmp_path, *BEFORE, "screen")
    assert "are there under more than one lead_id" in said
    rows = check(tmp_path, "duplicate leads across the split")["numbers"]["rows"]
    assert all(second - first == 600 for first, second in rows)


def test_outcomes_without_stages_pass(tmp_path: Path) -> None:
    """Dated leads with nothing but an outcome: features are rebuilt as for any dated data."""
    frame = flat(800).with_columns(
        created_at=pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(hours=7 * pl.int_range(pl.len()))
    )
    brought(tmp_path, {"leads": frame})
    run(tmp_path, *BEFORE, "screen", *AFTER)
    assert check(tmp_path, "features from what was known")["result"] == "passed"
    assert check(tmp_path, "scores without the future")["numbers"]["changed_changes"] == 0


def test_few_leads_say_nothing(tmp_path: Path) -> None:
    """With a handful of converting leads a telling column is no proof: a warning, and the run goes on."""
    told = flat(60).with_columns(converted=pl.int_range(pl.len()) % 9 == 0)
    brought(tmp_path, {"leads": told.with_columns(paid=pl.col("converted").cast(pl.Float64))})
    run(tmp_path, *BEFORE, "screen")
    assert "too few to tell a leak from luck" in check(tmp_path, "single features")["warnings"][0]


def x_education(folder: Path, exclude: bool) -> None:
    """The example's parameters, with or without what it excludes, and a model of a second."""
    params = yaml.safe_load((ROOT / "examples/x_education/params.yaml").read_text())
    params["source"]["path"] = str(X_EDUCATION)
    params["definition"]["exclude"] = params["definition"]["exclude"] if exclude else []
    params["train"] = {"least_converting": 2, "bags": 2, "max_rounds": 40, "threads": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


@needs_x_education
def test_x_education_as_it_is_stops_and_names_tags(tmp_path: Path) -> None:
    """What the caller wrote down after the call is named by its column."""
    x_education(tmp_path, exclude=False)
    lines = stopped(tmp_path, *BEFORE, "screen").splitlines()[1:]
    assert lines[0].startswith("- column 'Tags':")
    assert "definition.exclude: [Tags]" in lines[0]


@needs_x_education
def test_x_education_without_late_columns_passes(tmp_path: Path) -> None:
    """All that the example excludes is enough."""
    x_education(tmp_path, exclude=True)
    run(tmp_path, *BEFORE, "screen", *AFTER)
    assert leaks(tmp_path)["result"] == "passed"
