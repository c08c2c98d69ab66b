"""What is learned from is what was known when the test began, however late a record reached us."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from validating import NOW, SOURCE, raw

from features.arrays import DAY_US
from features.kernel import Matrix
from pipeline.assembly.data import Data, as_known, known
from pipeline.assembly.values import instants
from pipeline.outcomes.labelled import label
from pipeline.params import Definition, Split
from pipeline.reading.checked import check

DAY0 = datetime(2024, 1, 1, tzinfo=UTC)
DEFINITION = Definition.model_validate({"conversion": {"event": "buy", "within_days": 30}})


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """A lead a day, of which every other buys within eighty days; the record of a third comes up to a year later."""
    rng = np.random.default_rng(1)
    leads, events = [], []
    for i in range(300):
        leads.append({"lead_id": str(i), "created_at": (DAY0 + timedelta(days=i)).isoformat()})
        bought = DAY0 + timedelta(days=i + float(rng.uniform(0.1, 80)))
        late = bought + timedelta(days=float(rng.uniform(0, 365)) if i % 6 == 0 else 0)
        if i % 2 == 0:
            when = {"occurred_at": bought.isoformat(), "available_at": late.isoformat()}
            events.append({"lead_id": str(i), "type": "buy", **when})
    return check(raw(leads=leads, events=events), SOURCE, DEFINITION, None, NOW).tables


def mature(tables: dict[str, pl.DataFrame], until: datetime) -> Data:
    """The mature examples by what was known at an instant, without features."""
    found = label(tables, "dated", until, DEFINITION, Split()).filter("mature")
    lead = found["lead_id"].rank("dense").to_numpy().astype(np.int64)
    none = Matrix(np.empty((len(found), 0)), (), {})
    y, fold = found["label"].to_numpy().astype(np.float64), found["fold"].to_numpy()
    return Data(found, none, y, instants(found), fold, lead, lead, found["lead_id"].to_list())


def test_labels_are_those_that_one_would_have_had_then(tables: dict[str, pl.DataFrame]) -> None:
    """Of all examples whose horizon was over when the test began, the labels of tables that end there, though some were
    mended by what came since."""
    data = mature(tables, DAY0 + timedelta(days=700))
    begin = data.begin_of_test
    then, cut = (
        as_known(data, begin),
        mature(tables, DAY0 + timedelta(microseconds=begin - int(DAY0.timestamp() * 1e6))),
    )
    rows = known(data.fold, data.as_of, 30)
    keys = ["lead_id", "as_of"]
    both = data.examples.filter(rows).select(keys).join(cut.examples, on=keys, how="left", maintain_order="left")
    assert both["label"].null_count() == 0
    assert (then.y[rows] == both["label"].to_numpy()).all()
    assert (data.y[rows] != then.y[rows]).any()
    for name in ("days_to_conversion", "days_to_record"):
        assert then.examples.filter(rows)[name].equals(both[name])


def test_what_was_known_at_once_stays(tables: dict[str, pl.DataFrame]) -> None:
    """By the last record everything is known; without days to it nothing changes."""
    data = mature(tables, DAY0 + timedelta(days=700))
    last = as_known(data, int(data.as_of.max()) + 1000 * DAY_US)
    assert (last.y == data.y).all()
    assert last.examples.equals(data.examples)
    nobody = data.examples.with_columns(days_to_record=pl.lit(None, pl.Float64))
    bare = Data(nobody, data.matrix, data.y, data.as_of, data.fold, data.lead, data.group, data.groups)
    assert (as_known(bare, 0).y == data.y).all()
