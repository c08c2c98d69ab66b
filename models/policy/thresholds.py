"""The probability at or above which a lead qualifies, and the scale on which an old threshold keeps its meaning."""

import numpy as np

from features.arrays import Floats, Ints


def entering(before: Floats, best: Floats, threshold: Floats) -> Ints:
    """How many leads first reach each of the thresholds (t,) in a period.

    `best`: the highest probability of each lead in the period, shape (n,); `before`: that of earlier, -inf for none.
    """
    by_the_end = np.sort(np.maximum(before, best))
    return np.asarray(np.searchsorted(np.sort(before), threshold) - np.searchsorted(by_the_end, threshold))


def filling(before: Floats, best: Floats, volume: float) -> float:
    """The threshold that `volume` leads first reach in a period, or as many as there are; shapes as `entering`.

    Of leads that tie at it either all come in or none, and then there are fewer than `volume`. Raises ValueError
    where no lead can come in at all.
    """
    levels = np.unique(best[best > before])[::-1]
    if len(levels) == 0:
        raise ValueError("expected leads that can reach a threshold for the first time, got none")
    count = entering(before, best, levels)
    above = np.flatnonzero(count > volume)
    fit = count[: above[0]] if len(above) else count
    if len(fit) == 0 or fit.max() == 0:
        return float(np.nextafter(levels[0], np.inf))
    return float(levels[np.argmax(fit)])


def continuity(calibration: Floats, threshold: float, mark: int) -> tuple[float, ...]:
    """100 levels, as `policy.scale`, of a score that is at least `mark` just where p is at least `threshold`.

    Below and above it, scores spread evenly over the calibration probabilities (n,) of that side. `mark` in 1..100.
    """
    turn = float(np.nextafter(threshold, -np.inf))
    ordered = np.sort(calibration)
    below, above = ordered[ordered < threshold], ordered[ordered >= threshold]
    under = np.minimum(_spread(below, mark - 1, turn), turn)
    over = np.maximum(_spread(above, 100 - mark, turn), turn)
    return (*under.tolist(), turn, *over.tolist())


def _spread(ordered: Floats, steps: int, default: float) -> Floats:
    """`steps` levels that part some probabilities evenly; `default` where there are none."""
    if len(ordered) == 0:
        return np.full(steps, default)
    share = np.arange(1, steps + 1) / (steps + 1)
    return np.asarray(ordered[(share * len(ordered)).astype(np.int64)], dtype=np.float64)
