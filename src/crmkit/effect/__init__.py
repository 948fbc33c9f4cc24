"""Whether it helped: experiments, policies, changes over time, and what goes with low marks."""

from __future__ import annotations

from crmkit.effect._compare_arms import compare_arms
from crmkit.effect._comparison import ArmComparison
from crmkit.effect._over_time import ArmsOverTime, compare_over_time
from crmkit.effect._power import SampleSize, detectable_effect, power, sample_size
from crmkit.effect._sample_ratio import SampleRatio, sample_ratio
from crmkit.effect.policy import PolicyValues, policy_value

__all__ = [
    "ArmComparison",
    "ArmsOverTime",
    "PolicyValues",
    "SampleRatio",
    "SampleSize",
    "compare_arms",
    "compare_over_time",
    "detectable_effect",
    "policy_value",
    "power",
    "sample_ratio",
    "sample_size",
]
