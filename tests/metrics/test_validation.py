from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import metrics as peer
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    KFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from crmkit import DataError, metrics

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
Y = (X[:, 0] + RNG.normal(size=150) > 0).astype(int)
NUMBERS = X @ [1.0, 2.0, 0.0, 0.0] + RNG.normal(size=150)
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
MODEL = LogisticRegression()


class Recorder(ClassifierMixin, BaseEstimator):
    """Answers with the label of the nearest training row, and refuses to be asked about one."""

    def fit(self, X, y):
        self.seen_ = {tuple(row) for row in np.asarray(X)}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        assert not self.seen_ & {tuple(row) for row in np.asarray(X)}, "asked about a row it was fitted on"
        return np.full(len(X), self.classes_[0])


def test_no_row_is_scored_by_a_model_that_has_seen_it():
    result = metrics.cross_validate(Recorder(), X, Y, evaluators="accuracy")
    assert sorted(result.predictions["row"]) == list(range(150))


def test_pooled_predictions_agree_with_scikit_learn():
    result = metrics.cross_validate(MODEL, X, Y, evaluators=["accuracy", "log-loss", "f1"], cv=FOLDS)
    expected = cross_val_predict(MODEL, X, Y, cv=FOLDS)
    assert result.predictions["predicted"].tolist() == expected.tolist()
    assert result.predictions["actual"].tolist() == Y.tolist()
    assert result["accuracy"] == pytest.approx(peer.accuracy_score(Y, expected))
    assert result["accuracy"].n == 150
    chances = cross_val_predict(MODEL, X, Y, cv=FOLDS, method="predict_proba")
    assert result["log-loss"] == pytest.approx(peer.log_loss(Y, chances))


def test_figures_by_fold_agree_with_scikit_learn():
    result = metrics.cross_validate(MODEL, X, Y, evaluators=["roc-auc", "accuracy"], cv=FOLDS)
    assert result.folds["accuracy"].to_numpy() == pytest.approx(cross_val_score(MODEL, X, Y, cv=FOLDS))
    areas = cross_val_score(MODEL, X, Y, cv=FOLDS, scoring="roc_auc")
    assert result.folds["roc-auc"].to_numpy() == pytest.approx(areas)
    # Scores of different models cannot be ordered against each other: the mean over folds is the figure.
    assert result["roc-auc"] == pytest.approx(areas.mean())
    assert result["roc-auc"].method == "delong widened 1.5 times; mean of 5 folds"
    assert result.folds[["n_train", "n_test"]].to_numpy().tolist() == [[120, 30]] * 5


def test_the_table_has_a_row_an_evaluator():
    table = metrics.cross_validate(MODEL, X, Y, evaluators=["accuracy", "log-loss"]).table
    assert table.index.tolist() == ["accuracy", "log-loss"]
    assert table["greater_is_better"].tolist() == [True, False]
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()


def test_displays_tell_the_figures():
    result = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy")
    assert "accuracy: 0." in repr(result)
    assert "wilson widened 1.5 times; 5 folds pooled" in result._repr_html_()


@pytest.mark.parametrize(
    ("model", "y", "table"),
    [
        (MODEL, Y, X),
        (MODEL, np.where(Y, "Yes", "No"), pd.DataFrame(X, columns=list("abcd"))),
        (LinearRegression(), NUMBERS, X),
        (MODEL, Y, sparse.csr_matrix(np.round(X))),
    ],
)
@pytest.mark.parametrize("groups", [None, RNG.integers(0, 30, 150)])
def test_the_order_of_rows_changes_nothing(model, y, table, groups):
    evaluators = ["accuracy", "log-loss"] if model is MODEL else ["rmse", "mae"]
    rows = np.random.default_rng(1).permutation(150)
    shuffled = table.iloc[rows] if hasattr(table, "iloc") else table[rows]
    first = metrics.cross_validate(model, table, y, evaluators=evaluators, groups=groups, n_resamples=20)
    second = metrics.cross_validate(
        model,
        shuffled,
        y[rows],
        evaluators=evaluators,
        groups=None if groups is None else groups[rows],
        n_resamples=20,
    )
    for name in evaluators:
        assert first[name] == pytest.approx(second[name], abs=1e-9)


