"""One table of models and parameters, honest about luck, failures, time and memory."""

from __future__ import annotations

import ctypes
import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline

import crmkit
from crmkit import DataError, DataWarning, UnknownPluginError, metrics, prediction
from crmkit.prediction import Candidate, UntouchedTest, _measured, search, set_test_aside
from crmkit.prediction._measured import PeakMemory

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4))
LABELS = np.where(X[:, 0] + 0.5 * RNG.normal(size=240) > 0, "stay", "go")
MEASURED = ["fit_seconds", "predict_seconds", "peak_mb"]


class Breaks(ClassifierMixin, BaseEstimator):
    """Fails as models do: with a value of the table in its message."""

    def fit(self, X, y):  # noqa: ARG002 -- the form of an estimator
        raise ValueError("could not convert string to float: 'Ms Wang'")

    def predict(self, X):
        raise NotImplementedError


class Slow(ClassifierMixin, BaseEstimator):
    """Takes its time."""

    def __init__(self, seconds=0.3):
        self.seconds = seconds

    def fit(self, X, y):  # noqa: ARG002 -- the form of an estimator
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_every_configuration_is_a_row_with_all_figures_and_costs():
    found = search(
        {"lr": ("logistic", {"C": [0.01, 1.0]}), "tree": "tree", "pipe": make_pipeline(LogisticRegression())},
        X,
        LABELS,
        evaluators=["roc-auc", "brier"],
        cv=3,
    )
    table = found.table
    assert sorted(table.index) == ["lr 1", "lr 2", "pipe", "tree"]
    assert table.loc["lr 1", "parameters"] == "C=0.01"
    assert table["roc-auc"].is_monotonic_decreasing
    assert table["chosen"].tolist() == [True, False, False, False]
    alone = metrics.cross_validate(
        crmkit.create("classifier", "logistic", C=0.01), X, LABELS, evaluators=["brier"], cv=3
    )
    assert table.loc["lr 1", ["brier", "brier_low", "brier_high"]].tolist() == [
        alone["brier"].value,
        alone["brier"].low,
        alone["brier"].high,
    ]
    assert (table["fit_seconds"] > 0).all()
    assert (table["predict_seconds"] > 0).all()
    assert (table["peak_mb"] >= 0).all()
    assert (table["n_train"] == 160).all()
    assert found.name == table.index[0]
    np.testing.assert_array_equal(found.model.predict(X[:5]), found.model.fit(X, LABELS).predict(X[:5]))


def test_the_first_evaluator_decides_in_its_own_direction():
    candidates = {"weak": LogisticRegression(C=1e-9), "good": LogisticRegression()}
    for evaluator in ("log-loss", "roc-auc", "neg_log_loss"):
        found = search(candidates, X, LABELS, evaluators=[evaluator, "accuracy"], cv=3)
        assert found.name == "good"
        assert found.table.index[0] == "good"


def test_what_fails_is_a_row_with_its_reason_and_no_value_of_the_table():
    found = search({"breaks": Breaks(), "tree": "tree"}, X, LABELS, evaluators="accuracy", cv=3)
    row = found.table.loc["breaks"]
    assert (row["status"], found.name) == ("failed", "tree")
    assert row["reason"].startswith("ValueError")
    assert "Wang" not in found.table.to_string() + repr(found) + found._repr_html_()
    assert "Wang" in str(found.errors["breaks"])
    wrong = search([("tree", {"min_samples_leaf": [-1, 5]})], X, LABELS, evaluators="accuracy", cv=3)
    assert "'min_samples_leaf' parameter" in wrong.table.loc["tree 1", "reason"]
    assert wrong.name == "tree 2"
    unknown = search([("tree", {"leaves": [5]}), "logistic"], X, LABELS, evaluators="accuracy", cv=3)
    assert unknown.table.loc["tree", "status"] == "failed"


def test_where_all_fail_the_first_error_is_told():
    with pytest.raises(DataError, match="no candidate could be judged: Breaks: ValueError") as caught:
        search([Breaks()], X, LABELS, evaluators="accuracy", cv=3)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(DataError, match="needs predict_proba"):
        search(["svm"], X, LABELS, evaluators="brier", cv=3)


