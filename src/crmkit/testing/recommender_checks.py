"""What every recommender must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


CHECKS = (check_lists_have_the_five_columns, *RATING_CHECKS)
