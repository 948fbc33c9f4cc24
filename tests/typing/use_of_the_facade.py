"""What a type checker must understand of the facade: this file is checked, not run."""

from __future__ import annotations

from typing import assert_type

import pandas as pd

import crmkit
from crmkit import Estimate, PluginSpec
from crmkit.core.predicate import Evaluated, parse

assert_type(crmkit.available("segmenter"), tuple[str, ...])
assert_type(crmkit.available(), tuple[PluginSpec, ...])
estimate = Estimate(0.5, n=10, low=0.2, high=0.8)
assert_type(estimate.value, float)
assert_type(parse("a > 1").evaluate(pd.DataFrame({"a": [1.0]})), Evaluated)
try:
    crmkit.create("segmenter", "kmean")
except crmkit.UnknownPluginError as error:
    assert_type(error, crmkit.UnknownPluginError)
