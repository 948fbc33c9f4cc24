"""The long table of traits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import segmentation


def test_each_segment_and_column_is_a_row_and_the_largest_effect_comes_first(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0)
    traits, profile = segments.traits, segments.profile
    assert len(traits) == 9
    assert list(dict.fromkeys(traits["segment"])) == list(profile.index)
    assert traits.groupby("segment")["effect"].apply(lambda effect: effect.abs().is_monotonic_decreasing).all()
    for row in traits.itertuples():
        inside = segments.labels == row.segment
        assert row.n == inside.sum()
        assert row.figure == rfm.loc[inside, row.column].median()
        assert row.everybody == rfm[row.column].median()
        for name in ("lift", "lift_low", "lift_high", "robust_z", "effect", "effect_low", "effect_high", "smd"):
            assert getattr(row, name) == profile.loc[row.segment, f"{row.column}_{name}"]
        assert row.effect_low <= row.effect <= row.effect_high
        assert row.lift_low <= row.lift <= row.lift_high
        assert row.smd_low <= row.smd <= row.smd_high


def test_words_stand_where_the_effect_is_large_enough_for_one(rfm):
    traits = segmentation.segment(rfm, n_segments=3, random_state=0).traits
    assert ((traits["effect"].abs() >= 0.33) == (traits["trait"] != "")).all()
    best = traits[traits["segment"] == traits["segment"].iloc[0]]
    assert "very frequent" in set(best["trait"])
    chinese = segmentation.segment(rfm, n_segments=3, random_state=0, language="zh").traits
    assert "频繁购买" in set(chinese["trait"])


def test_shares_stand_for_columns_of_0_and_1():
    table = pd.DataFrame({"spent": [1.0, 2, 90, 91], "member": [0.0, 0, 1, 1]})
    table.index = pd.Index(list("abcd"), name="customer_id")
    traits = segmentation.segment(table, n_segments=2, transform="scale", random_state=0).traits
    member = traits[traits["column"] == "member"].set_index("trait")
    assert set(member.index) == {"often member", "seldom member"}
    assert member.loc["often member", "figure"] == 1
    assert member["everybody"].tolist() == [0.5, 0.5]


def test_new_names_stand_in_it_too(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0).rename({0: "best"})
    assert segments.traits["segment"].iloc[0] == "best"


def test_a_single_segment_has_no_traits():
    table = pd.DataFrame({"a": np.arange(9.0)}, index=pd.Index(range(9), name="customer_id"))
    traits = segmentation.segment(table, n_segments=1, transform="scale", random_state=0).traits
    assert traits["trait"].tolist() == [""]
    assert traits["effect"].tolist() == [0]
    assert traits["figure"].tolist() == pytest.approx([4])
