"""Baselines that look at nothing, for runs in which they would only take time."""

from typing import Any

import numpy as np

from models.baselines.bayes import Bayes
from models.baselines.fitted import Analyst, Baselines, Crm
from models.baselines.logistic import Logistic
from models.learning.encoding import Encoding


def blind(matrix: Any, y: Any, *_: Any) -> Baselines:
    """Baselines that look at no feature."""
    rate = float(np.nanmean(y))
    odds = np.log(rate / (1 - rate))
    none = Logistic((), (), {}, 1.0, odds - 0.1, np.zeros(1), ("nothing",))
    coded = Encoding(tuple(column.name for column in matrix.columns), {})
    return Baselines(rate, Analyst(coded, none), Crm((), Bayes(odds + 0.1, ())))
