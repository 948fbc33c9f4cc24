"""Recommends items: what a customer buys again, and what they would discover."""

from __future__ import annotations

from crmkit.recommendation.protocols import RatingRecommender, Recommender

__all__ = ["RatingRecommender", "Recommender"]
