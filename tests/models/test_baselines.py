"""What the model is held against learns from train alone."""

import json
from dataclasses import replace

import numpy as np
import pytest

from features.columns import Column
from features.kernel import Matrix
from models.baselines.fitted import Baselines, fit_baselines

COLUMNS = (
    Column("fit_size", "fit", "lead", "numeric"),
    Column("fit_c", "fit", "lead", "categorical", categorical=True),
    Column("intent_stage", "intent", "stages", "stage", categorical=True),
)


def world(k: int = 500) -> tuple[Matrix, np.ndarray, np.ndarray, np.ndarray]:
    """A small matrix with missing values, outcomes, and the folds train and calibrate."""
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(size=k), rng.integers(0, 3, k), rng.integers(0, 2, k)]).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    y = (rng.random(k) < 1 / (1 + np.exp(1 - np.nan_to_num(values[:, 0])))).astype(float)
    fold = np.repeat(["train", "calibrate", "test"], [300, 100, 100])
    return (
        Matrix(values, COLUMNS, {"fit_c": list("abc"), "intent_stage": ["mql", "(other)"]}),
        y,
        fold == "train",
        fold == "calibrate",
    )


def test_the_test_fold_teaches_no_baseline() -> None:
    """Other outcomes of the test change no probability; all are probabilities; none is better than it can be."""
    matrix, y, train, calibrate = world()
    lead = np.arange(len(y))
    one = fit_baselines(matrix, y, lead, lead, train | calibrate, 7).predict(matrix)
    test = ~train & ~calibrate
    two = fit_baselines(matrix, np.where(test, 1 - y, y), lead, lead, train | calibrate, 7).predict(matrix)
    assert list(one) == ["base_rate", "logistic", "naive_bayes"]
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
        assert ((one[name] > 0) & (one[name] < 1)).all()
    assert one["base_rate"][0] == pytest.approx((y[train | calibrate].sum() + 0.5) / 401)
    loss = {n: -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) for n, p in one.items()}
    assert loss["logistic"] < loss["base_rate"]
    assert loss["naive_bayes"] < loss["base_rate"]


def test_a_baseline_predicts_rows_it_has_not_seen() -> None:
    """Stored and read again, on rows whose texts have other codes, each gives what it gave."""
    matrix, y, train, calibrate = world()
    fitted = fit_baselines(matrix, y, np.arange(500), np.arange(500), train | calibrate, 7)
    again = Baselines.of_json(json.loads(json.dumps(fitted.to_json())))
    values = matrix.values.copy()
    values[:, 1] = 3 - values[:, 1]  # c, b, a after a text that train never had
    turned = Matrix(values, COLUMNS, {"fit_c": ["new", *"cba"], "intent_stage": ["mql", "(other)"]})
    for name, p in fitted.predict(matrix).items():
        np.testing.assert_array_equal(again.predict(matrix)[name], p)
        np.testing.assert_array_equal(again.predict(turned)[name], p)
    unseen = replace(turned, values=np.array([[np.nan, 0.0, np.nan]]))
    assert again.predict(unseen)["naive_bayes"] == pytest.approx(y[train | calibrate].mean(), abs=1e-3)


def test_naive_bayes_is_never_surer_than_the_crm_says() -> None:
    """Thirty fields that agree end at 0.01 % and 99.99 %, as in the CRM that it stands for."""
    y = np.repeat([0.0, 1.0], 50)
    columns = tuple(Column(f"fit_{j}", "fit", "lead", "categorical", categorical=True) for j in range(30))
    matrix = Matrix(np.tile(y[:, None], (1, 30)), columns, {c.name: ["no", "yes"] for c in columns})
    every = np.arange(len(y))
    p = fit_baselines(matrix, y, every, every, np.ones(len(y), bool), 7).predict(matrix)["naive_bayes"]
    assert (p.min(), p.max()) == pytest.approx((0.0001, 0.9999), rel=1e-9)
