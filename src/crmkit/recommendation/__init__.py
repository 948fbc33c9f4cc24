"""Recommends items: what a customer buys again, and what they would discover."""

from __future__ import annotations

from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._item_knn import ItemKNN
from crmkit.recommendation._popularity import Popularity
from crmkit.recommendation.evaluation import RankingEvaluation, evaluate
from crmkit.recommendation.protocols import RatingRecommender, Recommender

__all__ = [
    "BaseRecommender",
    "ItemKNN",
    "Popularity",
    "RankingEvaluation",
    "RatingRecommender",
    "Recommender",
    "evaluate",
]
