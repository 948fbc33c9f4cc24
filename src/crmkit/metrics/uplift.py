"""How well predicted uplift ranks customers: Qini and the area under the uplift curve, by either definition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import check_level, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["auuc", "qini"]

Definition = Literal["scikit-uplift", "causalml"]


def qini(
    outcome: Any,
    uplift: Any,
    treatment: Any,
    *,
    definition: Definition = "scikit-uplift",
    control: Any = None,
    normalize: bool = True,
    level: float = 0.95,
    n_resamples: int = 200,
    random_state: Any = 0,
) -> Estimate:
    """Measure a ranking by the area between its Qini curve and the straight line of a random one.

    The curve is the number of additional outcomes among the treated of the first k customers: theirs less the
    control's, scaled to as many treated. 0 is what a random ranking has. The two common libraries differ so much that
    figures of one must never be held against those of the other:

    - ``"scikit-uplift"`` (``qini_auc_score``) divides the area by that of a perfect ranking of the same outcomes, which
      puts all treated buyers first and all untreated ones last; customers with equal predictions come together.
      Binary outcomes only.
    - ``"causalml"`` (``qini_score``) divides the curve by its last height, the gain of treating everybody, and takes
      the mean over customers less that of the line. Any outcome; wild where treating everybody gains about nothing,
      so that ``normalize=False`` is safer; equal predictions are ordered as pandas' quicksort leaves them, which is
      arbitrary.

    Judge models on customers they have not seen. Costs a sort, and ``n_resamples`` passes over half of the rows.

    Parameters
    ----------
    outcome : array-like, shape (n_customers,)
        What came of it.
    uplift : array-like, shape (n_customers,)
        Predicted effects, or any score that ranks.
    treatment : array-like, shape (n_customers,)
        0 and 1 or truth values; two labels where ``control`` is given.
    definition : {"scikit-uplift", "causalml"}, default="scikit-uplift"
        Whose definition.
    control : object, default=None
        The label of the control.
    normalize : bool, default=True
        False gives the area undivided: scikit-uplift's in customers times outcomes, causalml's in outcomes.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=200
        Half-samples of each arm from whose spread the normal interval comes; 0 gives none.
    random_state : int, RandomState or None, default=0
        Draws them.

    Returns
    -------
    Estimate
        Greater is better. The interval is of this ranking on other customers, not of the way of learning it.

    Raises
    ------
    DataError
        If lengths differ, something is missing, there are not two arms, the outcome is not binary where it must be, or
        the figure is not defined (nobody responded).

    References
    ----------
    Radcliffe, N. J. (2007). Using control groups to target on predicted lift. Direct Marketing Analytics Journal 1,
    14-21.
    Devriendt, F., Van Belle, J., Guns, T., & Verbeke, W. (2020). Learning to rank for uplift modeling. IEEE
    Transactions on Knowledge and Data Engineering 34, 4888-4904. doi:10.1109/TKDE.2020.3048510

    Examples
    --------
    >>> from crmkit.metrics import qini
    >>> outcome, treatment = [1, 0, 1, 0, 1, 0, 0, 0], [1, 0, 1, 0, 0, 1, 0, 1]
    >>> round(qini(outcome, [8, 7, 6, 5, 1, 2, 3, 4], treatment).value, 4)
    0.8947
    >>> round(qini(outcome, [8, 7, 6, 5, 1, 2, 3, 4], treatment, definition="causalml").value, 4)
    0.8889
    """
    ranking = _Ranking.read(outcome, uplift, treatment, control, definition)
    return _estimate(
        ranking,
        partial(_qini, normalize=normalize),
        _growth(ranking, normalize=normalize),
        level,
        n_resamples,
        random_state,
    )


def auuc(
    outcome: Any,
    uplift: Any,
    treatment: Any,
    *,
    definition: Definition = "scikit-uplift",
    control: Any = None,
    normalize: bool = True,
    level: float = 0.95,
    n_resamples: int = 200,
    random_state: Any = 0,
) -> Estimate:
    """Measure a ranking by the area under its uplift curve.

    The curve is the difference of the mean outcomes of treated and untreated among the first k customers, times k.

    - ``"scikit-uplift"`` (``uplift_auc_score``) takes off the area of a random ranking and divides by that of the
      perfect one: 0 is random. Binary outcomes only.
    - ``"causalml"`` (``auuc_score``) divides the curve by its last height and takes the mean: about one half is random.

    What holds for ``qini`` (ties, small totals, cost) holds here.

    Parameters
    ----------
    outcome, uplift, treatment, definition, control, normalize, level, n_resamples, random_state
        As for ``qini``.

    Returns
    -------
    Estimate
        Greater is better.

    Raises
    ------
    DataError
        As ``qini``.

    References
    ----------
    Gutierrez, P., & Gérardy, J.-Y. (2017). Causal inference and uplift modelling: a review of the literature. PMLR 67,
    1-13.

    Examples
    --------
    >>> from crmkit.metrics import auuc
    >>> outcome, treatment = [1, 0, 1, 0, 1, 0, 0, 0], [1, 0, 1, 0, 0, 1, 0, 1]
    >>> round(auuc(outcome, [8, 7, 6, 5, 1, 2, 3, 4], treatment).value, 4)
    0.8783
    """
    ranking = _Ranking.read(outcome, uplift, treatment, control, definition)
    return _estimate(
        ranking,
        partial(_auuc, normalize=normalize),
        _growth(ranking, normalize=normalize),
        level,
        n_resamples,
        random_state,
    )


@dataclass(frozen=True)
class _Ranking:
    """Outcomes and arms in the order of the ranking, and whether a customer is the last of equal ones."""

    outcome: npt.NDArray[np.float64]
    treated: npt.NDArray[np.bool_]
    uplift: npt.NDArray[np.float64]
    definition: str

    @classmethod
    def read(cls, outcome: Any, uplift: Any, treatment: Any, control: Any, definition: str) -> _Ranking:
        """Check the columns and bring them into order."""
        if definition not in {"scikit-uplift", "causalml"}:
            raise DataError(f"definition must be 'scikit-uplift' or 'causalml', got {definition!r}")
        numbers, scores = _numbers(outcome, "outcome"), _numbers(uplift, "uplift")
        treated = _treated(treatment, control)
        if not len(numbers) == len(scores) == len(treated):
            raise DataError(
                "outcome, uplift and treatment must be of one length, got "
                f"{len(numbers):,}, {len(scores):,} and {len(treated):,}"
            )
        if definition == "scikit-uplift":
            if not np.isin(numbers, (0.0, 1.0)).all():
                raise DataError("scikit-uplift defines this of outcomes 0 and 1 only: take definition='causalml'")
            order = np.argsort(scores, kind="stable")[::-1]
        else:
            # Equal predictions have no order of their own: the same sort leaves them as the library does.
            order = pd.Series(scores).sort_values(ascending=False).index.to_numpy()
        return cls(numbers[order], treated[order], scores[order], definition)

    def take(self, rows: npt.NDArray[np.intp]) -> _Ranking:
        """Give some of the customers, still in order."""
        return _Ranking(self.outcome[rows], self.treated[rows], self.uplift[rows], self.definition)


def _numbers(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Bring a column to finite numbers."""
    try:
        numbers = pd.Series(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"{what} must hold numbers") from None
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise DataError(f"{what} is missing or infinite in {positions(wrong)}")
    return np.asarray(numbers, dtype=np.float64)


