"""Predicts labels and numbers of customers, and chooses among models inside the folds."""

from __future__ import annotations

from crmkit.prediction._candidates import Candidate
from crmkit.prediction.boosting import BoostingClassifier, BoostingRegressor
from crmkit.prediction.calibrated import CalibratedProbabilities, compare_calibration
from crmkit.prediction.champion import Challenge, challenge
from crmkit.prediction.choice import ModelChoice, select_model
from crmkit.prediction.column_stability import ColumnStability, selection_stability
from crmkit.prediction.columns import TableColumns
from crmkit.prediction.drift import Drift, drift
from crmkit.prediction.importance import permutation_importance
from crmkit.prediction.learning import LearningCurve, learning_curve
from crmkit.prediction.linear import ScaledLinear, ScaledLogistic, ScaledRidge
from crmkit.prediction.network import ScaledMLPClassifier, ScaledMLPRegressor
from crmkit.prediction.prior import PriorCorrected, PriorShift, correct_prior, estimate_prior
from crmkit.prediction.searching import SearchResult, search
from crmkit.prediction.selectors import InformationGain, RecursiveElimination
from crmkit.prediction.suggesting import Suggestions, suggest
from crmkit.prediction.svm import ScaledSVC, ScaledSVR
from crmkit.prediction.targets import Target, next_mark, will_be_won, will_buy, will_complain, will_end, will_leave
from crmkit.prediction.threshold import Threshold, choose_threshold
from crmkit.prediction.trees import ForestClassifier, ForestRegressor, TreeClassifier, TreeRegressor
from crmkit.prediction.untouched import SetAside, UntouchedTest, set_test_aside

__all__ = [
    "BoostingClassifier",
    "BoostingRegressor",
    "CalibratedProbabilities",
    "Candidate",
    "Challenge",
    "ColumnStability",
    "Drift",
    "ForestClassifier",
    "ForestRegressor",
    "InformationGain",
    "LearningCurve",
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
    "Target",
    "Threshold",
    "TreeClassifier",
    "TreeRegressor",
    "UntouchedTest",
    "challenge",
    "choose_threshold",
    "compare_calibration",
    "correct_prior",
    "drift",
    "estimate_prior",
    "learning_curve",
    "next_mark",
    "permutation_importance",
    "search",
    "select_model",
    "selection_stability",
    "set_test_aside",
    "suggest",
    "will_be_won",
    "will_buy",
    "will_complain",
    "will_end",
    "will_leave",
]
