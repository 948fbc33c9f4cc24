from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

import crmkit
from crmkit import prediction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
BENT = (X[:, 2] ** 2 > 0.5).astype(int)
LINEAR = np.where(X[:, 1] + X[:, 4] > 0, "yes", "no")
NUMBERS = np.sin(2 * X[:, 3]) + 0.1 * RNG.normal(size=300)


def test_information_sees_bends_where_a_difference_of_means_does_not():
    information = crmkit.create("feature-selector", "information-gain", k=1, random_state=0).fit(X, BENT)
    assert information.get_support(indices=True).tolist() == [2]
    assert information.scores_ == pytest.approx(mutual_info_classif(X, BENT, random_state=0))


def test_information_about_a_number():
    information = prediction.InformationGain(k=1, random_state=0).fit(X, NUMBERS)
    assert information.get_support(indices=True).tolist() == [3]
    assert information.scores_ == pytest.approx(mutual_info_regression(X, NUMBERS, random_state=0))


def test_whole_numbers_are_labels_unless_said_otherwise():
    counts = RNG.poisson(np.exp(X[:, 5]))
    as_number = prediction.InformationGain(k=1, target="number", random_state=0).fit(X, counts)
    assert as_number.scores_ == pytest.approx(mutual_info_regression(X, counts, random_state=0))
    as_label = prediction.InformationGain(k=1, random_state=0).fit(X, counts)
    assert as_label.scores_ == pytest.approx(mutual_info_classif(X, counts, random_state=0))


@pytest.mark.parametrize("k", ["all", 6, 100])
def test_no_more_columns_are_kept_than_there_are(k):
    assert prediction.InformationGain(k=k, random_state=0).fit_transform(X, BENT).shape == (300, 6)
    if k != "all":
        assert prediction.RecursiveElimination(k=k).fit_transform(X, LINEAR).shape == (300, 6)


def test_of_equal_columns_the_first_stays():
    table = np.column_stack([np.zeros(300), BENT, BENT])
    selector = prediction.InformationGain(k=1, discrete_features=True).fit(table, BENT)
    assert selector.get_support().tolist() == [False, True, False]


def test_sparse_counts_are_taken():
    table = sparse.csr_matrix(np.column_stack([RNG.integers(0, 2, 300), BENT]))
    assert prediction.InformationGain(k=1).fit(table, BENT).get_support().tolist() == [False, True]


def test_names_of_the_columns_that_stay():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    selector = prediction.RecursiveElimination(k=2).fit(frame, LINEAR)
    assert selector.get_feature_names_out().tolist() == ["b", "e"]


def test_elimination_does_not_depend_on_units():
    units = np.array([1.0, 1e-6, 1.0, 1e9, 1e6, 1.0])
    selector = prediction.RecursiveElimination(k=2).fit(X * units, LINEAR)
    assert selector.get_support(indices=True).tolist() == [1, 4]
    assert selector.ranking_[[1, 4]].tolist() == [1, 1]


def test_elimination_for_numbers_and_by_another_model():
    linear = X @ [0, 5.0, 0, 0, 0, 2.0] + 0.1 * RNG.normal(size=300)
    assert prediction.RecursiveElimination(k=2).fit(X, linear).get_support(indices=True).tolist() == [1, 5]
    forest = RandomForestClassifier(20, random_state=0)
    by_trees = prediction.RecursiveElimination(forest, k=1).fit(X, BENT)
    assert by_trees.get_support(indices=True).tolist() == [2]
