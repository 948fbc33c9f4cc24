"""Contact frequency: what counts in the window, who is kept out, and that nobody gets one contact too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation import Frequency, Holdout, Plan, Problem, Remedy, Resource, _serve, plan, shrunk, verify

AT = "2024-03-05T12:00+08:00"
CALL, MAIL = Remedy("call", value="worth", uses={"hours": 1}), Remedy("mail", value="0.1 * worth")


def _history(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "time"])
    frame["time"] = pd.to_datetime(frame["time"], format="ISO8601", utc=True)
    return frame


def _cases(*customers):
    worth = [10.0 + i for i in range(len(customers))]
    return pd.DataFrame({"case_id": range(len(customers)), "customer_id": list(customers), "worth": worth})


def test_the_window_begins_after_its_first_instant_and_ends_with_its_last():
    history = _history(
        ["甲", "2024-03-05T04:00:00Z"],  # AT itself counts
        ["乙", "2024-03-05T04:00:00.000001Z"],  # what is yet to come does not
        ["丙", "2024-02-27T04:00:00.000001Z"],  # the first that counts, over a leap day
        ["丁", "2024-02-27T04:00:00Z"],  # exactly seven days before does not
        ["丙", "2024-03-01T00:00:00+08:00"], ["丙", "2024-03-01T00:00:00+08:00"],  # two contacts at one instant are two
    )  # fmt: skip
    rule = Frequency(history, most=2, days=7, at=AT)
    assert rule.counts().to_dict() == {"甲": 1, "丙": 3}
    assert rule.at == pd.Timestamp("2024-03-05T04:00", tz="UTC")
    assert repr(rule) == "Frequency(6 contacts, most=2, days=7, at='2024-03-05T04:00:00+00:00', per='customer_id')"
    assert Frequency(history, most=2, days=0.5, at=datetime(2024, 3, 5, 4, tzinfo=UTC)).counts().to_dict() == {"甲": 1}


def test_who_had_all_contacts_gets_none_of_these_remedies():
    history = _history(["甲", "2024-03-05T00:00Z"], ["甲", "2024-03-04T00:00Z"], ["乙", "2024-03-04T00:00Z"])
    rule = Frequency(history, most=2, days=7, at=AT, remedies=["call"])
    problem = Problem(_cases("甲", "乙", "丙", None), [CALL, MAIL], [Resource("hours", 9)], frequency=rule)
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["mail", "call", "call", "call"]
    assert verify(made, problem).ok
    assert problem.frequency_counts.to_dict("records") == [
        {"per": "customer_id", "most": 2, "days": 7.0, "contacts": 3, "at_limit": 1, "not_counted": 0,
         "cases_kept_out": 1}
    ]  # fmt: skip
    assert "1 kept out by contact frequency" in repr(problem)
    assert np.isneginf(problem.arrays().value[0, 0])
    everything = Problem(
        problem.cases, [CALL, MAIL], [Resource("hours", 9)], frequency=[Frequency(history, most=1, days=7, at=AT)]
    )
    assert plan(everything).table["remedy"].tolist() == ["nothing", "nothing", "call", "call"]


def test_verify_finds_a_contact_too_many():
    history = _history(["甲", "2024-03-05T00:00Z"])
    rule = Frequency(history, most=1, days=7, at=AT, remedies=["call"])
    problem = Problem(_cases("甲", "乙", "丙"), [CALL, MAIL], [Resource("hours", 9)], frequency=rule)
    table = plan(problem).table
    wrong = {"case_id": [0, 1, 2], "remedy": ["call", "call", "mail"]}
    assert any(
        "more than 1 contacts in 7 days per customer_id: row 0" in text for text in verify(wrong, problem).violations
    )
    assert verify(table[["case_id", "remedy"]], problem).ok
    looser = Problem(problem.cases, [CALL, MAIL], problem.limits)
    assert verify(wrong, looser).ok
    # A plan's own bound must not count what nobody may get.
    free = Problem(_cases("甲"), [CALL], [Resource("hours", 9)], frequency=rule)
    assert verify(plan(free), free).bound == 0.0


def test_more_cases_than_contacts_left_need_one_per():
    history = _history(["甲", "2024-03-05T00:00Z"])
    cases = _cases("甲", "甲", "乙", "乙", "丙")
    with pytest.raises(
        DataError, match=r"more cases of one customer_id than contacts left .* rows 0, 1; give one_per='cust"
    ):
        Problem(cases, [CALL], [Resource("hours", 9)], frequency=Frequency(history, most=2, days=7, at=AT))
    kept = Problem(
        cases, [CALL], [Resource("hours", 9)], one_per="customer_id",
        frequency=Frequency(history, most=2, days=7, at=AT),
    )  # fmt: skip
    made = plan(kept)
    assert made.table["remedy"].tolist() == ["nothing", "call", "nothing", "call", "call"]
    assert verify(made, kept).ok
    enough = Problem(cases, [CALL], [Resource("hours", 9)], frequency=Frequency(history, most=3, days=7, at=AT))
    assert plan(enough).table["remedy"].tolist() == ["call"] * 5


def test_cases_that_cannot_get_a_contact_need_no_contact_left():
    cases = _cases("甲", "甲").assign(may=[True, False])
    call = Remedy("call", value="worth", eligible="may")
    history = _history(["乙", "2024-03-05T00:00Z"])
    problem = Problem(cases, [call, MAIL], frequency=Frequency(history, most=1, days=7, at=AT, remedies=["call"]))
    assert plan(problem).table["remedy"].tolist() == ["call", "mail"]


def test_a_package_of_which_a_contact_is_a_part_is_one_contact():
    both = Remedy("call + mail", value="2 * worth", uses={"hours": 1}, parts=("call", "mail"))
    rule = Frequency(_history(["甲", "2024-03-05T00:00Z"]), most=1, days=7, at=AT, remedies=["call"])
    problem = Problem(_cases("甲", "乙"), [MAIL, both], [Resource("hours", 9)], frequency=rule)
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["mail", "call + mail"]
    assert verify(made, problem).ok
    wrong = verify({"case_id": [0, 1], "remedy": ["call + mail", "mail"]}, problem)
    assert any("more than 1 contacts" in text for text in wrong.violations)
    new = {"case_id": [7, 8], "customer_id": ["乙", "丙"], "worth": [50.0, 50.0]}
    assert made.assign(new)["remedy"].tolist() == ["mail", "call + mail"]


def test_contacts_without_customer_or_time_are_not_counted_and_told():
    history = _history(["甲", "2024-03-05T00:00Z"], [None, "2024-03-05T00:00Z"], ["乙", None])
    with pytest.warns(DataWarning, match="2 of 3 contacts have no customer_id or time") as caught:
        rule = Frequency(history, most=1, days=7, at=AT)
    assert caught[0].filename == __file__
    problem = Problem(_cases("甲", "乙", None, None), [CALL], [Resource("hours", 9)], frequency=rule)
    assert plan(problem).table["remedy"].tolist() == ["nothing", "call", "call", "call"]
    assert problem.frequency_counts["not_counted"].tolist() == [2]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"most": -1}, ValueError, "most"), ({"most": 1.5}, ValueError, "most"), ({"most": True}, ValueError, "most"),
        ({"days": 0}, ValueError, "days"), ({"days": np.inf}, ValueError, "days"),
        ({"days": np.nan}, ValueError, "days"),
        ({"at": "2024-03-05"}, ValueError, "time zone"), ({"at": datetime(2024, 3, 5)}, ValueError, "time zone"),  # noqa: DTZ001 -- is refused
        ({"at": "soon"}, ValueError, "instant"), ({"at": None}, ValueError, "instant"),
        ({"remedies": "call"}, TypeError, "list of names"), ({"per": "household"}, DataError, "household"),
        ({"time": "when"}, DataError, "when"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(change, error, words):
    arguments = {"most": 1, "days": 7, "at": AT} | change
    with pytest.raises(error, match=words):
        Frequency(_history(["甲", "2024-03-05T00:00Z"]), **arguments)


def test_times_without_a_zone_are_refused():
    naive = pd.DataFrame({"customer_id": ["甲"], "time": pd.to_datetime(["2024-03-05"])})
    with pytest.raises(DataError, match=r"time zone.*tz_localize"):
        Frequency(naive, most=1, days=7, at=AT)


def test_unknown_remedies_and_keys_that_never_match_are_refused():
    history = _history(["甲", "2024-03-05T00:00Z"])
    with pytest.raises(DataError, match="'fax', which is not there; the remedies are: 'call'"):
        Problem(
            _cases("甲"),
            [CALL],
            [Resource("hours", 1)],
            frequency=Frequency(history, most=1, days=7, at=AT, remedies=["fax"]),
        )
    with pytest.raises(DataError, match="numbers in the cases and no numbers in the history"):
        Problem(_cases(1), [CALL], [Resource("hours", 1)], frequency=Frequency(history, most=1, days=7, at=AT))
    with pytest.raises(DataError, match="no column 'customer_id'"):
        Problem({"case_id": [1], "worth": [1.0]}, [MAIL], frequency=Frequency(history, most=1, days=7, at=AT))
    with pytest.raises(TypeError, match="frequency must be a list of Frequency"):
        Problem(_cases("甲"), [MAIL], frequency=["once a week"])


def test_a_problem_with_frequency_is_saved(tmp_path):
    history = _history(["甲", "2024-03-05T00:00Z"], ["丙", "2020-03-05T00:00Z"])
    rule = Frequency(history.assign(channel="phone"), most=1, days=7, at=AT, remedies=["call"])
    made = plan(Problem(_cases("甲", "乙"), [CALL, MAIL], [Resource("hours", 9)], frequency=rule))
    crmkit.save(made, tmp_path / "plan.crmkit")
    loaded = crmkit.load(tmp_path / "plan.crmkit")
    assert verify(loaded, loaded.problem).ok
    pd.testing.assert_frame_equal(loaded.problem.frequency_counts, made.problem.frequency_counts)
    assert loaded.problem.frequency[0].history.columns.tolist() == ["customer_id", "time"]
    new = {"case_id": [7, 8], "customer_id": ["甲", "丁"], "worth": [50.0, 50.0]}
    assert loaded.assign(new)["remedy"].tolist() == made.assign(new)["remedy"].tolist() == ["mail", "call"]
    stream = made.assigner()
    stream.assign(new)
    crmkit.save(stream, tmp_path / "stream.crmkit")
    again = {"case_id": [9, 10], "customer_id": ["丁", "戊"], "worth": [50.0, 50.0]}
    assert crmkit.load(tmp_path / "stream.crmkit").assign(again)["remedy"].tolist() == ["mail", "call"]


def test_remedies_of_the_plan_are_contacts_for_new_cases():
    history = _history(["甲", "2024-03-05T00:00Z"])
    rule = Frequency(history, most=2, days=7, at=AT, remedies=["call"])
    made = plan(Problem(_cases("甲", "乙"), [CALL, MAIL], [Resource("hours", 99)], frequency=rule))
    assert made.table["remedy"].tolist() == ["call", "call"]
    new = {"case_id": range(6), "customer_id": ["甲", "乙", "乙", "丙", None, None], "worth": [9.0] * 6}
    assert made.assign(new)["remedy"].tolist() == ["mail", "call", "mail", "call", "call", "call"]
    stream = made.assigner()
    stream.assign(new)
    assert stream.assign(new)["remedy"].tolist() == ["mail", "mail", "mail", "call", "call", "call"]
    assert stream.assign(new)["remedy"].tolist() == ["mail", "mail", "mail", "mail", "call", "call"]
    with pytest.raises(DataError, match="no column 'customer_id'"):
        made.assign({"case_id": [1], "worth": [1.0]})


@pytest.mark.parametrize("seed", range(20))
def test_new_cases_keep_to_several_rules_as_one_after_the_other(monkeypatch, seed):
    if seed % 2:
        monkeypatch.setattr(_serve, "_STRETCH", 29)
        monkeypatch.setattr(_serve, "_SHORTEST", 2)
    random = np.random.default_rng(seed)
    one_per = "household" if seed % 3 == 1 else None
    n_rules = 1 + seed % 2
    history = pd.DataFrame(
        {
            "customer_id": [f"客户{i}" for i in random.integers(0, 30, 40)],
            "household": [f"h{i}" for i in random.integers(0, 15, 40)],
            "time": [datetime(2024, 3, 5, tzinfo=UTC) - timedelta(hours=float(h)) for h in random.uniform(0, 400, 40)],
        }
    )
    rules = [
        Frequency(history, most=int(random.integers(1, 4)), days=7, at=AT, remedies=["call", "visit"]),
        Frequency(
            history, most=int(random.integers(1, 4)), days=10, at=AT, remedies=["visit", "mail"], per="household"
        ),
    ][:n_rules]

    def cases(n, first):
        return pd.DataFrame(
            {
                "case_id": range(first, first + n), "worth": random.lognormal(0, 1, n),
                "customer_id": [None if i == 29 else f"客户{i}" for i in random.integers(0, 30, n)],
                "household": [f"h{i}" for i in random.integers(0, 15, n)],
            }
        )  # fmt: skip

    old = pd.DataFrame({"case_id": ["a"], "worth": [1.0], "customer_id": ["客户3"], "household": ["h1"]})
    remedies = [CALL, Remedy("visit", value="1.2 * worth", uses={"hours": 2}), Remedy("mail", value="0.3 * worth")]
    problem = Problem(old, remedies, [Resource("hours", 60)], frequency=rules, one_per=one_per)
    made = Plan.from_choice(problem, [-1], prices=[0.1])
    new = cases(150, 0)
    hours, had, expected = 60.0, {}, []
    gone = set()
    for rule in rules:
        for key, count in rule.counts().items():
            had[rule.per, rule.most, key] = count
    for case in new.itertuples():
        options = [(case.worth - 0.1, "call", 1), (1.2 * case.worth - 0.2, "visit", 2), (0.3 * case.worth, "mail", 0)]
        chosen = "nothing"
        for worth, name, need in sorted(options, key=lambda option: -option[0]):
            rules_of = [rule for rule in rules if name in rule.remedies and pd.notna(getattr(case, rule.per))]
            full = any(had.get((r.per, r.most, getattr(case, r.per)), 0) >= r.most for r in rules_of)
            if worth > 0 and need <= hours and not full and not (one_per and case.household in gone):
                chosen, hours = name, hours - need
                gone.add(case.household)
                for r in rules_of:
                    key = (r.per, r.most, getattr(case, r.per))
                    had[key] = had.get(key, 0) + 1
                break
        expected.append(chosen)
    assert made.assign(new)["remedy"].tolist() == expected
    stream = made.assigner()
    parts = [stream.assign(new.iloc[begin : begin + 11])["remedy"].tolist() for begin in range(0, 150, 11)]
    assert list(chain.from_iterable(parts)) == expected


@pytest.mark.parametrize("seed", range(12))
def test_no_plan_gives_a_contact_too_many(seed):
    random = np.random.default_rng(100 + seed)
    n = int(random.integers(1, 60))
    cases = pd.DataFrame(
        {
            "case_id": range(n), "worth": random.lognormal(0, 1, n), "region": random.integers(0, 3, n).astype(str),
            "customer_id": [None if i == 0 else f"客户{i}" for i in random.integers(0, 25, n)],
        }
    )  # fmt: skip
    when = [datetime(2024, 3, 5, tzinfo=UTC) - timedelta(hours=float(h)) for h in random.uniform(-40, 400, 60)]
    history = pd.DataFrame({"customer_id": [f"客户{i}" for i in random.integers(0, 25, 60)], "time": when})
    rule = Frequency(history, most=int(random.integers(1, 4)), days=7, at=AT, remedies=["call"])
    problem = Problem(
        cases, [CALL, MAIL], [Resource("hours", n // 3)], one_per="customer_id", frequency=[rule],
        holdout=Holdout(0.2, by="region") if seed % 2 else None,
    )  # fmt: skip
    start, end = datetime(2024, 2, 27, 4, tzinfo=UTC), datetime(2024, 3, 5, 4, tzinfo=UTC)
    had = {}
    for customer, time in zip(history["customer_id"], history["time"], strict=True):
        had[customer] = had.get(customer, 0) + (start < time <= end)
    full = np.array([pd.notna(customer) and had.get(customer, 0) >= rule.most for customer in cases["customer_id"]])
    for planner in ("auto", "milp", "lp", "greedy", "dual"):
        made = plan(problem, planner)
        assert verify(made, problem).ok, verify(made, problem).violations
        assert not np.any((made.choice == 0) & full)
        assert not np.any(made.choice[problem.held_out] >= 0)
    by_hand = Problem(
        cases.assign(may=~full), [Remedy("call", value="worth", uses={"hours": 1}, eligible="may"), MAIL],
        [Resource("hours", n // 3)], one_per="customer_id", holdout=problem.holdout,
    )  # fmt: skip
    assert plan(problem, "milp").value == pytest.approx(plan(by_hand, "milp").value)


def test_shrunk_values_keep_to_the_same_contacts():
    call = Remedy("call", value="worth", uses={"hours": 1}, error=3.0)
    rule = Frequency(_history(["甲", "2024-03-05T00:00Z"]), most=1, days=7, at=AT)
    problem = Problem(_cases("甲", "乙", "丙"), [call], [Resource("hours", 9)], frequency=rule)
    better = shrunk(problem)
    assert plan(better).table["remedy"].tolist() == ["nothing", "call", "call"]
    assert better.frequency == problem.frequency
