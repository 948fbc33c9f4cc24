"""Estimates are floats that know how sure they are."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from crmkit import Estimate


@pytest.fixture
def csat():
    return Estimate(0.6, n=5, low=0.23, high=0.88, method="wilson")


def test_it_is_a_float_to_everyone_else(csat):
    assert isinstance(csat, float)
    assert json.dumps(csat) == "0.6"
    assert f"{csat:.0%}" == "60%"
    assert np.mean([csat, 0.4]) == pytest.approx(0.5)
    assert sorted([csat, 0.5]) == [0.5, csat]


def test_arithmetic_gives_plain_floats(csat):
    assert type(csat + 0) is float
    assert type(-csat) is float
    assert type(csat.value) is float


def test_it_shows_value_interval_n_and_method(csat):
    assert repr(csat) == "0.6 [0.23, 0.88] (n=5, 95% wilson)"
    assert str(csat) == repr(csat)
    assert repr(Estimate(1.0, n=2, low=0, high=2)) == "1 [0, 2] (n=2, 95%)"


def through_pickle(estimate):
    return pickle.loads(pickle.dumps(estimate))  # noqa: S301 -- joblib sends results so; the bytes are our own


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle])
def test_copies_keep_the_interval(csat, again):
    other = again(csat)
    assert (other.value, other.n, other.low, other.high, other.level, other.method) == (
        0.6,
        5,
        0.23,
        0.88,
        0.95,
        "wilson",
    )


def test_it_equals_and_hashes_as_its_value(csat):
    assert csat == 0.6
    assert {csat: 1}[0.6] == 1
