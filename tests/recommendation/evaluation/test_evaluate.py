from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit import DataError, DataWarning, metrics, recommendation
from crmkit.recommendation import Popularity

SEEN = []

# Most models here know nothing, which evaluate says; one test asks for it.
pytestmark = pytest.mark.filterwarnings("ignore:.* put what customers wanted lower")


class Told(BaseEstimator):
    """Recommends the items it is told, and remembers what it was shown."""

    def __init__(self, items=("a", "b")):
        self.items = items

    def fit(self, interactions, /):
        self.seen_ = interactions
        SEEN.append(interactions)
        return self

    def recommend(self, customer_ids, n, /):
        rows = [(who, item, rank) for who in customer_ids for rank, item in enumerate(self.items[:n], start=1)]
        table = pd.DataFrame(rows, columns=["customer_id", "item_id", "rank"])
        return table.assign(score=1.0, source="told")


class Oracle(Told):
    """Recommends what a table says that each customer will want, less what they had where that is asked."""

    def __init__(self, wanted=None):
        self.wanted = wanted

    def fit(self, interactions, /, *, cutoff=None):
        self.had_ = set(zip(interactions["customer_id"], interactions["item_id"], strict=True))
        self.cutoff_ = cutoff
        SEEN.append((interactions, cutoff))
        return self

    def recommend(self, customer_ids, n, /, *, exclude="auto"):
        rows = []
        for who in customer_ids:
            right = self.wanted.loc[self.wanted["customer_id"] == who, "item_id"].unique()
            items = [item for item in right if exclude == "nothing" or (who, item) not in self.had_]
            rows += [(who, item, rank) for rank, item in enumerate(items[:n], start=1)]
        return pd.DataFrame(rows, columns=["customer_id", "item_id", "rank"])


class Broken(Told):
    """Cannot learn."""

    def fit(self, interactions, /):  # noqa: ARG002 -- a recommender's signature
        raise DataError("there is not enough to learn from")


