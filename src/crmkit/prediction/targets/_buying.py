"""Who will buy: anything, one item, or one category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError
from crmkit.prediction.targets._from_features import ask, with_others

if TYPE_CHECKING:
    from crmkit.prediction.targets._target import Target

__all__ = ["will_buy"]


def will_buy(
    transactions: Any,
    cutoffs: Any,
    *,
    windows: Any,
    horizon: int,
    item: Any = None,
    category: tuple[str, Any] | None = None,
    others: Any = None,
    columns: Any = None,
    customers: Any = None,
    until: Any = None,
    censored: str = "raise",
) -> Target:
    """Ask of every customer whether they will buy within the horizon.

    Anything, or one item or category; then how often and how lately they bought just that stands beside how they buy at
    all, as columns that begin with ``this_``. Customers of whom nothing was known at a cutoff get no row there.

    Parameters
    ----------
    transactions : table
        As for ``preparation.features``; lines with a negative amount are no purchase.
    cutoffs, windows, horizon : object
        As for ``preparation.features``.
    item : object or list, default=None
        One value, or several, of ``product_id`` (or ``item_id``).
    category : tuple of column and value (or list of values), default=None
        Such as ``("category", "tea")``.
    others : mapping of str to table or None, default=None
        Further tables of events, such as ``{"calls": communications}``.
    columns : EventColumns, mapping of str to EventColumns, or None
        As for ``preparation.features``; of several tables, the transactions are ``sales``.
    customers, until, censored : optional
        As for ``preparation.features``; ``until`` is a day after the last row of any table where nobody says.

    Returns
    -------
    Target
        A classifier's question.

    Raises
    ------
    DataError
        If a column is missing, or both an item and a category are named.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import will_buy
    >>> sales = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "b", "a", "b"],
    ...         "day": [1, 20, 35, 70],
    ...         "amount": [5.0, 3.0, 2.0, 1.0],
    ...         "product_id": ["tea", "tea", "cup", "tea"],
    ...     }
    ... )
    >>> will_buy(sales, "1970-01-31", windows=[15], horizon=30).y.tolist()
    [1, 0]
    >>> will_buy(sales, "1970-01-31", windows=[15], horizon=30, item="tea").y.tolist()
    [0, 0]
    """
    if item is not None and category is not None:
        raise DataError("name an item or a category, not both")
    wanted = None if item is None else (_item_column(transactions), item)
    wanted = category if category is not None else wanted
    what = "anything" if wanted is None else f"{wanted[0]} {', '.join(map(str, _listed(wanted[1])))}"

    def tables(given: Any, beside: Any) -> dict[str, Any]:
        if wanted is None:
            return with_others("sales", given, beside) if beside else {"sales": given}
        frame = as_frame(given, what="transactions")
        column, values = wanted
        require_columns(frame, [column], what="transactions")
        return with_others("this", frame.loc[frame[column].isin(_listed(values))], {"sales": frame, **(beside or {})})

    return ask(
        f"Who will buy {what} within {horizon} days?",
        "classifier",
        tables,
        transactions,
        cutoffs,
        others=others,
        until=until,
        windows=windows,
        horizon=horizon,
        columns=columns if columns is None or isinstance(columns, dict) else {"sales": columns},
        customers=customers,
        censored=censored,
    )


def _item_column(transactions: Any) -> str:
    """Give the column that names items."""
    frame = as_frame(transactions, what="transactions")
    found = next((name for name in ("product_id", "item_id") if name in frame.columns), None)
    if found is None:
        raise DataError("item= needs the column product_id or item_id; name another one as category=(column, value)")
    return found


def _listed(values: Any) -> list[Any]:
    """Give one value or several as a list."""
    return list(values) if isinstance(values, list | tuple | set | frozenset) else [values]
