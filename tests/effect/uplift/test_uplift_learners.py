"""All uplift learners: known effects, standard errors that cover, and what they refuse."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

import crmkit
from crmkit import DataError, DataWarning, Estimate
from crmkit.effect.uplift import DRLearner, SLearner, TLearner, XLearner, cross_fitted_effects

LEARNERS = [SLearner, TLearner, XLearner, DRLearner]


def company(n=2_000, *, seed=0, arms=("control", "call", "voucher")):
    """Simulate an experiment: a call adds 1 + 2 age, a voucher -.5 to everybody."""
    random = np.random.default_rng(seed)
    age, visits = random.normal(size=n), random.normal(size=n)
    arm = random.choice(arms, size=n)
    truth = {"call": 1 + 2 * age, "voucher": np.full(n, -0.5)}
    outcome = 3 + age - visits + random.normal(size=n)
    for name, effect in truth.items():
        outcome = outcome + np.where(arm == name, effect, 0.0)
    return pd.DataFrame({"age": age, "visits": visits}), arm, outcome, truth


@pytest.mark.parametrize("learner", LEARNERS)
def test_effects_of_several_arms_are_found(learner):
    X, arm, outcome, truth = company()
    found = learner(n_resamples=20).fit(X, arm, outcome).predict(X)
    assert list(found.effects.columns) == ["call", "voucher"]
    for name in truth:
        error = (found.effects[name] - truth[name]).to_numpy()
        assert np.sqrt((error**2).mean()) < 0.2
        # One experiment: its error is a draw from what the standard errors tell.
        assert 0.4 < np.sqrt((error**2).mean() / (found.standard_errors[name] ** 2).mean()) < 2.5
    low, high = found.interval(0.9)
    assert (low["call"] < high["call"]).all()


@pytest.mark.parametrize("learner", LEARNERS)
def test_average_effects_are_estimates(learner):
    X, arm, outcome, _ = company()
    model = learner(n_resamples=0).fit(X, arm, outcome)
    call = model.average_effects_["call"]
    assert isinstance(call, Estimate)
    assert call.low < 1.0 < call.high
    assert call.n == 2_000
    assert model.control_ == "control"
    assert model.n_by_arm_ == [int((arm == name).sum()) for name in ("control", "call", "voucher")]


@pytest.mark.parametrize("learner", LEARNERS)
def test_binary_outcomes_are_learned_by_a_classifier(learner):
    random = np.random.default_rng(1)
    X = random.normal(size=(6_000, 1))
    treated = random.integers(0, 2, 6_000)
    outcome = random.random(6_000) < 0.2 + 0.3 * treated * (X[:, 0] > 0)
    model = learner(n_resamples=5).fit(X, treated, outcome)
    effects = model.predict([[-1.5], [1.5]]).effects[1]
    assert model.binary_
    assert effects.iloc[1] - effects.iloc[0] > 0.2
    assert model.average_effects_[1].low < 0.15 < model.average_effects_[1].high


@pytest.mark.parametrize("learner", LEARNERS)
def test_any_scikit_learn_estimator_may_be_handed_in(learner):
    X, arm, outcome, _ = company(600, arms=("control", "call"))
    model = learner(RandomForestRegressor(20, min_samples_leaf=10), n_folds=2, n_resamples=3).fit(X, arm, outcome)
    first = model.predict(X)
    assert np.corrcoef(first.effects["call"], X["age"])[0, 1] > 0.7
    again = clone(model).fit(X, arm, outcome).predict(X)
    pd.testing.assert_frame_equal(first.effects, again.effects)
    pd.testing.assert_frame_equal(first.standard_errors, again.standard_errors)


@pytest.mark.parametrize("name", ["forest", "boosting", "tree"])
def test_models_of_the_registry_are_found_by_name(name):
    X, arm, outcome, _ = company(400, arms=("control", "call"))
    binary = TLearner(name, n_folds=2, n_resamples=0).fit(X, arm, outcome > 3)
    continuous = TLearner(name, n_folds=2, n_resamples=0).fit(X, arm, outcome)
    assert binary.predict(X).effects["call"].between(-1, 1).all()
    assert np.corrcoef(continuous.predict(X).effects["call"], X["age"])[0, 1] > 0.5


def test_a_regressor_may_learn_a_binary_outcome():
    X, arm, outcome, _ = company(400, arms=("control", "call"))
    by_regression = TLearner(LinearRegression(), n_resamples=0).fit(X, arm, outcome > 3)
    assert by_regression.average_effects_["call"] > 0


def test_a_classifier_cannot_learn_numbers():
    X, arm, outcome, _ = company(400, arms=("control", "call"))
    with pytest.raises(DataError, match="hand in a regressor"):
        TLearner(LogisticRegression()).fit(X, arm, outcome)
    with pytest.raises(DataError, match="effects are numbers"):
        XLearner(effect_model=LogisticRegression()).fit(X, arm, outcome)


def test_the_linear_t_learner_agrees_with_lins_regression():
    X, arm, outcome, _ = company(500, arms=("control", "call"))
    found = TLearner(n_resamples=0).fit(X, arm, outcome).predict(X).effects["call"]
    parts = [LinearRegression().fit(X[arm == name], outcome[arm == name]).predict(X) for name in ("call", "control")]
    np.testing.assert_allclose(found, parts[0] - parts[1], atol=1e-10)


def test_half_sample_errors_agree_with_those_of_regression_theory():
    X, arm, outcome, _ = company(2_000, arms=("control", "call"))
    halves = TLearner(n_resamples=300).fit(X, arm, outcome).predict(X).standard_errors["call"]
    variance = np.zeros(len(X))
    design = np.column_stack([np.ones(len(X)), X])
    for name in ("control", "call"):
        own = design[arm == name]
        residual = outcome[arm == name] - own @ np.linalg.lstsq(own, outcome[arm == name], rcond=None)[0]
        scale = residual @ residual / (len(own) - 3)
        variance += scale * np.einsum("ij,jk,ik->i", design, np.linalg.inv(own.T @ own), design)
    ratio = halves.to_numpy() / np.sqrt(variance)
    assert abs(ratio.mean() - 1) < 0.1


@pytest.mark.parametrize(("learner", "runs"), [(DRLearner, 200), (TLearner, 50), (SLearner, 50), (XLearner, 20)])
def test_intervals_of_average_and_single_effects_cover(learner, runs):
    """Of nominal 95 %; how far they may lie from it by chance is three binomial standard deviations."""
    single, average = [], []
    probes = pd.DataFrame({"age": [-1.0, 0.0, 1.0], "visits": [0.0, 1.0, 0.0]})
    for seed in range(runs):
        X, arm, outcome, _ = company(400, seed=seed, arms=("control", "call"))
        model = learner(n_resamples=30, n_folds=3).fit(X, arm, outcome)
        low, high = model.predict(probes).interval()
        truth = 1 + 2 * probes["age"]
        single.append(((low["call"] <= truth) & (truth <= high["call"])).to_numpy())
        average.append(model.average_effects_["call"].low <= 1 <= model.average_effects_["call"].high)
    chance = 3 * np.sqrt(0.95 * 0.05 / runs)
    assert np.mean(average) >= 0.95 - chance
    assert 0.94 - chance <= np.mean(single) <= min(0.95 + chance, 0.99)


def test_learned_chances_undo_confounding():
    random = np.random.default_rng(3)
    X = random.normal(size=(8_000, 1))
    treated = random.random(8_000) < 1 / (1 + np.exp(-0.8 * X[:, 0]))
    outcome = X[:, 0] ** 2 + X[:, 0] + 1.0 * treated + random.normal(size=8_000)
    naive = outcome[treated].mean() - outcome[~treated].mean()
    adjusted = DRLearner("forest", propensity="logistic", n_folds=2).fit(X, treated, outcome).average_effects_[True]
    assert naive > 1.4
    assert adjusted.low < 1.0 < adjusted.high
    x = XLearner(propensity=LogisticRegression(), n_resamples=0).fit(X, treated, outcome)
    assert np.isfinite(x.predict(X).effects.to_numpy()).all()


def test_chances_near_nothing_are_told():
    random = np.random.default_rng(3)
    X = random.normal(size=(2_000, 1)) * 5
    treated = random.random(2_000) < 1 / (1 + np.exp(-3 * X[:, 0]))
    with pytest.warns(DataWarning, match="chance below 0.01"):
        DRLearner(propensity="logistic").fit(X, treated, X[:, 0] + treated + random.normal(size=2_000))


def test_stated_chances_are_used_and_checked():
    X, arm, outcome, _ = company(400, arms=("control", "call"))
    stated = DRLearner(propensity={"control": 0.5, "call": 0.5}).fit(X, arm, outcome)
    assert stated.average_effects_["call"].low < 1 < stated.average_effects_["call"].high
    with pytest.raises(DataError, match="sum to 1"):
        DRLearner(propensity={"control": 0.5, "call": 0.7}).fit(X, arm, outcome)
    with pytest.raises(DataError, match="for each of the arms"):
        DRLearner(propensity={"call": 0.5}).fit(X, arm, outcome)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_control_written_as_a_float_is_one(learner):
    """A column of 0 and 1 that once had gaps is one of 0.0 and 1.0."""
    X, arm, outcome, _ = company(600, arms=("control", "call", "call"))
    model = learner(n_resamples=0).fit(X, (arm == "call").astype(float), outcome)
    assert (model.control_, model.arms_) == (0.0, [1.0])
    assert model.average_effects_[1.0].low < 1.0 < model.average_effects_[1.0].high


@pytest.mark.parametrize("learner", LEARNERS)
def test_two_arms_called_control_are_asked_about_and_not_called_none(learner):
    X, arm, outcome, _ = company(600, arms=("control", "holdout", "call"))
    with pytest.raises(DataError, match="say which arm is the control"):
        learner(n_resamples=0).fit(X, arm, outcome)
    assert learner(n_resamples=0, control="holdout").fit(X, arm, outcome).arms_ == ["call", "control"]


@pytest.mark.parametrize("learner", LEARNERS)
def test_features_of_a_far_zero_give_the_same_effects(learner):
    """Times in seconds since 1970 are some 1.7e9 and differ by little of it."""
    X, arm, outcome, _ = company(600)
    near, far = (learner(n_resamples=0).fit(one, arm, outcome).predict(one).effects for one in (X, X + 1.7e9))
    np.testing.assert_allclose(near, far, atol=1e-4)


def test_columns_in_another_order_than_the_features_are_refused():
    X, arm, outcome, _ = company(200)
    turned = pd.Series(outcome).iloc[::-1]
    with pytest.raises(DataError, match="outcome names the same rows in another order"):
        TLearner(n_resamples=0).fit(X, arm, turned)
    with pytest.raises(DataError, match="treatment names the same rows in another order"):
        cross_fitted_effects("t-learner", X, pd.Series(arm).iloc[::-1], outcome)
    # Other labels are no statement about order, nor has an array any.
    TLearner(n_resamples=0).fit(X, arm, pd.Series(outcome, index=np.arange(200) + 7))
    TLearner(n_resamples=0).fit(X.to_numpy(), arm, turned)


@pytest.mark.slow
@pytest.mark.parametrize("learner", LEARNERS)
def test_intervals_of_boosted_effects_cover_where_effects_bend(learner):
    """Of nominal 95 %, over 200 customers in each of 6 experiments; the learners were measured at .94 to .97."""
    probes = np.random.default_rng(99).normal(size=(200, 3))
    model = HistGradientBoostingRegressor(max_iter=30, random_state=0)
    options = {"effect_model": model} if learner in {XLearner, DRLearner} else {}
    held = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        X, treated = random.normal(size=(1_000, 3)), random.integers(0, 2, 1_000)
        effect = 1 + np.tanh(2 * X[:, 0])
        outcome = X[:, 0] - X[:, 2] + treated * effect + random.normal(size=1_000)
        fitted = learner(model, n_folds=2, n_resamples=8, **options).fit(X, treated, outcome)
        low, high = (end[1].to_numpy() for end in fitted.predict(probes).interval())
        truth = 1 + np.tanh(2 * probes[:, 0])
        held.append(((low <= truth) & (truth <= high)).mean())
    assert 0.88 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("learner", LEARNERS)
def test_no_control_group_is_a_loud_warning(learner):
    X, arm, outcome, _ = company(600, arms=("call", "call", "voucher"))
    with pytest.warns(DataWarning, match="THERE IS NO CONTROL GROUP"):
        model = learner(n_resamples=0).fit(X, arm, outcome)
    assert model.control_ == "call"


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_no_effect_can_be_learned_from_is_refused(learner):
    X, arm, outcome, _ = company(100, arms=("control", "call"))
    model = learner(n_resamples=0)
    with pytest.raises(DataError, match="one arm only"):
        model.fit(X, np.repeat("call", 100), outcome)
    with pytest.raises(DataError, match="one class"):
        model.fit(X, arm, np.ones(100))
    with pytest.raises(DataError, match="fewer than two customers of one class"):
        model.fit(X, arm, (arm == "call") & (outcome > 3))
    few = np.where(np.arange(100) < 9, "call", "control")
    with pytest.raises(DataError, match="'call' has 9 customers, too few: at least 10"):
        model.fit(X, few, outcome)
    with pytest.raises(DataError, match="no arm 'nobody'"):
        clone(model).set_params(control="nobody").fit(X, arm, outcome)
    with pytest.raises(DataError, match="outcome is missing in row 3"):
        model.fit(X, arm, np.where(np.arange(100) == 3, np.nan, outcome))
    with pytest.raises(DataError, match="outcome is infinite in row 3"):
        model.fit(X, arm, np.where(np.arange(100) == 3, np.inf, outcome))
    with pytest.raises(DataError, match="treatment is missing in row 2"):
        model.fit(X, [None if at == 2 else one for at, one in enumerate(arm)], outcome)
    with pytest.raises(DataError, match=re.escape("one entry a customer: 99 for 100")):
        model.fit(X, arm[:99], outcome)
    with pytest.raises(DataError, match=re.escape("one entry a customer: 99 for 100")):
        model.fit(X, arm, outcome[:99])
    with pytest.raises(DataError, match="no rows"):
        model.fit(X[:0], arm[:0], outcome[:0])


def test_arms_not_learned_are_refused_at_predict():
    X, arm, outcome, _ = company(200)
    model = TLearner(n_resamples=0).fit(X, arm, outcome)
    assert list(model.predict(X, arms=["voucher"]).effects.columns) == ["voucher"]
    with pytest.raises(DataError, match="no effect was learned for 'letter'; there are: 'call', 'voucher'"):
        model.predict(X, arms=["letter"])
    with pytest.raises(DataError, match="no effect was learned for 'control'"):
        model.predict(X, arms=["control"])


def test_without_resamples_standard_errors_are_missing_but_the_lines_are_not():
    X, arm, outcome, _ = company(200)
    assert TLearner(n_resamples=0).fit(X, arm, outcome).predict(X).standard_errors.isna().all(axis=None)
    assert DRLearner(n_resamples=0).fit(X, arm, outcome).predict(X).standard_errors.gt(0).all(axis=None)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_fitted_model_is_saved_and_loaded(learner, tmp_path):
    X, arm, outcome, _ = company(200)
    model = learner(n_resamples=3).fit(X, arm, outcome)
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    for before, after in zip(model.predict(X), loaded.predict(X), strict=True):
        pd.testing.assert_frame_equal(before, after)
    assert loaded.average_effects_ == model.average_effects_


@pytest.mark.parametrize("learner", LEARNERS)
def test_out_of_fold_effects_rank_customers_and_keep_their_index(learner):
    X, arm, outcome, truth = company(600)
    X = X.set_axis([f"客户{at}" for at in range(600)], axis=0)
    effects = cross_fitted_effects(learner(), X, arm, outcome, n_folds=3)
    assert effects.index.equals(X.index)
    assert np.corrcoef(effects["call"], truth["call"])[0, 1] > 0.9


def test_out_of_fold_effects_of_noise_are_worth_nothing():
    random = np.random.default_rng(5)
    X, arm, outcome = random.normal(size=(400, 30)), random.integers(0, 2, 400), random.normal(size=400)
    signed = np.where(arm == 1, 1, -1) * outcome
    seen = TLearner(n_resamples=0).fit(X, arm, outcome).predict(X).effects[1]
    unseen = cross_fitted_effects("t-learner", X, arm, outcome)[1]
    assert np.corrcoef(seen, signed)[0, 1] > 0.2
    assert np.corrcoef(unseen, signed)[0, 1] < 0.1
    with pytest.raises(DataError, match="n_folds must be at least 2"):
        cross_fitted_effects("t-learner", X, arm, outcome, n_folds=1)


def test_categories_and_missing_values_are_features():
    X, arm, outcome, _ = company(900, arms=("control", "call"))
    city = np.resize(["上海", "Köln", None], 900)
    outcome = outcome + np.where((city == "上海") & (arm == "call"), 3.0, 0.0)
    X = X.assign(city=city, constant=1.0)
    X.loc[:50, "visits"] = np.nan
    model = DRLearner().fit(X, arm, outcome)
    effects = model.predict(pd.DataFrame({"age": 0.0, "visits": [0.0, 0.0], "city": ["上海", "Köln"], "constant": 1}))
    assert 2 < effects.effects["call"].iloc[0] - effects.effects["call"].iloc[1] < 4
    with pytest.warns(DataWarning, match=re.escape("city (1)")):
        model.predict(X.head(1).assign(city="Paris"))
    with pytest.warns(DataWarning, match=re.escape("age (1)")):
        model.predict(X.head(1).assign(age=np.nan))
    with pytest.raises(DataError, match="no column 'city'"):
        model.predict(X.drop(columns="city"))
    with pytest.raises(DataError, match="age is infinite in row 0"):
        model.predict(X.head(1).assign(age=np.inf))


def test_features_that_cannot_be_used_are_refused():
    X, arm, outcome, _ = company(200, arms=("control", "call"))
    with pytest.raises(DataError, match="holds times"):
        TLearner().fit(X.assign(since=pd.Timestamp("2024-02-29")), arm, outcome)
    with pytest.raises(DataError, match="has 200 categories"):
        TLearner().fit(X.assign(name=[f"n{at}" for at in range(200)]), arm, outcome)
    with pytest.raises(DataError, match="two dimensions"):
        TLearner().fit(X["age"].to_numpy(), arm, outcome)
    model = TLearner(n_resamples=0).fit(X.to_numpy(), arm, outcome)
    with pytest.raises(DataError, match="the 2 features it was fitted on, got 1"):
        model.predict([[1.0]])


def test_features_that_all_are_equal_leave_the_average_effect():
    _, arm, outcome, _ = company(400, arms=("control", "call"))
    found = DRLearner().fit(np.ones((400, 2)), arm, outcome).predict(np.ones((2, 2)))
    difference = outcome[arm == "call"].mean() - outcome[arm == "control"].mean()
    np.testing.assert_allclose(found.effects["call"], difference, atol=0.05)


def test_forests_of_scores_have_errors_by_halves():
    X, arm, outcome, truth = company(1_000, arms=("control", "call"))
    model = DRLearner(effect_model=RandomForestRegressor(30, min_samples_leaf=20), n_resamples=10)
    found = model.fit(X, arm, outcome).predict(X)
    assert np.corrcoef(found.effects["call"], truth["call"])[0, 1] > 0.9
    assert found.standard_errors["call"].gt(0).all()


def test_a_half_without_one_class_is_learned_as_a_constant():
    random = np.random.default_rng(0)
    X, arm = random.normal(size=(60, 1)), np.resize([0, 1], 60)
    outcome = np.zeros(60)
    outcome[[0, 1, 2, 3]] = 1
    model = XLearner(RandomForestClassifier(5), n_resamples=5).fit(X, arm, outcome)
    assert np.isfinite(model.predict(X).standard_errors.to_numpy()).all()
