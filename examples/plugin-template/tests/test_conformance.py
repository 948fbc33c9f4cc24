"""The distribution passes crmkit's own checks, and crmkit finds it once it is installed."""

from __future__ import annotations

import numpy as np
import pytest
from crmkit_spend_bands import SPECS

import crmkit
from crmkit.testing import check_plugin, parametrize_with_plugin_checks


@parametrize_with_plugin_checks(SPECS)
def test_conformance(check):
    check()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_number_of_checks_is_told(spec):
    assert check_plugin(spec).ran >= 7


def test_crmkit_finds_and_makes_it():
    bands = crmkit.create("segmenter", "spend-bands", n_bands=2).fit(np.array([[1.0], [2.0], [30.0], [40.0]]))
    assert bands.predict([[5.0], [100.0]]).tolist() == [1, 1]
    assert "median-absolute-error" in crmkit.available("evaluator")
