from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

import crmkit
from crmkit import DataError, metrics

FIGURES = {
    "ndcg": metrics.ndcg,
    "recall": metrics.recall_at_n,
    "precision": metrics.precision_at_n,
    "hit": metrics.hit_rate,
    "average_precision": metrics.mean_average_precision,
    "reciprocal_rank": metrics.mean_reciprocal_rank,
}


def tables(lists, right):
    """Make both tables of {customer: [items]} and {customer: {item: gain}}."""
    recommended = pd.DataFrame(
        [(who, item, rank) for who, items in lists.items() for rank, item in enumerate(items, start=1)],
        columns=["customer_id", "item_id", "rank"],
    ).astype({"customer_id": object, "item_id": object, "rank": "int64"})
    relevant = pd.DataFrame(
        [(who, item, gain) for who, gains in right.items() for item, gain in gains.items()],
        columns=["customer_id", "item_id", "gain"],
    ).astype({"customer_id": object, "item_id": object, "gain": "float64"})
    return recommended, relevant


def one_customer(items, gains, n):
    """Work every figure out place by place, as the definitions read."""
    shown = items[:n]
    worth = {item: gain for item, gain in gains.items() if gain > 0}
    best = sorted(worth.values(), reverse=True)[:n]
    places = [rank for rank, item in enumerate(shown, start=1) if item in worth]
    precisions = [sum(place <= rank for place in places) / rank for rank in places]
    return {
        "ndcg": sum(worth[shown[rank - 1]] / math.log2(1 + rank) for rank in places)
        / sum(gain / math.log2(1 + rank) for rank, gain in enumerate(best, start=1)),
        "recall": len(places) / len(worth),
        "precision": len(places) / n,
        "hit": float(bool(places)),
        "average_precision": sum(precisions) / min(n, len(worth)),
        "reciprocal_rank": 1 / places[0] if places else 0.0,
    }


ITEMS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)
GAINS = st.dictionaries(st.sampled_from("abcdefghij"), st.sampled_from([0.0, 0.5, 1.0, 3.0]), max_size=8)


@settings(max_examples=150)
@given(
    lists=st.dictionaries(st.sampled_from("QRSTUV"), ITEMS, max_size=5),
    right=st.dictionaries(st.sampled_from("QRSTUV"), GAINS, max_size=5),
    n=st.integers(1, 9),
    order=st.randoms(use_true_random=False),
)
def test_every_figure_is_that_of_going_through_lists_place_by_place(lists, right, n, order):
    recommended, relevant = tables(lists, right)
    recommended = recommended.sample(frac=1, random_state=order.randint(0, 10**6))
    counted = {who: gains for who, gains in right.items() if any(gain > 0 for gain in gains.values())}
    if not counted:
        with pytest.raises(DataError, match="relevant is empty"):
            metrics.list_scores(recommended, relevant, n=n)
        return
    expected = pd.DataFrame({who: one_customer(lists.get(who, []), gains, n) for who, gains in counted.items()}).T
    got = metrics.list_scores(recommended, relevant, n=n)
    assert sorted(got.index) == sorted(counted)
    pd.testing.assert_frame_equal(
        got.loc[expected.index, expected.columns], expected, check_names=False, check_index_type=False
    )
    without = sum(1 for who, items in lists.items() if items and who not in counted)
    for name, figure in FIGURES.items():
        estimate = figure(recommended, relevant, n=n)
        assert estimate.value == pytest.approx(expected[name].mean())
        assert estimate.n == len(counted)
        everyone = figure(recommended, relevant, n=n, no_relevant="zero")
        assert everyone.value == pytest.approx(expected[name].sum() / (len(counted) + without))
        assert 0.0 <= estimate.low <= estimate.value + 1e-12 or math.isnan(estimate.low)


@pytest.fixture(scope="module")
def drawn():
    """Give the tables on which RecTools 0.19.0 was asked for its figures."""
    rng = np.random.RandomState(7)
    lists = [(c, int(i), r + 1) for c in range(12) for r, i in enumerate(_some(rng, 15, rng.randint(0, 9)))]
    right = [(c, int(i)) for c in range(10) for i in _some(rng, 15, rng.randint(0, 10))]
    before = [(c, int(i)) for c in range(8) for i in _some(rng, 12, rng.randint(1, 9))]
    pair = ["customer_id", "item_id"]
    return (
        pd.DataFrame(lists, columns=[*pair, "rank"]),
        pd.DataFrame(right, columns=pair),
        pd.DataFrame(before, columns=pair),
    )


def _some(rng, most, many):
    """Draw a few of many, the number first."""
    return rng.permutation(most)[:many]


