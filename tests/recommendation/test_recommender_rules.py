"""No rule is ever broken and every list has its length, whatever fills it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError
from crmkit.testing.tables import interactions

NAMES = [name for name in crmkit.available("recommender") if not name.endswith("-rating")]


@pytest.fixture(scope="module")
def history():
    return interactions(60, 25, seed=1)


def fitted(name, history, **sides):
    spec = next(spec for spec in crmkit.available() if (spec.kind, spec.name) == ("recommender", name))
    params = dict(spec.test_params[0]) if spec.test_params else {}
    if name == "content":
        names = sorted(set(history["item_id"]))
        sides["items"] = pd.DataFrame({"item_id": names, "name": [f"thing {one} {int(one[1:]) % 3}" for one in names]})
    return crmkit.create("recommender", name, **params).fit(history, **sides)


@pytest.mark.parametrize("name", NAMES)
def test_no_mask_is_broken_and_no_list_is_short(name, history):
    # 10,000 masks for each recommender: every customer of every call has one of their own.
    model = fitted(name, history)
    customers = np.array([f"c{number}" for number in range(-10, 60)])  # ten of them are new
    items = model.interactions_.items.values
    place = {item: number for number, item in enumerate(items)}
    row = {customer: number for number, customer in enumerate(customers)}
    had = np.zeros((len(customers), len(items)), dtype=bool)
    had[[row[c] for c in history["customer_id"]], [place[i] for i in history["item_id"]]] = True
    random = np.random.default_rng(0)
    for call in range(143):
        allowed = random.random((len(customers), len(items))) < random.random((len(customers), 1))
        in_stock = random.random(len(items)) < 0.8
        n = int(random.integers(1, 12))
        exclude = ["bought", "nothing"][call % 2]
        if call % 3:
            where = np.nonzero(allowed)
            rule = pd.DataFrame({"customer_id": customers[where[0]], "item_id": items[where[1]]})
        else:
            rule = lambda ids, _, allowed=allowed: allowed[[row[one] for one in ids]]  # noqa: E731 -- one of two forms
        lists = model.recommend(
            customers, n, eligible=rule, stock=list(items[in_stock]), exclude=exclude, diversity=0.3 * (call % 4 == 1)
        )
        may = allowed & in_stock & ~(had if exclude == "bought" else np.zeros_like(had))
        given = np.zeros_like(may, dtype=int)
        np.add.at(given, ([row[c] for c in lists["customer_id"]], [place[i] for i in lists["item_id"]]), 1)
        assert not (given > may).any(), "an item that was not eligible, or one twice"
        assert (given.sum(axis=1) == np.minimum(may.sum(axis=1), n)).all()
        ranks = lists.groupby("customer_id", sort=False)["rank"].agg(list)
        assert all(rank == list(range(1, len(rank) + 1)) for rank in ranks)
        assert np.isfinite(lists["score"]).all()


def test_a_table_of_forbidden_pairs_is_the_other_side_of_eligible(history):
    model = fitted("item-knn", history)
    items = list(model.interactions_.items.values)
    allowed = pd.DataFrame({"customer_id": "c3", "item_id": items[:9]})
    forbidden = pd.DataFrame({"customer_id": "c3", "item_id": items[9:]})
    one, other = model.recommend(["c3"], 5, eligible=allowed), model.recommend(["c3"], 5, forbidden=forbidden)
    pd.testing.assert_frame_equal(one, other)


def test_a_customer_without_a_row_among_the_eligible_gets_nothing(history):
    allowed = pd.DataFrame({"customer_id": ["c3"], "item_id": ["i1"]})
    lists = fitted("popularity", history).recommend(["c3", "c4"], 5, eligible=allowed, exclude="nothing")
    assert lists["customer_id"].tolist() == ["c3"]


@pytest.mark.parametrize(
    "stock",
    [
        ["i1", "i2", "never sold"],
        {"i1": 3, "i2": 1, "i3": 0},
        pd.Series([3.0, 0.5, 0.0], index=pd.Index(["i1", "i2", "i3"], name="item_id")),
        pd.DataFrame({"product_id": ["i1", "i2", "i3"], "stock": [5, 1, -2]}),
        pd.DataFrame({"item_id": ["i1", "i2"]}),
    ],
    ids=["list", "mapping", "series", "table", "column"],
)
def test_stock_comes_in_any_form(history, stock):
    lists = fitted("popularity", history).recommend(["new"], 5, stock=stock)
    assert sorted(lists["item_id"]) == ["i1", "i2"]


def test_eligible_and_forbidden_items_for_all(history):
    model = fitted("popularity", history)
    assert set(model.recommend(["new"], 9, eligible=["i1", "i2", "i3"], forbidden={"i3"})["item_id"]) == {"i1", "i2"}


@pytest.fixture
def stocked():
    """Coffee, bought lately and long ago, and a printer."""
    sales = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "b", "b"],
            "item_id": ["beans", "decaf", "printer", "beans", "scanner", "decaf"],
            "day": [100, 10, 10, 100, 90, 95],
        }
    )
    goods = pd.DataFrame(
        {"item_id": ["beans", "decaf", "printer", "scanner", "mug"], "category": ["c", "c", "p", "p", None]}
    )
    return crmkit.create("recommender", "popularity", window_days=None).fit(sales, items=goods)


@pytest.mark.parametrize(
    ("exclude", "given"),
    [
        ("bought", {"scanner", "mug"}),
        ("nothing", {"beans", "decaf", "printer", "scanner", "mug"}),
        (60, {"decaf", "printer", "scanner", "mug"}),
        (91, {"decaf", "printer", "scanner", "mug"}),
        (92, {"scanner", "mug"}),
        ({"c": "always"}, {"beans", "decaf", "scanner", "mug"}),
        ({"c": 30}, {"decaf", "scanner", "mug"}),
        ({"p": "never", "*": "always"}, {"beans", "decaf", "scanner", "mug"}),
    ],
)
def test_what_was_bought_comes_back_as_the_policy_says(stocked, exclude, given):
    # The day after the last event is 101: decaf and the printer were bought 91 days before it, beans one day.
    assert set(stocked.recommend(["a"], 9, exclude=exclude)["item_id"]) == given


def test_a_policy_that_cannot_be_kept_is_refused(stocked, history):
    with pytest.raises(DataError, match=r"no category of the items: tea; there are: c, p"):
        stocked.recommend(["a"], exclude={"tea": "always"})
    with pytest.raises(DataError, match="'never', 'always' or a number of days"):
        stocked.recommend(["a"], exclude="sometimes")
    with pytest.raises(DataError, match="needs fit"):
        fitted("popularity", history).recommend(["c1"], exclude={"c": 3})
    timeless = crmkit.create("recommender", "item-knn").fit(history.drop(columns="time"))
    with pytest.raises(DataError, match="needs the column time or day"):
        timeless.recommend(["c1"], exclude=30)


def test_a_function_must_answer_for_every_pair(history):
    model = fitted("popularity", history)
    with pytest.raises(DataError, match="one bool for each pair"):
        model.recommend(["c1"], eligible=lambda customers, items: np.ones(len(items)))  # noqa: ARG005 -- wrong on purpose
    with pytest.raises(DataError, match="item_id is missing in row 1"):
        model.recommend(["c1"], forbidden=pd.DataFrame({"customer_id": ["c1", "c1"], "item_id": ["i1", None]}))


def test_small_blocks_give_what_one_block_gives(history):
    large = crmkit.create("recommender", "item-knn").fit(history)
    small = crmkit.create("recommender", "item-knn", memory_limit=4000).fit(history)
    pd.testing.assert_frame_equal(large.recommend(n=4, diversity=0.2), small.recommend(n=4, diversity=0.2))
