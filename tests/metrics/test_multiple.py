"""P-values adjusted for their number."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import holm


def test_steps_down_as_holm_says():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_what_was_not_tested_does_not_count():
    adjusted = holm([0.02, np.nan, 0.03])
    np.testing.assert_allclose(adjusted[[0, 2]], [0.04, 0.04])
    assert np.isnan(adjusted[1])


def test_none_is_below_what_was_given_or_above_one():
    given = np.random.default_rng(0).random(50)
    adjusted = holm(given)
    assert (adjusted >= given).all()
    assert adjusted.max() == 1.0
    assert holm([]).tolist() == []


def test_any_false_alarm_is_as_rare_as_stated():
    """Of 4,000 families of 8 independent tests without any effect, 5 % may raise an alarm."""
    given = np.random.default_rng(1).random((4_000, 8))
    alarms = np.mean([holm(row).min() < 0.05 for row in given])
    assert 0.04 < alarms < 0.06


def test_what_is_no_p_value_is_named():
    with pytest.raises(DataError, match="row 1"):
        holm([0.2, 1.2])
    for given in (0.2, [[0.2, 0.1]]):
        with pytest.raises(DataError, match="one column"):
            holm(given)
