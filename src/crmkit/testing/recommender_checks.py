"""What every recommender must do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import SkipTest

from crmkit.testing.rating_checks import RATING_CHECKS
from crmkit.testing.tables import interactions

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_lists_have_the_five_columns(plugin: Plugin) -> None:
    """``recommend`` gives customer_id, item_id, rank, score, source, ranked from 1 without repeats."""
    model = plugin.make()
    history = interactions()
    assert model.fit(history) is model, "fit must return self"
    customers = list(dict.fromkeys(history["customer_id"]))[:8]
    lists = model.recommend(customers, 3)
    missing = {"customer_id", "item_id", "rank", "score", "source"} - set(lists.columns)
    assert not missing, f"recommend gives no {', '.join(sorted(missing))}"
    assert set(lists["customer_id"]) <= set(customers), "recommended to a customer who was not asked for"
    assert not lists.duplicated(["customer_id", "item_id"]).any(), "an item stands twice in one list"
    for _, ranked in lists.groupby("customer_id"):
        assert sorted(ranked["rank"]) == list(range(1, len(ranked) + 1)), "ranks must run from 1"
        assert len(ranked) <= 3, "a list is longer than asked for"


def check_ids_keep_their_type(plugin: Plugin) -> None:
    """Whole numbers as ids come back as whole numbers, and text as text."""
    history = interactions()
    for kind in (int, str):
        ids = {name: [kind(one[1:]) for one in history[name]] for name in ("customer_id", "item_id")}
        lists = plugin.make().fit(history.assign(**ids)).recommend([kind(3), kind(5)], 2)
        assert set(lists["customer_id"]) <= {kind(3), kind(5)}, (
            f"customers asked for as {kind.__name__} came back as other"
        )
        assert set(lists["item_id"]) <= set(ids["item_id"]), f"items fitted as {kind.__name__} came back as other"


def check_new_customers_are_no_error(plugin: Plugin) -> None:
    """A customer without events gets a list or none, and changes nobody else's."""
    history = interactions()
    model = plugin.make().fit(history)
    alone, beside = model.recommend(["c1"], 3), model.recommend(["nobody knows", "c1"], 3)
    same = beside[beside["customer_id"] == "c1"]
    assert list(same["item_id"]) == list(alone["item_id"]), "a list depends on who else is asked for"


def check_the_same_fit_gives_the_same_lists(plugin: Plugin) -> None:
    """Fitted twice on the same events, with the same seed, it gives the same lists."""
    history = interactions()
    customers = list(dict.fromkeys(history["customer_id"]))
    one, two = (plugin.make().fit(history).recommend(customers, 4) for _ in range(2))
    assert list(one["item_id"]) == list(two["item_id"]), "two fits on the same events give different lists"


def check_rules_are_never_broken(plugin: Plugin) -> None:
    """Where it takes rules, nothing forbidden is given, and lists are as long as the rules allow."""
    import inspect

    import numpy as np

    model = plugin.make()
    rules = inspect.signature(model.recommend).parameters
    if not {"eligible", "exclude"} <= set(rules):
        raise SkipTest("it takes no rules")
    history = interactions()
    model.fit(history)
    customers = [*dict.fromkeys(history["customer_id"]), "new"]
    items = np.array(sorted(set(history["item_id"])))
    had = set(zip(history["customer_id"], history["item_id"], strict=True))
    random = np.random.default_rng(0)
    for exclude in ("nothing", "bought") * 10:
        allowed = random.random((len(customers), len(items))) < random.random((len(customers), 1))
        row, column = np.nonzero(allowed)
        pairs = {"customer_id": np.array(customers, dtype=object)[row], "item_id": items[column]}
        n = int(random.integers(1, 8))
        lists = model.recommend(customers, n, eligible=pairs, exclude=exclude)
        given = set(zip(lists["customer_id"], lists["item_id"], strict=True))
        may = set(zip(pairs["customer_id"], pairs["item_id"], strict=True)) - (had if exclude == "bought" else set())
        assert given <= may, "an item was given that the rules forbid"
        assert len(given) == len(lists), "an item stands twice in one list"
        for customer in customers:
            possible = min(n, sum(one == customer for one, _ in may))
            length = int((lists["customer_id"] == customer).sum())
            assert length == possible, f"a list of {length} where {possible} items could be given"


def check_explanations_add_up(plugin: Plugin) -> None:
    """Where it explains, the weights of the reasons add up to the score."""
    model = plugin.make()
    if not callable(getattr(model, "explain", None)):
        raise SkipTest("it explains nothing")
    history = interactions()
    model.fit(history)
    lists = model.recommend(list(dict.fromkeys(history["customer_id"]))[:8], 4)
    try:
        reasons = model.explain(lists)
    except TypeError:
        raise SkipTest("it says that its scores are no sums") from None
    told = reasons.groupby(["customer_id", "item_id"])["weight"].sum()
    for customer, item, score in zip(lists["customer_id"], lists["item_id"], lists["score"], strict=True):
        total = float(told.get((customer, item), 0.0))
        assert abs(total - score) <= 1e-9, f"reasons add up to {total}, the score is {score}"


CHECKS = (
    check_lists_have_the_five_columns,
    check_ids_keep_their_type,
    check_new_customers_are_no_error,
    check_the_same_fit_gives_the_same_lists,
    check_rules_are_never_broken,
    check_explanations_add_up,
    *RATING_CHECKS,
)
