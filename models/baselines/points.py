"""Points are no probabilities: what they predict once they are fitted to what was known when the test began."""

import numpy as np

from features.arrays import Bools, Floats
from models import newton
from models.judging.rates import smoothed
from models.learning.calibration import probability


def probabilities(points: Floats, y: Floats, known: Bools) -> Floats:
    """A logistic curve of the points, fitted by likelihood to the rows `known`; shapes (k,), y NaN where unknown.

    The base rate for all where more points did not mean more conversions: the order is judged on the points
    themselves. Isotonic regression would need 10,000 rows, and it makes ties of unequal leads.
    """
    scale = float(np.abs(points[known]).max(initial=0.0)) or 1.0
    x = points / scale
    found = newton.fit([np.ones(int(known.sum())), x[known]], y[known])
    if found is None or found[1] <= 0:
        return np.full(len(points), smoothed(float(y[known].sum()), int(known.sum())))
    return probability(found[0] + found[1] * x)
