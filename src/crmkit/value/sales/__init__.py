"""What opportunities say of sales: conversion and time by stage, velocity, weighted pipeline, plan against actual."""

from __future__ import annotations

from crmkit.value.sales._conversion import stage_conversion, win_rate
from crmkit.value.sales._pipeline_value import WeightedPipeline, weighted_pipeline
from crmkit.value.sales._plan_against_actual import PlanAgainstActual, plan_against_actual
from crmkit.value.sales._stage_history import StageHistory, stage_history
from crmkit.value.sales._time_in_stage import time_in_stage
from crmkit.value.sales._velocity import sales_velocity

__all__ = [
    "PlanAgainstActual",
    "StageHistory",
    "WeightedPipeline",
    "plan_against_actual",
    "sales_velocity",
    "stage_conversion",
    "stage_history",
    "time_in_stage",
    "weighted_pipeline",
    "win_rate",
]
