"""How examples are parted for the diagnosis of the calibration."""

from pathlib import Path

import numpy as np
import polars as pl

from features.columns import Column
from features.kernel import Matrix
from pipeline import stage
from pipeline.judging.rare import MISSING, OTHER, gathered, ordered
from pipeline.judging.slices import MOST, ages, fit_column, texts_of


def test_rare_values_are_merged_and_counted() -> None:
    """The most frequent stand alone, the others together and last, and no row is lost."""
    texts = pl.Series("t", [f"v{i:02}" for i in range(20) for _ in range(20 - i)])
    found, merged = gathered(texts, MOST)
    names = ordered(found, in_order=False)
    assert merged == 20 - MOST
    assert list(names) == [*(f"v{i:02}" for i in range(MOST)), OTHER]
    assert len(found) == len(texts)
    few = texts.filter(texts < "v05")
    same, none = gathered(few, MOST)
    assert same.equals(few)
    assert none == 0


def test_ages_sort_as_they_grow() -> None:
    """Few ages stand by themselves, many in ranges; either way the texts' order is theirs."""
    for days in (pl.Series([0.0, 1, 14, 90, 7]), pl.Series(np.linspace(0, 900, 200))):
        texts = ages(days)
        order = pl.DataFrame({"days": days, "text": texts}).sort("days")["text"]
        assert order.is_sorted()
    assert ages(pl.Series([1.0, 7.0])).to_list() == ["1 day", "7 days"]
    assert ages(pl.Series(range(31)))[[0, 6, 7, 29, 30]].str.strip_chars().to_list() == [
        "0 to 7 days", "0 to 7 days", "7 to 30 days", "7 to 30 days", "30 to 90 days",
    ]  # fmt: skip


def test_the_segment_is_the_fit_text_known_most() -> None:
    """Never the source; missing values are a slice of their own."""
    names = ("fit_source", "fit_country", "fit_industry")
    columns = (*(Column(n, "fit", "lead", "categorical", categorical=True) for n in names),
               Column("fit_size", "fit", "lead", "numeric"))  # fmt: skip
    values = np.array([[0, np.nan, 1, 3], [0, 0, 0, 3.0]])
    matrix = Matrix(values, columns, {n: ["x", "y"] for n in names})
    assert fit_column(matrix, "fit_source") == "fit_industry"
    assert texts_of(matrix, "fit_country").to_list() == [MISSING, "x"]


def test_the_run_holds_the_diagnosis(finished_run: Path) -> None:
    """Every slicing counts each test example once; months and ages are in their order, sources by how many they are."""
    found = stage.read_json(finished_run / "reports/calibration.json")
    n = stage.read_json(finished_run / "reports/metrics.json")["test"]["n"]
    assert set(found["by"]) == {"month", "age", "source", "segment"}
    assert all(sum(row["n"] for row in slicing["slices"]) == n for slicing in found["by"].values())
    names = {by: [row["name"] for row in slicing["slices"]] for by, slicing in found["by"].items()}
    assert all(names[by] == sorted(names[by]) for by in ("month", "age"))
    sizes = [row["n"] for row in found["by"]["source"]["slices"] if row["name"] != OTHER]
    assert sizes == sorted(sizes, reverse=True)
    assert {"calibration_slope", "calibration_intercept", "observed_over_expected"} <= set(found["test"])