def test_draws_from_distributions_are_the_same_again():
    candidates = {"lr": Candidate("logistic", {"C": loguniform(1e-3, 1e2)})}
    given = {"evaluators": "log-loss", "strategy": "random", "n_draws": 4, "cv": 3}
    first, second = (search(candidates, X, LABELS, **given).table for _ in range(2))
    pd.testing.assert_frame_equal(first.drop(columns=MEASURED), second.drop(columns=MEASURED))
    assert first["parameters"].nunique() == 4
    few = search([("logistic", {"C": [0.1, 1.0]})], X, LABELS, **given)
    assert len(few.table) == 2


def test_two_jobs_change_nothing_but_speed():
    given = {"evaluators": ["roc-auc", "accuracy"], "cv": 3, "outer_cv": 3}
    candidates = [("logistic", {"C": [0.01, 1.0]}), "tree"]
    one, two = (search(candidates, X, LABELS, n_jobs=n, **given) for n in (1, 2))
    pd.testing.assert_frame_equal(one.table.drop(columns=MEASURED), two.table.drop(columns=MEASURED))
    assert (one.estimate, one.estimate.low) == (two.estimate, two.estimate.low)


def test_the_nested_estimate_is_that_of_select_model():
    found = search(["logistic", "tree"], X, LABELS, evaluators="accuracy", cv=3, outer_cv=3)
    choice = prediction.select_model(["logistic", "tree"], X, LABELS, evaluator="accuracy", cv=3)
    assert (found.estimate, found.estimate.low, found.name) == (choice.estimate, choice.estimate.low, choice.name)
    assert found.table["times_chosen"].to_dict() == choice.table["times_chosen"].to_dict()


def test_the_best_of_many_on_noise_is_flattered_and_the_test_is_not():
    noise = RNG.normal(size=(150, 30))
    labels = RNG.integers(0, 2, 150)
    candidates = {
        "tree": Candidate("tree", {"max_features": [1], "min_samples_leaf": [5], "random_state": [*range(40)]})
    }
    found = search(candidates, noise, labels, evaluators="accuracy", cv=3, test=0.3)
    assert found.table["accuracy"].max() > 0.55
    assert found.test["accuracy"].low <= 0.5
    assert "test, accuracy" in repr(found)


def test_halving_begins_with_few_rows_and_ends_with_all():
    table = RNG.normal(size=(1200, 3))
    labels = (table[:, 0] > 0).astype(int)
    candidates = [("logistic", {"C": [10.0**power for power in range(-7, 2)]})]
    found = search(candidates, table, labels, evaluators="log-loss", strategy="halving", cv=3)
    status = found.table["status"].value_counts()
    assert status.to_dict() == {"dropped": 6, "finished": 3}
    assert found.table["n_train"].max() == 800
    # A third of the rows, to the row that labels in equal shares allow.
    assert found.table["n_train"].min() == pytest.approx(800 / 3, abs=1)
    assert found.table["n_train"].nunique() == 2
    assert found.table.loc[found.name, "n_train"] == 800
    assert found.parameters == {"C": 10.0}
    assert found.table["reason"].str.contains("left behind after round 1 of 2").sum() == 6
    small = search(candidates, X, LABELS, evaluators="log-loss", strategy="halving", cv=3)
    assert (small.table["status"] == "finished").all()


def test_time_that_is_used_up_is_told_and_one_is_always_judged():
    candidates = {str(number): Slow(0.15) for number in range(4)}
    found = search(candidates, X, LABELS, evaluators="accuracy", cv=2, time_budget=0.1)
    assert found.table["status"].value_counts().to_dict() == {"out of time": 3, "finished": 1}
    assert found.name == "0"
    assert "3 out of time" in repr(found)
    between = search({"a": Slow(0.05), "b": Slow(0.4)}, X, LABELS, evaluators="accuracy", cv=2, time_budget=0.3)
    assert between.table.loc["b", "reason"] == "the time given was used up between its folds"


def test_rows_without_a_label_are_set_aside_and_counted():
    labels = pd.Series(LABELS == "go").astype(object)
    labels[[3, 7]] = None
    frame = pd.DataFrame(X, columns=list("abcd"))
    with pytest.warns(DataWarning, match="2 of 240 rows have no y and are set aside: rows 3, 7"):
        found = search(["logistic"], frame, labels, evaluators="roc-auc", cv=3)
    assert found.model.classes_.dtype == bool
    with pytest.warns(DataWarning, match="set aside"):
        choice = prediction.select_model(["logistic"], frame, labels, evaluator="roc-auc", cv=3)
    assert choice.estimate.n == 238
    with pytest.raises(DataError, match="y is missing in every row"):
        search(["logistic"], frame, [None] * 240, evaluators="roc-auc")


