"""Named segments by scores: everybody in exactly one, frozen, told where one holds most, in both languages."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit import preparation, segmentation
from crmkit.core.errors import DataError
from crmkit.segmentation import RfmRules, SegmentationModel, rfm_segment_map

TWO = [{"segment": "high", "worth_low": 2}, {"segment": "low", "worth_high": 1}]
CDNOW_CUTS = {"recency_days": [30, 90, 180, 365], "frequency": [1, 2, 4, 8], "monetary": [20, 50, 100, 250]}
RETAIL_CUTS = {"recency_days": [30, 90, 180, 365], "frequency": [1, 2, 4, 9], "monetary": [250, 500, 1500, 4000]}


@parametrize_with_checks([RfmRules(), RfmRules(TWO, scoring="jenks", n_scores=2)])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def named(rules, X):
    return np.array(rules.segment_names_)[rules.predict(X)].tolist()


def test_recent_customers_score_high():
    days = np.arange(1.0, 101.0)
    scores = RfmRules().fit(np.column_stack([days, days])).scores(np.column_stack([days, days]))
    assert scores[:, 0].tolist() == np.repeat([5, 4, 3, 2, 1], 20).tolist()
    assert scores[:, 1].tolist() == np.repeat([1, 2, 3, 4, 5], 20).tolist()


def test_best_are_champions_and_worst_are_lost():
    days = np.arange(1.0, 51.0)
    rules = RfmRules().fit(np.column_stack([days, days[::-1], days[::-1]]))
    names = named(rules, np.column_stack([days, days[::-1], days[::-1]]))
    assert (names[0], names[-1]) == ("champions", "lost")
    assert named(rules, [[400.0, 50.0, 50.0], [1.0, 1.0, 1.0]]) == ["cannot lose", "new"]


def test_recency_turned_round_makes_the_best_the_ones_to_win_back():
    days = np.arange(1.0, 51.0)
    table = pd.DataFrame({"recency_days": days, "frequency": days[::-1], "monetary": days[::-1]})
    turned = RfmRules(small_is_good=[]).fit(table)
    assert named(turned, table)[0] == "cannot lose"
    assert any("in 'recency_days' large is scored as good" in note for note in turned.notes_)


def test_recency_is_found_wherever_it_stands():
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.integers(1, 400, (300, 3)), columns=["recency_days", "frequency", "monetary"])
    for order in itertools.permutations(table.columns):
        moved = table[list(order)]
        assert named(RfmRules().fit(moved), moved) == named(RfmRules().fit(table), table)


def test_new_values_are_placed_by_the_old_cuts():
    days = np.arange(1.0, 101.0)
    rules = RfmRules().fit(np.column_stack([days, days]))
    new = np.array([[20.4, 20.4], [20.6, 20.6], [-5.0, 1e9]])
    assert rules.scores(new).tolist() == [[5, 1], [4, 2], [5, 5]]
    assert rules.scores(new[:1]).tolist() == [[5, 1]]
    assert [cuts.tolist() for cuts in rules.cuts_] == [[20.5, 40.5, 60.5, 80.5]] * 2


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 30), st.just(3)), elements=st.integers(-5, 5).map(float)),
    st.sampled_from(["eleven", "ten", "eight"]),
    st.sampled_from(["quantiles", "jenks"]),
)
def test_everybody_is_in_exactly_one_named_segment_and_equals_are_together(values, segments, scoring):
    rules = RfmRules(segments, scoring=scoring).fit(values)
    assert ((rules.labels_ >= 0) & (rules.labels_ < len(rules.segment_names_))).all()
    np.testing.assert_array_equal(rules.predict(values), rules.labels_)
    _, place = np.unique(values, axis=0, return_inverse=True)
    for group in range(place.max() + 1):
        assert len(np.unique(rules.labels_[np.ravel(place) == group])) == 1


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 30), st.just(3)), elements=st.integers(1, 50).map(float)))
def test_a_rising_transform_changes_no_segment_by_quantiles(values):
    np.testing.assert_array_equal(RfmRules().fit_predict(values), RfmRules().fit_predict(np.log1p(values)))


def test_one_column_is_refused():
    with pytest.raises(ValueError, match="minimum of 2"):
        RfmRules().fit([[1.0], [2.0]])


def test_missing_values_are_named_by_column_and_row():
    with pytest.raises(DataError, match=r"'frequency' is missing \(NaN\) in row 1"):
        RfmRules().fit([[1.0, 2.0], [3.0, np.nan]])


def test_a_large_segment_is_told_with_the_ties_that_make_it():
    frequency = np.repeat([1.0, 2.0, 5.0], [70, 20, 10])
    table = pd.DataFrame({"recency_days": np.arange(100) % 10, "frequency": frequency, "monetary": frequency * 10})
    rules = RfmRules([{"segment": "many", "frequency_low": 3}, {"segment": "few", "frequency_high": 2}]).fit(table)
    (note,) = rules.notes_
    assert note == (
        "'few' holds 70.0% of the customers (70 of 100; 2 of 5 combinations of scores), because "
        "70.0% have frequency 1, and equal values get equal scores (2 of 5)"
    )


def test_ties_that_crowd_one_score_without_filling_it_are_told():
    # Two values of 190 customers, whose middle ranks .405 and .595 both lie in the third fifth.
    frequency = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [155, 155, 190, 190, 155, 155])
    table = pd.DataFrame({"recency_days": np.arange(1000) % 50, "frequency": frequency})
    rules = RfmRules(
        [
            {"segment": "middle", "where": "frequency in (2, 3)"},
            {"segment": "others", "where": "frequency not in (2, 3)"},
        ]
    ).fit(table)
    assert any(
        note.endswith("38.0% have frequency from 3 to 4 (score 3 of 5: large ties whose middle ranks share a score)")
        for note in rules.notes_
    )


def test_a_segment_that_is_large_by_its_map_says_so():
    values = np.arange(1.0, 101.0)
    rules = RfmRules(
        [{"segment": "most", "recency_low": 2}, {"segment": "old", "recency_high": 1}]
    ).fit(np.column_stack([values, values]))  # fmt: skip
    (note,) = rules.notes_
    assert note == (
        "'most' holds 80.0% of the customers (80 of 100; 4 of 5 combinations of scores), because "
        "the map gives it that many combinations of scores"
    )


def test_a_segment_that_is_large_because_columns_go_together_says_so():
    values = np.arange(1.0, 101.0)
    rules = RfmRules("eight").fit(np.column_stack([values[::-1], values, values]))
    (note,) = rules.notes_
    assert note == (
        "'general: win back' holds 60.0% of the customers (60 of 100; 27 of 125 combinations of scores), because "
        "the columns go together: who scores low or high in one does so in the others"
    )


def test_one_customer_is_said_to_be_one():
    rules = RfmRules().fit([[3.0, 2.0, 10.0]])
    (note,) = rules.notes_
    assert note == (
        "'need attention' holds 100.0% of the customers (1 of 1; 1 of 25 combinations of scores), because "
        "there is one customer only"
    )


def test_no_segment_above_two_in_five_means_no_note():
    values = np.arange(1.0, 101.0)
    assert RfmRules().fit(np.column_stack([values, values[::-1], values[::-1]])).notes_ == []


def test_notes_stand_in_the_choice_the_print_and_the_page(rfm):
    params = {"scoring": "fixed", "cuts": {"recency_days": [1, 2, 3, 4], "frequency": [50, 60, 70, 80],
                                           "monetary": [1e6, 2e6, 3e6, 4e6]}}  # fmt: skip
    segments = segmentation.segment(rfm, "rfm-rules", params=params)
    (note,) = [note for note in segments.segmenter.notes_ if "'lost'" in note]
    assert "the cuts that were given leave them together" in note
    assert note in segments.choice.reason
    assert note in str(segments)
    assert "the cuts that were given leave them together" in segments._repr_html_()


def test_notes_stand_in_the_report(rfm, tmp_path):
    once = rfm.assign(frequency=np.where(np.arange(300) < 240, 1, rfm["frequency"]))
    params = {"segments": [{"segment": "few", "frequency_high": 3}, {"segment": "many", "frequency_low": 4}]}
    segments = segmentation.segment(once, "rfm-rules", params=params)
    crmkit.write_report(tmp_path / "report.html", segments)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "have frequency 1, and equal values get equal scores" in page


def test_a_refit_keeps_map_and_direction(rfm):
    segments = segmentation.segment(rfm, "rfm-rules", features=["monetary", "frequency", "recency_days"], language="zh")
    again = segments.refit(rfm.assign(recency_days=rfm["recency_days"] + 30))
    # Everybody is a month older, and quantiles are taken anew: nobody moves.
    pd.testing.assert_series_equal(again.labels, segments.labels)
    assert again.segmenter.scorer_.small_is_good_ == [False, False, True]


def test_the_first_column_taken_for_recency_is_told(rfm):
    table = rfm.rename(columns={"recency_days": "tickets"})
    segments = segmentation.segment(table, "rfm-rules", features=["tickets", "frequency", "monetary"])
    assert "no column is named like recency: the first, 'tickets', is scored as such" in segments.choice.reason


def test_segment_hands_the_names_so_that_recency_may_stand_anywhere(rfm):
    first = segmentation.segment(rfm, "rfm-rules")
    moved = segmentation.segment(rfm, "rfm-rules", features=["monetary", "frequency", "recency_days"])
    pd.testing.assert_series_equal(moved.labels, first.labels)
    assert moved.segmenter.scorer_.small_is_good_ == [False, False, True]


def test_names_are_chinese_where_the_language_is(rfm):
    english, chinese = (segmentation.segment(rfm, "rfm-rules", language=language) for language in ("en", "zh"))
    translated = dict(
        zip(rfm_segment_map()["segment"], rfm_segment_map(language="zh")["segment"], strict=True)
    )  # fmt: skip
    assert english.labels.map(translated).tolist() == chinese.labels.tolist()
    assert "冠军客户" in chinese.profile.index


def test_names_of_an_own_map_are_left_alone(rfm):
    segments = segmentation.segment(rfm, "rfm-rules", params={"segments": TWO, "n_scores": 2}, language="zh")
    assert set(segments.labels) == {"high", "low"}


def test_an_instance_keeps_its_own_language(rfm):
    segments = segmentation.segment(rfm, RfmRules("ten", language="zh"))
    assert set(segments.labels) <= set(rfm_segment_map("ten", language="zh")["segment"])


def test_the_frozen_scorer_scores_the_next_table(rfm):
    segments = segmentation.segment(rfm, "rfm-rules")
    later = rfm.assign(recency_days=rfm["recency_days"] + 30)
    scores = segmentation.rfm_scores(later, segments.segmenter.scorer_)
    np.testing.assert_array_equal(
        scores.iloc[:, :3], segments.segmenter.scores(later[list(segments.features)].to_numpy())
    )
    assert segments.compare(later).moved > 0


def test_parameters_go_in_by_name(rfm):
    segments = segmentation.segment(rfm, "rfm-rules", params={"segments": "eight", "scoring": "jenks", "n_scores": 2})
    assert len(segments.segmenter.segment_names_) == 8
    with pytest.raises(DataError, match=r"rfm-rules could not be fitted .* no segment covers"):
        segmentation.segment(rfm, "rfm-rules", params={"segments": TWO[:1], "n_scores": 2})


@pytest.mark.parametrize(
    "params",
    [
        {"segments": rfm_segment_map("ten").rename(index=str)},
        {"segments": TWO, "scoring": "jenks", "n_scores": 2},
        {"scoring": "fixed", "cuts": CDNOW_CUTS},
    ],
)
def test_a_model_is_saved_without_pickle(rfm, params, tmp_path):
    first = segmentation.segment(rfm, "rfm-rules", params=params)
    crmkit.save(first, tmp_path / "segments.crmkit")
    second = crmkit.load(tmp_path / "segments.crmkit", expect=SegmentationModel)
    pd.testing.assert_series_equal(second.predict(rfm * 1.1), first.predict(rfm * 1.1))
    pd.testing.assert_frame_equal(second.segmenter.segment_map, first.segmenter.segment_map)
    assert second.choice.reason == first.choice.reason


@pytest.fixture(scope="module")
def cdnow_rfm(data_file):
    """Give all 23,570 customers of CDNOW on 1998-07-01."""
    columns = ["customer_id", "date", "cds", "amount"]
    purchases = pd.read_csv(
        data_file("cdnow/CDNOW_master.txt"),
        sep=r"\s+",
        names=columns,
        skiprows=1,
        dtype={"date": str, "customer_id": str},
    )
    dates = pd.to_datetime(purchases["date"], format="%Y%m%d")
    purchases["day"] = (dates - pd.Timestamp("1970-01-01")).dt.days
    return preparation.rfm_table(purchases[["customer_id", "day", "amount"]], cutoff="1998-07-01")


@pytest.fixture(scope="module")
def retail_rfm(data_file):
    """Give the 4,314 customers of Online Retail II on 2010-12-10, refunds netted."""
    pytest.importorskip("pyarrow")
    columns = ["Quantity", "InvoiceDate", "Price", "Customer ID"]
    lines = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"), columns=columns)
    lines = lines[lines["Customer ID"].notna()]
    sales = pd.DataFrame(
        {
            "customer_id": lines["Customer ID"].astype("int64").astype(str),
            "day": (pd.to_datetime(lines["InvoiceDate"]) - pd.Timestamp("1970-01-01")).dt.days,
            "amount": lines["Quantity"] * lines["Price"],
        }
    )
    with pytest.warns(match="customers have no purchase"):
        return preparation.rfm_table(sales, cutoff="2010-12-10", refunds="net")


def assert_partition_with_reasons(table, params):
    """Everybody in exactly one named segment; whichever holds more than 40 % is named with its reason; others not."""
    rules = RfmRules(**params).fit(table)
    assert len(rules.labels_) == len(table)
    held = np.bincount(rules.labels_, minlength=len(rules.segment_names_)) / len(table)
    assert held.sum() == pytest.approx(1)
    for name, share in zip(rules.segment_names_, held, strict=True):
        told = [note for note in rules.notes_ if note.startswith(f"{name!r} holds {share:.1%} of the customers")]
        assert len(told) == (share > 0.4)
        assert all("because" in note for note in told)
    return dict(zip(rules.segment_names_, held.tolist(), strict=True)), rules.notes_


@pytest.mark.parametrize("segments", ["eleven", "ten", "eight"])
@pytest.mark.parametrize("scoring", ["quantiles", "jenks", "fixed"])
def test_cdnow_is_parted_and_a_segment_above_two_in_five_says_why(cdnow_rfm, segments, scoring):
    cuts = CDNOW_CUTS if scoring == "fixed" else None
    assert len(cdnow_rfm) == 23_570
    assert_partition_with_reasons(cdnow_rfm, {"segments": segments, "scoring": scoring, "cuts": cuts})


def test_cdnow_by_default_has_no_segment_above_two_in_five(cdnow_rfm):
    shares, notes = assert_partition_with_reasons(cdnow_rfm, {})
    assert max(shares, key=shares.get) == "champions"
    assert max(shares.values()) == pytest.approx(0.264, abs=0.001)
    assert notes == []


def test_cdnow_names_single_purchases_as_the_reason(cdnow_rfm):
    once = (cdnow_rfm["frequency"] == 1).mean()
    shares, notes = assert_partition_with_reasons(cdnow_rfm, {"segments": "eight"})
    assert shares["general: win back"] == pytest.approx(0.503, abs=0.001)
    assert notes[0].endswith(
        f"because {once:.1%} have frequency 1, and equal values get equal scores (2 of 5)"
    )  # fmt: skip
    _, notes = assert_partition_with_reasons(cdnow_rfm, {"scoring": "fixed", "cuts": CDNOW_CUTS})
    assert "64.6% have recency_days from 366 to 546" in notes[0]


@pytest.mark.parametrize("segments", ["eleven", "ten", "eight"])
@pytest.mark.parametrize("scoring", ["quantiles", "jenks", "fixed"])
def test_online_retail_is_parted_and_a_segment_above_two_in_five_says_why(retail_rfm, segments, scoring):
    cuts = RETAIL_CUTS if scoring == "fixed" else None
    shares, notes = assert_partition_with_reasons(
        retail_rfm, {"segments": segments, "scoring": scoring, "cuts": cuts}
    )  # fmt: skip
    if scoring == "quantiles":
        assert max(shares.values()) < 0.4
        assert notes == []
