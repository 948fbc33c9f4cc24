"""Reads who was in which arm and what came of it, and refuses what no effect can be learned from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.effect._arm_rows import find_control, named_controls
from crmkit.effect._columns import column_numbers, labels_and_codes

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Trial", "check_order", "read_arms", "read_outcome"]


@dataclass(frozen=True)
class Trial:
    """Features, arms and outcomes of the customers to learn from.

    Parameters
    ----------
    matrix : ndarray, shape (n_customers, n_columns)
        Features.
    codes : ndarray of int, shape (n_customers,)
        Arms; 0 is the control.
    outcome : ndarray, shape (n_customers,)
        Outcomes.
    labels : tuple
        Of the arms, the control first.
    binary : bool
        Whether all outcomes are 0 or 1.
    propensity : ndarray, shape (n_customers, n_arms)
        The chance of each arm; no column before it is known.
    scores : ndarray, shape (n_customers, n_arms - 1)
        The doubly robust score of each treated arm against the control; no column before it is known.
    """

    matrix: npt.NDArray[np.float64]
    codes: npt.NDArray[np.intp]
    outcome: npt.NDArray[np.float64]
    labels: tuple[Any, ...]
    binary: bool
    propensity: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]

    def take(self, rows: npt.NDArray[np.intp]) -> Trial:
        """Give some of its customers.

        Parameters
        ----------
        rows : ndarray of int
            Positions.

        Returns
        -------
        Trial
            Of these.
        """
        return Trial(
            self.matrix[rows],
            self.codes[rows],
            self.outcome[rows],
            self.labels,
            self.binary,
            self.propensity[rows],
            self.scores[rows],
        )

    @property
    def strata(self) -> npt.NDArray[np.intp]:
        """Arm and, where the outcome is binary, outcome of each customer as one number."""
        return self.codes * 2 + (self.outcome > 0) if self.binary else self.codes

    def folds(self, n_folds: int, rng: np.random.RandomState) -> npt.NDArray[np.intp]:
        """Draw folds, evenly within each arm and class.

        Parameters
        ----------
        n_folds : int
            How many.
        rng : RandomState
            Draws.

        Returns
        -------
        ndarray of int, shape (n_customers,)
            The fold of each.
        """
        order = np.lexsort((rng.random_sample(len(self.codes)), self.strata))
        fold = np.empty(len(order), dtype=np.intp)
        fold[order] = np.arange(len(order)) % n_folds
        return fold

    def half(self, rng: np.random.RandomState) -> npt.NDArray[np.intp]:
        """Draw half of the customers, evenly within each arm and class.

        Parameters
        ----------
        rng : RandomState
            Draws.

        Returns
        -------
        ndarray of int
            Positions in order.
        """
        order = np.lexsort((rng.random_sample(len(self.codes)), self.strata))
        return np.sort(order[rng.randint(2) :: 2])


def check_order(index: pd.Index, **columns: Any) -> None:
    """Refuse columns that name the same customers as another table in another order.

    Rows belong together by position, so that any two indexes may meet; only of the same labels in another order it is
    sure that somebody meant them to be matched.

    Parameters
    ----------
    index : pandas.Index
        Of the table.
    **columns : object
        What is to be read beside it, by its name in messages.

    Raises
    ------
    DataError
        If a Series has the labels of the table in another order.
    """
    for name, column in columns.items():
        if not isinstance(column, pd.Series) or len(column) != len(index) or column.index.equals(index):
            continue
        if index.is_unique and column.index.is_unique and column.index.isin(index).all():
            raise DataError(
                f"{name} names the same rows in another order, and rows are matched by position: "
                f"{name}.reindex(...) with the index of the table first"
            )


def read_arms(treatment: Any, control: Any, n: int) -> tuple[tuple[Any, ...], npt.NDArray[np.intp]]:
    """Number the arms, the control as 0.

    Parameters
    ----------
    treatment : array-like, shape (n_customers,)
        Labels.
    control : object or None
        Which is the control; None looks for one called control, holdout, 0, False and the like.
    n : int
        Customers.

    Returns
    -------
    labels : tuple
        The control first.
    codes : ndarray of int, shape (n_customers,)
        Places among them.

    Raises
    ------
    DataError
        If lengths differ, an arm is missing, there is one arm only, the control named is none of them, or several are
        called as a control is.

    Warns
    -----
    DataWarning
        If there is no control group: the largest arm is compared with instead.
    """
    values = pd.Series(treatment).reset_index(drop=True)
    if len(values) != n:
        raise DataError(f"treatment must have one entry a customer: {len(values):,} for {n:,}")
    labels, codes = labels_and_codes(values)
    if (codes < 0).any():
        raise DataError(f"treatment is missing in {positions(codes < 0)}")
    if len(labels) < 2:
        raise DataError("treatment has one arm only: without customers in another there is no effect to learn")
    if control is not None or named_controls(labels):
        at = find_control(labels, control, "treatment")
    else:
        at = int(np.bincount(codes).argmax())
        warnings.warn(
            f"THERE IS NO CONTROL GROUP (arms: {', '.join(map(str, labels))}): effects are differences from the "
            f"largest arm, {labels[at]!r}, and say nothing of what doing nothing would have brought; name the arm "
            "that got nothing as control=",
            DataWarning,
            stacklevel=4,
        )
    order = [at, *(other for other in range(len(labels)) if other != at)]
    place = np.empty(len(labels), dtype=np.intp)
    place[order] = np.arange(len(labels))
    return tuple(_plain(labels[other]) for other in order), place[codes]


def _plain(label: Any) -> Any:
    """Give a label of numpy as Python's own."""
    return label.item() if isinstance(label, np.generic) else label


def read_outcome(outcome: Any, n: int) -> tuple[npt.NDArray[np.float64], bool]:
    """Bring outcomes to numbers.

    Parameters
    ----------
    outcome : array-like, shape (n_customers,)
        Numbers or truth values.
    n : int
        Customers.

    Returns
    -------
    numbers : ndarray of float64, shape (n_customers,)
        Finite.
    binary : bool
        Whether all are 0 or 1.

    Raises
    ------
    DataError
        If lengths differ, one is missing, infinite or no number, or all are equal.
    """
    numbers = column_numbers(pd.DataFrame({"outcome": pd.Series(outcome).reset_index(drop=True)}), "outcome")
    if len(numbers) != n:
        raise DataError(f"outcome must have one entry a customer: {len(numbers):,} for {n:,}")
    absent = np.isnan(numbers)
    if absent.any():
        raise DataError(f"outcome is missing in {positions(absent)}: leave these customers out, knowing why it is")
    if np.ptp(numbers) == 0:
        raise DataError("outcome has one value only (one class): no treatment can have changed it")
    return numbers, bool(np.isin(numbers, (0.0, 1.0)).all())
