"""A fitted segmenter and its customers put together to a model: ordered, named, profiled, explained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.metrics.population import bin_counts, quantile_edges
from crmkit.segmentation._columns import indicators
from crmkit.segmentation._ids import to_ids
from crmkit.segmentation._model import SegmentationModel
from crmkit.segmentation.explaining._figures import column_statistics, everybody, is_binary, revenue_shares
from crmkit.segmentation.explaining._surrogate import surrogate_rules
from crmkit.segmentation.explaining._traits import LANGUAGES, Words, describe_segments, suggest_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from crmkit.segmentation.choosing._choice import Choice

__all__ = ["Parts", "assemble"]


@dataclass(frozen=True)
class Parts:
    """What fitting left behind.

    Parameters
    ----------
    values : pandas.DataFrame
        The columns in original units, one row a customer, some values missing; 0 and 1 for categories.
    money : ndarray of shape (n_customers,) or None
        Revenue of each customer.
    raw : ndarray of shape (n_customers,)
        The segmenter's own labels.
    fitted : estimator
        The segmenter.
    transform : transformer or None
        The fitted transform.
    parameter : str or None
        The segmenter's parameter for the number of segments.
    features : tuple of str
        The columns as the table has them.
    categories : mapping of str to list
        The frozen categories of those that have some.
    filled : tuple of str, default=()
        Those that may hold missing values.
    kept : bool, default=False
        Whether these stay missing for the segmenter.
    """

    values: pd.DataFrame
    money: npt.NDArray[np.float64] | None
    raw: npt.NDArray[np.int64]
    fitted: Any
    transform: Any | None
    parameter: str | None
    features: tuple[str, ...]
    categories: Mapping[str, list[Any]]
    filled: tuple[str, ...] = ()
    kept: bool = False

    @property
    def given_names(self) -> list[str] | None:
        """Names that the segmenter itself has for its labels."""
        given = getattr(self.fitted, "segment_names_", None)
        if given is None:
            return None
        names = [str(name) for name in given]
        if len(set(names)) < len(names):
            raise DataError(f"{type(self.fitted).__name__} gives two segments the same name")
        return names


def assemble(
    parts: Parts, choice: Choice, *, texts: dict[str, str], seed: int, revenue: str | None = None
) -> SegmentationModel:
    """Order, name, profile and explain the segments.

    Parameters
    ----------
    parts : Parts
        What fitting left behind.
    choice : Choice
        How the number was chosen.
    texts : dict of str
        Names of segmenter and transform, and the language.
    seed : int
        Draws the sample and folds of the rules.
    revenue : str or None, default=None
        Name of the revenue column, for the next fit.

    Returns
    -------
    SegmentationModel
        Complete: nothing is worked out again when it is asked.
    """
    values, columns = parts.values, [str(column) for column in parts.values.columns]
    raw_labels = _ordered(parts)
    ids = to_ids(parts.raw, raw_labels)
    shown = np.maximum(ids, -1)
    row_ids, customers = np.unique(shown, return_counts=True)
    noise_last = np.argsort(np.where(row_ids < 0, len(raw_labels), row_ids))
    row_ids, customers = row_ids[noise_last], customers[noise_last]
    statistics = {name: part[noise_last] for name, part in column_statistics(values, shown).items()}
    words, overall = LANGUAGES[texts["language"]], everybody(values)
    told = indicators(parts.categories)
    rules, fidelity = surrogate_rules(values.to_numpy(), shown, columns, seed=seed, categories=told)
    edges = {name: [0.0] if name in told else quantile_edges(values[name].to_numpy()) for name in columns}
    # The median of 0 and 1 says little, so such a column is described by its share.
    share = is_binary(values) | np.array([name in told for name in columns])
    shares = [name for name, binary in zip(columns, share, strict=True) if binary]
    revenue_share = revenue_shares(parts.money, shown, row_ids) or {}
    middle = np.where(share, statistics["mean"], statistics["median"])
    middle_overall = np.where(share, values.mean().to_numpy(), overall)
    placed = getattr(parts.fitted, "how_", "by the segmenter's own predict")
    return SegmentationModel(
        {
            **texts,
            "seed": seed,
            "revenue": revenue,
            "parameter": parts.parameter,
            "features": list(parts.features),
            "columns": columns,
            "categories": {name: list(known) for name, known in parts.categories.items()},
            "segmenter": parts.fitted,
            "transform": parts.transform,
            "filled": list(parts.filled),
            "kept": parts.kept,
            "how_new": placed,
            "raw_labels": raw_labels,
            "names": _names(parts, raw_labels, row_ids, (statistics["effect"], middle, shares), words),
            "nobody": words.nobody,
            "customer_ids": values.index.tolist(),
            "segment_ids": ids,
            "row_ids": [int(row) for row in row_ids],
            "customers": customers,
            "revenue_share": revenue_share.get("share"),
            "revenue_interval": [revenue_share["low"], revenue_share["high"]] if revenue_share else None,
            "shares": shares,
            "statistics": statistics,
            "everybody": overall,
            "middle": middle,
            "middle_everybody": middle_overall,
            "descriptions": describe_segments(
                columns, statistics["effect"], middle, middle_overall, words, shares=shares
            ),
            "rules": {key: [rule[key] for rule in rules] for key in rules[0]},
            "fidelity": list(fidelity),
            "bin_edges": edges,
            "bin_counts": {name: bin_counts(values[name].to_numpy(), edges[name]) for name in columns},
            "choice": asdict(choice),
        }
    )


def _ordered(parts: Parts) -> npt.NDArray[np.int64]:
    """Give the segmenter's labels by falling revenue, then size, then means; those without customers come last."""
    labels, place, size = np.unique(parts.raw, return_inverse=True, return_counts=True)
    money = np.zeros(len(place)) if parts.money is None else np.nan_to_num(parts.money)
    earned = np.bincount(place, weights=money, minlength=len(labels))
    means = parts.values.groupby(place).mean().to_numpy()
    # Rounded, so that equal sums taken in another order of rows do not part by their last digit.
    order = np.lexsort([*means.T[::-1], -size, -np.round(earned, 6)])
    held = [int(labels[segment]) for segment in order if labels[segment] >= 0]
    given = parts.given_names
    if given is not None:
        possible = len(given)
    else:
        # A mixture may keep a component that is nobody's likeliest now, and somebody's next month.
        possible = int(parts.fitted.get_params().get(parts.parameter) or 0) if parts.parameter is not None else 0
    return np.array([*held, *(label for label in range(possible) if label not in held)], dtype=np.int64)


def _names(
    parts: Parts,
    raw_labels: npt.NDArray[np.int64],
    row_ids: npt.NDArray[np.int64],
    figures: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[str]],
    words: Words,
) -> list[str]:
    """Name every segment: as the segmenter does, else by its traits, else (nobody in it yet) by its id."""
    given = parts.given_names
    if given is not None:
        return [given[label] for label in raw_labels]
    names = [f"segment {segment}" for segment in range(len(raw_labels))]
    inside = row_ids >= 0
    if len(row_ids) == 1 and inside.all():
        names[int(row_ids[0])] = words.everybody
    elif inside.any():
        columns = [str(column) for column in parts.values.columns]
        effect, middle, shares = figures
        suggested = suggest_names(columns, effect[inside], middle[inside], words, shares=shares)
        for segment, name in zip(row_ids[inside], suggested, strict=True):
            names[segment] = name
    return names
