from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crmkit
from crmkit import DataError, metrics


def as_lists(lists):
    """Make the table of {customer: [items]}."""
    rows = [(who, item, rank) for who, items in lists.items() for rank, item in enumerate(items, start=1)]
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "rank"])


SOME_LISTS = st.dictionaries(
    st.integers(0, 6),
    st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=5),
    min_size=1,
    max_size=6,
)


def gini(times):
    """Compare every item with every other."""
    times = np.asarray(times, dtype=float)
    return np.abs(times[:, np.newaxis] - times).sum() / (2 * len(times) ** 2 * times.mean())


@settings(max_examples=100)
@given(lists=SOME_LISTS, n=st.integers(1, 5))
def test_coverage_and_concentration_are_those_of_counting_items(lists, n):
    table = as_lists(lists)
    shown = [item for items in lists.values() for item in items[:n]]
    got = metrics.coverage(table, range(12), n=n)
    assert got.value == pytest.approx(len(set(shown)) / 12)
    assert got.n == len(lists)
    times = np.bincount(shown, minlength=12)
    crowd = metrics.concentration(table, range(12), n=n)
    assert crowd.value == pytest.approx(gini(times))
    if len(lists) > 1:
        assert 0 <= got.low <= got.value <= got.high <= 1
        assert 0 <= crowd.low <= crowd.value <= crowd.high <= 1
    else:
        assert np.isnan([got.low, got.high, crowd.low, crowd.high]).all()


@settings(max_examples=50)
@given(lists=SOME_LISTS)
def test_the_interval_of_coverage_is_the_jackknife_over_customers(lists):
    table, n = as_lists(lists), len(lists)
    if n < 2:
        return
    without = np.array([metrics.coverage(table[table["customer_id"] != who], range(10)).value for who in lists])
    spread = np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2))
    got = metrics.coverage(table, range(10), level=0.5)
    from scipy.stats import t

    assert got.high == pytest.approx(min(got.value + t.ppf(0.75, n - 1) * spread, 1.0))


def test_intervals_of_coverage_hold_what_as_many_other_customers_would_see():
    # 120 customers with lists of 5 of 200 items, some of them far more wanted: the truth by 2,000 draws.
    rng = np.random.default_rng(0)
    want = rng.dirichlet(np.full(200, 0.3))
    people = np.argsort(-(np.log(want) + rng.gumbel(size=(4_000, 200))), axis=1)[:, :5]
    draws = rng.integers(0, len(people), (2_000, 120))
    covered = np.array([len(np.unique(people[some])) for some in draws]) / 200
    crowd = np.array([gini(np.bincount(people[some].ravel(), minlength=200)) for some in draws[:300]])
    inside, crowded, bootstrap = 0, 0, 0
    for some in draws[:100]:
        table = as_lists(dict(enumerate(people[some].tolist())))
        figure, index = metrics.coverage(table, range(200)), metrics.concentration(table, range(200))
        inside += figure.low <= covered.mean() <= figure.high
        crowded += index.low <= crowd.mean() <= index.high
        again = [len(np.unique(people[some][rng.integers(0, 120, 120)])) / 200 for _ in range(60)]
        bootstrap += np.quantile(again, 0.025) <= covered.mean() <= np.quantile(again, 0.975)
    assert inside >= 93
    assert crowded >= 90
    # Why it is no bootstrap: resampled customers repeat, and cover less than there was to cover.
    assert bootstrap < 20


@settings(max_examples=100)
@given(lists=SOME_LISTS, had=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8)), min_size=1, max_size=25))
def test_novelty_is_that_of_counting_customers(lists, had):
    before = pd.DataFrame(had, columns=["customer_id", "item_id"])
    everyone = len({who for who, _ in had})
    means = [
        np.mean([-np.log2(max(len({who for who, what in had if what == item}), 1) / everyone) for item in items])
        for items in lists.values()
    ]
    assert metrics.novelty(as_lists(lists), before).value == pytest.approx(np.mean(means))


