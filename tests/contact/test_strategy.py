from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from crmkit import contact
from crmkit.core.errors import ConfigError, DataError, DataWarning, ExpressionError

AT = "2024-03-01T10:00+08:00"
TOML = """
timezone = "Asia/Shanghai"

[channels.email]
address = "email"
[channels.call]
[channels.letter]
consent = ["marketing"]

[[rules]]
rule = "挽回"
rank = 1
where = "stage == '流失风险' and worth >= 500"
channel = "call"
content = "专属优惠"
every_days = 30
value = "0.1 * worth"
uses = {hours = 0.25, budget = 2}

[[rules]]
rule = "win back by mail"
rank = 2
where = "stage == '流失风险'"
channel = "email"
content = "we miss you"
value = "0.02 * worth"

[[rules]]
rule = "answer need"
rank = 2
where = "need == 'invoice'"
channel = "letter"
content = "your invoices"
purpose = "service"
value = 1

[[limits]]
most = 2
days = 7

[[quiet]]
start = "21:00"
end = "09:00"
days = ["sun"]
channels = ["call"]
"""


@pytest.fixture
def strategy(tmp_path):
    path = tmp_path / "strategy.toml"
    path.write_text(TOML, encoding="utf-8")
    return contact.Strategy.read(path)


@pytest.fixture
def customers():
    return pd.DataFrame(
        {
            "customer_id": ["甲", "乙", "c", "d"],
            "stage": ["流失风险", "流失风险", "active", "active"],
            "worth": [900.0, 100.0, 50.0, 70.0],
            "need": [None, "invoice", "invoice", "price"],
            "email": ["a@example.org", "b@example.org", None, "d@example.org"],
            "consent_email": [True, True, True, True],
            "consent_call": [True, False, False, False],
            "opted_out": [False, False, False, False],
        }
    )


def told(problems):
    return set(zip(problems["problem"], problems["rule"], problems["other"], problems["customers"], strict=True))


def test_check_counts_gaps_contradictions_and_unknown_answers(strategy, customers):
    problems = strategy.check(customers)
    assert told(problems) == {
        ("gap", "", "", 1),
        ("contradiction", "win back by mail", "answer need", 1),
        ("unknown answer", "answer need", "", 1),
    }
    assert problems.loc[problems["problem"] == "gap", "share"].item() == 0.25


def test_check_of_a_sound_strategy_is_empty():
    strategy = contact.Strategy(
        [{"rule": "all", "where": "n >= 0", "channel": "sms", "content": "x"}], channels=["sms"]
    )
    assert strategy.check({"customer_id": ["a"], "n": [1.0]}).empty


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"where": "n > 5"}, ("never fires", "r", "", 0)),
        ({"where": "m > 5"}, ("unknown column", "r", "", 0)),
        ({"where": "n + 1"}, ("not a condition", "r", "", 0)),
        ({"channel": "fax"}, ("unknown channel", "r", "", 0)),
        ({"value": "m"}, ("unknown column", "r", "", 0)),
        ({"every_days": 2}, ("limit cannot be kept", "r", "", 0)),
        ({"rank": 9}, ("never first", "r", "", 2)),
    ],
)
def test_check_finds(change, expected):
    rule = {"rule": "r", "where": "n >= 0", "channel": "sms", "content": "x", "rank": 1, "value": "n"}
    other = {"rule": "base", "where": "n >= 0", "channel": "sms", "content": "y", "rank": 3}
    strategy = contact.Strategy([other, rule | change], channels=["sms"], limits=[contact.Limit(most=3, days=7)])
    assert expected in told(strategy.check({"customer_id": ["a", "b"], "n": [1.0, 2.0]}))


def test_rhythm_that_just_fits_a_limit_is_no_problem():
    rules = [{"rule": "r", "where": "n >= 0", "channel": "sms", "content": "x", "every_days": 3.5}]
    limit = contact.Limit(most=2, days=7)
    sound = contact.Strategy(rules, channels=["sms"], limits=[limit])
    assert sound.check({"customer_id": ["a"], "n": [1.0]}).empty
    forbidden = contact.Strategy(rules, channels=["sms"], limits=[contact.Limit(most=0, days=1, channel="sms")])
    assert "limit cannot be kept" in forbidden.check({"customer_id": ["a"], "n": [1.0]})["problem"].tolist()


