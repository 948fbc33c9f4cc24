"""The parameters that all uplift learners share, with their legal values."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import HasMethods, Interval

__all__ = ["PARAMETERS"]

PARAMETERS: dict[str, Any] = {
    "outcome_model": [str, HasMethods(["fit"])],
    "control": "no_validation",
    "propensity": [None, str, Mapping, HasMethods(["fit", "predict_proba"])],
    "n_folds": [Interval(Integral, 2, None, closed="left")],
    "n_resamples": [Interval(Integral, 0, None, closed="left")],
    "random_state": ["random_state"],
}
