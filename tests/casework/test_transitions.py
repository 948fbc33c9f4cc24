"""States and moves as data."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

from crmkit.casework import Transitions
from crmkit.core.errors import DataError

STEPS = "received classified analysed planned approved in_progress done followed_up evaluated closed"
ASIDE = "reopened rejected escalated"


def test_the_usual_moves_lead_from_received_to_closed_through_every_step():
    steps = [state.replace("_", " ") for state in STEPS.split()]
    moves = Transitions()
    assert all(moves.allows(a, b) for a, b in pairwise(steps))
    assert set(moves.states) == {state.replace("_", " ") for state in f"{STEPS} {ASIDE}".split()}
    assert moves.settled == ("done", "followed up", "evaluated", "closed", "rejected")


@pytest.mark.parametrize(
    ("moves", "options", "said"),
    [
        ([("received", "done"), ("lost", "done")], {"ends": ["done"]}, "'lost' cannot be reached"),
        ([("received", "a"), ("a", "b"), ("b", "a"), ("received", "z")], {"ends": ["z"]}, "'a' has no way to an end"),
        ([("received", "z"), ("received", "z")], {"ends": ["z"]}, "given twice"),
        ([("received", "received"), ("received", "z")], {"ends": ["z"]}, "leads to itself"),
        ([("received", "z")], {"ends": ["y"]}, "'y' is in no move"),
        ([("received", "z")], {"ends": []}, "no end"),
        ([("received", "z", "amont > 3")], {"ends": ["z"]}, "no 'amont'"),
        ([("received", "z", "amount >")], {"ends": ["z"]}, "amount >"),
        ([("received", "z", "amount")], {"ends": ["z"]}, "'amount' is no condition"),
        ([("received", "z", "remedy > 3")], {"ends": ["z"]}, "'received' to 'z': .*remedy"),
        ([("received", "z", 3)], {"ends": ["z"]}, "must be an expression"),
        ([("received",)], {"ends": ["z"]}, r"\(from, to\)"),
        ([("received", "")], {"ends": ["z"]}, "named by text"),
    ],
)
def test_what_is_wrong_is_said(moves, options, said):
    with pytest.raises(DataError, match=said):
        Transitions(moves, **options)


def test_all_problems_are_told_at_once():
    with pytest.raises(DataError) as caught:
        Transitions([("received", "a"), ("lost", "z")], ends=["z"])
    assert "'a' has no way" in str(caught.value)
    assert "'lost' cannot be reached" in str(caught.value)


def test_the_table_can_be_edited_and_handed_in_again():
    table = Transitions().table
    more = pd.concat(
        [table, pd.DataFrame({"from": ["received"], "to": ["转交"]}), pd.DataFrame({"from": ["转交"], "to": ["done"]})]
    )
    moves = Transitions(more)
    assert moves.allows("转交", "done")
    assert moves.condition("received", "转交") == ""
    assert moves != Transitions()
    assert Transitions(table) == Transitions()
    assert hash(Transitions(table)) == hash(Transitions())


def test_toml_and_json_give_the_same_back(tmp_path):
    moves = Transitions(
        [("received", "已办", "amount > 3 or label == 'a\"退'"), ("已办", "完")], ends=["完"], settled=["已办"]
    )
    path = tmp_path / "moves.toml"
    path.write_text(moves.to_toml(), encoding="utf-8")
    assert Transitions.from_toml(path) == moves
    assert Transitions.from_json(moves.to_json()) == moves
    assert Transitions.from_toml(path).settled == ("已办", "完")


@pytest.mark.parametrize("text", ["moves = 3", "[[moves]]\nfrom='a'", "x = 1\nmoves=[]", "moves ="])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(DataError, match="transitions"):
        Transitions.from_toml(tmp_path / "m.toml")


def test_an_unknown_state_gets_the_nearest_one():
    with pytest.raises(DataError, match="did you mean 'approved'"):
        Transitions().require("aproved")
    assert Transitions().after("evaluated") == ("closed", "reopened")
    assert repr(Transitions()).startswith("Transitions(13 states")