def test_sorted_labels_are_shuffled_into_the_folds():
    order = np.argsort(Y)
    result = metrics.cross_validate(DummyClassifier(), X[order], Y[order], evaluators="accuracy", cv=5)
    assert result.folds["accuracy"].std() < 0.05


def test_texts_and_their_vectorizer_are_fitted_inside_the_folds():
    texts = ["退款 慢", "好 快", "refund slow", "good fast"] * 10
    labels = ["bad", "good", "bad", "good"] * 10
    model = make_pipeline(CountVectorizer(analyzer=str.split), MultinomialNB())
    for given in (texts, pd.Series(texts), np.array(texts)):
        assert metrics.cross_validate(model, given, labels, evaluators="accuracy")["accuracy"] == 1


def test_polars_tables_are_taken():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({name: X[:, place] for place, name in enumerate("abcd")})
    result = metrics.cross_validate(MODEL, frame, polars.Series(Y), evaluators="accuracy")
    expected = metrics.cross_validate(MODEL, pd.DataFrame(X, columns=list("abcd")), Y, evaluators="accuracy")
    assert result["accuracy"] == expected["accuracy"]


class TestGroups:
    GROUPS = np.repeat(np.arange(30), 5)

    def test_rows_of_a_group_stay_on_one_side(self):
        result = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", groups=self.GROUPS)
        folds = result.predictions.assign(group=self.GROUPS).groupby("group")["fold"].nunique()
        assert folds.max() == 1

    def test_evidence_is_counted_in_groups(self):
        # Every row five times: 150 rows know no more than 30.
        table, y = np.repeat(X[:30], 5, axis=0), np.repeat(Y[:30], 5)
        naive = metrics.cross_validate(MODEL, table, y, evaluators="accuracy")
        honest = metrics.cross_validate(MODEL, table, y, evaluators="accuracy", groups=self.GROUPS)
        assert honest["accuracy"].n == 30
        assert honest["accuracy"].method == "bootstrap over groups widened 1.5 times; 5 folds pooled"
        assert naive["accuracy"] > honest["accuracy"]

    def test_regressors_keep_groups_together_too(self):
        result = metrics.cross_validate(LinearRegression(), X, NUMBERS, evaluators="mae", groups=self.GROUPS)
        assert result.predictions.assign(group=self.GROUPS).groupby("group")["fold"].nunique().max() == 1
        assert result["mae"].n == 30

    def test_more_folds_than_groups_are_refused(self):
        with pytest.raises(DataError, match=r"2 to the number of groups \(2\), got 5"):
            metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", groups=np.arange(150) % 2)


def test_intervals_cover_although_the_models_share_training_rows():
    # Naive Bayes on 300 rows of noise: the plain Wilson interval covers one half in 83 % of such tables.
    covered = plain = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        table, y = rng.normal(size=(300, 10)), rng.integers(0, 2, 300)
        got = metrics.cross_validate(GaussianNB(), table, y, evaluators="accuracy")
        covered += got["accuracy"].low <= 0.5 <= got["accuracy"].high
        naive = metrics.accuracy(got.predictions["actual"], got.predictions["predicted"])
        plain += naive.low <= 0.5 <= naive.high
    assert plain < 54
    assert covered >= 56


def test_one_test_set_needs_no_widening():
    pairs = [(np.arange(100), np.arange(100, 150))]
    got = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", cv=pairs)
    held_out = metrics.accuracy(got.predictions["actual"], got.predictions["predicted"])
    assert (got["accuracy"].low, got["accuracy"].high) == (pytest.approx(held_out.low), pytest.approx(held_out.high))
    assert got["accuracy"].method == "wilson; 1 folds pooled"


def test_widened_intervals_stay_within_the_bounds_of_the_figure():
    separable = np.sign(X)
    got = metrics.cross_validate(MODEL, separable, (X[:, 0] > 0), evaluators=["accuracy", "log-loss", "roc-auc"])
    assert got["accuracy"].high == got["roc-auc"].high == 1
    assert got["log-loss"].low >= 0


