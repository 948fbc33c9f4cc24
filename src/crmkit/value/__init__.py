"""What customers are worth: lifetime and spend models, their value, and whether a model can be believed."""

from __future__ import annotations

from crmkit.value._bg_bb import BGBB
from crmkit.value._bg_cnbd import BGCNBD
from crmkit.value._bg_nbd import BGNBD
from crmkit.value._calibration import calibration
from crmkit.value._compare import compare
from crmkit.value._gamma_gamma import GammaGamma
from crmkit.value._lifetime_value import lifetime_value
from crmkit.value._mbg_nbd import MBGNBD
from crmkit.value._mean_spend import MeanSpend
from crmkit.value._nbd import NBD
from crmkit.value._pareto_nbd import ParetoNBD
from crmkit.value._sbg import SBG
from crmkit.value._tracking import tracking
from crmkit.value.forecasting import Forecast, forecast, forecast_series
from crmkit.value.relationship import (
    CustomerScorer,
    churn_calibration,
    customer_scores,
    engagement,
    expected_churn,
    lifecycle,
    lifecycle_check,
    lifecycle_transitions,
    loyalty,
    score_parts,
)
from crmkit.value.sales import (
    PlanAgainstActual,
    StageHistory,
    WeightedPipeline,
    plan_against_actual,
    sales_velocity,
    stage_conversion,
    stage_history,
    time_in_stage,
    weighted_pipeline,
    win_rate,
)

__all__ = [
    "BGBB",
    "BGCNBD",
    "BGNBD",
    "MBGNBD",
    "NBD",
    "SBG",
    "CustomerScorer",
    "Forecast",
    "GammaGamma",
    "MeanSpend",
    "ParetoNBD",
    "PlanAgainstActual",
    "StageHistory",
    "WeightedPipeline",
    "calibration",
    "churn_calibration",
    "compare",
    "customer_scores",
    "engagement",
    "expected_churn",
    "forecast",
    "forecast_series",
    "lifecycle",
    "lifecycle_check",
    "lifecycle_transitions",
    "lifetime_value",
    "loyalty",
    "plan_against_actual",
    "sales_velocity",
    "score_parts",
    "stage_conversion",
    "stage_history",
    "time_in_stage",
    "tracking",
    "weighted_pipeline",
    "win_rate",
]