def test_limits_and_quiet_hours_of_undeclared_channels_are_told(customers):
    strategy = contact.Strategy(
        [{"rule": "r", "where": "worth > 0", "channel": "email", "content": "x"}],
        channels=[contact.Channel(name="email", address="mail")],
        limits=[contact.Limit(most=1, days=1, channel="fax")],
        quiet=contact.QuietHours(days=["sun"], channels=["pigeon"]),
    )
    details = " ".join(strategy.check(customers)["detail"])
    assert "'fax'" in details
    assert "'pigeon'" in details
    assert "'mail'" in details
    with pytest.raises(DataError, match="fax"):
        strategy.actions(customers, at=AT)


def test_actions_take_the_first_allowed_rule_and_name_why_others_get_none(strategy, customers):
    made = strategy.actions(customers, at=AT)
    rows = made.table[["customer_id", "rule", "channel", "content", "reason"]].to_numpy().tolist()
    assert rows[0] == ["甲", "挽回", "call", "专属优惠", "stage == '流失风险' and worth >= 500"]
    assert [row[:2] for row in rows[1:]] == [["乙", "win back by mail"], ["c", "answer need"]]
    assert made.set_aside.to_numpy().tolist() == [["d", None, "no rule fits"]]
    assert len(made.candidates) == 5
    assert "3 contacts" in repr(made)
    assert "<table>" in made._repr_html_()
    assert "3 rules" in repr(strategy)
    assert "挽回" in strategy._repr_html_()


def test_a_blocked_rule_gives_way_to_the_next_that_fits(strategy, customers):
    customers.loc[0, "consent_call"] = False
    assert strategy.actions(customers, at=AT).table["rule"].iloc[0] == "win back by mail"


@pytest.mark.parametrize("answer", [True, None])
def test_who_opted_out_or_did_not_answer_is_never_contacted(strategy, customers, answer):
    customers["opted_out"] = customers["opted_out"].astype(object)
    customers.loc[0, "opted_out"] = answer
    made = strategy.actions(customers, at=AT)
    assert "甲" not in set(made.candidates["customer_id"])
    assert made.set_aside.to_numpy().tolist()[0] == ["甲", "挽回", "opted out"]


def test_an_empty_address_is_no_way_to_reach_someone(strategy, customers):
    customers.loc[1, ["email", "need"]] = ["", None]
    aside = strategy.actions(customers, at=AT).set_aside
    assert ["乙", "win back by mail", "no address"] in aside.to_numpy().tolist()


def consent_of(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "channel", "purpose", "granted", "time"])
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True))


@pytest.mark.parametrize(
    ("rows", "allowed"),
    [
        ([], False),
        ([("甲", "call", "marketing", True, "2024-01-01")], True),
        ([("甲", None, None, True, "2024-01-01")], True),
        ([("甲", "call", "service", True, "2024-01-01")], False),
        ([("甲", "call", "marketing", True, "2024-03-02")], False),  # later than at
        ([("甲", "call", None, True, "2024-01-01"), ("甲", "call", None, False, "2024-02-29")], False),
        ([("甲", "call", None, False, "2024-01-01"), ("甲", "call", None, True, "2024-02-29")], True),
        ([("甲", "call", None, True, "2024-02-01"), ("甲", "call", None, False, "2024-02-01")], False),  # a tie
        ([("甲", None, None, False, "2024-01-01"), ("甲", "call", None, True, "2024-02-01")], False),  # another scope
        ([("甲", "call", None, True, None)], False),  # nobody knows when
        ([("甲", "call", None, True, "2024-01-01"), ("甲", "call", None, False, None)], False),
    ],
)
def test_the_register_decides_as_it_stood_at_the_time(strategy, customers, rows, allowed):
    made = strategy.actions(customers, at=AT, consent=consent_of(*rows))
    assert (made.candidates[["customer_id", "rule"]].to_numpy().tolist().count(["甲", "挽回"]) == 1) == allowed


