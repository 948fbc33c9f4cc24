"""Who may be offered what: eligibility by customer, stock, and what was bought before."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.recommendation._ids import Ids, as_ids
from crmkit.recommendation._interactions import item_column

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crmkit.recommendation._interactions import Interactions
    from crmkit.recommendation._side_tables import Labels

__all__ = ["NEVER", "Rules", "waiting_days"]

NEVER = np.iinfo(np.int32).max
"""Days to wait before an item that is never offered again."""

_WORDS = {"never": NEVER, "always": 0}


class Rules:
    """The rules of one call, asked block by block for the items that each customer may be given.

    Parameters
    ----------
    interactions : Interactions
        What the model learned from.
    ids : ndarray of shape (n_asked,)
        The customers asked for, as ``as_ids`` gives them, each once.
    codes : ndarray of int64, shape (n_asked,)
        Their numbers, -1 for a customer without events.
    waiting : ndarray of int64 (n_items,) or None
        Days before an item that was had may be offered again; None where it may always be.
    eligible, forbidden : table, items, function or None
        What may and what must not be given.
    stock : items, mapping, table or None
        What is there to be sold.
    """

    def __init__(
        self,
        interactions: Interactions,
        ids: npt.NDArray[Any],
        codes: npt.NDArray[np.int64],
        *,
        waiting: npt.NDArray[np.int64] | None,
        eligible: Any = None,
        forbidden: Any = None,
        stock: Any = None,
    ) -> None:
        self._interactions = interactions
        self._ids = ids
        self._codes = codes
        self._waiting = waiting
        self._asked = Ids(ids)
        self._open = np.ones(len(interactions.items), dtype=bool)
        self._allowed: sparse.csr_array | None = None
        self._barred: sparse.csr_array | None = None
        self._tests: list[tuple[Callable[..., Any], bool, str]] = []
        if stock is not None:
            self._open &= self._in_stock(stock)
        if eligible is not None:
            self._allowed = self._read(eligible, "eligible", keep=True)
        if forbidden is not None:
            self._barred = self._read(forbidden, "forbidden", keep=False)

    def mask(self, start: int, stop: int) -> npt.NDArray[np.bool_]:
        """Say which items each customer of a block may be given.

        Parameters
        ----------
        start, stop : int
            The block, as places among the customers asked for.

        Returns
        -------
        ndarray of bool, shape (stop - start, n_items)
            True where it may be given; its own memory.

        Raises
        ------
        DataError
            If a function gives something other than one truth value for each pair.
        """
        shape = (stop - start, len(self._open))
        if self._allowed is None:
            mask = np.broadcast_to(self._open, shape).copy()
        else:
            mask = np.zeros(shape, dtype=bool)
            row, column = _entries(self._allowed, np.arange(start, stop))[:2]
            mask[row, column] = self._open[column]
        if self._barred is not None:
            row, column = _entries(self._barred, np.arange(start, stop))[:2]
            mask[row, column] = False
        for test, keep, what in self._tests:
            mask &= self._ask(test, start, stop, what) == keep
        if self._waiting is not None:
            known = np.flatnonzero(self._codes[start:stop] >= 0)
            row, column, day = _entries(self._interactions.had, self._codes[start:stop][known])
            wait = self._waiting[column]
            too_soon = (wait == NEVER) | (self._interactions.now - day < wait)
            mask[known[row[too_soon]], column[too_soon]] = False
        return mask

    def _ask(self, test: Callable[..., Any], start: int, stop: int, what: str) -> npt.NDArray[np.bool_]:
        """Ask a function about a block."""
        items = self._interactions.items.values
        given = np.asarray(test(self._ids[start:stop].copy(), items.copy()))
        shape = (stop - start, len(items))
        if given.shape != shape or given.dtype != bool:
            raise DataError(
                f"{what}(customer_ids, item_ids) must give one bool for each pair, of shape {shape}; "
                f"got {given.dtype} of shape {given.shape}"
            )
        return given

    def _read(self, rule: Any, what: str, *, keep: bool) -> sparse.csr_array | None:
        """Read a rule: pairs become a matrix; items and functions are noted."""
        if callable(rule) and not isinstance(rule, type):
            self._tests.append((rule, keep, what))
            return None
        table = _as_table(rule, what)
        if table is None or "customer_id" not in table.columns:
            named = self._named(rule if table is None else table[item_column(table, what=what)], what)
            self._open &= named if keep else ~named
            return None
        column = item_column(table, what=what)
        customers, no_customer = as_ids(table["customer_id"])
        items, no_item = as_ids(table[column])
        if no_customer.any() or no_item.any():
            raise DataError(f"{what}: customer_id or {column} is missing in {positions(no_customer | no_item)}")
        row, number = self._asked.numbers_of(customers), self._interactions.items.numbers_of(items)
        _warn_of_strangers(number, what)
        here = (row >= 0) & (number >= 0)
        shape = (len(self._ids), len(self._open))
        pairs = sparse.coo_array((np.ones(int(here.sum()), dtype=np.int8), (row[here], number[here])), shape=shape)
        return sparse.csr_array(pairs)

    def _named(self, items: Any, what: str) -> npt.NDArray[np.bool_]:
        """Mark the items of a list."""
        if isinstance(items, set | frozenset):
            items = sorted(items, key=str)
        ids, missing = as_ids(items)
        if missing.any():
            raise DataError(f"{what}: an item is missing in {positions(missing)}")
        numbers = self._interactions.items.numbers_of(ids)
        _warn_of_strangers(numbers, what)
        named = np.zeros(len(self._open), dtype=bool)
        named[numbers[numbers >= 0]] = True
        return named

    def _in_stock(self, stock: Any) -> npt.NDArray[np.bool_]:
        """Mark the items of which there is something."""
        if isinstance(stock, Mapping) and not {"item_id", "product_id"} & set(stock):
            stock = pd.DataFrame({"item_id": list(stock.keys()), "stock": list(stock.values())})
        elif isinstance(stock, pd.Series) and _counts(stock):
            stock = stock.rename("stock").rename_axis("item_id").reset_index()
        table = _as_table(stock, "stock")
        if table is None:
            return self._named(stock, "stock")
        column = item_column(table, what="stock")
        if "stock" in table.columns or "quantity" in table.columns:
            amount = table["stock" if "stock" in table.columns else "quantity"]
            if not pd.api.types.is_numeric_dtype(amount.dtype):
                raise DataError(f"stock must be numbers, got {amount.dtype}")
            there = amount.to_numpy(dtype=np.float64, na_value=np.nan)
            if np.isnan(there).any():
                raise DataError(f"stock: how much is there is missing in {positions(np.isnan(there))}")
            table = table.loc[there > 0]
        return self._named(table[column], "stock")


def waiting_days(exclude: Any, categories: Labels | None, n_items: int, *, has_days: bool) -> Any:
    """Give the days that must pass before each item may be offered to one who had it.

    Parameters
    ----------
    exclude : {"bought", "nothing"}, int, or mapping of category to "never", "always" or int
        The policy; categories that a mapping leaves out, and items without one, are never offered again, unless the
        mapping has an answer for ``"*"``.
    categories : Labels or None
        The category of each item.
    n_items : int
        How many items there are.
    has_days : bool
        Whether it is known when items were bought.

    Returns
    -------
    ndarray of int64 (n_items,) or None
        Days, ``NEVER`` for never again; None where nothing is excluded.

    Raises
    ------
    DataError
        If the policy cannot be read, or needs days or categories that are not known.
    """
    if exclude is None or (isinstance(exclude, str) and exclude == "nothing"):
        return None
    if isinstance(exclude, str) and exclude == "bought":
        return np.full(n_items, NEVER, dtype=np.int64)
    if not isinstance(exclude, Mapping):
        waits = np.full(n_items, _days(exclude), dtype=np.int64)
    else:
        if categories is None:
            raise DataError("exclude by category needs fit(…, items=table) with item_id and category")
        unknown = sorted(set(map(str, exclude)) - {*categories.names, "*"})
        if unknown:
            raise DataError(
                f"exclude names no category of the items: {', '.join(unknown)}; there are: "
                f"{', '.join(categories.names[:40])}, and '*' for the rest"
            )
        given = {str(name): _days(policy) for name, policy in exclude.items()}
        rest = given.get("*", NEVER)
        # The last place is for items without a category, whose code is -1.
        by_category = np.array([*(given.get(name, rest) for name in categories.names), rest], dtype=np.int64)
        waits = by_category[categories.code]
    if not has_days and ((waits > 0) & (waits != NEVER)).any():
        raise DataError("exclude after a number of days needs the column time or day in the interactions")
    return waits


def _days(policy: Any) -> int:
    """Read one policy."""
    if isinstance(policy, str) and policy in _WORDS:
        return int(_WORDS[policy])
    if isinstance(policy, int | np.integer) and not isinstance(policy, bool) and policy >= 0:
        return int(policy)
    raise DataError(
        "exclude must be 'bought', 'nothing', a number of days, or a mapping from category to 'never', 'always' or a "
        f"number of days; got {policy!r}"
    )


def _counts(stock: pd.Series) -> bool:
    """Say whether a Series tells how many there are, by the items of its index, rather than which items."""
    if stock.index.name in {"item_id", "product_id"}:
        return True
    return pd.api.types.is_numeric_dtype(stock.dtype) and not pd.api.types.is_numeric_dtype(stock.index.dtype)


def _warn_of_strangers(numbers: npt.NDArray[np.int64], what: str) -> None:
    """Say where a rule can only be about other items than the model's."""
    if len(numbers) and (numbers < 0).all():
        warnings.warn(
            f"{what} names items ({len(numbers):,} times), and the model knows none of them: are they written as the "
            "item_id of its events and items?",
            DataWarning,
            stacklevel=6,
        )


def _as_table(rule: Any, what: str) -> pd.DataFrame | None:
    """Give a rule as a table, None where it is a list of items."""
    if isinstance(rule, list | tuple | set | frozenset | np.ndarray | pd.Series | pd.Index):
        return None
    if not isinstance(rule, pd.DataFrame | Mapping) and not hasattr(rule, "columns") and not isinstance(rule, str):
        return None
    table = as_frame(dict(rule) if isinstance(rule, Mapping) else rule, what=what)
    require_columns(table, [item_column(table, what=what)], what=what)
    return table


def _entries(
    matrix: sparse.csr_array, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Give place, column and value of the stored entries of some rows."""
    begin, end = matrix.indptr[rows], matrix.indptr[rows + 1]
    many = (end - begin).astype(np.int64)
    place = np.repeat(np.arange(len(rows), dtype=np.int64), many)
    # Where each entry stands: its row's first place, and how many of the row came before it.
    at = np.repeat(begin - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
    return place, matrix.indices[at].astype(np.int64), matrix.data[at]
