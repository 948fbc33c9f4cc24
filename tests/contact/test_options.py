from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import contact, datasets, remediation
from crmkit.core.errors import DataError, DataWarning

AT = "2024-12-01T10:00+08:00"
CHANNELS = [contact.Channel(name="email", address="email"), "sms", contact.Channel(name="call", consent=("marketing",))]
RULES = [
    {"rule": "电话", "rank": 1, "where": "age >= 50", "channel": "call", "content": "care", "value": "age / 4",
     "uses": {"hours": 0.25}, "every_days": 30},
    {"rule": "mail", "rank": 2, "where": "age >= 18", "channel": "email", "content": "news", "value": 2},
    {"rule": "text", "rank": 2, "where": "age < 40", "channel": "sms", "content": "coupon", "value": 3,
     "uses": {"hours": 0.01}},
]  # fmt: skip


@pytest.fixture(scope="module")
def company():
    return datasets.make_company(400, seed=3)


@pytest.fixture(scope="module")
def strategy():
    limits = [contact.Limit(most=2, days=60), contact.Limit(most=1, days=90, channel="call")]
    quiet = contact.QuietHours(start="20:00", end="09:00", days=["sun"])
    return contact.Strategy(RULES, channels=CHANNELS, limits=limits, quiet=quiet, timezone="Asia/Shanghai")


@pytest.fixture(scope="module")
def history(company):
    sent = company.communications[["customer_id", "time", "channel", "direction"]].assign(content=None)
    return sent.replace({"channel": {"phone": "call", "chat": "sms"}})


def test_a_plan_of_the_options_keeps_budget_consent_and_limits(company, strategy, history):
    customers = company.customers
    options = strategy.options(customers, at=AT, history=history, keep=["city", "opted_out"])
    assert contact.verify(options, customers, strategy=strategy, at=AT, history=history).ok
    problem = remediation.Problem.from_options(options, [remediation.Resource("hours", 5)])
    plan = remediation.plan(problem)
    assert remediation.verify(plan, problem).ok
    assert plan.table["uses_hours"].sum() <= 5 + 1e-9
    checked = contact.verify(plan.table, customers, strategy=strategy, at=AT, history=history)
    assert checked.ok
    assert checked.checked == (plan.table["remedy"] != "nothing").sum() > 0
    proposed = strategy.actions(customers, at=AT, history=history)
    chosen = proposed.chosen(plan.table)
    assert len(chosen) == checked.checked
    assert contact.verify(chosen, customers, strategy=strategy, at=AT, history=history).ok
    out = set(customers.index[customers["opted_out"]])
    assert out
    assert not out & set(options["customer_id"])


def test_frequency_of_a_problem_agrees_with_the_strategy(company, strategy, history):
    out = history[history["direction"] != "in"]
    options = strategy.options(company.customers, at=AT, history=history, keep=[])
    frequency = remediation.Frequency(out[["customer_id", "time"]], most=2, days=60, at=AT)
    hours = remediation.Resource("hours", 5)
    problem = remediation.Problem.from_options(options, [hours], frequency=frequency, one_per="customer_id")
    # The strategy has already left out everyone whom the second lock would keep out.
    assert problem.arrays().eligible.sum() == len(options)
    at_limit = frequency.counts()
    assert not set(at_limit.index[at_limit >= 2]) & set(options["customer_id"])


def spoiled(company, name):
    """Give tables in which one contact, in row 0, has become a wrong one."""
    customers = company.customers.copy()
    person = customers.index[0]
    customers.loc[person, ["age", "email"]] = [60.0, "a@example.org"]
    customers[["consent_email", "consent_sms", "consent_call"]] = True
    customers["opted_out"] = False
    past = pd.DataFrame({"customer_id": [person] * 2, "time": pd.to_datetime(["2024-11-20", "2024-11-21"], utc=True)})
    past = past.assign(channel="sms", content="other").iloc[: 2 if name == "at most 2 in 60 days" else 1]
    cells = {
        "opted out": ("opted_out", True),
        "no consent": ("consent_call", False),
        "no address": ("email", ""),
        "the rule does not fit": ("age", 20.0),
    }
    if name in cells:
        column, value = cells[name]
        customers.loc[person, column] = value
    contents = {"too soon after the last": None, "at most 1 in 90 days by call": "other"}
    if name in contents:
        past = past.assign(channel="call", content=contents[name])
    remedy = {"no address": "mail", "unknown rule": "fax"}.get(name, "电话")
    table = pd.DataFrame({"case_id": ["nobody" if name == "unknown customer" else person], "remedy": [remedy]})
    starts = {"in quiet hours": "2024-12-01T11:00+08:00", "before at": "2024-11-30T10:00+08:00"}
    if name in starts:
        table = table.assign(not_before=pd.to_datetime([starts[name]], utc=True))
    consent = pd.DataFrame({"customer_id": [person], "channel": [None], "granted": [False]})
    return table, customers, past, consent if name == "refused" else None


