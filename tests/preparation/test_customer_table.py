from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import customer_table, rfm_table


@pytest.fixture
def sales():
    """Give purchases of two customers; day 2 was a Saturday."""
    return pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "a", "b"],
            "day": [2, 12, 32, 33, 20],
            "amount": [10.0, 20.0, 30.0, -6.0, 40.0],
            "product_id": ["p", "q", "p", "p", "r"],
        }
    )


def test_purchases_and_habits_stand_side_by_side(sales):
    table = customer_table(sales, cutoff=40).table
    assert table[["recency_days", "frequency", "monetary"]].equals(rfm_table(sales, cutoff=40))
    a = table.loc["a"]
    assert a["tenure_days"] == 38
    assert a["mean_spend"] == pytest.approx(54 / 3)
    assert a["mean_gap_days"] == 15.0
    assert a["gap_variation"] == pytest.approx(np.std([10, 20], ddof=1) / 15)
    assert a["weekend_share"] == pytest.approx(1 / 3)
    assert a["refund_share"] == pytest.approx(6 / 60)
    assert a["products"] == 2


def test_what_cannot_be_said_is_missing_not_invented(sales):
    b = customer_table(sales, cutoff=40).table.loc["b"]
    assert np.isnan(b["mean_gap_days"])
    assert np.isnan(b["gap_variation"])
    assert b["refund_share"] == 0.0


def test_nothing_after_the_cutoff_changes_a_column(sales):
    later = pd.DataFrame({"customer_id": ["a", "z"], "day": [40, 41], "amount": 1e9, "product_id": "x"})
    answers = pd.DataFrame({"customer_id": ["a", "a"], "day": [30, 40], "score": [5, 1]})
    calls = pd.DataFrame({"customer_id": ["a", "a"], "day": [39, 40], "channel": ["mail", "phone"]})
    one = customer_table(sales, feedback=answers[:1], communications=calls[:1], cutoff=40).table
    two = customer_table(pd.concat([sales, later]), feedback=answers, communications=calls, cutoff=40).table
    pd.testing.assert_frame_equal(one, two)


def test_answers_are_averaged_by_question(sales):
    answers = pd.DataFrame(
        {"customer_id": ["a", "a", "b", "z"], "day": [1, 35, 9, 9], "score": [9, 7, 3, 3], "question": list("xxyy")}
    )
    table = customer_table(sales, feedback=answers, cutoff=40).table
    assert table["score_x"].tolist()[0] == 8.0
    assert np.isnan(table.loc["b", "score_x"])
    assert table.loc["b", "score_y"] == 3.0
    assert table["answers"].tolist() == [2, 1]
    assert table["answer_days"].tolist() == [5.0, 31.0]


def test_one_question_is_one_score(sales):
    answers = pd.DataFrame({"customer_id": ["a"], "day": [1], "score": [4.0], "question": ["x"]})
    table = customer_table(sales, feedback=answers, cutoff=40).table
    assert table["score"].tolist()[0] == 4.0
    assert np.isnan(table.loc["b", "score"])
    assert table.loc["b", "answers"] == 0


def test_answers_without_a_time_are_left_out_and_counted(sales):
    time = pd.to_datetime(["1970-01-05", None])
    answers = pd.DataFrame({"customer_id": ["a", "a"], "time": time, "score": [4.0, 1.0]})
    with pytest.warns(DataWarning, match="1 answers have no time") as caught:
        table = customer_table(sales, feedback=answers, cutoff=40).table
    assert caught[0].filename == __file__
    assert table.loc["a", "score"] == 4.0


def test_contacts_are_counted(sales):
    calls = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "day": [1, 2, 30, 5],
            "direction": ["in", "呼出", "sideways", None],
            "channel": ["phone", "phone", "mail", None],
            "duration": [60.0, np.nan, 30.0, 5.0],
        }
    )
    table = customer_table(sales, communications=calls, cutoff=40).table
    assert table.loc["a", ["contacts", "contact_days", "inbound_share", "channels", "contact_seconds"]].tolist() == [
        3.0,
        10.0,
        0.5,
        2.0,
        90.0,
    ]
    assert np.isnan(table.loc["b", "inbound_share"])
    assert table.loc["b", "channels"] == 0


def test_the_customers_own_columns_come_first_and_names_must_differ(sales):
    people = pd.DataFrame({"customer_id": ["b", "a", "z"], "city": ["York", "Leeds", "Bath"]})
    table = customer_table(sales, customers=people, cutoff=40).table
    assert table.columns[0] == "city"
    assert table["city"].tolist() == ["Leeds", "York"]
    with pytest.raises(DataError, match="two tables give the column monetary"):
        customer_table(sales, customers=people.assign(monetary=1.0), cutoff=40)


def test_constant_and_redundant_columns_are_reported_and_left_out_of_the_useful_ones():
    day = np.arange(300)
    who = np.random.default_rng(0).integers(0, 60, 300)
    table = pd.DataFrame({"customer_id": [f"c{number}" for number in who], "day": day, "amount": 10.0})
    people = pd.DataFrame({"customer_id": [f"c{number}" for number in range(60)], "country": "UK", "size": None})
    found = customer_table(table, customers=people, cutoff=300)
    assert found.constant == ["country", "size", "mean_spend", "refund_share"]
    redundant = found.redundant.set_index("column")["like"].to_dict()
    assert redundant["monetary"] == "frequency"
    assert not set(found.useful.columns) & {*found.constant, *redundant}
    assert "monetary is like frequency" in repr(found)
    assert "country" in repr(found)
    assert "like frequency" in found._repr_html_()


def test_online_retail_fits_in_one_table(online_retail):
    with pytest.warns(DataWarning, match="69 of 4,383"):
        found = customer_table(online_retail, cutoff="2010-12-10")
    assert len(found.table) == 4314
    assert found.table[["recency_days", "frequency", "monetary", "products", "weekend_share"]].notna().all().all()
    # The shop is closed on Saturdays: what weekend purchases there are fall on Sundays.
    saturday = (online_retail["day"] - 2) % 7 == 0
    assert saturday.mean() < 0.01
