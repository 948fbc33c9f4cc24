"""Observed uplift by tenths of the predicted, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from crmkit.core.errors import DataError
from crmkit.effect._columns import column_numbers
from crmkit.effect._intervals import newcombe, t_width
from crmkit.effect.uplift._trial import check_order, read_arms, read_outcome
from crmkit.metrics.intervals import check_level

__all__ = ["uplift_by_decile"]


def uplift_by_decile(
    outcome: Any,
    uplift: Any,
    treatment: Any,
    *,
    control: Any = None,
    arm: Any = None,
    n_bins: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare treated and untreated customers within each tenth of a ranking.

    The first decile holds those of whom most was predicted; where the ranking is worth something, observed uplift
    falls from decile to decile. Customers with equal predictions stay together, so that deciles may differ in size.
    Judge it on customers the model has not seen. Within a decile chance must have decided who was treated.

    Parameters
    ----------
    outcome : array-like, shape (n_customers,)
        What came of it; 0 and 1 get Newcombe's interval, other numbers Welch's.
    uplift : array-like, shape (n_customers,)
        Predicted effects.
    treatment : array-like, shape (n_customers,)
        Arms, as labels.
    control : object, default=None
        The arm to compare with; where None, the one called control, holdout, 0, False and the like.
    arm : object, default=None
        The treated arm, needed where there are several; customers of other arms are left out.
    n_bins : int, default=10
        Groups of about equal size.
    level : float, default=0.95
        Nominal coverage of each interval.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``decile`` from 1: n_treated, n_control, mean_treated, mean_control, predicted, uplift, low, high.
        Where a decile has nobody of one arm, its uplift is NaN; with fewer than two of one, ends of means are.

    Raises
    ------
    DataError
        If lengths differ, something is missing, Series name the same rows in different orders, or it is not said which
        of several arms is meant.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.effect.uplift import uplift_by_decile
    >>> random = np.random.default_rng(0)
    >>> taste, letter = random.uniform(size=20_000), random.integers(0, 2, 20_000)
    >>> bought = random.random(20_000) < 0.1 + 0.2 * letter * taste
    >>> table = uplift_by_decile(bought, taste, letter)
    >>> table[["uplift", "low", "high"]].round(2).iloc[[0, -1]].to_numpy().tolist()
    [[0.2, 0.17, 0.23], [0.0, -0.03, 0.03]]
    """
    check_level(level)
    if n_bins < 1:
        raise DataError(f"n_bins must be at least 1, got {n_bins!r}")
    n = len(pd.Series(uplift))
    if isinstance(uplift, pd.Series):
        check_order(uplift.index, outcome=outcome, treatment=treatment)
    labels, codes = read_arms(treatment, control, n)
    numbers, binary = read_outcome(outcome, n)
    predicted = column_numbers(pd.DataFrame({"uplift": pd.Series(uplift).reset_index(drop=True)}), "uplift")
    if np.isnan(predicted).any():
        raise DataError("uplift is missing for some customers: predict for all of them")
    if arm is None and len(labels) > 2:
        raise DataError(f"say which arm is meant (arm=…); there are {', '.join(map(str, labels[1:]))}")
    if arm is not None and arm not in labels[1:]:
        raise DataError(f"there is no treated arm {arm!r}; there are {', '.join(map(str, labels[1:]))}")
    wanted = 1 if arm is None else labels.index(arm)
    keep = (codes == 0) | (codes == wanted)
    treated, numbers, predicted = codes[keep] == wanted, numbers[keep], predicted[keep]
    place = (rankdata(-predicted) - 0.5) * n_bins / len(predicted)
    decile = np.minimum(place.astype(np.intp), n_bins - 1)
    rows = [_row(numbers[decile == at], treated[decile == at], binary, level) for at in range(n_bins)]
    table = pd.DataFrame(rows, index=pd.RangeIndex(1, n_bins + 1, name="decile"))
    counts = np.bincount(decile, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        table.insert(4, "predicted", np.bincount(decile, weights=predicted, minlength=n_bins) / counts)
    return table


def _row(outcome: Any, treated: Any, binary: bool, level: float) -> dict[str, float]:  # noqa: FBT001 -- a private row
    """Compare the arms within one decile."""
    one, other = outcome[treated], outcome[~treated]
    row: dict[str, float] = {"n_treated": len(one), "n_control": len(other)}
    means = [float(part.mean()) if len(part) else float("nan") for part in (one, other)]
    row |= {"mean_treated": means[0], "mean_control": means[1], "uplift": means[0] - means[1]}
    low = high = float("nan")
    if binary and len(one) and len(other):
        low, high = newcombe((one.sum(), other.sum()), (len(one), len(other)), level=level)
    elif min(len(one), len(other)) > 1:
        parts = [float(part.var(ddof=1)) / len(part) for part in (one, other)]
        total = sum(parts)
        freedom = total**2 / (parts[0] ** 2 / (len(one) - 1) + parts[1] ** 2 / (len(other) - 1)) if total > 0 else 1.0
        half = t_width(freedom, level) * total**0.5
        low, high = row["uplift"] - half, row["uplift"] + half
    return row | {"low": low, "high": high}
