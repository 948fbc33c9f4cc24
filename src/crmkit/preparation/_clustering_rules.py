"""What ``for_clustering`` may be told, checked, and brought to one rule a column."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.preparation._by_column import by_column
from crmkit.preparation._winsorize import Winsorizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = [
    "INDICATOR",
    "SCALINGS",
    "SKEWS",
    "check_declared",
    "column_weights",
    "fill_rules",
    "skew_rules",
    "winsorizer",
]

FILLS = ("refuse", "median", "zero", "category")
SKEWS = ("signed-log", "yeo-johnson", "none")
SCALINGS = ("standard", "robust", "minmax", "none")
INDICATOR = "{}_is_missing"


def check_declared(missing: Any, skew: Any, scaling: Any, weights: Any, pca: Any) -> None:
    """Refuse what is no rule, before any table is seen.

    Parameters
    ----------
    missing, skew, scaling, weights, pca : object
        As ``for_clustering`` takes them.

    Raises
    ------
    DataError
        Naming the parameter, what it was, and what it may be.
    """
    for column, rule in _each(missing):
        if not _is_fill(rule):
            listed = ", ".join(map(repr, FILLS))
            raise DataError(f"missing{column} must be one of {listed}, or a finite number, got {rule!r}")
    for column, rule in _each(skew):
        if rule not in SKEWS:
            raise DataError(f"skew{column} must be one of {', '.join(map(repr, SKEWS))}, got {rule!r}")
    if scaling not in SCALINGS:
        raise DataError(f"scaling must be one of {', '.join(map(repr, SCALINGS))}, got {scaling!r}")
    if weights is not None and not isinstance(weights, Mapping):
        raise DataError(f"weights must be a mapping of column to weight, got {type(weights).__name__}")
    for column, weight in (weights or {}).items():
        if not _is_number(weight) or weight < 0:
            raise DataError(f"the weight of {column!r} must be a finite number of at least 0, got {weight!r}")
    _check_components(pca)


def _check_components(pca: Any) -> None:
    """Refuse what is neither a number of components nor a share."""
    if pca is None or isinstance(pca, bool | np.bool_):
        return
    whole = isinstance(pca, Integral)
    if not _is_number(pca) or (whole and pca < 1) or (not whole and not 0 < float(pca) < 1):
        raise DataError(
            f"pca must be None, True, a number of components, or a share of the variance between 0 and 1, got {pca!r}"
        )


def fill_rules(missing: Any, names: Sequence[str]) -> list[Any]:
    """Give each numeric column's rule: ``"refuse"``, ``"median"`` or a number.

    Parameters
    ----------
    missing : object
        As declared; names with the rule ``"category"`` belong to columns that are no numbers, and are passed over.
    names : sequence of str
        The columns.

    Returns
    -------
    list
        One rule a column.
    """
    if isinstance(missing, Mapping):
        missing = {name: rule for name, rule in missing.items() if rule != "category"}
    rules = by_column(missing, names, what="missing", otherwise="refuse")
    plain = {"zero": 0.0, "category": "refuse"}
    return [plain.get(rule, rule) if isinstance(rule, str) else float(rule) for rule in rules]


def skew_rules(skew: Any, names: Sequence[str]) -> list[str]:
    """Give each column's way with skew.

    Parameters
    ----------
    skew : object
        As declared.
    names : sequence of str
        The columns.

    Returns
    -------
    list of str
        One of ``SKEWS`` a column.
    """
    return by_column(skew, names, what="skew", otherwise="none")


def column_weights(weights: Any, names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Give each column's weight.

    Parameters
    ----------
    weights : mapping or None
        As declared.
    names : sequence of str
        The columns that come out, marks of missing values among them.

    Returns
    -------
    ndarray of shape (n_columns,)
        1 where nothing is declared.
    """
    found = np.array(by_column(weights or {}, names, what="weights", otherwise=1.0), dtype=np.float64)
    if not found.any():
        raise DataError("all weights are 0: no column is left to tell customers apart")
    return found


def winsorizer(declared: Any) -> Winsorizer:
    """Give the unfitted caps.

    Parameters
    ----------
    declared : Winsorizer, limits of one, or None
        As declared.

    Returns
    -------
    Winsorizer
        With limits from 0 to 1, which cap nothing, where there is none.
    """
    if declared is None:
        return Winsorizer((0.0, 1.0))
    if isinstance(declared, Winsorizer):
        return Winsorizer(declared.limits, fence=declared.fence)
    return Winsorizer(declared)


def _each(declared: Any) -> list[tuple[str, Any]]:
    """Give each rule with words for where it stands."""
    if isinstance(declared, Mapping):
        return [(f" of {name!r}", rule) for name, rule in declared.items()]
    return [("", declared)]


def _is_fill(rule: Any) -> bool:
    if isinstance(rule, str):
        return rule in FILLS
    return _is_number(rule)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(float(value)))
