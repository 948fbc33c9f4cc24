"""scikit-learn's checks of what estimators are given, without the types misread from its defaults."""

from __future__ import annotations

from typing import Any

from sklearn.utils import validation

__all__ = ["check_X_y", "feature_names", "validate_data"]

validate_data: Any = validation.validate_data
check_X_y: Any = validation.check_X_y  # noqa: N816 -- scikit-learn's own name
feature_names: Any = validation._check_feature_names_in  # noqa: SLF001 -- what each of its transformers names columns by
