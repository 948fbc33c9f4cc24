"""Folds that test later cutoffs than they train on, customers they do not train on, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy.typing as npt

    Pair = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

__all__ = ["CustomerFolds", "CustomerTimeFolds", "TimeFolds"]

_DAY = 86_400_000_000
"""Microseconds."""


class TimeFolds(BaseCrossValidator):
    """Train on cutoffs whose labels were known at the cutoff that is tested.

    Every later cutoff is tested once. A row trains only if its whole label window, ``[cutoff, cutoff + horizon)``, is
    over by the first cutoff of the test (less ``gap`` days): with a horizon of 90 days and monthly cutoffs the two
    cutoffs just before the test are left out, because part of their labels lies in what the test must foretell. A
    splitter of scikit-learn: it goes into ``cross_val_score``, searches, ``metrics.cross_validate`` and
    ``prediction.select_model``.

    Parameters
    ----------
    horizon : int
        Days of the label window. 0 where the label is known at once.
    gap : int, default=0
        Days more between the end of the training labels and the test: how long a label takes to be known.
    n_folds : int or None, default=None
        How many folds, the latest ones; None for all there can be.
    least_cutoffs : int, default=1
        Cutoffs a fold must train on; 2 where a search has to split the training rows by time once more.
    block : int, default=1
        Cutoffs in a row that are tested together, for tables in which nearly every row has its own.
    at : str, default="cutoff"
        The index level or the column of X that says when a row stands: dates, times, or whole days.

    Raises
    ------
    DataError
        On ``split``: if X does not say when, or no cutoff lies far enough behind another.

    See Also
    --------
    CustomerFolds : Customers who were never seen, at any time.
    CustomerTimeFolds : Both.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import TimeFolds
    >>> months = pd.to_datetime(["2010-06-01", "2010-07-01", "2010-08-01"])
    >>> X = pd.DataFrame({"visits": range(6)}, index=pd.MultiIndex.from_product([["a", "b"], months]))
    >>> X.index.names = ["customer_id", "cutoff"]
    >>> [(train.tolist(), test.tolist()) for train, test in TimeFolds(30).split(X)]
    [([0, 3], [1, 4]), ([0, 1, 3, 4], [2, 5])]
    >>> [(train.tolist(), test.tolist()) for train, test in TimeFolds(60).split(X)]
    [([0, 3], [2, 5])]
    """

    def __init__(
        self,
        horizon: int,
        *,
        gap: int = 0,
        n_folds: int | None = None,
        least_cutoffs: int = 1,
        block: int = 1,
        at: str = "cutoff",
    ) -> None:
        self.horizon = horizon
        self.gap = gap
        self.n_folds = n_folds
        self.least_cutoffs = least_cutoffs
        self.block = block
        self.at = at

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Generator[Pair, None, None]:  # noqa: ARG002 -- a splitter's form
        """Give the positions of training and test rows, fold by fold, the earliest test first.

        Parameters
        ----------
        X : DataFrame, shape (n_rows, n_features)
            With ``at`` in its index or among its columns.
        y, groups : object, default=None
            Not read.

        Yields
        ------
        train, test : ndarray of int
            Positions.
        """
        moment, unit = _moments(X, self.at)
        for known, tested in self._limits(moment, unit):
            yield np.flatnonzero(known), np.flatnonzero(tested)

    # scikit-learn leaves it unannotated, which pyright reads as giving nothing.
    def get_n_splits(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        X: Any = None,
        y: Any = None,  # noqa: ARG002 -- a splitter's form
        groups: Any = None,  # noqa: ARG002 -- same
    ) -> int:
        """Give how many folds X has; without X, the number asked for."""
        if X is None:
            if self.n_folds is None:
                raise DataError("how many folds there are depends on the cutoffs: give X, or n_folds")
            return self.n_folds
        return len(self._limits(*_moments(X, self.at)))

    def _limits(
        self, moment: npt.NDArray[np.int64], unit: int
    ) -> list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
        """Give for each fold which rows may train and which are tested."""
        for name, least in (("horizon", 0), ("gap", 0), ("least_cutoffs", 1), ("block", 1)):
            _check_whole(getattr(self, name), name, least)
        if self.n_folds is not None:
            _check_whole(self.n_folds, "n_folds", 1)
        there = np.unique(moment)
        # Even where labels are known at once, what is tested does not train.
        wait = max((self.horizon + self.gap) * unit, 1)
        # Blocks are counted from the latest cutoff, so that the newest rows are always tested.
        starts = np.arange(len(there) - self.block, -1, -self.block)[::-1]
        usable = np.searchsorted(there, there[starts] - wait, side="right")
        starts, usable = starts[usable >= self.least_cutoffs], usable[usable >= self.least_cutoffs]
        wanted = self.n_folds or 1
        if len(starts) < wanted:
            raise DataError(
                f"{len(starts)} folds are possible of {wanted} wanted: {len(there)} cutoffs, and a test needs "
                f"{self.least_cutoffs} of them at least {self.horizon + self.gap} days (horizon and gap) before it. "
                "Make features at earlier cutoffs too, or shorten the horizon"
            )
        if self.n_folds is not None:
            starts, usable = starts[-self.n_folds :], usable[-self.n_folds :]
        return [
            (moment <= there[last - 1], (moment >= there[start]) & (moment <= there[start + self.block - 1]))
            for start, last in zip(starts, usable, strict=True)
        ]


class CustomerFolds(BaseCrossValidator):
    """Test customers of whom no row trains, at any cutoff.

    Answers how well customers are foretold whom the model has never met. It does not look at time: rows of later
    cutoffs may train for earlier ones; see ``CustomerTimeFolds``. Customers are dealt to folds of equal size by a
    seeded shuffle of their sorted ids, so that the order of the rows does not matter.

    Parameters
    ----------
    n_folds : int, default=5
        How many.
    random_state : int, RandomState or None, default=0
        Of the shuffle.

    Raises
    ------
    DataError
        On ``split``: if neither ``groups`` nor the index of X names customers, or there are fewer than folds.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import CustomerFolds
    >>> X = pd.DataFrame({"visits": range(4)}, index=pd.Index(list("abab"), name="customer_id"))
    >>> [(train.tolist(), test.tolist()) for train, test in CustomerFolds(2).split(X)]
    [([0, 2], [1, 3]), ([1, 3], [0, 2])]
    """

    def __init__(self, n_folds: int = 5, *, random_state: Any = 0) -> None:
        self.n_folds = n_folds
        self.random_state = random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Generator[Pair, None, None]:  # noqa: ARG002 -- a splitter's form
        """Give the positions of training and test rows, fold by fold.

        Parameters
        ----------
        X : table, shape (n_rows, n_features)
            With ``customer_id`` in its index, where there are no ``groups``.
        y : object, default=None
            Not read.
        groups : array-like, shape (n_rows,), default=None
            Whose row each is.

        Yields
        ------
        train, test : ndarray of int
            Positions.
        """
        fold = _dealt(_customers(X, groups), self.n_folds, self.random_state)
        for number in range(self.n_folds):
            yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)

    # scikit-learn leaves it unannotated, which pyright reads as giving nothing.
    def get_n_splits(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        X: Any = None,  # noqa: ARG002 -- a splitter's form
        y: Any = None,  # noqa: ARG002 -- same
        groups: Any = None,  # noqa: ARG002 -- same
    ) -> int:
        """Give how many folds there are."""
        return self.n_folds


class CustomerTimeFolds(BaseCrossValidator):
    """Test later cutoffs of customers of whom no row trains.

    The hardest and often the honest question: next month, of people the model does not know. Each fold of
    ``TimeFolds`` is divided by customers as ``CustomerFolds`` does; a row trains if its labels were known at the test
    and its customer is not tested.

    Parameters
    ----------
    horizon : int
        Days of the label window; see ``TimeFolds``.
    customer_folds : int, default=5
        Into how many parts customers are dealt at each test cutoff.
    gap, n_folds, least_cutoffs, block, at : optional
        As in ``TimeFolds``; ``n_folds`` counts folds in time.
    random_state : int, RandomState or None, default=0
        Of the shuffle of customers.

    Raises
    ------
    DataError
        As ``TimeFolds`` and ``CustomerFolds``, or if a fold would be empty.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import CustomerTimeFolds
    >>> index = pd.MultiIndex.from_product([["a", "b"], [0, 30]], names=["customer_id", "cutoff"])
    >>> X = pd.DataFrame({"visits": range(4)}, index=index)
    >>> [(train.tolist(), test.tolist()) for train, test in CustomerTimeFolds(30, customer_folds=2).split(X)]
    [([0], [3]), ([2], [1])]
    """

    def __init__(
        self,
        horizon: int,
        *,
        customer_folds: int = 5,
        gap: int = 0,
        n_folds: int | None = None,
        least_cutoffs: int = 1,
        block: int = 1,
        at: str = "cutoff",
        random_state: Any = 0,
    ) -> None:
        self.horizon = horizon
        self.customer_folds = customer_folds
        self.gap = gap
        self.n_folds = n_folds
        self.least_cutoffs = least_cutoffs
        self.block = block
        self.at = at
        self.random_state = random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Generator[Pair, None, None]:
        """Give the positions of training and test rows, fold by fold.

        Parameters
        ----------
        X : DataFrame, shape (n_rows, n_features)
            With ``at`` in its index or among its columns.
        y : object, default=None
            Not read.
        groups : array-like, shape (n_rows,), default=None
            Whose row each is; None for the index level ``customer_id``.

        Yields
        ------
        train, test : ndarray of int
            Positions.
        """
        fold = _dealt(_customers(X, groups), self.customer_folds, self.random_state)
        for train, test in self._in_time().split(X, y):
            for number in range(self.customer_folds):
                pair = train[fold[train] != number], test[fold[test] == number]
                if not len(pair[0]) or not len(pair[1]):
                    raise DataError(
                        f"part {number} of the customers has {len(pair[1]):,} test and {len(pair[0]):,} training rows "
                        "at a cutoff: take fewer customer_folds"
                    )
                yield pair

    # scikit-learn leaves it unannotated, which pyright reads as giving nothing.
    def get_n_splits(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        X: Any = None,
        y: Any = None,  # noqa: ARG002 -- a splitter's form
        groups: Any = None,  # noqa: ARG002 -- same
    ) -> int:
        """Give how many folds X has; without X, the number asked for."""
        return self._in_time().get_n_splits(X) * self.customer_folds

    def _in_time(self) -> TimeFolds:
        """Give the same folds without customers."""
        return TimeFolds(
            self.horizon,
            gap=self.gap,
            n_folds=self.n_folds,
            least_cutoffs=self.least_cutoffs,
            block=self.block,
            at=self.at,
        )


def _check_whole(value: Any, name: str, least: int) -> None:
    """Refuse what is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise DataError(f"{name} must be a whole number of at least {least}, got {value!r}")


