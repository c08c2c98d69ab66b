"""Several horizons: coherent whatever was learned, and learned only where there is something to learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.columns import Column
from features.kernel import Matrix
from models.learning import horizons
from models.learning.calibration import Calibration
from models.learning.horizons import Held, Link, column, fit_link, shares, shorter
from models.learning.training import Masking, Rows
from models.trees.booster import Settings

SETTINGS = Settings(7, 8, 4, 0.1, 60, 10, 0.8, 0.9, 10, 0.1, 1.0, 1)
COLUMNS = (Column("fit_haste", "fit", "lead", "numeric"), Column("fit_noise", "fit", "lead", "numeric"))


def world(leads: int, slope: float, seed: int = 0) -> Rows:
    """Converting examples, two a lead, in time with log odds slope × haste."""
    rng = np.random.default_rng(seed)
    lead = np.repeat(np.arange(leads), 2)
    values = rng.normal(size=(2 * leads, 2))
    y = (rng.random(2 * leads) < 1 / (1 + np.exp(-slope * values[:, 0]))).astype(float)
    return Rows(Matrix(values, COLUMNS, {}), y, lead, lead, lead % 3, rng.random(2 * leads))


def nothing_held() -> Held:
    """No calibrate fold."""
    return Held(Matrix(np.empty((0, 2)), COLUMNS, {}), np.empty(0), np.empty(0, np.int64))


def learned(leads: int, slope: float, days: float = 30) -> Link:
    """The link that such examples give."""
    rows = world(leads, slope)
    return fit_link(days, 2 * days, rows, nothing_held(), SETTINGS, Masking(("lead",)))


@pytest.fixture(scope="module")
def hasty() -> Link:
    """A link with a booster."""
    return learned(300, 2.0)


@given(
    st.lists(st.floats(0, 1, exclude_min=True, exclude_max=True), min_size=1, max_size=5),
    st.lists(st.floats(-50, 50), min_size=1, max_size=4),
)
def test_no_probability_falls_with_the_horizon(longest: list[float], odds: list[float]) -> None:
    """Whatever the links say, however extreme, in every row; and the days rise."""
    links = [Link(i + 1, i + 2, 0.5, Calibration("intercept", (a,))) for i, a in enumerate(odds)]
    p = np.array(longest)
    found = shorter(links, p, Matrix(np.empty((len(p), 0)), (), {}))
    assert list(found) == sorted(found)
    rising = np.array([*found.values(), p])
    assert (np.diff(rising, axis=0) >= 0).all()
    assert (rising >= 0).all()


def test_a_share_is_learned_where_there_is_something_to_learn(hasty: Link) -> None:
    """The booster follows what makes conversions come soon, out of sample, and is not far from the truth."""
    rows = world(2000, 2.0, seed=1)
    assert hasty.text is not None
    q = shares(hasty, rows.matrix)
    truth = 1 / (1 + np.exp(-2 * rows.matrix.values[:, 0]))
    assert np.corrcoef(q, truth)[0, 1] > 0.9
    assert abs(q.mean() - rows.y.mean()) < 0.05


@pytest.mark.parametrize(("leads", "slope"), [(300, 0.0), (150, 2.0)], ids=["no signal", "few leads"])
def test_else_the_share_is_one_for_all(leads: int, slope: float) -> None:
    """No model where nothing tells the examples apart, nor of fewer leads than it takes."""
    link, rows = learned(leads, slope), world(leads, slope)
    assert link.text is None
    np.testing.assert_allclose(shares(link, rows.matrix), (rows.y.sum() + 0.5) / (len(rows.y) + 1))


@pytest.mark.parametrize("y", [[], [1.0] * 40, [0.0] * 40])
def test_a_share_is_never_0_or_1(y: list[float]) -> None:
    """Nor undefined where no example is left."""
    rows = world(20, 0.0)
    cut = len(y)
    matrix = replace(rows.matrix, values=rows.matrix.values[:cut])
    rows = Rows(matrix, np.array(y), rows.lead[:cut], rows.group[:cut], rows.fold[:cut], rows.hash[:cut])
    link = fit_link(1, 2, rows, nothing_held(), SETTINGS, Masking(("lead",)))
    assert 0 < link.share < 1


def test_a_link_comes_back_from_its_text(hasty: Link) -> None:
    """To the last bit; half a link is refused."""
    rows = world(50, 2.0, seed=2)
    again = Link.of_json(hasty.to_json(), hasty.text)
    np.testing.assert_array_equal(shares(again, rows.matrix), shares(hasty, rows.matrix))
    with pytest.raises(ValueError, match="both an encoding and a model"):
        Link.of_json(hasty.to_json(), None)


def test_a_row_has_the_same_bits_alone(hasty: Link) -> None:
    """As in a batch, for it is served alone."""
    rows = world(20, 2.0, seed=3)
    p = np.full(40, 0.3)
    whole = shorter([hasty], p, rows.matrix)[hasty.days]
    alone = [
        shorter([hasty], p[i : i + 1], replace(rows.matrix, values=rows.matrix.values[i : i + 1]))[hasty.days][0]
        for i in range(40)
    ]
    np.testing.assert_array_equal(whole, alone)


def test_columns_are_named_by_days() -> None:
    """Whole days without a point, and no two alike."""
    assert column(30.0) == "probability_30d"
    assert column(2.5) == "probability_2.5d"
    assert column(1.0000001) != column(1.0000002)


def test_a_gain_within_a_standard_error_is_none() -> None:
    """Two accounts that gain and one that loses half as much are luck; two hundred that gain a little are not."""
    y = np.tile([1.0, 0.0], 100)
    lucky = np.zeros(200)
    lucky[[0, 2, 4]] = 1.0, 1.0, -1.0
    assert not horizons._better(y, lucky, np.arange(200))
    assert horizons._better(y, np.where(y > 0, 0.2, -0.2), np.arange(200))
