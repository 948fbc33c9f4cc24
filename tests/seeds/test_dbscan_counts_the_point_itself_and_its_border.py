"""DBSCAN that forgets the point itself, or lets border points recruit, draws other clusters."""

from __future__ import annotations

import numpy as np
import pytest

import crmkit

LINE = np.array([0, 0.4, 0.8, 1.2, 5, 9, 9.9]).reshape(-1, 1)
LABELS, CORE = [0, 0, 0, 0, -1, -1, -1], [1, 2]


def _dbscan():
    return crmkit.create("segmenter", "dbscan", eps=0.5, min_samples=3)


def test_a_line_of_seven_points_has_one_cluster_with_two_core_points():
    model = _dbscan().fit(LINE)
    assert np.asarray(model.labels_).tolist() == LABELS
    assert np.asarray(model.core_sample_indices_).tolist() == CORE


@pytest.mark.parametrize("order", [[6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 2, 5, 1, 4]])
def test_the_order_of_the_points_changes_nothing(order):
    labels = _dbscan().fit_predict(LINE[order])
    assert np.asarray(labels).tolist() == [LABELS[place] for place in order]
