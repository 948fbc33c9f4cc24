"""Names and descriptions from what sets segments apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crmkit.segmentation.explaining._traits import LANGUAGES, describe_segments, suggest_names

RFM = ["recency_days", "frequency", "monetary"]
EN, ZH = LANGUAGES["en"], LANGUAGES["zh"]


def names(effects, columns=RFM, words=EN, medians=None):
    effects = np.array(effects)
    return suggest_names(columns, effects, effects if medians is None else np.array(medians), words)


def test_few_days_since_the_last_purchase_are_recent():
    assert names([[-0.5, 0, 0], [0.5, 0, 0]]) == ["recent", "lapsed"]


def test_strong_traits_come_in_the_order_of_the_columns():
    assert names([[-0.4, 0.9, 0.5], [0, 0, 0]]) == ["recent, frequent, high spend", "average"]


def test_segments_alike_in_plain_words_are_parted_by_grade():
    assert names([[-0.9, 0.9, 0.5], [-0.4, 0.9, 0.5]]) == [
        "very recent, frequent, high spend",
        "recent, frequent, high spend",
    ]


def test_segments_alike_in_grade_are_parted_by_a_median():
    assert names([[0, 0, 0.9], [0, 0, 0.8]], medians=[[9, 9, 5000.0], [9, 9, 800.0]]) == [
        "high spend (monetary 5,000)",
        "high spend (monetary 800)",
    ]


def test_segments_alike_in_everything_are_counted():
    assert names([[0, 0, 0], [0, 0, 0], [0.5, 0, 0]]) == [
        "average (recency_days 0)",
        "average (recency_days 0) #2",
        "lapsed",
    ]


def test_other_columns_are_named_by_their_header():
    assert names([[0.5, 0], [0, -0.7]], columns=["visits_a_week", "楼层"]) == ["high visits a week", "low 楼层"]
    assert names([[0.5, 0], [0, -0.7]], columns=["visits", "楼层"], words=ZH) == ["visits高", "楼层低"]


def test_description_backs_each_trait_with_figures():
    effects, medians = np.array([[-0.9, 0.5, 0.1], [0, 0, 0]]), np.array([[4, 12, 30.5], [53, 2, 677]])
    described = describe_segments(RFM, effects, medians, np.array([53, 2, 677.0]), EN)
    assert described == ["very recent (4 vs 53), frequent (12 vs 2)", "much like everybody in every column"]


def test_description_in_chinese():
    effects, medians = np.array([[-0.9, 0.5, 0.1], [0, 0, 0]]), np.array([[4, 12, 30.5], [53, 2, 677]])
    described = describe_segments(RFM, effects, medians, np.array([53, 2, 677.0]), ZH)
    assert described == ["最近刚买（4，全体 53）、常购（12，全体 2）", "各项均接近全体"]


@pytest.mark.parametrize("language", ["en", "zh"])
@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(2, 9), st.just(3)), elements=st.sampled_from([-0.9, -0.4, 0.0, 0.4, 0.9])),
    st.data(),
)
def test_no_two_segments_share_a_name(language, effects, data):
    medians = data.draw(arrays(np.float64, effects.shape, elements=st.sampled_from([0.0, 3.0, 800.0])))
    suggested = suggest_names(RFM, effects, medians, LANGUAGES[language])
    assert len(set(suggested)) == len(effects)
