"""Columns that are equal: merged before learning, and no weight is another for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC

from crmkit.text import TextFeatures, TextSVM
from crmkit.text.classifying._equal_columns import merge_equal_columns

TABLES = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 8)), elements=st.sampled_from([0.0, 0.5, 1.0]))
TEXTS = ["where is my card", "my card is lost", "refund please", "I want a refund", "cash was swallowed", "no cash"]


@given(TABLES)
def test_each_distinct_column_is_kept_once_and_in_order(table):
    merged, place, root = merge_equal_columns(sparse.csr_matrix(table))
    distinct = list(dict.fromkeys(map(tuple, table.T)))
    assert np.allclose(merged.toarray() / root, np.array(distinct).T)
    assert [distinct[at] for at in place] == list(map(tuple, table.T))


@given(TABLES)
def test_products_of_rows_stay(table):
    merged, _, _ = merge_equal_columns(sparse.csr_matrix(table))
    assert np.allclose((merged @ merged.T).toarray(), table @ table.T)


@pytest.mark.parametrize("kind", [sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.bool_])
def test_counts_and_other_forms_of_tables_are_taken(kind, dtype):
    merged, place, _ = merge_equal_columns(kind(np.array([[1, 0, 1], [0, 1, 0]], dtype=dtype)))
    assert merged.toarray() == pytest.approx(np.array([[np.sqrt(2), 0], [0, 1]]))
    assert place.tolist() == [0, 1, 0]


def test_the_table_given_is_not_changed():
    table = sparse.csr_matrix([[1.0, 1.0]])
    merge_equal_columns(table)
    assert table.toarray().tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 0, 1], [0, 0, 1, 1, 2, 2]])
def test_support_vectors_weigh_the_columns_as_they_would_unmerged(labels):
    values = TextFeatures().fit_transform(TEXTS)
    merged, place, root = merge_equal_columns(values)
    assert merged.shape[1] < values.shape[1] / 2
    found = LinearSVC(C=0.8, random_state=0).fit(merged, labels)
    usual = LinearSVC(C=0.8, random_state=0).fit(values, labels)
    assert np.abs((found.coef_ / root)[:, place] - usual.coef_).max() < 1e-12
    assert np.abs(found.intercept_ - usual.intercept_).max() < 1e-12


@pytest.mark.parametrize("features", [TextFeatures(), CountVectorizer()])
def test_the_classifier_has_the_weights_of_all_its_features(features):
    labels = ["card", "card", "refund", "refund", "cash", "cash"]
    model = TextSVM(features=features, random_state=0).fit(TEXTS, labels)
    values = model.features_.transform(TEXTS)
    usual = LinearSVC(C=0.8, random_state=0).fit(values, labels)
    assert np.abs(model.learner_.coef_ - usual.coef_).max() < 1e-12
    assert model.decision_function(TEXTS) == pytest.approx(usual.decision_function(values), abs=1e-12)
    assert model.learner_.n_features_in_ == values.shape[1]
