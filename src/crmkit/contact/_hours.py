"""The first instant at which each contact may be made, at the hour that suits the customer where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.contact._quiet import from_wall, next_allowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.contact._quiet import QuietHours

__all__ = ["start_times"]

_FARTHEST = 60


def start_times(
    quiet: Sequence[QuietHours],
    at: pd.Timestamp,
    channel: npt.NDArray[np.object_],
    zones: npt.NDArray[np.object_],
    hours: npt.NDArray[np.float64],
) -> tuple[pd.DatetimeIndex, npt.NDArray[np.int64]]:
    """Give the first instant from ``at`` on that is not quiet, and its local hour.

    With a preferred hour it is the first such instant within the hour; where quiet hours leave none of them within 60
    days, it is the first instant of all. Worked out once for each distinct channel, zone and hour.
    """
    keys = pd.DataFrame({"channel": channel, "zone": zones, "hour": hours})
    codes = keys.groupby(["channel", "zone", "hour"], sort=False, dropna=False).ngroup().to_numpy()
    _, shown = np.unique(codes, return_index=True)
    starts, local = [], []
    for place in shown:
        kept = [one for one in quiet if one.channels is None or channel[place] in one.channels]
        start = _first(kept, at, str(zones[place]), float(hours[place]))
        starts.append(start)
        local.append(start.tz_convert(str(zones[place])).hour)
    found = pd.DatetimeIndex(starts, dtype="datetime64[us, UTC]")
    return found.take(codes) if len(codes) else found, np.array(local, dtype=np.int64)[codes]


def _first(quiet: Sequence[QuietHours], at: pd.Timestamp, zone: str, hour: float) -> pd.Timestamp:
    """Find the first instant of one group."""
    now = pd.DatetimeIndex([at])
    if not np.isnan(hour):
        local = at.tz_convert(zone)
        if local.hour == hour and next_allowed(quiet, now, zone)[0] == at:
            return at
        midnight = local.tz_localize(None).normalize().to_datetime64().astype("datetime64[us]")
        days = midnight + np.arange(_FARTHEST) * np.timedelta64(1, "D") + np.timedelta64(int(hour), "h")
        wished = from_wall(days, pd.DatetimeIndex([at] * _FARTHEST), zone)
        found = next_allowed(quiet, wished, zone)
        # An hour that clocks leave out, or that quiet hours end in, starts later within it or not at all.
        good = np.asarray(found >= at) & (found.tz_convert(zone).hour.to_numpy() == int(hour))
        if good.any():
            return pd.Timestamp(found[good].min())
    return pd.Timestamp(next_allowed(quiet, now, zone)[0])
