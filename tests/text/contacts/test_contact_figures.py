"""Figures of conversations, against their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import first_contact_resolution, wilson
from crmkit.text import contact_figures, contact_volume, conversations


def at(*clock):
    return pd.to_datetime([f"2024-05-{one}" for one in clock], utc=True)


def three_days(days=("01 00:00", "03 00:00", "20 00:00"), **columns):
    return pd.DataFrame({"customer_id": "a", "direction": "in", "time": at(*days), **columns})


def test_figures_of_a_group_are_those_of_its_rows(known):
    figures = contact_figures(known, "channel", days=14).set_index(["channel", "figure"])
    chats = known[known["channel"] == "chat"]
    answered = figures.loc[("chat", "answered")]
    count = int(chats["answered"].sum())
    assert answered["value"] == pytest.approx(count / len(chats))
    assert (answered["low"], answered["high"]) == pytest.approx(tuple(float(x) for x in wilson(count, len(chats))))
    firsts = chats[
        ~(chats["previous_days"] <= 14) & (chats["previous_days"].notna() | (chats["seen_before_days"] >= 14))
    ]
    expected = first_contact_resolution(
        firsts["repeat_days"], firsts["followed_days"], days=14, groups=firsts["customer_id"]
    )
    row = figures.loc[("chat", "first_contact_resolution")]
    assert (row["value"], row["n"], row["low"]) == pytest.approx((expected.value, expected.n, expected.low))
    repeated = figures.loc[("chat", "repeat_contact")]
    assert repeated["low"] <= repeated["value"] <= repeated["high"]


def test_a_figure_of_nothing_has_no_rows(known):
    figures = contact_figures(known[known["channel"] == "chat"]).set_index("figure")
    assert figures.loc["handling_seconds", "n"] == 0
    assert np.isnan(figures.loc["handling_seconds", "value"])
    assert set(contact_figures(known, ["channel", "agent"]).columns) >= {"channel", "agent", "figure", "n"}


def test_missing_kinds_are_a_group_of_their_own():
    found = conversations(three_days(type=["bill", None, None]))
    volume = contact_volume(found, "type")
    assert volume["contacts"].sum() == 3
    assert contact_figures(found, "type")["type"].isna().any()


def test_groups_are_named_once_and_not_like_a_figure(known):
    with pytest.raises(DataError, match="by names 'channel' more than once"):
        contact_figures(known, ["channel", "channel"])
    with pytest.raises(DataError, match="the result has 'n' of its own"):
        contact_figures(known.assign(n=1), "n")
