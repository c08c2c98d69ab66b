"""What the model is held against, on the same folds: base rate, logistic regression, naive Bayes."""

from dataclasses import replace

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix
from features.masking import ATTRIBUTES
from models import calibration
from models.bayes import bins, fit_bayes, quantile_edges
from models.encoding import encode, fit_encoding
from models.logistic import fit_logistic

BASELINES = ("base_rate", "logistic", "naive_bayes")


def baselines(
    matrix: Matrix, y: Floats, lead: Ints, group: Ints, train: Bools, calibrate: Bools, seed: int
) -> dict[str, Floats]:
    """Probabilities of every row by baseline, shape (k,). y is NaN where unknown; learned from train alone.

    The logistic regression is calibrated on the calibrate fold just as the model is; the others are used as
    their makers use them. The base rate is that of all rows known when the test began.
    """
    known = train | calibrate
    return {
        "base_rate": np.full(len(y), _rate(y[known])),
        "logistic": _logistic(matrix, y, lead, group, train, calibrate, seed),
        "naive_bayes": _naive_bayes(matrix, y, train),
    }


def _rate(y: Floats) -> float:
    return float((y.sum() + 0.5) / (len(y) + 1))


def _logistic(matrix: Matrix, y: Floats, lead: Ints, group: Ints, train: Bools, calibrate: Bools, seed: int) -> Floats:
    encoding = fit_encoding(replace(matrix, values=matrix.values[train]), y[train], lead[train])
    n = len(encoding.columns)
    X = encode(encoding, matrix)[:, :n]
    fitted = fit_logistic(X[train], encoding.columns, encoding.categorical, y[train], group[train], seed)
    raw = fitted.log_odds(X)
    chosen = calibration.Calibration("none")
    if calibrate.any():
        chosen, _ = calibration.choose(y[calibrate], raw[calibrate], group[calibrate], seed)
    return calibration.apply(chosen, raw)


def _naive_bayes(matrix: Matrix, y: Floats, train: Bools) -> Floats:
    """Frequencies by field: attributes and the stage, numbers in tenths of train."""
    fields = [j for j, c in enumerate(matrix.columns) if c.measure in (*ATTRIBUTES, "stage")]
    codes = np.full((len(y), len(fields)), -1, np.int64)
    for i, j in enumerate(fields):
        x = matrix.values[:, j]
        if matrix.columns[j].categorical:
            codes[:, i] = np.where(np.isnan(x), -1, x).astype(np.int64)
        else:
            codes[:, i] = bins(x, quantile_edges(x[train]))
    raw = fit_bayes(codes[train], y[train]).log_odds(codes)
    return calibration.apply(calibration.Calibration("none"), raw)