@settings(max_examples=100)
@given(lists=SOME_LISTS, n=st.integers(2, 5), seed=st.integers(0, 10**6))
def test_diversity_is_the_mean_over_pairs_of_one_less_the_cosine(lists, n, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 3, (10, 3)).astype(float)
    features = pd.DataFrame(numbers, columns=[*"abc"], index=pd.Index(range(10), name="item_id"))
    length = np.linalg.norm(numbers, axis=1)
    unit = np.divide(numbers, length[:, np.newaxis], out=np.zeros_like(numbers), where=length[:, np.newaxis] > 0)
    means = [
        np.mean([1 - unit[one] @ unit[other] for one, other in itertools.combinations(items[:n], 2)])
        for items in lists.values()
        if len(items[:n]) > 1
    ]
    if not means:
        with pytest.raises(DataError, match="no list has two items"):
            metrics.diversity(as_lists(lists), features, n=n)
        return
    got = metrics.diversity(as_lists(lists), features, n=n)
    assert got.value == pytest.approx(np.mean(means), abs=1e-12)
    assert got.n == len(means)
    assert ("left out" in got.method) == (len(means) < len(lists))


def test_diversity_by_category_is_the_share_of_pairs_of_different_categories():
    features = pd.DataFrame({"item_id": [*"wxyz"], "category": ["茶", "茶", "杯", None]})
    figure = metrics.diversity(as_lists({"a": [*"wxy"], "b": [*"wz"]}), features)
    assert figure.value == pytest.approx((2 / 3 + 1) / 2)


def test_sums_in_blocks_are_the_same_sums(monkeypatch):
    rng = np.random.default_rng(0)
    lists = as_lists({who: rng.permutation(30)[:4].tolist() for who in range(50)})
    features = pd.DataFrame(rng.random((30, 6)), index=pd.Index(range(30), name="item_id")).rename(columns=str)
    whole = metrics.diversity(lists, features)
    monkeypatch.setattr("crmkit.metrics.variety._BLOCK", 40)
    assert metrics.diversity(lists, features).value == pytest.approx(whole.value)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: metrics.coverage(t, ["a"]), "item_id is none of the items in rows? 1"),
        (lambda t: metrics.coverage(t, []), "items is empty"),
        (lambda t: metrics.coverage(t, "ab"), "items must be a table"),
        (lambda t: metrics.coverage(t, ["a", None]), "items is missing in row 1"),
        (lambda t: metrics.coverage(t, [1, 2]), "item_id holds text in recommended and numbers in items"),
        (lambda t: metrics.coverage(t, {"product": ["a"]}), "items has no column 'item_id'"),
        (lambda t: metrics.coverage(t.iloc[:0], ["a"]), "recommended is empty"),
        (lambda t: metrics.novelty(t, pd.DataFrame({"customer_id": [], "item_id": []})), "interactions is empty"),
        (lambda t: metrics.diversity(t, {"item_id": ["a"], "x": [1.0]}), "the item has no row in features in rows? 1"),
        (lambda t: metrics.diversity(t, {"item_id": [*"aab"], "x": 1.0}), "stands more than once in rows 0, 1"),
        (lambda t: metrics.diversity(t, {"item_id": [*"ab"], "x": [1.0, np.inf]}), "x is infinite in row 1"),
        (lambda t: metrics.diversity(t, {"item_id": [*"ab"]}), "features has no column besides item_id"),
        (lambda t: metrics.diversity(t, {"x": [1.0, 2.0]}), "features has no column 'item_id'"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, match):
    with pytest.raises(DataError, match=match):
        call(as_lists({"Q": [*"ab"], "R": [*"ab"]}))


def test_a_table_of_events_serves_as_the_catalogue():
    events = pd.DataFrame({"customer_id": [1, 2, 3], "item_id": ["a", "b", "a"]})
    assert metrics.coverage(as_lists({"Q": ["a"]}), events).value == 0.5


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("coverage", ["a", "b"]),
        ("concentration", ["a", "b"]),
        ("novelty", {"customer_id": [1], "item_id": ["a"]}),
        ("diversity", {"item_id": ["a", "b"], "x": [1.0, 2.0]}),
    ],
)
def test_the_evaluators_of_variety_are_these_functions(name, other):
    table = as_lists({"Q": [*"ab"], "R": [*"ba"]})
    function = getattr(metrics, name)
    assert repr(crmkit.create("evaluator", name)(table, other)) == repr(function(table, other))