@pytest.fixture(scope="module")
def sales():
    """Give 3,000 purchases of 150 customers over 120 days: five tastes, much bought again."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, 150, 3000)
    item = (who % 5) * 8 + np.minimum(rng.geometric(0.3, 3000) - 1, 7)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in who],
            "item_id": [f"i{number}" for number in item],
            "day": np.sort(rng.integers(0, 120, 3000)) + 19_000,
            "quantity": 1.0,
        }
    )


@pytest.fixture(scope="module")
def judged(sales):
    return recommendation.evaluate(
        {"oracle": Oracle(sales[sales["day"] >= 19_060]), "two": Told(("i0", "i8"))},
        sales,
        cutoffs=[19_060, 19_080],
        horizon=20,
        n=5,
        n_resamples=200,
    )


def by_hand(sales, cutoffs, horizon, lists_of, n):
    """Score lists customer by customer and pair by pair."""
    rows = []
    for cutoff in cutoffs:
        before = sales[sales["day"] < cutoff]
        after = sales[(sales["day"] >= cutoff) & (sales["day"] < cutoff + horizon)]
        had = set(zip(before["customer_id"], before["item_id"], strict=True))
        known = set(before["customer_id"])
        for who, mine in after.groupby("customer_id"):
            wanted = set(mine["item_id"])
            for pairs in ("any", "new", "repeat"):
                right = {item for item in wanted if pairs == "any" or ((who, item) in had) == (pairs == "repeat")}
                if not right:
                    continue
                gained = sum(1 / np.log2(1 + r) for r, item in enumerate(lists_of(who)[:n], 1) if item in right)
                best = sum(1 / np.log2(1 + r) for r in range(1, min(n, len(right)) + 1))
                rows.append((cutoff, who, "warm" if who in known else "cold", pairs, gained / best))
    return pd.DataFrame(rows, columns=["window", "customer_id", "customers", "pairs", "ndcg"])


def test_the_table_is_that_of_scoring_customer_by_customer(sales, judged):
    expected = by_hand(sales, [19_060, 19_080], 20, lambda who: ["i0", "i8"], 5)  # noqa: ARG005 -- the same for everyone
    table = judged.table.xs("two", level="model")
    for customers, pairs in table.index:
        rows = expected[expected["pairs"] == pairs]
        rows = rows if customers == "all" else rows[rows["customers"] == customers]
        got = table.loc[(customers, pairs)]
        assert got["ndcg"] == pytest.approx(rows["ndcg"].mean())
        assert got["n_lists"] == len(rows)
        assert got["n_customers"] == rows["customer_id"].nunique()
        assert got["ndcg_low"] <= got["ndcg"] <= got["ndcg_high"]


def test_models_see_what_is_strictly_before_each_cutoff_and_are_told_it(sales):
    SEEN.clear()
    model = Oracle(sales)
    recommendation.evaluate(model, sales, cutoffs=[19_080, 19_060], horizon=10, n_resamples=0)
    assert [int(rows["day"].max()) for rows, _ in SEEN] == [19_059, 19_079]
    assert [cutoff.day for _, cutoff in SEEN] == [19_060, 19_080]
    assert not hasattr(model, "had_"), "the caller's model was fitted"


def test_nothing_at_or_after_the_window_changes_anything(sales):
    later = sales.assign(day=19_070, item_id="i39")
    both = [
        recommendation.evaluate("item-knn", table, cutoffs=19_060, horizon=10, n_resamples=20)
        for table in (sales[sales["day"] < 19_070], pd.concat([sales[sales["day"] < 19_070], later]))
    ]
    pd.testing.assert_frame_equal(both[0].table, both[1].table)


def test_new_and_repeated_pairs_are_asked_for_and_judged_apart(sales):
    wanted = sales[(sales["day"] >= 19_060) & (sales["day"] < 19_070)]
    got = recommendation.evaluate(("oracle", Oracle(wanted)), sales, cutoffs=19_060, horizon=10, n=40, n_resamples=0)
    oracle = got.table.xs("oracle", level="model")
    # Asked for anything, it lists all that is right; asked for what is new, only that.
    assert oracle.loc[("all", "any"), "ndcg"] == pytest.approx(1.0)
    assert oracle.loc[("all", "new"), "ndcg"] == pytest.approx(1.0)
    assert oracle.loc[("warm", "repeat"), "recall"] == pytest.approx(1.0)
    assert oracle.loc[("warm", "repeat"), "ndcg"] < 1.0


def test_customers_without_a_history_are_counted_in_rows_of_their_own(sales):
    strangers = pd.DataFrame({"customer_id": [*"xyz"], "item_id": "i0", "day": 19_061, "quantity": 1.0})
    got = recommendation.evaluate(
        ("i0", Told(("i0",))), pd.concat([sales, strangers]), cutoffs=19_060, horizon=5, n_resamples=50
    )
    cold = got.table.loc[("cold", "any", "i0")]
    assert (cold["n_customers"], cold["ndcg"]) == (3, 1.0)
    # Three of three found it: the draws of customers do not differ, and that is no certainty.
    assert cold["ndcg_low"] == pytest.approx(metrics.share(3, 3).low)
    sizes = got.table.xs("i0", level="model")["n_customers"]
    assert sizes[("all", "any")] == sizes[("warm", "any")] + 3
    assert got.windows.loc["2022-03-09", "cold_share"] == pytest.approx(3 / sizes[("all", "any")])


def test_what_was_popular_in_the_last_thirty_days_is_always_judged(sales, judged):
    assert judged.models == ("oracle", "two", "popularity (30 days)")
    assert judged.baseline == "popularity (30 days)"
    alone = recommendation.evaluate(("same", Popularity(window_days=30)), sales, cutoffs=19_060, n_resamples=20)
    assert (alone.paired.filter(regex="^(ndcg|recall|hit)") == 0).all(axis=None)


def test_pairs_are_compared_customer_by_customer(judged):
    scores = judged.per_customer.query("pairs == 'any'").pivot_table(
        index=["window", "customer_id"], columns="model", values="ndcg"
    )
    groups = scores.index.get_level_values("customer_id")
    expected = metrics.paired_differences(scores, "two", groups=groups, n_resamples=200).loc["oracle"]
    got = judged.against("two").loc[("all", "any", "oracle")]
    assert got["ndcg"] == pytest.approx(expected["difference"])
    width = expected["high"] - expected["low"]
    assert got["ndcg_low"] == pytest.approx(expected["low"], abs=width / 3)
    with pytest.raises(DataError, match="'three' was not judged; there are: 'oracle', 'two'"):
        judged.against("three")


def test_the_same_seed_draws_the_same_intervals(sales):
    runs = [recommendation.evaluate("item-knn", sales, cutoffs=19_060, n_resamples=30) for _ in range(2)]
    pd.testing.assert_frame_equal(runs[0].table, runs[1].table)
    pd.testing.assert_frame_equal(runs[0].paired, runs[1].paired)


def test_what_lists_offer_besides_is_measured(sales, judged):
    assert judged.variety.index.get_level_values("model").unique().tolist() == list(judged.models)
    two = judged.variety.loc[("any", "two")]
    assert two["coverage"] == pytest.approx(2 / 40)
    assert "diversity" not in judged.variety.columns
    assert (judged.variety["fit_seconds"] >= 0).all()
    items = pd.DataFrame({"item_id": [f"i{number}" for number in range(40)], "category": [*"ab"] * 20})
    got = recommendation.evaluate(("two", Told(("i0", "i1", "i2"))), sales, cutoffs=19_060, items=items, n_resamples=0)
    assert got.variety.loc[("any", "two"), "diversity"] == pytest.approx(2 / 3)


def test_items_and_customers_reach_the_models_that_take_them(sales):
    items = pd.DataFrame({"item_id": ["i0", "brand new"], "category": ["tea", "tea"]})
    customers = pd.DataFrame({"customer_id": ["c0"], "segment": ["good"]})
    got = recommendation.evaluate(
        ["item-knn", ("told", Told())], sales, cutoffs=19_060, items=items, customers=customers, n_resamples=0
    )
    assert set(got.models) == {"item-knn", "told", "popularity (30 days)"}


def test_what_was_given_back_or_only_looked_at_was_not_wanted():
    rows = [
        ("a", "x", 0, "purchase", 1.0),
        ("b", "y", 0, "purchase", 1.0),
        ("b", "y", 1, "view", 1.0),
        ("a", "y", 12, "purchase", 2.0),
        ("a", "z", 12, "purchase", 2.0),
        ("a", "z", 13, "purchase", -2.0),
        ("b", "x", 12, "view", 1.0),
        ("b", "y", 12, "purchase", 1.0),
    ]
    events = pd.DataFrame(rows, columns=["customer_id", "item_id", "day", "event", "quantity"])
    got = recommendation.evaluate(("told", Told(("x", "y"))), events, cutoffs=10, horizon=5, n_resamples=0)
    assert got.windows["relevant"].tolist() == [2]
    assert got.windows["repeat_share"].tolist() == [0.5]
    looked = recommendation.evaluate(
        ("told", Told(("x", "y"))), events, cutoffs=10, horizon=5, n_resamples=0, events="view"
    )
    assert looked.windows["relevant"].tolist() == [1]


def test_ratings_count_from_the_least_that_is_liked():
    rows = [("a", "x", 0, 5.0), ("b", "y", 0, 5.0), ("a", "y", 14, 4.0), ("b", "x", 12, 2.0)]
    ratings = pd.DataFrame(rows, columns=["customer_id", "item_id", "day", "rating"])
    got = recommendation.evaluate(("told", Told(("y",))), ratings, cutoffs=10, horizon=5, min_rating=4, n_resamples=0)
    assert got.windows["relevant"].tolist() == [1]
    assert got.table.loc[("all", "any", "told"), "ndcg"] == 1.0


def test_a_random_holdout_says_that_it_flatters(sales):
    SEEN.clear()
    with pytest.warns(DataWarning, match="held out at random flatter"):
        got = recommendation.evaluate(("told", Told()), sales, split="random", n_resamples=0)
    assert set(got.table["split"]) == {"random (flatters)"}
    assert got.baseline == "popularity (all time)"
    assert got.models == ("told", "popularity (all time)", "popularity (30 days)")
    assert "FLATTERS" in repr(got)
    pairs = sales[["customer_id", "item_id"]].drop_duplicates()
    kept = SEEN[0][["customer_id", "item_id"]].drop_duplicates()
    many, left = pairs.groupby("customer_id").size(), kept.groupby("customer_id").size()
    expected = np.clip(np.floor(0.2 * many + 0.5), 1, many - 1)
    pd.testing.assert_series_equal((many - left).astype(float), expected.astype(float), check_names=False)
    held = got.per_customer.query("pairs == 'any' and model == 'told'").set_index("customer_id")["n_relevant"]
    assert held.sum() == expected.sum()
    # No event of a held-out pair is left to learn from.
    assert len(pairs) - len(kept) == held.sum()
    groups = set(got.table.index.droplevel("model"))
    assert groups == {("all", "any"), ("all", "new"), ("warm", "any"), ("warm", "new")}


def test_a_table_without_times_can_only_be_held_out_at_random(sales):
    with pytest.warns(DataWarning, match="flatter"):
        got = recommendation.evaluate(("told", Told()), sales.drop(columns="day"), split="random", n_resamples=0)
    assert got.models == ("told", "popularity (all time)")
    with pytest.raises(DataError, match="day"):
        recommendation.evaluate(("told", Told()), sales.drop(columns="day"), cutoffs=19_060)


def test_a_model_that_cannot_be_fitted_is_told_of_and_left_out(sales):
    with pytest.warns(DataWarning, match="broken could not be judged .2022-03-09.: there is not enough"):
        got = recommendation.evaluate([("broken", Broken()), "item-knn"], sales, cutoffs=19_060, n_resamples=0)
    assert got.models == ("item-knn", "popularity (30 days)")
    with (
        pytest.warns(DataWarning, match="could not be judged"),
        pytest.raises(DataError, match="baseline 'broken' could not be judged"),
    ):
        recommendation.evaluate([("broken", Broken())], sales, cutoffs=19_060, baseline="broken")


def test_a_model_worse_than_popularity_at_both_jobs_is_named(sales):
    with pytest.warns(DataWarning, match="useless put what customers wanted lower than popularity"):
        recommendation.evaluate(("useless", Told(("q",))), sales, cutoffs=19_060, n_resamples=0)


def test_a_window_beyond_the_end_of_the_table_is_told_of(sales):
    with pytest.warns(DataWarning, match="ends more than a quarter of 60 days before the window of 2022-03-29"):
        recommendation.evaluate("item-knn", sales, cutoffs=19_080, horizon=60, n_resamples=0)


def test_rows_without_a_customer_are_left_out_and_counted(sales):
    some = sales.assign(customer_id=sales["customer_id"].where(sales.index > 9))
    with pytest.warns(DataWarning, match="10 of 3,000 rows have no customer_id or no item_id") as told:
        recommendation.evaluate("item-knn", some, cutoffs=19_060, n_resamples=0)
    assert len(told) == 1


def test_a_cutoff_within_a_day_is_an_instant(sales):
    start = pd.Timestamp("1970-01-01", tz="Asia/Shanghai")
    timed = sales.assign(time=start + pd.to_timedelta(sales["day"] * 24 + 9, unit="h")).drop(columns="day")
    got = recommendation.evaluate("item-knn", timed, cutoffs="2022-03-09T12:00+08:00", horizon=20, n_resamples=0)
    before = timed["time"] < pd.Timestamp("2022-03-09T12:00+08:00")
    assert got.windows["known_events"].tolist() == [int(before.sum())]
    assert got.windows["until"].tolist() == ["2022-03-29T12:00:00+08:00"]


def test_ids_as_numbers_beside_missing_ones_are_the_same_customers(sales):
    numbers = sales.assign(
        customer_id=sales["customer_id"].str[1:].astype(float),
        item_id=sales["item_id"].str[1:].astype(int).astype("category"),
    )
    plain, odd = (
        recommendation.evaluate("item-knn", table, cutoffs=19_060, n_resamples=0).table["ndcg"]
        for table in (numbers.astype({"customer_id": int, "item_id": int}), numbers)
    )
    pd.testing.assert_series_equal(plain, odd)


def test_names_that_stand_twice_are_numbered(sales):
    got = recommendation.evaluate(["item-knn", "item-knn", Told(("i0",))], sales, cutoffs=19_060, n_resamples=0)
    assert got.models == ("item-knn", "item-knn (2)", "Told", "popularity (30 days)")


def test_displays_show_the_figures_and_escape_labels(judged, sales):
    assert "popularity (30 days)" in repr(judged)
    page = judged._repr_html_()
    assert "NDCG against popularity (30 days)" in page
    with pytest.warns(DataWarning, match="lower than popularity"):
        odd = recommendation.evaluate(("<b>", Told(("q",))), sales, cutoffs=19_060, n_resamples=0)
    assert "<b>" not in odd._repr_html_()
    assert "&lt;b&gt;" in odd._repr_html_()


class TooLong(Told):
    def recommend(self, customer_ids, n, /):
        return super().recommend(customer_ids, 2 * n)


class Stranger(Told):
    def recommend(self, customer_ids, n, /):
        return super().recommend([*customer_ids, "nobody asked"], n)


class Wordless(Told):
    def recommend(self, customer_ids, n, /):
        return super().recommend(customer_ids, n).drop(columns="rank")


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (TooLong([f"i{number}" for number in range(30)]), "odd gives lists longer than the 10 places"),
        (Stranger(), "odd recommends to customers who were not asked for"),
        (Wordless(), "the lists of odd have no rank"),
        (Told(("i0", "i0")), "an item stands more than once"),
    ],
)
def test_lists_that_are_none_leave_the_model_out_and_say_why(sales, model, match):
    with pytest.warns(DataWarning, match=match):
        got = recommendation.evaluate(("odd", model), sales, cutoffs=19_060, n_resamples=0)
    assert got.models == ("popularity (30 days)",)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"cutoffs": None}, DataError, "say at which cutoffs"),
        ({"cutoffs": []}, DataError, "cutoffs is empty"),
        ({"cutoffs": [19_060, "2022-03-09"]}, DataError, "names a moment twice"),
        ({"cutoffs": 18_000}, DataError, "no event lies before the cutoff 2019-04-14"),
        ({"cutoffs": 20_000}, DataError, "nothing that counts happened in the 30 days from 2024-10-04 on"),
        ({"split": "random"}, DataError, "split='random' knows no cutoffs"),
        ({"split": "last"}, DataError, "split must be 'time' or 'random'"),
        ({"horizon": 0}, DataError, "horizon must be a whole number from 1 on"),
        ({"holdout": 1.0}, DataError, "holdout must be a share"),
        ({"n": 0}, DataError, "n must be a whole number from 1 on"),
        ({"level": 2.0}, DataError, "level must lie"),
        ({"n_resamples": -1}, DataError, "n_resamples must be a whole number"),
        ({"baseline": "bestsellers"}, DataError, "baseline 'bestsellers' is none of the models"),
        ({"min_rating": 4.0}, DataError, "min_rating needs the column rating"),
        ({"events": ("view",)}, DataError, "interactions have no column event"),
        ({"models": []}, DataError, "name at least one model"),
        ({"models": ("popularity (30 days)", Told())}, DataError, "is the name of the yardstick"),
        ({"models": [object()]}, TypeError, "a recommender needs fit"),
        ({"models": 7}, TypeError, "models must be names"),
        ({"models": "item-cnn"}, LookupError, "item-knn"),
    ],
)
def test_what_cannot_be_asked_is_refused(sales, options, error, match):
    given = {"models": "item-knn", "cutoffs": 19_060, **options}
    models = given.pop("models")
    with pytest.raises(error, match=match):
        recommendation.evaluate(models, sales, **given)


def test_kinds_of_event_that_do_not_exist_or_are_missing_are_refused(sales):
    kinds = sales.assign(event="purchase")
    with pytest.raises(DataError, match="events names 'view'; interactions hold purchase"):
        recommendation.evaluate("item-knn", kinds, cutoffs=19_060, events="view")
    with pytest.raises(DataError, match="event is missing in rows 0"):
        recommendation.evaluate("item-knn", kinds.assign(event=None), cutoffs=19_060)


def test_tables_without_any_event_are_refused(sales):
    with pytest.raises(DataError, match="interactions hold no event"):
        recommendation.evaluate("item-knn", sales.iloc[:0], cutoffs=19_060)


def test_a_window_in_which_everything_was_given_back_says_so(sales):
    before = sales[sales["day"] < 19_060]
    back = before.tail(5).assign(day=19_062, quantity=-1.0)
    with pytest.raises(DataError, match="nothing that counts happened in the 5 days"):
        recommendation.evaluate("item-knn", pd.concat([before, back]), cutoffs=19_060, horizon=5)


def test_a_category_of_items_is_read_only_where_there_is_one(sales):
    items = pd.DataFrame({"item_id": ["i0"], "price": [3.0]})
    got = recommendation.evaluate("item-knn", sales, cutoffs=19_060, items=items, n_resamples=0)
    assert "diversity" not in got.variety.columns


def test_without_a_yardstick_no_model_is_judged(sales):
    gap = sales[(sales["day"] < 19_010) | (sales["day"] >= 19_060)]
    with pytest.raises(DataError, match=r"yardstick, .* could not be judged"):
        recommendation.evaluate("item-knn", gap, cutoffs=19_060)


def test_one_item_each_cannot_be_held_out(sales):
    with pytest.raises(DataError, match="no customer has two items"), pytest.warns(DataWarning, match="flatter"):
        recommendation.evaluate("item-knn", sales.drop_duplicates("customer_id"), split="random")


def test_transactions_are_read_as_they_are(sales):
    table = sales.rename(columns={"item_id": "product_id"})
    same = [recommendation.evaluate("item-knn", one, cutoffs=19_060, n_resamples=0).table for one in (sales, table)]
    pd.testing.assert_frame_equal(*same)


@pytest.mark.parametrize("split", [{"cutoffs": 19_080, "horizon": 20}, {"split": "random"}])
def test_an_id_that_is_empty_text_is_missing(sales, split):
    holes = sales.copy()
    holes.loc[holes.index[[3, 5]], "customer_id"] = ""
    holes.loc[holes.index[[7, 2900]], "item_id"] = ""
    with pytest.warns(DataWarning) as told:
        found = recommendation.evaluate([Told()], holes, **split)
    assert sum("4 of 3,000 rows" in str(one.message) for one in told) == 1
    assert not any("set aside" in str(one.message) for one in told)
    assert "" not in found.per_customer["customer_id"].tolist()


@pytest.mark.parametrize("kinds", [(int, str), (str, int), (float, str), (str, float), (int, float)])
def test_items_are_the_same_as_numbers_and_as_text(sales, kinds):
    numbered = sales.assign(item_id=sales["item_id"].str[1:].astype(int))
    items = pd.DataFrame({"item_id": range(50), "category": [f"k{number % 3}" for number in range(50)]})
    asked = {"cutoffs": 19_080, "horizon": 20, "n": 5, "n_resamples": 0}
    alike = recommendation.evaluate(["item-knn"], numbered, items=items, **asked)
    of_events, of_items = kinds
    other = recommendation.evaluate(
        ["item-knn"],
        numbered.assign(item_id=numbered["item_id"].astype(of_events)),
        items=items.assign(item_id=items["item_id"].astype(of_items)),
        **asked,
    )
    said = alike.variety["diversity"]
    assert said.between(0.3, 0.99).all()
    # Ids that are text are put in another order, which breaks ties between items otherwise.
    pd.testing.assert_series_equal(other.variety["diversity"], said, atol=0.05)
    assert other.table["ndcg"].to_numpy() == pytest.approx(alike.table["ndcg"].to_numpy(), abs=0.05)


def test_the_category_of_products_is_that_of_items(sales):
    items = pd.DataFrame({"item_id": [f"i{number}" for number in range(40)], "category": ["k", "l"] * 20})
    asked = {"cutoffs": 19_080, "horizon": 20, "n_resamples": 0}
    one, other = (
        recommendation.evaluate(["item-knn"], sales.rename(columns=names), items=items.rename(columns=names), **asked)
        for names in ({}, {"item_id": "product_id"})
    )
    pd.testing.assert_series_equal(one.variety["diversity"], other.variety["diversity"])


def test_a_model_that_names_items_otherwise_than_the_table_is_judged_all_the_same(sales):
    numbered = sales.assign(item_id=sales["item_id"].str[1:].astype(int))
    asked = {"cutoffs": 19_080, "horizon": 20, "n_resamples": 0}
    found = recommendation.evaluate({"number": Told((0, 8)), "text": Told(("0", "8"))}, numbered, **asked)
    in_numbers, in_text = (found.table["ndcg"].xs(name, level="model").tolist() for name in ("number", "text"))
    assert in_text == in_numbers
    assert min(in_numbers) > 0


def test_two_names_in_a_tuple_are_not_taken_for_one_model_with_a_label(sales):
    asked = {"cutoffs": 19_080, "horizon": 20, "n_resamples": 0}
    with pytest.raises(DataError, match=r"two models or one under a label: write \['ease', 'item-knn'\]"):
        recommendation.evaluate(("ease", "item-knn"), sales, **asked)
    assert recommendation.evaluate(("linear", "ease"), sales, **asked).models[0] == "linear"


def test_one_instant_in_two_time_zones_is_one_cutoff(sales):
    timed = sales.assign(time=pd.to_datetime(sales["day"], unit="D", utc=True) + pd.Timedelta(hours=12))
    with pytest.raises(DataError, match="names a moment twice"):
        recommendation.evaluate([Told()], timed, cutoffs=["2022-03-15T12:00+00:00", "2022-03-15T20:00+08:00"])
    cutoffs = ["2022-03-15T18:00+00:00", "2022-03-15T12:00+00:00"]
    assert recommendation.evaluate([Told()], timed, cutoffs=cutoffs, n_resamples=0).windows.index.tolist() == [
        "2022-03-15T12:00:00+00:00",
        "2022-03-15T18:00:00+00:00",
    ]


def test_the_windows_say_how_many_of_their_days_the_table_holds(sales):
    found = recommendation.evaluate([Told()], sales, cutoffs=[19_080, 19_100], horizon=25, n_resamples=0)
    # The last event is on day 19,119.
    assert found.windows["days_seen"].tolist() == [25, 20]


def test_other_baselines_are_compared_on_the_same_draws_without_a_seed_too(sales):
    for random_state in (None, np.random.RandomState(0)):
        found = recommendation.evaluate(
            [Told()], sales, cutoffs=19_080, horizon=20, n_resamples=50, random_state=random_state
        )
        pd.testing.assert_frame_equal(found.against(found.baseline), found.paired)


def test_a_model_that_lists_nothing_for_anybody_finds_nothing(sales):
    found = recommendation.evaluate({"mute": Told(())}, sales, cutoffs=19_080, horizon=20, n_resamples=0)
    assert found.table["ndcg"].xs("mute", level="model").eq(0).all()
    assert np.isnan(found.variety.loc[("any", "mute"), "coverage"])


@pytest.mark.parametrize("early", [True, False])
def test_items_that_are_numbers_on_one_side_of_the_cutoff_are_the_same_items(sales, early):
    numbers = sales["item_id"].str[1:].astype(int).astype(object)
    in_numbers = (sales["day"] < 19_080) == early
    mixed = sales.assign(item_id=numbers.where(in_numbers, numbers.astype(str)))
    asked = {"cutoffs": 19_080, "horizon": 20, "n_resamples": 0}
    plain = recommendation.evaluate([Told((0, 8))], sales.assign(item_id=numbers.astype(int)), **asked)
    found = recommendation.evaluate([Told((0, 8))], mixed, **asked)
    assert found.windows.equals(plain.windows)
    assert (
        found.table["ndcg"].xs("Told", level="model").tolist() == plain.table["ndcg"].xs("Told", level="model").tolist()
    )


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, np.linalg.LinAlgError])
def test_what_outsiders_raise_of_data_leaves_their_model_out(sales, error):
    class Refusing(Told):
        def fit(self, interactions, /):  # noqa: ARG002 -- a recommender's signature
            raise error("cannot learn from this")

    with pytest.warns(DataWarning, match="theirs could not be judged .* cannot learn from this"):
        found = recommendation.evaluate(
            {"theirs": Refusing(), "told": Told()}, sales, cutoffs=19_080, horizon=20, n_resamples=0
        )
    assert found.models == ("told", "popularity (30 days)")


def test_a_mistake_in_the_code_of_a_model_is_not_hidden(sales):
    class Wrong(Told):
        def fit(self, interactions, /):
            return interactions["no such column"]

    with pytest.raises(KeyError):
        recommendation.evaluate([Wrong()], sales, cutoffs=19_080, horizon=20, n_resamples=0)


def test_coverage_is_of_the_same_items_for_every_model(sales):
    items = pd.DataFrame({"item_id": [f"i{number}" for number in range(60)]})
    known = sales.loc[sales["day"] < 19_080, "item_id"].nunique()
    asked = {"cutoffs": 19_080, "horizon": 20, "n_resamples": 0}
    models = {"old": Told(("i0", "i1")), "new": Told(("i58", "i59"))}
    for table in (items, items.rename(columns={"item_id": "product_id"}), items.set_index("item_id")):
        found = recommendation.evaluate(models, sales, items=table, **asked).variety.loc["any", "coverage"]
        assert found["old"] == found["new"] == pytest.approx(2 / 60)
    assert recommendation.evaluate(models, sales, **asked).variety.loc[("any", "old"), "coverage"] == 2 / known


def test_lists_of_items_without_an_id_leave_the_model_out(sales):
    with pytest.warns(DataWarning, match="empty could not be judged .* item_id is empty in rows 0, 1"):
        recommendation.evaluate({"empty": Told(("",))}, sales, cutoffs=19_080, horizon=20, n_resamples=0)
