"""What ``evaluate`` is given, checked once and brought to one form."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import Cutoff, as_cutoff
from crmkit.recommendation._ids import number_ids
from crmkit.recommendation._interactions import item_column
from crmkit.recommendation._side_tables import read_items
from crmkit.recommendation.evaluation._windows import Counting

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["counting_of", "goods", "moments", "share_of_one", "usable_rows", "whole_number"]


def moments(cutoffs: Any, split: str) -> list[Cutoff]:
    """Give the cutoffs, of which a split in time needs one and a random one none."""
    if split == "random":
        if cutoffs is not None:
            raise DataError("split='random' knows no cutoffs: leave them out, or leave split='time'")
        return []
    if cutoffs is None:
        raise DataError("say at which cutoffs models stop seeing, such as cutoffs=['2010-10-09', '2010-11-09']")
    several = isinstance(cutoffs, list | tuple | set | np.ndarray | pd.Index | pd.Series)
    found = sorted((as_cutoff(one) for one in (cutoffs if several else [cutoffs])), key=_in_time)
    if not found:
        raise DataError("cutoffs is empty: say where models stop seeing")
    # One instant may be written in several time zones.
    if len({one.day if one.instant is None else one.instant for one in found}) < len(found):
        raise DataError("cutoffs names a moment twice, which would count its customers twice")
    return found


def _in_time(cutoff: Cutoff) -> tuple[int, float]:
    """Sort cutoffs by day, and instants of one day by time."""
    return cutoff.day, -1.0 if cutoff.instant is None else cutoff.instant.timestamp()


def usable_rows(interactions: Any) -> pd.DataFrame:
    """Give the rows that have a customer and an item, saying once how many have not."""
    frame = as_frame(interactions, what="interactions")
    require_columns(frame, ["customer_id"], what="interactions")
    column = item_column(frame, what="interactions")
    # Numbered as models number them: an id that is empty text is none.
    lost = (number_ids(frame["customer_id"])[0] < 0) | (number_ids(frame[column])[0] < 0)
    if lost.any():
        warnings.warn(
            f"interactions: {int(lost.sum()):,} of {len(frame):,} rows have no customer_id or no {column} and are left "
            f"out: {positions(lost)}",
            DataWarning,
            stacklevel=3,
        )
        frame = frame.loc[~lost]
    if not len(frame):
        raise DataError("interactions hold no event of a customer with an item")
    return frame


def counting_of(frame: pd.DataFrame, events: Any, min_rating: float | None) -> Counting:
    """Say which events count."""
    if min_rating is not None and "rating" not in frame.columns:
        raise DataError("min_rating needs the column rating in interactions")
    if "event" not in frame.columns:
        if events is not None:
            raise DataError("events names kinds of event, and interactions have no column event")
        return Counting(None, None, min_rating)
    if frame["event"].isna().any():
        raise DataError(f"interactions: event is missing in {positions(frame['event'].isna())}")
    kinds = sorted(str(kind) for kind in frame["event"].unique())
    chosen = None if events is None else (events,) if isinstance(events, str) else tuple(events)
    unknown = sorted(set(chosen or ()) - set(kinds))
    if unknown:
        raise DataError(f"events names {', '.join(map(repr, unknown))}; interactions hold {', '.join(kinds)}")
    if chosen is None:
        chosen = ("purchase",) if "purchase" in kinds else tuple(kinds)
    return Counting(dict.fromkeys(kinds, 1.0), chosen, min_rating)


def whole_number(value: Any, what: str) -> int:
    """Refuse what is no whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise DataError(f"{what} must be a whole number from 1 on, got {value!r}")
    return int(value)


def share_of_one(holdout: Any) -> float:
    """Refuse a share that leaves nothing on one side."""
    if isinstance(holdout, bool) or not isinstance(holdout, int | float | np.number) or not 0.0 < holdout < 1.0:
        raise DataError(f"holdout must be a share between 0 and 1, got {holdout!r}")
    return float(holdout)


def goods(items: Any) -> tuple[npt.NDArray[Any] | None, pd.DataFrame | None]:
    """Give the ids of the table of items, and the category of each where the table tells it."""
    if items is None:
        return None, None
    ids, table = read_items(items)
    if "category" not in table.columns:
        return ids, None
    return ids, table[["category"]].set_axis(pd.Index(ids, name="item_id"))
