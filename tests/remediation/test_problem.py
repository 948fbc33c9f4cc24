"""Problems are checked when they are made, whichever way they are written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning, ExpressionError
from crmkit.remediation import Cap, Floor, Holdout, Problem, Remedy, Resource, plan, verify

CASES = pd.DataFrame({"case_id": ["a", "b", "c"], "worth": [10.0, 4.0, 7.0], "vip": [True, False, True]})
CALL = Remedy("call", value="worth", uses={"hours": 0.5})


def test_formulas_are_columns_numbers_or_expressions():
    cases = CASES.assign(**{"cost, in £": [1.0, 2.0, 3.0]})
    problem = Problem(
        cases,
        [
            Remedy("call", value="worth", uses={"hours": 0.5}),
            Remedy("gift", value="0.5 * worth - 1", uses={"money": "cost, in £"}, eligible="vip and worth < 9"),
        ],
        [Resource("hours", 1), Resource("money", 10), Cap("call", where="vip", count=1), Floor(share=0.3)],
    )
    arrays = problem.arrays()
    assert arrays.value.tolist() == [[10.0, -np.inf], [4.0, -np.inf], [7.0, 2.5]]
    assert arrays.eligible.tolist() == [[True, False], [True, False], [True, True]]
    assert arrays.group.tolist() == [0, 1, 2]
    assert [(row.name, row.sense, row.bound) for row in arrays.rows] == [
        ("hours", "<=", 1.0),
        ("money", "<=", 10.0),
        ("cap call where vip", "<=", 1.0),
        ("floor", ">=", 1.0),
    ]
    assert [row.coefficients.toarray().tolist() for row in arrays.rows] == [
        [[0.5, 0.0], [0.5, 0.0], [0.5, 0.0]],
        [[0.0, 0.0], [0.0, 0.0], [0.0, 3.0]],
        [[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]],
        [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
    ]


def test_what_is_missing_is_not_eligible_and_counted_in_one_warning():
    cases = CASES.assign(worth=[10.0, None, 7.0], cost=[None, None, 1.0], old=[True, True, None])
    with pytest.warns(DataWarning) as caught:
        problem = Problem(
            cases,
            [
                Remedy("call", value="worth", eligible="old"),
                Remedy("gift", value=5, uses={"money": "cost"}, eligible="vip"),
            ],
            [Resource("money", 9), Floor(where="old", count=0)],
        )
    assert len(caught) == 1
    text = str(caught[0].message)
    assert text.startswith("3 of 3 cases have something missing")
    assert "value of remedy 'call': 1;" in text
    assert "eligible of remedy 'call': 1" in text
    assert "uses['money'] of remedy 'gift': 1" in text
    assert "where of 'floor where old': 1" in text
    assert caught[0].filename == __file__
    assert problem.arrays().eligible.tolist() == [[True, False], [False, False], [False, True]]


def test_a_missing_value_where_a_remedy_is_not_eligible_does_not_matter():
    cases = CASES.assign(worth=[10.0, None, 7.0])
    problem = Problem(cases, [Remedy("call", value="worth", eligible="vip")])
    assert problem.arrays().eligible.ravel().tolist() == [True, False, True]


def test_shares_count_cases_or_with_one_per_those_who_can_get_one():
    cases = pd.DataFrame({"case_id": range(10), "customer_id": list("aaaaaabbcc")})
    limits = [Floor(share=0.34, name="f"), Cap(share=0.34, name="c")]
    single = Problem(cases, [Remedy("r", value=1)], limits)
    assert [row.bound for row in single.arrays().rows] == [4.0, 3.0]
    grouped = Problem(cases, [Remedy("r", value=1)], limits, one_per="customer_id")
    assert [row.bound for row in grouped.arrays().rows] == [2.0, 1.0]
    held = Problem(cases, [Remedy("r", value=1)], limits, holdout=Holdout(0.5))
    assert held.held_out.sum() == 5
    assert [row.bound for row in held.arrays().rows] == [2.0, 1.0]


def test_shares_that_are_no_binary_fractions_round_as_in_decimals():
    cases = pd.DataFrame({"case_id": range(100)})
    problem = Problem(cases, [Remedy("r", value=1)], [Floor(share=0.29, name="f"), Cap(share=0.57, name="c")])
    assert 0.29 * 100 != 29.0
    assert [row.bound for row in problem.arrays().rows] == [29.0, 57.0]


def test_a_missing_customer_stands_alone():
    cases = {"case_id": [1, 2, 3, 4], "customer_id": ["a", None, None, "a"]}
    problem = Problem(cases, [Remedy("r", value=1)], one_per="customer_id")
    assert plan(problem).value == 3.0


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5])
def test_a_hold_out_is_drawn_evenly_within_strata_and_by_whole_groups(share):
    random = np.random.default_rng(0)
    cases = pd.DataFrame({"case_id": range(1000), "region": random.choice(["n", "s", None], 1000)})
    one = Problem(cases, [Remedy("r", value=1)], holdout=Holdout(share, by="region", random_state=5))
    again = Problem(cases, [Remedy("r", value=1)], holdout=Holdout(share, by="region", random_state=5))
    other = Problem(cases, [Remedy("r", value=1)], holdout=Holdout(share, by="region", random_state=6))
    assert np.array_equal(one.held_out, again.held_out)
    assert abs(one.held_out.sum() - share * 1000) <= 1
    for region in ("n", "s"):
        inside = (cases["region"] == region).to_numpy()
        assert abs(one.held_out[inside].sum() - share * inside.sum()) <= 1
    if share:
        assert not np.array_equal(one.held_out, other.held_out)
    cases["customer_id"] = np.arange(1000) // 4
    grouped = Problem(cases, [Remedy("r", value=1)], one_per="customer_id", holdout=Holdout(share))
    assert set(grouped.held_out.reshape(-1, 4).sum(axis=1)) <= {0, 4}


def test_case_ids_may_be_the_index_and_must_be_there_once():
    assert Problem(CASES.set_index("case_id"), [CALL], [Resource("hours", 1)]).case_ids.tolist() == ["a", "b", "c"]
    with pytest.raises(DataError, match="stands more than once in rows 0, 1"):
        Problem(CASES.assign(case_id=["x", "x", "y"]), [])
    with pytest.raises(DataError, match="case_id is missing in row 1"):
        Problem(CASES.assign(case_id=["x", None, "y"]), [])
    with pytest.raises(DataError, match="cases has no column 'case_id'"):
        Problem(CASES.drop(columns="case_id"), [])


def test_names_that_refer_to_nothing_are_told_in_one_error():
    with pytest.raises(DataError) as caught:
        Problem(
            CASES,
            [Remedy("call", value=1, uses={"hour": 1}), Remedy("call", value=1, uses={"gold": 1})],
            [Resource("hours", 1), Cap("voucher", count=1), Resource("hours", 2)],
        )
    text = str(caught.value)
    assert "two remedy entries are called 'call'" in text
    assert "two limit entries are called 'hours'" in text
    assert "uses 'hour', which is no resource among the limits; did you mean 'hours'?" in text
    assert "uses 'gold', which is no resource among the limits; add Resource('gold', limit)" in text
    assert "'cap voucher' is about remedy 'voucher', which is not there; the remedies are: 'call'" in text


@pytest.mark.parametrize(
    ("remedy", "limits", "error", "message"),
    [
        (Remedy("r", value="case_id"), [], DataError, "value of remedy 'r' must be a number for each case"),
        (Remedy("r", value=1, eligible="worth"), [], DataError, "eligible of remedy 'r' must be a condition"),
        (Remedy("r", value=1), [Cap(where="worth", count=1)], DataError, "where of 'cap where worth' must be"),
        (Remedy("r", value="wort"), [], ExpressionError, "did you mean 'worth'"),
        (Remedy("r", value="__import__('os')"), [], ExpressionError, "not allowed"),
        (Remedy("r", value=1, uses={"h": "4 - worth"}), [Resource("h", 1)], DataError, "is negative in rows 0, 2"),
    ],
)
def test_wrong_formulas_are_told_without_cell_values(remedy, limits, error, message):
    with pytest.raises(error, match=message):
        Problem(CASES, [remedy], limits)


def test_wrong_types_are_told():
    with pytest.raises(TypeError, match="remedies must be a list of Remedy, got one Remedy"):
        Problem(CASES, CALL, [])
    with pytest.raises(TypeError, match="limits must be a list of Resource, Floor, Cap and Ratio, got str"):
        Problem(CASES, [], ["budget"])
    with pytest.raises(TypeError, match="holdout must be a Holdout"):
        Problem(CASES, [], holdout=0.1)
    with pytest.raises(DataError, match="one_per= names a column"):
        Problem(CASES, [], one_per="customer")
    with pytest.raises(DataError, match="by= of a Holdout"):
        Problem(CASES, [], holdout=Holdout(0.1, by="region"))


def test_arrays_that_do_not_fit_are_told():
    cases = [
        (lambda: Problem.from_arrays([1.0], uses={}, limits={}), r"two dimensions"),
        (lambda: Problem.from_arrays([[np.inf]], uses={}, limits={}), "value is infinite in row 0"),
        (
            lambda: Problem.from_arrays([[1.0]], uses={"u": [[1, 2, 3]]}, limits={"u": 1}),
            r"the shape of value, \(1, 1\)",
        ),
        (lambda: Problem.from_arrays([[1.0]], uses={}, limits={}, group=[1, 2]), "group must have one entry"),
        (lambda: Problem.from_arrays([[1.0]], uses={}, limits={}, remedies=["a", "b"]), "got 2 names"),
        (lambda: Problem.from_arrays([[1.0]], uses={}, limits={}, floors={"f": ([True] * 2, 1)}), "mask of 'f'"),
    ]
    for make, message in cases:
        with pytest.raises(DataError, match=message):
            make()


def test_missing_and_minus_infinite_values_of_arrays():
    with pytest.warns(DataWarning, match="1 of 3 cases"):
        problem = Problem.from_arrays([[1.0], [np.nan], [-np.inf]], uses={}, limits={}, case_ids=["x", "y", "z"])
    assert problem.arrays().eligible.ravel().tolist() == [True, False, False]
    assert plan(problem).table["case_id"].tolist() == ["x", "y", "z"]


def test_a_long_table_of_options_is_the_same_problem():
    options = pd.DataFrame(
        {
            "case_id": ["b", "a", "b", "c"],
            "remedy": ["mail", "call", "call", "nothing"],
            "value": [3.0, 9.0, 6.0, 0.0],
            "uses_hours": [0.0, 1.0, 1.0, 0.0],
            "customer_id": ["k", "k", "k", "m"],
        }
    )
    problem = Problem.from_options(options, [Resource("hours", 1), Cap("mail", count=1)])
    assert problem.case_ids.tolist() == ["b", "a", "c"]
    assert problem.remedy_names == ("mail", "call")
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["mail", "call", "nothing"]
    assert verify(made, problem).ok
    one = plan(Problem.from_options(options, [Resource("hours", 1)], one_per="customer_id"))
    assert one.value == 9.0
    new = options.assign(case_id=["y", "x", "y", "z"])
    assert made.assign(new)["remedy"].tolist() == ["nothing", "nothing", "nothing"]
    # What is left of two hours is nothing, so that only the free remedy is given.
    assert plan(problem.with_bounds({"hours": 2})).assign(new)["remedy"].tolist() == ["mail", "nothing", "nothing"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"remedy": ["call", "call"], "case_id": ["a", "a"]}, "stand more than once in rows 0, 1"),
        ({"remedy": [None, "call"]}, "remedy is missing in row 0"),
        ({"case_id": ["a", "a"], "region": ["n", "s"]}, "region describes the case but differs within one, in row 1"),
        ({"value": ["much", "little"]}, "value must hold numbers"),
    ],
)
def test_wrong_options_are_told(change, message):
    options = {"case_id": ["a", "b"], "remedy": ["call", "mail"], "value": [1.0, 2.0]} | change
    with pytest.raises(DataError, match=message):
        Problem.from_options(options)


def test_an_option_of_another_remedy_is_refused_when_assigning():
    options = {"case_id": ["a", "b"], "remedy": ["call", "mail"], "value": [1.0, 2.0]}
    made = plan(Problem.from_options(options))
    with pytest.raises(DataError, match="remedy is none of 'call', 'mail' in row 0"):
        made.assign(options | {"remedy": ["bribe", "mail"]})


def test_with_bounds_leaves_the_problem_as_it_was():
    problem = Problem(CASES, [CALL], [Resource("hours", 1), Floor(where="vip", share=0.5, name="f")])
    plan(problem)
    other = problem.with_bounds({"hours": 0.5, "f": 0})
    assert [row.bound for row in other.arrays().rows] == [0.5, 0.0]
    assert [row.bound for row in problem.arrays().rows] == [1.0, 1.0]
    assert other.limits[0] == Resource("hours", 0.5)
    assert verify(plan(other), other).ok
    with pytest.raises(ValueError, match="whole number"):
        problem.with_bounds({"f": 0.5})


def test_repr_says_what_the_problem_is():
    problem = Problem(CASES, [CALL], [Resource("hours", 1)], one_per="vip", holdout=Holdout(0.5, random_state=0))
    held = int(problem.held_out.sum())
    assert held in {1, 2}
    assert repr(problem) == f"Problem(3 cases; call; hours <= 1; one per vip; {held} held out)"
    assert repr(Problem(CASES, [])) == "Problem(3 cases; no remedies; no limits)"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Remedy("", value=1),
        lambda: Remedy("nothing", value=1),
        lambda: Remedy("r", value=float("nan")),
        lambda: Remedy("r", value=None),
        lambda: Remedy("r", value=True),
        lambda: Remedy("r", value=1, uses={"": 1}),
        lambda: Remedy("r", value=1, uses={"b": float("inf")}),
        lambda: Remedy("r", value=1, eligible=True),
        lambda: Resource("b", -1),
        lambda: Resource("b", float("nan")),
        lambda: Resource("b", "much"),
        Floor,
        lambda: Floor(share=0.1, count=1),
        lambda: Floor(share=1.1),
        lambda: Floor(share=float("nan")),
        lambda: Floor(count=1.5),
        lambda: Floor(count=-1),
        lambda: Cap("r", count=float("inf")),
        lambda: Cap("r", share=-0.1),
        lambda: Cap("r", where=7, count=1),
        lambda: Holdout(1.0),
        lambda: Holdout(-0.1),
        lambda: Holdout(0.1, random_state=-1),
        lambda: Holdout(0.1, random_state=0.5),
    ],
)
def test_terms_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match=r"must be|needs|cannot be"):
        make()


def test_numbers_of_numpy_are_numbers():
    problem = Problem(
        CASES,
        [Remedy("call", value=np.float32(2.0), uses={"hours": np.int64(1)})],
        [Resource("hours", np.int64(2)), Cap(count=np.int32(3)), Floor(share=np.float64(0.3))],
        holdout=Holdout(np.float64(0.0), random_state=np.int64(3)),
    )
    assert plan(problem).value == 4.0


def test_terms_are_named_after_what_they_limit():
    assert Floor(where="vip", share=0.5).name == "floor where vip"
    assert Floor(remedy="call", count=1).name == "floor call"
    assert Cap("call", where="vip", count=1).name == "cap call where vip"
    assert Cap(count=1, name="all").name == "all"
    assert hash(Remedy("r", value=1, uses={"b": 1})) == hash(Remedy("r", value=1, uses={"b": 1}))