# What rectools.metrics gave: NDCG(divide_by_achievable=True), MAP (its default divides by all relevant items), MRR,
# Precision, Recall, HitRate, MeanInvUserFreq, CatalogCoverage(normalize=True).
RECTOOLS = {
    1: (0.125, 0.01785714, 0.125, 0.125, 0.01785714, 0.125, 2.125, 0.33333333),
    3: (0.25768032, 0.09060847, 0.25, 0.29166667, 0.11706349, 0.375, 2.09511276, 0.73333333),
    5: (0.22089159, 0.11173942, 0.25, 0.225, 0.14880952, 0.375, 2.1892575, 0.86666667),
}


@pytest.mark.parametrize("n", RECTOOLS)
def test_figures_are_those_of_rectools_where_the_definitions_agree(drawn, n):
    lists, right, before = drawn
    got = [
        metrics.ndcg(lists, right, n=n),
        metrics.mean_average_precision(lists, right, n=n, denominator="relevant"),
        metrics.mean_reciprocal_rank(lists, right, n=n),
        metrics.precision_at_n(lists, right, n=n),
        metrics.recall_at_n(lists, right, n=n),
        metrics.hit_rate(lists, right, n=n),
        metrics.novelty(lists, before, n=n),
        metrics.coverage(lists, range(15), n=n),
    ]
    np.testing.assert_allclose(got, RECTOOLS[n], atol=5e-9)


def test_ndcg_of_whole_rankings_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    scores, gains = rng.random((20, 8)), rng.integers(0, 4, (20, 8)).astype(float)
    gains[:, 0] = 1.0  # something is relevant to everyone
    place = np.argsort(np.argsort(-scores, axis=1), axis=1)
    who, item = np.indices(scores.shape)
    table = pd.DataFrame({"customer_id": who.ravel(), "item_id": item.ravel(), "rank": place.ravel() + 1})
    right = table.assign(gain=gains.ravel())
    for n in (3, 8):
        assert metrics.ndcg(table, right, n=n).value == pytest.approx(ndcg_score(gains, scores, k=n))


def test_denominators_are_the_ones_named():
    recommended, relevant = tables({"Q": [*"ab"]}, {"Q": dict.fromkeys("acdef", 1.0)})
    assert metrics.recall_at_n(recommended, relevant, n=3).value == pytest.approx(1 / 5)
    assert metrics.recall_at_n(recommended, relevant, n=3, denominator="reachable").value == pytest.approx(1 / 3)
    assert metrics.precision_at_n(recommended, relevant, n=3).value == pytest.approx(1 / 3)
    assert metrics.precision_at_n(recommended, relevant, n=3, denominator="listed").value == pytest.approx(1 / 2)
    assert metrics.mean_average_precision(recommended, relevant, n=3).value == pytest.approx(1 / 3)
    assert metrics.mean_average_precision(recommended, relevant, n=3, denominator="relevant").value == pytest.approx(
        1 / 5
    )


def test_customers_without_anything_relevant_are_counted_in_words_or_as_zeros():
    recommended, relevant = tables({"Q": ["a"], "R": ["a"], "S": ["b"]}, {"Q": {"a": 1.0}})
    left_out = metrics.hit_rate(recommended, relevant)
    assert (left_out.value, left_out.n) == (1.0, 1)
    assert left_out.method == "wilson; 2 customers with nothing relevant left out"
    assert metrics.hit_rate(recommended, relevant, no_relevant="zero").value == pytest.approx(1 / 3)


def test_equal_scores_of_all_customers_do_not_promise_certainty():
    recommended, relevant = tables({who: ["a"] for who in "QRSTU"}, {who: {"b": 1.0} for who in "QRSTU"})
    nothing = metrics.ndcg(recommended, relevant)
    assert nothing.value == nothing.low == 0.0
    assert nothing.high == pytest.approx(metrics.share(0, 5).high)


def test_the_interval_covers_the_mean_of_the_population():
    rng = np.random.default_rng(1)
    chance = rng.beta(0.4, 2.0, 400_000)
    truth, inside = chance.mean(), 0
    for _ in range(200):
        some = rng.choice(chance, 150)
        hits = rng.random((150, 5)) < some[:, np.newaxis]
        who, item = np.indices(hits.shape)
        table = pd.DataFrame({"customer_id": who.ravel(), "item_id": item.ravel(), "rank": item.ravel() + 1})
        figure = metrics.precision_at_n(table, table[hits.ravel()], n=5, no_relevant="zero")
        inside += figure.low <= truth <= figure.high
    # 200 draws of a nominal 95 %: fewer than 180 would be a chance of one in two thousand.
    assert inside >= 180


