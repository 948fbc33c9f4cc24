"""The table of how far every method was off, from the same origins, with the reason for the one that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.value.forecasting._intervals import offsets
from crmkit.value.forecasting._rolling_origin import NAIVE, SMOOTHED_FROM

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.value.forecasting._projection import Projection

    Floats = npt.NDArray[np.float64]

__all__ = ["SUM", "coverage_name", "evaluation_of", "no_better_than_naive"]

SUM = "sum of groups"

_FEWEST_TO_LEARN = 5


def coverage_name(level: float) -> str:
    """Name the column of a level's coverage, such as ``"coverage_80"``."""
    return f"coverage_{100 * level:g}"


def evaluation_of(found: Projection, groups: pd.DataFrame, levels: Sequence[float], *, scope: str) -> pd.DataFrame:
    """Tabulate the errors of every method for every series.

    Parameters
    ----------
    found : Projection
        Forecasts and errors.
    groups : pandas.DataFrame, shape (n_series, n_columns)
        What each series is of.
    levels : sequence of float
        Nominal coverages to check.
    scope : {"group", "total"}
        What the rows are.

    Returns
    -------
    pandas.DataFrame
        A row for each series and method; for a total of groups also one for their sum.
    """
    rolling = found.rolling
    n_series = len(found.values)
    names, parts = list(rolling.names), [*rolling.errors]
    growth = [*rolling.growth]
    if found.summed_errors is not None:
        names, parts = [*names, SUM], [*parts, found.summed_errors]
        growth.append(rolling.of_chosen(rolling.growth))
    measured = [_measure(found, errors, grown, levels) for errors, grown in zip(parts, growth, strict=True)]
    columns: dict[str, Any] = {"scope": np.full(n_series * len(names), scope)}
    order = np.repeat(np.arange(n_series), len(names))
    for column in groups.columns:
        columns[str(column)] = groups[column].iloc[order].reset_index(drop=True)
    columns["method"] = np.tile(names, n_series)
    columns["season"] = rolling.season[order]
    for figure in measured[0]:
        columns[figure] = np.array([one[figure] for one in measured]).T.reshape(-1)
    chosen = np.zeros((n_series, len(names)), dtype=bool)
    chosen[np.arange(n_series), rolling.chosen if found.summed_errors is None else len(names) - 1] = True
    columns["chosen"] = chosen.reshape(-1)
    columns["reason"] = _reasons(found, names, np.array([one["rmse"] for one in measured]))
    table = pd.DataFrame(columns)
    return table.astype({"n_origins": "int64", "n_forecasts": "int64", "season": "int64"})


def _measure(found: Projection, errors: Floats, growth: Floats, levels: Sequence[float]) -> dict[str, Floats]:
    """Measure one method on all series."""
    known = np.isfinite(errors)
    n_forecasts = known.sum(axis=(1, 2))
    horizon = errors.shape[2]
    target = found.rolling.origins[:, None] + np.arange(horizon)
    actual = found.values[:, np.clip(target, 0, found.values.shape[1] - 1)]
    size = np.abs(errors)
    scale = _naive_scale(found)[:, :, None]
    scaled = np.divide(size, scale, out=np.full(size.shape, np.nan), where=scale > 0)
    sold = np.where(known, actual, 0.0).sum(axis=(1, 2))
    figures = {
        "n_origins": known.any(axis=2).sum(axis=1).astype(np.float64),
        "n_forecasts": n_forecasts.astype(np.float64),
        "mae": _mean(size) * found.scale,
        "rmse": np.sqrt(_mean(errors**2)) * found.scale,
        "mase": _mean(scaled),
        "bias": np.divide(-np.nansum(errors, axis=(1, 2)), sold, out=np.full(len(sold), np.nan), where=sold > 0),
    }
    figures["bias"] = np.where(n_forecasts > 0, figures["bias"], np.nan)
    figures.update(_coverages(found, errors, growth, levels))
    return figures


