"""Warnings that point at the line of whoever called crmkit, however deep inside something was noticed."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crmkit.core.errors import DataWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["passed_on", "tell"]

# What stands between the caller and us: our own code, and what runs it.
_BETWEEN = frozenset({"crmkit", "sklearn", "joblib", "contextlib"})


def tell(message: str, category: type[Warning] = DataWarning) -> None:
    """Warn at the first line that belongs neither to crmkit nor to scikit-learn.

    Parameters
    ----------
    message : str
        What is to be said.
    category : type of Warning, default=DataWarning
        What kind of warning it is.

    Examples
    --------
    >>> import warnings
    >>> from crmkit.core.telling import tell
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     tell("two rows have no customer")
    >>> str(caught[0].message)
    'two rows have no customer'
    """
    level = 1
    frame = sys._getframe()  # noqa: SLF001 -- the interpreter's own way to ask who called
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _BETWEEN:
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def passed_on() -> Iterator[None]:
    """Let warnings of what runs inside point at the caller of crmkit.

    What the caller's filters make an error stays one, and what they ignore stays unsaid.

    Examples
    --------
    >>> import warnings
    >>> from crmkit.core.telling import passed_on
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with passed_on():
    ...         warnings.warn("no history before 2020", stacklevel=1)
    >>> len(caught)
    1
    """
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as recorded:
            caught = recorded
            yield
    finally:
        for one in caught:
            tell(str(one.message), one.category)
