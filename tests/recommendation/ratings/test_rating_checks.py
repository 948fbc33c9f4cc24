"""The conformance checks of rating recommenders find what they are for."""

from __future__ import annotations

from unittest import SkipTest

import numpy as np
import pytest

from crmkit import PluginSpec
from crmkit.recommendation.ratings import BaselineRating
from crmkit.testing.plugin import Plugin
from crmkit.testing.rating_checks import RATING_CHECKS

CHECKS = {check.__name__: check for check in RATING_CHECKS}


class AsArray(BaselineRating):
    """Gives an array."""

    def predict(self, pairs, /, *, details=False):
        return super().predict(pairs, details=details).to_numpy()


class ByPlace(BaselineRating):
    """Adds the place among the pairs."""

    def predict(self, pairs, /, *, details=False):
        rating = super().predict(pairs, details=details)
        return rating + np.arange(len(rating)) / 100


class Unheld(BaselineRating):
    """Does not keep to the scale."""

    def predict(self, pairs, /, *, details=False):
        return super().predict(pairs, details=details) * 5


class Silent(BaselineRating):
    """Has nothing to say of who is unknown."""

    def predict(self, pairs, /, *, details=False):
        told = super().predict(pairs, details=True)
        return told if details else told["rating"].where(told["source"] == "baseline")


class Moody(BaselineRating):
    """Predicts otherwise each time it is fitted."""

    random = np.random.default_rng(0)

    def __init__(self):
        super().__init__()

    def predict(self, pairs, /, *, details=False):
        return super().predict(pairs, details=details) - self.mood

    def fit(self, ratings, y=None, /, **tables):
        self.mood = self.random.random() / 10
        return super().fit(ratings, y, **tables)


@pytest.mark.parametrize(
    ("model", "check", "message"),
    [
        (AsArray, "check_ratings_stand_at_the_index_of_the_pairs", "must give a Series"),
        (ByPlace, "check_ratings_stand_at_the_index_of_the_pairs", "order of the pairs"),
        (Unheld, "check_ratings_keep_to_the_scale", "lower or higher"),
        (Silent, "check_ratings_keep_to_the_scale", "no prediction"),
        (Moody, "check_same_seed_gives_the_same_ratings", "same seed"),
    ],
)
def test_what_breaks_the_contract_is_told(model, check, message):
    spec = PluginSpec(kind="recommender", name="broken", target="tests:Broken", summary="Breaks one rule.")
    params = {} if model is Moody else {"random_state": 0}
    with pytest.raises(AssertionError, match=message):
        CHECKS[check](Plugin(spec, model, params))


def test_a_recommender_without_ratings_is_not_asked_for_any():
    class Lists:
        """Has no predict."""

    spec = PluginSpec(kind="recommender", name="lists", target="tests:Lists", summary="Gives lists alone.")
    for check in RATING_CHECKS:
        with pytest.raises(SkipTest, match="no ratings"):
            check(Plugin(spec, Lists, {}))
