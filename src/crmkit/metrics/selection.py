"""Whether columns chosen on other rows are the same ones: the stability of a selection."""

from __future__ import annotations

from typing import Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import check_level, normal_quantile

__all__ = ["selection_stability"]


def selection_stability(chosen: Any, *, level: float = 0.95) -> Estimate:
    """Give how alike the choices of columns made on different rows are, corrected for chance.

    1 where the same columns are chosen every time, about 0 where columns are drawn at random, however many are chosen;
    below 0 where choices avoid each other. From .75 on a selection is read as stable, below .4 as poor.

    Parameters
    ----------
    chosen : array-like of bool, shape (n_choices, n_columns)
        Which columns each choice took; at least two choices.
    level : float, default=0.95
        Nominal coverage of the interval, which takes the choices as independent: those of folds that share training
        rows are not, so that it is too narrow for them.

    Returns
    -------
    Estimate
        At most 1; ``n`` counts choices. NaN where every choice took all columns, or none.

    Raises
    ------
    DataError
        If there are fewer than two choices, or entries that are neither 0 nor 1.

    See Also
    --------
    crmkit.metrics.stability : Of segments.
    crmkit.prediction.selection_stability : Chooses in the folds, and gives a table by column.

    References
    ----------
    Nogueira, S., Sechidis, K., & Brown, G. (2018). On the stability of feature selection algorithms. Journal of Machine
    Learning Research 18(174), 1-54.

    Examples
    --------
    >>> from crmkit.metrics import selection_stability
    >>> same, other = [[1, 0, 0], [1, 0, 0]], [[1, 0, 0], [0, 1, 0]]
    >>> round(selection_stability(same), 9), round(selection_stability(other), 9)
    (1.0, -0.5)
    """
    check_level(level)
    masks = np.asarray(chosen)
    if masks.ndim != 2 or len(masks) < 2 or not masks.shape[1]:
        raise DataError(f"chosen must have a row for each of at least two choices, got shape {masks.shape}")
    if not np.isin(masks, (0, 1)).all():
        raise DataError("chosen must hold True and False, or 1 and 0")
    masks = masks.astype(np.float64)
    n_choices, n_columns = masks.shape
    shares, sizes = masks.mean(axis=0), masks.sum(axis=1)
    mean_size = sizes.mean()
    chance = mean_size / n_columns * (1 - mean_size / n_columns)
    if chance <= 0:
        return Estimate(float("nan"), n=n_choices, low=float("nan"), high=float("nan"), level=level, method="nogueira")
    value = 1 - (n_choices / (n_choices - 1) * shares * (1 - shares)).mean() / chance
    # Theorem 7 of the paper: what each choice alone contributes.
    own = (masks * shares).mean(axis=1) - sizes * mean_size / n_columns**2
    own += value / 2 * (2 * mean_size * sizes / n_columns**2 - sizes / n_columns - mean_size / n_columns + 1)
    own /= chance
    half = normal_quantile(level) * np.sqrt(4 / n_choices**2 * ((own - own.mean()) ** 2).sum())
    high = min(value + half, 1.0)
    return Estimate(value, n=n_choices, low=value - half, high=high, level=level, method="nogueira")
