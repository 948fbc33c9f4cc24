from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from crmkit import metrics, prediction
from crmkit.core.errors import DataError
from crmkit.preparation import CustomerFolds, CustomerTimeFolds, TimeFolds

MONTHS = pd.date_range("2010-01-01", periods=6, freq="MS")


def table(customers=40, cutoffs=MONTHS, seed=0):
    index = pd.MultiIndex.from_product(
        [[f"c{number:03d}" for number in range(customers)], cutoffs], names=["customer_id", "cutoff"]
    )
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=len(index)), "b": rng.normal(size=len(index))}, index=index)
    return X, pd.Series((X["a"] + rng.normal(size=len(X)) > 0).astype(int), index=index)


@given(
    horizon=st.integers(0, 100),
    gap=st.integers(0, 40),
    days=st.lists(st.integers(-1000, 1000), min_size=1, max_size=30),
    block=st.integers(1, 3),
)
def test_no_label_window_of_training_reaches_past_the_first_test_cutoff(horizon, gap, days, block):
    cutoffs = np.array(days)
    there = np.unique(cutoffs)
    wait = max(horizon + gap, 1)
    splitter, X = TimeFolds(horizon, gap=gap, block=block), pd.DataFrame({"cutoff": days})
    if len(there) < block or there[0] + wait > there[-block]:
        with pytest.raises(DataError, match="0 folds are possible"):
            list(splitter.split(X))
        return
    folds = list(splitter.split(X))
    for train, test in folds:
        # All that may train does, and nothing else.
        assert train.tolist() == np.flatnonzero(cutoffs + wait <= cutoffs[test].min()).tolist()
        assert len(np.unique(cutoffs[test])) == block
    tested = np.concatenate([test for _, test in folds])
    assert len(tested) == len(set(tested))
    assert there[-1] in cutoffs[folds[-1][1]]


def test_cutoffs_whose_labels_overlap_the_test_are_left_out():
    X, _ = table()
    months = X.index.get_level_values("cutoff")
    folds = list(TimeFolds(90).split(X))
    assert [sorted(set(months[test].month)) for _, test in folds] == [[4], [5], [6]]
    assert [sorted(set(months[train].month)) for train, _ in folds] == [
        [1],
        [1],
        [1, 2, 3],
    ]  # 1 February + 90 days is 2 May


def test_the_latest_folds_are_kept_and_blocks_are_tested_together():
    X, _ = table()
    months = X.index.get_level_values("cutoff")
    kept = list(TimeFolds(28, n_folds=2).split(X))
    assert [sorted(set(months[test].month)) for _, test in kept] == [[5], [6]]
    blocks = list(TimeFolds(28, block=2).split(X))
    assert [sorted(set(months[test].month)) for _, test in blocks] == [[3, 4], [5, 6]]
    assert TimeFolds(28, block=2).get_n_splits(X) == 2
    assert [sorted(set(months[test].month)) for _, test in TimeFolds(28, least_cutoffs=4).split(X)] == [[5], [6]]


def test_instants_are_90_days_apart_only_after_90_times_24_hours():
    zone = pd.to_datetime(["2010-01-01T12:00Z", "2010-01-31T11:59Z", "2010-01-31T12:00Z"]).tz_convert("Asia/Shanghai")
    X = pd.DataFrame({"cutoff": zone})
    assert [(train.tolist(), test.tolist()) for train, test in TimeFolds(30).split(X)] == [([0], [2])]


def test_customers_of_the_test_do_not_train():
    X, _ = table()
    whose = X.index.get_level_values("customer_id")
    folds = list(CustomerFolds(4).split(X))
    assert len(folds) == CustomerFolds(4).get_n_splits() == 4
    for train, test in folds:
        assert not set(whose[train]) & set(whose[test])
        assert len(set(whose[test])) == 10
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(X)))


def test_the_order_of_the_rows_does_not_decide_a_customers_fold():
    X, _ = table()
    shuffled = X.sample(frac=1, random_state=1)
    first = {frozenset(X.index[test].get_level_values(0)) for _, test in CustomerFolds(4).split(X)}
    second = {frozenset(shuffled.index[test].get_level_values(0)) for _, test in CustomerFolds(4).split(shuffled)}
    assert first == second


