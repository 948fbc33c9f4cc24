"""Recommends items: what a customer buys again, and what they would discover."""

from __future__ import annotations

from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._content import Content
from crmkit.recommendation._ease import EASE
from crmkit.recommendation._hybrid import Hybrid
from crmkit.recommendation._ials import ImplicitALS
from crmkit.recommendation._item_knn import ItemKNN
from crmkit.recommendation._popularity import Popularity
from crmkit.recommendation._repeat_purchase import RepeatPurchase
from crmkit.recommendation._rp3beta import RP3Beta
from crmkit.recommendation._user_knn import UserKNN
from crmkit.recommendation.evaluation import RankingEvaluation, evaluate
from crmkit.recommendation.protocols import RatingRecommender, Recommender

__all__ = [
    "EASE",
    "BaseRecommender",
    "Content",
    "Hybrid",
    "ImplicitALS",
    "ItemKNN",
    "Popularity",
    "RP3Beta",
    "RankingEvaluation",
    "RatingRecommender",
    "Recommender",
    "RepeatPurchase",
    "UserKNN",
    "evaluate",
]
