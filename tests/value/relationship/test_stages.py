from __future__ import annotations

import numpy as np
import pytest

from crmkit import DataError
from crmkit.value.relationship._stages import ACTIVE_BELOW, GAP_BELOW, read_ladder


def _severity(p_gap, p_active, **changes):
    given = {"gap_below": None, "active_below": None, "usual_from": 0.5, **changes}
    return read_ladder(**given).severity(np.atleast_1d(p_gap), np.atleast_1d(p_active)).tolist()


def test_the_worse_of_the_two_signs_decides():
    assert _severity([0.4, 0.19, 0.009, 0.0009], [1.0] * 4) == [0, 1, 2, 3]
    assert _severity([0.4] * 4, [0.7, 0.69, 0.49, 0.09]) == [0, 1, 2, 3]
    assert _severity(0.19, 0.05) == [3]


def test_a_usual_silence_is_never_late():
    assert _severity([0.5, 0.49], [0.0, 0.0]) == [0, 3]
    assert _severity(0.6, 0.0, usual_from=0.7) == [3]


def test_thresholds_that_are_not_given_stay_as_they_are():
    assert _severity(0.05, 1.0, gap_below={"lapsed": 0.1}) == [2]
    assert _severity(0.15, 1.0, gap_below={"lapsed": 0.1}) == [1]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"gap_below": {"late": 0.1}}, "gap_below is for at-risk, lapsed, lost, got late"),
        ({"gap_below": 0.1}, "gap_below must map stages to probabilities, got float"),
        ({"active_below": {"lost": 0.6}}, "active_below must not rise"),
        ({"active_below": {"lost": -0.1}}, "probabilities between 0 and 1"),
        ({"active_below": {"lost": True}}, "probabilities between 0 and 1"),
        ({"active_below": {"lost": float("nan")}}, "probabilities between 0 and 1"),
        ({"usual_from": 0.1}, "usual_from must be a probability of at least"),
        ({"usual_from": "half"}, "usual_from must be a probability of at least"),
    ],
)
def test_thresholds_that_make_no_ladder_are_refused(changes, match):
    with pytest.raises(DataError, match=match):
        _severity(0.5, 0.5, **changes)


def test_the_declared_thresholds_are_those_of_the_documentation():
    assert dict(GAP_BELOW) == {"at-risk": 0.2, "lapsed": 0.01, "lost": 0.001}
    assert dict(ACTIVE_BELOW) == {"at-risk": 0.7, "lapsed": 0.5, "lost": 0.1}