def test_customers_and_time_stay_apart():
    who = np.repeat(np.arange(60), 4)
    people, labels = RNG.normal(size=(60, 3))[who], RNG.integers(0, 2, 60)[who]
    tree = {"tree": crmkit.create("classifier", "tree", min_samples_leaf=1, random_state=0)}
    given = {"evaluators": "accuracy", "cv": 4, "outer_cv": 4}
    honest = search(tree, people, labels, groups=who, test=0.25, **given)
    assert honest.table.loc["tree", "accuracy"] < 0.8
    assert honest.estimate < 0.8
    assert honest.test["accuracy"].n == 15
    assert search(tree, people, labels, **given).estimate > 0.9
    timed = search(["logistic"], X, LABELS, evaluators="accuracy", cv=TimeSeriesSplit(3))
    assert timed.table.loc["logistic", "n_train"] == np.mean([60, 120, 180])


def test_customer_tables_are_searched_as_they_are(data_file):
    table = pd.read_csv(data_file("online_shoppers/online_shoppers_intention.csv"))
    bought = table.pop("Revenue")
    with pytest.warns(DataWarning, match="29 of 12,359 rows have no y"):
        found = search(
            ["logistic", ("boosting", {"max_iter": [60]})], table, bought, evaluators=["roc-auc", "brier"], cv=2
        )
    assert found.name == "boosting"
    assert found.table.loc["boosting", "roc-auc"] > 0.92
    assert found.table.loc["logistic", "roc-auc"] > 0.88


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"strategy": "bayes"}, DataError, "strategy must be"),
        ({"factor": 1}, DataError, "factor must be above 1"),
        ({"time_budget": 1, "outer_cv": 3}, DataError, "time_budget cuts each outer search"),
        ({"candidates": [("logistic", {"C": loguniform(1, 2)})]}, DataError, "C is a distribution, which has no grid"),
        ({"candidates": [("logistic", {"C": []})]}, DataError, "no value to try of C"),
        ({"candidates": ["logistik"]}, UnknownPluginError, "nearest: logistic"),
        ({"evaluators": lambda a, p: float((a == p).mean())}, DataError, "nobody said whether a greater"),
        ({"cv": [([0], [1])]}, DataError, "inner_cv must be a number of folds or a splitter"),
        ({"test": 1.5}, DataError, "share must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_searched_is_refused(change, error, match):
    given = {"candidates": ["logistic"], "X": X, "y": LABELS, "evaluators": "accuracy"} | change
    with pytest.raises(error, match=match):
        search(**given)


def test_a_test_is_scored_once_and_marked_where_that_is_insisted_on():
    rest = set_test_aside(X, LABELS, share=0.25)
    model = crmkit.create("classifier", "logistic").fit(rest.X, rest.y)
    figures = rest.test.score(model, ["accuracy", "roc-auc", "log-loss"])
    assert figures["accuracy"].n == len(rest.test) == 60
    assert figures["roc-auc"] > 0.8
    assert "scored" not in figures["accuracy"].method
    with pytest.raises(DataError, match="scored already"):
        rest.test.score(model, "accuracy")
    with pytest.raises(DataError, match="scored already"):
        search(["tree"], rest.X, rest.y, evaluators="accuracy", test=rest.test)
    assert rest.test.score(model, "accuracy", again=True)["accuracy"].method.endswith("; scored 2 times")
    assert "scored 2 times" in repr(rest.test)


def test_a_test_is_not_used_up_by_a_model_that_cannot_answer():
    test = UntouchedTest(X, LABELS)
    with pytest.raises(DataError, match="needs predict_proba, which ScaledSVC lacks"):
        test.score(crmkit.create("classifier", "svm").fit(X, LABELS), "brier")
    assert test.times_scored == 0


def test_the_last_fold_of_a_splitter_is_the_test():
    rest = set_test_aside(pd.DataFrame(X), LABELS, split=TimeSeriesSplit(3))
    assert (len(rest.X), len(rest.test)) == (180, 60)
    assert rest.X.index.max() < 180
    numbers = set_test_aside(X, X[:, 0], share=0.5)
    assert len(numbers.test) == 120
    with pytest.raises(DataError, match="no test can be set aside"):
        set_test_aside(X, ["a"] * 239 + ["b"])
    with pytest.raises(DataError, match="split gives no fold"):
        set_test_aside(X, LABELS, split=_NoFold())
    with pytest.raises(DataError, match="X has 240 rows, y has 3"):
        UntouchedTest(X, LABELS[:3])


class _NoFold:
    def split(self, X, y, groups):  # noqa: ARG002 -- the form of a splitter
        return []


def test_memory_of_arrays_is_seen(monkeypatch):
    with PeakMemory() as resident:
        block = np.ones(4_000_000)
        del block
    monkeypatch.setattr(_measured, "MEMORY", "tracemalloc")
    with PeakMemory() as traced:
        block = np.ones(4_000_000)
        del block
    assert traced.megabytes == pytest.approx(32, abs=1)
    assert 0 <= resident.megabytes < 100


def test_rows_set_aside_are_counted_and_never_shown():
    table = pd.DataFrame({"surname": ["Zebedee"] * 20, "age": np.arange(20)})
    shown = repr(set_test_aside(table, np.arange(20) % 2, share=0.5))
    assert "10 rows to work with" in shown
    assert "Zebedee" not in shown


@pytest.mark.skipif(_measured.MEMORY != "resident set", reason="Python's own count sees every allocation")
def test_memory_that_was_freed_before_is_seen_when_it_is_used_again():
    peaks = []
    for _ in range(3):
        with PeakMemory() as memory:
            # Small blocks come from the heap, which keeps what is freed.
            blocks = [np.ones(4_000) for _ in range(1_000)]
        del blocks
        peaks.append(memory.megabytes)
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("this C library does not give memory back")
    assert peaks == [pytest.approx(32, abs=6)] * 3


def test_one_is_judged_without_any_time_even_where_the_first_fails():
    found = search([Breaks(), "logistic", "tree"], X, LABELS, evaluators="accuracy", cv=3, time_budget=0.0)
    assert found.name == "logistic"
    assert found.table["status"].to_dict() == {"logistic": "finished", "tree": "out of time", "Breaks": "failed"}


def test_what_a_wrong_parameter_name_is_stands_in_the_reason():
    found = search({"a": ("logistic", {"sea": [1.0]}), "b": "tree"}, X, LABELS, evaluators="accuracy", cv=3)
    assert "Invalid parameter 'sea'" in found.table.loc["a", "reason"]
    with pytest.raises(DataError, match="no candidate could be judged: a: ValueError: Invalid parameter 'sea'"):
        search({"a": ("logistic", {"sea": [1.0]})}, X, LABELS, evaluators="accuracy", cv=3)


def test_where_nothing_could_be_judged_the_reason_says_where_the_message_is():
    with pytest.raises(DataError, match="is that of the error that this one comes from") as caught:
        search([Breaks()], X, LABELS, evaluators="accuracy", cv=3)
    assert "Wang" not in str(caught.value)
    assert "Wang" in str(caught.value.__cause__)


def test_two_configurations_of_one_name_are_refused():
    with pytest.raises(DataError, match="two configurations would be called 't 1'"):
        search({"t": ("tree", {"max_depth": [1, 2]}), "t 1": "tree"}, X, LABELS, evaluators="accuracy", cv=3)


def test_drawn_parameters_are_written_as_a_caller_would_write_them():
    drawn = {"C": loguniform(0.1, 1.0)}
    found = search([("logistic", drawn)], X, LABELS, evaluators="accuracy", cv=3, strategy="random", n_draws=2)
    assert found.table["parameters"].str.fullmatch(r"C=0\.\d+").all()


def test_true_and_false_that_came_as_objects_are_labels():
    found = search(["logistic"], X, pd.Series(list(LABELS == "stay"), dtype=object), evaluators="roc-auc", cv=3)
    assert found.table["status"].tolist() == ["finished"]


def test_a_test_that_was_scored_before_is_refused_before_anything_is_fitted():
    test = UntouchedTest(X[:40], LABELS[:40])
    test.score(LogisticRegression().fit(X, LABELS), "accuracy")
    start = time.perf_counter()
    with pytest.raises(DataError, match="this test was scored already"):
        search([Slow(seconds=5.0)], X, LABELS, evaluators="accuracy", cv=2, test=test)
    assert time.perf_counter() - start < 4
