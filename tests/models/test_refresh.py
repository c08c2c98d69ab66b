"""The intercept refresh: finds a shift that there is, none where there is none, and looks at nothing later."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.learning import calibration
from models.learning.calibration import KINDS, Calibration
from models.learning.refresh import SURE, Recent, Timing, fit, fit_timing, shifted, shrunk

TIMING = Timing(np.array([0.0, 10.0, 30.0, 90.0]), np.array([0.0, 0.3, 0.6, 1.0]))
WINDOW = 30


def world(shift: float, seed: int, leads: int = 6000, since: float = 90) -> Recent:
    """Leads as of when the test begins; in the last `since` days they convert as if log odds were higher by `shift`.

    Two examples a lead, one at its creation and one some days later, where it is open then.
    """
    rng = np.random.default_rng(seed)
    age, z = rng.uniform(0, 90, leads), rng.normal(-2, 1, leads)
    p0, p1 = (1 / (1 + np.exp(-z - a)) for a in (0, shift))
    begun = TIMING.at(np.maximum(age - since, 0))  # converted before the shift: as the model has it
    early = rng.random(leads) < p0 * begun
    rest = p1 * (1 - begun) / (1 - p1 * begun)
    u = np.where(early, rng.random(leads) * begun, begun + rng.random(leads) * (1 - begun))
    came = early | (rng.random(leads) < rest)
    days = np.where(came, np.interp(u, TIMING.share, TIMING.days), np.nan)
    lead = np.arange(leads)
    return Recent(z, age, days, lead, lead // 2)


@given(st.sampled_from([-1.0, -0.7, 0.7, 1.0]), st.sampled_from([30.0, 90.0]), st.integers(0, 2**32))
@settings(max_examples=25)
def test_a_shift_is_found_within_its_error(shift: float, since: float, seed: int) -> None:
    """Within 5 standard errors, also where it came no longer ago than the window; shrunk, never past the estimate."""
    found = fit(world(shift, seed, since=since), TIMING, WINDOW)
    assert found.standard_error is not None
    assert abs(found.estimate - shift) < 5 * found.standard_error
    assert found.standard_error < 0.2
    assert abs(found.shift) <= abs(found.estimate)
    assert found.shift * shift > 0


@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_without_a_shift_there_is_next_to_none(seed: int) -> None:
    """The estimate is within its error; what is kept of it is all but nothing."""
    found = fit(world(0.0, seed), TIMING, WINDOW)
    assert found.standard_error is not None
    assert abs(found.estimate) < 5 * found.standard_error
    assert abs(found.shift) <= max(0, abs(found.estimate) - SURE * SURE * found.standard_error / 5)
    assert found.observed == pytest.approx(found.expected, rel=0.35)


def test_standard_errors_are_what_they_say() -> None:
    """Over 60 worlds without a shift the estimates spread by as much; most are kept as no shift at all."""
    found = [fit(world(0.0, seed, 3000), TIMING, WINDOW) for seed in range(60)]
    scaled = [f.estimate / (f.standard_error or np.nan) for f in found]
    assert 0.75 < np.std(scaled) < 1.3
    assert np.mean([f.shift == 0 for f in found]) > 0.85


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_what_came_later_changes_nothing(seed: int) -> None:
    """A conversion after the instant is none yet: planted ones leave every figure as it is."""
    recent, rng = world(0.3, seed, 1000), np.random.default_rng(seed)
    open_ = ~(recent.days_to_record <= recent.age_days)
    later = np.where(rng.random(1000) < 0.5, recent.age_days + rng.uniform(1e-6, 500, 1000), np.nan)
    planted = replace(recent, days_to_record=np.where(open_, later, recent.days_to_record))
    assert fit(planted, TIMING, WINDOW) == fit(recent, TIMING, WINDOW)


def test_more_examples_of_a_lead_are_no_more_evidence() -> None:
    """Every example ten times: the same shift and error, and the same number of leads."""
    recent = world(-0.7, 3)
    ten = Recent(*(np.repeat(getattr(recent, name), 10) for name in Recent.__dataclass_fields__))
    once, often = fit(recent, TIMING, WINDOW), fit(ten, TIMING, WINDOW)
    for name in ("shift", "standard_error", "observed", "expected", "converted"):
        assert getattr(often, name) == pytest.approx(getattr(once, name), rel=1e-6)


def test_few_conversions_say_nothing() -> None:
    """A handful of converting leads, or no example at all: no shift, and no number that is none."""
    for leads in (0, 40):
        found = fit(world(2.0, 0, leads), TIMING, WINDOW)
        assert found.shift == found.estimate == 0
        assert None not in (found.observed, found.expected)
        assert found.standard_error is None


def test_an_estimate_within_its_error_is_none() -> None:
    """Nothing up to SURE standard errors, nearly all of a large one, continuous between."""
    assert shrunk(0.0, 0.1) == shrunk(0.1 * SURE, 0.1) == 0
    assert 0 < shrunk(0.1 * SURE + 1e-6, 0.1) < 1e-4
    assert shrunk(-2.0, 0.1) == pytest.approx(-2.0, rel=0.02)


def test_log_odds_that_are_all_but_certain_are_numbers() -> None:
    """A few rows of log odds far beyond what p can tell from 0 or 1 leave the shift of the others as it was."""
    recent = world(0.7, 1)
    odds = recent.log_odds.copy()
    odds[:8] = [40, -40, 800, -800, 40, 800, 36, -36]
    age, days = recent.age_days.copy(), recent.days_to_record.copy()
    age[:8], days[:8] = 90, [85, np.nan, 85, np.nan, 85, 85, 85, np.nan]
    usual, extreme = fit(recent, TIMING, WINDOW), fit(replace(recent, log_odds=odds, age_days=age, days_to_record=days),
                                                      TIMING, WINDOW)  # fmt: skip
    assert not extreme.held
    assert extreme.estimate == pytest.approx(usual.estimate, abs=0.05)
    assert extreme.standard_error == pytest.approx(usual.standard_error, rel=0.1)
    assert np.isfinite([extreme.observed, extreme.expected]).all()


def test_the_slope_is_that_of_the_likelihood() -> None:
    """At the estimate no other shift is likelier, by the likelihood as the module's text has it."""
    recent = world(0.5, 2)
    begin = np.maximum(recent.age_days - WINDOW, 0)
    keep = ~(recent.days_to_record <= begin) & (recent.age_days > 0)
    s0, s1 = TIMING.at(begin[keep]), TIMING.at(recent.age_days[keep])
    came = recent.days_to_record[keep] <= recent.age_days[keep]

    def likelihood(a: float) -> float:
        p = 1 / (1 + np.exp(-recent.log_odds[keep] - a))
        return float(np.log(np.where(came, p * (s1 - s0), 1 - p * s1) / (1 - p * s0)).sum())

    found = fit(recent, TIMING, WINDOW).estimate
    assert likelihood(found) > max(likelihood(found - 0.01), likelihood(found + 0.01))


