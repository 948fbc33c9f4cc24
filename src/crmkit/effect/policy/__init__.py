"""What a policy would have been worth, from rows on which another one decided."""

from __future__ import annotations

from crmkit.effect.policy._policy_value import policy_value
from crmkit.effect.policy._values import PolicyValues

__all__ = ["PolicyValues", "policy_value"]