def _mean(values: Floats) -> Floats:
    """Give each series' mean over origins and horizons; missing where there is nothing."""
    count = np.isfinite(values).sum(axis=(1, 2))
    total = np.nansum(values, axis=(1, 2))
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def _naive_scale(found: Projection) -> Floats:
    """Give the mean absolute step from one season to the next, within what was known at each origin."""
    values, season = found.values, found.rolling.season
    n_periods = values.shape[1]
    every = np.arange(n_periods)
    before = every - season[:, None]
    step = np.abs(values - np.take_along_axis(values, np.maximum(before, 0), axis=1))
    counted = before >= found.first[:, None]
    total = np.cumsum(np.where(counted, step, 0.0), axis=1)
    count = np.cumsum(counted, axis=1)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    last = found.rolling.origins - 1
    return np.where(last >= 0, mean[:, np.maximum(last, 0)], 0.0)


def _coverages(found: Projection, errors: Floats, growth: Floats, levels: Sequence[float]) -> dict[str, Floats]:
    """Check intervals learned in the first half of the origins on the second half."""
    origins = found.rolling.origins
    begun = np.isfinite(errors[:, :, 0])
    half = np.cumsum(begun, axis=1) > begun.sum(axis=1, keepdims=True) / 2
    middle = np.where(half.any(axis=1), origins[np.argmax(half, axis=1)] if len(origins) else 0, 0)
    ends = origins[None, :, None] + np.arange(1, errors.shape[2] + 1)
    learned = np.where(ends <= middle[:, None, None], errors, np.nan)
    judged = np.where(half[:, :, None], errors, np.nan)
    enough = np.isfinite(learned[:, :, 0]).sum(axis=1) >= _FEWEST_TO_LEARN
    low, high = offsets(learned, growth, found.rolling.wander, levels)
    known = np.isfinite(judged)
    count = known.sum(axis=(1, 2))
    rates = {}
    for level, below, above in zip(levels, low, high, strict=True):
        hit = known & (judged >= below[:, None, :]) & (judged <= above[:, None, :])
        rate = np.divide(hit.sum(axis=(1, 2)), count, out=np.full(len(count), np.nan), where=enough & (count > 0))
        rates[coverage_name(level)] = rate
    return rates


def no_better_than_naive(found: Projection) -> npt.NDArray[np.bool_]:
    """Say for which series other methods were tried and none erred less than the seasonal naive.

    Parameters
    ----------
    found : Projection
        Forecasts and errors.

    Returns
    -------
    ndarray of bool, shape (n_series,)
        False where the seasonal naive made no error at all.
    """
    rolling = found.rolling
    naive = rolling.mean_squared[rolling.names.index(NAIVE)]
    chosen = rolling.chosen == rolling.names.index(NAIVE)
    return np.asarray(chosen & (rolling.tried.sum(axis=0) > 1) & (naive > 0))


def _reasons(found: Projection, names: Sequence[str], rmse: Floats) -> list[str]:
    """Say for every series and method why it was chosen or not."""
    rolling = found.rolling
    length = found.values.shape[1] - found.first
    reasons = []
    for row in range(len(found.values)):
        best = rmse[rolling.chosen[row], row]
        for place, name in enumerate(names):
            if name == SUM:
                own = f"{found.weight:.0%} the total's own forecast" if found.weight > 0 else "as the groups say"
                reasons.append(f"adds up: {own}")
            elif not rolling.tried[place, row]:
                reasons.append(f"not tried: needs {SMOOTHED_FROM} periods, has {length[row]}")
            elif place == rolling.chosen[row]:
                reasons.append(_why_best(rolling.tried[:, row].sum(), best))
            else:
                above = rmse[place, row] / best - 1 if best > 0 else np.inf
                reasons.append(
                    f"RMSE {above:.1%} above the least" if np.isfinite(above) else "errs where another does not"
                )
    return reasons


def _why_best(n_tried: int, rmse: float) -> str:
    """Say why the best method is the best."""
    if not np.isfinite(rmse):
        return "the only one that can be used: too few periods to measure an error"
    return f"least RMSE of {n_tried}" if n_tried > 1 else "the only one tried"
