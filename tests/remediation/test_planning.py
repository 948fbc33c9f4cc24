"""Planning holds what planners of others give against what it asked for."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import PluginError
from crmkit.remediation import GreedyPlanner, Plan, Problem, Remedy, Resource, plan


class Gives:
    """A planner that gives what it was told to."""

    def __init__(self, made):
        self.made = made

    def plan(self, problem, /):
        return self.made(problem)


@pytest.fixture
def problem():
    return Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})


def test_what_is_no_plan_is_refused_by_the_planners_name(problem):
    with pytest.raises(PluginError, match=r"planner Gives must give a remediation\.Plan, got int"):
        plan(problem, Gives(lambda _problem: 5))


def test_a_bound_below_the_value_is_refused(problem):
    with pytest.raises(PluginError, match="bound below the value"):
        plan(problem, Gives(lambda asked: Plan.from_choice(asked, [0, -1], bound=-100.0)))


def test_a_class_in_place_of_a_planner_is_told(problem):
    with pytest.raises(TypeError, match=r"must be an instance, got the class GreedyPlanner"):
        plan(problem, GreedyPlanner)


def test_what_if_takes_one_number_and_refuses_text(problem):
    made = plan(problem)
    assert made.what_if("hours", np.int64(2))["value"].tolist() == [14.0]
    with pytest.raises(TypeError, match="must be numbers"):
        made.what_if("hours", "12")


def test_a_table_in_place_of_a_columns_name_is_not_shown():
    import pandas as pd

    phones = pd.Series(["13800138000"])
    for given in ({"value": phones}, {"value": 1, "eligible": phones}, {"value": 1, "uses": {"b": phones}}):
        with pytest.raises(ValueError, match="Series: give a column's name") as caught:
            Remedy("a", **given)
        assert "13800138000" not in str(caught.value)


def test_numbers_of_numpy_are_numbers():
    assert Resource("budget", np.int64(5)).limit == 5
