"""From rows to a model: nothing of the left-out accounts, nothing of the future."""

from dataclasses import replace

import numpy as np
import pytest

from features.arrays import DAY_US
from features.columns import Column
from features.kernel import Matrix
from models.judging import metrics
from models.learning import training
from models.learning.encoding import encode
from models.learning.training import MASKS, Masking, Rows, fit, thirds, validate
from models.newton import sigmoid
from models.trees.booster import Settings
from models.trees.model import Trees

SETTINGS = Settings(7, 8, 4, 0.1, 30, 10, 0.8, 0.9, 10, 0.1, 1.0, 1)
COLUMNS = (
    Column("fit_size", "fit", "lead", "numeric"),
    Column("fit_known_fields", "fit", "lead", "known_fields"),
    Column("engagement_n", "engagement", "events", "count"),
    Column("fit_c", "fit", "account", "categorical", categorical=True),
)
BLOCKS = ("lead", "account", "events")


def world(k: int = 3000) -> tuple[Rows, np.ndarray]:
    """Rows of leads of two, and when they were looked at."""
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(size=k), np.full(k, 2), rng.poisson(2, k), rng.integers(0, 50, k)]).astype(
        float
    )
    y = (rng.random(k) < 1 / (1 + np.exp(1 - values[:, 0]))).astype(float)
    matrix = Matrix(values, COLUMNS, {"fit_c": [f"c{i}" for i in range(50)]})
    lead = np.arange(k) // 2
    return Rows(matrix, y, lead, lead, lead % 3, rng.random(k)), rng.integers(0, 300, k) * DAY_US


def test_no_row_is_masked_where_no_block_is_there() -> None:
    """Masks of parts that training did not see are none; the same rows give the same text."""
    rows, _ = world()
    again, X = training._masked(
        rows,
        np.empty((len(rows.y), 5)),
        fit(rows, SETTINGS, masking=Masking(BLOCKS, 0.2)).encoding,
        Masking(("lead",), 0.5),
    )
    assert len(again) == len(X) == 0


def test_masked_rows_are_what_a_record_without_the_part_would_be() -> None:
    """The share asked for is added, by the hash alone; masked columns are NaN, the others the row's own."""
    rows, _ = world()
    model = fit(rows, SETTINGS, masking=Masking(BLOCKS, 0.2))
    X = np.random.default_rng(1).normal(size=(len(rows.y), len(model.encoding.columns)))
    again, masked = training._masked(rows, X, model.encoding, Masking(BLOCKS, 0.2))
    np.testing.assert_array_equal(again, np.flatnonzero(rows.hash < 0.2))
    masks = [m for m in MASKS if any(b in BLOCKS for b in m)]
    for row, x in zip(again, masked, strict=True):
        hidden = masks[int(rows.hash[row] / 0.2 * len(masks))]
        assert np.isnan(x[2]) == ("events" in hidden)
        assert np.isnan(x[3]) == ("account" in hidden)
        assert x[1] == (1 if "account" in hidden else 2), "known fields are counted again"
        own = [*rows.matrix.values[row, :3], X[row, 3]]  # of a text what the bag learns from, not the kernel's code
        assert all(x[j] == own[j] for j in (0, 2, 3) if not np.isnan(x[j]))


def told(rows: Rows, learn: np.ndarray, odds: np.ndarray, doubt: bool = False) -> float:
    """What rows not learned from gain by a model of the others, of what the exact log odds gain over the mean."""
    model = fit(rows, SETTINGS, learn, doubt=doubt)
    p = sigmoid(Trees(model.bag.text).scores(encode(model.encoding, rows.matrix)))
    return metrics.captured(sigmoid(odds)[~learn], p[~learn], np.full((~learn).sum(), rows.y[learn].mean()))


@pytest.mark.parametrize("levels", [30, 80, 400])
def test_texts_that_mean_nothing_take_little(levels: int) -> None:
    """Four columns of many levels, an account's or a lead's own, that have nothing to do with the outcome."""
    rng = np.random.default_rng(3)
    account = np.arange(12_000) // 6
    lead, size = np.arange(12_000) // 3, rng.normal(size=12_000)
    odds = 1.2 * size - 2.5 + rng.normal(size=2_000)[account] * 0.5
    own = [rng.integers(0, levels, 12_000)[a] for a in (account, account, lead, lead)]
    columns = (COLUMNS[0], *(Column(f"fit_{i}", "fit", "lead", "categorical", categorical=True) for i in range(4)))
    texts = {c.name: [f"t{i}" for i in range(levels)] for c in columns[1:]}
    matrix = Matrix(np.column_stack([size, *own]), columns, texts)
    y = (rng.random(12_000) < sigmoid(odds)).astype(float)
    rows = Rows(matrix, y, lead, account, account % 3, rng.random(12_000))
    learn = account < 1_400
    alone = replace(rows, matrix=Matrix(matrix.values[:, :1], columns[:1], {}))
    assert told(rows, learn, odds) > told(alone, learn, odds) - 0.05