@pytest.mark.parametrize(
    ("rows", "allowed"),
    [
        ([(True, "2024-01-01", None)], True),
        ([(True, "2024-01-01", "2024-03-02")], True),
        ([(True, "2024-01-01", AT)], False),  # it counts until then, not at it
        ([(True, "2024-01-01", "2024-02-01")], False),
        (
            [(True, "2023-01-01", None), (True, "2024-01-01", "2024-02-01")],
            False,
        ),  # the later answer replaced the first
        ([(False, "2024-01-01", "2024-02-01"), (True, "2024-01-02", None)], True),
        ([(True, "2024-01-01", None), (False, "2024-01-02", "2024-02-01")], False),  # a refusal does not lapse
        ([(True, None, "2024-12-31")], False),
    ],
)
def test_consent_counts_until_it_expires(strategy, customers, rows, allowed):
    register = consent_of(*(("甲", "call", "marketing", granted, time) for granted, time, _ in rows))
    register["expires"] = pd.to_datetime([until for *_, until in rows], utc=True, format="ISO8601")
    asked = {"at": AT, "consent": register}
    assert ("挽回" in strategy.actions(customers, **asked).table["rule"].tolist()) == allowed
    option = {"case_id": ["甲"], "remedy": ["挽回"]}
    assert contact.verify(option, customers, strategy=strategy, **asked).ok == allowed


def test_a_refusal_that_a_lapsed_grant_had_lifted_stands_again(strategy, customers):
    register = consent_of(("c", "letter", None, False, "2024-01-01"), ("c", "letter", None, True, "2024-01-05"))
    option = {"case_id": ["c"], "remedy": ["answer need"]}
    for until, allowed in ((None, True), ("2024-02-01", False)):
        asked = {"at": AT, "consent": register.assign(expires=pd.to_datetime([None, until], utc=True))}
        assert ("c" in strategy.actions(customers, **asked).table["customer_id"].tolist()) == allowed
        assert contact.verify(option, customers, strategy=strategy, **asked).ok == allowed
    dateless = register.drop(columns="time").assign(expires=pd.to_datetime([None, "2030-01-01"], utc=True))
    assert "c" not in strategy.actions(customers, at=AT, consent=dateless).table["customer_id"].tolist()


def test_a_register_that_names_another_channel_is_told_about(strategy, customers):
    register = consent_of(("甲", "phone call", None, False, "2024-01-01"), ("甲", " call ", None, True, "2024-01-01"))
    with pytest.warns(DataWarning, match="'phone call'; answers for them count for none of 'email', 'call', 'letter'"):
        made = strategy.actions(customers, at=AT, consent=register)
    assert made.table["rule"].tolist()[0] == "挽回"


@pytest.mark.parametrize(
    ("yes", "no", "blank"), [(True, False, None), ("TRUE", "FALSE", ""), ("是", "否", " "), (1.0, 0.0, np.nan)]
)
def test_answers_may_be_written_as_spreadsheets_write_them(strategy, customers, yes, no, blank):
    told = pd.Series([no, yes, blank, no], dtype=object)
    made = strategy.actions(customers.assign(opted_out=told), at=AT)
    assert made.candidates["customer_id"].unique().tolist() == ["甲"]
    told = pd.Series([blank, yes, yes, yes], dtype=object)
    made = strategy.actions(customers.assign(consent_call=told), at=AT)
    assert "挽回" not in made.candidates["rule"].tolist()


def test_a_refusal_counts_where_no_consent_is_needed(strategy, customers):
    made = strategy.actions(customers, at=AT, consent=consent_of(("c", None, None, False, "2024-01-01")))
    assert ["c", "answer need", "refused"] in made.set_aside.to_numpy().tolist()


def test_a_register_without_times_lets_refusals_win(strategy, customers):
    table = {"customer_id": ["甲", "甲"], "channel": ["call", "call"], "granted": [False, True]}
    assert "挽回" not in strategy.actions(customers, at=AT, consent=table).candidates["rule"].tolist()


def history_of(times, **columns):
    frame = pd.DataFrame({"customer_id": ["甲"] * len(times), "time": pd.to_datetime(times, utc=True)})
    return frame.assign(channel="call", content="专属优惠").assign(**columns)


