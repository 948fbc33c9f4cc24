"""What a fitted preparation for clustering did to each column, in figures and in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit.preparation._by_column import column_names

__all__ = ["told"]

_SCALES = {
    "standard": ("mean_", "scale_", "mean 0, deviation 1"),
    "robust": ("center_", "scale_", "median 0, interquartile range 1"),
    "minmax": ("data_min_", "data_range_", "0 to 1"),
}


def told(transform: Any) -> pd.DataFrame:
    """Tell what was done.

    Parameters
    ----------
    transform : ClusteringTransform
        Fitted.

    Returns
    -------
    pandas.DataFrame
        One row a column, indexed by its name: ``cap_low``, ``cap_high`` (infinite where there is none), ``capped``
        (how many), ``filled`` (how many), ``fill`` (with what; missing where that is refused), ``skew``,
        ``skew_parameter`` (the unit of the logarithm, or the exponent), ``center`` and ``scale`` (after skew),
        ``constant``, ``weight``, and ``done``, the same in words.
    """
    names = column_names(transform)
    count = len(names)
    skew = np.full(count, "none", dtype=object)
    parameter = np.full(count, np.nan)
    if transform.unskew_.log_ is not None:
        skew[transform.unskew_.log_columns_] = "signed-log"
        parameter[transform.unskew_.log_columns_] = transform.unskew_.log_.scale_
    if transform.unskew_.power_ is not None:
        skew[transform.unskew_.power_columns_] = "yeo-johnson"
        parameter[transform.unskew_.power_columns_] = transform.unskew_.power_.lambdas_
    center, scale = np.zeros(count), np.ones(count)
    if transform.scaler_ is not None:
        center_name, scale_name, _ = _SCALES[transform.scaling]
        center, scale = getattr(transform.scaler_, center_name), getattr(transform.scaler_, scale_name)
    table = pd.DataFrame(
        {
            "cap_low": transform.caps_.lower_,
            "cap_high": transform.caps_.upper_,
            "capped": transform.caps_.capped_,
            "filled": transform.missing_counts_,
            "fill": transform.fills_,
            "skew": skew,
            "skew_parameter": parameter,
            "center": center,
            "scale": scale,
            "constant": transform.constant_,
            "weight": transform.weights_[:count],
        },
        index=pd.Index(names, name="column"),
    )
    table["done"] = [_sentence(transform, place, row) for place, row in enumerate(table.itertuples())]
    return table


def _sentence(transform: Any, place: int, row: Any) -> str:
    """Say what was done to a column, in the order it is done."""
    parts = [_caps(transform, place, row), _filled(transform, place, row)]
    if row.constant:
        parts.append("one value only: put at 0")
    else:
        if row.skew == "signed-log":
            parts.append(f"signed log in units of {_figure(row.skew_parameter)}")
        elif row.skew == "yeo-johnson":
            parts.append(f"Yeo-Johnson with exponent {_figure(row.skew_parameter)}")
        parts.append("" if transform.scaler_ is None else _SCALES[transform.scaling][2])
    parts.append("" if row.weight == 1 else "left out by weight 0" if row.weight == 0 else f"weight {row.weight:g}")
    return "; ".join(part for part in parts if part) or "as it is"


def _caps(transform: Any, place: int, row: Any) -> str:
    """Say where the caps stand and how many they caught."""
    if transform.caps_.left_alone_[place]:
        return "not capped, which would leave one value"
    ends = [("at least", row.cap_low), ("at most", row.cap_high)]
    between = " and ".join(f"{words} {_figure(cap)}" for words, cap in ends if np.isfinite(cap))
    if not between:
        return ""
    return f"{between} ({row.capped:,} capped)"


def _filled(transform: Any, place: int, row: Any) -> str:
    """Say what stands for missing values."""
    if not row.filled:
        return ""
    rule = transform.rules_[place]
    words = f"its median ({_figure(row.fill)})" if rule == "median" else _figure(row.fill)
    mark = " and marked" if place in transform.indicators_ else ""
    return f"{row.filled:,} missing filled with {words}{mark}"


def _figure(value: float) -> str:
    """Write a number with the digits that matter."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:,.4g}"
