"""Small models grown on random rows, and rows for them."""

import lightgbm
import numpy as np

from features.arrays import Floats

KINDS: list[dict[str, object]] = [
    *({}, {"extra_trees": True}, {"zero_as_missing": True}, {"use_missing": False}),
    *({"max_cat_to_onehot": 63}, {"bagging_fraction": 0.6, "bagging_freq": 1}),
]
"""Settings that make LightGBM write other trees."""


def rows(rng: np.random.Generator, n: int) -> Floats:
    """Six columns: two of numbers, one of counts, one of zeros and ones, two of codes; all with gaps."""
    X = np.stack([rng.normal(size=n), rng.normal(size=n) * 1e6, rng.poisson(1, n), rng.integers(0, 2, n),
                  rng.integers(0, 5, n), rng.integers(0, 40, n)], axis=1).astype(float)  # fmt: skip
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def hostile_rows(rng: np.random.Generator, n: int) -> Floats:
    """Rows of values that training never saw: unseen and negative codes, zeros of either sign, the largest numbers."""
    X = rows(rng, n)
    odd = [0.0, -0.0, 1e-36, -1e-36, -1.0, 1e3, 7.5, 1e300, -1e300, np.nan]
    place = rng.random(X.shape) < 0.3
    X[place] = rng.choice(odd, int(place.sum()))
    return X


def grown(seed: int, **settings_: object) -> str:
    """A model's text, grown on random rows."""
    rng = np.random.default_rng(seed)
    X = rows(rng, 400)
    y = (rng.random(400) < 1 / (1 + np.exp(-np.nan_to_num(X[:, 0]) - (X[:, 4] == 2)))).astype(float)
    data = lightgbm.Dataset(X, y, categorical_feature=[4, 5])
    given = {"objective": "cross_entropy", "verbosity": -1, "num_threads": 1, "seed": seed, "max_depth": 5,
             "num_leaves": 16, "min_data_in_leaf": 5, "min_data_per_group": 5, **settings_}  # fmt: skip
    return str(lightgbm.train(given, data, num_boost_round=int(settings_.get("rounds", 12))).model_to_string())  # type: ignore[call-overload]
