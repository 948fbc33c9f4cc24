"""Judges recommenders by what customers did next, beside what was popular lately."""

from __future__ import annotations

from crmkit.recommendation.evaluation._evaluate import evaluate
from crmkit.recommendation.evaluation._result import RankingEvaluation

__all__ = ["RankingEvaluation", "evaluate"]
