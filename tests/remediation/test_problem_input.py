"""What a problem makes of columns without anything, arrays of yes and no, and copies of it."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict

import numpy as np
import pytest

from crmkit import remediation
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation import Problem, Remedy, Resource


@pytest.mark.parametrize("empty", [[np.nan], [None]])
def test_a_column_of_which_nothing_is_known_is_missing(empty):
    cases = {"case_id": [1, 2], "worth": [3.0, 2.0], "segment": ["x", "y"]}
    made = remediation.plan(Problem(cases, [Remedy("call", value="worth", eligible="segment == 'x'")]))
    for other in ({"segment": empty, "worth": [1.0]}, {"segment": ["x"], "worth": empty}):
        with pytest.warns(DataWarning, match="1 of 1 cases"):
            assert made.assign({"case_id": ["n"], **other})["remedy"].tolist() == ["nothing"]


def test_arrays_of_yes_and_no_must_say_which():
    with pytest.raises(DataError, match="the mask of 'few' is missing in row 0"):
        Problem.from_arrays([[1.0], [2.0]], uses={}, limits={}, caps={"few": ([np.nan, 0], 0)})
    with pytest.raises(DataError, match="eligible is missing in row 1"):
        Problem.from_arrays([[1.0], [2.0]], uses={}, limits={}, eligible=[[1], [np.nan]])


def test_remedies_named_by_numbers_are_read():
    problem = Problem.from_options({"case_id": [1, 1], "remedy": [10, 20], "value": [1.0, 2.0]})
    assert remediation.plan(problem).table["remedy"].tolist() == ["20"]


def test_terms_and_problems_can_be_copied_and_sent_to_other_processes():
    remedy = Remedy("call", value="worth", uses={"hours": 1})
    problem = Problem({"case_id": [1], "worth": [2.0]}, [remedy], [Resource("hours", 1)])
    assert copy.deepcopy(remedy) == remedy
    assert asdict(remedy)["uses"] == {"hours": 1}
    assert remediation.plan(pickle.loads(pickle.dumps(problem))).value == 2.0  # noqa: S301 -- of our own making, as joblib does
