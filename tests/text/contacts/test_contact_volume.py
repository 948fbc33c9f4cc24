"""How many contacts and how much work there is, against counting days one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import contact_rate
from crmkit.text import contact_volume, conversations


def test_hours_are_those_of_local_clocks():
    # London put its clocks back at 02:00 on 2024-10-27: the hour from 1 to 2 came twice; on 03-31 it was left out.
    times = pd.to_datetime(["2024-10-27 00:10", "2024-10-27 01:10", "2024-10-28 01:30"], utc=True)
    found = conversations(pd.DataFrame({"customer_id": "a", "time": times}))
    volume = contact_volume(found, "hour", timezone="Europe/London")
    assert volume.loc[1, "contacts"] == 3
    assert volume.loc[1, "exposure"] == 3
    assert volume.loc[2, "exposure"] == 2
    assert volume["exposure"].sum() == 49
    assert volume["contacts"].sum() == 3
    spring = contact_volume(found, "hour", timezone="Europe/London", first="2024-10-27", until="2024-10-28")
    assert spring.loc[1, "rate"] == 1
    assert spring.loc[1, "days"] == 1


def test_an_hour_that_was_left_out_has_no_exposure():
    times = pd.to_datetime(["2024-03-31 00:10", "2024-03-31 12:00"], utc=True)
    volume = contact_volume(
        conversations(pd.DataFrame({"customer_id": "a", "time": times})), "hour", timezone="Europe/London"
    )
    assert 1 not in volume.index
    assert len(volume) == 23
    assert volume["exposure"].sum() == 23


@pytest.mark.parametrize(
    "by", ["weekday", "month", "week", "day", "channel", ["weekday", "hour"], ["month", "channel"]]
)
def test_rates_agree_with_counting_days_one_by_one(known, by):
    volume = contact_volume(known, by, timezone="Asia/Shanghai")
    names = [by] if isinstance(by, str) else by
    local = known["start"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
    days = pd.date_range(local.min().normalize(), local.max().normalize())

    def parts(stamps):
        stamps = pd.Series(stamps)
        return pd.DataFrame(
            {
                "hour": stamps.dt.hour,
                "weekday": stamps.dt.day_of_week,
                "day": stamps.dt.normalize(),
                "week": stamps.dt.normalize() - pd.to_timedelta(stamps.dt.day_of_week, unit="D"),
                "month": stamps.dt.to_period("M").dt.to_timestamp(),
            }
        )

    mine = parts(local.reset_index(drop=True)).assign(channel=known["channel"].to_numpy())
    each = parts(days if "hour" not in names else pd.date_range(days[0], days[-1] + pd.Timedelta(hours=23), freq="h"))
    calendar = [name for name in names if name != "channel"]
    for key in list(volume.index)[:: max(1, len(volume) // 12)]:
        values = dict(zip(names, key if len(names) > 1 else (key,), strict=True))
        of_kind = each[
            np.logical_and.reduce([each[name] == values[name] for name in calendar] or [each["day"].notna()])
        ]
        rows = mine[np.logical_and.reduce([mine[name] == values[name] for name in names])]
        counts = rows["day"].value_counts().reindex(of_kind["day"].unique(), fill_value=0)
        expected = contact_rate(counts.to_numpy())
        row = volume.loc[key]
        assert row["contacts"] == len(rows)
        assert (row["rate"], row["low"], row["high"]) == pytest.approx(
            (expected.value, expected.low, expected.high), nan_ok=True
        )
    assert volume["contacts"].sum() == len(known)
    assert volume["share"].sum() == pytest.approx(1)


def test_work_is_averaged_where_it_is_known(known):
    volume = contact_volume(known, "channel")
    calls = known.loc[known["channel"] == "call", "handling_seconds"]
    assert volume.loc["call", "handling_seconds"] == pytest.approx(calls.mean())
    assert volume.loc["call", "handling_n"] == len(calls)
    assert volume.loc["chat", "handling_n"] == 0
    crossed = contact_volume(known, ["channel", "weekday"])
    assert crossed["handling_n"].sum() == len(calls)
    silent = contact_volume(known[known["channel"] == "chat"], "weekday")
    assert (silent["handling_n"] == 0).all()


def test_volume_refuses_what_it_cannot_count(known):
    with pytest.raises(DataError, match="or one of hour"):
        contact_volume(known, "minute")
    with pytest.raises(DataError, match="by must name"):
        contact_volume(known, [])
    with pytest.raises(DataError, match="first must lie before until"):
        contact_volume(known, first="2024-01-02", until="2024-01-02")
    with pytest.raises(DataError, match="until must be a day"):
        contact_volume(known, until="2024-01-02 10:00")
    with pytest.raises(DataError, match="no conversation began"):
        contact_volume(known, first="2030-01-01", until="2030-02-01")


def test_columns_may_have_the_names_of_what_is_summed_meanwhile(known):
    plain = contact_volume(known, ["channel", "weekday"])
    for name in ("n", "open", "square", "squares", "crossed", "seconds"):
        named = contact_volume(known.assign(**{name: known["channel"]}), [name, "weekday"])
        assert named.index.names == [name, "weekday"]
        pd.testing.assert_frame_equal(named.rename_axis(index=plain.index.names), plain)
    with pytest.raises(DataError, match="the result has 'share' of its own"):
        contact_volume(known.assign(share=1), "share")
    with pytest.raises(DataError, match="by names 'hour' more than once"):
        contact_volume(known, ["hour", "hour"])


def test_no_conversation_has_no_volume(known):
    with pytest.raises(DataError, match="conversations has no row"):
        contact_volume(known.iloc[:0])
