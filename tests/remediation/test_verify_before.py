"""Whatever single change breaks a promise or a contact limit is found by verify, also when the problem was changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from crmkit.remediation import Frequency, Holdout, Problem, Remedy, Resource, plan, verify

AT = datetime(2024, 3, 5, tzinfo=UTC)
N = 40


def _cases(random, first):
    return pd.DataFrame(
        {
            "case_id": range(first, first + N), "customer_id": [f"客户{i}" for i in random.integers(0, 2 * N, N)],
            "worth": random.lognormal(1, 1, N), "time": random.uniform(0.1, 1, N),
        }
    )  # fmt: skip


def _updated(seed):
    random = np.random.default_rng(seed)
    when = [AT - timedelta(days=float(days)) for days in random.uniform(-1, 10, 150)]
    history = pd.DataFrame({"customer_id": [f"客户{i}" for i in random.integers(0, 2 * N, 150)], "time": when})
    remedies = [
        Remedy("call", value="worth", uses={"hours": "time"}),
        Remedy("visit", value="1.5 * worth", uses={"hours": "2 * time"}),
        Remedy("mail", value="0.2 * worth"),
    ]
    rule = Frequency(history, most=1 + seed % 2, days=7, at=AT, remedies=["call", "visit"])
    first = _cases(random, 0)
    made = plan(
        Problem(
            first, remedies, [Resource("hours", 9)], one_per="customer_id", frequency=rule,
            holdout=Holdout(0.1, random_state=seed),
        )
    )  # fmt: skip
    given = made.table[made.table["remedy"] != "nothing"]["case_id"].sample(frac=0.5, random_state=seed)
    now = pd.concat(
        [first.iloc[10:].assign(worth=lambda cases: 2 * cases["worth"]), _cases(random, 100)], ignore_index=True
    )
    return made.update(now, promised=given.tolist()), random


def _changed(problem, **changes):
    other = problem.with_bounds({})
    other.promised = other.promised._replace(**changes)
    return other


def _without(array, at):
    return np.delete(array, at)


def _moved(array, at, by):
    array = array.copy()
    array[at] += by
    return array


@pytest.mark.parametrize("seed", range(10))
def test_every_single_change_is_found(seed):
    later, random = _updated(seed)
    problem, table, promised = later.problem, later.table, later.problem.promised
    assert verify(later, problem).ok, verify(later, problem).violations
    plain = table[["case_id", "remedy"]]
    assert verify(plain, problem).ok
    at = int(random.integers(len(promised.case)))
    row, name = int(promised.case[at]), table["remedy"].iloc[int(promised.case[at])]

    def with_remedy(where, remedy):
        remedies = plain["remedy"].astype(object).to_numpy().copy()
        remedies[where] = remedy
        return plain.assign(remedy=remedies)

    for other in {"call", "visit", "mail", "nothing"} - {name}:
        assert not verify(with_remedy(row, other), problem).ok
    flipped = table["promised"].to_numpy().copy()
    flipped[random.integers(len(flipped))] ^= True
    assert not verify(table.assign(promised=flipped), problem).ok
    closed = np.setdiff1d(np.flatnonzero(problem.closed), promised.case)
    for where in closed[:5]:
        assert not verify(with_remedy(where, "mail"), problem).ok
    contacts = pd.Series(problem.frequency[0].counts())
    had = table["case_id"].map(problem.cases.set_index("case_id")["customer_id"]).map(contacts).fillna(0)
    full = np.flatnonzero((had >= problem.frequency[0].most) & ~problem.closed)
    assert len(full)
    for where in full[:5]:
        assert not verify(with_remedy(where, "call"), problem.with_bounds({"hours": 1e9})).ok
    count = len(promised.case)
    changes = [
        {"value": _moved(promised.value, at, 0.01)},
        {"uses": {"hours": _moved(promised.uses["hours"], at, 0.01)}},
        {"remedy": (promised.remedy + (np.arange(count) == at)) % 3},
        {name: _without(getattr(promised, name), at) for name in ("case", "remedy", "value")}
        | {"uses": {"hours": _without(promised.uses["hours"], at)}},
    ]
    for change in changes:
        assert not verify(later, _changed(problem, **change)).ok, sorted(change)
    some = np.flatnonzero(table["remedy"].isin(["call", "visit"]) & ~table["promised"])
    if len(some):
        where = some[random.integers(len(some))]
        rule = problem.frequency[0]
        again = pd.DataFrame(
            {rule.per: [problem.cases[rule.per].iloc[where]] * rule.most, rule.time: [pd.Timestamp(AT)] * rule.most}
        )
        other = problem.with_bounds({})
        rows = pd.concat([rule.history, again], ignore_index=True)
        other.frequency = (Frequency(rows, most=rule.most, days=rule.days, at=rule.at, remedies=rule.remedies),)
        assert not verify(plain, other).ok
        gone = promised.gone
        key = pd.DataFrame(
            {column: ["mail" if column == "remedy" else problem.cases[column].iloc[where]] for column in gone}
        )
        assert not verify(plain, _changed(problem, gone=pd.concat([gone, key], ignore_index=True))).ok