def test_by_both_neither_the_customer_nor_the_time_of_the_test_is_trained_on():
    X, _ = table()
    whose, months = X.index.get_level_values("customer_id"), X.index.get_level_values("cutoff")
    splitter = CustomerTimeFolds(31, customer_folds=4)
    folds = list(splitter.split(X))
    assert len(folds) == splitter.get_n_splits(X) == 20
    for train, test in folds:
        assert not set(whose[train]) & set(whose[test])
        assert months[train].max() + pd.Timedelta(days=31) <= months[test].min()


def test_groups_name_customers_where_the_index_does_not():
    X, _ = table()
    plain = X.reset_index(drop=True)
    by_groups = list(CustomerFolds(3).split(plain, groups=X.index.get_level_values(0)))
    by_index = list(CustomerFolds(3).split(X))
    assert all((a[1] == b[1]).all() for a, b in zip(by_groups, by_index, strict=True))


def test_they_are_splitters_for_scikit_learn_and_for_crmkit():
    X, y = table(customers=60)
    folds = TimeFolds(31)
    assert len(cross_val_score(LogisticRegression(), X, y, cv=folds)) == 5
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=CustomerTimeFolds(31, customer_folds=2)).fit(X, y)
    assert search.n_splits_ == 10
    found = metrics.cross_validate(LogisticRegression(), X, y, evaluators="roc-auc", cv=folds)
    assert len(found.folds) == 5
    choice = prediction.select_model(
        ["logistic"], X, y, evaluator="roc-auc", cv=TimeFolds(31, least_cutoffs=2), inner_cv=folds
    )
    assert choice.name == "logistic"
    assert choice.estimate > 0.6
    assert repr(folds).startswith("TimeFolds(")


@pytest.mark.parametrize(
    ("splitter", "X", "message"),
    [
        (TimeFolds(400), table()[0], "0 folds are possible of 1 wanted: 6 cutoffs"),
        (TimeFolds(30, n_folds=9), table()[0], "folds are possible of 9 wanted"),
        (TimeFolds(30), np.zeros((3, 2)), "X must say when each row stands"),
        (TimeFolds(30), pd.DataFrame({"cutoff": [0.5, 1.5]}), "must hold dates, times or whole days"),
        (TimeFolds(30), pd.DataFrame({"cutoff": pd.to_datetime(["2010-01-01", None])}), "missing in row 1 of X"),
        (TimeFolds(-1), table()[0], "horizon must be a whole number of at least 0"),
        (TimeFolds(30, n_folds=0), table()[0], "n_folds must be a whole number"),
        (TimeFolds(30), table()[0].iloc[:0], "0 folds are possible"),
        (CustomerFolds(5), np.zeros((9, 2)), "give groups"),
        (CustomerFolds(99), table()[0], "40 customers cannot be dealt to 99 folds"),
        (CustomerFolds(1), table()[0], "at least 2"),
    ],
)
def test_what_cannot_be_split_is_refused_in_words(splitter, X, message):
    with pytest.raises(DataError, match=message):
        list(splitter.split(X))


def test_missing_customers_and_empty_parts_are_refused():
    X, _ = table()
    whose = np.array(X.index.get_level_values(0), dtype=object)
    whose[3] = None
    with pytest.raises(DataError, match="customer_id is missing in row 3"):
        list(CustomerFolds(3).split(X, groups=whose))
    lone = X.iloc[[0, 7, 12]]  # two customers at the first months, one at a later one
    with pytest.raises(DataError, match="take fewer customer_folds"):
        list(CustomerTimeFolds(28, customer_folds=3).split(lone))


def test_without_rows_only_a_number_that_was_asked_for_is_known():
    assert TimeFolds(30, n_folds=3).get_n_splits() == 3
    with pytest.raises(DataError, match="depends on the cutoffs"):
        TimeFolds(30).get_n_splits()