@pytest.mark.parametrize(
    "name",
    ["opted out", "no consent", "no address", "unknown rule", "unknown customer", "the rule does not fit",
     "too soon after the last", "at most 1 in 90 days by call", "at most 2 in 60 days", "refused", "in quiet hours",
     "before at"],
)  # fmt: skip
def test_verify_finds_what_may_not_be(company, strategy, name):
    table, customers, past, consent = spoiled(company, name)
    found = contact.verify(table, customers, strategy=strategy, at=AT, history=past, consent=consent)
    assert [0, name] in found.violations.to_numpy().tolist()
    assert not found.ok
    assert str(customers.index[0]) not in repr(found) + found._repr_html_()
    assert name in repr(found)


PLANTED = {
    "another channel than the rule's": {"channel": "email"},
    "another content than the rule's": {"content": "coupon"},
    "another purpose than the rule's": {"purpose": "service"},
    "another hour than that of not_before": {"hour": 9},
    "the case of another customer": {"case_id": "somebody"},
    "in part": {"share": 0.5},
}


@pytest.mark.parametrize("name", PLANTED)
def test_verify_finds_rows_that_were_altered_after_they_were_proposed(company, strategy, name):
    _, customers, past, _ = spoiled(company, "none")
    asked = {"strategy": strategy, "at": "2024-12-02T10:00+08:00", "history": past}  # a Monday: no quiet day moves it
    made = strategy.actions(customers, at=asked["at"], history=past).table.iloc[:1]
    assert contact.verify(made, customers, **asked).ok
    found = contact.verify(made.assign(**PLANTED[name]), customers, **asked)
    assert found.violations.to_numpy().tolist() == [[0, name]]


@pytest.mark.parametrize("no", ["FALSE", "否", 0, "no"])
def test_verify_reads_a_refusal_however_it_is_written(company, strategy, no):
    table, customers, past, _ = spoiled(company, "none")
    asked = {"strategy": strategy, "at": AT, "history": past}
    person = customers.index[0]
    for blank in ("", None, " call "):
        register = pd.DataFrame({"customer_id": [person], "channel": [blank], "granted": [no]})
        found = contact.verify(table, customers, consent=register, **asked)
        assert found.violations.to_numpy().tolist() == [[0, "refused"]]
    customers["consent_call"] = pd.Series(no, index=customers.index, dtype=object)
    assert contact.verify(table, customers, **asked).violations["reason"].tolist() == ["no consent"]
    customers["consent_call"] = "maybe"
    with pytest.raises(DataError, match="consent_call must be true or false"):
        contact.verify(table, customers, **asked)


def test_verify_refuses_tables_in_which_a_breach_could_hide(company, strategy):
    table, customers, past, _ = spoiled(company, "none")
    asked = {"strategy": strategy, "at": AT}
    numbers = past.assign(customer_id=1)
    with pytest.raises(DataError, match="history: customer_id is integer, but text"):
        contact.verify(table, customers, history=numbers, **asked)
    refusal = pd.DataFrame({"customer_id": [1], "channel": [None], "granted": [False]})
    with pytest.raises(DataError, match="consent: customer_id is integer, but text"):
        contact.verify(table, customers, consent=refusal, **asked)
    twice = pd.concat([customers.assign(opted_out=True), customers])
    with pytest.raises(DataError, match="more than once in rows 0, 1"):
        contact.verify(table, twice, **asked)
    starts = pd.to_datetime(["2024-12-02T10:00+08:00"], utc=True)
    with pytest.raises(DataError, match="IANA"):
        contact.verify(table.assign(not_before=starts), customers.assign(timezone="Mars"), **asked)


def test_a_condition_that_is_none_fits_nobody_in_the_check(company):
    _, customers, _, _ = spoiled(company, "none")
    vague = contact.Strategy([RULES[0] | {"where": "age + 1"}], channels=CHANNELS)
    table = {"case_id": [customers.index[0]], "remedy": ["电话"]}
    assert contact.verify(table, customers, strategy=vague, at=AT).violations["reason"].tolist() == [
        "the rule does not fit"
    ]


def test_verify_counts_rows_of_a_plan_together_and_options_alone(company, strategy):
    table, customers, past, _ = spoiled(company, "none")
    both = pd.DataFrame({"case_id": table["case_id"].tolist() * 2, "remedy": ["电话", "mail"]})
    assert contact.verify(both, customers, strategy=strategy, at=AT, history=past).ok
    planned = contact.verify(both.assign(share=1.0), customers, strategy=strategy, at=AT, history=past)
    assert planned.violations.to_numpy().tolist() == [[1, "at most 2 in 60 days"]]
    assert contact.verify(both.assign(share=[1.0, 0.0]), customers, strategy=strategy, at=AT, history=past).ok


