"""What every recommender that predicts ratings must do, beside what every recommender must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from crmkit.testing.tables import interactions

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["RATING_CHECKS"]


def _fitted(plugin: Plugin) -> tuple[Any, Any]:
    """Fit a model of ratings; skip where the recommender does not predict any."""
    model = plugin.make()
    if not callable(getattr(model, "predict", None)):
        raise SkipTest("it predicts no ratings")
    # One rating a pair: what several of one pair mean is the model's to say.
    ratings = interactions().drop_duplicates(["customer_id", "item_id"], keep="last")
    return model.fit(ratings), ratings


def check_ratings_stand_at_the_index_of_the_pairs(plugin: Plugin) -> None:
    """``predict`` gives a Series of finite numbers with the index of the pairs, whatever their order."""
    import numpy as np
    import pandas as pd

    model, ratings = _fitted(plugin)
    pairs = ratings[["customer_id", "item_id"]].iloc[:20]
    rating = model.predict(pairs)
    assert isinstance(rating, pd.Series), f"predict must give a Series, got {type(rating).__name__}"
    assert rating.index.equals(pairs.index), "predictions must have the index of the pairs"
    assert np.isfinite(rating.to_numpy(dtype=float)).all(), "a prediction is not finite"
    turned = model.predict(pairs.iloc[::-1])
    assert np.allclose(turned.iloc[::-1], rating, atol=1e-6), "a prediction depends on the order of the pairs"


def check_ratings_keep_to_the_scale(plugin: Plugin) -> None:
    """No prediction lies outside the ratings that were fitted, and who is unknown gets one, too."""
    model, ratings = _fitted(plugin)
    customers = ["nobody", *ratings["customer_id"].iloc[:5]]
    pairs = [(customer, item) for customer in customers for item in ("nothing", *ratings["item_id"].iloc[:5])]
    given = {"customer_id": [customer for customer, _ in pairs], "item_id": [item for _, item in pairs]}
    rating = model.predict(given)
    low, high = ratings["rating"].min(), ratings["rating"].max()
    assert not rating.isna().any(), "an unknown customer or item gets no prediction"
    assert rating.between(low, high).all(), "a prediction is lower or higher than any rating"


def check_same_seed_gives_the_same_ratings(plugin: Plugin) -> None:
    """Fitted twice, the model predicts the same."""
    import numpy as np

    model, ratings = _fitted(plugin)
    parameters: dict[str, Any] = getattr(model, "get_params", dict)()
    if "random_state" in parameters and parameters["random_state"] is None:
        raise SkipTest("it has no seed")
    again, _ = _fitted(plugin)
    assert np.array_equal(model.predict(ratings), again.predict(ratings)), "the same seed gives other ratings"


RATING_CHECKS = (
    check_ratings_stand_at_the_index_of_the_pairs,
    check_ratings_keep_to_the_scale,
    check_same_seed_gives_the_same_ratings,
)
