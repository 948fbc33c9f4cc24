"""Predicts labels and numbers of customers, and chooses among models inside the folds."""

from __future__ import annotations

from crmkit.prediction.boosting import BoostingClassifier, BoostingRegressor
from crmkit.prediction.champion import Challenge, challenge
from crmkit.prediction.choice import ModelChoice, select_model
from crmkit.prediction.drift import Drift, drift
from crmkit.prediction.importance import permutation_importance
from crmkit.prediction.learning import LearningCurve, learning_curve
from crmkit.prediction.linear import ScaledLogistic, ScaledRidge
from crmkit.prediction.network import ScaledMLPClassifier, ScaledMLPRegressor
from crmkit.prediction.selectors import InformationGain, RecursiveElimination
from crmkit.prediction.svm import ScaledSVC, ScaledSVR
from crmkit.prediction.targets import Target, next_mark, will_be_won, will_buy, will_complain, will_end, will_leave
from crmkit.prediction.threshold import Threshold, choose_threshold

__all__ = [
    "BoostingClassifier",
    "BoostingRegressor",
    "Challenge",
    "Drift",
    "InformationGain",
    "LearningCurve",
    "ModelChoice",
    "RecursiveElimination",
    "ScaledLogistic",
    "ScaledMLPClassifier",
    "ScaledMLPRegressor",
    "ScaledRidge",
    "ScaledSVC",
    "ScaledSVR",
    "Target",
    "Threshold",
    "challenge",
    "choose_threshold",
    "drift",
    "learning_curve",
    "next_mark",
    "permutation_importance",
    "select_model",
    "will_be_won",
    "will_buy",
    "will_complain",
    "will_end",
    "will_leave",
]