def test_fields_that_mean_nothing_take_less_where_they_are_doubted() -> None:
    """Twenty numbers, an account's or a lead's own, beside one that tells: half of what they take is saved at least."""
    rng = np.random.default_rng(5)
    account, size = np.arange(6_000) // 6, rng.normal(size=6_000)
    odds = 0.8 * size - 2.5 + rng.normal(size=1_000)[account]
    own = [rng.normal(size=6_000)[a] for a in (account, np.arange(6_000) // 3) for _ in range(10)]
    columns = (COLUMNS[0], *(Column(f"fit_{i}", "fit", "lead", "numeric") for i in range(20)))
    matrix = Matrix(np.column_stack([size, *own]), columns, {})
    y = (rng.random(6_000) < sigmoid(odds)).astype(float)
    rows = Rows(matrix, y, np.arange(6_000) // 3, account, account % 3, rng.random(6_000))
    alone = replace(rows, matrix=Matrix(matrix.values[:, :1], columns[:1], {}))
    learn = account < 700
    best, doubted, believed = told(alone, learn, odds), told(rows, learn, odds, True), told(rows, learn, odds)
    assert best - doubted < (best - believed) / 2
    belief = fit(rows, SETTINGS, learn).belief
    assert belief["fit_size"] > 0.8
    assert np.mean([belief[f"fit_{i}"] for i in range(20)]) < 0.2
    assert fit(rows, SETTINGS, learn, doubt=False).belief == {}


def test_what_is_left_out_is_one_score_a_row() -> None:
    """Masked copies have no part in what the bag left out, nor in what calibration sees."""
    rows, _ = world()
    model = fit(rows, SETTINGS, masking=Masking(BLOCKS, 0.3))
    assert model.bag.left_out.shape == rows.y.shape
    assert np.isfinite(model.bag.left_out).all()


def test_validation_learns_from_what_was_known_before() -> None:
    """Outcomes that came after its beginning, but for those it is tried on, change no prediction."""
    rows, as_of = world()
    begin = int(np.quantile(as_of, 0.75))
    one = validate(rows, as_of, 30, SETTINGS, Masking(BLOCKS, 0.2))
    assert one is not None
    assert (as_of[one.row] >= begin).all()
    unknown = as_of + 30 * DAY_US > begin
    other = validate(replace(rows, y=np.where(unknown, 1 - rows.y, rows.y)), as_of, 30, SETTINGS, Masking(BLOCKS, 0.2))
    assert other is not None
    np.testing.assert_array_equal(one.raw, other.raw)


@pytest.mark.parametrize("members", [2, 5, 8])
def test_a_bag_of_three_leaves_out_thirds_of_whole_accounts(members: int) -> None:
    """Whatever the size of the bag proper, and in whatever order accounts are numbered."""
    rows, _ = world()
    account = rows.lead // 2 * 3  # numbers with gaps, in which a remainder would tell nothing apart
    few = thirds(replace(rows, group=account, fold=account % members))
    pairs = np.unique(np.stack([account, few.fold]), axis=1)
    assert len(pairs.T) == len(np.unique(account))
    assert np.ptp(np.bincount(pairs[1], minlength=3)) <= 1


def test_too_little_to_validate_is_none() -> None:
    """Without dates, or with a handful of converting leads, there is no validation."""
    rows, as_of = world()
    assert validate(rows, as_of * 0, 30, SETTINGS, Masking(BLOCKS, 0.2)) is None
    assert validate(replace(rows, y=rows.y * 0), as_of, 30, SETTINGS, Masking(BLOCKS, 0.2)) is None


def test_nothing_is_tried_where_no_account_can_be_left_out() -> None:
    """Leads of one account, or with outcomes known of but one, are no validation, and no crash."""
    rows, as_of = world()
    whole = replace(rows, group=np.zeros(len(rows.y), np.int64))
    assert validate(whole, as_of, 30, SETTINGS, Masking(BLOCKS, 0.2)) is None
    late = replace(rows, group=(as_of > np.quantile(as_of, 0.7)).astype(np.int64))
    assert validate(late, as_of, 30, SETTINGS, Masking(BLOCKS, 0.2)) is None


def test_nothing_is_written_to_what_was_given() -> None:
    """Rows taken whole are no copy, and stay as they were while a model learns from them."""
    rows, _ = world(600)
    given = rows.matrix.values.copy(), rows.y.copy()
    assert training.take(rows, np.ones(600, bool)) is rows
    fit(rows, SETTINGS, masking=Masking(BLOCKS, 0.2))
    np.testing.assert_array_equal(rows.matrix.values, given[0])
    np.testing.assert_array_equal(rows.y, given[1])