def test_a_shift_beyond_the_bound_is_held_and_says_so() -> None:
    """What was found is the bound, not a root."""
    recent = world(0.0, 5)
    assert fit(replace(recent, log_odds=recent.log_odds - 4), TIMING, WINDOW).held
    assert not fit(recent, TIMING, WINDOW).held


def test_timing_counts_a_lead_once() -> None:
    """The share of leads that have converted by then, 0 at first and 1 at last."""
    timing = fit_timing(np.array([5.0, 1.0, 2.0, 60.0]), np.array([0, 1, 1, 2]))
    np.testing.assert_allclose(timing.at(np.array([0, 2, 5, 60, 90])), [0, 1 / 3, 2 / 3, 1, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_shifted_calibration_is_one(kind: str) -> None:
    """Of a kind that is known already, so that serving learns nothing new; log odds are higher by the shift."""
    given_ = Calibration(kind, (0.1, 0.9, 1.2)[: KINDS.index(kind)])
    raw = np.linspace(-5, 5, 11)
    moved = Calibration.of_json(shifted(given_, -0.7).to_json())
    np.testing.assert_allclose(calibration.log_odds(moved, raw), calibration.log_odds(given_, raw) - 0.7)
    assert shifted(given_, 0.0) == given_


def test_who_had_converted_when_the_window_began_is_not_in_it() -> None:
    """A record of that very instant was known then: the lead was no longer open, and its conversion is no news."""
    n, begin = 40, 60.0 - WINDOW
    recent = Recent(np.zeros(n), np.full(n, 60.0), np.full(n, begin), np.arange(n), np.arange(n))
    found = fit(recent, TIMING, WINDOW)
    assert (found.converted, found.observed, found.expected) == (0, 0.0, 0.0)
    late = fit(replace(recent, days_to_record=np.full(n, begin + 1e-6)), TIMING, WINDOW)
    assert (late.converted, late.observed) == (n, n)
