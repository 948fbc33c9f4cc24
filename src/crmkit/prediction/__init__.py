"""Predicts labels and numbers of customers, and chooses among models inside the folds."""

from __future__ import annotations

from crmkit.prediction.boosting import BoostingClassifier, BoostingRegressor
from crmkit.prediction.choice import ModelChoice, select_model
from crmkit.prediction.columns import TableColumns
from crmkit.prediction.linear import ScaledLinear, ScaledLogistic, ScaledRidge
from crmkit.prediction.network import ScaledMLPClassifier, ScaledMLPRegressor
from crmkit.prediction.selectors import InformationGain, RecursiveElimination
from crmkit.prediction.svm import ScaledSVC, ScaledSVR
from crmkit.prediction.trees import ForestClassifier, ForestRegressor, TreeClassifier, TreeRegressor

__all__ = [
    "BoostingClassifier",
    "BoostingRegressor",
    "ForestClassifier",
    "ForestRegressor",
    "InformationGain",
    "ModelChoice",
    "RecursiveElimination",
    "ScaledLinear",
    "ScaledLogistic",
    "ScaledMLPClassifier",
    "ScaledMLPRegressor",
    "ScaledRidge",
    "ScaledSVC",
    "ScaledSVR",
    "TableColumns",
    "TreeClassifier",
    "TreeRegressor",
    "select_model",
]