@pytest.mark.parametrize(
    ("times", "allowed"),
    [
        (["2024-01-31T02:00Z"], True),  # exactly thirty days before, over a leap day
        (["2024-01-31T02:00:01Z"], False),
        (["2024-03-01T02:00Z"], False),
        (["2024-03-01T02:00:01Z"], True),  # not yet made
    ],
)
def test_a_rhythm_counts_what_was_said_by_this_channel(strategy, customers, times, allowed):
    made = strategy.actions(customers, at=AT, history=history_of(times))
    assert ("挽回" in made.table["rule"].tolist()) == allowed


def test_other_contents_and_incoming_contacts_do_not_count_for_a_rhythm(strategy, customers):
    for columns in ({"content": "other"}, {"direction": "in"}):
        made = strategy.actions(customers, at=AT, history=history_of(["2024-02-29"], **columns))
        assert "挽回" in made.table["rule"].tolist()
    unknown = strategy.actions(customers, at=AT, history=history_of(["2024-02-29"], content=None))
    assert "挽回" not in unknown.table["rule"].tolist()


def test_a_limit_counts_all_contacts_of_its_window(strategy, customers):
    twice = history_of(["2024-02-28", "2024-02-28"], content="other", channel="letter")
    made = strategy.actions(customers, at=AT, history=twice)
    assert ["甲", "挽回", "at most 2 in 7 days"] in made.set_aside.to_numpy().tolist()


def test_hour_is_local_and_outside_quiet_hours(strategy, customers):
    customers["best"] = [22, 9, np.nan, np.nan]
    customers["timezone"] = ["Europe/London", None, "", "Asia/Shanghai"]
    made = strategy.actions(customers, at=AT, hour="best").table.set_index("customer_id")
    assert made.loc["甲", "not_before"] == pd.Timestamp("2024-03-01T09:00Z")  # 22 is quiet for calls
    assert made.loc["乙", "not_before"] == pd.Timestamp("2024-03-02T09:00+08:00")  # nine has passed: tomorrow
    assert made.loc["乙", "hour"] == 9
    assert made.loc["c", "not_before"] == pd.Timestamp(AT)


def test_empty_and_single_customers(strategy, customers):
    none = strategy.actions(customers.iloc[:0], at=AT)
    assert len(none.table) == len(none.set_aside) == 0
    assert strategy.check(customers.iloc[:0]).empty
    assert len(strategy.actions(customers.iloc[:1], at=AT).table) == 1


def test_choice_of_rules_agrees_with_trying_every_rule():
    rng = np.random.default_rng(0)
    for _ in range(20):
        customers = pd.DataFrame(rng.integers(0, 4, (60, 3)), columns=list("xyz")).astype(float)
        customers = customers.mask(rng.random(customers.shape) < 0.1)
        customers["customer_id"] = [f"c{place}" for place in range(60)]
        customers["consent_sms"] = rng.random(60) < 0.6
        rules = [
            {"rule": f"r{place}", "rank": int(rng.integers(3)), "where": f"{rng.choice(list('xyz'))} >= {place % 4}",
             "channel": str(rng.choice(["sms", "letter"])), "content": "t"}
            for place in range(6)
        ]  # fmt: skip
        channels = ["sms", contact.Channel(name="letter", consent=False)]
        made = contact.Strategy(rules, channels=channels).actions(customers, at=AT)
        expected = {}
        for row in customers.to_dict("records"):
            open_rules = [
                rule for rule in rules
                if row[rule["where"][0]] >= int(rule["where"][-1])
                and (rule["channel"] == "letter" or row["consent_sms"])
            ]  # fmt: skip
            if open_rules:
                expected[row["customer_id"]] = min(open_rules, key=lambda rule: rule["rank"])["rule"]
        assert dict(zip(made.table["customer_id"], made.table["rule"], strict=True)) == expected
        assert set(made.set_aside["customer_id"]) == set(customers["customer_id"]) - set(expected)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([{"rule": "r"}], "no column 'where'"),
        ([{"rule": "r", "where": "x > 0", "channel": "sms", "content": "c", "wher": 1}], "unknown columns 'wher'"),
        ([{"rule": "nothing", "where": "x > 0", "channel": "sms", "content": "c"}], "nothing"),
        ([{"rule": "r", "where": "x > 0", "channel": "sms", "content": "c", "rank": 1.5}], "whole number"),
        ([{"rule": "r", "where": "x > 0", "channel": "sms", "content": "c", "every_days": 0}], "above 0"),
        ([{"rule": "r", "where": None, "channel": "sms", "content": "c"}], "where must be a text"),
        ([{"rule": "r", "where": "x > 0", "channel": "sms", "content": "c", "value": True}], "number or an expression"),
        ([{"rule": "r", "where": "x > 0", "channel": "sms", "content": "c", "uses": 3}], "name resources"),
        (["r"], "must be a mapping"),
        ([{"rule": "r", "where": "x > 0", "channel": "sms", "content": "c"}] * 2, "more than once"),
    ],
)
def test_a_table_that_is_no_strategy_is_refused(table, message):
    with pytest.raises(DataError, match=message):
        contact.Strategy(table, channels=["sms"])


