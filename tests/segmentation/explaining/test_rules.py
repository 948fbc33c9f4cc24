"""Surrogate rules: expressions that count what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import DBSCAN

from crmkit import segmentation
from crmkit.core.predicate import parse
from crmkit.segmentation.explaining._surrogate import _short, surrogate_rules


def test_rules_are_expressions_that_hold_for_the_customers_they_count(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0)
    held = np.array([parse(rule).evaluate(rfm).values for rule in segments.rules["rule"]])
    assert held.sum(axis=1).tolist() == segments.rules["customers"].tolist()
    # Every customer falls under exactly one rule.
    assert (held.sum(axis=0) == 1).all()
    labels = segments.labels.to_numpy()
    for row, inside in zip(segments.rules.itertuples(), held, strict=True):
        assert row.precision == pytest.approx((labels[inside] == row.segment).mean())
        assert row.coverage == pytest.approx(inside[labels == row.segment].mean())


def test_clear_groups_need_one_rule_each_and_are_told_faithfully(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0)
    assert (segments.rules.groupby("segment")["coverage"].max() > 0.9).all()
    assert segments.fidelity > 0.97
    assert segments.fidelity.n == 300
    assert segments.fidelity.low < segments.fidelity <= segments.fidelity.high


def test_fidelity_of_labels_without_pattern_is_that_of_chance():
    random = np.random.default_rng(0)
    right, count = surrogate_rules(random.normal(size=(900, 3)), random.integers(0, 3, 900), list("abc"), seed=0)[1]
    assert count == 900
    assert 0.25 < right / count < 0.42


def test_one_segment_has_one_rule_that_always_holds():
    table = pd.DataFrame({"a": np.random.default_rng(0).normal(size=50)}, index=pd.Index(range(50), name="customer_id"))
    segments = segmentation.segment(table, n_segments=1, transform="scale", random_state=0)
    assert len(segments.rules) == 1
    assert parse(segments.rules["rule"][0]).evaluate(table).values.all()
    assert segments.rules[["precision", "coverage"]].to_numpy().tolist() == [[1.0, 1.0]]


def test_rules_print_whole_under_their_segment(rfm):
    rules = segmentation.segment(rfm, n_segments=3, random_state=0).rules
    lines = repr(rules).splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(dict.fromkeys(rules["segment"]))
    assert all(f"    {rule}" in lines for rule in rules["rule"])
    assert f"{rules['customers'][0]:,} customers, {rules['precision'][0]:.0%} of them in it" in lines[2]
    assert type(rules.head(1)) is pd.DataFrame
    del rules["rule"]
    assert "[3 rows x 13 columns]" in repr(rules)


def test_noise_is_ruled_last():
    table = pd.DataFrame({"spent": [0.0, 0.1, 0.2, 90.0] * 5}, index=pd.Index(range(20), name="customer_id"))
    table["spent"] += np.where(table["spent"] > 50, np.arange(20) * 30.0, 0)
    rules = segmentation.segment(table, DBSCAN(eps=0.5, min_samples=3), transform="none").rules
    assert rules["segment"].tolist()[0] != "in no segment"
    assert rules["segment"].tolist()[-1] == "in no segment"


def test_column_that_is_no_plain_word_is_quoted():
    table = pd.DataFrame({"total spent": [1.0, 2.0, 90.0, 91.0], "in": [1.0, 9.0, 2.0, 8.0]})
    table.index = pd.Index(list("abcd"), name="customer_id")
    segments = segmentation.segment(table, n_segments=2, features=["total spent"], transform="scale", random_state=0)
    assert segments.rules["rule"].str.startswith("`total spent`").all()
    held = [parse(rule).evaluate(table).values.sum() for rule in segments.rules["rule"]]
    assert held == [2, 2]
    by_word = segmentation.segment(table, n_segments=2, features=["in"], transform="scale", random_state=0)
    assert by_word.rules["rule"].str.startswith("`in`").all()


def test_many_customers_are_counted_all_though_the_tree_sees_a_sample():
    random = np.random.default_rng(0)
    values = random.normal(size=(30_000, 2)) + np.repeat([0, 90], 15_000)[:, None]
    rules, (right, count) = surrogate_rules(values, np.repeat([0, 1], 15_000), ["a", "b"], seed=0)
    assert sum(rule["customers"] for rule in rules) == 30_000
    assert count == 10_000
    assert right >= 9_990
    assert sum(rule["unseen"] for rule in rules) == 10_000


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_border_is_a_short_decimal_between_neighbours(first, second):
    low, high = min(first, second), max(first, second)
    if low == high:
        high = np.nextafter(high, np.inf)
    border = _short(np.array([low, high]), 0)
    assert low <= border < high


def test_border_is_as_short_as_it_can_be():
    assert _short(np.array([1204.17, 1377.9]), 0) == 1300.0
    assert _short(np.array([10.0, 300.0]), 0) == 200.0
    assert _short(np.array([45.0, 46.0]), 0) == 45.5


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 25), st.just(2)), elements=st.integers(-3, 3).map(float)), st.data())
def test_rules_part_all_customers_whatever_the_ties(values, data):
    ids = data.draw(arrays(np.int64, len(values), elements=st.integers(-1, 2)))
    rules, (right, count) = surrogate_rules(values, ids, ["a", "b"], seed=0)
    assert sum(rule["customers"] for rule in rules) == len(values)
    assert 0 <= right <= count == len(values)
