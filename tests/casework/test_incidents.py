"""Signs in several tables become one case an incident."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from crmkit.casework import Rule, cases_from
from crmkit.core.errors import DataError, DataWarning

MARK = Rule(name="low mark", table="marks", where="score <= 2", urgency=1)
COMPLAINT = Rule(name="complaint", table="messages", where="label in ('delay', '退款')", cause_from="label", urgency=2)
CANCELLED = Rule(name="cancelled", table="sales", where="amount < 0", key="order_id", cause="cancelled")
AGAIN = Rule(name="contacts again", table="messages", repeats=3, days=7)
LATE = Rule(name="late", table="orders", key="order_id", due="promised_time", done="delivered_time", cause="delay")


def day(number, hour=10):
    return pd.Timestamp(f"2026-03-{number:02d}T{hour:02d}:00Z")


def table(rows, columns):
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def tables():
    return {
        "sales": table(
            [("a", "7", -20.0, day(2)), ("a", "7", -5.0, day(2)), ("b", "8", 30.0, day(2)), ("b", "9", -1.0, day(20))],
            ["customer_id", "order_id", "amount", "time"],
        ),
        "marks": table([("a", 1, day(4)), ("b", 5, day(4)), ("c", 2, day(4))], ["customer_id", "score", "time"]),
        "messages": table(
            [
                ("a", "delay", 0.9, day(3)),
                ("c", "退款", 0.4, day(6)),
                ("c", "other", 0.9, day(7)),
                ("c", "other", 0.9, day(25)),
            ],
            ["customer_id", "label", "confidence", "time"],
        ),
        "orders": table(
            [
                ("d", "1", day(2), day(3)),
                ("d", "2", day(3), day(2)),
                ("d", "3", day(4), pd.NaT),
                ("d", "4", day(28), pd.NaT),
            ],
            ["customer_id", "order_id", "promised_time", "delivered_time"],
        ),
    }


def test_signs_of_one_order_and_of_days_around_it_are_one_case(tables):
    cases = cases_from(tables, [CANCELLED, COMPLAINT, MARK], as_of=day(26)).set_index("case_id")
    assert cases.index.tolist() == ["order_id:7", "c@2026-03-04T10:00:00Z", "order_id:9"]
    first = cases.loc["order_id:7"]
    assert first[["customer_id", "rules", "cause", "label", "confidence", "urgency", "amount", "signs"]].tolist() == [
        "a", "cancelled; complaint; low mark", "cancelled", "delay", 0.9, 2.0, 25.0, 4,
    ]  # fmt: skip
    assert (first["time"], first["last_time"]) == (day(2), day(4))
    assert json.loads(first["evidence"]) == [
        {"rule": "cancelled", "table": "sales", "row": 0},
        {"rule": "cancelled", "table": "sales", "row": 1},
        {"rule": "complaint", "table": "messages", "row": 0},
        {"rule": "low mark", "table": "marks", "row": 0},
    ]
    second = cases.loc["c@2026-03-04T10:00:00Z"]
    assert second[["rules", "cause", "label", "confidence", "signs"]].tolist() == [
        "complaint; low mark",
        "退款",
        "退款",
        0.4,
        2,
    ]
    assert np.isnan(second["amount"])


def test_signs_further_apart_than_the_limit_are_two_cases(tables):
    assert len(cases_from(tables, [COMPLAINT, MARK], as_of=day(26), within_days=1.5)) == 3
    assert len(cases_from(tables, [COMPLAINT, MARK], as_of=day(26), within_days=2)) == 2


def test_the_same_incident_has_the_same_id_the_next_day(tables):
    before = cases_from(tables, [COMPLAINT, MARK], as_of=day(5))
    after = cases_from(tables, [COMPLAINT, MARK], as_of=day(26))
    assert set(before["case_id"]) <= set(after["case_id"])
    assert before["signs"].sum() < after["signs"].sum()


def test_an_incident_keeps_the_id_of_the_case_that_it_made_whatever_comes_to_it():
    rules = [CANCELLED, COMPLAINT]
    message = table([("z", "delay", day(5))], ["customer_id", "label", "time"])
    order = table([("z", "77", -3.0, day(6))], ["customer_id", "order_id", "amount", "time"])
    first = cases_from({"sales": order.iloc[:0], "messages": message}, rules, as_of=day(5, 20))
    assert first["case_id"].tolist() == ["z@2026-03-05T10:00:00Z"]
    both = {"sales": order, "messages": message}
    assert cases_from(both, rules, as_of=day(26))["case_id"].tolist() == ["order_id:77"]
    assert (
        cases_from(both, rules, as_of=day(26), known=first["case_id"])["case_id"].tolist() == first["case_id"].tolist()
    )
    # A sign that was late to come in, but is earlier.
    earlier = pd.concat([table([("z", "delay", day(3))], ["customer_id", "label", "time"]), message])
    again = cases_from(
        {**both, "sales": order.iloc[:0], "messages": earlier}, rules, as_of=day(26), known=first["case_id"]
    )
    assert again[["case_id", "signs"]].to_numpy().tolist() == [["z@2026-03-05T10:00:00Z", 2]]
    assert again["time"].tolist() == [day(3)]


def test_signs_are_one_incident_as_long_as_each_is_near_the_one_before():
    messages = table([("x", "delay", day(number)) for number in (1, 7, 13, 21)], ["customer_id", "label", "time"])
    cases = cases_from({"messages": messages}, [COMPLAINT], as_of=day(26))
    assert cases["signs"].tolist() == [3, 1]


def test_the_third_contact_in_a_week_is_a_sign(tables):
    messages = table(
        [(who, day(number)) for who, number in [("x", 1), ("x", 9), ("y", 5), ("x", 3), ("x", 8), ("y", 6), ("x", 20)]],
        ["customer_id", "time"],
    )
    cases = cases_from({**tables, "messages": messages}, [AGAIN], as_of=day(26))
    # Days 1, 3, 8 are within a week; so are 3, 8, 9; nothing else is.
    assert json.loads(cases["evidence"][0]) == [
        {"rule": "contacts again", "table": "messages", "row": row} for row in (4, 1)
    ]
    assert len(cases) == 1
    assert len(cases_from(tables, [AGAIN], as_of=day(26))) == 0


def test_a_missed_deadline_is_late_or_not_done_by_now(tables):
    cases = cases_from(tables, [LATE], as_of=day(26))
    assert cases["case_id"].tolist() == ["order_id:1", "order_id:3"]
    assert cases["time"].tolist() == [day(2), day(4)]
    assert cases["cause"].unique().tolist() == ["delay"]


def test_value_at_stake_and_the_customer_stand_beside_the_case(tables):
    customers = pd.DataFrame({"customer_id": ["a", "b"], "lifetime_value": [100.0, None], "rules": ["x", "y"]})
    with pytest.warns(DataWarning, match="customers of 1 are not.*2 have no value at stake"):
        cases = cases_from(
            tables, [CANCELLED, MARK], customers=customers, at_stake="0.5 * lifetime_value", as_of=day(26)
        ).set_index("case_id")
    assert cases["value_at_stake"].tolist()[0] == 50.0
    assert cases.loc[["order_id:7", "order_id:9"], "customer_rules"].tolist() == ["x", "y"]
    assert len(cases) == 3


def test_cases_go_on_into_a_plan_and_a_store(tables, store):
    from crmkit.remediation import Problem, Remedy, Resource, plan

    cases = cases_from(tables, [CANCELLED, MARK, LATE], as_of=day(26)).fillna({"amount": 0.0})
    problem = Problem(cases, [Remedy("call", value="10 * urgency + amount", uses={"hours": 1})], [Resource("hours", 2)])
    assert store.add(cases, actor="job").n_done == len(cases)
    made = plan(problem)
    store.move(cases["case_id"], to="classified", actor="job")
    store.move(cases["case_id"], to="analysed", actor="job")
    assert store.load_plan(made, actor="planner").n_refused == 0
    assert (store.cases()["remedy"] == "call").sum() == 2
    assert json.loads(store.cases("order_id:7")["evidence"].item())[0]["rule"] == "cancelled"


def test_rows_that_cannot_be_used_are_counted():
    marks = table(
        [(None, 1, day(4)), ("a", 1, pd.NaT), ("a", None, day(4)), ("b", 1, day(4))], ["customer_id", "score", "time"]
    )
    with pytest.warns(DataWarning) as caught:
        cases = cases_from({"marks": marks}, [MARK], as_of=day(26))
    said = str(caught[0].message)
    assert "1 rows of 'low mark' have no time" in said
    assert "1 rows of 'low mark' have neither" in said
    assert "of 1 rows it is not known" in said
    assert cases["customer_id"].tolist() == ["b"]


def test_an_order_without_a_customer_is_still_a_case(tables):
    sales = table([(None, "7", -1.0, day(2)), ("a", "7", -1.0, day(3))], ["customer_id", "order_id", "amount", "time"])
    cases = cases_from({"sales": sales, "marks": tables["marks"]}, [CANCELLED, MARK], as_of=day(26))
    assert cases.loc[0, ["customer_id", "signs"]].tolist() == ["a", 3]
    alone = cases_from({"sales": sales.iloc[:1]}, [CANCELLED], as_of=day(26))
    assert alone["case_id"].tolist() == ["order_id:7"]


def test_no_sign_is_no_case(tables):
    cases = cases_from(tables, [Rule(name="never", table="marks", where="score > 9")], as_of=day(26))
    assert len(cases) == 0
    assert {"case_id", "customer_id", "time", "evidence"} <= set(cases.columns)


def test_rules_are_data(tmp_path, tables):
    expected = cases_from(tables, [CANCELLED, MARK], as_of=day(26))
    rows = [
        {"name": "cancelled", "table": "sales", "where": "amount < 0", "key": "order_id", "cause": "cancelled"},
        {"name": "low mark", "table": "marks", "where": "score <= 2", "urgency": 1},
    ]
    (tmp_path / "rules.toml").write_text(
        "".join("[[rules]]\n" + "".join(f"{key} = {json.dumps(cell)}\n" for key, cell in row.items()) for row in rows)
    )
    pd.DataFrame(rows).to_csv(tmp_path / "rules.csv", index=False)
    for rules in (rows, pd.DataFrame(rows), tmp_path / "rules.toml", tmp_path / "rules.csv"):
        pd.testing.assert_frame_equal(cases_from(tables, rules, as_of=day(26)), expected)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([], "there is none"),
        ([MARK, MARK], "two have one name"),
        ([{"name": "x"}], "must have name and table"),
        ([{"name": "x", "table": "marks", "wher": "1"}], "must have name"),
        ([{"name": "x", "table": "nothing"}], "lacks 'nothing'"),
        ([{"name": "x", "table": "marks", "where": "scor < 1"}], "did you mean 'score'"),
        ([{"name": "x", "table": "marks", "where": "score + 1"}], "condition"),
        ([{"name": "x", "table": "marks", "key": "order_id"}], "no column 'order_id'"),
        ([{"name": "x", "table": "marks", "urgency": "high"}], "urgency must be a number"),
        ([{"name": "x", "table": "marks", "where": 3}], "where must be text"),
        ([{"name": "x", "table": "marks", "due": "time"}], "go together"),
        ([{"name": "x", "table": "marks", "repeats": 0}], "repeats"),
        ([{"name": "x", "table": "marks", "cause": "a", "cause_from": "b"}], "exclude"),
        ([{"name": " ", "table": "marks"}], "needs a name"),
    ],
)
def test_rules_that_are_none_are_refused(tables, rules, said):
    with pytest.raises(DataError, match=said):
        cases_from(tables, rules, as_of=day(26))


def test_a_broken_file_of_rules_is_refused(tmp_path, tables):
    (tmp_path / "rules.toml").write_text("rules = [")
    with pytest.raises(DataError, match="no TOML"):
        cases_from(tables, tmp_path / "rules.toml")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"within_days": 0}, "within_days"),
        ({"at_stake": "x"}, "needs customers"),
        ({"at_stake": "name == 'x'", "customers": {"customer_id": ["a"], "name": ["x"]}}, "must give a number"),
        ({"as_of": "2026-03-02 10:00"}, "timezone="),
    ],
)
def test_arguments_that_are_none_are_refused(tables, options, said):
    with pytest.raises(DataError, match=said):
        cases_from(tables, [MARK], **options)


def test_an_order_of_two_customers_is_refused_by_position():
    sales = table([("a", "7", -1.0, day(2)), ("b", "7", -1.0, day(2))], ["customer_id", "order_id", "amount", "time"])
    with pytest.raises(DataError, match="rows 0, 1"):
        cases_from({"sales": sales}, [CANCELLED], as_of=day(26))


def test_cancelled_orders_of_a_real_shop_become_as_many_cases(data_file):
    pytest.importorskip("pyarrow")
    from crmkit import records

    path = data_file("online_retail_ii/online_retail_II_2009_2010.parquet")
    loaded = records.read(
        path, records.TRANSACTIONS, on_error="set-aside", currency="GBP", timezone="Europe/London",
        columns={"customer_id": "Customer ID", "time": "InvoiceDate", "order_id": "Invoice", "quantity": "Quantity",
                 "unit_price": "Price"},
    )  # fmt: skip
    sales = loaded.table
    sales = sales[sales["order_id"].str.startswith("C")]
    cases = cases_from({"sales": sales}, [Rule(name="cancelled", table="sales", key="order_id")])
    assert len(cases) == sales["order_id"].nunique()
    assert cases["amount"].sum() == pytest.approx(sales["amount"].abs().sum())


def test_ids_are_text_on_both_sides():
    marks = pd.DataFrame({"customer_id": [1.0, 2.0], "score": [1, 1], "time": [day(4)] * 2})
    customers = pd.DataFrame({"customer_id": [2, 1], "worth": [20.0, 10.0]})
    cases = cases_from({"marks": marks}, [MARK], customers=customers, at_stake="worth", as_of=day(26))
    assert cases[["customer_id", "value_at_stake"]].to_numpy().tolist() == [["1", 10.0], ["2", 20.0]]
    both = pd.DataFrame({"customer_id": pd.Series([1, "1"], dtype=object)})
    with pytest.raises(DataError, match="rows 0, 1"):
        cases_from({"marks": marks}, [MARK], customers=both, as_of=day(26))


def test_a_name_of_a_rule_is_told_as_it_is_and_times_to_the_microsecond():
    rule = Rule(name='low "mark", 低分', table="marks", where="score <= 2")
    marks = pd.DataFrame({"customer_id": ["a"], "score": [1], "time": [day(4) + pd.Timedelta(microseconds=5)]})
    cases = cases_from({"marks": marks}, [rule], as_of=day(26))
    assert json.loads(cases["evidence"][0]) == [{"rule": rule.name, "table": "marks", "row": 0}]
    assert cases["case_id"].tolist() == ["a@2026-03-04T10:00:00.000005Z"]
