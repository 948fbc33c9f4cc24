"""Caps are values that somebody has, learned once, and never the work of the outlier itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats.mstats import winsorize
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit.core.errors import DataError
from crmkit.preparation import Winsorizer


@parametrize_with_checks([Winsorizer(), Winsorizer(0.9), Winsorizer((0.1, 0.9)), Winsorizer(fence=3.0)])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def test_quantiles_cap_as_scipy_winsorizes():
    values = np.random.default_rng(0).lognormal(0, 2, 200)
    got = Winsorizer((0.05, 0.9)).fit_transform(values[:, None]).ravel()
    # With 200 values the quantiles lie at the 9.95th and 179.1st: ten below and twenty above are moved.
    assert np.array_equal(got, np.asarray(winsorize(values, (10 / 200, 20 / 200))))


def test_one_enormous_customer_does_not_pull_the_cap():
    spent = np.append(np.arange(1.0, 101.0), 1e12)
    assert Winsorizer(0.99).fit(spent[:, None]).upper_.tolist() == [100.0]


def test_one_number_is_the_upper_quantile_and_zero_and_one_cap_nothing():
    values = np.arange(101.0)[:, None]
    caps = Winsorizer(0.9).fit(values)
    assert (caps.lower_.tolist(), caps.upper_.tolist(), caps.capped_.tolist()) == ([-np.inf], [90.0], [10])
    nothing = Winsorizer((0.0, 1.0)).fit(values)
    assert nothing.transform([[-1e9], [1e9]]).ravel().tolist() == [-1e9, 1e9]


def test_fences_stand_by_median_and_median_deviation():
    # Median 3; deviations 2, 1, 0, 1, 97 have the median 1.
    caps = Winsorizer(fence=2.0).fit([[1.0], [2.0], [3.0], [4.0], [100.0]])
    assert caps.upper_.tolist() == pytest.approx([3 + 2 * 1.4826])
    assert caps.lower_.tolist() == pytest.approx([3 - 2 * 1.4826])
    assert caps.capped_.tolist() == [1]


@pytest.mark.parametrize("caps", [Winsorizer({"spend": 0.5}), Winsorizer(fence={"spend": 1.0})])
def test_columns_are_capped_by_name_and_others_left_alone(caps):
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0, 99.0], "spend": [1.0, 2.0, 3.0, 4.0, 99.0]})
    got = caps.fit_transform(table)
    assert got[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 99.0]
    assert got[:, 1].max() < 99
    assert caps.capped_.tolist()[0] == 0


def test_each_column_may_have_its_own_limits():
    table = pd.DataFrame({"a": np.arange(11.0), "b": np.arange(11.0)})
    caps = Winsorizer({"a": (0.1, 0.9), "b": 0.8}).fit(table)
    assert caps.lower_.tolist() == [1.0, -np.inf]
    assert caps.upper_.tolist() == [9.0, 8.0]


def test_caps_never_move():
    caps = Winsorizer(0.9).fit(np.arange(11.0)[:, None])
    assert caps.transform([[50.0], [3.0]]).ravel().tolist() == [9.0, 3.0]
    assert caps.transform([[1e6]]).ravel().tolist() == [9.0]


def test_a_rare_mark_is_not_erased():
    mark = np.zeros((1000, 1))
    mark[:3] = 1.0
    for caps in (Winsorizer(0.99), Winsorizer(fence=3.0), Winsorizer((0.45, 0.46))):
        caps.fit(mark)
        assert caps.left_alone_.tolist() == [True]
        assert np.array_equal(caps.transform(mark), mark)
        assert caps.capped_.tolist() == [0]


def test_limits_that_cross_between_two_values_cap_nothing():
    caps = Winsorizer((0.4, 0.41)).fit([[1.0], [2.0]])
    assert caps.left_alone_.tolist() == [True]
    assert caps.transform([[1.0], [2.0]]).ravel().tolist() == [1.0, 2.0]


def test_a_constant_column_stays_as_it_is():
    caps = Winsorizer(0.9).fit([[7.0], [7.0], [7.0]])
    assert caps.left_alone_.tolist() == [False]
    assert caps.transform([[7.0]]).tolist() == [[7.0]]


def test_missing_values_pass_and_teach_nothing():
    caps = Winsorizer(0.5).fit([[1.0, np.nan], [np.nan, np.nan], [2.0, np.nan], [9.0, np.nan]])
    assert caps.upper_.tolist() == [2.0, np.inf]
    assert np.isnan(caps.transform([[np.nan, np.nan]])).all()
    assert Winsorizer(fence=1.0).fit([[np.nan], [np.nan]]).upper_.tolist() == [np.inf]


@given(arrays(float, (9, 2), elements=st.floats(-1e12, 1e12)), st.floats(0, 0.4), st.floats(0.6, 1))
def test_capping_twice_is_capping_once_and_keeps_the_order(X, low, high):
    caps = Winsorizer((low, high)).fit(X)
    once = caps.transform(X)
    assert np.array_equal(caps.transform(once), once)
    order = np.argsort(X[:, 0])
    assert (np.diff(once[order, 0]) >= 0).all()
    assert np.array_equal(caps.capped_, (once != X).sum(axis=0))


@pytest.mark.parametrize(
    "limits", [(0.9, 0.1), (0.5, 0.5), (0.1,), (-0.1, 0.9), (0.1, "x"), {"x0": "much"}, {"x0": 2.0}]
)
def test_limits_that_are_no_quantiles_are_refused(limits):
    with pytest.raises(DataError, match="a lower and a higher quantile from 0 to 1"):
        Winsorizer(limits).fit([[1.0], [2.0]])


def test_a_fence_of_no_width_is_refused():
    with pytest.raises(DataError, match="positive number of robust deviations"):
        Winsorizer(fence={"x0": 0}).fit([[1.0], [2.0]])


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(DataError, match=r"'monetry' \(nearest: 'monetary'\).*there are: monetary"):
        Winsorizer({"monetry": 0.9}).fit(pd.DataFrame({"monetary": [1.0, 2.0]}))


def test_the_way_back_leaves_values_and_wants_the_same_columns():
    caps = Winsorizer(0.5).fit([[1.0], [2.0], [3.0]])
    assert caps.inverse_transform([[2.0]]).tolist() == [[2.0]]
    with pytest.raises(DataError, match="expected 1 columns"):
        caps.inverse_transform([[1.0, 2.0]])


def test_it_saves_without_pickle(tmp_path):
    caps = Winsorizer({"a": 0.5}).fit(pd.DataFrame({"a": [1.0, 2.0, 9.0]}))
    crmkit.save(caps, tmp_path / "caps.crmkit")
    loaded = crmkit.load(tmp_path / "caps.crmkit")
    assert loaded.upper_.tolist() == [2.0]
    assert loaded.transform(pd.DataFrame({"a": [5.0]})).tolist() == [[2.0]]
