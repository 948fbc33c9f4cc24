"""What the values of whole plans are multiples of."""

from __future__ import annotations

import numpy as np

from crmkit.remediation._steps import common_step, lowered


def test_steps_of_values():
    assert common_step(np.array([10.0, 20.0, 0.0, -30.0])) == 10.0
    assert common_step(np.array([7.3, 7.3, 0.0])) == 7.3
    assert common_step(np.array([7.3, 14.6])) == 0.0
    assert common_step(np.array([1e300, 2e300])) == 0.0
    assert common_step(np.array([6.0]), 4.0) == 2.0
    assert common_step(np.array([0.0])) == np.inf
    assert lowered(19.999, 5.0) == 15.0
    assert lowered(20.0 - 1e-9, 5.0) == 20.0
    assert lowered(3.5, np.inf) == 3.5
