"""Ridge regression on label numbers answers 1.4; a classifier answers with a label."""

from __future__ import annotations

import numpy as np
from sklearn.base import is_classifier, is_regressor

import crmkit
from crmkit import metrics

TEXTS = ["refund slow", "refund never came", "card lost", "card stolen", "app crashes", "app is slow"] * 4
LABELS = ["refund", "refund", "card", "card", "app", "app"] * 4


def test_text_ridge_is_a_classifier_by_every_mark():
    model = crmkit.create("classifier", "text-ridge")
    assert is_classifier(model)
    assert not is_regressor(model)


def test_text_ridge_answers_with_labels_it_was_given():
    model = crmkit.create("classifier", "text-ridge").fit(TEXTS, LABELS)
    assert model.classes_.tolist() == ["app", "card", "refund"]
    assert model.predict(["my card was stolen", "where is my refund"]).tolist() == ["card", "refund"]
    assert model.decision_function(["card"]).shape == (1, 3)


def test_text_ridge_with_number_labels_gives_none_in_between():
    numbers = np.unique(LABELS, return_inverse=True)[1]
    result = metrics.cross_validate(crmkit.create("classifier", "text-ridge"), TEXTS, numbers, evaluators="accuracy")
    assert set(result.predictions["predicted"]) <= {0, 1, 2}
    assert result["accuracy"] > 0.9
