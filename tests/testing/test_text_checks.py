"""The list for text classifiers finds what is wrong with one."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.testing import text_checks as checks
from crmkit.text import TextNaiveBayes


class Takes(TextNaiveBayes):
    """A classifier that takes what it should refuse."""

    def fit(self, X, y):
        return super().fit([str(text) for text in X], y)

    def predict(self, X):
        return super().predict([str(text) for text in X])

    def decision_function(self, X):
        return super().decision_function([str(text) for text in X])


class Remembers(TextNaiveBayes):
    """A classifier that changes when it predicts."""

    def decision_function(self, X):
        self.last_ = len(X)
        return super().decision_function(X)


class Draws(TextNaiveBayes):
    """A classifier that ignores its seed."""

    _rng = np.random.default_rng()

    def decision_function(self, X):
        return super().decision_function(X) + self._rng.normal(size=len(X))


class Upside(TextNaiveBayes):
    """A classifier whose scores point the other way."""

    def decision_function(self, X):
        return -super().decision_function(X)


class Centred(TextNaiveBayes):
    """A classifier whose answer depends on the texts beside it."""

    def decision_function(self, X):
        scores = super().decision_function(X)
        return scores - scores.mean(axis=0)


class Forgets(TextNaiveBayes):
    """A classifier whose clone has another parameter."""

    def __init__(self, *, alpha=0.1):
        super().__init__(alpha=alpha + 2)


class Untagged(TextNaiveBayes):
    """A classifier that says it takes a table of numbers."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        return tags


@pytest.mark.parametrize(
    ("broken", "check", "message"),
    [
        (Takes, checks.check_bytes_are_refused, "bytes must be refused"),
        (Takes, checks.check_one_text_is_refused, "one text instead of a list must be refused"),
        (Takes, checks.check_missing_text_counts_as_empty, "None in training"),
        (Remembers, checks.check_predict_changes_nothing, "must not add or drop attributes"),
        (Draws, checks.check_same_seed_same_result, "the same seed: the scores differ"),
        (Draws, checks.check_input_forms_give_the_same, "the scores differ"),
        (Upside, checks.check_classes_and_scores, "scores and labels disagree"),
        (Centred, checks.check_order_of_texts_does_not_matter_at_prediction, "alone and among others"),
        (Untagged, checks.check_input_tags, "'string' must be set"),
    ],
)
def test_a_broken_classifier_is_found_and_told_what_is_wrong(broken, check, message):
    with pytest.raises(AssertionError, match=message):
        check(broken)


def test_a_clone_that_differs_is_found():
    with pytest.raises(RuntimeError, match="Cannot clone"):
        checks.check_clone(Forgets)


def test_every_check_is_in_the_list_once():
    defined = {name for name in vars(checks) if name.startswith("check_")}
    assert sorted(check.__name__ for check in checks.TEXT_CHECKS) == sorted(defined)
