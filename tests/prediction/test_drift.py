"""Drift of columns and scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import metrics
from crmkit.core.errors import DataError
from crmkit.prediction import drift


def table(n, seed, shift=0.0, web=0.3):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{j}": random.normal(size=n) for j in range(6)})
    frame["x0"] += shift
    frame["channel"] = random.choice(["网店", "shop"], n, p=[web, 1 - web])
    return frame


def test_what_moved_is_named_and_nothing_else():
    found = drift(table(4_000, 0), table(1_500, 1, shift=0.4, web=0.45))
    assert set(found.alarms) == {"x0", "channel"}
    assert found.table.index[0] == "x0"
    expected = metrics.psi(table(4_000, 0)["x0"], table(1_500, 1, shift=0.4)["x0"])
    assert found.table.loc["x0", "psi"] == pytest.approx(float(expected))


def test_false_alarms_come_as_often_as_stated():
    """Of 300 pairs of tables without a change at most 5 % (and chance) raise any alarm."""
    alarms = sum(bool(drift(table(400, seed), table(300, 10_000 + seed)).alarms) for seed in range(300))
    assert alarms <= 300 * 0.05 + 3 * np.sqrt(300 * 0.05 * 0.95)


def test_a_certain_change_of_no_account_can_be_left_alone():
    before, now = table(60_000, 0), table(60_000, 1, shift=0.05)
    assert drift(before, now).alarms == ["x0"]
    assert drift(before, now, notable=0.1).alarms == []


def test_missing_and_new_values_are_counted():
    before = pd.DataFrame({"plan": ["a", "b", None, "a"] * 100, "age": [1.0, 2.0, np.nan, 4.0] * 100})
    now = pd.DataFrame({"plan": ["a", "c", None, None] * 100, "age": [np.nan, np.nan, 3.0, 4.0] * 100})
    lines = drift(before, now).table
    assert lines.loc["plan", ["missing_before", "missing_now", "new"]].tolist() == [0.25, 0.5, 0.25]
    assert lines.loc["age", "missing_now"] == 0.5
    assert np.isnan(lines.loc["age", "new"])
    assert lines["alarm"].all()


def test_the_score_is_a_line_of_its_own():
    random = np.random.default_rng(0)
    scores = random.random(1_000), random.random(400) ** 2
    found = drift(table(1_000, 0), table(400, 1), score=scores)
    assert "score" in found.alarms
    with pytest.raises(DataError, match="rename"):
        drift(table(9, 0).assign(score=1), table(9, 1).assign(score=1), score=scores)


def test_a_change_that_no_column_shows_is_seen_by_a_model():
    random = np.random.default_rng(3)

    def pair(n, correlation):
        a = random.normal(size=n)
        return pd.DataFrame({"a": a, "b": correlation * a + np.sqrt(1 - correlation**2) * random.normal(size=n)})

    before, now = pair(1_500, 0.9), pair(1_500, -0.9)
    found = drift(before, now, told_apart="boosting")
    assert found.alarms == []
    assert found.told_apart.low > 0.7
    same = drift(before, pair(1_500, 0.9), told_apart="boosting")
    assert same.told_apart.low < 0.5 < same.told_apart.high


def test_times_and_truth_values_are_compared():
    days = pd.date_range("2026-01-01", periods=400, freq="D", tz="Asia/Shanghai")
    before = pd.DataFrame({"joined": days[:300], "vip": [True, False, False] * 100})
    now = pd.DataFrame({"joined": days[200:], "vip": [True, True, False, True] * 50})
    assert set(drift(before, now).alarms) == {"joined", "vip"}


@pytest.mark.parametrize(
    ("before", "now", "options", "said"),
    [
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]}), {}, "now has no column a"),
        (pd.DataFrame({"a": []}), pd.DataFrame({"a": [1.0]}), {}, "before holds no rows"),
        (pd.DataFrame({"a": [1.0, 2]}), pd.DataFrame({"a": ["x", "y"]}), {}, "column a: "),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [1.0]}), {"false_alarm": 0}, "false_alarm"),
    ],
)
def test_what_cannot_be_compared_is_told(before, now, options, said):
    with pytest.raises(DataError, match=said):
        drift(before, now, **options)


def test_it_shows_itself():
    found = drift(table(200, 0), table(200, 1), columns=["x0", "channel"])
    assert len(found.table) == 2
    assert "have moved" in repr(found)
    assert "psi" in found._repr_html_()


def test_a_column_that_has_wholly_moved_is_an_alarm_among_many_columns_and_few_rows():
    random = np.random.default_rng(0)
    names = [f"column_{number}" for number in range(60)]
    before = pd.DataFrame(random.normal(size=(2_000, 60)), columns=names)
    now = pd.DataFrame(random.normal(size=(150, 60)), columns=names).assign(column_7=100.0)
    assert drift(before, now).alarms == ["column_7"]


def test_durations_are_compared_as_numbers():
    random = np.random.default_rng(0)
    waited = pd.to_timedelta(random.exponential(5.0, 2_000), unit="h")
    assert drift(pd.DataFrame({"waited": waited}), pd.DataFrame({"waited": waited * 2})).alarms == ["waited"]
    assert not drift(pd.DataFrame({"waited": waited[:1_000]}), pd.DataFrame({"waited": waited[1_000:]})).alarms


def test_a_score_of_two_columns_is_told():
    table = pd.DataFrame({"age": np.arange(50.0)})
    with pytest.raises(DataError, match="score before must be one column"):
        drift(table, table, score=(np.ones((50, 2)), np.ones((50, 2))))
