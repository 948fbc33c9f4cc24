from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from crmkit.core.errors import DataError
from crmkit.effect import sample_ratio


def test_it_is_the_chi_square_test_of_the_design():
    result = sample_ratio({"a": 520, "b": 480, "c": 1000}, allocation={"a": 1, "b": 1, "c": 2})
    assert result.p_value == pytest.approx(chisquare([520, 480, 1000], [500, 500, 1000]).pvalue)
    assert result.table["designed"].tolist() == [0.25, 0.25, 0.5]


def test_the_alarm_comes_in_one_of_a_thousand_right_experiments():
    rng = np.random.default_rng(0)
    n = rng.binomial(10_000, 0.5, 1000)
    alarms = sum(not sample_ratio({"a": int(one), "b": 10_000 - int(one)}).ok for one in n)
    assert alarms <= 5


def test_it_shows_itself():
    mismatch = sample_ratio({"a": 100, "b": 200})
    assert "MISMATCH" in repr(mismatch)
    assert "mismatch" in mismatch._repr_html_()
    assert "as designed" in sample_ratio({"a": 100, "b": 101})._repr_html_()


@pytest.mark.parametrize(
    ("counts", "allocation"),
    [({"a": 1}, None), ({"a": 0, "b": 0}, None), ({"a": 1, "b": 1}, {"a": 1}), ({"a": 1, "b": 1}, {"a": 1, "b": 0})],
)
def test_what_is_no_design_is_refused(counts, allocation):
    with pytest.raises(DataError):
        sample_ratio(counts, allocation=allocation)