def test_a_table_from_a_spreadsheet_reads_as_one_that_is_typed():
    sheet = pd.DataFrame(
        {
            "规则": ["挽回", None, "", " 问候 "],
            "优先级": ["1", None, "", "2"],
            "条件": ["stage == '流失风险'", None, " ", "worth >= 5"],
            "渠道": ["call", None, "", "email "],
            "内容": ["专属优惠", None, "", "hello"],
            "间隔天数": ["30", None, "", None],
            "价值": ["0.1 * worth", None, "", "1"],
            "占用_hours": ["0.25", None, "", None],
        }
    )
    typed = [
        {"rule": "挽回", "rank": 1, "where": "stage == '流失风险'", "channel": "call", "content": "专属优惠",
         "every_days": 30, "value": "0.1 * worth", "uses": {"hours": 0.25}},
        {"rule": "问候", "rank": 2, "where": "worth >= 5", "channel": "email", "content": "hello", "value": 1},
    ]  # fmt: skip
    expected = contact.Strategy(typed, channels=["call", "email"]).rules
    pd.testing.assert_frame_equal(contact.Strategy(sheet, channels=["call", "email"]).rules, expected)
    english = sheet.set_axis(
        ["Rule", "Rank ", "WHERE", "channel", "Content", "Every days", "value", "Uses hours"], axis=1
    )
    pd.testing.assert_frame_equal(contact.Strategy(english, channels=["call", "email"]).rules, expected)
    with pytest.raises(DataError, match="'where' in more than one column"):
        contact.Strategy(sheet.assign(where="worth > 0"), channels=["call", "email"])
    sheet.loc[3, "优先级"] = "second"
    with pytest.raises(DataError, match="rank must be a whole number in row 3"):
        contact.Strategy(sheet, channels=["call", "email"])


@pytest.mark.parametrize("where", ["stage = 'new'", "stage == ‘新客’", "worth ＞＝ 5"])
def test_a_condition_that_cannot_be_read_names_its_row_and_how_to_write_it(where):
    good = {"rule": "r", "where": "worth > 0", "channel": "sms", "content": "c"}
    with pytest.raises(ExpressionError, match=r"where of row 1: .*two equality signs, straight quotes"):
        contact.Strategy([good, good | {"rule": "s", "where": where}], channels=["sms"])


def test_numbers_kept_as_text_are_a_problem_of_the_rule_and_not_the_end_of_the_check(strategy, customers):
    customers["worth"] = customers["worth"].astype(str)
    problems = strategy.check(customers)
    wrong = problems[problems["problem"] == "not a condition"]
    assert wrong["rule"].tolist() == ["挽回"]
    assert "text cannot be compared with a number" in wrong["detail"].item()
    assert ("contradiction", "win back by mail", "answer need", 1) in told(problems)
    with pytest.raises(DataError, match=r"挽回.*text cannot be compared"):
        strategy.actions(customers, at=AT)


