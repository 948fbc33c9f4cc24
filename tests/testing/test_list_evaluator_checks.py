"""Evaluators of recommended lists are checked on lists that are right and on lists that are wrong."""

from __future__ import annotations

import sys
import types

import pytest

import crmkit
from crmkit import PluginSpec
from crmkit.testing import ConformanceError, check_plugin


def misses(recommended, relevant):
    """Give the share of relevant pairs that no list holds."""
    pair = ["customer_id", "item_id"]
    return 1 - len(relevant.merge(recommended, on=pair)) / len(relevant)


def meddler(recommended, relevant):
    """Number the lists anew."""
    found = 1 - misses(recommended, relevant)
    recommended["rank"] = 1
    return found


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch):
    module = types.ModuleType("list_evaluators_under_test")
    module.misses, module.meddler = misses, meddler
    monkeypatch.setitem(sys.modules, "list_evaluators_under_test", module)


def spec(name, *, greater_is_better):
    return PluginSpec(
        kind="evaluator",
        name="under-test",
        target=f"list_evaluators_under_test:{name}",
        summary="Under test.",
        inputs=("recommended", "relevant"),
        facts={"response": "recommend", "greater_is_better": greater_is_better},
    )


@pytest.mark.parametrize("given", [("misses", True), ("meddler", True)])
def test_an_evaluator_of_lists_that_is_wrong_is_told(given):
    name, greater = given
    with pytest.raises(ConformanceError, match="prefers_the_right_lists"):
        check_plugin(spec(name, greater_is_better=greater))


def test_an_evaluator_of_lists_that_is_right_passes():
    assert check_plugin(spec("misses", greater_is_better=False)).failed == ()


@pytest.mark.parametrize("name", ["ndcg", "recall-at-n", "precision-at-n", "hit-rate", "map", "mrr"])
def test_the_built_in_ones_pass(name):
    built_in = next(one for one in crmkit.available() if (one.kind, one.name) == ("evaluator", name))
    assert check_plugin(built_in).failed == ()
