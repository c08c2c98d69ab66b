"""Scores, grades, routes and values of probabilities."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy.policy import Policy, scale
from models.policy.routing import Routing, Rule
from models.policy.values import Values, segment_values

GRADES = (("A", 4.0), ("B", 2.0), ("C", 1.0), ("D", 0.5))
ROUTING = Routing((Rule("call", 2.0), Rule("wait", 0.0)), 0.8, None, ())


def policy(calibration: list[float], base_rate: float = 0.1) -> Policy:
    """A policy of some calibration probabilities."""
    return Policy(scale(np.array(calibration)), base_rate, GRADES, "E", ROUTING, Values(None, {}, None))


probabilities = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]))


@given(st.lists(probabilities, min_size=1, max_size=260), st.lists(probabilities, min_size=1, max_size=20))
@settings(max_examples=150)
def test_the_score_is_the_share_of_lower_ones(calibration: list[float], asked: list[float]) -> None:
    """round(100 × share of calibration examples with a lower probability), ties and tiny sets too."""
    p = np.array([*asked, *calibration[:20]])
    found = policy(calibration).score(p)
    expected = [round(Fraction(100 * sum(c < q for c in calibration), len(calibration))) for q in p.tolist()]
    assert found.tolist() == expected
    assert found.dtype == np.int64


@pytest.mark.parametrize(("n", "score"), [(1, 0), (2, 50), (3, 67), (200, 100)])
def test_the_best_of_few_scores_its_share(n: int, score: int) -> None:
    """The highest of n calibration examples scores round(100 · (n - 1) / n)."""
    assert policy(np.linspace(0.1, 0.9, n).tolist()).score(np.array([0.9 if n > 1 else 0.1]))[0] == score


@given(st.lists(probabilities, min_size=2, max_size=40), st.floats(0.001, 0.9))
def test_grades_never_fall_as_the_probability_rises(p: list[float], base: float) -> None:
    """Grade and score are monotone, and a grade begins at its lift."""
    made = policy(p, base)
    ordered = np.sort(np.array(p))
    grades = made.grade(ordered)
    assert grades == sorted(grades, reverse=True)
    assert (np.diff(made.score(ordered)) >= 0).all()
    for grade, q in zip(grades, ordered.tolist(), strict=True):
        assert grade == next((g for g, lift in GRADES if q >= lift * base), "E")


def test_a_policy_survives_json() -> None:
    """To plain types and back is the same policy."""
    made = Policy(scale(np.array([0.1, 0.2])), 0.1, GRADES, "E", ROUTING, Values("fit_x", {"a": 1.5}, 2.0))
    assert Policy.of_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_value_is_the_leads_own_then_its_segments_then_the_mean() -> None:
    """And it says which; without any amounts there is none."""
    values = Values("fit_industry", {"it": 900.0}, 500.0)
    made = Policy((0.5,) * 100, 0.1, GRADES, "E", ROUTING, values)
    assert made.values.of(100.0, "it") == (100.0, "lead")
    assert made.values.of(0.0, "it") == (0.0, "lead")
    assert made.values.of(None, "it") == (900.0, "industry")
    assert made.values.of(float("nan"), "food") == (500.0, "overall")
    assert made.values.of(None, None) == (500.0, "overall")
    assert policy([0.5]).values.of(None, "it") == (None, None)


def test_segments_are_shrunk_means_of_the_column_that_tells_deals_apart() -> None:
    """(sum + 20 · mean) / (n + 20) by the column that predicts left-out deals; noise is not chosen."""
    rng = np.random.default_rng(0)
    industry = rng.choice(["it", "food", None], 300).tolist()
    noise = rng.choice(list("abc"), 300).tolist()
    amounts = np.array([{"it": 900.0, "food": 100.0, None: 500.0}[i] for i in industry]) + rng.normal(0, 5, 300)
    found = segment_values(amounts, {"fit_noise": noise, "fit_industry": industry})
    assert found.column == "fit_industry"
    mine = amounts[[i == "it" for i in industry]]
    assert found.by_segment["it"] == pytest.approx((mine.sum() + 20 * amounts.mean()) / (len(mine) + 20))
    assert set(found.by_segment) == {"it", "food"}
    assert segment_values(amounts, {"fit_noise": noise}).column is None
    assert segment_values(np.array([]), {"fit_noise": []}) == Values(None, {}, None)
    assert segment_values(np.array([7.0]), {"fit_x": ["a"]}).overall == 7


@pytest.mark.parametrize("deals", [5, 10, 20, 40])
@pytest.mark.parametrize("columns", [1, 6])
def test_a_column_that_means_nothing_is_seldom_a_segment(deals: int, columns: int) -> None:
    """Of companies whose deals differ by chance alone about one in twenty has a segment, however many columns."""
    rng, companies = np.random.default_rng(deals), 100
    chosen = [
        segment_values(
            rng.lognormal(9, 1, deals), {f"fit_{i}": rng.choice(list("abc"), deals).tolist() for i in range(columns)}
        ).column
        for _ in range(companies)
    ]
    assert sum(column is not None for column in chosen) <= 12  # binomial of 100 and 0.05: more in 1 of 800


def test_a_segment_that_doubles_values_is_found_among_sixty_deals() -> None:
    """Beside five columns that mean nothing."""
    rng, found = np.random.default_rng(0), []
    for _ in range(20):
        size = rng.choice(["small", "large"], 60)
        amounts = np.where(size == "large", 2.0, 1.0) * rng.lognormal(9, 0.4, 60)
        noise = {f"fit_{i}": rng.choice(list("abcd"), 60).tolist() for i in range(5)}
        found.append(segment_values(amounts, {**noise, "fit_size": size.tolist()}).column)
    assert found.count("fit_size") >= 18
