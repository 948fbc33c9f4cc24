"""Plans as people read them: table, summary, explanation, display, saving; and the door for authors of planners."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError
from crmkit.remediation import Cap, Floor, Holdout, Plan, Problem, Remedy, Resource, plan, verify


@pytest.fixture
def problem():
    cases = pd.DataFrame(
        {
            "case_id": ["a1", "a2", "b", "c", "d"],
            "customer_id": ["a", "a", "b", "c", "d"],
            "worth": [100.0, 80.0, 60.0, 40.0, 3.0],
        }
    )
    return Problem(
        cases,
        [
            Remedy("call", value="0.5 * worth", uses={"hours": 1}),
            Remedy("voucher", value="0.3 * worth - 5", uses={"budget": 10}),
        ],
        [Resource("hours", 1), Resource("budget", 10)],
        one_per="customer_id",
    )


def test_the_table_has_one_row_a_case_in_input_order(problem):
    table = plan(problem).table
    assert table.columns.tolist() == [
        "case_id", "remedy", "share", "value", "uses_hours", "uses_budget", "runner_up", "lead", "arm", "intended",
    ]  # fmt: skip
    assert table["case_id"].tolist() == ["a1", "a2", "b", "c", "d"]
    assert table["remedy"].tolist() == ["call", "nothing", "voucher", "nothing", "nothing"]
    assert table["value"].tolist() == [50.0, 0.0, 13.0, 0.0, 0.0]
    assert table["share"].tolist() == [1.0] * 5
    assert table["arm"].tolist() == ["plan"] * 5
    assert table["intended"].tolist() == table["remedy"].tolist()
    assert table["case_id"].dtype == problem.cases["case_id"].dtype


def test_a_divided_case_has_a_row_for_each_part():
    problem = Problem.from_arrays([[3.0], [2.0]], uses={"u": 1.0}, limits={"u": 1.5})
    made = plan(problem, "lp")
    assert made.table[["case_id", "remedy", "share", "value", "uses_u"]].to_numpy().tolist() == [
        [0, "remedy_0", 1.0, 3.0, 1.0],
        [1, "remedy_0", 0.5, 1.0, 0.5],
        [1, "nothing", 0.5, 0.0, 0.0],
    ]
    assert made.choice[0] == 0
    assert made.value == made.table["value"].sum() == 4.0
    assert made.summary["cases"].tolist() == [1.5, 0.5]


def test_the_gap_is_relative_to_the_value_and_never_below_zero():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"u": 1.0}, limits={"u": 1})
    assert Plan.from_choice(problem, [0, -1], bound=15.0).gap == 0.5
    assert Plan.from_choice(problem, [-1, -1], bound=0.25).gap == 0.25
    assert Plan.from_choice(problem, [0, -1]).gap == np.inf
    assert Plan.from_choice(problem, [0, -1], prices=[4.0]).bound == 10.0
    assert Plan.from_choice(problem, [0, -1], prices=[5.0], bound=12.0).bound == 10.0
    assert Plan.from_choice(problem, [0, -1], bound=10.0 - 1e-12).gap == 0.0


@pytest.mark.parametrize(
    ("choice", "prices", "message"),
    [
        ([0], None, r"one entry for each of the 2 cases, got shape \(1,\)"),
        ([0, 7], None, "from -1 .nothing. to 0"),
        ([0, -2], None, "from -1"),
        ([0.0, -1.0], None, "whole numbers"),
        ([0, 0], None, "not eligible: 1 cases, first in row 1"),
        ([0, -1], [1.0], "for each of the 2 limits"),
        ([0, -1], [1.0, np.nan], "for each of the 2 limits"),
        ([0, -1], [-1.0, 0.0], ">= 0 for resources and caps and <= 0 for floors; not so for 'u'"),
        ([0, -1], [1.0, 1.0], "not so for 'f'"),
    ],
)
def test_authors_of_planners_are_told_what_is_wrong(choice, prices, message):
    problem = Problem.from_arrays(
        [[10.0], [4.0]], uses={"u": 1.0}, limits={"u": 1}, floors={"f": (None, 1)}, eligible=[[True], [False]]
    )
    with pytest.raises(DataError, match=message):
        Plan.from_choice(problem, choice, prices=prices)


def test_an_outsiders_planner_needs_only_arrays_and_from_choice(random_arrays):
    class Cheapest:
        def plan(self, problem):
            value, eligible, _, rows = problem.arrays()
            assert value.shape == eligible.shape == rows[0].coefficients.shape
            return Plan.from_choice(problem, np.full(len(value), -1), planner="cheapest")

    problem = Problem.from_arrays(**(random_arrays(0) | {"floors": {}}))
    made = plan(problem, Cheapest())
    assert made.planner == "cheapest"
    assert verify(made, problem).ok
    assert set(made.prices.columns) == {
        "used", "limit", "price_less", "price_more", "valid_from", "valid_to", "unit",
    }  # fmt: skip


def test_runner_up_and_lead_are_at_the_plans_prices(problem):
    made = plan(problem)
    duals = dict(zip(problem.limit_names, made.duals, strict=True))
    first = made.table.iloc[2]
    voucher, call = 13.0 - 10 * duals["budget"], 30.0 - duals["hours"]
    others = {"call": call, "nothing": 0.0}
    assert first["runner_up"] == max(others, key=others.get)
    assert first["lead"] == pytest.approx(voucher - max(others.values()))


def test_a_case_without_any_choice_has_no_runner_up():
    problem = Problem.from_arrays([[1.0], [2.0]], uses={}, limits={}, eligible=[[True], [False]])
    table = plan(problem).table
    assert table["runner_up"].tolist()[0] == "nothing"
    assert table["runner_up"].isna().tolist() == [False, True]
    assert table["lead"].tolist() == [1.0, np.inf]


def test_explain_ranks_by_value_less_prices(problem):
    made = plan(problem)
    ranked = made.explain("b")
    assert ranked.index[0] == "voucher"
    assert set(ranked.index) == {"voucher", "call", "nothing"}
    assert ranked["adjusted"].is_monotonic_decreasing
    costs = [column for column in ranked.columns if column.startswith("price_of_")]
    assert (ranked["value"] - ranked[costs].sum(axis=1)).to_numpy() == pytest.approx(ranked["adjusted"].to_numpy())
    assert ranked["chosen"].to_dict() == {"voucher": 1.0, "call": 0.0, "nothing": 0.0}


def test_explain_says_that_nothing_is_worth_what_the_customers_other_case_gets(problem):
    made = plan(problem)
    other = made.explain("a1").loc["call", "adjusted"]
    mine = made.explain("a2")
    assert mine.index[0] == "nothing"
    assert mine.loc["nothing", "adjusted"] == pytest.approx(other)
    assert made.table.loc[1, "lead"] == pytest.approx(other - mine["adjusted"].iloc[1])


def test_explain_leaves_out_what_is_not_eligible_and_refuses_strangers():
    problem = Problem.from_arrays([[1.0, 2.0]], uses={}, limits={}, eligible=[[True, False]])
    made = plan(problem)
    assert made.explain(0).index.tolist() == ["remedy_0", "nothing"]
    with pytest.raises(KeyError, match="no case of that id"):
        made.explain("secret")


def test_the_chosen_remedy_ranks_first_unless_a_limit_forbade_it(random_arrays):
    made = plan(Problem.from_arrays(**random_arrays(12, n_cases=200, n_remedies=3)))
    lead = made.table["lead"].to_numpy()
    # A whole plan follows the prices but for a few cases near a tie: no more than about one a limit.
    assert np.sum(lead < -1e-9) <= 3 * len(made.prices)


def test_cases_held_out_get_nothing_and_say_what_was_intended():
    random = np.random.default_rng(0)
    cases = pd.DataFrame({"case_id": np.arange(400), "worth": random.lognormal(2, 1, 400)})
    cases["customer_id"] = random.integers(0, 150, 400)
    problem = Problem(
        cases,
        [Remedy("call", value="worth", uses={"hours": 1}), Remedy("mail", value="0.4 * worth")],
        [Resource("hours", 30), Cap("mail", count=50)],
        one_per="customer_id",
        holdout=Holdout(0.25, random_state=1),
    )
    made = plan(problem)
    held = made.table[made.table["arm"] == "holdout"]
    assert len(held) == problem.held_out.sum() > 0
    assert (held["remedy"] == "nothing").all()
    assert held["value"].sum() == 0.0
    meant = held[held["intended"] != "nothing"]
    assert len(meant) > 0
    assert cases.loc[meant.index, "customer_id"].is_unique
    hours = made.duals[0]
    ranked = made.explain(meant["case_id"].iloc[0])
    assert meant["intended"].iloc[0] in ranked.index[ranked["adjusted"] == ranked["adjusted"].max()].tolist()
    assert hours > 0
    assert verify(made, problem).ok


def test_repr_and_html(problem):
    made = plan(problem)
    assert repr(made) == ("Plan(5 cases: call 1, voucher 1, nothing 3; value 63, bound 63, gap 0; planner 'auto (lp)')")
    shown = made._repr_html_()
    assert "<table>" in shown
    assert "voucher" in shown
    assert "budget" in shown
    escaped = plan(Problem.from_arrays([[1.0]], uses={}, limits={}, remedies=["<b>"]))._repr_html_()
    assert "&lt;b&gt;" in escaped
    assert "<b>" not in escaped


def test_summary_adds_up(problem):
    made = plan(problem)
    assert made.summary.index.tolist() == ["call", "voucher", "nothing"]
    assert made.summary["cases"].sum() == 5
    assert made.summary["value"].sum() == made.value
    assert made.summary.loc["voucher", "uses_budget"] == 10.0
    assert made.used().tolist() == [1.0, 10.0]


def test_a_plan_is_saved_and_loaded_without_pickle(tmp_path, problem):
    made = plan(problem)
    crmkit.save(made, tmp_path / "plan.crmkit")
    loaded = crmkit.load(tmp_path / "plan.crmkit", expect=Plan)
    pd.testing.assert_frame_equal(loaded.table, made.table)
    pd.testing.assert_frame_equal(loaded.prices, made.prices)
    assert (loaded.value, loaded.bound, loaded.planner, loaded.notes) == (
        made.value, made.bound, made.planner, made.notes,
    )  # fmt: skip
    assert verify(loaded, loaded.problem).ok
    assert verify(loaded, problem).ok
    new = {"case_id": ["n"], "customer_id": ["z"], "worth": [500.0]}
    pd.testing.assert_frame_equal(loaded.assign(new), made.assign(new))


def test_new_cases_get_what_is_best_at_the_prices_while_it_lasts():
    cases = pd.DataFrame({"case_id": [1, 2, 3], "worth": [10.0, 8.0, 6.0]})
    problem = Problem(
        cases, [Remedy("call", value="worth", uses={"hours": 1}), Remedy("mail", value="0.1 * worth")],
        [Resource("hours", 5), Cap("mail", count=2)],
    )  # fmt: skip
    made = plan(problem)
    new = pd.DataFrame({"case_id": ["x", "y", "z", "u", "v", "w"], "worth": [1.0, 9.0, 4.0, 3.0, 2.0, -1.0]})
    given = made.assign(new)
    # Two of five hours are left for the first who come; then two mails; then nothing.
    assert given["remedy"].tolist() == ["call", "call", "mail", "mail", "nothing", "nothing"]
    assert given["uses_hours"].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert given["value"].tolist() == pytest.approx([1.0, 9.0, 0.4, 0.3, 0.0, 0.0])
    assert given["case_id"].tolist() == new["case_id"].tolist()
    assert made.table["remedy"].tolist() == ["call"] * 3


def test_a_price_keeps_the_rest_for_those_who_are_worth_it():
    problem = Problem(
        {"case_id": [1, 2, 3], "worth": [10.0, 8.0, 6.0]},
        [Remedy("call", value="worth", uses={"hours": 1})],
        [Resource("hours", 2.5)],
    )
    made = plan(problem)
    assert made.duals[0] == pytest.approx(6.0)
    assert made.assign({"case_id": ["x"], "worth": [5.0]})["remedy"].tolist() == ["nothing"]
    looser = plan(problem.with_bounds({"hours": 4}))
    assert looser.assign({"case_id": ["x"], "worth": [5.0]})["remedy"].tolist() == ["call"]


def test_who_has_a_remedy_or_is_held_out_gets_no_second_one(problem):
    made = plan(problem.with_bounds({"hours": 10, "budget": 100}))
    new = {"case_id": ["x", "y", "z"], "customer_id": ["a", "new", "new"], "worth": [999.0, 50.0, 60.0]}
    assert made.assign(new)["remedy"].tolist() == ["nothing", "call", "nothing"]


@pytest.mark.parametrize("seed", range(10))
def test_taking_many_at_once_is_the_same_as_one_after_the_other(seed):
    random = np.random.default_rng(seed)
    n_new = 300
    old = pd.DataFrame({"case_id": range(20), "worth": random.lognormal(0, 1, 20), "need": random.uniform(0, 3, 20)})
    problem = Problem(
        old,
        [
            Remedy("gift", value="worth", uses={"money": "need"}),
            Remedy("mail", value="0.2 * worth", uses={"stamps": 1}),
        ],
        [Resource("money", 120), Resource("stamps", 40), Floor(count=1)],
    )
    made = plan(problem)
    new = pd.DataFrame(
        {"case_id": range(n_new), "worth": random.lognormal(0, 1, n_new), "need": random.uniform(0, 3, n_new)}
    )
    left = {"money": 120 - made.used()[0], "stamps": 40 - made.used()[1]}
    money, stamps, floor = made.duals
    expected = []
    for worth, need in zip(new["worth"], new["need"], strict=True):
        ranked = [
            (worth - money * need - floor, "gift", {"money": need}),
            (0.2 * worth - stamps - floor, "mail", {"stamps": 1}),
        ]
        given = "nothing"
        for adjusted, name, uses in sorted(ranked, key=lambda entry: -entry[0]):
            if adjusted > 0 and all(left[what] >= amount - 1e-9 for what, amount in uses.items()):
                given = name
                left |= {what: left[what] - amount for what, amount in uses.items()}
                break
        expected.append(given)
    assert made.assign(new)["remedy"].tolist() == expected
    assert set(expected) == {"gift", "mail", "nothing"}


def test_assigning_no_cases_and_refusing_wrong_ones(problem):
    made = plan(problem)
    empty = pd.DataFrame({"case_id": [], "customer_id": [], "worth": np.zeros(0)})
    assert len(made.assign(empty)) == 0
    with pytest.raises(DataError, match="stands more than once"):
        made.assign({"case_id": [1, 1], "customer_id": ["x", "y"], "worth": [1.0, 2.0]})
    with pytest.raises(DataError, match="no column 'customer_id'"):
        made.assign({"case_id": [1], "worth": [1.0]})