def test_rows_tested_more_than_once_count_once():
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=0)
    result = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", cv=cv)
    single = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", cv=FOLDS)["accuracy"]
    got = result["accuracy"]
    assert got == pytest.approx(cross_val_score(MODEL, X, Y, cv=cv).mean())
    assert got.n == 150
    assert got.method == "corrected t; 20 overlapping folds"
    # Nadeau & Bengio 2003: repeating does not shrink the interval towards nothing.
    assert got.high - got.low > 0.6 * (single.high - single.low)
    assert len(result.predictions) == 600


def test_the_past_is_trained_on_and_the_future_tested():
    result = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", cv=TimeSeriesSplit(3))
    assert result["accuracy"].n == len(result.predictions) == 111
    assert result.predictions["row"].min() == 39


def test_pairs_of_positions_serve_as_folds():
    pairs = list(KFold(3).split(X))
    by_pairs = metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", cv=pairs)
    assert by_pairs["accuracy"] == metrics.cross_validate(MODEL, X, Y, evaluators="accuracy", cv=KFold(3))["accuracy"]


def test_a_plain_figure_gets_its_interval_by_bootstrap():
    def share_wrong(actual, predicted):
        return float((actual != predicted).mean())

    result = metrics.cross_validate(
        MODEL, X, Y, evaluators=["accuracy", share_wrong, peer.accuracy_score], cv=FOLDS, n_resamples=400
    )
    own, wrong, outsider = result["accuracy"], result["share_wrong"], result["accuracy_score"]
    assert wrong == pytest.approx(1 - own)
    assert outsider == own
    assert outsider.method == "bootstrap widened 1.5 times; 5 folds pooled"
    assert outsider.low == pytest.approx(own.low, abs=0.03)
    assert result.greater_is_better == {"accuracy": True, "share_wrong": None, "accuracy_score": True}


@pytest.mark.parametrize("name", ["roc_auc", "neg_brier_score", "neg_log_loss", "f1_macro", "average_precision"])
def test_scorers_of_scikit_learn_agree_with_its_own_folds(name):
    result = metrics.cross_validate(MODEL, X, Y, evaluators=name, cv=FOLDS, n_resamples=0)
    assert result.folds[name].to_numpy() == pytest.approx(cross_val_score(MODEL, X, Y, cv=FOLDS, scoring=name))


def test_more_than_two_labels_and_decision_values():
    y = np.digitize(NUMBERS, [-1.5, 1.5])
    for model in (MODEL, LinearSVC()):
        result = metrics.cross_validate(model, X, y, evaluators=["roc-auc", "f1"], cv=FOLDS)
        assert result["roc-auc"] > 0.7
        assert result["roc-auc"].low < result["roc-auc"] < result["roc-auc"].high


def test_a_label_absent_from_training_rows_has_probability_0():
    y = np.array(["a", "b"] * 20 + ["rare"])
    pairs = [(np.arange(20), np.arange(20, 41)), (np.arange(20, 41), np.arange(20))]
    table = np.random.default_rng(0).normal(size=(41, 2))
    result = metrics.cross_validate(MODEL, table, y, evaluators="log-loss", cv=pairs)
    # The one rare row costs -log(2.2e-16) = 36.
    assert result.folds.loc[0, "log-loss"] == pytest.approx(36 / 21 + 0.7, abs=0.3)
    with pytest.raises(DataError, match="absent from the training rows of a fold"):
        metrics.cross_validate(LinearSVC(), table, y, evaluators="roc-auc", cv=pairs)


def test_row_weights_follow_their_rows():
    weights = np.where(Y, 50.0, 1.0)
    plain = metrics.cross_validate(MODEL, X, Y, evaluators="recall")
    weighted = metrics.cross_validate(MODEL, X, Y, evaluators="recall", fit_params={"sample_weight": weights})
    positive = weighted.predictions["predicted"].mean()
    assert positive > plain.predictions["predicted"].mean() + 0.2
    with pytest.raises(DataError, match="sample_weight has 1"):
        metrics.cross_validate(MODEL, X, Y, evaluators="recall", fit_params={"sample_weight": [1.0]})


