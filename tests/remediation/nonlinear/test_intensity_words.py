"""Remedies with intensities: how they are written, fixed, saved, assigned, questioned and verified."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import DataError, ExpressionError
from crmkit.remediation import (
    Cap,
    Frequency,
    Plan,
    Problem,
    Remedy,
    Resource,
    conflict,
    packages,
    plan,
    shrunk,
    verify,
)
from crmkit.testing import check_plugin

TABLE = pd.DataFrame({"case_id": list("abcdef"), "worth": [100.0, 200.0, 50.0, 400.0, 90.0, 30.0]})
VALUE = "0.4 * worth * (1 - exp(-intensity / 20)) - intensity"


@pytest.fixture(scope="module")
def problem():
    remedies = [
        Remedy("voucher", value=VALUE, uses={"budget": "intensity"}, intensity=(5, 50), error="0.1 * intensity"),
        Remedy("call", value="0.2 * worth", uses={"hours": 1}),
    ]
    return Problem(TABLE, remedies, [Resource("budget", 50), Resource("hours", 2), Cap("voucher", count=4)])


@pytest.fixture(scope="module")
def made(problem):
    return plan(problem)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((5,), "must be a pair of least and most"),
        (5, "must be a pair of least and most"),
        ("5-50", "must be a pair of least and most"),
        ((50, 5), "the least must not be above the most"),
        ((5, None), "the most intensity of remedy 'a'"),
        ((True, 5), "the least intensity of remedy 'a'"),
        ((0, float("inf")), "the most intensity of remedy 'a'"),
    ],
)
def test_a_range_is_a_pair_of_formulas(given, message):
    with pytest.raises(ValueError, match=message):
        Remedy("a", value=1, intensity=given)


def test_a_list_is_a_pair_too():
    assert Remedy("a", value=1, intensity=[1, "high"]).intensity == (1, "high")


def test_a_column_called_intensity_is_told():
    with pytest.raises(DataError, match="rename the column"):
        Problem(TABLE.assign(intensity=1.0), [Remedy("a", value="worth", intensity=(0, 1))])
    # Without intensities it is a column like any other.
    assert plan(Problem(TABLE.assign(intensity=1.0), [Remedy("a", value="intensity")])).value == 6.0


def test_eligibility_and_plain_remedies_know_no_intensity():
    with pytest.raises(ExpressionError, match="no column 'intensity'"):
        Problem(TABLE, [Remedy("a", value="worth", eligible="intensity > 3", intensity=(0, 9))])
    with pytest.raises(ExpressionError, match="no column 'intensity'"):
        Problem(TABLE, [Remedy("a", value="intensity")])


def test_a_range_of_text_is_told():
    with pytest.raises(DataError, match="the least intensity of remedy 'a' must be a number"):
        Problem(TABLE, [Remedy("a", value="worth", intensity=("case_id", 9))])


def test_a_use_that_is_negative_at_the_least_intensity_is_told():
    with pytest.raises(DataError, match="is negative in"):
        Problem(TABLE, [Remedy("a", value=1, uses={"b": "intensity - 2"}, intensity=(0, 9))], [Resource("b", 9)])


@pytest.mark.parametrize("planner", ["lp", "milp", "dual", "greedy", "robust", "cvar"])
def test_other_planners_name_the_one_that_can(problem, planner):
    with pytest.raises(DataError, match="only planner 'nonlinear'"):
        plan(problem, planner)


@pytest.mark.parametrize("planner", ["auto", "lp", "milp", "greedy", "robust"])
def test_every_planner_plans_fixed_intensities(problem, made, planner):
    fixed = problem.at_intensities(made.problem.intensities)
    again = plan(fixed, planner)
    assert verify(again, fixed).ok
    assert again.value <= made.value + 1e-9
    assert "intensity" in again.table


def test_fixed_intensities_give_the_formulas_at_them(problem):
    at = np.full((6, 2), np.nan)
    at[:5, 0] = [5, 10, 20, 30, 50]
    fixed = problem.at_intensities(at)
    expected = 0.4 * TABLE["worth"][:5] * (1 - np.exp(-at[:5, 0] / 20)) - at[:5, 0]
    assert fixed.worth()[:5, 0].tolist() == pytest.approx(expected.tolist())
    assert np.isneginf(fixed.worth()[5, 0])
    assert fixed.errors()[0][:5, 0].tolist() == pytest.approx((0.1 * at[:5, 0]).tolist())
    assert problem.open_intensities
    assert not fixed.open_intensities
    assert fixed.with_open_intensities().open_intensities


@pytest.mark.parametrize("wrong", [4.9, 50.1, np.inf])
def test_intensities_outside_the_range_are_refused(problem, wrong):
    at = np.full((6, 2), 10.0)
    at[3, 0] = wrong
    with pytest.raises(DataError, match="'voucher' is outside its range in row 3"):
        problem.at_intensities(at)


def test_intensities_of_another_shape_or_of_no_remedy_are_refused(problem):
    with pytest.raises(DataError, match=r"must have the shape \(6, 2\)"):
        problem.at_intensities(np.ones(6))
    with pytest.raises(DataError, match="no remedy has an intensity"):
        Problem(TABLE, [Remedy("a", value=1)]).at_intensities(np.ones((6, 1)))


def test_the_table_has_intensities_only_where_the_problem_has(made):
    table = made.table
    assert table.columns.tolist().index("intensity") == 3
    assert (table["intensity"].notna() == (table["remedy"] == "voucher")).all()
    plain = plan(Problem(TABLE, [Remedy("a", value=1)]))
    assert "intensity" not in plain.table


def test_a_saved_plan_is_the_same_and_plans_other_limits_again(made, problem, tmp_path):
    crmkit.save(made, tmp_path / "plan.zip")
    loaded = crmkit.load(tmp_path / "plan.zip")
    pd.testing.assert_frame_equal(loaded.table, made.table)
    assert loaded.bound == made.bound
    assert loaded.intensities_chosen
    assert verify(loaded, problem).ok
    pd.testing.assert_frame_equal(loaded.what_if("budget", [20, 50]), made.what_if("budget", [20, 50]))
    pd.testing.assert_frame_equal(loaded.prices, made.prices)


def test_a_saved_problem_is_still_to_be_planned(problem, made, tmp_path):
    crmkit.save(problem, tmp_path / "problem.zip")
    loaded = crmkit.load(tmp_path / "problem.zip")
    assert loaded.open_intensities
    assert plan(loaded).value == pytest.approx(made.value, rel=1e-9)


def test_what_if_chooses_intensities_anew(made, problem):
    curve = made.what_if("budget", [10, 50, 200])
    for budget, line in curve.iterrows():
        again = plan(problem.with_bounds({"budget": budget}))
        assert line["value"] == pytest.approx(again.value, rel=1e-4)
        assert line["bound"] >= again.value - 1e-9
    assert curve["value"].is_monotonic_increasing


def test_the_price_of_a_limit_is_its_slope_with_intensities_chosen_anew():
    table = pd.DataFrame({"case_id": np.arange(400), "worth": np.random.default_rng(0).uniform(20, 400, 400)})
    problem = Problem(
        table, [Remedy("voucher", value=VALUE, uses={"budget": "intensity"}, intensity=(5, 50))],
        [Resource("budget", 4_000)],
    )  # fmt: skip
    made = plan(problem)
    around = [plan(problem.with_bounds({"budget": 4_000 + step})).bound for step in (-20.0, 20.0)]
    slope = (around[1] - around[0]) / 40
    line = made.prices.loc["budget"]
    assert line["price_more"] == pytest.approx(slope, rel=0.01)
    assert line["price_less"] == pytest.approx(slope, rel=0.01)


def test_new_cases_get_the_best_intensity_at_the_prices(made):
    price = made.duals[0]
    new = pd.DataFrame({"case_id": ["x", "y", "z"], "worth": [150.0, np.nan, 20.0]})
    loose = Plan.from_choice(made.problem, np.full(6, -1), prices=made.duals)
    with pytest.warns(match="1 of 3 cases"):
        given = loose.assign(new)
    assert given["remedy"].tolist()[0] in {"voucher", "call"}
    assert given.columns.tolist()[:3] == ["case_id", "remedy", "intensity"]
    if given["remedy"][0] == "voucher":
        best = np.clip(20 * np.log(0.4 * 150 / 20 / (1 + price)), 5, 50)
        assert given["intensity"][0] == pytest.approx(best, rel=1e-4)


def test_assign_prices_an_intensity_as_the_closed_form_says():
    problem = Problem(
        TABLE, [Remedy("voucher", value=VALUE, uses={"budget": "intensity"}, intensity=(5, 50))],
        [Resource("budget", 60)],
    )  # fmt: skip
    made = plan(problem)
    empty = Plan.from_choice(made.problem, np.full(6, -1), prices=made.duals)
    given = empty.assign({"case_id": ["x"], "worth": [500.0]})
    assert given["intensity"][0] == pytest.approx(20 * np.log(0.4 * 500 / 20 / (1 + made.duals[0])), rel=1e-4)
    bent = Problem(TABLE, [Remedy("a", value="sqrt(abs(intensity - 9)) * worth", intensity=(0, 10))])
    given = plan(bent).assign({"case_id": ["x"], "worth": [2.0]})
    assert given["intensity"].tolist() == pytest.approx([0.0])


def test_values_at_an_intensity_cannot_be_shrunk(made):
    with pytest.raises(DataError, match="cannot be shrunk"):
        shrunk(made.problem)


def test_open_intensities_have_no_errors_yet(problem):
    with pytest.raises(DataError, match="only planner 'nonlinear'"):
        problem.errors()


def test_explain_ranks_at_the_planned_intensities(made):
    told = made.explain("b")
    assert told["adjusted"].is_monotonic_decreasing
    assert made.table.set_index("case_id").loc["b", "value"] == pytest.approx(
        float(told.loc[told["chosen"] == 1, "value"].iloc[0])
    )


def test_a_conflict_without_a_plan_is_asked_of_the_least_use(problem):
    assert conflict(problem) == ()


def test_contact_frequency_holds_for_remedies_with_an_intensity():
    before = pd.DataFrame({"customer_id": ["p"], "time": pd.to_datetime(["2024-05-01"], utc=True)})
    rule = Frequency(before, most=1, days=30, at=pd.Timestamp("2024-05-10", tz="UTC"))
    table = TABLE.assign(customer_id=list("pqrstu"))
    remedies = [Remedy("voucher", value=VALUE, uses={"budget": "intensity"}, intensity=(5, 50))]
    problem = Problem(table, remedies, [Resource("budget", 80)], frequency=rule)
    made = plan(problem)
    assert made.choice[0] == -1
    assert made.choice[1] == 0
    assert verify(made, problem).ok
    given = made.table.assign(remedy="voucher", intensity=5.0)[["case_id", "remedy", "intensity"]]
    assert not verify(given, problem).ok


def test_what_is_not_done_with_intensities_is_refused_in_words(made):
    with pytest.raises(DataError, match="promises of remedies with an intensity are not kept"):
        made.update(TABLE)
    soft = [Resource("budget", 50, penalty=2.0)]
    remedy = Remedy("voucher", value=VALUE, uses={"budget": "intensity"}, intensity=(5, 50))
    with pytest.raises(DataError, match=r"'budget'.* are not planned together with intensities"):
        plan(Problem(TABLE, [remedy], soft))
    assert plan(Problem(TABLE, [remedy], soft).at_intensities(np.full((6, 1), 20.0))).value > 0
    with pytest.raises(ValueError, match="has intensity=, which cannot be combined"):
        packages([remedy, Remedy("call", value=1)])


def test_a_waterfall_at_planned_intensities_is_refused_because_it_would_mislead(made):
    with pytest.raises(DataError, match="ask what_if"):
        made.waterfall()


def test_prices_count_what_a_lot_more_of_one_amount_would_bring():
    cases = {"case_id": range(12), "worth": np.random.default_rng(1).gamma(2, 60, 12)}
    voucher = Remedy("voucher", value="intensity * worth / 100", uses={"budget": "intensity"}, intensity=(0, 30))
    made = plan(Problem(cases, [voucher, Remedy("email", value="0.02 * worth")], [Resource("budget", 30)]))
    prices, curve = made.prices.loc["budget"], made.what_if("budget", [0, 30, 60])["value"]
    assert prices["price_more"] == pytest.approx((curve[60] - curve[30]) / 30)
    assert prices["price_less"] == pytest.approx((curve[30] - curve[0]) / 30)


def test_a_stream_of_new_cases_keeps_to_what_is_left(made, tmp_path):
    stream = Plan.from_choice(made.problem, np.full(6, -1), prices=made.duals).assigner()
    first = stream.assign({"case_id": range(20), "worth": np.full(20, 300.0)})
    assert first["uses_budget"].sum() <= 50
    assert (first["intensity"].notna() == (first["remedy"] == "voucher")).all()
    crmkit.save(stream, tmp_path / "stream.zip")
    again = crmkit.load(tmp_path / "stream.zip").assign({"case_id": ["x"], "worth": [300.0]})
    pd.testing.assert_frame_equal(again, stream.assign({"case_id": ["x"], "worth": [300.0]}))


MUTATIONS = {
    "outside": (lambda t, i: t.assign(intensity=t["intensity"].where(t.index != i, 51.0)), "outside its range: row"),
    "below": (lambda t, i: t.assign(intensity=t["intensity"].where(t.index != i, 4.0)), "outside its range: row"),
    "absent": (lambda t, _i: t.drop(columns="intensity"), "has no column 'intensity'"),
    "missing": (lambda t, i: t.assign(intensity=t["intensity"].where(t.index != i)), "outside its range: row"),
    "value": (lambda t, i: t.assign(value=t["value"] + 1e-5 * (t.index == i)), "value is not what the formulas give"),
    "other": (
        lambda t, i: t.assign(intensity=t["intensity"].where(t.index != i, t["intensity"] - 1)),
        "value is not what the formulas give",
    ),
    "uses": (
        lambda t, i: t.assign(uses_budget=t["uses_budget"] - 1e-5 * (t.index == i)),
        "uses_budget is not what the formulas give",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_intensity_or_value_at_one_is_caught(made, problem, mutation):
    change, message = MUTATIONS[mutation]
    row = made.table.index[made.table["remedy"] == "voucher"][0]
    verdict = verify(change(made.table, row), problem)
    assert not verdict.ok
    assert any(message in violation for violation in verdict.violations), verdict.violations


def test_an_intensity_of_nothing_is_caught(made, problem):
    row = made.table.index[made.table["remedy"] != "voucher"][0]
    table = made.table.assign(intensity=made.table["intensity"].where(made.table.index != row, 10.0))
    assert "an intensity is given where there is none: row" in verify(table, problem).violations[0]


def test_limits_are_checked_at_the_tables_intensities(made, problem):
    table = made.table[["case_id", "remedy"]].assign(
        intensity=made.table["intensity"].where(made.table["intensity"].isna(), 50.0)
    )
    assert any("limit 'budget'" in violation for violation in verify(table, problem).violations)


def test_another_plans_prices_prove_only_what_their_best_intensities_do(made, problem):
    # A price of nothing proves no less than the best value of every case at its best intensity.
    free = Plan.from_choice(made.problem, made.choice, prices=[0.0, 0.0, 0.0], bound=1e9).with_chosen_intensities(1e9)
    best = [max(0.4 * w * (1 - np.exp(-i / 20)) - i for i in np.linspace(5, 50, 4_501)) for w in TABLE["worth"]]
    expected = np.maximum(best, 0.2 * TABLE["worth"]).sum()
    assert verify(free, problem).bound == pytest.approx(expected, rel=1e-6)
    assert verify(free, problem).bound >= expected


def test_fixed_intensities_are_verified_as_such(made):
    verdict = verify(made, made.problem)
    assert verdict.ok
    row = made.table.index[made.table["remedy"] == "voucher"][0]
    table = made.table.assign(intensity=made.table["intensity"].where(made.table.index != row, 30.0))
    assert "not the one at which the problem stands: row" in verify(table, made.problem).violations[0]


def test_a_case_with_one_remedy_at_two_intensities_is_caught(made, problem):
    row = made.table[made.table["remedy"] == "voucher"].iloc[[0]].assign(share=0.5)
    rest = made.table[made.table["case_id"] != row["case_id"].iloc[0]]
    both = pd.concat([rest, row, row.assign(intensity=row["intensity"] - 1)], ignore_index=True)
    assert "a case has one remedy at two intensities" in verify(both, problem).violations


def test_the_planner_passes_the_checks_of_its_kind():
    check_plugin(crmkit.describe("planner", "nonlinear").spec)