def test_verify_agrees_with_what_is_proposed_on_random_registers(company, strategy):
    rng = np.random.default_rng(5)
    customers = company.customers.iloc[:60]
    pairs = [(person, rule["rule"]) for person in customers.index for rule in RULES]
    for _ in range(5):
        n = 300
        consent = pd.DataFrame(
            {
                "customer_id": rng.choice(customers.index, n),
                "channel": rng.choice(np.array(["email", "sms", "call", None], dtype=object), n),
                "purpose": rng.choice(np.array(["marketing", "service", None], dtype=object), n),
                "granted": rng.random(n) < 0.8,
                "time": pd.Timestamp("2024-11-20", tz="UTC") + pd.to_timedelta(rng.integers(0, 20, n), unit="D"),
            }
        )
        consent.loc[rng.random(n) < 0.05, "time"] = pd.NaT
        consent["expires"] = consent["time"] + pd.to_timedelta(rng.integers(1, 20, n), unit="D")
        consent.loc[rng.random(n) < 0.5, "expires"] = pd.NaT
        past = pd.DataFrame(
            {
                "customer_id": rng.choice(customers.index, 40),
                "time": pd.Timestamp("2024-09-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 120, 40), unit="D"),
                "channel": rng.choice(np.array(["email", "call", None], dtype=object), 40),
                "content": rng.choice(np.array(["care", "news", None], dtype=object), 40),
            }
        )
        made = strategy.actions(customers, at=AT, history=past, consent=consent)
        allowed = set(made.candidates[["customer_id", "rule"]].itertuples(index=False, name=None))
        table = pd.DataFrame(pairs, columns=["case_id", "remedy"])
        found = contact.verify(table, customers, strategy=strategy, at=AT, history=past, consent=consent)
        wrong = {pairs[row] for row in found.violations["row"]}
        assert 0 < len(allowed) < len(pairs)
        assert allowed == set(pairs) - wrong


def test_options_without_a_known_value_are_left_out_and_counted():
    rule = {"rule": "r", "where": "n >= 0", "channel": "sms", "content": "x", "value": "1 / n", "uses_budget": "n"}
    strategy = contact.Strategy([rule], channels=[contact.Channel(name="sms", consent=False)])
    customers = {"customer_id": ["a", "b"], "n": [0.0, 2.0]}
    with pytest.warns(DataWarning, match="1 of 2 options"):
        options = strategy.options(customers, at=AT)
    assert options.to_numpy().tolist() == [["b", "b", "r", 0.5, 2.0, 2.0]]
    empty = strategy.options({"customer_id": ["a"], "n": [-1.0]}, at=AT)
    assert list(empty.columns) == ["case_id", "customer_id", "remedy", "value", "uses_budget", "n"]
    assert empty.empty


def test_options_that_could_be_misread_are_refused(strategy, company):
    with pytest.raises(DataError, match="'value'"):
        strategy.options(company.customers.assign(value=1), at=AT)
    with pytest.raises(DataError, match="no column"):
        strategy.options(company.customers, at=AT, keep=["town"])
    bare = contact.Strategy([{"rule": "r", "where": "age > 0", "channel": "sms", "content": "x"}], channels=["sms"])
    with pytest.raises(DataError, match="need a value"):
        bare.options(company.customers, at=AT)
    worded = contact.Strategy(
        [{"rule": "r", "where": "age > 0", "channel": "sms", "content": "x", "value": "city"}], channels=["sms"]
    )
    with pytest.raises(DataError, match="no number"):
        worded.options(company.customers, at=AT)


def test_a_plan_of_something_else_is_not_taken_for_contacts(strategy, company):
    proposed = strategy.actions(company.customers, at=AT)
    person = proposed.table["customer_id"].iloc[0]
    with pytest.raises(DataError, match="row 1"):
        proposed.chosen({"case_id": [person, person], "remedy": ["nothing", "fax"]})
    with pytest.raises(DataError, match="in part"):
        proposed.chosen({"case_id": [person], "remedy": ["mail"], "share": [0.5]})


def test_verify_needs_tables_it_can_check(strategy, company):
    table = {"case_id": ["x"], "remedy": ["mail"]}
    naive = {"customer_id": ["x"], "time": [pd.Timestamp("2024-01-01")]}
    with pytest.raises(DataError, match="time zone"):
        contact.verify(table, company.customers, strategy=strategy, at=AT, history=naive)
    missing = {"customer_id": ["x"], "time": pd.to_datetime([None], utc=True)}
    with pytest.raises(DataError, match="missing in row 0"):
        contact.verify(table, company.customers, strategy=strategy, at=AT, history=missing)
    with pytest.raises(ValueError, match="time zone"):
        contact.verify(table, company.customers, strategy=strategy, at="2024-01-01")
    rows = {"customer_id": company.customers.index[:1], "rule": ["mail"], "not_before": [pd.NaT]}
    customers = company.customers.assign(consent_email=True, age=30.0, opted_out=False, email="a@example.org")
    with pytest.raises(DataError, match="not_before"):
        contact.verify(rows, customers, strategy=strategy, at=AT)


def test_verify_tells_of_channels_that_are_not_declared_and_says_ok(strategy, company):
    table, customers, past, _ = spoiled(company, "none")
    without = contact.Strategy(RULES, channels=["sms"])
    found = contact.verify(table, customers, strategy=without, at=AT, history=past)
    assert found.violations["reason"].tolist() == ["unknown channel"]
    assert (
        repr(contact.verify(table, customers, strategy=strategy, at=AT, history=past)) == "Verification(ok, 1 contacts)"
    )
