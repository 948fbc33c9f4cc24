"""A scaler or selector fitted on all rows lets test rows leak into the training features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

import crmkit
from crmkit import metrics, preparation

RNG = np.random.default_rng(0)
X = RNG.exponential(size=(60, 8))
Y = (X[:, 0] + RNG.normal(size=60) > 1).astype(int)
FOLDS = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, Y))


def _fitted(table):
    model = make_pipeline(
        preparation.skewed_pipeline("robust", scale="median"),
        crmkit.create("feature-selector", "k-best", k=4),
        crmkit.create("classifier", "logistic"),
    )
    return metrics.cross_validate(model, table, Y, evaluators="accuracy", cv=FOLDS, keep_models=True).models


@pytest.mark.parametrize("fold", range(5))
def test_a_test_row_changed_by_a_billion_changes_no_training_feature(fold):
    train, test = FOLDS[fold]
    changed = X.copy()
    changed[test[0]] += 1e9
    before, after = _fitted(X)[fold], _fitted(changed)[fold]
    np.testing.assert_array_equal(before[:-1].transform(X[train]), after[:-1].transform(changed[train]))
    np.testing.assert_array_equal(before[-1].coef_, after[-1].coef_)


def test_a_training_row_changed_by_a_billion_does_change_them():
    # The test above could not fail if nothing were learned from the rows.
    train, _ = FOLDS[0]
    changed = X.copy()
    changed[train[0]] += 1e9
    before, after = _fitted(X)[0], _fitted(changed)[0]
    rest = train[1:]
    assert not np.array_equal(before[:-1].transform(X[rest]), after[:-1].transform(X[rest]))
