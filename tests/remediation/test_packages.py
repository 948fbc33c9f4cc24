"""What may be given together: which sets are allowed, what they are worth and use, and how limits count them."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError, ExpressionError
from crmkit.remediation import Cap, Floor, Problem, Remedy, Resource, _packages, packages, plan, verify

APOLOGY = Remedy("apology", value="0.1 * worth", uses={"hours": 0.1})
VOUCHER = Remedy("voucher", value="0.2 * worth - 10", uses={"budget": 10}, eligible="worth > 20", error="0.05 * worth")
CALL = Remedy("call", value="gain", uses={"hours": "minutes / 60"}, eligible="not vip", error=2.0)
GIFT = Remedy("gift", value=6, uses={"budget": "2024 cost"}, shared_error=1.5)


def names(made):
    return [each.name for each in made]


def cases(n, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "case_id": np.arange(n),
            "customer_id": random.integers(0, max(1, n // 2), n),
            "worth": random.lognormal(3.5, 0.7, n),
            "gain": random.normal(5, 4, n),
            "minutes": random.uniform(5, 40, n),
            "2024 cost": random.uniform(1, 9, n),
            "vip": random.random(n) < 0.3,
        }
    )


def allowed(n, at_most, requires, excludes):
    """Try every set of remedies against the rules as they are written."""
    for size in range(1, at_most + 1):
        for places in combinations(range(n), size):
            whole = all(set(needed) <= set(places) for owner, needed in requires.items() if owner in places)
            apart = all(len(set(group) & set(places)) <= 1 for group in excludes)
            if whole and apart:
                yield places


def test_every_pair_is_a_package_after_the_single_remedies():
    made = packages([APOLOGY, VOUCHER, CALL])
    assert names(made) == ["apology", "voucher", "call", "apology + voucher", "apology + call", "voucher + call"]
    assert made[0] is APOLOGY
    assert [each.parts for each in made[2:4]] == [(), ("apology", "voucher")]


def test_a_remedy_that_requires_another_never_stands_alone():
    made = packages([APOLOGY, VOUCHER, CALL, GIFT], requires={"gift": "call"}, excludes=[("voucher", "call")])
    assert names(made) == ["apology", "voucher", "call", "apology + voucher", "apology + call", "call + gift"]


def test_requirements_chain_and_may_name_several():
    made = packages([APOLOGY, VOUCHER, CALL], at_most=3, requires={"call": "voucher", "voucher": ["apology"]})
    assert names(made) == ["apology", "apology + voucher", "apology + voucher + call"]


def test_two_that_require_each_other_are_given_both_or_not_at_all():
    made = packages([APOLOGY, VOUCHER, CALL], at_most=3, requires={"call": "voucher", "voucher": "call"})
    assert names(made) == ["apology", "voucher + call", "apology + voucher + call"]


def test_of_a_larger_set_that_excludes_each_other_one_is_given_at_most():
    made = packages([APOLOGY, VOUCHER, CALL, GIFT], at_most=4, excludes=[("apology", "voucher", "gift")])
    assert names(made)[4:] == ["apology + call", "voucher + call", "call + gift"]


@pytest.mark.parametrize("seed", range(120))
def test_the_sets_are_those_that_trying_every_set_finds(seed):
    random = np.random.default_rng(seed)
    n, at_most = int(random.integers(1, 7)), int(random.integers(1, 6))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    requires: dict[int, list[int]] = {}
    for owner, needed in pairs:
        if random.random() < 0.1:
            requires.setdefault(owner, []).append(needed)
    excludes = [pair for pair in pairs if random.random() < 0.08]
    expected = set(allowed(n, at_most, requires, excludes))
    remedies = [Remedy(f"r{i}", value=1.0) for i in range(n)]
    rules = {
        "requires": {f"r{i}": [f"r{j}" for j in needed] for i, needed in requires.items()},
        "excludes": [tuple(f"r{i}" for i in pair) for pair in excludes],
    }
    if {place for places in expected for place in places} != set(range(n)):
        with pytest.raises(ValueError, match="could never be given"):
            packages(remedies, at_most=at_most, **rules)
        return
    made = packages(remedies, at_most=at_most, **rules)
    found = [tuple(int(part[1:]) for part in each.parts or (each.name,)) for each in made]
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert found == sorted(found, key=lambda places: (len(places), places))


def test_value_use_eligibility_and_errors_are_those_of_the_parts_together():
    table = cases(50)
    limits = [Resource("budget", 1e9), Resource("hours", 1e9)]
    problem = Problem(table, packages([VOUCHER, CALL, GIFT], at_most=3, keeps=0.8), limits)
    column = list(problem.remedy_names).index("voucher + call + gift")
    worth, gain = table["worth"].to_numpy(), table["gain"].to_numpy()
    may = (worth > 20) & ~table["vip"].to_numpy()
    value = np.where(may, 0.8 * (0.2 * worth - 10 + gain + 6), -np.inf)
    assert problem.worth()[:, column] == pytest.approx(value)
    rows = {row.name: row.coefficients.toarray()[:, column] for row in problem.arrays().rows}
    assert rows["budget"] == pytest.approx(np.where(may, 10 + table["2024 cost"], 0.0))
    assert rows["hours"] == pytest.approx(np.where(may, table["minutes"] / 60, 0.0))
    own, shared = problem.errors()
    assert own[:, column] == pytest.approx(np.where(may, 0.8 * np.sqrt((0.05 * worth) ** 2 + 4), 0.0))
    assert shared[:, column] == pytest.approx(np.where(may, 0.8 * 1.5, 0.0))


def test_a_value_that_is_given_replaces_the_sum_and_its_factor():
    made = packages([APOLOGY, VOUCHER, GIFT], values={("voucher", "apology"): "0.25 * worth"}, keeps=0.5)
    values = {each.name: each.value for each in made}
    assert values["apology + voucher"] == "0.25 * worth"
    assert values["apology + gift"] == "0.5 * ((0.1 * worth) + (6.0))"


def test_numbers_stay_numbers():
    two = packages([Remedy("a", value=3, uses={"x": 1}, error=3), Remedy("b", value=4, uses={"x": 2}, error=4)])[2]
    assert (two.value, dict(two.uses), two.error) == (7.0, {"x": 3.0}, 5.0)


def test_columns_whose_names_are_no_expressions_are_found():
    table = pd.DataFrame({"case_id": [1], "Customer Worth": [10.0], "挽回 金额": [3.0], "金额": [2.0]})
    made = packages([Remedy("a", value="Customer Worth"), Remedy("b", value="挽回 金额"), Remedy("c", value="金额")])
    assert Problem(table, made).worth().tolist() == [[10.0, 3.0, 2.0, 13.0, 12.0, 5.0]]


def test_a_package_is_not_eligible_where_something_of_a_part_is_missing():
    table = pd.DataFrame({"case_id": [1, 2], "u": [1.0, None], "v": [2.0, 2.0]})
    with pytest.warns(crmkit.DataWarning, match="value of remedy 'a [+] b': 1"):
        problem = Problem(table, packages([Remedy("a", value="u"), Remedy("b", value="v")]))
    assert np.isfinite(problem.worth()).tolist() == [[True, True, True], [False, True, False]]


def test_limits_of_a_remedy_count_every_package_that_contains_it():
    table = pd.DataFrame({"case_id": range(6), "worth": [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]})
    remedies = packages([Remedy("a", value="worth"), Remedy("b", value="0.5 * worth")])
    free = plan(Problem(table, remedies))
    assert free.table["remedy"].tolist() == ["a + b"] * 6
    problem = Problem(table, remedies, [Cap("b", count=2), Cap("a", count=5), Floor(remedy="a", count=4)])
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["a + b", "a + b", "a", "a", "a", "nothing"]
    assert made.used().tolist() == [2.0, 5.0, 5.0]
    assert verify(made, problem).ok
    one = Problem(table, remedies, [Cap("a + b", count=1)])
    assert plan(one).table["remedy"].tolist() == ["a + b", "a", "a", "a", "a", "a"]


def test_verify_counts_packages_by_itself():
    table = pd.DataFrame({"case_id": [0, 1], "worth": [9.0, 8.0]})
    problem = Problem(table, packages([Remedy("a", value="worth"), Remedy("b", value="worth")]), [Cap("b", count=1)])
    wrong = verify({"case_id": [0, 1], "remedy": ["b", "a + b"]}, problem)
    assert wrong.violations == ("limit 'cap b': 2 used of at most 1",)


def test_a_limit_may_name_a_part_that_is_never_given_alone():
    remedies = packages([Remedy("a", value=1.0), Remedy("b", value=2.0)], requires={"b": "a"})
    problem = Problem({"case_id": [0, 1]}, remedies, [Cap("b", count=1)])
    assert plan(problem).table["remedy"].tolist().count("a + b") == 1
    with pytest.raises(DataError, match="'cap c' is about remedy 'c', which is not there"):
        Problem({"case_id": [0, 1]}, remedies, [Cap("c", count=1)])


def packaged(n, seed):
    random = np.random.default_rng(seed)
    rules = [{}, {"requires": {"gift": "call"}}, {"excludes": [("voucher", "call")], "at_most": 3}][seed % 3]
    remedies = packages([APOLOGY, VOUCHER, CALL, GIFT], keeps=0.9, **rules)
    limits = [
        Resource("budget", 4.0 * n),
        Resource("hours", 0.15 * n),
        Cap("voucher", count=n // 3),
        Floor(where="vip", count=n // 10),
        Floor(remedy="call", count=max(1, int(random.integers(0, n // 6 + 1)))),
    ]
    return Problem(cases(n, seed), remedies, limits, one_per="customer_id" if seed % 2 else None)


@pytest.mark.parametrize("seed", range(5))
def test_small_packaged_problems_have_the_value_of_the_best_of_all_sets(seed):
    """Each case gets any set of remedies that keeps the rules; each choice of sets is tried."""
    random = np.random.default_rng(seed)
    n = 4
    worth, cost = random.uniform(0, 10, (n, 3)), random.uniform(0, 3, (n, 3))
    table = pd.DataFrame({"case_id": range(n)} | {f"v{j}": worth[:, j] for j in range(3)})
    table = table.assign(**{f"c{j}": cost[:, j] for j in range(3)})
    remedies = [Remedy(f"r{j}", value=f"v{j}", uses={"budget": f"c{j}"}) for j in range(3)]
    made = packages(remedies, at_most=3, requires={"r2": "r0"}, excludes=[("r1", "r2")])
    best = 0.0
    for given in product(range(8), repeat=n):
        sets = np.array([[mask >> j & 1 for j in range(3)] for mask in given])
        kept = np.all(sets[:, 2] <= sets[:, 0]) and not np.any(sets[:, 1] * sets[:, 2]) and sets[:, 1].sum() <= 2
        if kept and (sets * cost).sum() <= 6.0:
            best = max(best, float((sets * worth).sum()))
    problem = Problem(table, made, [Resource("budget", 6.0), Cap("r1", count=2)])
    found = plan(problem, "milp")
    assert found.value == pytest.approx(best, rel=1e-6)
    assert verify(found, problem).ok


@pytest.mark.parametrize("seed", [1, 2, 3, 6])
def test_planners_agree_on_packaged_problems(seed):
    problem = packaged(30, seed)
    made = {name: plan(problem, name) for name in ("lp", "milp", "auto", "dual")}
    for name, each in made.items():
        assert verify(each, problem).ok, name
        assert each.value <= made["lp"].value * (1 + 1e-9)
        assert made["milp"].value <= each.bound * (1 + 1e-9)
    assert made["dual"].value == pytest.approx(made["milp"].value, rel=1e-3)


def test_large_packaged_problems_are_planned_by_prices():
    problem = packaged(8_000, 0)
    made = plan(problem)
    assert made.planner == "auto (dual)"
    assert made.gap < 1e-4
    assert verify(made, problem).ok


def test_packages_are_saved_and_given_to_new_cases(tmp_path):
    problem = packaged(60, 1)
    made = plan(problem)
    crmkit.save(made, tmp_path / "plan.crmkit")
    again = crmkit.load(tmp_path / "plan.crmkit")
    assert [each.parts for each in again.problem.remedies] == [each.parts for each in problem.remedies]
    assert verify(again, problem).ok
    new = cases(20, 77).assign(case_id=np.arange(100, 120), customer_id=np.arange(1_000, 1_020))
    assert again.assign(new)["remedy"].isin([*problem.remedy_names, "nothing"]).all()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"requires": {"gift": "calls"}}, "requires names 'calls', which is no remedy; the remedies are: 'apology'"),
        ({"excludes": [("gift", "x")]}, "excludes names 'x'"),
        ({"excludes": [("gift",)]}, "two names or more"),
        ({"requires": {"gift": "call"}, "excludes": [("call", "gift")]}, "'gift' could never be given"),
        ({"requires": {"gift": ["call", "voucher"]}}, "more than at_most=2"),
        ({"values": {("apology", "x"): 1}}, "values names 'x'"),
        ({"values": {"apology": 1}}, "the value of a single remedy is its own"),
        ({"values": {("call", "gift"): 1}, "excludes": [("call", "gift")]}, "do not allow"),
        ({"values": {("call", "gift"): 1, ("gift", "call"): 2}}, "'call [+] gift' twice"),
        ({"values": {("call", "gift"): float("nan")}}, "value of remedy 'call [+] gift' must be"),
        ({"at_most": 0}, "whole number of 1 or more, got 0"),
        ({"at_most": True}, "whole number of 1 or more, got True"),
        ({"keeps": -0.5}, "number of 0 or more, got -0.5"),
    ],
)
def test_rules_that_cannot_be_kept_are_errors(arguments, told):
    with pytest.raises(ValueError, match=told):
        packages([APOLOGY, VOUCHER, CALL, GIFT], **arguments)


def test_remedies_must_be_single_ones_with_names_of_their_own():
    with pytest.raises(TypeError, match="list of Remedy, got str"):
        packages(["call"])
    with pytest.raises(ValueError, match="two remedies are called 'call'"):
        packages([CALL, CALL])
    with pytest.raises(ValueError, match="is a package already"):
        packages(packages([APOLOGY, GIFT]))
    with pytest.raises(TypeError, match=r"such as .* got 'gift'"):
        packages([CALL, GIFT], excludes=["gift"])
    with pytest.raises(TypeError, match="parts of remedy 'x' must be a tuple"):
        Remedy("x", value=1, parts="call")


def test_what_cannot_be_combined_is_refused_instead_of_dropped(monkeypatch):
    monkeypatch.setattr(_packages, "_COMBINED", _packages._COMBINED - {"error"})
    with pytest.raises(ValueError, match="remedy 'voucher' has error=, which cannot be combined in a package"):
        packages([APOLOGY, VOUCHER])
    assert names(packages([APOLOGY, VOUCHER], at_most=1)) == ["apology", "voucher"]


def test_too_many_packages_are_refused_at_once():
    many = [Remedy(f"r{i}", value=1) for i in range(60)]
    with pytest.raises(ValueError, match="more than 1,000 packages"):
        packages(many, at_most=30)
    pairs = [(f"r{i}", f"r{j}") for i in range(60) for j in range(i)]
    assert len(packages(many, at_most=30, excludes=pairs)) == 60


def test_a_formula_too_long_for_one_expression_names_the_package():
    long = " + ".join(["worth"] * 900)
    with pytest.raises(ExpressionError, match=r"package 'a [+] b'"):
        packages([Remedy("a", value=long), Remedy("b", value=long)])
