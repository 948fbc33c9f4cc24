"""Where each customer stands: stages of the lifecycle, churn, loyalty, engagement, and scores with their reasons."""

from __future__ import annotations

from crmkit.value.relationship._churn import churn_calibration, expected_churn
from crmkit.value.relationship._customer_scores import customer_scores, score_parts
from crmkit.value.relationship._engagement import engagement
from crmkit.value.relationship._lifecycle import lifecycle
from crmkit.value.relationship._lifecycle_check import lifecycle_check
from crmkit.value.relationship._loyalty import loyalty
from crmkit.value.relationship._scorer import CustomerScorer
from crmkit.value.relationship._transitions import lifecycle_transitions

__all__ = [
    "CustomerScorer",
    "churn_calibration",
    "customer_scores",
    "engagement",
    "expected_churn",
    "lifecycle",
    "lifecycle_check",
    "lifecycle_transitions",
    "loyalty",
    "score_parts",
]
