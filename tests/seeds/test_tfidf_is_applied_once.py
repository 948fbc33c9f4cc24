"""TF-IDF of TF-IDF counts rare words twice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

import crmkit
from crmkit.text import TextFeatures

TEXTS = ["refund slow refund", "refund fast", "card lost", "card stolen card slow", "fast card"]
LABELS = ["money", "money", "card", "card", "card"]


def _by_hand(texts):
    """Give TF-IDF by its definition: counts times ln((1 + n) / (1 + df)) + 1, rows of length one."""
    terms = sorted({term for text in texts for term in text.split()})
    counts = np.array([[text.split().count(term) for term in terms] for text in texts], dtype=float)
    weights = counts * (np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1)
    return terms, weights / np.linalg.norm(weights, axis=1, keepdims=True)


def test_features_are_weighted_once():
    features = TextFeatures(words=(1, 1), chars=(0, 0))
    got = features.fit_transform(TEXTS).toarray()
    terms, expected = _by_hand(TEXTS)
    assert features.get_feature_names_out().tolist() == [f"word:{term}" for term in terms]
    np.testing.assert_allclose(got, expected, atol=1e-6)
    twice = TfidfVectorizer().fit(TEXTS).idf_ * expected
    twice /= np.linalg.norm(twice, axis=1, keepdims=True)
    assert not np.allclose(got, twice, atol=1e-2)


@pytest.mark.parametrize("name", ["text-svm", "text-logistic", "text-ridge", "text-tree", "text-forest"])
def test_classifiers_learn_from_what_was_weighted_once(name):
    features = TextFeatures(words=(1, 1), chars=(0, 0))
    model = crmkit.create("classifier", name, features=features).fit(TEXTS, LABELS)
    given = []
    learner = model.learner_
    original = learner.predict
    learner.predict = lambda values: given.append(values) or original(values)
    model.predict(TEXTS)
    np.testing.assert_allclose(given[0].toarray(), _by_hand(TEXTS)[1], atol=1e-6)
