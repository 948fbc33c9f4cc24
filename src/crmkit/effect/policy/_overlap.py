"""How many rows a policy's value rests on, and whether their weights can be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError
from crmkit.effect._intervals import t_p_value

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["overlap", "overlap_notes", "standard_errors"]

_FEW = 100
_DOUBT = 0.001
_OFF = 0.1


def overlap(
    weight: npt.NDArray[np.float64],
    clipped: npt.NDArray[np.bool_],
    name: str,
    clusters: npt.NDArray[np.intp] | None,
) -> dict[str, float]:
    """Say how many rows a policy's value rests on, and whether its weights average 1 as right ones do.

    Parameters
    ----------
    weight : ndarray, shape (n_rows,)
        Chance of the row's arm under the policy over its chance in the log.
    clipped : ndarray of bool, shape (n_rows,)
        Rows whose chance was raised.
    name : str
        The policy's, for messages.
    clusters : ndarray of int, shape (n_rows,), or None
        From 0, without gaps.

    Returns
    -------
    dict
        ``followed``, ``effective_n``, ``largest_weight``, ``clipped``, ``mean_weight``, and ``doubt``: the p-value of
        a mean weight of 1, where it is off by more than a tenth.

    Raises
    ------
    DataError
        If the policy was followed in no row.
    """
    total, squares = float(weight.sum()), float(weight @ weight)
    followed = weight > 0
    if not followed.any():
        raise DataError(f"policy {name!r} was followed in no row: nothing is known of its value")
    mean = total / len(weight)
    error, units = standard_errors(weight[:, None], clusters)
    doubt = t_p_value(mean - 1, float(error[0]), units - 1) if abs(mean - 1) > _OFF else 1.0
    return {
        "followed": int(followed.sum()),
        "effective_n": total**2 / squares,
        "largest_weight": float(weight.max()) / total,
        "clipped": int((clipped & followed).sum()),
        "mean_weight": mean,
        "doubt": 0.0 if np.isnan(doubt) else doubt,
    }


def overlap_notes(summary: list[dict[str, float]], names: list[str], least: float) -> list[str]:
    """Tell where chances were clipped or cannot be right, and where a value rests on few rows.

    Parameters
    ----------
    summary : list of dict
        As ``overlap`` gives them.
    names : list of str
        Of the policies; what comes after them in the summary is left out.
    least : float
        The chance that lower ones were raised to.

    Returns
    -------
    list of str
        Sentences.
    """
    notes = []
    pairs = list(zip(names, summary, strict=False))
    cut = [f"{name} ({int(row['clipped']):,})" for name, row in pairs if row["clipped"]]
    if cut:
        notes.append(f"chances below {least:g} were raised to it, which biases the value: {', '.join(cut)} rows")
    off = [f"{name} ({row['mean_weight']:.2f})" for name, row in pairs if row["doubt"] < _DOUBT]
    if off:
        notes.append(
            f"weights must average 1, and do not: {', '.join(off)}; the chances are wrong, or some rows could never "
            "have been given what the policy gives them, so that their outcome is the model's guess"
        )
    few = [f"{name} ({row['effective_n']:.0f})" for name, row in pairs if row["effective_n"] < _FEW]
    if few:
        notes.append(f"fewer than {_FEW} effective rows tell of {', '.join(few)}: their intervals may be too narrow")
    return notes


def standard_errors(
    columns: npt.NDArray[np.float64], clusters: npt.NDArray[np.intp] | None
) -> tuple[npt.NDArray[np.float64], int]:
    """Give the standard error of each column's mean, and the number of independent rows.

    Parameters
    ----------
    columns : ndarray, shape (n_rows, n_columns)
        Finite.
    clusters : ndarray of int, shape (n_rows,), or None
        From 0, without gaps.

    Returns
    -------
    errors : ndarray, shape (n_columns,)
        Cluster-robust where there are clusters.
    n : int
        Rows or clusters.
    """
    centred = columns - columns.mean(axis=0)
    n = len(columns)
    if clusters is not None:
        summed = np.zeros((int(clusters.max()) + 1, columns.shape[1]))
        np.add.at(summed, clusters, centred)
        centred = summed
    units = len(centred)
    return np.asarray(np.sqrt(np.sum(centred**2, axis=0) * units / (units - 1)) / n, dtype=np.float64), units
