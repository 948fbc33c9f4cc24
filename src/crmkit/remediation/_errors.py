"""Works out the standard errors of the remedies' values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation._tableau import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._terms import Remedy

__all__ = ["errors_of"]


def errors_of(
    table: pd.DataFrame, remedies: Sequence[Remedy], what: str, eligible: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64] | None:
    """Work out one kind of error for every case and remedy.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases.
    remedies : sequence of Remedy
        Whose errors were found to be numbers of 0 or more when the problem was made.
    what : str
        ``"error"`` or ``"shared_error"``.
    eligible : ndarray of bool, shape (n_cases, n_remedies)
        Where errors matter.

    Returns
    -------
    ndarray, shape (n_cases, n_remedies), or None
        0 where not eligible or not given; None where no remedy gives any.
    """
    formulas = [getattr(remedy, what) for remedy in remedies]
    if all(formula is None for formula in formulas):
        return None
    result = np.zeros(eligible.shape)
    for j, formula in enumerate(formulas):
        if formula is not None:
            error = evaluate(table, formula).values
            result[:, j] = np.where(eligible[:, j], error, 0.0)
    return result
