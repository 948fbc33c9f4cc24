"""The rows of a log as arrays, with the chance of the arm that each was given."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.effect._balance import unlike_columns
from crmkit.effect._columns import cluster_codes, column_numbers, covariate_matrix, evaluation_frame, labels_and_codes
from crmkit.effect.policy._models import cross_fitted_propensity

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Logged", "logged_chances", "logged_rows"]

_SLACK = 1e-3


@dataclass(frozen=True)
class Logged:
    """The rows of a log that can be used.

    Parameters
    ----------
    whole : pandas.DataFrame
        The table as it was handed in.
    usable : ndarray of bool, shape (n_whole,)
        Which of its rows have an arm and an outcome; all else has one entry a usable row.
    arms : list
        The labels of the arms.
    codes : ndarray of int, shape (n_rows,)
        The arm each was given.
    values : ndarray, shape (n_rows,)
        Outcomes.
    matrix : ndarray, shape (n_rows, n_columns)
        Covariates.
    owners : list of str
        The covariate of each column.
    clusters : ndarray of int, shape (n_rows,), or None
        From 0, without gaps.
    """

    whole: pd.DataFrame
    usable: npt.NDArray[np.bool_]
    arms: list[Any]
    codes: npt.NDArray[np.intp]
    values: npt.NDArray[np.float64]
    matrix: npt.NDArray[np.float64]
    owners: list[str]
    clusters: npt.NDArray[np.intp] | None


def logged_rows(whole: pd.DataFrame, outcome: str, arm: str, covariates: list[str], cluster: str | None) -> Logged:
    """Bring a log to arrays.

    Parameters
    ----------
    whole : pandas.DataFrame
        The table.
    outcome, arm : str
        Columns.
    covariates : list of str
        Columns.
    cluster : str or None
        Column.

    Returns
    -------
    Logged
        The usable rows.

    Raises
    ------
    DataError
        If a column is missing or cannot be used, there is a single arm, or no usable row.
    """
    frame = evaluation_frame(whole, [outcome, arm, *covariates, cluster])
    arms, codes = labels_and_codes(frame[arm])
    if len(arms) < 2:
        raise DataError(f"{arm} must name at least two arms, got {len(arms)}: nothing else was ever tried")
    values = column_numbers(frame, outcome)
    usable = (codes >= 0) & np.isfinite(values)
    _tell_lost(usable, outcome)
    clusters = cluster_codes(frame, cluster)
    rows = frame[usable].reset_index(drop=True)
    matrix = np.empty((len(rows), 0))
    owners: list[str] = []
    if covariates:
        matrix, _, owners = covariate_matrix(rows, covariates, stacklevel=4)
    grouped = None if clusters is None else pd.factorize(clusters[usable])[0].astype(np.intp)
    return Logged(whole, usable, arms, codes[usable], values[usable], matrix, owners, grouped)


def logged_chances(
    log: Logged, propensity: Any, propensity_model: Any, folds: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Give the chance of the arm that each row was given.

    Parameters
    ----------
    log : Logged
        The rows.
    propensity : float, str, mapping or None
        Known chances.
    propensity_model : str, classifier or None
        What learns them.
    folds : ndarray of int, shape (n_rows,)
        For learning them on other rows.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        From 0 to 1.

    Raises
    ------
    DataError
        If they are no chances.
    """
    if propensity_model is not None:
        return cross_fitted_propensity(propensity_model, log.matrix, log.codes, log.arms, folds)
    if propensity is None:
        _tell_unlike(log)
        return np.asarray(
            (np.bincount(log.codes, minlength=len(log.arms)) / len(log.codes))[log.codes], dtype=np.float64
        )
    return _known_chances(propensity, log)


def _tell_lost(usable: npt.NDArray[np.bool_], outcome: str) -> None:
    """Tell the rows that cannot be used."""
    if not usable.any():
        raise DataError(f"no row has both an arm and {outcome}")
    if not usable.all():
        warnings.warn(
            f"{int((~usable).sum()):,} rows have no arm or no {outcome} and are left out: {positions(~usable)}",
            DataWarning,
            stacklevel=4,
        )


def _tell_unlike(log: Logged) -> None:
    """Tell that arms were not drawn alike for all rows, where their shares are taken as chances."""
    own = np.arange(len(log.codes)) if log.clusters is None else log.clusters
    if min(len(np.unique(own[log.codes == at])) for at in range(len(log.arms))) < 2:
        return
    unlike = unlike_columns(log.matrix, log.codes, len(log.arms), log.clusters)
    if unlike.any():
        names = ", ".join(dict.fromkeys(owner for owner, wrong in zip(log.owners, unlike, strict=True) if wrong))
        warnings.warn(
            f"covariates differ between the arms by more than chance ({names}), so that arms were not drawn alike for "
            "all rows, as their shares suppose: give propensity=… or propensity_model=…",
            DataWarning,
            stacklevel=4,
        )


def _known_chances(propensity: Any, log: Logged) -> npt.NDArray[np.float64]:
    """Give the known chance of the arm that each row was given."""
    if isinstance(propensity, Mapping):
        if set(propensity) != set(log.arms):
            told, there = (", ".join(map(str, names)) for names in (propensity, log.arms))
            raise DataError(f"propensity names {told}, but arms are {there}")
        by_arm = np.column_stack([_one_chance(propensity[arm], log.whole, log.usable) for arm in log.arms])
        wrong = np.abs(by_arm.sum(axis=1) - 1) > _SLACK
        if wrong.any():
            raise DataError(
                f"propensity must give chances of all arms that sum to 1; of the rows used, {positions(wrong)} do not"
            )
        chance = by_arm[np.arange(len(log.codes)), log.codes]
    else:
        chance = _one_chance(propensity, log.whole, log.usable)
    wrong = ~((chance >= 0) & (chance <= 1))
    if wrong.any():
        raise DataError(f"propensity must lie between 0 and 1; of the rows used, {positions(wrong)} do not")
    return chance


def _one_chance(given: Any, whole: pd.DataFrame, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Give a chance for each row from a number or a column."""
    if isinstance(given, str):
        return column_numbers(evaluation_frame(whole, [given]), given)[usable]
    return np.full(int(usable.sum()), float(given))
