"""Predicts labels and numbers of customers, and chooses among models inside the folds."""

from __future__ import annotations

from crmkit.prediction._candidates import Candidate
from crmkit.prediction.boosting import BoostingClassifier, BoostingRegressor
from crmkit.prediction.calibrated import CalibratedProbabilities, compare_calibration
from crmkit.prediction.choice import ModelChoice, select_model
from crmkit.prediction.column_stability import ColumnStability, selection_stability
from crmkit.prediction.columns import TableColumns
from crmkit.prediction.linear import ScaledLinear, ScaledLogistic, ScaledRidge
from crmkit.prediction.network import ScaledMLPClassifier, ScaledMLPRegressor
from crmkit.prediction.prior import PriorCorrected, PriorShift, correct_prior, estimate_prior
from crmkit.prediction.search import SearchResult, search
from crmkit.prediction.selectors import InformationGain, RecursiveElimination
from crmkit.prediction.suggest import Suggestions, suggest
from crmkit.prediction.svm import ScaledSVC, ScaledSVR
from crmkit.prediction.trees import ForestClassifier, ForestRegressor, TreeClassifier, TreeRegressor
from crmkit.prediction.untouched import SetAside, UntouchedTest, set_test_aside

__all__ = [
    "BoostingClassifier",
    "BoostingRegressor",
    "CalibratedProbabilities",
    "Candidate",
    "ColumnStability",
    "ForestClassifier",
    "ForestRegressor",
    "InformationGain",
    "ModelChoice",
    "PriorCorrected",
    "PriorShift",
    "RecursiveElimination",
    "ScaledLinear",
    "ScaledLogistic",
    "ScaledMLPClassifier",
    "ScaledMLPRegressor",
    "ScaledRidge",
    "ScaledSVC",
    "ScaledSVR",
    "SearchResult",
    "SetAside",
    "Suggestions",
    "TableColumns",
    "TreeClassifier",
    "TreeRegressor",
    "UntouchedTest",
    "compare_calibration",
    "correct_prior",
    "estimate_prior",
    "search",
    "select_model",
    "selection_stability",
    "set_test_aside",
    "suggest",
]
