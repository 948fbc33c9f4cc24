"""Assigning new cases call after call: the same as a loop over cases, whatever runs out, and nothing given twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation import Assigner, Cap, Floor, Holdout, Plan, Problem, Remedy, Resource, _serve, plan

REMEDIES = [
    Remedy("gift", value="worth", uses={"money": "need", "hours": 0.25}, eligible="may_gift"),
    Remedy("call", value="0.6 * worth + 0.1", uses={"hours": "time * (region == 1)", "money": 1}),
    Remedy("mail", value="0.2 * worth", uses={"stamps": 1}, eligible="may_mail"),
    Remedy("note", value="0.05 * worth + 0.01 * time"),
]


def _cases(n, seed, first=0):
    random = np.random.default_rng(seed)
    worth, need = random.lognormal(0, 1, n), random.uniform(0, 3, n)
    if seed % 3 == 0:  # many ties
        worth, need = random.integers(0, 4, n).astype(float), random.integers(0, 3, n).astype(float)
    return pd.DataFrame(
        {
            "case_id": np.arange(first, first + n),
            "customer_id": random.permutation([None, *(f"客户{i}" for i in random.integers(0, max(1, n), n))])[:n],
            "worth": worth,
            "need": need,
            "time": random.integers(1, 4, n) * 0.25,
            "region": random.integers(0, 12, n).astype(float),
            "may_gift": random.random(n) < 0.8,
            "may_mail": random.random(n) < 0.9,
        }
    )


def _planned(seed, *, room, one_per=None, holdout=None):
    limits = [
        Resource("money", 12 + 0.6 * room), Resource("hours", 3 + 0.1 * room), Resource("stamps", 4 + 0.1 * room),
        Floor(count=3), Cap("note", count=5 + room // 3), Cap(where="region == 1", count=4 + room // 20),
        Resource("counted", np.inf),
    ]  # fmt: skip
    problem = Problem(_cases(30, seed), REMEDIES, limits, one_per=one_per, holdout=holdout)
    tight = problem.with_bounds({"money": 12.0, "hours": 3.0, "stamps": 4.0})
    made = plan(tight)
    return Plan.from_choice(problem, made.choice, prices=made.duals)


def _one_after_the_other(made, new):
    """Give new cases their remedy in a plain loop over cases and remedies."""
    problem = made.problem
    arrays = Problem(new, problem.remedies, problem.limits).arrays()
    counts = np.array([row.coefficients.toarray() for row in arrays.rows])
    adjusted = arrays.value - np.tensordot(made.duals, counts, axes=1)
    caps = [i for i, row in enumerate(arrays.rows) if row.sense == "<="]
    left = {i: problem.tableau().limits[i].bound - made.used()[i] for i in caps}
    has = set()
    if problem.one_per is not None:
        gone = (made.choice >= 0) | problem.held_out
        has = set(problem.cases[problem.one_per][gone].dropna())
    choice = []
    for case in range(len(new)):
        key = None if problem.one_per is None else new[problem.one_per].iloc[case]
        given = -1
        for remedy in np.argsort(-adjusted[case], kind="stable"):
            fits = all(counts[i, case, remedy] <= left[i] + 1e-9 * max(1.0, left[i]) for i in caps)
            if adjusted[case, remedy] > 1e-12 and fits and not (pd.notna(key) and key in has):
                given = int(remedy)
                left = {i: left[i] - counts[i, case, remedy] for i in caps}
                has |= {key}
                break
        choice.append(given)
    return [problem.remedy_names[remedy] if remedy >= 0 else "nothing" for remedy in choice], left


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("room", [0, 40, 400])
@pytest.mark.parametrize("one_per", [None, "customer_id"])
def test_whole_stretches_are_the_same_as_one_case_after_the_other(monkeypatch, seed, room, one_per):
    if seed % 2:
        monkeypatch.setattr(_serve, "_STRETCH", 37)
        monkeypatch.setattr(_serve, "_SHORTEST", 3)
    made = _planned(seed, room=room, one_per=one_per, holdout=Holdout(0.2) if seed % 4 == 1 else None)
    new = _cases(240, 100 + seed, first=1000)
    expected, left = _one_after_the_other(made, new)
    assert made.assign(new)["remedy"].tolist() == expected
    assert len(set(expected)) > (1 if room else 0)
    stream = made.assigner()
    parts = [stream.assign(new.iloc[begin : begin + 7]) for begin in range(0, len(new), 7)]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), made.assign(new))
    names = [made.problem.limit_names[i] for i in left]
    assert stream.left[[name for name in names if name in stream.left.index]].tolist() == pytest.approx(
        [max(left[i], 0.0) for i, name in zip(left, names, strict=True) if name in stream.left.index], abs=1e-9
    )
    assert stream.n_cases == 240


def test_what_is_written_is_what_the_formulas_give():
    made = _planned(4, room=40)
    new = _cases(100, 7, first=1000)
    given = made.assign(new)
    arrays = Problem(new, REMEDIES, made.problem.limits).arrays()
    for row in arrays.rows[:3]:
        amounts = row.coefficients.toarray()
        expected = [0.0 if r == "nothing" else amounts[i, made.problem.remedy_names.index(r)]
                    for i, r in enumerate(given["remedy"])]  # fmt: skip
        assert given[f"uses_{row.name}"].tolist() == expected
    some = given["remedy"] != "nothing"
    assert (given["adjusted"] > 0).tolist() == some.tolist()
    assert (given.loc[~some, "value"] == 0).all()
    assert (given.loc[some, "value"] > 0).all()
    assert given.columns.tolist() == [
        "case_id", "remedy", "value", "uses_money", "uses_hours", "uses_stamps", "uses_counted", "adjusted",
    ]  # fmt: skip


def _calls(limit=5.0, **more):
    cases = {"case_id": [1, 2], "customer_id": ["客户甲", "客户乙"], "worth": [10.0, 8.0]}
    return plan(Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", limit)], **more))


def _new(*customers, worth=9.0):
    return {"case_id": list(range(len(customers))), "customer_id": list(customers), "worth": [worth] * len(customers)}


def test_a_stream_keeps_what_is_left_and_the_plan_does_not():
    made = _calls()
    stream = made.assigner()
    assert stream.left.to_dict() == {"hours": 3.0}
    assert stream.assign(_new("a", "b"))["remedy"].tolist() == ["call", "call"]
    assert stream.left["hours"] == 1.0
    assert stream.assign(_new("c", "d"))["remedy"].tolist() == ["call", "nothing"]
    assert made.assign(_new("c", "d"))["remedy"].tolist() == ["call", "call"]
    assert made.assigner().left["hours"] == 3.0
    assert repr(stream) == "Assigner(4 new cases so far; left: hours 0)"


def test_a_customer_gets_one_remedy_over_all_calls():
    stream = _calls(one_per="customer_id").assigner()
    assert stream.assign(_new("客户甲", "客户丙", None))["remedy"].tolist() == ["nothing", "call", "call"]
    assert stream.assign(_new("客户丙", None))["remedy"].tolist() == ["nothing", "call"]


def test_many_customers_are_remembered_as_few_are():
    made = _calls(np.inf, one_per="customer_id")
    stream = made.assigner()
    customers = [f"客户{i}" for i in range(5_000)]
    assert set(stream.assign(_new(*customers))["remedy"]) == {"call"}
    assert set(stream.assign(_new(*customers[::-1], "new"))["remedy"][:-1]) == {"nothing"}
    again = stream.assign(_new("客户4999", "newer"))
    assert again["remedy"].tolist() == ["nothing", "call"]


def test_a_copy_goes_on_by_itself():
    stream = _calls(one_per="customer_id").assigner()
    stream.assign(_new("a"))
    other = stream.copy()
    assert other.assign(_new("a", "b"))["remedy"].tolist() == ["nothing", "call"]
    assert stream.assign(_new("b"))["remedy"].tolist() == ["call"]
    assert (stream.left["hours"], other.left["hours"]) == (1.0, 1.0)


@pytest.mark.parametrize("one_per", [None, "customer_id"])
def test_a_stream_is_saved_and_goes_on_where_it_stood(tmp_path, one_per):
    stream = _calls(one_per=one_per).assigner()
    stream.assign(_new("甲", "乙"))
    crmkit.save(stream, tmp_path / "stream.crmkit")
    loaded = crmkit.load(tmp_path / "stream.crmkit", expect=Assigner)
    pd.testing.assert_series_equal(loaded.left, stream.left)
    assert loaded.n_cases == 2
    later = _new("甲", "丁", "戊")
    pd.testing.assert_frame_equal(loaded.assign(later), stream.assign(later))


def test_a_call_that_fails_gives_and_counts_nothing():
    stream = _calls(one_per="customer_id").assigner()
    with pytest.raises(DataError, match="stands more than once"):
        stream.assign({"case_id": [1, 1], "customer_id": ["a", "b"], "worth": [9.0, 9.0]})
    with pytest.raises(DataError, match="no column 'customer_id'"):
        stream.assign({"case_id": [1], "worth": [9.0]})
    assert stream.left["hours"] == 3.0
    assert stream.n_cases == 0
    assert stream.assign(_new("a"))["remedy"].tolist() == ["call"]


def test_missing_values_are_told_where_the_call_stands():
    new = _new("a", "b", worth=np.nan)
    for call in (_calls().assign, _calls().assigner().assign):
        with pytest.warns(DataWarning, match="2 of 2 cases") as caught:
            assert call(new)["remedy"].tolist() == ["nothing", "nothing"]
        assert [warning.filename for warning in caught] == [__file__]


def test_columns_of_every_kind_are_read_as_in_the_plan():
    cases = pd.DataFrame(
        {
            "case_id": ["a", "b", "c"], "n": [1, 2, 3], "level": pd.array([1, None, 3], dtype="Int64"),
            "ok": [True, False, True], "sure": pd.array([True, None, True], dtype="boolean"),
            "kind": ["x", None, "y"], "worth": [1.0, np.nan, np.inf],
        }
    )  # fmt: skip
    remedies = [
        Remedy("first", value="n + level", uses={"hours": "n"}, eligible="ok and kind == 'x'"),
        Remedy("second", value="level", eligible="sure"), Remedy("third", value="worth", eligible="ok"),
        Remedy("fourth", value="n", uses={"hours": "worth"}, eligible="ok"),
    ]  # fmt: skip
    with pytest.warns(DataWarning):
        problem = Problem(cases, remedies, [Resource("hours", 9), Floor(where="sure", count=0)])
    made = plan(problem)
    with pytest.warns(DataWarning) as caught:
        given = made.assign(cases)
    assert given["remedy"].tolist() == made.table["remedy"].tolist()
    with pytest.warns(DataWarning) as expected:
        Problem(cases, remedies, problem.limits)
    assert str(caught[0].message) == str(expected[0].message)


def test_a_problem_of_a_long_table_takes_long_tables():
    options = {"case_id": ["x", "x"], "remedy": ["call", "mail"], "value": [9.0, 5.0], "uses_hours": [1.0, 0.0]}
    stream = plan(Problem.from_options(options, [Resource("hours", 2)])).assigner()
    later = {"case_id": ["y", "z"], "remedy": ["call", "call"], "value": [3.0, 4.0], "uses_hours": [1.0, 1.0]}
    assert stream.assign(later)["remedy"].tolist() == ["call", "nothing"]


def test_no_remedies_and_no_cases():
    empty = plan(Problem({"case_id": [1]}, [])).assigner()
    assert empty.assign({"case_id": [1, 2]})["remedy"].tolist() == ["nothing", "nothing"]
    assert len(_calls().assigner().assign({"case_id": [], "customer_id": [], "worth": np.zeros(0)})) == 0
    assert repr(empty) == "Assigner(2 new cases so far; left: nothing limited)"