def test_ids_of_categories_and_of_arrow_text_meet_plain_text():
    recommended, relevant = tables({"甲": [*"ab"], "乙": [*"ba"]}, {"甲": {"a": 1.0}, "乙": {"a": 1.0}})
    expected = metrics.ndcg(recommended, relevant).value
    both = ["customer_id", "item_id"]
    assert metrics.ndcg(recommended.astype(dict.fromkeys(both, "category")), relevant).value == expected
    assert metrics.ndcg(recommended, relevant.astype(dict.fromkeys(both, "string"))).value == expected


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.assign(item_id="a"), "an item stands more than once in one customer's list .rows 0, 1"),
        (lambda t: t.assign(rank=1), "two items have the same rank in one customer's list .rows 0, 1"),
        (lambda t: t.assign(rank=[1, 3, 1, 2]), "without gaps; row 1 stand beyond"),
        (lambda t: t.assign(rank=[0, 1, 1, 2]), "rank must be a whole number from 1 on; it is not in row 0"),
        (lambda t: t.assign(rank=[1, 1.5, 1, 2]), "it is not in row 1"),
        (lambda t: t.assign(rank=[*"1212"]), "rank must hold whole numbers"),
        (lambda t: t.assign(customer_id=["Q", "Q", None, "R"]), "customer_id is missing in row 2"),
        (lambda t: t.drop(columns="rank"), "recommended has no column 'rank'"),
        (lambda t: t.assign(item_id=[1, 2, 1, 2]), "item_id holds numbers in recommended and text in relevant"),
    ],
)
def test_lists_that_are_no_lists_are_refused_by_their_rows(change, match):
    recommended, relevant = tables({"Q": [*"ab"], "R": [*"ab"]}, {"Q": {"a": 1.0}})
    with pytest.raises(DataError, match=match):
        metrics.ndcg(change(recommended), relevant)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: pd.concat([t, t]), "stand together more than once; make it one row a pair"),
        (lambda t: t.assign(gain=-1.0), "gain must be a finite number from 0 on; it is not in row 0"),
        (lambda t: t.assign(gain=np.inf), "gain must be a finite number"),
        (lambda t: t.assign(gain="much"), "gain must hold numbers"),
        (lambda t: t.assign(gain=0.0), "relevant is empty"),
        (lambda t: t.iloc[:0], "relevant is empty"),
        (lambda t: t.assign(item_id=None), "item_id is missing in row 0"),
    ],
)
def test_what_is_relevant_is_refused_by_its_rows(change, match):
    recommended, relevant = tables({"Q": [*"ab"]}, {"Q": {"a": 1.0}})
    with pytest.raises(DataError, match=match):
        metrics.recall_at_n(recommended, change(relevant))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: metrics.ndcg(*t, n=0), "n must be a whole number of places"),
        (lambda t: metrics.ndcg(*t, n=True), "n must be a whole number of places"),
        (lambda t: metrics.ndcg(*t, n=2.0), "n must be a whole number of places"),
        (lambda t: metrics.hit_rate(*t, level=1.0), "level must lie"),
        (lambda t: metrics.hit_rate(*t, no_relevant="skip"), "no_relevant must be 'exclude' or 'zero'"),
        (lambda t: metrics.recall_at_n(*t, denominator="n"), "denominator must be 'relevant' or 'reachable'"),
        (lambda t: metrics.precision_at_n(*t, denominator="n"), "denominator must be 'places' or 'listed'"),
        (
            lambda t: metrics.mean_average_precision(*t, denominator="n"),
            "denominator must be 'reachable' or 'relevant'",
        ),
    ],
)
def test_options_that_do_not_exist_are_refused(call, match):
    with pytest.raises(DataError, match=match):
        call(tables({"Q": [*"ab"]}, {"Q": {"a": 1.0}}))


def test_no_message_shows_an_id():
    recommended, relevant = tables({"secret-1": [*"aa"]}, {"secret-1": {"a": 1.0}})
    with pytest.raises(DataError) as error:
        metrics.ndcg(recommended, relevant)
    assert "secret" not in str(error.value)


def test_no_list_at_all_finds_nothing():
    recommended, relevant = tables({}, {"Q": {"a": 1.0}})
    assert metrics.ndcg(recommended, relevant).value == 0.0
    assert metrics.precision_at_n(recommended, relevant, denominator="listed").value == 0.0


@pytest.mark.parametrize("name", ["ndcg", "recall-at-n", "precision-at-n", "hit-rate", "map", "mrr"])
def test_the_evaluators_are_these_functions(name):
    recommended, relevant = tables({"Q": [*"ab"]}, {"Q": {"a": 1.0}})
    assert float(crmkit.create("evaluator", name, n=1)(recommended, relevant)) == 1.0
