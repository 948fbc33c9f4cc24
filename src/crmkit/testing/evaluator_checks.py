"""What every evaluator must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import blobs

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_says_which_way_is_better(plugin: Plugin) -> None:
    """Selection must know whether greater is better."""
    fact = plugin.spec.facts.get("greater_is_better")
    assert isinstance(fact, bool), "facts must say greater_is_better: True or False"
    assert plugin.spec.inputs, "inputs must name the columns it is given"


def check_prefers_the_right_predictions(plugin: Plugin) -> None:
    """On actual and predicted labels or numbers, right answers score no worse than wrong ones."""
    import numpy as np

    if plugin.spec.inputs != ("actual", "predicted") or plugin.spec.facts.get("response", "predict") != "predict":
        return
    actual = np.array([0, 1, 1, 0, 1, 0, 1, 0])
    evaluate = plugin.make()
    right, wrong = float(evaluate(actual, actual)), float(evaluate(actual, 1 - actual))
    better = right >= wrong if plugin.spec.facts["greater_is_better"] else right <= wrong
    assert better, f"right answers score {right:.3g}, wrong ones {wrong:.3g}: greater_is_better points the wrong way"


def check_inputs_are_left_alone(plugin: Plugin) -> None:
    """The caller's arrays are not changed."""
    if plugin.spec.inputs != ("actual", "predicted") or plugin.spec.facts.get("response", "predict") != "predict":
        return
    _, groups = blobs(30)
    actual, predicted = (groups > 0).astype(int), (groups > 1).astype(int)
    copies = actual.copy(), predicted.copy()
    plugin.make()(actual, predicted)
    assert (actual == copies[0]).all(), "actual was changed"
    assert (predicted == copies[1]).all(), "predicted was changed"


def check_prefers_the_right_lists(plugin: Plugin) -> None:
    """On lists and what was relevant, right lists score no worse than wrong ones, and the tables are left alone."""
    import pandas as pd

    if plugin.spec.inputs != ("recommended", "relevant"):
        return
    customers, ranks = [*"aabbcc"], [1, 2] * 3
    relevant = pd.DataFrame({"customer_id": customers, "item_id": [*"xyxzyz"]})
    right = relevant.assign(rank=ranks)
    wrong = right.assign(item_id=[*"pqpqpq"])
    copies = right.copy(), relevant.copy()
    evaluate = plugin.make()
    best, worst = float(evaluate(right, relevant)), float(evaluate(wrong, relevant))
    better = best > worst if plugin.spec.facts["greater_is_better"] else best < worst
    assert better, f"right lists score {best:.3g}, wrong ones {worst:.3g}: greater_is_better points the wrong way"
    assert right.equals(copies[0]), "recommended was changed"
    assert relevant.equals(copies[1]), "relevant was changed"


CHECKS = (
    check_says_which_way_is_better,
    check_prefers_the_right_predictions,
    check_prefers_the_right_lists,
    check_inputs_are_left_alone,
)
