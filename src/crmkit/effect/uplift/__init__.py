"""Whom a treatment helps: S-, T-, X- and DR-learners with standard errors, and uplift by decile."""

from __future__ import annotations

from crmkit.effect.uplift._by_decile import uplift_by_decile
from crmkit.effect.uplift._cross_fitted import cross_fitted_effects
from crmkit.effect.uplift._dr_learner import DRLearner
from crmkit.effect.uplift._effects import Effects
from crmkit.effect.uplift._s_learner import SLearner
from crmkit.effect.uplift._t_learner import TLearner
from crmkit.effect.uplift._x_learner import XLearner

__all__ = ["DRLearner", "Effects", "SLearner", "TLearner", "XLearner", "cross_fitted_effects", "uplift_by_decile"]