def test_models_are_kept_where_asked_and_the_estimator_is_left_alone():
    model = make_pipeline(StandardScaler(), LogisticRegression())
    result = metrics.cross_validate(model, X, Y, evaluators="accuracy", keep_models=True, n_jobs=2)
    assert len(result.models) == 5
    means = {tuple(one[0].mean_) for one in result.models}
    assert len(means) == 5
    assert not hasattr(model[0], "mean_")
    assert metrics.cross_validate(model, X, Y, evaluators="accuracy").models == ()


def test_a_fold_too_small_for_a_figure_is_missing_there_and_counted_in_the_whole():
    rows = np.arange(150)
    pairs = [(np.delete(rows, [0, 1]), np.array([0, 1])), (np.array([0, 1, *range(75, 150)]), np.arange(2, 75))]
    precision = metrics.evaluator(
        lambda a, p: metrics.precision(a, p, average="binary", positive=1, zero_division=float("nan")),
        greater_is_better=True,
        name="of-ones",
    )
    y = Y.copy()
    y[:2] = 0
    table = X.copy()
    table[:2, 0] = -9
    result = metrics.cross_validate(MODEL, table, y, evaluators=precision, cv=pairs)
    assert np.isnan(result.folds.loc[0, "of-ones"])
    assert 0 < result["of-ones"] < 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": Y[:-1]}, "X has 150, y has 149"),
        ({"y": np.where(np.arange(150) == 3, np.nan, NUMBERS)}, "y is missing in row 3"),
        ({"y": np.where(np.arange(150) == 3, np.inf, NUMBERS)}, "y is not finite in row 3"),
        ({"y": np.zeros(150, dtype=int)}, "one label only"),
        ({"y": NUMBERS}, "y is continuous"),
        ({"cv": 1}, r"2 to the number of rows \(150\), got 1"),
        ({"cv": "five"}, "fold|cv must be"),
        ({"cv": 3.5}, "cv must be a number of folds"),
        ({"cv": []}, "cv gives no fold"),
        ({"cv": [(np.arange(10), np.arange(5, 20))]}, "fold 0 trains on rows it tests: rows 5, 6, 7, 8, 9"),
        ({"cv": [(np.arange(10), np.array([999]))]}, "beyond the 150"),
        ({"cv": [(np.arange(10), np.array([], dtype=int))]}, "10 training and 0 test rows"),
        ({"groups": [1, 2]}, "groups has 2, y has 150"),
        ({"evaluators": "csat"}, "a figure of ratings"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"cv": 100}, "cannot be split into 100 folds"),
    ],
)
def test_what_cannot_be_validated_is_refused(change, match):
    given = {"X": X, "y": Y, "evaluators": "accuracy"} | change
    with pytest.raises(DataError, match=match):
        metrics.cross_validate(MODEL, **given)


def test_a_model_without_the_answer_a_figure_needs_is_refused():
    with pytest.raises(DataError, match="needs predict_proba of the model, which LinearSVC lacks"):
        metrics.cross_validate(LinearSVC(), X, Y, evaluators="brier")
    with pytest.raises(TypeError, match=r"needs fit\(\), predict\(\)"):
        metrics.cross_validate(None, X, Y, evaluators="brier")


def test_the_same_index_in_another_order_is_refused():
    frame = pd.DataFrame(X)
    with pytest.raises(DataError, match="same index in another order"):
        metrics.cross_validate(MODEL, frame, pd.Series(Y)[::-1], evaluators="accuracy")


def test_an_error_within_a_fold_is_not_swallowed():
    with pytest.raises(ValueError, match="Negative values"):
        metrics.cross_validate(MultinomialNB(), X, Y, evaluators="accuracy")


def test_plain_lists_are_taken():
    got = metrics.cross_validate(MODEL, X.tolist(), Y.tolist(), evaluators="accuracy")
    assert got["accuracy"] == metrics.cross_validate(MODEL, X, Y, evaluators="accuracy")["accuracy"]
    texts = pd.Index(["慢", "快"] * 20)
    model = make_pipeline(CountVectorizer(analyzer="char"), MultinomialNB())
    assert metrics.cross_validate(model, texts, [0, 1] * 20, evaluators="accuracy")["accuracy"] == 1


def test_a_ranking_figure_needs_both_labels_in_each_fold():
    with pytest.raises(DataError, match="one is absent"):
        metrics.cross_validate(MODEL, X, Y, evaluators="roc-auc", cv=KFold(150))
