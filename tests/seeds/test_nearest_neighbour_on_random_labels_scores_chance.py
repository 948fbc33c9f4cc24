"""Scored on its own training rows, a nearest neighbour is always right."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from crmkit import metrics


def test_a_nearest_neighbour_on_random_labels_scores_about_one_half():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 3)), rng.integers(0, 2, 500)
    model = KNeighborsClassifier(n_neighbors=1)
    got = metrics.cross_validate(model, X, y, evaluators="accuracy")["accuracy"]
    assert metrics.accuracy(y, model.fit(X, y).predict(X)) == 1
    assert 0.42 < got < 0.58
    assert got.low <= 0.5 <= got.high
