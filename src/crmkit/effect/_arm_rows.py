"""The rows of an experiment as arrays, and what is to be told of them before any difference is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.effect._arm_means import estimable
from crmkit.effect._balance import unlike_columns
from crmkit.effect._cluster_robust import FEW_CLUSTERS
from crmkit.effect._columns import cluster_codes, column_numbers, covariate_matrix, evaluation_frame, labels_and_codes
from crmkit.effect._sample_ratio import SampleRatio, sample_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["ArmRows", "arm_rows", "find_control", "named_controls", "outcome_kind"]

_CONTROLS = {"control", "holdout", "hold-out", "placebo", "对照", "对照组", "0", "0.0", "false"}


@dataclass(frozen=True)
class ArmRows:
    """The rows of an experiment that have an arm and an outcome.

    Parameters
    ----------
    labels : list
        Of the arms, the control first.
    codes : ndarray of int, shape (n_rows,)
        The arm of each row.
    values : ndarray, shape (n_rows,)
        Outcomes.
    clusters : ndarray of int, shape (n_rows,), or None
        From 0, without gaps.
    matrix : ndarray, shape (n_rows, n_columns)
        Covariates that every arm can use.
    covariates : tuple of str
        Those they come from.
    ratio : SampleRatio
        The sizes beside the design's.
    lost : ndarray of int, shape (n_arms,)
        Rows without an outcome.
    notes : list of str
        What a reader must know.
    """

    labels: list[Any]
    codes: npt.NDArray[np.intp]
    values: npt.NDArray[np.float64]
    clusters: npt.NDArray[np.intp] | None
    matrix: npt.NDArray[np.float64]
    covariates: tuple[str, ...]
    ratio: SampleRatio
    lost: npt.NDArray[np.int64]
    notes: list[str]


def arm_rows(
    table: Any,
    outcome: str,
    arm: str,
    covariates: list[str],
    control: Any,
    cluster: str | None,
    allocation: Mapping[Any, float] | None,
) -> ArmRows:
    """Bring an experiment to arrays.

    Parameters
    ----------
    table : table
        As it was handed in.
    outcome, arm : str
        Columns.
    covariates : list of str
        Columns.
    control : object
        The control's label, or None to find it.
    cluster : str or None
        Column.
    allocation : mapping of arm to float, or None
        The design's shares.

    Returns
    -------
    ArmRows
        The usable rows.

    Raises
    ------
    DataError
        If a column is missing or no number, there is no control, or an arm has too few rows.
    """
    frame = evaluation_frame(table, [outcome, arm, *covariates, cluster])
    labels, codes = labels_and_codes(frame[arm])
    first = find_control(labels, control, arm)
    order = [first, *(other for other in range(len(labels)) if other != first)]
    labels = [labels[other] for other in order]
    codes = np.append(np.argsort(order), -1)[codes]
    clusters = cluster_codes(frame, cluster)
    ratio = _sizes(codes, labels, clusters, allocation)
    values = column_numbers(frame, outcome)
    usable = (codes >= 0) & np.isfinite(values)
    lost = np.bincount(codes[(codes >= 0) & ~np.isfinite(values)], minlength=len(labels))
    notes = _notes(ratio, codes, lost, outcome)
    values, codes, frame = values[usable], codes[usable], frame[usable]
    grouped = None if clusters is None else pd.factorize(clusters[usable])[0].astype(np.intp)
    notes += _units(table, codes, labels, grouped)
    matrix, used, told = _adjusters(frame, covariates, codes, labels, grouped)
    return ArmRows(labels, codes, values, grouped, matrix, used, ratio, lost, notes + told)


def named_controls(labels: Sequence[Any]) -> list[int]:
    """Find the arms that are called as a control is.

    Parameters
    ----------
    labels : sequence
        All arms.

    Returns
    -------
    list of int
        Their places.
    """
    return [at for at, label in enumerate(labels) if str(label).strip().casefold() in _CONTROLS]


def find_control(labels: Sequence[Any], control: Any, arm: str) -> int:
    """Find the arm to compare with.

    Parameters
    ----------
    labels : sequence
        All arms.
    control : object or None
        What the caller named.
    arm : str
        The column, for messages.

    Returns
    -------
    int
        Its place.

    Raises
    ------
    DataError
        If it is not there or cannot be guessed, or there is only one arm.
    """
    there = ", ".join(map(repr, labels))
    if len(labels) < 2:
        raise DataError(
            f"{arm} must name at least two arms, got {there or 'none'}: without a control there is no effect"
        )
    if control is not None:
        if control not in labels:
            raise DataError(f"there is no arm {control!r}; {arm} has: {there}")
        return list(labels).index(control)
    found = named_controls(labels)
    if len(found) != 1:
        raise DataError(f"say which arm is the control (control=…); {arm} has: {there}")
    return found[0]


def outcome_kind(values: npt.NDArray[np.float64]) -> str:
    """Say what kind of outcome it is: binary, count or continuous.

    Parameters
    ----------
    values : ndarray
        Finite outcomes.

    Returns
    -------
    str
        The kind.
    """
    if ((values == 0) | (values == 1)).all():
        return "binary"
    whole = bool((values == np.round(values)).all() and (values >= 0).all())
    return "count" if whole else "continuous"


def _sizes(
    codes: npt.NDArray[np.intp],
    labels: list[Any],
    clusters: npt.NDArray[np.intp] | None,
    allocation: Mapping[Any, float] | None,
) -> SampleRatio:
    """Test the sizes, in clusters where each belongs to one arm."""
    known = codes >= 0
    counted = codes[known]
    if clusters is not None:
        pairs = np.unique(np.column_stack([clusters[known], counted]), axis=0)
        if len(pairs) == len(np.unique(clusters[known])):
            counted = pairs[:, 1]
    n = np.bincount(counted, minlength=len(labels))
    return sample_ratio(dict(zip(labels, n.tolist(), strict=True)), allocation=allocation)


def _notes(ratio: SampleRatio, codes: npt.NDArray[np.intp], lost: npt.NDArray[np.int64], outcome: str) -> list[str]:
    """Tell what is wrong with the rows themselves."""
    notes = []
    if not ratio.ok:
        sizes = ", ".join(f"{arm} {n:,}" for arm, n in ratio.table["n"].items())
        notes.append(
            f"the arms are not as large as designed (p={ratio.p_value:.1g}: {sizes}): find out why before "
            "believing any difference, or give the design's shares (allocation=…)"
        )
    if (codes < 0).any():
        notes.append(f"{int((codes < 0).sum()):,} rows have no arm and are left out")
    if lost.any():
        by_arm = ", ".join(f"{arm} {n:,}" for arm, n in zip(ratio.table.index, lost.tolist(), strict=True))
        notes.append(f"{outcome} is missing and its rows are left out ({by_arm}): the rest may differ between arms")
    return notes


def _units(
    table: Any, codes: npt.NDArray[np.intp], labels: list[Any], clusters: npt.NDArray[np.intp] | None
) -> list[str]:
    """Refuse an arm of fewer than two independent rows, and tell what makes rows less independent than they look."""
    counts = [
        int((codes == at).sum()) if clusters is None else len(np.unique(clusters[codes == at]))
        for at in range(len(labels))
    ]
    for label, n in zip(labels, counts, strict=True):
        if n < 2:
            raise DataError(f"arm {label!r} has {n} independent rows with an outcome, and at least 2 are needed")
    if clusters is None:
        return _repeated(table)
    few = [f"{label} {n}" for label, n in zip(labels, counts, strict=True) if n < FEW_CLUSTERS]
    if not few:
        return []
    told = f"fewer than {FEW_CLUSTERS} clusters in an arm ({', '.join(few)}): the interval allows for their number"
    return [f"{told}, not for outcomes that are very lopsided"]


def _repeated(table: Any) -> list[str]:
    """Tell of customers with several rows that are taken as independent."""
    frame = as_frame(table)
    name = "customer_id"
    if name not in frame.columns and frame.index.name != name:
        return []
    ids = frame.index if name not in frame.columns else pd.Index(frame[name])
    again = ids.dropna().duplicated()
    if not again.any():
        return []
    told = f"{int(again.sum()):,} rows are further rows of the same {name} and count as independent"
    return [f"{told}: say cluster={name!r}, or the interval is too narrow"]


def _adjusters(
    frame: pd.DataFrame,
    named: list[str],
    codes: npt.NDArray[np.intp],
    labels: list[Any],
    clusters: npt.NDArray[np.intp] | None,
) -> tuple[npt.NDArray[np.float64], tuple[str, ...], list[str]]:
    """Give the columns that every arm can use, the covariates they stand for, and what is to be told of the others."""
    if not named:
        return np.empty((len(frame), 0)), (), []
    n_arms = len(labels)
    matrix, names, owners = covariate_matrix(frame, named, stacklevel=5)
    notes = [f"{name} does not vary, so it adjusts for nothing" for name in named if name not in owners]
    unlike = unlike_columns(matrix, codes, n_arms, clusters)
    if unlike.any():
        suspect = ", ".join(dict.fromkeys(owner for owner, wrong in zip(owners, unlike, strict=True) if wrong))
        notes.append(
            f"covariates differ between the arms by more than chance: {suspect}; either they were measured after the "
            "assignment (then they take part of the effect away: leave them out), or it was not drawn at random"
        )
    matrix, kept, dropped = estimable(matrix, codes, n_arms, names)
    if dropped:
        notes.append(f"not the same in all arms, so left out of the adjustment: {', '.join(dropped)}")
    if clusters is None:
        smallest = int(np.bincount(codes, minlength=n_arms).min())
    else:
        smallest = min(len(np.unique(clusters[codes == at])) for at in range(n_arms))
    if matrix.shape[1] + 2 > smallest:
        raise DataError(
            f"{matrix.shape[1]} columns of covariates are too many for an arm of {smallest} independent rows"
        )
    held = set(kept)
    used = dict.fromkeys(owner for name, owner in zip(names, owners, strict=True) if name in held)
    return matrix, tuple(used), notes
