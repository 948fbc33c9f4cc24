"""Surrogate rules: expressions that count what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.tree import DecisionTreeClassifier

from crmkit import segmentation
from crmkit.core.predicate import parse
from crmkit.metrics import wilson
from crmkit.segmentation.explaining._surrogate import _leaves, _short, surrogate_rules


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


def held_by(rules, table):
    """Evaluate each rule as a user would."""
    return np.array([parse(rule["rule"]).evaluate(table).values for rule in rules])


def test_html_shows_rules_escaped_with_how_they_do_on_others(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0).rename({0: "<b>best</b>"})
    rules = segments.rules
    shown = rules._repr_html_()
    assert "&lt;b&gt;best&lt;/b&gt;" in shown
    assert "<b>best" not in shown
    assert "recency_days &lt;=" in shown or "&gt;" in shown
    assert f"of {rules['unseen'][0]} others {rules['fidelity'][0]:.0%}" in shown
    del rules["rule"]
    assert "<table" in rules._repr_html_()


class TestFidelity:
    def test_it_is_the_share_among_those_held_back_with_wilsons_interval(self, rfm):
        rules = segmentation.segment(rfm, n_segments=3, random_state=0).rules
        held_back = rules.groupby("segment")["unseen_segment"].first().sum()
        assert rules["unseen"].sum() == held_back == 100
        low, high = wilson(rules["fidelity"] * rules["unseen"], rules["unseen"])
        np.testing.assert_allclose(rules["fidelity_low"], low)
        np.testing.assert_allclose(rules["fidelity_high"], high)
        low, high = wilson(rules["found"] * rules["unseen_segment"], rules["unseen_segment"])
        np.testing.assert_allclose(rules["found_low"], low)
        np.testing.assert_allclose(rules["found_high"], high)

    def test_lift_is_fidelity_over_the_segments_share(self, rfm):
        segments = segmentation.segment(rfm, n_segments=3, random_state=0)
        rules, share = segments.rules, segments.profile["share"]
        expected = rules["fidelity"].to_numpy() / share[rules["segment"]].to_numpy()
        np.testing.assert_allclose(rules["lift"], expected)

    def test_rules_for_labels_without_pattern_flatter_only_the_customers_they_were_made_on(self):
        random = np.random.default_rng(1)
        seen = unseen = 0.0
        for seed in range(10):
            values, ids = random.normal(size=(240, 3)), random.integers(0, 3, 240)
            rules = surrogate_rules(values, ids, list("abc"), seed=seed)[0]
            right, count = (sum(rule[key] for rule in rules) for key in ("unseen_right", "unseen"))
            unseen += right / count / 10
            seen += sum(rule["right"] - rule["unseen_right"] for rule in rules) / (240 - count) / 10
        assert seen > 0.43
        assert 0.27 < unseen < 0.4

    def test_a_third_of_every_segment_is_held_back_but_nobody_of_the_smallest(self):
        ids = np.repeat([0, 1, 2, -1], [200, 90, 5, 30])
        values = np.random.default_rng(0).normal(size=(325, 2))
        values[ids == 2] += 40
        rules = surrogate_rules(values, ids, ["a", "b"], seed=0)[0]
        out = {rule["segment_id"]: rule["unseen_segment"] for rule in rules}
        assert out[2] == 0
        assert 65 <= out[0] <= 68
        assert 29 <= out[1] <= 31
        small = next(rule for rule in rules if rule["segment_id"] == 2)
        assert small["right"] == 5

    def test_one_rare_customer_far_away_gets_a_rule(self):
        values = np.random.default_rng(0).gamma(2, 50, (3_000, 1))
        values[7] = 90_000
        ids = np.zeros(3_000, dtype=np.int64)
        ids[7] = 1
        rules = surrogate_rules(values, ids, ["monetary"], seed=0)[0]
        rare = [rule for rule in rules if rule["segment_id"] == 1]
        assert [(rule["customers"], rule["right"]) for rule in rare] == [(1, 1)]

    def test_of_few_customers_nobody_is_held_back_and_the_figures_are_missing(self):
        table = pd.DataFrame({"a": [1.0, 2, 3, 90, 91, 92]}, index=pd.Index(range(6), name="customer_id"))
        segments = segmentation.segment(table, n_segments=2, transform="scale", random_state=0)
        assert segments.rules[["fidelity", "fidelity_low", "found", "lift"]].isna().all(axis=None)
        assert segments.rules["unseen"].tolist() == [0, 0]
        assert "untried on others" in repr(segments.rules)
        assert segments.fidelity.n == 6

    @pytest.mark.parametrize("count", [2, 3, 5])
    def test_of_a_handful_each_customer_is_left_out_once(self, count):
        right, n = surrogate_rules(np.arange(count, dtype=float)[:, None], np.arange(count), ["a"], seed=0)[1]
        # Nobody else shares a customer's segment, so no tree grown without it can say it.
        assert (right, n) == (0, count)

    def test_the_same_seed_holds_back_the_same_customers(self, rfm):
        first, second = (segmentation.segment(rfm, n_segments=3, random_state=4).rules for _ in range(2))
        pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))


class TestMissingValues:
    def test_a_rule_holds_for_nobody_whose_value_it_asks_for_is_missing(self):
        random = np.random.default_rng(0)
        group = np.repeat([0, 1, 2], 100)
        values = np.column_stack([group * 10 + random.normal(size=300), random.normal(size=300) + (group == 2) * 9])
        values[random.random((300, 2)) < 0.1] = np.nan
        rules, (right, count) = surrogate_rules(values, group, ["a", "b"], seed=0)
        table = pd.DataFrame(values, columns=["a", "b"])
        held = held_by(rules, table)
        assert held.sum(axis=1).tolist() == [rule["customers"] for rule in rules]
        assert [
            int((inside & (group == rule["segment_id"])).sum()) for inside, rule in zip(held, rules, strict=True)
        ] == [rule["right"] for rule in rules]
        assert held.sum(axis=0).max() == 1
        assert (held.sum(axis=0) == 0).sum() > 10
        # Whoever falls under no rule is not agreed with.
        assert right <= held.any(axis=0).sum() + 5
        assert count == 300

    def test_a_column_that_most_lack_is_left_out_of_the_rules(self):
        random = np.random.default_rng(0)
        group = np.repeat([0, 1], 100)
        values = np.column_stack([group + random.normal(size=200) / 9, group.astype(float)])
        values[random.random(200) < 0.7, 1] = np.nan
        rules = surrogate_rules(values, group, ["a", "rare"], seed=0)[0]
        assert not any("rare" in rule["rule"] for rule in rules)
        assert sum(rule["customers"] for rule in rules) == 200

    def test_a_column_nobody_has_leaves_one_rule_for_all(self):
        rules, (right, count) = surrogate_rules(np.full((40, 1), np.nan), np.repeat([0, 1], [25, 15]), ["a"], seed=0)
        assert [(rule["rule"], rule["customers"], rule["right"]) for rule in rules] == [("True", 40, 25)]
        assert (right, count) == (25, 40)

    @settings(max_examples=60, deadline=None)
    @given(
        arrays(
            np.float64,
            st.tuples(st.integers(1, 45), st.just(3)),
            elements=st.sampled_from([-3.0, -0.1, 0.0, 0.25, 1e-9, 7.0, 1e12, np.nan]),
        ),
        st.data(),
    )
    def test_counts_are_those_of_the_expression_language_whatever_is_missing(self, values, data):
        ids = data.draw(arrays(np.int64, len(values), elements=st.integers(-1, 2)))
        rules, (right, count) = surrogate_rules(values, ids, ["a", "b c", "列"], seed=0)
        held = held_by(rules, pd.DataFrame(values, columns=["a", "b c", "列"]))
        assert held.sum(axis=1).tolist() == [rule["customers"] for rule in rules]
        assert (held.sum(axis=0) <= 1).all()
        assert 0 <= right <= count == len(values)


class TestWithoutRule:
    def test_a_segment_that_no_rule_says_is_named_and_printed(self):
        # Each customer of the second segment has nine doubles in the first.
        table = pd.DataFrame({"visits": np.repeat(np.arange(9.0), 10)})
        table.index = pd.Index([f"c{place}" for place in range(90)], name="customer_id")

        class Given(BaseEstimator):
            def fit_predict(self, *_table):
                return np.isin(np.arange(90), [0, 30, 60]).astype(int)

        segments = segmentation.segment(table, Given(), transform="none", random_state=0)
        assert segments.rules.without == (segments.names[1],)
        assert repr(segments.rules).splitlines()[-1] == f"no rule says: {segments.names[1]}"
        assert f"no rule says: {segments.names[1]}" in segments.rules._repr_html_()
        renamed = segments.rename({1: "hidden"})
        assert renamed.rules.without == ("hidden",)

    def test_all_have_one_where_groups_are_clear(self, rfm):
        assert segmentation.segment(rfm, n_segments=3, random_state=0).rules.without == ()

    def test_what_is_taken_from_the_table_is_plain(self, rfm):
        rules = segmentation.segment(rfm, n_segments=3, random_state=0).rules
        assert not hasattr(rules.head(1), "without")


def test_a_split_whose_sides_say_the_same_is_no_split():
    # From 60 on four in ten are of the second segment: purity asks for a border there, though the first leads on both.
    values = np.arange(100.0)[:, None]
    ids = ((np.arange(100) >= 60) & (np.arange(100) % 5 < 2)).astype(int)
    tree = DecisionTreeClassifier(max_leaf_nodes=2).fit(values, ids)
    assert tree.get_n_leaves() == 2
    leaves = _leaves(tree.tree_, tree.classes_, [values[:, 0]], np.array([0]))
    assert leaves == [{"segment_id": 0, "bounds": {}}]
