"""scikit-learn's checks of what estimators are given, without the types misread from its defaults."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import validation

from crmkit.core.errors import DataError

__all__ = ["check_X_y", "feature_names", "refuse_words", "validate_data"]

validate_data: Any = validation.validate_data
check_X_y: Any = validation.check_X_y  # noqa: N816 -- scikit-learn's own name
feature_names: Any = validation._check_feature_names_in  # noqa: SLF001 -- what each of its transformers names columns by


def refuse_words(y: Any) -> None:
    """Refuse words where numbers are to be predicted; scikit-learn's own message would show one of them."""
    values = np.asarray(y)
    if y is None or values.dtype.kind not in "OUS":
        return
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError("y holds something else than numbers: to predict labels, take a classifier") from None