def _level(X: Any, name: str) -> pd.Index | None:
    """Give an index level or a column of X; None where there is neither."""
    if not isinstance(X, pd.DataFrame | pd.Series):
        return None
    if name in X.index.names:
        return X.index.get_level_values(name)
    return pd.Index(X[name]) if isinstance(X, pd.DataFrame) and name in X.columns else None


def _moments(X: Any, at: str) -> tuple[npt.NDArray[np.int64], int]:
    """Give when each row stands, as whole numbers, and how many of them a day has."""
    found = _level(X, at)
    if found is None:
        raise DataError(
            f"X must say when each row stands: a DataFrame with {at!r} in its index or among its columns, as "
            "preparation.features makes it"
        )
    missing = np.asarray(found.isna(), dtype=bool)
    if missing.any():
        raise DataError(f"{at} is missing in {positions(missing)} of X")
    if pd.api.types.is_datetime64_any_dtype(found.dtype):
        instants = pd.DatetimeIndex(found)
        plain = instants.tz_convert("UTC").tz_localize(None) if instants.tz is not None else instants
        return plain.to_numpy().astype("datetime64[us]").astype(np.int64), _DAY
    if not pd.api.types.is_integer_dtype(found.dtype):
        raise DataError(f"{at} must hold dates, times or whole days, got {found.dtype}")
    return found.to_numpy(dtype=np.int64), 1


def _customers(X: Any, groups: Any) -> npt.NDArray[np.intp]:
    """Number the customers of the rows in the order of their ids."""
    whose = pd.Index(np.asarray(groups)) if groups is not None else _level(X, "customer_id")
    if whose is None:
        raise DataError("give groups (whose row each is), or X with customer_id in its index")
    codes, _ = pd.factorize(whose, sort=True)
    if (codes < 0).any():
        raise DataError(f"customer_id is missing in {positions(codes < 0)}")
    return codes


def _dealt(codes: npt.NDArray[np.intp], n_folds: int, random_state: Any) -> npt.NDArray[np.intp]:
    """Deal customers to folds of equal size."""
    n_customers = int(codes.max(initial=-1)) + 1
    _check_whole(n_folds, "the number of customer folds", 2)
    if n_customers < n_folds:
        raise DataError(f"{n_customers} customers cannot be dealt to {n_folds} folds")
    fold = np.empty(n_customers, dtype=np.intp)
    fold[check_random_state(random_state).permutation(n_customers)] = np.arange(n_customers) % n_folds
    return fold[codes]
