"""The profile: figures in original units, and a print that people read."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN

from crmkit import segmentation
from crmkit.segmentation.explaining._figures import STATISTICS
from crmkit.segmentation.explaining._profile import WIDTH, Profile, _width
from crmkit.segmentation.explaining._traits import number


def test_every_figure_equals_what_pandas_gives(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0)
    profile, grouped = segments.profile, rfm.groupby(segments.labels)
    for column in rfm.columns:
        for name, expected in {
            "median": grouped[column].median(),
            "q1": grouped[column].quantile(0.25),
            "q3": grouped[column].quantile(0.75),
            "mean": grouped[column].mean(),
            "lift": grouped[column].mean() / rfm[column].mean(),
        }.items():
            pd.testing.assert_series_equal(
                profile[f"{column}_{name}"], expected.reindex(profile.index), check_names=False, check_dtype=False
            )
    assert profile["share"].sum() == pytest.approx(1)
    assert profile["revenue_share"].sum() == pytest.approx(1)
    expected = grouped["monetary"].sum() / rfm["monetary"].sum()
    pd.testing.assert_series_equal(profile["revenue_share"], expected.reindex(profile.index), check_names=False)


def test_profile_is_a_frame_and_what_is_taken_from_it_is_plain(rfm):
    profile = segmentation.segment(rfm, n_segments=3, random_state=0).profile
    assert isinstance(profile, pd.DataFrame)
    assert type(profile[["customers"]]) is pd.DataFrame
    assert type(profile.head(1)) is pd.DataFrame
    assert "recency_days_q1" in profile.to_string()


def test_print_shows_sizes_shares_medians_and_words_in_one_width(rfm):
    text = repr(segmentation.segment(rfm, n_segments=3, random_state=0).profile)
    head = text.splitlines()[0].split()
    assert head == ["segment", "customers", "share", "revenue", "recency_days", "frequency", "monetary"]
    assert "[" in text.splitlines()[1]
    assert max(map(_width, text.splitlines())) <= WIDTH
    assert "very frequent (21 vs 4)" in text or "frequent (" in text


def test_print_of_many_columns_stays_in_width_and_says_what_is_left_out():
    random = np.random.default_rng(0)
    table = pd.DataFrame({f"a_rather_long_column_{number}": random.normal(size=90) for number in range(12)})
    table["a_rather_long_column_7"] += np.repeat([0, 50, 100], 30)
    table.index = pd.Index(map(str, range(90)), name="customer_id")
    profile = segmentation.segment(table, n_segments=3, transform="none", random_state=0).profile
    text = repr(profile)
    assert max(map(_width, text.splitlines()[:5])) <= WIDTH
    assert "a_rather_long_column_7" in text.splitlines()[0]
    assert "more columns that differ less: see .columns" in text
    assert len(profile.columns) == 3 + 12 * len(STATISTICS) + 2 + 1


def test_print_of_names_wider_than_the_line_still_shows_a_column(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0).rename({0: "x" * 150})
    assert len(repr(segments.profile).splitlines()[0].split()) == 5


def test_chinese_names_are_set_in_straight_columns(rfm):
    lines = repr(segmentation.segment(rfm, n_segments=3, random_state=0, language="zh").profile).splitlines()[:4]
    assert len({_width(line) for line in lines}) == 1


def test_html_escapes_names_and_shows_figures(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0).rename({0: "<b>best</b>"})
    shown = segments.profile._repr_html_()
    assert "&lt;b&gt;best&lt;/b&gt;" in shown
    assert "<b>best" not in shown
    assert "20.0%" in shown


def test_noise_has_a_row_of_its_own_at_the_end():
    table = pd.DataFrame({"spent": [0.0, 0.1, 0.2, 90.0]}, index=pd.Index(list("abcd"), name="customer_id"))
    profile = segmentation.segment(table, DBSCAN(eps=0.5, min_samples=2), transform="none").profile
    assert profile["segment_id"].tolist() == [0, -1]
    assert profile.loc["in no segment", "spent_median"] == 90.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (3.0, "3"), (0.1234, "0.12"), (9.54, "9.5"), (61.5, "62"), (-67.0, "-67"), (27304.85, "27,305")],
)
def test_numbers_are_written_with_the_digits_that_matter(value, text):
    assert number(value) == text


def test_profile_with_columns_taken_away_in_place_still_prints(rfm):
    for taken in ("description", "monetary_q1", "customers"):
        profile = segmentation.segment(rfm, n_segments=2, random_state=0).profile
        del profile[taken]
        assert "[2 rows x 59 columns]" in repr(profile)
        assert "<table" in profile._repr_html_()


def test_profile_survives_copying_and_joining(rfm):
    profile = segmentation.segment(rfm, n_segments=2, random_state=0).profile
    pd.testing.assert_frame_equal(copy.deepcopy(profile), pd.DataFrame(profile))
    assert len(pd.concat([profile, profile])) == 4


def test_profile_class_is_public():
    assert segmentation.Profile is Profile
