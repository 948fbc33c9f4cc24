"""Chooses from which score on to act, by profit, cost or capacity, and says what that brings on rows not chosen on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils import check_random_state

from crmkit import metrics
from crmkit.core import html
from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["Threshold", "choose_threshold"]


@dataclass(frozen=True)
class Threshold:
    """From which score on to act.

    Parameters
    ----------
    value : float
        Act on rows whose score is at least this; infinite where acting never pays.
    profit : Estimate or None
        What acting so brings a row (of all rows, those not acted on counting 0), by thresholds chosen on other rows;
        None where neither values nor costs were given.
    acted : Estimate
        The share of rows acted on, by thresholds chosen on other rows.
    precision : Estimate or None
        The share of positive rows among those; None where nobody was acted on.
    recall : Estimate or None
        The share of the positive rows that are among those; None where no row is positive.
    curve : pandas.DataFrame
        Profit by number acted on, over all rows, as of ``metrics.profit``; costs are 0 and values 1 where none are
        given.
    capacity : float or None
        The largest share of rows that may be acted on.
    """

    value: float
    profit: Estimate | None
    acted: Estimate
    precision: Estimate | None
    recall: Estimate | None
    curve: pd.DataFrame
    capacity: float | None

    def decide(self, scores: Any, *, most: int | None = None) -> npt.NDArray[np.bool_]:
        """Say on which rows to act.

        Parameters
        ----------
        scores : array-like of float, shape (n_rows,)
            Of the same model.
        most : int or None, default=None
            How many rows there is room for now: the highest scores come first, of equal ones those that stand first.

        Returns
        -------
        ndarray of bool, shape (n_rows,)
            In the order of the scores.

        Raises
        ------
        DataError
            If a score is missing, or ``most`` is negative.
        """
        given = _numbers(scores, "scores")
        chosen = given >= self.value
        if most is None:
            return chosen
        if most < 0:
            raise DataError(f"most must not be negative, got {most}")
        first = np.argsort(-given, kind="stable")[:most]
        room = np.zeros(len(given), dtype=bool)
        room[first] = True
        return chosen & room

    @property
    def table(self) -> pd.DataFrame:
        """One row a figure: value, low, high, n, method."""
        named = {"profit": self.profit, "acted": self.acted, "precision": self.precision, "recall": self.recall}
        fields = ("value", "low", "high", "n", "method")
        rows = {name: [getattr(one, field) for field in fields] for name, one in named.items() if one is not None}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(fields)).rename_axis("figure")

    def __repr__(self) -> str:
        lines = [f"act on scores of at least {self.value:.6g}"]
        if self.profit is not None:
            lines.append(f"profit a row: {self.profit!r}")
        lines += [f"acted on: {self.acted!r}", f"precision: {self.precision!r}", f"recall: {self.recall!r}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        caption = f"act on scores of at least {self.value:.6g}"
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=caption)


def choose_threshold(
    actual: Any,
    scores: Any,
    *,
    value: Any = None,
    cost: Any = None,
    false_alarm: float | None = None,
    miss: float | None = None,
    capacity: float | None = None,
    positive: Any = None,
    groups: Any = None,
    n_folds: int = 5,
    n_steps: int = 100,
    random_state: Any = 0,
    level: float = 0.95,
) -> Threshold:
    """Choose from which score on to act.

    Hand in scores of rows that the model has not seen: a held-out part, or out-of-fold predictions. The threshold is
    the one with the highest profit on them, among ``n_steps`` cuts. Since the best of many cuts flatters itself, what
    it brings is told by cross-fitting: the rows are divided into folds, each acted on by the threshold that the other
    folds chose. Costs one sort a fold.

    Say what counts in one of these ways: ``value`` and ``cost`` (acting costs, and brings the value where the row is
    positive); ``false_alarm`` and ``miss`` (the costs of the two mistakes); or ``capacity`` alone (act on as many as
    there is room for). ``capacity`` may be joined with either: then the best cut within it is taken.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    scores : array-like of float, shape (n_rows,)
        Of the positive label, larger is likelier. Where each row has a value and a cost of its own, rank by expected
        profit instead: hand in ``probability * value - cost`` as scores.
    value, cost : float or array-like of float, shape (n_rows,), default=None
        In money.
    false_alarm, miss : float, default=None
        Cost of acting on a row that is not positive, and of not acting on one that is. Profit is then what is saved
        against never acting.
    capacity : float or None, default=None
        The largest share of rows to act on, above 0 and at most 1.
    positive : object, default=None
        The label that acting is meant for; where None, the second of two.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is, where a customer has several: they stay in one fold.
    n_folds : int, default=5
        Of the cross-fitting.
    n_steps : int, default=100
        At how many cuts profit is compared; with ``capacity`` alone, every cut counts.
    random_state : int, RandomState or None, default=0
        Of the folds.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Threshold
        ``.value``, ``.profit``, ``.acted``, ``.precision``, ``.recall``, ``.decide(scores)``.

    Raises
    ------
    DataError
        If it is not said what counts, or said twice; if a column does not fit; or if there are fewer rows than folds.

    Notes
    -----
    Profit takes for granted that acting is what brings the value. Customers who would have come anyway bring nothing
    by being called: where that is in doubt, rank by an uplift model. If the scores are calibrated probabilities and
    value and cost are the same for all, the best threshold is cost / value; the one chosen here lies near it where
    there are many rows, and is right also where they are not calibrated.

    References
    ----------
    Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI, 973-978.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import choose_threshold
    >>> random = np.random.default_rng(0)
    >>> chance = random.random(4_000)
    >>> bought = (random.random(4_000) < chance).astype(int)
    >>> found = choose_threshold(bought, chance, value=10, cost=4)
    >>> bool(abs(found.value - 0.4) < 0.05), found.decide([0.2, 0.9]).tolist()
    (True, [False, True])
    """
    check_level(level)
    given = _numbers(scores, "scores")
    worth, price, priced = _amounts(value, cost, false_alarm, miss, capacity, given)
    curve = metrics.profit(
        actual, given, value=worth, cost=price, n_bins=n_steps if priced else len(given), positive=positive, level=level
    )
    is_positive = np.asarray(actual) == _positive(actual, positive)
    acted = np.zeros(len(given), dtype=bool)
    for train, test in _folds(given, groups, n_folds, random_state):
        part = metrics.profit(
            is_positive[train],
            given[train],
            value=worth[train],
            cost=price[train],
            n_bins=n_steps if priced else len(train),
            positive=True if is_positive[train].any() else None,
        )
        acted[test] = given[test] >= _best(part, capacity, priced=priced)
    paid = np.where(acted, worth * is_positive - price, 0.0)
    told = "wilson, cross-fitted"
    hits, there = int((acted & is_positive).sum()), int(is_positive.sum())
    return Threshold(
        _best(curve, capacity, priced=priced),
        metrics.mean(paid, level=level, method="t, cross-fitted") if priced else None,
        metrics.share(int(acted.sum()), len(given), level=level, method=told),
        metrics.share(hits, int(acted.sum()), level=level, method=told) if acted.any() else None,
        metrics.share(hits, there, level=level, method=told) if there else None,
        curve,
        capacity,
    )


def _amounts(
    value: Any, cost: Any, false_alarm: Any, miss: Any, capacity: Any, scores: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], bool]:
    """Give value and cost a row, and whether money was named."""
    by_profit, by_mistake = value is not None or cost is not None, false_alarm is not None or miss is not None
    if by_profit and by_mistake:
        raise DataError("say value= and cost=, or false_alarm= and miss=, not both")
    if not by_profit and not by_mistake and capacity is None:
        raise DataError("say what counts: value= and cost=, false_alarm= and miss=, or capacity=")
    if capacity is not None and not 0 < capacity <= 1:
        raise DataError(f"capacity is the largest share of rows to act on, above 0 and at most 1; got {capacity!r}")
    pair = (value, cost) if by_profit else (miss, false_alarm)
    names = ("value", "cost") if by_profit else ("miss", "false_alarm")
    if by_profit or by_mistake:
        for name, one in zip(names, pair, strict=True):
            if one is None:
                raise DataError(f"{names[0]}= and {names[1]}= belong together: {name}= is not given")
    else:
        pair = (1.0, 0.0)
    first, second = (_column(one, name, len(scores)) for name, one in zip(names, pair, strict=True))
    # A miss costs what acting would have saved; a false alarm is only paid for rows that are not positive.
    return (first + second if by_mistake else first), second, by_profit or by_mistake


def _best(curve: pd.DataFrame, capacity: float | None, *, priced: bool) -> float:
    """Give the threshold of the best cut, or of the largest that there is room for."""
    allowed = curve if capacity is None else curve[curve["reached"] <= capacity + 1e-12]
    row = allowed["profit"].to_numpy().argmax() if priced else len(allowed) - 1
    return float(allowed["threshold"].iloc[row])


def _folds(scores: npt.NDArray[np.float64], groups: Any, n_folds: int, random_state: Any) -> Any:
    """Divide rows into folds, a customer's together."""
    if n_folds < 2:
        raise DataError(f"n_folds must be at least 2, got {n_folds}")
    if len(scores) < n_folds:
        raise DataError(f"{len(scores)} rows cannot be divided into {n_folds} folds")
    if groups is not None:
        return GroupKFold(n_folds).split(scores, groups=np.asarray(groups))
    return KFold(n_folds, shuffle=True, random_state=check_random_state(random_state)).split(scores)


def _positive(actual: Any, positive: Any) -> Any:
    """Give the positive label as ``metrics`` understands it."""
    if positive is not None:
        return positive
    labels = pd.unique(pd.Series(np.asarray(actual)))
    return max(labels.tolist()) if len(labels) == 2 else 1


def _column(values: Any, what: str, n_rows: int) -> npt.NDArray[np.float64]:
    """Give a number a row, from one number or a column."""
    numbers = _numbers(values, what)
    if numbers.ndim and len(numbers) != n_rows:
        raise DataError(f"{what} has {len(numbers):,} rows, scores has {n_rows:,}")
    return np.broadcast_to(numbers, (n_rows,))


def _numbers(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Give finite numbers."""
    array = np.asarray(values, dtype=np.float64)
    wrong = ~np.isfinite(array)
    if wrong.any():
        where = "" if array.ndim == 0 else f" in {positions(wrong)}"
        raise DataError(f"{what} is missing or not finite{where}")
    return array
