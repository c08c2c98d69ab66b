"""How good probabilities are. A metric that the data leave undefined is None, so that JSON can hold it.

y (n,) are labels 0 or 1, p (n,) probabilities in [0, 1].
"""

import numpy as np

from features.arrays import Floats
from models import newton
from models.judging.ranking import auc, average_precision, precision_among, ranking, taken
from models.judging.smooth_ece import smooth_ece, smooth_ece_null

EPSILON = float(np.finfo(np.float64).eps)
"""Inside logarithms only, p is kept this far from 0 and 1 (2.2e-16, as scikit-learn does)."""
BEST = 0.1
LEAST_EXPECTED = 1e-12

Scores = dict[str, float | None]
NAMES = (
    "auc",
    "log_loss",
    "brier",
    "average_precision",
    "observed_over_expected",
    "calibration_slope",
    "calibration_intercept",
    "smooth_ece",
    "smooth_ece_null_p95",
    "precision_at_10pct",
    "lift_at_10pct",
    "base_rate",
    "n",
    "positives",
)


def scores(y: Floats, p: Floats, seed: int = 0, null_draws: int = 200) -> Scores:
    """Every metric of the contract. `seed` and `null_draws` are those of the smooth ECE's null.

    Raises ValueError where a label is not 0 or 1 or a probability is outside [0, 1].
    """
    check(y, p)
    if len(y) == 0:
        return dict.fromkeys(NAMES) | {"n": 0, "positives": 0}
    found = {
        **ordering(y, p),
        "log_loss": log_loss(y, p),
        "brier": brier(y, p),
        "observed_over_expected": observed_over_expected(y, p),
        "calibration_slope": calibration_slope(y, p),
        "calibration_intercept": calibration_intercept(y, p),
        "smooth_ece": smooth_ece(y, p),
        "smooth_ece_null_p95": smooth_ece_null(p, seed, null_draws),
        "base_rate": float(y.mean()),
    }
    return {name: known(found[name]) for name in NAMES[:-2]} | {"n": len(y), "positives": int(y.sum())}


def known(value: float) -> float | None:
    """None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None


def check(y: Floats, p: Floats) -> None:
    """Raise ValueError that names the first bad row."""
    if y.shape != p.shape or y.ndim != 1:
        raise ValueError(f"expected labels and probabilities of one length, got {y.shape} and {p.shape}")
    for bad, what in ((~((y == 0) | (y == 1)), "label 0 or 1"), (~((p >= 0) & (p <= 1)), "p in [0, 1]")):
        row = np.flatnonzero(bad)
        if row.size:
            values = y if what.startswith("label") else p
            raise ValueError(f"row {row[0]}: expected {what}, got {values[row[0]]} ({row.size} of {y.size})")


def ordering(y: Floats, p: Floats) -> dict[str, float]:
    """The metrics that only the order decides; NaN where a class is missing."""
    sums = taken(ranking(y, p))
    precision, base = precision_among(sums, BEST), y.mean()
    return {
        "auc": auc(sums),
        "average_precision": average_precision(sums),
        "precision_at_10pct": precision,
        "lift_at_10pct": precision / base if base > 0 else np.nan,
    }


def log_loss(truth: Floats, p: Floats) -> float:
    """Mean of `log_losses`."""
    return float(log_losses(truth, p).mean())


def log_losses(truth: Floats, p: Floats) -> Floats:
    """−log of the probability given to what happened, in nats, shape (n,).

    `truth` (n,): labels; or exact probabilities, for what labels drawn with them cost on average.
    """
    q = np.clip(p, EPSILON, 1 - EPSILON)
    return np.asarray(-(truth * np.log(q) + (1 - truth) * np.log1p(-q)), dtype=np.float64)


def brier(y: Floats, p: Floats) -> float:
    """Mean squared difference of label and probability."""
    return float(((y - p) ** 2).mean())


def observed_over_expected(y: Floats, p: Floats) -> float:
    """Conversions over the sum of probabilities; NaN where that sum is (all but) 0."""
    return over(float(y.sum()), float(p.sum()))


def over(observed: float, expected: float) -> float:
    """Their ratio; NaN where nothing was expected, or so little that the ratio is no number."""
    return observed / expected if expected > LEAST_EXPECTED else np.nan


def calibration_intercept(y: Floats, p: Floats) -> float:
    """Calibration in the large: the a that fits log odds a + logit(p). 0 is right, above 0 p is too low.

    Van Calster et al. 2016, "A calibration hierarchy for risk models". NaN where a class is missing.
    """
    b = newton.fit([np.ones(len(y))], y, logit(p))
    return np.nan if b is None else float(b[0])


def calibration_slope(y: Floats, p: Floats) -> float:
    """The b that fits log odds a + b logit(p). 1 is right; below 1 the p are too extreme.

    Van Calster et al. 2016. NaN where p is constant, a class is missing or p separates the classes.
    """
    b = newton.fit([np.ones(len(y)), logit(p)], y)
    return np.nan if b is None else float(b[1])


def logit(p: Floats) -> Floats:
    """log(p / (1 − p)), with p kept EPSILON from 0 and 1 (±36)."""
    q = np.clip(p, EPSILON, 1 - EPSILON)
    return np.asarray(np.log(q) - np.log1p(-q), dtype=np.float64)


def captured(truth: Floats, p: Floats, base: float | Floats) -> float | None:
    """Share of the attainable improvement in expected log loss that p makes, 0 at `base` and 1 at the truth.

    `truth` (n,): exact probabilities given all that was observable; `base`: the base rate that train knew.
    None where the truth is no better than the base rate.
    """
    worst = log_loss(truth, np.broadcast_to(np.asarray(base, dtype=np.float64), truth.shape))
    attainable = worst - log_loss(truth, truth)
    return (worst - log_loss(truth, p)) / attainable if attainable > 0 else None
