"""Puts forecasts, history and evaluation into the tables people read."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataWarning
from crmkit.value.forecasting._evaluation import SUM, coverage_name, evaluation_of, no_better_than_naive
from crmkit.value.forecasting._result import Forecast
from crmkit.value.forecasting._rolling_origin import SMOOTHED_FROM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.value.forecasting._projection import Projection
    from crmkit.value.forecasting._settings import Settings

__all__ = ["forecast_of", "told_of"]


_FAR_SHORT = 0.25
"""How far below its level the coverage of past intervals is told of: chance alone seldom takes so much off."""


def told_of(found: Projection, settings: Settings) -> list[str]:
    """Warn of what the caller should know of the series.

    Parameters
    ----------
    found : Projection
        Forecasts and errors.
    settings : Settings
        What was asked for.

    Returns
    -------
    list of str
        What was warned of.
    """
    parts = [found] if found.total is None else [found, found.total]
    season, tried, level, blind = (
        np.concatenate(each)
        for each in zip(
            *(
                (
                    part.rolling.season < settings.season,
                    part.rolling.tried.sum(axis=0) < len(settings.methods),
                    no_better_than_naive(part),
                    ~np.isfinite(part.low).all(axis=(0, 2)),
                )
                for part in parts
            ),
            strict=True,
        )
    )
    told = {
        f"shorter than two seasons of {settings.season} periods: forecast without a season": season,
        f"shorter than {SMOOTHED_FROM} periods: forecast by the seasonal naive alone": tried,
        "only one period long: no error can be measured, so there is no interval": blind,
        "forecast by the seasonal naive, because no other method erred less": level,
    }
    notes = [f"{int(of.sum()):,} of {len(of):,} series {what}" for what, of in told.items() if of.any()]
    if notes:
        warnings.warn("; ".join(notes), DataWarning, stacklevel=3)
    return notes


def _too_narrow(evaluation: pd.DataFrame, levels: Sequence[float]) -> list[str]:
    """Say where the widest interval, learned on earlier origins, held far less of the later ones than it promises."""
    level = max(levels)
    held = evaluation.loc[evaluation["chosen"].astype(bool), coverage_name(level)]
    short = held < level - _FAR_SHORT
    if not short.any():
        return []
    note = (
        f"{int(short.sum()):,} of {len(held):,} series left the {100 * level:g} % interval learned on their earlier "
        f"origins far more often than it says (at worst it held {held.min():.0%}): what changed once may change again, "
        "and the intervals may be too narrow"
    )
    return [note]


def forecast_of(
    found: Projection,
    groups: pd.DataFrame,
    index: pd.Index,
    settings: Settings,
    customers: pd.DataFrame | None,
    notes: Sequence[str],
    said: tuple[str, str],
) -> Forecast:
    """Put the tables of a forecast together.

    Parameters
    ----------
    found : Projection
        Forecasts and errors.
    groups : pandas.DataFrame, shape (n_series, n_columns)
        What each series is of; no columns for a total alone.
    index : pandas.Index, shape (n_periods + horizon,)
        The periods.
    settings : Settings
        What was asked for.
    customers : pandas.DataFrame or None
        What customer models expect.
    notes : sequence of str
        What is to be known.
    said : tuple of str
        The measure and the period.

    Returns
    -------
    Forecast
        The result.
    """
    scope = "group" if groups.shape[1] else "total"
    parts = [(found, groups, scope)]
    if found.total is not None:
        parts.append((found.total, pd.DataFrame(index=pd.RangeIndex(1)), "total"))
    n_periods = found.values.shape[1]
    table = _stacked([_ahead(part, own, index[n_periods:], settings, name) for part, own, name in parts])
    history = _stacked([_past(part, own, index[:n_periods], name) for part, own, name in parts])
    evaluation = _stacked([evaluation_of(part, own, settings.levels, scope=name) for part, own, name in parts])
    order = [*groups.columns]
    return Forecast(
        table[["scope", *order, *[name for name in table.columns if name not in {"scope", *order}]]],
        evaluation[["scope", *order, *[name for name in evaluation.columns if name not in {"scope", *order}]]],
        history[["scope", *order, "period", "value"]],
        customers,
        (*notes, *_too_narrow(evaluation, settings.levels)),
        *said,
        settings.levels,
    )


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the total's rows under the groups'."""
    if len(frames) == 1:
        return frames[0]
    groups, whole = frames
    for column in groups.columns.difference(whole.columns):
        kind = groups[column].dtype
        if pd.api.types.is_integer_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            # Plain numpy integers have no missing value, and 1 would become 1.0.
            groups[column] = groups[column].convert_dtypes()
        # A missing value of the groups' own type, so that stacking changes no type.
        whole[column] = (
            groups[column].iloc[[0] * len(whole)].reset_index(drop=True).where(pd.Series(False, whole.index))
        )
    return pd.concat([groups, whole[groups.columns]], ignore_index=True)


def _ahead(part: Projection, groups: pd.DataFrame, index: pd.Index, settings: Settings, scope: str) -> pd.DataFrame:
    """Give the rows of the forecast."""
    n_series, horizon = part.forecast.shape
    of = np.repeat(np.arange(n_series), horizon)
    columns: dict[str, Any] = {"scope": np.full(len(of), scope)}
    columns.update({name: groups[name].iloc[of].reset_index(drop=True) for name in groups.columns})
    columns["period"] = index[np.tile(np.arange(horizon), n_series)]
    names = np.array(part.rolling.names, dtype=object)[part.rolling.chosen]
    columns["method"] = np.full(len(of), SUM) if part.summed_errors is not None else names[of]
    columns["forecast"] = (part.forecast * part.scale).reshape(-1)
    for place, level in enumerate(settings.levels):
        columns[f"low_{100 * level:g}"] = (part.low[place] * part.scale).reshape(-1)
        columns[f"high_{100 * level:g}"] = (part.high[place] * part.scale).reshape(-1)
    return pd.DataFrame(columns)


def _past(part: Projection, groups: pd.DataFrame, index: pd.Index, scope: str) -> pd.DataFrame:
    """Give the rows of the history, each series from its beginning."""
    n_series, n_periods = part.values.shape
    row, column = np.nonzero(np.arange(n_periods) >= part.first[:n_series, None])
    columns: dict[str, Any] = {"scope": np.full(len(row), scope)}
    columns.update({name: groups[name].iloc[row].reset_index(drop=True) for name in groups.columns})
    columns["period"] = index[column]
    columns["value"] = part.values[row, column] * part.scale
    return pd.DataFrame(columns)
