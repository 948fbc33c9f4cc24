"""Pictures of a profile: what they draw, what they leave out, and in which words."""

from __future__ import annotations

import re
import sys
from html import unescape

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN

from crmkit import DataError, segmentation
from crmkit.pictures import Picture


@pytest.fixture(scope="module")
def wide():
    """Give four segments by thirty columns, one of them 0 and 1, one missing for a tenth."""
    random = np.random.default_rng(0)
    group = np.repeat(range(4), 60)
    table = pd.DataFrame({f"metric_{place}": random.normal(size=240) + group * (place % 5) for place in range(28)})
    table["member"] = (random.random(240) < (group + 1) / 5).astype(float)
    table["投诉次数"] = random.poisson(group + 1.0)
    table.index = pd.Index([f"c{place}" for place in range(240)], name="customer_id")
    return segmentation.segment(table, n_segments=4, transform="scale", random_state=0)


def cells(picture):
    """Give what is written in a picture."""
    texts = re.findall(r"<text[^>]*>.*?</text>", picture.svg, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", text)) for text in texts]


def test_bars_show_the_shares_of_customers_and_revenue(rfm):
    profile = segmentation.segment(rfm, n_segments=3, random_state=0).profile
    picture = profile.bars()
    assert isinstance(picture, Picture)
    assert picture.n == "300 customers"
    name, row = next(iter(profile.iterrows()))
    assert f"{name} share of customers {row['share']:.1%}, share of revenue {row['revenue_share']:.1%}" in picture.alt


def test_bars_without_revenue_show_customers_alone(wide):
    picture = wide.profile.bars()
    assert picture.title == "Share of customers"
    assert "revenue" not in picture.alt


def test_heat_map_writes_medians_and_the_share_of_columns_of_0_and_1(wide):
    profile = wide.profile
    picture = profile.heat_map(most=30)
    assert f"{profile['member_mean'].iloc[0]:.1%}" in cells(picture)
    assert "member" in cells(picture)
    assert "share where it is a percentage" in picture.title
    assert "of 30 columns" not in picture.title


def test_heat_map_says_how_many_columns_it_leaves_out_and_keeps_those_that_part_most(wide):
    profile = wide.profile
    picture = profile.heat_map(most=5)
    assert "5 of 30 columns" in picture.title
    names = [name.removesuffix("_effect") for name in profile.columns if name.endswith("_effect")]
    widest = sorted(names, key=lambda name: -np.ptp(profile[f"{name}_effect"]))[:5]
    drawn = [text for text in cells(picture) if text in names]
    assert drawn == [name for name in names if name in widest]


def test_snake_plot_has_a_line_a_segment_with_its_customers(rfm):
    profile = segmentation.segment(rfm, n_segments=3, random_state=0).profile
    picture = profile.snake_plot()
    for name, row in profile.iterrows():
        assert f"{name} (n = {row['customers']:,})" in cells(picture)
        figure = row["monetary_robust_z"]
        assert f"monetary {figure:.3g}" in picture.alt or f"monetary {figure:.2f}" in picture.alt
    assert {"robust z: distance from everybody's median", "everybody"} <= {
        text.removesuffix(" (asinh)") for text in cells(picture)
    }


@pytest.mark.parametrize("by", ["effect", "smd"])
def test_snake_plots_of_other_measures_stand_against_the_others(wide, by):
    picture = wide.profile.snake_plot(by, most=3)
    assert "the others" in cells(picture)
    assert "3 of 30 columns" in picture.title


def test_snake_plot_leaves_segments_out_and_says_so(wide):
    assert wide.profile.snake_plot(most_segments=2).title.endswith("2 / 4")


def test_pictures_speak_the_language_of_the_names_unless_told_another(rfm):
    profile = segmentation.segment(rfm, n_segments=3, random_state=0, language="zh").profile
    assert profile.bars().title == "客户占比与收入占比"
    assert "中位数" in profile.heat_map().title
    assert profile.snake_plot().title == "各分群的特征"
    assert profile.snake_plot(language="en").title == "What sets the segments apart"
    with pytest.raises(DataError, match="language must be one of 'en', 'zh'"):
        profile.bars(language="fr")


def test_what_cannot_be_drawn_is_told(wide):
    with pytest.raises(DataError, match="'robust_z', 'effect', 'smd'"):
        wide.profile.heat_map("median")
    with pytest.raises(DataError, match="at least one column"):
        wide.profile.snake_plot(most=0)


def test_names_are_escaped(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0).rename({0: "<b>&'best'"})
    for picture in (segments.profile.bars(), segments.profile.heat_map(), segments.profile.snake_plot()):
        assert "<b>" not in picture.svg
        assert "&lt;b&gt;&amp;" in picture.svg


def test_one_customer_one_segment_nobody_in_any_and_all_alike_can_be_drawn():
    index = pd.Index([f"c{place}" for place in range(6)], name="customer_id")
    alike = pd.DataFrame({"a": [3.0] * 6, "b": [1.0, 2, 3, 4, 5, 6]}, index=index)
    with pytest.warns(match="one value only"):
        one = segmentation.segment(alike, n_segments=1, transform="scale", random_state=0)
    with pytest.warns(match="put nobody"):
        nobody = segmentation.segment(alike[["b"]], DBSCAN(eps=0.1, min_samples=3), transform="none")
    alone = segmentation.segment(alike[["b"]].iloc[:1], n_segments=1, transform="none")
    for segments in (one, nobody, alone):
        for picture in (segments.profile.bars(), segments.profile.heat_map(), segments.profile.snake_plot()):
            assert picture.svg.startswith("<svg")
    assert "a –" in one.profile.snake_plot().alt


def test_without_matplotlib_the_exact_command_is_told(rfm, monkeypatch):
    profile = segmentation.segment(rfm, n_segments=3, random_state=0).profile
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'crmkit\[report\]'"):
        profile.snake_plot()


def test_printing_shows_the_share_of_columns_of_0_and_1(wide):
    profile = wide.profile
    text = repr(profile[["customers"]])
    assert "%" not in text
    member = [line.split() for line in repr(wide.profile).splitlines()[:5]]
    if "member" in member[0]:
        assert any(part.endswith("%") for part in member[1][-3:])
