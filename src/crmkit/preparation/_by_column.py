"""What is declared for all columns, or for some by name, brought to one value a column."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["by_column", "column_names"]


def column_names(estimator: Any) -> list[str]:
    """Name the columns an estimator was fitted on: as its table did, else ``x0``, ``x1``, ….

    Parameters
    ----------
    estimator : estimator
        With ``n_features_in_``, and ``feature_names_in_`` where the columns had text for names.

    Returns
    -------
    list of str
        One name a column.
    """
    names: npt.NDArray[Any] | None = getattr(estimator, "feature_names_in_", None)
    return (
        [f"x{place}" for place in range(estimator.n_features_in_)] if names is None else [str(name) for name in names]
    )


def by_column(declared: Any, names: Sequence[str], *, what: str, otherwise: Any) -> list[Any]:
    """Give what is declared for each column.

    Parameters
    ----------
    declared : object or mapping of str to object
        One value for all columns, or values by name.
    names : sequence of str
        The columns.
    what : str
        The parameter's name in messages.
    otherwise : object
        What columns have that a mapping does not name.

    Returns
    -------
    list
        One value a column.

    Raises
    ------
    DataError
        If a mapping names a column that is not there.
    """
    if not isinstance(declared, Mapping):
        return [declared] * len(names)
    unknown = [name for name in declared if name not in names]
    if unknown:
        near = get_close_matches(str(unknown[0]), list(names), n=1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        listed = ", ".join(names[:40]) + (", …" if len(names) > 40 else "")
        raise DataError(f"{what} names {unknown[0]!r}{hint}, which is no column; there are: {listed}")
    return [declared.get(name, otherwise) for name in names]
