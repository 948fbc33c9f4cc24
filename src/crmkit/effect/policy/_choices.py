"""Brings policies in any form to the probability with which they give each row each arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["named_policies", "policy_matrix"]


def named_policies(policy: Any) -> dict[str, Any]:
    """Give each policy under a name.

    Parameters
    ----------
    policy : one policy, or mapping of name to policy
        One policy is a column, an array of arms, a function of the table, or shares of the arms.

    Returns
    -------
    dict
        A single one is called "policy".

    Raises
    ------
    DataError
        If there is none.
    """
    shares = isinstance(policy, Mapping) and all(
        isinstance(value, int | float | np.number) for value in policy.values()
    )
    if isinstance(policy, Mapping) and not shares:
        return {str(name): one for name, one in policy.items()}
    if isinstance(policy, Mapping) and not policy:
        raise DataError("policy names no policy")
    return {"policy": policy}


def policy_matrix(name: str, policy: Any, frame: pd.DataFrame, arms: list[Any]) -> npt.NDArray[np.float64]:
    """Give the probability with which a policy gives each row each arm.

    Parameters
    ----------
    name : str
        The policy's name, for messages.
    policy : str, array, Series, callable, DataFrame or mapping
        A column of arms, arms, a function of the table that gives one of these, a table of probabilities with a column
        for each arm, or the shares of the arms.
    frame : pandas.DataFrame
        The whole table.
    arms : list
        Those that were given.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_arms)
        Rows sum to 1.

    Raises
    ------
    DataError
        If it names an arm that nobody was given, has another length or another index than the table, or is missing.
    """
    n = len(frame)
    if callable(policy):
        policy = policy(frame)
    if isinstance(policy, pd.Series | pd.DataFrame):
        _check_order(name, policy, frame)
    if isinstance(policy, Mapping):
        unknown = [str(arm) for arm in policy if arm not in arms]
        if unknown:
            raise DataError(f"policy {name!r} names {', '.join(unknown)}, but arms are {', '.join(map(str, arms))}")
        return _checked(name, np.tile([float(policy.get(arm, 0.0)) for arm in arms], (n, 1)))
    if isinstance(policy, pd.DataFrame):
        missing = [str(arm) for arm in policy.columns if arm not in arms]
        if missing or len(policy) != n:
            raise DataError(f"policy {name!r} must have {n:,} rows and columns among {', '.join(map(str, arms))}")
        return _checked(name, policy.reindex(columns=arms, fill_value=0.0).to_numpy(dtype=np.float64))
    if isinstance(policy, str):
        if policy not in frame.columns:
            raise DataError(
                f"policy {name!r}: the table has no column {policy!r}; "
                f"to give everybody one arm write {{{policy!r}: 1}}"
            )
        policy = frame[policy]
    return _from_labels(name, policy, n, arms)


def _check_order(name: str, policy: pd.Series[Any] | pd.DataFrame, frame: pd.DataFrame) -> None:
    """Refuse a policy whose index says that its rows stand in another order than the table's."""
    index = policy.index
    counted = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    if len(index) != len(frame) or index.equals(frame.index):
        return
    if counted and not pd.api.types.is_integer_dtype(frame.index.dtype):
        return
    if not counted or index.isin(frame.index).all():
        raise DataError(
            f"policy {name!r} has another index than the table, so that its rows may stand in another order: hand in "
            ".reindex(table.index), or .to_numpy() if the order is that of the table"
        )


def _from_labels(name: str, policy: Any, n: int, arms: list[Any]) -> npt.NDArray[np.float64]:
    """Turn one arm for each row into probabilities of 0 and 1."""
    if isinstance(policy, pd.Series) and isinstance(policy.dtype, pd.CategoricalDtype):
        policy = policy.astype(object)
    chosen = np.asarray(policy, dtype=object)
    if chosen.shape != (n,):
        raise DataError(f"policy {name!r} must give one arm for each of {n:,} rows, got shape {chosen.shape}")
    place = {arm: at for at, arm in enumerate(arms)}
    codes = pd.Series(chosen).map(place).to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isnan(codes)
    if wrong.any():
        raise DataError(
            f"policy {name!r} gives no arm, or one that nobody was given, in {positions(wrong)}; "
            f"arms are {', '.join(map(str, arms))}"
        )
    matrix = np.zeros((n, len(arms)))
    matrix[np.arange(n), codes.astype(np.intp)] = 1.0
    return matrix


def _checked(name: str, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Refuse what are no probabilities."""
    wrong = ~(np.isfinite(matrix) & (matrix >= 0)).all(axis=1) | (np.abs(matrix.sum(axis=1) - 1) > 1e-6)
    if wrong.any():
        raise DataError(f"policy {name!r} must give probabilities that sum to 1; {positions(wrong)} do not")
    return matrix
