"""Every error and warning that crmkit raises, and when each is for you."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AmbiguousPluginError",
    "ConfigError",
    "ConvergenceError",
    "CrmkitError",
    "DataError",
    "DataWarning",
    "ExpressionError",
    "InfeasiblePlanError",
    "IntegrityError",
    "MissingExtraError",
    "PersistenceError",
    "PluginError",
    "PluginLoadError",
    "PluginVersionError",
    "PluginWarning",
    "SchemaError",
    "SchemaProblem",
    "UnknownPluginError",
]


class CrmkitError(Exception):
    """Base of what is wrong with data, plugins, plans, models and files; a wrong argument may be Python's own error."""


class DataError(CrmkitError, ValueError):
    """The table, array or text handed in cannot be used as it is; the message names columns and row positions."""


class ExpressionError(DataError):
    """A ``value=``, ``uses=``, ``eligible=`` or ``where=`` is not in the expression language, or names no column."""


@dataclass(frozen=True)
class SchemaProblem:
    """One kind of problem in one column of a table.

    Parameters
    ----------
    column : str
        The column's standard name, or the header as it was given where it has none.
    reason : str
        What is wrong, without any cell value.
    count : int
        How many rows have the problem; 0 where it is about the table, not about rows.
    rows : sequence of int
        Positions of the first rows that have it, counted from 0.
    """

    column: str
    reason: str
    count: int = 0
    rows: Sequence[int] = ()

    def __str__(self) -> str:
        if not self.count:
            return f"{self.column}: {self.reason}"
        shown = ", ".join(str(row) for row in self.rows)
        more = ", …" if self.count > len(self.rows) else ""
        return f"{self.column}: {self.reason} ({self.count:,} {'row' if self.count == 1 else 'rows'}: {shown}{more})"


class SchemaError(CrmkitError, ValueError):
    """A table does not fit its schema; one error tells every problem.

    Parameters
    ----------
    message : str
        What was read and what to do next.
    problems : sequence of SchemaProblem, default=()
        Every problem found, also listed in the message.
    """

    def __init__(self, message: str, problems: Sequence[SchemaProblem] = ()) -> None:
        self.problems: tuple[SchemaProblem, ...] = tuple(problems)
        super().__init__("\n".join([message, *(f"  - {problem}" for problem in self.problems)]))


class ConfigError(CrmkitError, ValueError):
    """A configuration file has an unknown key, a wrong type, or a missing table."""


class PluginError(CrmkitError):
    """Base of all that can go wrong with a plugin."""


class UnknownPluginError(PluginError, LookupError):
    """No plugin of that kind has that name; the message lists the nearest names and all of them."""


class AmbiguousPluginError(PluginError):
    """Two distributions offer the same name for one kind: ask for ``distribution:name``."""


class PluginLoadError(PluginError):
    """A plugin could not be imported; its own error is chained."""


class PluginVersionError(PluginError):
    """A plugin was written for another version of the plugin interface."""


class MissingExtraError(PluginError, ImportError):
    """An optional requirement is not installed; the message is the ``pip install`` that mends it."""


class ConvergenceError(CrmkitError):
    """A model could not be estimated; the message names the parameter and the cause.

    Parameters
    ----------
    message : str
        What happened and what to do next.
    parameter : str or None
        The parameter that ran away or is not identified.
    """

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        self.parameter: str | None = parameter
        super().__init__(message)


class InfeasiblePlanError(CrmkitError):
    """No plan can keep all limits.

    Parameters
    ----------
    message : str
        Names the limits in conflict and the least change that helps.
    conflict : sequence of str
        An irreducible set of limits: all of them cannot be kept, any one left out can.
    relaxation : mapping of str to float
        The least change of each limit, in the limit's own unit, that makes a plan possible.
    """

    def __init__(self, message: str, *, conflict: Sequence[str] = (), relaxation: Any = None) -> None:
        self.conflict: tuple[str, ...] = tuple(conflict)
        self.relaxation: Any = {} if relaxation is None else relaxation
        super().__init__(message)


class PersistenceError(CrmkitError):
    """A model cannot be saved, or a file is not one that crmkit may load."""


class IntegrityError(CrmkitError):
    """A file or a log was altered after it was written."""


class DataWarning(UserWarning):
    """Something in the data deserves a look but does not stop the work."""


class PluginWarning(UserWarning):
    """A plugin did not load or its name is taken; the host goes on without it."""
