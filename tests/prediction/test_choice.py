from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, TimeSeriesSplit

import crmkit
from crmkit import DataError, UnknownPluginError, metrics, prediction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
LABELS = np.where(X[:, 0] + 0.5 * RNG.normal(size=150) > 0, "stay", "go")
NUMBERS = X @ [2.0, 1.0, 0.0, 0.0] + RNG.normal(size=150)


def test_names_are_classifiers_for_labels_and_regressors_for_fractions():
    labels = prediction.select_model(["logistic", "tree"], X, LABELS, evaluator="log-loss", cv=3)
    numbers = prediction.select_model(["linear", "tree"], X, NUMBERS, evaluator="rmse", cv=3)
    assert (labels.name, numbers.name) == ("logistic", "linear")
    assert isinstance(labels.model, prediction.ScaledLogistic)
    assert not labels.greater_is_better


def test_whole_numbers_can_be_said_to_be_numbers():
    counts = np.round(NUMBERS * 10).astype(int)
    choice = prediction.select_model(["linear", "tree"], X, counts, evaluator="mae", cv=3, kind="regressor")
    assert choice.name == "linear"
    assert choice.estimate < np.abs(counts - counts.mean()).mean()


def test_the_model_chosen_is_fitted_on_all_rows():
    choice = prediction.select_model({"only": "logistic"}, X, LABELS, evaluator="accuracy", cv=3)
    expected = crmkit.create("classifier", "logistic").fit(X, LABELS)
    np.testing.assert_array_equal(choice.model.predict_proba(X), expected.predict_proba(X))


def test_candidates_given_by_name_take_the_seed():
    choices = [prediction.select_model(["tree", "forest"], X, LABELS, evaluator="accuracy", cv=3) for _ in range(2)]
    assert [choice.model.get_params()["random_state"] for choice in choices] == [0, 0]
    first, second = (choice.model.predict_proba(X) for choice in choices)
    np.testing.assert_array_equal(first, second)


def test_the_table_has_the_figures_of_each_candidate_best_first():
    candidates = {"weak": LogisticRegression(C=1e-9), "good": LogisticRegression()}
    choice = prediction.select_model(candidates, X, LABELS, evaluator="roc-auc", cv=4)
    table = choice.table
    assert table.index.tolist()[0] == choice.name
    assert table.index.name == "candidate"
    assert table["times_chosen"].sum() == 4
    assert table["chosen"].sum() == 1
    for name, model in candidates.items():
        alone = metrics.cross_validate(model, X, LABELS, evaluators="roc-auc", cv=4)["roc-auc"]
        assert table.loc[name, ["value", "low", "high"]].tolist() == [alone, alone.low, alone.high]


def test_one_candidate_is_judged_as_by_cross_validation():
    choice = prediction.select_model(["logistic"], X, LABELS, evaluator="accuracy")
    alone = metrics.cross_validate(crmkit.create("classifier", "logistic"), X, LABELS, evaluators="accuracy")
    assert (choice.estimate, choice.estimate.low) == (alone["accuracy"], alone["accuracy"].low)


def test_of_equal_candidates_the_first_is_chosen():
    candidates = {"one": LogisticRegression(), "same": LogisticRegression()}
    for evaluator in ("accuracy", "log-loss"):
        choice = prediction.select_model(candidates, X, LABELS, evaluator=evaluator, cv=3)
        assert choice.name == "one"
        assert choice.table.loc["one", "times_chosen"] == 3


def test_scores_are_taken_as_every_candidate_can_give_them():
    choice = prediction.select_model(["logistic", "svm"], X, LABELS, evaluator="roc-auc", cv=3)
    assert choice.estimate > 0.85
    with pytest.raises(DataError, match="needs predict_proba"):
        prediction.select_model(["logistic", "svm"], X, LABELS, evaluator="brier", cv=3)


def test_groups_stay_together_in_the_inner_folds_too():
    # Each customer's rows are copies with a random label: a nearest neighbour that finds the copy is always right.
    people = RNG.normal(size=(40, 3))
    who = np.repeat(np.arange(40), 4)
    table, labels = people[who], RNG.integers(0, 2, 40)[who]
    candidates = {"tree": crmkit.create("classifier", "tree", min_samples_leaf=1, random_state=0)}
    leaking = prediction.select_model(candidates, table, labels, evaluator="accuracy", cv=4)
    honest = prediction.select_model(candidates, table, labels, evaluator="accuracy", cv=4, groups=who)
    assert leaking.estimate == 1
    assert honest.estimate.low <= 0.5 <= honest.estimate.high
    assert honest.estimate.n == 40
    assert honest.table.loc["tree", "value"] < 0.8


def test_the_order_of_rows_changes_nothing():
    rows = RNG.permutation(150)
    first = prediction.select_model(["logistic", "tree"], X, LABELS, evaluator="accuracy", cv=3)
    second = prediction.select_model(["logistic", "tree"], X[rows], LABELS[rows], evaluator="accuracy", cv=3)
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.estimate == second.estimate


def test_time_order_is_kept_in_both_layers():
    choice = prediction.select_model(["logistic", "tree"], X, LABELS, evaluator="accuracy", cv=TimeSeriesSplit(3))
    assert choice.estimate.n == 111


def test_folds_given_as_positions_need_inner_folds_of_their_own():
    pairs = list(KFold(3).split(X))
    with pytest.raises(DataError, match="inner_cv must be a number of folds or a splitter"):
        prediction.select_model(["logistic"], X, LABELS, evaluator="accuracy", cv=pairs)
    choice = prediction.select_model(["logistic"], X, LABELS, evaluator="accuracy", cv=pairs, inner_cv=2)
    assert choice.estimate > 0.7


def test_it_tells_how_the_choice_was_made():
    choice = prediction.select_model(["logistic", "tree"], X, LABELS, evaluator="accuracy", cv=3)
    assert repr(choice).startswith(f"{choice.name}, chosen of 2 by accuracy (in ")
    assert "<caption>" in choice._repr_html_()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"candidates": []}, DataError, "no candidate"),
        ({"candidates": "logistic"}, DataError, "mapping or a list, got str"),
        ({"candidates": [LogisticRegression(), LogisticRegression()]}, DataError, "two candidates have one name"),
        ({"candidates": ["logistik"]}, UnknownPluginError, "nearest: logistic"),
        ({"candidates": [LogisticRegression(), prediction.ScaledRidge()]}, DataError, "all classifiers or all"),
        ({"kind": "clusterer"}, DataError, "kind must be"),
        ({"evaluator": lambda a, p: float((a == p).mean())}, DataError, "nobody said whether a greater 'lambda'"),
        ({"y": LABELS[:-1]}, DataError, "X has 150, y has 149"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(change, error, match):
    given = {"candidates": ["logistic"], "X": X, "y": LABELS, "evaluator": "accuracy"} | change
    with pytest.raises(error, match=match):
        prediction.select_model(**given)
