from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from crmkit.core.errors import DataError
from crmkit.preparation import SignedLog, skewed_pipeline


@parametrize_with_checks([SignedLog(), SignedLog(scale="median"), SignedLog(scale=10.0, min_skew=1.0)])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def test_both_signs_and_zero_have_a_place():
    got = SignedLog().fit_transform([[-99.0], [0.0], [99.0]])
    assert got.ravel().tolist() == pytest.approx([-np.log(100), 0.0, np.log(100)])


def test_the_median_scale_makes_the_currency_irrelevant():
    money = np.random.default_rng(0).lognormal(3, 1, (200, 1))
    pounds, pence = (SignedLog(scale="median").fit_transform(money * rate) for rate in (1, 100))
    assert np.allclose(pounds, pence)
    assert SignedLog(scale="median").fit([[0.0], [0.0]]).scale_.tolist() == [1.0]


def test_only_skewed_columns_are_transformed_where_asked():
    random = np.random.default_rng(0)
    X = np.column_stack([random.lognormal(0, 1.5, 500), random.normal(size=500), np.full(500, 7.0)])
    log = SignedLog(min_skew=1.0).fit(X)
    assert log.transformed_.tolist() == [True, False, False]
    assert np.array_equal(log.transform(X)[:, 1:], X[:, 1:])


def test_what_is_learned_never_moves():
    train = np.random.default_rng(0).lognormal(0, 1, (100, 2))
    pipeline = skewed_pipeline(scale="median").fit(train)
    once = pipeline.transform(train)
    pipeline.transform(train * 1e9)
    assert np.array_equal(pipeline.transform(train), once)


def test_missing_values_pass_and_teach_nothing():
    X = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    log = SignedLog(scale="median", min_skew=0.5).fit(X)
    assert log.scale_.tolist() == [2.0, 1.0]
    assert np.isnan(log.transform(X)).tolist() == np.isnan(X).tolist()


@settings(deadline=None)
@given(arrays(float, (5, 2), elements=st.floats(-1e12, 1e12)), st.sampled_from(["unit", "median", 3.0]))
def test_the_way_back_leads_to_the_original_units(X, scale):
    log = SignedLog(scale=scale).fit(X)
    assert np.allclose(log.inverse_transform(log.transform(X)), X, rtol=1e-9, atol=1e-9)


def test_a_scale_near_nothing_overflows_neither_way():
    tiny = 5e-324
    X = np.array([[1e12], [tiny], [tiny], [-1.0]])
    log = SignedLog(scale="median").fit([[tiny], [tiny]])
    assert np.isfinite(log.transform(X)).all()
    assert np.allclose(log.inverse_transform(log.transform(X)), X, rtol=1e-9)


def test_the_way_back_wants_the_same_columns():
    with pytest.raises(DataError, match="expected 1 columns"):
        SignedLog().fit([[1.0]]).inverse_transform([[1.0, 2.0]])


@pytest.mark.parametrize("scaler", ["standard", "robust", "minmax", "none"])
def test_every_scaler_leads_back_through_the_pipeline(scaler):
    X = np.random.default_rng(0).lognormal(2, 1, (50, 2))
    pipeline = skewed_pipeline(scaler).fit(X)
    assert np.allclose(pipeline.inverse_transform(pipeline.transform(X)), X)


def test_names_are_kept_and_an_unknown_scaler_is_refused():
    frame = pd.DataFrame({"monetary": [1.0, 2.0, 9.0]})
    assert skewed_pipeline().fit(frame).get_feature_names_out().tolist() == ["monetary"]
    with pytest.raises(DataError, match="scaler must be one of"):
        skewed_pipeline("log")
