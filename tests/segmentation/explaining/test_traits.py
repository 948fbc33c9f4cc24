"""Names and descriptions from what sets segments apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crmkit import segmentation
from crmkit.segmentation.explaining._trait_words import _KNOWN, _MEANING, meaning_of
from crmkit.segmentation.explaining._traits import LANGUAGES, describe_segments, number, suggest_names

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


@pytest.mark.parametrize(
    ("column", "english", "chinese"),
    [
        ("recency_days", "lapsed", "久未购买"),
        ("Days since last order", "lapsed", "久未购买"),
        ("最近一次消费天数", "lapsed", "久未购买"),
        ("n_orders", "frequent", "常购"),
        ("消费频次", "frequent", "常购"),
        ("total_spend", "high spend", "消费高"),
        ("累计消费", "high spend", "消费高"),
        ("repeats", "many repeats", "复购多"),
        ("repeat_spend", "large orders", "客单价高"),
        ("客单价", "large orders", "客单价高"),
        ("last_purchase_weeks", "long buying span", "购买跨度长"),
        ("age_weeks", "long-standing", "老客"),
        ("tenure_months", "long-standing", "老客"),
        ("age", "older", "年长"),
        ("年龄", "older", "年长"),
        ("p_alive", "more likely active", "活跃可能高"),
        ("expected_purchases", "many purchases ahead", "预期购买多"),
        ("lifetime_value", "high value", "价值高"),
        ("CLV", "high value", "价值高"),
        ("churn_risk", "high churn risk", "流失风险高"),
        ("tickets", "many tickets", "工单多"),
        ("投诉次数", "many complaints", "投诉多"),
        ("avg_days_between", "long gaps", "购买间隔长"),
        ("csat", "more satisfied", "满意度高"),
        ("returns", "many returns", "退货多"),
        ("low", "high lower end", "lower end高"),
        ("high", "high upper end", "upper end高"),
        ("avg_days_open", "high average days open", "average days open高"),
        ("avgBasketSize", "high average Basket Size", "average Basket Size高"),
        ("num_logins", "high number of logins", "number of logins高"),
        ("登录天数", "high 登录天数", "登录天数高"),
    ],
)
def test_columns_of_customer_tables_have_words_in_both_languages(column, english, chinese):
    assert EN.trait(column, 0.5, graded=False) == english
    assert ZH.trait(column, 0.5, graded=False) == chinese


def test_a_recency_that_may_be_either_is_not_guessed():
    # Days since the last purchase to some, the age at it to others: a name could say the opposite.
    assert EN.trait("recency", 0.5, graded=False) == "high recency"
    assert EN.trait("recency_weeks", 0.5, graded=False) == "lapsed"


def test_every_known_column_has_four_different_words_in_both_languages():
    assert set(EN.columns) == set(ZH.columns) == set(_MEANING)
    for words in (EN, ZH):
        for word in words.columns.values():
            assert len(set(word)) == 4
    for header in _KNOWN:
        assert meaning_of(header) == _KNOWN[header]
        assert meaning_of(f" {header.upper()} ") == _KNOWN[header]


def test_columns_of_0_and_1_are_had_by_many_or_few():
    assert EN.trait("has_app", 0.9, graded=True, share=True) == "often app"
    assert EN.trait("is_member", -0.9, graded=True, share=True) == "seldom member"
    assert EN.trait("channel=web", 0.4, graded=True) == "often web"
    assert ZH.trait("会员", 0.4, graded=True, share=True) == "多会员"


def test_missing_effects_and_medians_make_no_traits():
    effects = np.array([[np.nan, 0.5, np.nan], [np.nan, -0.5, 0.1]])
    medians = np.array([[np.nan, 5, np.nan], [np.nan, 1, 3]])
    assert names(effects, medians=medians) == ["frequent", "infrequent"]
    described = describe_segments(RFM, effects, medians, np.array([np.nan, 2, 3.0]), EN)
    assert described == ["frequent (5 vs 2)", "infrequent (1 vs 2)"]
    assert number(float("nan")) == "–"


def test_segments_alike_in_words_are_parted_by_a_column_whose_written_medians_differ():
    # The effects differ most in recency, whose medians are written alike.
    suggested = names([[0.5, 0, 0.1], [0.4, 0, 0.05]], medians=[[9, 1, 800.0], [9, 1, 300.0]])
    assert suggested == ["lapsed (monetary 800)", "lapsed (monetary 300)"]


def test_names_of_a_model_follow_its_language_and_headers():
    table = pd.DataFrame({"投诉次数": [0.0, 0, 1, 9, 8, 9], "p_alive": [0.9, 0.8, 0.9, 0.1, 0.2, 0.1]})
    table.index = pd.Index([f"c{place}" for place in range(6)], name="customer_id")
    english, chinese = (
        segmentation.segment(table, n_segments=2, transform="scale", random_state=0, language=language)
        for language in ("en", "zh")
    )
    assert set(english.labels) == {"few complaints, more likely active", "many complaints, less likely active"}
    assert set(chinese.labels) == {"投诉少、活跃可能高", "投诉多、活跃可能低"}
