from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import ConvergenceError
from crmkit.value._collapse import collapse
from crmkit.value._maximum_likelihood import maximize

NAMES = ("first", "second")


def bowl(centre, curvature):
    """Give a negative log-likelihood with a known maximum and curvature."""
    centre, curvature = np.asarray(centre, dtype=float), np.asarray(curvature, dtype=float)

    def objective(theta):
        away = theta - centre
        return float(away @ curvature @ away) / 2, curvature @ away

    return objective


def test_a_maximum_is_found_with_the_inverse_of_its_curvature():
    curvature = [[4.0, 1.0], [1.0, 3.0]]
    found = maximize(bowl([1.0, -2.0], curvature), [[0.0, 0.0]], NAMES, model="m", causes={})
    assert found.log_parameters == pytest.approx([1.0, -2.0], abs=1e-6)
    assert found.covariance == pytest.approx(np.linalg.inv(curvature), rel=1e-6)


def test_a_flat_direction_is_no_maximum_and_is_named():
    with pytest.raises(ConvergenceError, match=r"m: second is not identified, .* the table does not identify it"):
        maximize(bowl([1.0, -2.0], [[4.0, 0.0], [0.0, 1e-6]]), [[0.0, 0.0]], NAMES, model="m", causes={})


def test_a_parameter_that_runs_away_is_named_with_its_cause():
    def objective(theta):
        slope = np.exp(-theta[1])
        return float(theta[0] ** 2 / 2 + slope), np.array([theta[0], -slope])

    with pytest.raises(ConvergenceError, match="runs to a large value: nobody knows") as caught:
        maximize(objective, [[0.0, 0.0]], NAMES, model="m", causes={("second", "large"): "nobody knows"})
    assert caught.value.parameter == "second"


def test_another_start_is_tried_where_the_first_fails():
    def objective(theta):
        # Left of -1 there is nothing to learn; right of it stands a maximum at 2.
        if theta[0] < -1:
            return 10.0, np.zeros(1)
        return float((theta[0] - 2) ** 2), 2 * (theta - 2)

    found = maximize(objective, [[-5.0], [0.0]], ("only",), model="m", causes={})
    assert found.log_parameters == pytest.approx([2.0])


def test_where_no_step_goes_down_the_search_ends_in_an_error():
    def objective(theta):
        # A gradient that contradicts the value: every step it promises goes up.
        return float(np.abs(theta).sum()), -np.sign(theta) - theta

    with pytest.raises(ConvergenceError):
        maximize(objective, [[0.5, 0.5]], NAMES, model="m", causes={})


def test_without_a_start_nothing_can_be_sought():
    with pytest.raises(ValueError, match="starting point"):
        maximize(bowl([0.0, 0.0], np.eye(2)), [], NAMES, model="m", causes={})


def test_equal_rows_are_counted_and_found_again():
    random = np.random.default_rng(0)
    columns = [random.integers(0, 3, 200).astype(float) for _ in range(3)]
    distinct, weights, inverse = collapse(*columns)
    rows = np.column_stack(columns)
    assert len(weights) == len(np.unique(rows, axis=0))
    assert weights.sum() == 200
    assert np.array_equal(np.column_stack(distinct)[inverse], rows)


def test_no_rows_collapse_to_none():
    _, weights, inverse = collapse(np.empty(0), np.empty(0))
    assert len(weights) == len(inverse) == 0


def test_rounding_errors_of_the_gradient_are_no_curvature():
    def objective(theta):
        # The second parameter does not matter, but its gradient wavers as that of far parameters does.
        wavering = 1e-6 * np.sin(theta[1] * 1e5)
        return float(theta[0] ** 2 / 2), np.array([theta[0], wavering])

    with pytest.raises(ConvergenceError, match="second is not identified"):
        maximize(objective, [[1.0, 0.0], [1.0, 1.0], [1.0, 5.0]], NAMES, model="m", causes={})


def test_a_maximum_that_falls_slowly_on_one_side_is_still_one():
    def objective(theta):
        # Far to the right the likelihood is 2 lower and no more, however far.
        gone = np.exp(-theta[0])
        return float(2 * (1 - gone) ** 2), np.array([4 * (1 - gone) * gone])

    found = maximize(objective, [[0.5]], ("only",), model="m", causes={})
    assert found.log_parameters == pytest.approx([0.0], abs=1e-6)
    assert found.covariance == pytest.approx(np.array([[0.25]]), rel=1e-4)
