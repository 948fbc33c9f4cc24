"""Brings the cases of a problem, and new ones, to one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.remediation._from_arrays import cases_from_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["as_new_cases", "check_case_ids", "with_case_id"]


def as_new_cases(table: Any, long: Sequence[str] | None) -> pd.DataFrame:
    """Bring new cases to the form of a problem's own: from a long table of options where remedies are named.

    Parameters
    ----------
    table : table
        As handed to :meth:`Plan.assign`.
    long : sequence of str or None
        Names of the remedies of a problem that was made by :meth:`Problem.from_options`.

    Returns
    -------
    pandas.DataFrame
        One row a case, rows numbered from 0, each case id there and once.

    Raises
    ------
    DataError
        If a column or case id is missing, or an id stands twice.
    """
    frame = as_frame(table, what="new cases")
    frame = with_case_id(frame) if long is None else cases_from_options(frame, names=long)[0]
    check_case_ids(frame)
    return frame


def with_case_id(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the cases with ``case_id`` as a column and rows numbered from 0."""
    if "case_id" not in frame.columns and frame.index.name == "case_id":
        return frame.reset_index()
    require_columns(frame, ["case_id"], what="cases", hint="make them with remediation.make_cases")
    return frame.reset_index(drop=True)


def check_case_ids(cases: pd.DataFrame) -> None:
    """Refuse case ids that are missing or stand twice."""
    ids = cases["case_id"]
    missing = ids.isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"cases: case_id is missing in {positions(missing)}")
    twice = ids.duplicated(keep=False).to_numpy(dtype=bool)
    if twice.any():
        raise DataError(f"cases: each case_id must stand once; one stands more than once in {positions(twice)}")
