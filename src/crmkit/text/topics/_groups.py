"""Gathers terms that rose and stand in the same texts into what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from crmkit.metrics import wilson
from crmkit.text.topics._class_terms import label_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["group_terms"]

_TOGETHER = 0.3
"""Two terms belong together where the rarer one stands beside the other in this share of its texts."""


def group_terms(
    there: sparse.csr_matrix, names: Sequence[str], p: npt.NDArray[np.float64], latest: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Make one row of each group of rising terms.

    Parameters
    ----------
    there : sparse matrix of 0 and 1, shape (n_texts, n_terms)
        Which rising term stands in which text.
    names : sequence of str
        The terms, those with the smallest p-values first.
    p : ndarray of float, shape (n_terms,)
        Their adjusted p-values.
    latest : ndarray of bool, shape (n_texts,)
        Which texts are of the latest period.

    Returns
    -------
    pandas.DataFrame
        ``label``, ``terms``, ``n_texts`` of the latest period with any of the terms, their ``share`` with its Wilson
        interval ``low``, ``high``, ``before`` (the share before), ``p_adjusted`` (the least), ``rows`` (up to five
        positions of latest texts with most of the terms).
    """
    now = sparse.csr_matrix(there[np.flatnonzero(latest)])
    met = np.asarray((now.T @ now).todense(), dtype=np.float64)
    alone = np.diag(met)
    near = (met >= _TOGETHER * np.minimum.outer(alone, alone)) & (met >= 2)
    n_groups, group = connected_components(near.astype(np.float64), directed=False)
    rows = []
    n_latest, n_before = int(latest.sum()), int((~latest).sum())
    for number in range(n_groups):
        members = np.flatnonzero(group == number)
        hits = np.asarray(there[:, members].sum(axis=1)).ravel()
        n = int((hits[latest] > 0).sum())
        low, high = wilson(n, n_latest)
        best = np.argsort(-np.where(latest, hits, 0), kind="stable")[: min(5, n)]
        terms = [names[place] for place in members.tolist()]
        rows.append(
            {
                "label": label_of(terms),
                "terms": terms,
                "n_texts": n,
                "share": n / n_latest,
                "low": float(low),
                "high": float(high),
                "before": float((hits[~latest] > 0).sum() / n_before),
                "p_adjusted": float(p[members].min()),
                "rows": best.tolist(),
            }
        )
    columns = ["label", "terms", "n_texts", "share", "low", "high", "before", "p_adjusted", "rows"]
    return pd.DataFrame(rows, columns=columns).sort_values("p_adjusted", kind="stable", ignore_index=True)
