"""Standard errors as users give them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation import Problem, Remedy, Resource, plan, verify

CASES = pd.DataFrame({"case_id": ["a", "b", "c"], "worth": [10.0, 4.0, 6.0], "sure": [1.0, 2.0, 0.0]})


def test_errors_are_columns_numbers_or_expressions():
    remedies = [
        Remedy("call", value="worth", error="sure", shared_error="0.1 * worth"),
        Remedy("mail", value=1, error=2),
        Remedy("visit", value=2),
    ]
    own, shared = Problem(CASES, remedies).errors()
    assert own.tolist() == [[1, 2, 0], [2, 2, 0], [0, 2, 0]]
    assert shared == pytest.approx(np.array([[1.0, 0, 0], [0.4, 0, 0], [0.6, 0, 0]]))


def test_no_errors_are_none():
    assert Problem(CASES, [Remedy("call", value="worth")]).errors() == (None, None)
    own, shared = Problem(CASES, [Remedy("call", value="worth", shared_error=1)]).errors()
    assert own is None
    assert shared.tolist() == [[1.0], [1.0], [1.0]]


def test_a_missing_error_makes_the_case_not_eligible_and_is_counted():
    cases = CASES.assign(sure=[1.0, np.nan, np.nan])
    with pytest.warns(DataWarning, match=r"error of remedy 'call': 2"):
        problem = Problem(cases, [Remedy("call", value="worth", error="sure")])
    made = plan(problem)
    assert made.choice.tolist() == [0, -1, -1]
    assert verify(made, problem).ok
    assert not verify({"case_id": ["a", "b", "c"], "remedy": ["call", "call", "nothing"]}, problem).ok
    assert problem.errors()[0].tolist() == [[1.0], [0.0], [0.0]]


@pytest.mark.parametrize("what", ["error", "shared_error"])
def test_a_negative_error_is_refused_by_position(what):
    cases = CASES.assign(sure=[1.0, -2.0, 1.0])
    with pytest.raises(DataError, match=rf"{what} of remedy 'call' is negative in .*1"):
        Problem(cases, [Remedy("call", value="worth", **{what: "sure"})])


def test_a_negative_error_where_the_remedy_may_not_be_given_does_not_matter():
    cases = CASES.assign(sure=[1.0, -2.0, 1.0])
    problem = Problem(cases, [Remedy("call", value="worth", error="sure", eligible="sure > 0")])
    assert problem.errors()[0].tolist() == [[1.0], [0.0], [1.0]]


@pytest.mark.parametrize("wrong", [np.inf, True, "", ["sure"]])
def test_an_error_that_is_no_formula_is_refused(wrong):
    with pytest.raises(ValueError, match="error of remedy 'call' must be a column name"):
        Remedy("call", value=1, error=wrong)


def test_text_as_an_error_is_refused():
    with pytest.raises(DataError, match="must be a number for each case"):
        Problem(CASES, [Remedy("call", value=1, error="case_id")])


def test_arrays_and_options_give_the_same_errors():
    made = Problem.from_arrays([[1.0, 2.0]], uses={}, limits={}, errors=[[3.0, 4.0]], shared_errors=0.5)
    options = {"case_id": ["a", "a"], "remedy": ["x", "y"], "value": [1.0, 2.0], "error": [3.0, 4.0],
               "shared_error": [0.5, 0.5]}  # fmt: skip
    listed = Problem.from_options(options)
    for problem in (made, listed):
        assert [table.tolist() for table in problem.errors()] == [[[3.0, 4.0]], [[0.5, 0.5]]]
    with pytest.raises(DataError, match="errors must have the shape of value"):
        Problem.from_arrays([[1.0, 2.0]], uses={}, limits={}, errors=[[1.0, 2.0, 3.0]])


def test_held_out_cases_have_no_errors_and_other_bounds_keep_them():
    problem = Problem(
        CASES,
        [Remedy("call", value="worth", error=1, uses={"hours": 1})],
        [Resource("hours", 2)],
        holdout=crmkit.remediation.Holdout(0.4),
    )
    own, _ = problem.errors()
    assert own.ravel().tolist() == np.where(problem.held_out, 0.0, 1.0).tolist()
    assert problem.with_bounds({"hours": 1}).errors()[0].tolist() == own.tolist()


def test_errors_survive_saving(tmp_path):
    problem = Problem(CASES, [Remedy("call", value="worth", error="sure", shared_error=0.5)])
    crmkit.save(plan(problem), tmp_path / "plan")
    again = crmkit.load(tmp_path / "plan").problem
    assert again.remedies == problem.remedies
    assert again.errors()[0].tolist() == problem.errors()[0].tolist()
