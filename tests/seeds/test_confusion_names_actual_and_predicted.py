"""A confusion table with its sides exchanged turns misses into false alarms."""

from __future__ import annotations

import pytest

from crmkit import metrics

ACTUAL, PREDICTED = [1, 1, 1, 0, 0], [1, 0, 0, 0, 1]


@pytest.mark.parametrize("labels", [None, [0, 1], [1, 0]])
def test_hits_misses_and_false_alarms_stand_where_their_names_say(labels):
    table = metrics.confusion(ACTUAL, PREDICTED, labels=labels)
    true_positive, false_negative = table.loc[1, 1], table.loc[1, 0]
    false_positive, true_negative = table.loc[0, 1], table.loc[0, 0]
    assert (true_positive, false_negative, false_positive, true_negative) == (1, 2, 1, 1)
    assert (table.index.name, table.columns.name) == ("actual", "predicted")


def test_recall_and_precision_read_the_sides_the_same_way():
    assert metrics.recall(ACTUAL, PREDICTED, average="binary") == 1 / 3
    assert metrics.precision(ACTUAL, PREDICTED, average="binary") == 1 / 2
