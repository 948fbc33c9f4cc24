"""Business needs, written down and checked."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from crmkit import segmentation
from crmkit.core.errors import DataError, ExpressionError
from crmkit.metrics import wilson
from crmkit.segmentation import Difference, LargestSize, LeastSize, Reachable, SegmentCount, Stable
from crmkit.segmentation.over_time._needs import read_needs


@pytest.fixture
def segments(rfm):
    return segmentation.segment(rfm, n_segments=3, random_state=0).rename({0: "best", 1: "middle", 2: "last"})


@pytest.fixture
def customers(segments):
    """Give a table of consent, answers and later spending, by segment."""
    group = segments.segment_id
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "consent": random.random(300) < np.array([0.97, 0.8, 0.3])[group],
            "answered": (random.random(300) < np.array([0.6, 0.1, 0.1])[group]).astype(float),
            "later": random.gamma(4, np.array([50.0, 20.0, 19.0])[group]),
        },
        index=group.index,
    )


def met(report):
    """Give whether each row is met, by segment."""
    return dict(zip(report.table["segment"], report.table["met"], strict=True))


def test_the_number_of_segments_is_a_count(segments):
    assert segments.check(SegmentCount(2, 5)).ok
    report = segments.check(SegmentCount(4))
    assert report.unmet["reason"].tolist() == ["3 segments hold customers"]
    assert not segments.check(SegmentCount(1, 2)).ok


def test_least_share_is_held_against_an_interval_for_all_segments_together(segments):
    report = segments.check(LeastSize(share=0.3))
    assert met(report) == {"best": "no", "middle": "yes", "last": "unclear"}
    row = report.table.iloc[2]
    low, high = (float(end) for end in wilson(100, 300, level=1 - 0.05 / 3))
    assert (row["figure"], row["low"], row["high"], row["n"]) == pytest.approx((1 / 3, low, high, 300))
    assert row["level"] == pytest.approx(1 - 0.05 / 3)
    assert report.unclear["segment"].tolist() == ["last"]


def test_least_number_and_largest_share(segments):
    assert met(segments.check(LeastSize(customers=100))) == {"best": "no", "middle": "yes", "last": "yes"}
    assert met(segments.check(LargestSize(0.45))) == {"best": "yes", "middle": "unclear", "last": "yes"}
    assert met(segments.check(LargestSize(0.1)))["middle"] == "no"


def test_reach_is_a_condition_over_the_customer_table(segments, customers):
    report = segments.check(Reachable("consent == True", share=0.7), customers)
    assert met(report) == {"best": "yes", "middle": "unclear", "last": "no"}
    inside = segments.segment_id == 2
    assert report.table["figure"].iloc[2] == pytest.approx(customers["consent"][inside].mean())


def test_unknown_reach_counts_as_none_and_is_told(segments, customers):
    customers["consent"] = customers["consent"].astype(object)
    customers.loc[customers.index[segments.segment_id == 0][:30], "consent"] = None
    report = segments.check(Reachable("consent == True"), customers)
    row = report.table.iloc[0]
    assert row["met"] == "no"
    assert row["n"] == 60
    assert "unknown for 30 of them" in row["reason"]


def test_a_difference_of_means_has_welchs_interval(segments, customers):
    report = segments.check(Difference("later", at_least=50), customers)
    assert met(report)["best"] == "yes"
    first = segments.segment_id == 0
    interval = ttest_ind(customers["later"][first], customers["later"][~first], equal_var=False).confidence_interval(
        1 - 0.05 / 3
    )
    row = report.table.iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["against"] == "the rest"


def test_a_response_is_compared_by_shares(segments, customers):
    report = segments.check(Difference("answered", at_least=0.2), customers)
    assert met(report)["best"] == "yes"
    assert " points" in report.table["reason"].iloc[0]
    as_booleans = segments.check(Difference("answered", 0.2), customers.assign(answered=customers["answered"] == 1))
    assert as_booleans.table["low"].tolist() == report.table["low"].tolist()


def test_pairs_show_which_two_segments_do_not_differ(segments, customers):
    report = segments.check(Difference("later", at_least=10, between="pairs"), customers)
    table = report.table.set_index(["segment", "against"])["met"]
    assert table.to_dict() == {("best", "middle"): "yes", ("best", "last"): "yes", ("middle", "last"): table.iloc[2]}
    assert table.iloc[2] in {"no", "unclear"}
    wide = segments.check(Difference("later", at_least=60, between="pairs"), customers).table
    assert wide["met"].iloc[2] == "no"


def test_false_differences_are_as_rare_as_the_level_says(segments):
    noise = np.random.default_rng(0).normal(0, 1, (300, 300))
    table = pd.DataFrame(noise, columns=[f"n{column}" for column in range(300)], index=segments.segment_id.index)
    summary = segments.check([Difference(column) for column in table], table).table.groupby("need")["met"]
    wrong = summary.agg(lambda answers: (answers == "yes").any()).sum()
    # At most 5 % in all three segments together; 300 runs waver by 1.3 points.
    assert wrong / 300 <= 0.076


def test_values_that_are_missing_are_left_out_and_told(segments, customers):
    customers.loc[customers.index[segments.segment_id == 2], "later"] = np.nan
    report = segments.check(Difference("later"), customers)
    rows = report.table.set_index("segment")
    assert rows.loc["last", "met"] == "unclear"
    assert rows.loc["last", "reason"].startswith("no known later on one side")
    assert rows.loc["best", "n"] == 200
    assert "100 customers without a value left out" in rows.loc["best", "reason"]


def test_a_column_of_the_segmentation_is_no_evidence_and_said_so(segments, rfm):
    reasons = segments.check(Difference("monetary"), rfm).table["reason"]
    assert reasons.str.contains("the segments were made by this column").all()


def test_customers_without_segment_or_row_are_counted(segments, customers):
    table = customers.iloc[:250].copy()
    table.loc["stranger"] = table.iloc[0]
    report = segments.check(Reachable("consent == True"), table)
    assert report.notes == [
        "1 customers of the table were not segmented, and are left out",
        "50 customers in segments are not in the table; its figures do not know them",
    ]
    assert report.table["n"].sum() == 250
    assert report.notes[0] in repr(report)


def test_noise_is_left_out_and_counted(rfm):
    segments = segmentation.segment(
        rfm, "dbscan", transform="scale", params={"eps": 0.4, "min_samples": 10}, features=list(rfm.columns)
    )
    noise = int((segments.segment_id < 0).sum())
    assert noise > 0
    report = segments.check([LeastSize(share=0.01), Reachable("frequency > 0")], rfm)
    assert f"{noise:,} customers of the table are in no segment, and are left out" in report.notes
    assert report.table["n"].iloc[0] == 300


def test_a_segment_without_rows_in_the_table_is_unclear(segments, customers):
    table = customers[segments.segment_id > 0]
    report = segments.check([Reachable("consent == True"), Difference("later")], table)
    assert report.table["met"].iloc[0] == "unclear"
    assert report.table["reason"].iloc[0] == "none of its customers is in the table"
    assert report.table["reason"].iloc[3].startswith("no known later on one side")


def test_one_segment_differs_from_nothing(rfm):
    one = segmentation.segment(rfm, n_segments=1, random_state=0)
    report = one.check([Difference("monetary"), LeastSize(share=0.5)], rfm)
    assert report.table["met"].tolist() == ["no", "yes"]


def test_no_segments_meet_no_need(rfm):
    with pytest.warns(match="nobody into a segment"):
        none = segmentation.segment(
            rfm, "dbscan", transform="scale", params={"eps": 1e-9, "min_samples": 5}, features=list(rfm.columns)
        )
    assert none.check(SegmentCount()).table["reason"].tolist() == ["there are no segments"]


def test_needs_are_read_from_a_configuration_file(segments, customers):
    text = """
        [[needs]]
        need = "segment-count"
        low = 2
        [[needs]]
        need = "least-size"
        share = 0.1
        [[needs]]
        need = "difference"
        column = "later"
        at_least = 10.0
    """
    needs = tomllib.loads(text)["needs"]
    assert read_needs(needs) == [SegmentCount(2), LeastSize(share=0.1), Difference("later", 10.0)]
    report = segments.check(needs, customers)
    assert report.summary["need"].tolist() == [
        "at least 2 segments", "at least 10% of customers", "later differs by at least 10 from the rest",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("need", "message"),
    [
        ({"need": "least-sise", "share": 0.1}, "did you mean 'least-size'"),
        ({"share": 0.1}, "unknown need None"),
        ({"need": "least-size", "part": 0.1}, "has no 'part'; it has: share, customers"),
        ({"need": "reachable"}, "reachable lacks one of where, share"),
        ({"need": "largest-size", "share": 5}, "need 0: share must be a share"),
        ([], "no need to check"),
    ],
)
def test_what_is_no_need_is_refused(need, message):
    with pytest.raises(ValueError, match=message):
        read_needs(need)


def test_needs_of_another_type_are_refused():
    with pytest.raises(TypeError, match="need 1 must be a need"):
        read_needs([SegmentCount(), 5])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SegmentCount(0), lambda: SegmentCount(5, 3), LeastSize, lambda: LeastSize(0.1, 5),
        lambda: LeastSize(customers=0.5), lambda: LargestSize(0), lambda: Reachable("a == 1", share=True),
        lambda: Difference(""), lambda: Difference("a", -1), lambda: Difference("a", float("nan")),
        lambda: Difference("a", between="all"),
    ],
)  # fmt: skip
def test_needs_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must|either"):
        wrong()


def test_columns_that_are_not_there_are_named(segments, customers):
    with pytest.raises(ExpressionError, match=r"no column 'consnt' .did you mean 'consent'"):
        segments.check(Reachable("consnt == True"), customers)
    with pytest.raises(DataError, match="'amount'"):
        segments.check(Difference("amount"), customers)
    with pytest.raises(DataError, match="give the table in customers="):
        segments.check(Difference("later"))
    with pytest.raises(DataError, match="not numeric"):
        segments.check(Difference("word"), customers.assign(word="a"))
    with pytest.raises(DataError, match="infinite in row 0"):
        segments.check(Difference("later"), customers.assign(later=[np.inf, *[1.0] * 299]))
    with pytest.raises(DataError, match="must be a condition"):
        segments.check(Reachable("later * 2"), customers)
    with pytest.raises(DataError, match="are these the same customer ids"):
        segments.check(Reachable("consent == True"), customers.rename(index=lambda name: f"x{name}"))


def test_display_is_readable_and_escaped(segments, customers):
    report = segments.rename({"best": "<best>"}).check([SegmentCount(2), LeastSize(share=0.3)], customers)
    lines = repr(report).splitlines()
    assert lines[0] == "1 of 2 needs met; 1 no"
    assert "at least 30% of customers: no" in lines
    assert report.summary["segments"].tolist() == ["", "<best>"]
    assert "&lt;best&gt;" in report._repr_html_()
    assert not report.ok


def test_whether_segments_are_found_again_is_a_need(segments, rfm):
    report = segments.check(Stable(0.75, n_resamples=10), rfm)
    assert report.ok
    assert (report.table["level"] == 1 - 0.05 / 3).all()
    assert report.table["n"].tolist() == [60, 140, 100]
    assert "similarity" in report.table["reason"][0]
    found = segmentation.stability(segments, rfm, n_resamples=10, random_state=0)
    assert report.table["figure"].to_numpy() == pytest.approx(found["jaccard"].to_numpy())


def test_segments_that_a_cloud_was_cut_into_are_not_found_again():
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(400, 2)), columns=["a", "b"], index=pd.RangeIndex(400, name="customer_id"))
    segments = segmentation.segment(table, n_segments=7, transform="scale", features=["a", "b"], random_state=0)
    report = segments.check({"need": "stable", "jaccard": 0.75, "n_resamples": 10}, table)
    assert (report.table["met"] != "yes").any()
    assert not report.ok
    few = segments.check(Stable(n_resamples=5), table[segments.segment_id.reindex(table.index) != 3])
    assert met(few)[segments.names[3]] == "unclear"


def test_whether_segments_are_found_again_asks_for_their_columns(segments, rfm):
    with pytest.raises(DataError, match="give the table in customers="):
        segments.check(Stable())
    with pytest.raises(DataError, match="'monetary'"):
        segments.check(Stable(), rfm.drop(columns="monetary"))
    with pytest.raises(ValueError, match="one resample has no interval"):
        Stable(n_resamples=1)