def test_conditions_are_only_expressions():
    with pytest.raises(ExpressionError):
        contact.Strategy(
            [{"rule": "r", "where": "__import__('os')", "channel": "sms", "content": "c"}], channels=["sms"]
        )


def test_a_table_edited_as_frame_reads_as_the_list_does(strategy):
    again = contact.Strategy(strategy.rules, channels=list(strategy.channels.values()))
    pd.testing.assert_frame_equal(again.rules, strategy.rules)
    with pytest.raises(DataError, match="more than once"):
        contact.Strategy(strategy.rules, channels=["sms", "sms"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[limits]]", "[[limit]]", "unknown keys limit"),
        ("most = 2", "most = -1", "0 or more"),
        ("most = 2", "must = 2", "unknown keys must"),
        ("days = 7", "", "days"),
        ('start = "21:00"', 'start = "9pm"', "like '21:00'"),
        ("[[limits]]\nmost = 2\ndays = 7", "", None),
        ('timezone = "Asia/Shanghai"', "timezone = 8", "must be a str"),
        ('timezone = "Asia/Shanghai"', "timezone =", "cannot be read"),
        ("[channels.call]", "", "unknown"),
    ],
)
def test_a_file_with_mistakes_is_told_about(tmp_path, old, new, message):
    path = tmp_path / "s.toml"
    path.write_text(TOML.replace(old, new), encoding="utf-8")
    if message is None:
        assert contact.Strategy.read(path).limits == ()
    elif message == "unknown":
        assert "call" not in contact.Strategy.read(path).channels
    else:
        with pytest.raises(ConfigError, match=message):
            contact.Strategy.read(path)


@pytest.mark.parametrize(
    "text",
    ["", "channels = {a = 1}\nrules = [{}]", "rules = [1]\nchannels = {a = {}}\nlimits = [1]"],
)
def test_a_file_of_another_shape_is_refused(tmp_path, text):
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        contact.Strategy.read(path)


def test_inputs_that_would_hide_a_refusal_are_errors(strategy, customers):
    with pytest.raises(DataError, match="integer, but text"):
        strategy.actions(customers, at=AT, consent={"customer_id": [1], "channel": ["call"], "granted": [False]})
    with pytest.raises(DataError, match="missing in row 0"):
        strategy.actions(customers, at=AT, history=history_of([None]))
    with pytest.raises(DataError, match="true or false in row 1"):
        strategy.actions(customers.assign(opted_out=[0, "maybe", 1, 0]), at=AT)
    with pytest.raises(DataError, match="consent_call"):
        strategy.actions(customers.drop(columns="consent_call"), at=AT)
    with pytest.raises(DataError, match=re.escape("no column 'content'")):
        strategy.actions(customers, at=AT, history=history_of(["2024-01-01"]).drop(columns="content"))
    with pytest.raises(DataError, match="time zone"):
        strategy.actions(customers, at=AT, history={"customer_id": ["甲"], "time": [pd.Timestamp("2024-01-01")]})
    with pytest.raises(DataError, match="IANA"):
        strategy.actions(customers.assign(timezone="Mars"), at=AT)
    with pytest.raises(DataError, match="whole hour"):
        strategy.actions(customers.assign(h=24), at=AT, hour="h")
    for at in ("2024-03-01", "soon", None):
        with pytest.raises(ValueError, match="at"):
            strategy.actions(customers, at=at)


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"name": "x", "consent": "yes"}, {"name": "x", "address": 3}, {"name": "x", "consent": [1]}],
)
def test_malformed_channels_are_refused(fields):
    with pytest.raises(ValueError):
        contact.Channel(**fields)


@pytest.mark.parametrize(
    "fields", [{"most": True, "days": 1}, {"most": 1, "days": 0}, {"most": 1, "days": 1, "channel": 3}]
)
def test_malformed_limits_are_refused(fields):
    with pytest.raises(ValueError):
        contact.Limit(**fields)


def test_an_hour_that_has_begun_is_used_at_once(strategy, customers):
    made = strategy.actions(customers.assign(h=10), at="2024-03-01T10:20+08:00", hour="h").table
    assert (made["not_before"] == pd.Timestamp("2024-03-01T10:20+08:00")).all()