def _treated(treatment: Any, control: Any) -> npt.NDArray[np.bool_]:
    """Say who was treated."""
    values = pd.Series(treatment)
    absent = values.isna().to_numpy(dtype=bool)
    if absent.any():
        raise DataError(f"treatment is missing in {positions(absent)}")
    if control is None and not values.isin([0, 1]).all():
        raise DataError("treatment must be 0 and 1: say control=… where arms are labels")
    treated = (values != (0 if control is None else control)).to_numpy(dtype=bool)
    if treated.all() or not treated.any():
        raise DataError("THERE IS NO CONTROL GROUP, or nobody was treated: uplift cannot be measured without both")
    if (values[treated] != values[treated].iloc[0]).any():
        raise DataError("treatment has several treated arms: keep one of them and the control")
    return np.asarray(treated, dtype=np.bool_)


def _curves(
    outcome: npt.NDArray[np.float64], treated: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Count treated, untreated, and the outcomes of both among the first customers."""
    n_treated = np.cumsum(treated, dtype=np.float64)
    n_control = np.arange(1, len(treated) + 1) - n_treated
    of_treated = np.cumsum(np.where(treated, outcome, 0.0))
    return n_treated, n_control, of_treated, np.cumsum(np.where(treated, 0.0, outcome))


def _divided(top: npt.NDArray[np.float64], base: npt.NDArray[np.float64], empty: float) -> npt.NDArray[np.float64]:
    """Divide where there is somebody to divide by."""
    return np.asarray(np.divide(top, base, out=np.full(len(top), empty), where=base > 0), dtype=np.float64)


def _height(ranking: _Ranking, empty: float, *, per_treated: bool) -> npt.NDArray[np.float64]:
    """Give the Qini curve (per treated) or the uplift curve after each customer."""
    n_treated, n_control, of_treated, of_control = _curves(ranking.outcome, ranking.treated)
    if per_treated:
        return of_treated - _divided(of_control * n_treated, n_control, empty)
    difference = _divided(of_treated, n_treated, empty) - _divided(of_control, n_control, empty)
    return np.asarray(difference * (n_treated + n_control), dtype=np.float64)


def _area_of_steps(ranking: _Ranking, *, per_treated: bool) -> float:
    """Give the area under a curve through the last of each group of equal customers, less that under the diagonal."""
    height = _height(ranking, 0.0, per_treated=per_treated)
    last = np.append(np.flatnonzero(np.diff(ranking.uplift)), len(height) - 1)
    x, y = np.append(0.0, last + 1.0), np.append(0.0, height[last])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2 - x[-1] * y[-1] / 2)


def _best(ranking: _Ranking, *, per_treated: bool) -> _Ranking:
    """Order the same customers as scikit-uplift's perfect ranking does."""
    y, t = ranking.outcome, ranking.treated.astype(np.float64)
    if per_treated:
        perfect = y * t - y * (1 - t)
    else:
        more = np.sum((y == 1) & (t == 0)) > np.sum((y == 0) & (t == 1))
        perfect = 2.0 * (y == t) + (y if more else t)
    order = np.argsort(-perfect.astype(np.int8), kind="stable")
    return _Ranking(y[order], ranking.treated[order], perfect[order], ranking.definition)


def _mean_of_curve(ranking: _Ranking, *, per_treated: bool, normalize: bool) -> tuple[float, float]:
    """Give the mean of causalml's curve over customers, from 0 on, and its last height."""
    height = np.append(0.0, _height(ranking, np.nan, per_treated=per_treated))
    if per_treated:
        gone = np.isnan(height)
        height[gone] = np.interp(np.flatnonzero(gone), np.flatnonzero(~gone), height[~gone])
    else:
        # The library fills gaps in the difference of means before it multiplies.
        steps = np.arange(len(height), dtype=np.float64)
        lift = np.append(0.0, height[1:] / steps[1:])
        gone = np.isnan(lift)
        lift[gone] = np.interp(np.flatnonzero(gone), np.flatnonzero(~gone), lift[~gone])
        height = lift * steps
    if normalize:
        if height[-1] == 0:
            return float("nan"), float("nan")
        height = height / abs(height[-1])
    return float(height.mean()), float(height[-1])


def _relative(ranking: _Ranking, *, per_treated: bool, normalize: bool) -> float:
    """Give scikit-uplift's share of the perfect area, or the area."""
    area = _area_of_steps(ranking, per_treated=per_treated)
    if not normalize:
        return area
    whole = _area_of_steps(_best(ranking, per_treated=per_treated), per_treated=per_treated)
    return area / whole if whole != 0 else float("nan")


def _qini(ranking: _Ranking, *, normalize: bool) -> float:
    """Give the Qini figure, NaN where it is not defined."""
    if ranking.definition == "scikit-uplift":
        return _relative(ranking, per_treated=True, normalize=normalize)
    middle, last = _mean_of_curve(ranking, per_treated=True, normalize=normalize)
    return middle - last / 2


def _auuc(ranking: _Ranking, *, normalize: bool) -> float:
    """Give the area under the uplift curve, NaN where it is not defined."""
    if ranking.definition == "scikit-uplift":
        return _relative(ranking, per_treated=False, normalize=normalize)
    return _mean_of_curve(ranking, per_treated=False, normalize=normalize)[0]


def _growth(ranking: _Ranking, *, normalize: bool) -> float:
    """Give how many times larger the figure of twice as many customers is."""
    if normalize:
        return 1.0
    return 4.0 if ranking.definition == "scikit-uplift" else 2.0


def _estimate(
    ranking: _Ranking,
    figure: Callable[[_Ranking], float],
    growth: float,
    level: float,
    n_resamples: int,
    random_state: Any,
) -> Estimate:
    """Give a figure with the normal interval whose width is the spread over halves of both arms."""
    check_level(level)
    value = figure(ranking)
    if not np.isfinite(value):
        raise DataError("the figure is not defined: a perfect ranking, or treating everybody, gains nothing here")
    width, method = float("nan"), ""
    rng = check_random_state(random_state)
    arms = [np.flatnonzero(ranking.treated), np.flatnonzero(~ranking.treated)]
    if n_resamples > 0 and min(map(len, arms)) > 1:
        found = np.empty(n_resamples)
        for draw in range(n_resamples):
            rows = np.concatenate([rng.permutation(arm)[: (len(arm) + rng.randint(2)) // 2] for arm in arms])
            rows.sort()
            found[draw] = growth * figure(ranking.take(rows))
        known = found[np.isfinite(found)]
        undefined = n_resamples - len(known)
        method = "half-samples" + (f"; undefined in {undefined} of {n_resamples}" if undefined else "")
        if len(known) >= 0.9 * n_resamples:
            width = normal_quantile(level) * float(np.sqrt(np.mean((known - value) ** 2)))
    return Estimate(value, n=len(ranking.outcome), low=value - width, high=value + width, level=level, method=method)
