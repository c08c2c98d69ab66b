"""The bag as one text model."""

from dataclasses import replace

import numpy as np
import pytest

from models.trees import booster
from models.trees.booster import Bag, Sample, Settings, contributions, fit_bag, load_booster, merge, raw_scores
from models.trees.model import Trees

SETTINGS = Settings(
    seed=7, num_leaves=8, max_depth=4, learning_rate=0.1, max_rounds=40, early_stopping_rounds=10,
    feature_fraction=0.7, bagging_fraction=0.9, min_data_in_leaf=10, lambda_l1=0.1, lambda_l2=1.0, threads=1,
)  # fmt: skip


def world(seed: int = 0, k: int = 1500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input with missing values and a coded column, outcomes, and folds of three."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(k, 5))
    X[:, 4] = rng.integers(0, 12, k)
    X[rng.random((k, 5)) < 0.1] = np.nan
    y = (rng.random(k) < 1 / (1 + np.exp(2 - np.nan_to_num(X[:, 0]) - (np.nan_to_num(X[:, 4]) > 8)))).astype(float)
    return X, y, rng.integers(0, 3, k)


def bag(settings: Settings = SETTINGS, learn: np.ndarray | None = None, y: np.ndarray | None = None) -> Bag:
    """A bag of three."""
    X, outcome, fold = world()
    learn = np.ones(len(X), bool) if learn is None else learn
    return fit_bag(Sample(X, outcome if y is None else y, np.ones(len(X)), fold, [4]), learn, settings)


@pytest.fixture(scope="module")
def fitted() -> Bag:
    """One bag for all tests that only read it."""
    return bag()


def test_the_merged_model_is_the_mean_of_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its raw score is the mean of the members' log odds, and each row was left out by the member of its fold."""
    texts: list[str] = []
    monkeypatch.setattr(booster, "merge", lambda t: texts.extend(t) or merge(t))
    made = bag()
    X, _, fold = world()
    members = np.array([raw_scores(load_booster(t), X) for t in texts])
    assert len(texts) == 3
    np.testing.assert_allclose(raw_scores(load_booster(made.text), X), members.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(made.left_out, members[fold, np.arange(len(X))])
    assert load_booster(made.text).num_trees() == sum(made.rounds)


def test_two_runs_and_two_threads_give_the_same_text(fitted: Bag) -> None:
    """The same data and settings are the same file, whatever the threads; another seed is another."""
    assert bag().text == fitted.text
    assert bag(replace(SETTINGS, threads=2)).text == fitted.text
    assert bag(replace(SETTINGS, seed=8)).text != fitted.text


def test_contributions_add_up_to_the_raw_score(fitted: Bag) -> None:
    """Base and shares sum to the raw score within 1e-9, also for missing and unseen values."""
    X = world(1)[0]
    X[:5] = np.nan
    X[5:9, 4] = 99
    model = load_booster(fitted.text)
    shares = contributions(model, X)
    assert shares.shape == (len(X), 6)
    np.testing.assert_allclose(shares.sum(axis=1), raw_scores(model, X), rtol=0, atol=1e-9)
    assert len(set(shares[:, -1].tolist())) == 1


def test_a_row_alone_has_its_batch_score(fitted: Bag) -> None:
    """To the last bit, on one thread or two."""
    X = world(2)[0]
    model = load_booster(fitted.text)
    whole = raw_scores(model, X)
    np.testing.assert_array_equal(whole, raw_scores(model, X, threads=2))
    assert [raw_scores(model, X[i : i + 1])[0] for i in range(50)] == whole[:50].tolist()
    assert raw_scores(model, X[:0]).shape == (0,)


def test_rows_not_to_learn_from_teach_nothing(fitted: Bag) -> None:
    """Other outcomes of rows where `learn` is False leave the model as it is; they still get a score."""
    X, y, _ = world()
    learn = np.arange(len(X)) % 3 != 0
    one, two = bag(learn=learn), bag(learn=learn, y=np.where(learn, y, 1 - y))
    assert one.text == two.text
    assert one.text != fitted.text
    assert np.isfinite(one.left_out).all()


def test_nothing_to_learn_is_a_constant() -> None:
    """Outcomes all alike, or features without any meaning, give a model that loads and scores."""
    X, y, _ = world()
    for outcome in (np.zeros(len(y)), np.full(len(y), 0.5)):
        made = bag(y=outcome)
        assert np.isfinite(raw_scores(load_booster(made.text), X)).all()


def test_no_class_is_weighted() -> None:
    """Nothing among LightGBM's parameters weights a class, and the mean prediction is the base rate's."""
    parameters = booster.lightgbm_parameters(SETTINGS)
    assert not {"is_unbalance", "scale_pos_weight", "class_weight"} & set(parameters)
    X, y, _ = world()
    p = 1 / (1 + np.exp(-raw_scores(load_booster(bag().text), X)))
    assert p.mean() == pytest.approx(y.mean(), rel=0.1)


def test_a_bag_that_believes_nothing_is_the_mean() -> None:
    """No tree asks anything; the model is scored and explained like any other."""
    X, y, fold = world()
    nothing = np.zeros((3, X.shape[1]))
    found = fit_bag(Sample(X, y, np.ones(len(y)), fold, [4]), np.ones(len(y), bool), SETTINGS, belief=nothing)
    trees, booster = Trees(found.text), load_booster(found.text)
    np.testing.assert_array_equal(trees.scores(X), raw_scores(booster, X))
    np.testing.assert_array_equal(trees.contributions(X), contributions(booster, X))
    assert (trees.contributions(X)[:, :-1] == 0).all()
    assert 1 / (1 + np.exp(-trees.scores(X))) == pytest.approx(y.mean(), rel=0.05)


def test_belief_is_each_member_s_own() -> None:
    """A member that does not believe a feature has no split by it, whatever the others do."""
    X, y, fold = world()
    belief = np.ones((3, X.shape[1]))
    belief[1, 0] = 0
    found = fit_bag(Sample(X, y, np.ones(len(y)), fold, [4]), np.ones(len(y), bool), SETTINGS, belief=belief)
    assert found.gains[1, 0] == 0
    assert (found.gains[[0, 2], 0] > 0).all()


def test_without_patience_all_rounds_are_grown() -> None:
    """The left-out fold decides nothing."""
    assert bag(replace(SETTINGS, early_stopping_rounds=0)).rounds == (40, 40, 40)
