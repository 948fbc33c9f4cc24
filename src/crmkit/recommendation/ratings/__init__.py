"""Says which mark a customer would give an item: baselines, neighbors and factors, with the rule behind each."""

from __future__ import annotations

from crmkit.recommendation.ratings._baseline_rating import BaselineRating
from crmkit.recommendation.ratings._item_knn_rating import ItemKNNRating
from crmkit.recommendation.ratings._svd_rating import SVDRating
from crmkit.recommendation.ratings._user_knn_rating import UserKNNRating

__all__ = ["BaselineRating", "ItemKNNRating", "SVDRating", "UserKNNRating"]
