"""Updating a plan: promises stand, the rest is planned as well as possible under what is left, and verify sees both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp

import crmkit
from crmkit.core.errors import DataError, DataWarning, InfeasiblePlanError
from crmkit.remediation import (
    Cap,
    DualPlanner,
    Floor,
    Frequency,
    Holdout,
    Plan,
    Problem,
    Ratio,
    Remedy,
    Resource,
    disappointment,
    plan,
    risk,
    shrunk,
    verify,
)

CALL = Remedy("call", value="worth", uses={"hours": "time"})
GIFT = Remedy("gift", value="0.5 * worth", uses={"money": 10, "hours": 0.1}, eligible="may")


def _cases(n, seed, first=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "case_id": [f"案{i}" for i in range(first, first + n)],
            "customer_id": [None if i == 0 else f"客户{i}" for i in random.integers(0, 2 * n, n)],
            "worth": random.lognormal(2, 1, n),
            "time": random.uniform(0.2, 1.5, n),
            "may": random.random(n) < 0.7,
            "old": random.random(n) < 0.5,
        }
    )  # fmt: skip


def _best(cases, limits, stands, one_per, closed, *, penalty=0.0, beyond=0.0):
    """Solve what is open with scipy, written case by case: the most that any plan can be worth."""
    n = len(cases)
    value = np.column_stack([cases["worth"], np.where(cases["may"], 0.5 * cases["worth"], -np.inf)])
    hours = np.column_stack([cases["time"], np.full(n, 0.1)])
    money = np.column_stack([np.zeros(n), np.full(n, 10.0)])
    low, high = np.zeros((n, 2)), np.isfinite(value).astype(float)
    high[closed] = 0.0
    for i, (remedy, worth, used_hours, used_money) in stands.items():
        low[i], high[i], value[i] = 0.0, 0.0, -np.inf
        low[i, remedy] = high[i, remedy] = 1.0
        value[i, remedy], hours[i, remedy], money[i, remedy] = worth, used_hours, used_money
    old = np.repeat(cases["old"].to_numpy()[:, None], 2, axis=1).astype(float)
    gifts = np.column_stack([np.zeros(n), np.ones(n)])
    rows = [(hours, -np.inf, limits["hours"]), (money, -np.inf, limits["money"]), (gifts, -np.inf, limits["cap"])]
    rows.append((old, limits["floor"], np.inf))
    keys = pd.Series(np.arange(n), dtype=object) if one_per is None else cases[one_per].reset_index(drop=True)
    keys = keys.where(keys.notna(), pd.Series([("missing", i) for i in range(n)], dtype=object))
    rows += [
        (np.repeat((keys == key).to_numpy()[:, None], 2, axis=1).astype(float), -np.inf, 1.0) for key in keys.unique()
    ]
    overtime = np.zeros((len(rows), 1))
    overtime[0] = -1.0
    matrix = np.hstack([np.array([row[0].ravel() for row in rows]), overtime])
    constraints = LinearConstraint(matrix, [row[1] for row in rows], [row[2] for row in rows])
    cost = np.append(-np.where(high > 0, value, 0.0), penalty)
    bounds = np.append(low, 0.0), np.append(high, beyond)
    whole = np.append(np.ones(2 * n), 0)
    found = milp(cost, constraints=constraints, bounds=bounds, integrality=whole, options={"mip_rel_gap": 0.0})
    return None if found.x is None else -found.fun


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("one_per", [None, "customer_id"])
def test_the_rest_is_planned_best_beside_what_is_promised(seed, one_per):
    random = np.random.default_rng(1000 + seed)
    cases = _cases(30, seed)
    soft = {"penalty": 4.0, "beyond": 3.0} if seed % 2 else {"penalty": 0.0, "beyond": 0.0}
    hours = Resource("hours", 8.0, **soft) if seed % 2 else Resource("hours", 8.0)
    limits = [hours, Resource("money", 60.0), Cap("gift", count=5), Floor(where="old", count=3)]
    made = plan(Problem(cases, [CALL, GIFT], limits, one_per=one_per), "milp")
    stay = random.random(30) < 0.8
    now = pd.concat([cases[stay], _cases(12, 500 + seed, first=100)]).sample(frac=1, random_state=seed)
    moved = random.random(len(now)) < 0.3
    now.loc[moved, "worth"] *= random.uniform(0.1, 3, moved.sum())
    now.loc[moved, "time"] *= random.uniform(0.5, 2, moved.sum())
    now.loc[moved, "may"] = ~now.loc[moved, "may"]
    if one_per is not None:
        now = now.reset_index(drop=True)
    has = made.table[made.table["remedy"] != "nothing"]
    promised = None if seed % 3 == 0 else has["case_id"].sample(frac=0.6, random_state=seed).tolist()
    later = made.update(now, promised=promised, planner="milp")
    chosen = has if promised is None else has[has["case_id"].isin(promised)]
    table = later.table.set_index("case_id")
    left = {"hours": 8.0, "money": 60.0, "cap": 5.0, "floor": 3.0}
    stands, gone_keys = {}, set()
    where = {case: i for i, case in enumerate(now["case_id"])}
    for line in chosen.itertuples():
        if line.case_id in where:
            assert table.loc[line.case_id, "remedy"] == line.remedy
            assert table.loc[line.case_id, "uses_hours"] == line.uses_hours
            assert table.loc[line.case_id, "value"] == line.value
            stands[where[line.case_id]] = (
                ["call", "gift"].index(line.remedy),
                line.value,
                line.uses_hours,
                line.uses_money,
            )
        else:
            row = cases.set_index("case_id").loc[line.case_id]
            left["hours"] -= line.uses_hours
            left["money"] -= line.uses_money
            left["cap"] -= line.remedy == "gift"
            left["floor"] -= row["old"]
            gone_keys.add(row["customer_id"])
    assert table["promised"].tolist() == [i in stands for i in range(len(now))]
    closed = np.zeros(len(now), dtype=bool)
    if one_per is not None:
        closed = now["customer_id"].isin([key for key in gone_keys if pd.notna(key)]).to_numpy()
    worked = max(-left["hours"], 0.0)  # overtime of those who are gone
    left["hours"] = max(left["hours"], 0.0)
    expected = _best(now, left, stands, one_per, closed, penalty=soft["penalty"], beyond=soft["beyond"] - worked)
    verified = verify(later, later.problem)
    assert verified.ok, verified.violations
    assert later.value == pytest.approx(expected, rel=2e-6)
    assert later.bound >= expected - 1e-6 * abs(expected)
    assert verified.bound >= expected - 1e-6 * abs(expected)
    for planner in (("auto", "greedy"), ("lp", DualPlanner(core=4)), ("dual",))[seed % 3]:
        other = made.update(now, promised=promised, planner=planner)
        assert verify(other, other.problem).ok, verify(other, other.problem).violations
        assert other.bound >= expected * (1 - 1e-9) - 1e-9
        assert other.value <= other.bound


@pytest.mark.parametrize("seed", range(6))
def test_what_limits_cost_beside_promises(seed):
    cases = _cases(40, seed)
    ratio = Ratio("old", least=0.5, to="not old", name="fair", short=2)
    limits = [Resource("hours", 8.0, penalty=9.0), Resource("money", 60.0), Cap("gift", share=0.2), ratio]
    made = plan(Problem(cases, [CALL, GIFT], limits), "milp")
    later = made.update(
        pd.concat([cases.tail(30), _cases(20, 90 + seed, first=100)], ignore_index=True), planner="milp"
    )
    assert verify(later, later.problem).ok, verify(later, later.problem).violations
    fall = later.waterfall()
    assert fall["value"].iloc[-1] == pytest.approx(later.value)
    assert (fall["cost"] >= -1e-6).all()
    assert fall["value"].iloc[-2] == pytest.approx(later.relaxed().value + later.problem.fixed)
    left = later.problem.limits[1].limit
    curve = later.what_if("money", [0.9 * left, left])
    assert curve["value"].iloc[1] == pytest.approx(later.value, rel=1e-3)
    assert curve["bound"].iloc[1] == pytest.approx(later.bound, rel=1e-3)


@pytest.fixture
def made():
    cases = {"case_id": [1, 2, 3, 4], "customer_id": ["甲", "乙", "丙", "丁"], "worth": [10.0, 9.0, 8.0, 1.0]}
    problem = Problem(
        cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", 3), Cap("call", count=3)],
        one_per="customer_id",
    )  # fmt: skip
    return plan(problem)


def _open(*rows):
    return pd.DataFrame(rows, columns=["case_id", "customer_id", "worth"])


def test_all_remedies_are_promised_where_nothing_is_said(made):
    later = made.update(_open([3, "丙", -5.0], [9, "新", 100.0], [1, "甲", np.nan], [2, "乙", 0.0]).iloc[[0, 1, 3]])
    # Case 1 is gone with its hour; 2 and 3 keep theirs whatever they are worth now.
    assert later.table["remedy"].tolist() == ["call", "nothing", "call"]
    assert later.table["promised"].tolist() == [True, False, True]
    assert later.table["value"].tolist() == [8.0, 0.0, 9.0]
    assert [limit.limit for limit in later.problem.limits[:1]] == [2.0]
    assert later.problem.limits[1].count == 2.0
    assert later.prices["used"].tolist() == [2.0, 2.0]
    assert any("1 promised cases are gone" in note for note in later.notes)
    assert any("2 promised remedies stand; 1 of 3 cases are new" in note for note in later.notes)
    assert verify(later, later.problem).ok
    assert "2 promised" in repr(later.problem)


def test_a_promise_stands_where_its_case_is_no_longer_eligible(made):
    with pytest.warns(DataWarning, match="1 of 2 cases have something missing"):
        later = made.update(_open([1, "甲", np.nan], [9, "新", 5.0]))
    assert later.table["remedy"].tolist() == ["call", "nothing"]
    assert later.value == 10.0
    assert verify(later, later.problem).ok


def test_only_what_is_named_is_promised(made):
    cases = _open([1, "甲", 1.0], [2, "乙", 2.0], [3, "丙", 3.0], [9, "新", 4.0])
    assert made.update(cases, promised=[1]).table["remedy"].tolist() == ["call", "nothing", "call", "call"]
    assert made.update(cases, promised=[]).table["remedy"].tolist() == ["nothing", "call", "call", "call"]
    assert made.update(cases, promised=pd.Series([1, 2])).table["promised"].tolist() == [True, True, False, False]


def test_promises_of_all_rounds_stand(made):
    first = made.update(_open([1, "甲", 1.0], [8, "新", 90.0], [9, "戊", 80.0]), promised=[1])
    assert first.table["remedy"].tolist() == ["call", "call", "call"]
    second = first.update(_open([1, "甲", 1.0], [10, "新", 70.0], [11, "己", 60.0]), promised=[8])
    # 1 stands from the first round, 8 is gone: its customer has had the one remedy, and one hour is left.
    assert second.table["remedy"].tolist() == ["call", "nothing", "call"]
    assert second.table["promised"].tolist() == [True, False, False]
    assert second.problem.limits[0].limit == 2.0
    assert verify(second, second.problem).ok
    third = second.update(_open([12, "甲", 50.0], [13, "新", 50.0]), promised=[])
    assert third.table["remedy"].tolist() == ["nothing", "call"] or third.table["remedy"].tolist() == [
        "nothing",
        "nothing",
    ]
    assert third.table["remedy"].tolist() == ["nothing", "nothing"]  # both have had theirs in earlier rounds
    assert third.problem.limits[0].limit == 1.0
    given = third.assigner().assign({"case_id": [1, 2], "customer_id": ["新", "庚"], "worth": [99.0, 99.0]})
    assert given["remedy"].tolist() == ["nothing", "call"]


def test_a_customer_with_a_promise_gets_no_second_remedy(made):
    later = made.update(_open([1, "甲", 1.0], [9, "甲", 99.0], [10, "乙", 98.0]), promised=[1, 2])
    assert later.table["remedy"].tolist() == ["call", "nothing", "nothing"]
    beside = later.table.assign(remedy=["call", "call", "nothing"], intended=["call", "call", "nothing"])
    assert any(
        "a remedy beside one promised per customer_id: row 1" in text
        for text in verify(beside, later.problem).violations
    )
    gone = later.table.assign(remedy=["call", "nothing", "call"], intended=["call", "nothing", "call"])
    assert any(
        "a remedy beside one promised per customer_id: row 2" in text for text in verify(gone, later.problem).violations
    )


def test_verify_finds_a_broken_promise(made):
    later = made.update(_open([1, "甲", 1.0], [9, "新", 99.0]))
    assert verify({"case_id": [1, 9], "remedy": ["call", "nothing"]}, later.problem).ok
    broken = verify({"case_id": [1, 9], "remedy": ["nothing", "nothing"]}, later.problem)
    assert broken.violations == ("a promised remedy is not given: row 0",)
    marked = later.table.assign(promised=[False, False])
    assert "promised is wrong: row 0" in verify(marked, later.problem).violations
    too_much = verify({"case_id": [1, 9], "remedy": ["call", "call"]}, later.problem)
    assert any("limit 'hours': 2 used of at most 1" in text for text in too_much.violations)


def test_promises_that_break_a_limit_are_an_error_that_names_it():
    cases = pd.DataFrame({"case_id": range(10), "worth": np.arange(10.0) + 1})
    limits = [Resource("hours", 5), Cap("call", share=0.5, name="half")]
    made = plan(Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits))
    with pytest.raises(InfeasiblePlanError, match="'half' of 3 is exceeded by 2") as error:
        made.update(cases.tail(6))
    assert error.value.conflict == ("half",)
    assert error.value.relaxation == {"half": 2.0}
    assert verify(
        made.update(cases.tail(6), promised=[9, 8, 7]), made.update(cases.tail(6), promised=[9, 8, 7]).problem
    ).ok


def test_two_promises_in_one_group_are_an_error(made):
    with pytest.raises(DataError, match="more than one promised remedy per customer_id, in rows 0, 2"):
        made.update(_open([1, "甲", 1.0], [9, "新", 1.0], [2, "甲", 1.0]))


def test_what_cannot_be_promised_is_refused(made):
    cases = _open([1, "甲", 1.0], [4, "丁", 1.0])
    with pytest.raises(DataError, match="no case of the plan, in row 1"):
        made.update(cases, promised=[1, 77])
    with pytest.raises(DataError, match="gave the case nothing, in row 0"):
        made.update(cases, promised=[4])
    with pytest.raises(TypeError, match="one text"):
        made.update(cases, promised="1")
    with pytest.raises(DataError, match="no numbers in the cases and numbers in the plan"):
        made.update(cases.astype({"case_id": str}))
    with pytest.raises(DataError, match="stands more than once"):
        made.update(_open([1, "甲", 1.0], [1, "甲", 1.0]))
    divided = plan(Problem.from_arrays([[3.0], [2.0]], uses={"hours": 1.0}, limits={"hours": 1.5}), "lp")
    with pytest.raises(DataError, match="divides cases"):
        divided.update({"case_id": [0, 1]})


def test_floors_count_promises_and_those_as_counts_also_what_is_gone():
    cases = pd.DataFrame({"case_id": range(4), "worth": [5.0, 4.0, 3.0, 2.0], "vip": True})
    call = Remedy("call", value="worth", uses={"hours": 1})
    made = plan(Problem(cases, [call], [Resource("hours", 3), Floor(where="vip", count=3)]))
    later = made.update(
        pd.DataFrame({"case_id": [0, 10, 11], "worth": [0.0, -1.0, -2.0], "vip": True}), promised=[0, 1]
    )
    assert later.problem.limits[1].count == 2.0
    assert later.table["remedy"].tolist() == ["call", "call", "nothing"]
    assert verify(later, later.problem).ok
    shares = plan(Problem(cases, [call], [Resource("hours", 3), Floor(where="vip", share=0.75)]))
    now = shares.update(pd.DataFrame({"case_id": [0, 10, 11], "worth": [0.0, -1.0, -2.0], "vip": True}), promised=[0])
    assert now.table["remedy"].tolist() == ["call", "call", "call"]
    assert verify(now, now.problem).ok


@pytest.mark.parametrize("one_per", [None, "customer_id"])
def test_who_is_held_out_stays_so_and_the_share_of_new_ones_is_drawn(one_per):
    random = np.random.default_rng(0)
    customers = [f"客户{i}" for i in random.integers(0, 300, 400)]
    cases = pd.DataFrame({"case_id": range(400), "customer_id": customers, "worth": 1.0})
    made = plan(Problem(cases, [Remedy("call", value="worth")], one_per=one_per, holdout=Holdout(0.2)))
    held = set(cases.loc[made.problem.held_out, one_per or "case_id"])
    now = cases.tail(200)
    drawn = 0
    for day in range(60):
        new = pd.DataFrame(
            {"case_id": [1000 + day, 2000 + day], "customer_id": [f"neu{day}", customers[day]], "worth": 1.0}
        )
        now = pd.concat([now, new], ignore_index=True)
        made = made.update(now, promised=[])
        again = set(now.loc[made.problem.held_out, one_per or "case_id"])
        assert again & set(now[one_per or "case_id"]) >= held & set(now[one_per or "case_id"])
        drawn += f"neu{day}" in set(now.loc[made.problem.held_out, "customer_id"])
        if one_per:
            returned = now["customer_id"] == customers[day]
            assert set(made.problem.held_out[returned]) == {customers[day] in held}
        held |= again
    assert 4 <= drawn <= 22
    assert verify(made, made.problem).ok
    first = made.update(now, promised=[])
    second = made.update(now, promised=[])
    assert np.array_equal(first.problem.held_out, second.problem.held_out)


def test_promised_contacts_count_for_the_frequency():
    history = pd.DataFrame({"customer_id": ["甲"], "time": pd.to_datetime(["2024-03-05"], utc=True)})
    rule = Frequency(history, most=2, days=7, at="2024-03-05T12:00+00:00")
    cases = _open([1, "甲", 10.0], [2, "乙", 9.0], [3, "丙", 1.0])
    made = plan(
        Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", 9)], frequency=rule)
    )
    assert set(made.table["remedy"]) == {"call"}
    later = made.update(_open([1, "甲", 10.0], [7, "甲", 99.0], [8, "乙", 99.0]), promised=[1, 2])
    assert later.table["remedy"].tolist() == ["call", "nothing", "call"]
    assert verify(later, later.problem).ok
    assert later.assign(_open([20, "乙", 50.0], [21, "丙", 50.0]))["remedy"].tolist() == ["nothing", "call"]
    wrong = verify({"case_id": [1, 7, 8], "remedy": ["call", "call", "call"]}, later.problem)
    assert any("more than 2 contacts in 7 days" in text for text in wrong.violations)


def test_an_updated_plan_is_saved_explained_and_asked_what_if(tmp_path, made):
    later = made.update(_open([1, "甲", 1.0], [8, "新", 7.0], [9, "戊", 6.0], [10, "己", 5.0]), promised=[1])
    crmkit.save(later, tmp_path / "plan.crmkit")
    loaded = crmkit.load(tmp_path / "plan.crmkit", expect=Plan)
    pd.testing.assert_frame_equal(loaded.table, later.table)
    assert (loaded.value, loaded.bound) == (later.value, later.bound) == (23.0, 23.0)
    assert verify(loaded, loaded.problem).ok
    assert later.what_if("hours", [1, 2, 3])["value"].tolist() == [10.0, 17.0, 23.0]
    assert later.what_if("hours", [1, 2, 3])["bound"].tolist() == [10.0, 17.0, 23.0]
    assert later.explain(1).loc["call", "chosen"] == 1.0
    assert later.update(_open([1, "甲", 1.0]), promised=[]).table["remedy"].tolist() == ["call"]
    assert loaded.update(_open([1, "甲", 1.0]), promised=[]).table["remedy"].tolist() == ["call"]
    assert later.assigner().left["hours"] == 0.0


def test_a_plan_of_a_long_table_is_updated_with_long_tables():
    options = {
        "case_id": ["x", "x", "y"],
        "remedy": ["call", "mail", "call"],
        "value": [9.0, 5.0, 6.0],
        "uses_hours": [1.0, 0.0, 1.0],
    }
    made = plan(Problem.from_options(options, [Resource("hours", 2)]))
    now = {"case_id": ["x", "z"], "remedy": ["mail", "call"], "value": [50.0, 6.0], "uses_hours": [0.0, 1.0]}
    later = made.update(now, promised=["x"])
    assert later.table["remedy"].tolist() == ["call", "call"]
    assert verify(later, later.problem).ok
    assert later.update(now).table["promised"].tolist() == [True, True]


def test_uses_that_few_cases_have_stand_too():
    cases = pd.DataFrame({"case_id": range(40), "worth": np.arange(40.0) + 1, "abroad": np.arange(40) >= 38})
    call = Remedy("call", value="worth", uses={"fee": "5 * abroad"})
    made = plan(Problem(cases, [call], [Resource("fee", 10), Cap("call", count=4)]))
    assert made.table["uses_fee"].sum() == 10.0
    home = cases.assign(abroad=np.isin(cases["case_id"], [0, 36]))
    later = made.update(home)
    assert later.table["uses_fee"].tolist() == made.table["uses_fee"].tolist()
    assert verify(later, later.problem).ok
    assert later.used().tolist() == [10.0, 4.0]
    again = made.update(home, promised=[38])
    assert again.table["remedy"].iloc[[36, 37, 38, 39]].tolist() == ["call", "call", "call", "call"]
    assert again.table["uses_fee"].iloc[[36, 38, 39]].tolist() == [5.0, 5.0, 0.0]
    assert verify(again, again.problem).ok


def test_no_cases_left_and_none_before(made):
    later = made.update(_open().astype({"case_id": int, "worth": float}))
    assert len(later.table) == 0
    assert later.problem.limits[0].limit == 0.0
    nothing = plan(
        Problem(
            _open().astype({"case_id": int, "worth": float}), [Remedy("call", value="worth")], one_per="customer_id"
        )
    )
    assert nothing.update(_open([1, "甲", 3.0])).table["remedy"].tolist() == ["call"]
    assert verify(later, later.problem).ok


def test_a_large_plan_is_updated_from_its_prices():
    random = np.random.default_rng(3)
    n = 30_000
    cases = pd.DataFrame(
        {"case_id": np.arange(n), "worth": random.lognormal(2, 1, n), "time": random.uniform(0.1, 1, n)}
    )
    limits = [Resource("hours", n / 10), Floor(where="time > 0.5", share=0.1, name="slow")]
    other = Remedy("mail", value="0.3 * worth", uses={"hours": 0.05})
    made = plan(Problem(cases, [Remedy("call", value="worth", uses={"hours": "time"}), other], limits))
    assert made.planner == "auto (dual)"
    new = cases.tail(300).assign(case_id=np.arange(n, n + 300))
    later = made.update(
        pd.concat([cases.iloc[200:], new], ignore_index=True),
        promised=made.table.loc[made.table["remedy"] != "nothing", "case_id"].iloc[::2],
    )
    assert later.planner == "auto (dual)"
    assert later.gap < 1e-4
    verified = verify(later, later.problem)
    assert verified.ok, verified.violations
    assert verified.bound == pytest.approx(later.bound, rel=1e-5)
    assert later.what_if("hours", [n / 10])["value"].iloc[0] <= later.bound + 2e-4 * abs(later.bound) + 3_000


def test_what_is_asked_of_uncertain_values_is_not_answered_beside_promises():
    cases = pd.DataFrame({"case_id": range(6), "worth": [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]})
    call = Remedy("call", value="worth", uses={"hours": 1}, error="0.2 * worth")
    made = plan(Problem(cases, [call], [Resource("hours", 3)]))
    later = made.update(cases, promised=[0])
    for question in (risk, disappointment, lambda updated: updated.stability(2)):
        with pytest.raises(DataError, match="promised"):
            question(later)
    with pytest.raises(DataError, match="shrink the values of the problem before"):
        shrunk(later.problem)
    careful = made.update(cases, promised=[5] if made.choice[5] >= 0 else [2], planner="robust")
    assert verify(careful, careful.problem).ok
