"""Whether it helped: experiments, policies, changes over time, and what goes with low marks."""

from __future__ import annotations

from crmkit.effect._before_after import Change, before_after
from crmkit.effect._compare_arms import compare_arms
from crmkit.effect._compare_plan import PlanComparison, compare_plan
from crmkit.effect._comparison import ArmComparison
from crmkit.effect._differences import DifferenceInDifferences, difference_in_differences
from crmkit.effect._drivers import Drivers, drivers
from crmkit.effect._marks import scores
from crmkit.effect._over_time import ArmsOverTime, compare_over_time
from crmkit.effect._power import SampleSize, detectable_effect, power, sample_size
from crmkit.effect._sample_ratio import SampleRatio, sample_ratio
from crmkit.effect._staggered import StaggeredDifferences, staggered_differences
from crmkit.effect._track import Tracking, track
from crmkit.effect.policy import PolicyValues, policy_value
from crmkit.effect.uplift import DRLearner, SLearner, TLearner, XLearner, cross_fitted_effects, uplift_by_decile

__all__ = [
    "ArmComparison",
    "ArmsOverTime",
    "Change",
    "DRLearner",
    "DifferenceInDifferences",
    "Drivers",
    "PlanComparison",
    "PolicyValues",
    "SLearner",
    "SampleRatio",
    "SampleSize",
    "StaggeredDifferences",
    "TLearner",
    "Tracking",
    "XLearner",
    "before_after",
    "compare_arms",
    "compare_over_time",
    "compare_plan",
    "cross_fitted_effects",
    "detectable_effect",
    "difference_in_differences",
    "drivers",
    "policy_value",
    "power",
    "sample_ratio",
    "sample_size",
    "scores",
    "staggered_differences",
    "track",
    "uplift_by_decile",
]
