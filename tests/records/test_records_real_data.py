"""Reading public files, with the counts that their publishers or the files themselves give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import records
from crmkit.records._csv import read_csv


@pytest.fixture(scope="module")
def retail(data_file):
    pytest.importorskip("pyarrow")
    return records.read(
        data_file("online_retail_ii/online_retail_II_2009_2010.parquet"),
        records.TRANSACTIONS,
        on_error="set-aside",
        currency="GBP",
        timezone="Europe/London",
        columns={
            "customer_id": "Customer ID",
            "time": "InvoiceDate",
            "order_id": "Invoice",
            "quantity": "Quantity",
            "unit_price": "Price",
        },
    )


class TestOnlineRetail:
    """Chen (2019), Online Retail II, doi:10.24432/C5CG6D."""

    def test_lines_without_a_customer_are_set_aside_with_that_reason(self, retail):
        assert retail.report.n_rows == 525_461
        assert dict(retail.report.reasons) == {"customer_id: missing": 107_927}
        assert retail.set_aside["reason"].eq("customer_id: missing").all()
        assert retail.report.n_customers == 4_383

    def test_cancellations_stay_as_negative_amounts(self, retail):
        cancelled = retail.table[retail.table["order_id"].str.startswith("C")]
        assert len(cancelled) == 9_839
        assert (cancelled["amount"] < 0).all()
        assert retail.report.counts["amount below zero"] == 9_839

    def test_lines_at_a_price_of_zero_stay_and_are_counted(self, retail):
        assert retail.report.counts["unit_price of zero"] == (retail.table["unit_price"] == 0).sum() == 31

    def test_bad_debt_lines_have_no_customer(self, retail):
        debt = retail.set_aside[retail.set_aside["Invoice"].str.startswith("A")]
        assert len(debt) == 3
        assert debt["Price"].tolist() == [-53594.36, -44031.79, -38925.87]

    def test_amounts_are_quantity_times_price(self, retail):
        table = retail.table
        np.testing.assert_array_equal(table["amount"], table["quantity"] * table["unit_price"])

    def test_ids_are_text_and_times_are_london_time(self, retail):
        assert retail.table["customer_id"].iloc[0] == "13085"
        assert retail.report.first == pd.Timestamp("2009-12-01 07:45", tz="UTC")
        summer = retail.table["time"].dt.tz_convert("Europe/London").dt.hour
        assert summer.between(6, 21).all()

    def test_original_cells_are_kept_for_what_is_set_aside(self, retail):
        assert retail.set_aside.iloc[0]["InvoiceDate"] == "2009-12-01 10:52:00"
        assert sorted([*retail.rows, *retail.set_aside["row"]]) == list(range(525_461))


def test_cdnow_purchases_are_read_from_digits_as_dates(data_file):
    """Fader & Hardie (2001): 69,659 rows of 23,570 customers."""
    frame = pd.read_csv(data_file("cdnow/CDNOW_master.txt"), sep=r"\s+", dtype=str)
    loaded = records.read(frame, records.TRANSACTIONS, columns={"quantity": "number_of_cds"}, currency="USD")
    assert loaded.report.n_valid == 69_659
    assert loaded.report.n_customers == 23_570
    assert loaded.report.counts["amount of zero"] == 80
    assert loaded.report.counts["lines equal to an earlier line"] == 255
    assert loaded.table["amount"].sum() == pytest.approx(2_500_315.63)
    assert loaded.table["customer_id"].iloc[0] == "00001"
    assert loaded.report.first == pd.Timestamp("1997-01-01", tz="UTC")


def test_olist_reviews_are_feedback_in_a_third_language(data_file):
    loaded = records.read(
        data_file("olist/olist_order_reviews_dataset.csv"),
        records.FEEDBACK,
        columns={"customer_id": "order_id", "order_id": "order_id"},
        timezone="America/Sao_Paulo",
        on_error="set-aside",
    )
    assert loaded.report.n_rows == 6_123
    assert len(loaded.set_aside) == 0
    assert loaded.table["score"].isin([1, 2, 3, 4, 5]).all()
    assert loaded.table["text"].notna().mean() == pytest.approx(0.42, abs=0.01)
    assert loaded.table["text"].dropna().str.contains("ã").any()


def test_telco_customers_keep_their_columns_as_they_were(data_file):
    loaded = records.read(data_file("telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"), records.CUSTOMERS)
    assert loaded.report.n_customers == loaded.report.n_rows == 7_043
    assert loaded.table["gender"].value_counts().to_dict() == {"Male": 3_555, "Female": 3_488}
    assert (loaded.table["TotalCharges"] == " ").sum() == 11


def test_movielens_ratings_are_read_from_seconds_since_1970(data_file):
    loaded = records.read(data_file("movielens_small/ratings.csv"), records.RATINGS)
    assert loaded.report.n_rows == 100_004
    assert loaded.report.headers["item_id"] == "movieId"
    assert loaded.table["rating"].isin(np.arange(0.5, 5.5, 0.5)).all()
    assert loaded.table["time"].iloc[0] == pd.Timestamp(1260759144, unit="s", tz="UTC")


def test_waimai_reviews_are_the_same_in_utf8_and_gbk(data_file, tmp_path):
    text = data_file("waimai_10k/waimai_10k.csv").read_text(encoding="utf-8")
    path = tmp_path / "gbk.csv"
    path.write_text(text, encoding="gb18030")
    schema = records.FEEDBACK
    columns = {"customer_id": "label", "score": "label", "text": "review", "label": None}
    one = records.read(data_file("waimai_10k/waimai_10k.csv"), schema, columns=columns)
    other = records.read(path, schema, columns=columns)
    assert other.report.encoding == "gb18030"
    assert one.report.n_valid == other.report.n_valid == 11_987
    pd.testing.assert_frame_equal(one.table, other.table)


def test_satisfaction_marks_of_service_dialogues_are_a_long_questionnaire(data_file):
    """Sun et al. (2021): 1,000 sessions; each user turn has marks of three or more annotators."""
    sessions = data_file("uss/SGD.txt").read_text(encoding="utf-8").strip().split("\n\n")
    rows = []
    for number, session in enumerate(sessions):
        for line in session.splitlines():
            role, text, _, marks, *_ = [*line.split("\t"), "", "", ""]
            if role == "USER":
                question = "session" if text == "OVERALL" else "turn"
                rows += [(f"d{number}", question, mark) for mark in marks.split(",")]
    source = dict(zip(("customer_id", "question", "score"), map(list, zip(*rows, strict=True)), strict=True))
    loaded = records.questionnaire(source, {"session": (1, 5), "turn": (1, 5)}, layout="long")
    assert len(sessions) == 1_000
    assert loaded.report.n_rows == len(rows)
    assert loaded.report.n_valid == sum(mark in {"1", "2", "3", "4", "5"} for _, _, mark in rows)
    assert loaded.table["customer_id"].nunique() == 1_000
    assert 0.6 < (loaded.table["score"] == 3).mean() < 0.8


def test_incidents_are_events_whose_equal_lines_are_counted(data_file):
    """Steeman (2013), doi:10.4121/uuid:500573e6-accc-4b0c-9576-aa5468b10cee: 65,533 events, 2,984 equal to another."""
    loaded = records.read(
        data_file("bpi13_incidents/bpi_13_incidents.csv"),
        records.EVENTS,
        columns={"customer_id": "CaseID", "event": "ActivityID", "time": "CompleteTimestamp"},
    )
    assert loaded.report.n_customers == 7_554
    assert loaded.report.counts["lines equal to an earlier line"] == 2_984


def test_messages_with_line_ends_inside_are_whole_rows(data_file):
    """Casanueva et al. (2020): 10,003 training messages."""
    path = data_file("banking77/train.csv")
    ours, pandas = read_csv(path).frame, pd.read_csv(path)
    assert len(ours) == 10_003
    assert ours["text"].tolist() == pandas["text"].tolist()
