"""An evaluator is a function from columns to one number."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["median_absolute_error"]


def median_absolute_error(actual: Any, predicted: Any) -> float:
    """Give the median of the absolute errors.

    Parameters
    ----------
    actual, predicted : array-like of shape (n,)
        What happened and what was predicted, in one unit.

    Returns
    -------
    float
        In the same unit.

    Examples
    --------
    >>> from crmkit_spend_bands.errors import median_absolute_error
    >>> median_absolute_error([1.0, 2.0, 3.0], [1.0, 2.5, 9.0])
    0.5
    """
    return float(np.median(np.abs(np.asarray(actual, dtype=float) - np.asarray(predicted, dtype=float))))
