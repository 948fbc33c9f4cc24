"""Cumulative incidence adds up, is Kaplan-Meier's with one cause, and finds shares that counting gets wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.metrics import cumulative_incidence, eventual_share, kaplan_meier, share


def by_hand(duration, cause, which):
    """Walk through the times as the definition does."""
    waiting, total, rows = 1.0, 0.0, []
    for time in sorted(set(duration)):
        here = [each for at, each in zip(duration, cause, strict=True) if at == time]
        risk = sum(at >= time for at in duration)
        total += waiting * here.count(which) / risk
        waiting *= 1 - sum(each is not None for each in here) / risk
        rows.append(total)
    return rows, waiting


ROWS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["won", "lost", None])), min_size=1, max_size=40)


@given(ROWS)
def test_incidence_is_the_one_built_step_by_step_and_adds_up(rows):
    duration, cause = (list(column) for column in zip(*rows, strict=True))
    table = cumulative_incidence(duration, cause)
    names = sorted({each for each in cause if each})
    assert table.index.get_level_values("cause").unique().tolist() == names
    total = np.zeros(len(set(duration)))
    for name in names:
        expected, waiting = by_hand(duration, cause, name)
        curve = table.loc[name]
        assert curve["incidence"].to_numpy() == pytest.approx(expected, abs=1e-9)
        assert (curve["low"] <= curve["incidence"] + 1e-9).all()
        assert (curve["incidence"] <= curve["high"] + 1e-9).all()
        assert curve.notna().all(axis=None)
        total += curve["incidence"].to_numpy()
    if names:
        assert total[-1] + waiting == pytest.approx(1)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40).filter(
        lambda r: any(dict(r).values())
    )
)
def test_with_one_cause_it_is_one_less_kaplan_meier_with_its_interval(rows):
    duration, observed = (list(column) for column in zip(*rows, strict=True))
    if not any(observed):
        return
    table = cumulative_incidence(duration, ["won" if each else None for each in observed]).loc["won"]
    curve = kaplan_meier(duration, observed)
    assert table["incidence"].to_numpy() == pytest.approx(1 - curve["survival"].to_numpy(), abs=1e-9)
    assert table["low"].to_numpy() == pytest.approx(1 - curve["high"].to_numpy(), abs=1e-6)
    assert table["high"].to_numpy() == pytest.approx(1 - curve["low"].to_numpy(), abs=1e-6)


@given(ROWS.filter(lambda rows: any(cause for _, cause in rows)))
def test_the_eventual_share_is_the_ratio_of_the_last_incidences(rows):
    duration, cause = (list(column) for column in zip(*rows, strict=True))
    table = cumulative_incidence(duration, cause)
    (won, waiting), (lost, _) = (by_hand(duration, cause, name) for name in ("won", "lost"))
    found = eventual_share(table, "won")
    assert found == pytest.approx(won[-1] / (won[-1] + lost[-1]))
    assert 0 <= found.low <= found + 1e-9
    assert found - 1e-9 <= found.high <= 1
    assert ("still waiting" in found.method) == (waiting > 1e-12)


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["won", "lost"])), min_size=1, max_size=40))
def test_without_censoring_the_eventual_share_is_the_plain_one_with_wilsons_interval(rows):
    duration, cause = (list(column) for column in zip(*rows, strict=True))
    found, plain = eventual_share(cumulative_incidence(duration, cause), "won"), share(cause.count("won"), len(cause))
    assert (found, found.low, found.high) == pytest.approx((plain, plain.low, plain.high))
    assert found.n == plain.n


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", None]), st.integers(1, 4)), min_size=1, max_size=12
    )
)
def test_weights_stand_for_equal_rows(rows):
    duration, cause, weights = (list(column) for column in zip(*rows, strict=True))
    long = cumulative_incidence(np.repeat(duration, weights), np.repeat(np.array(cause, dtype=object), weights))
    pd.testing.assert_frame_equal(cumulative_incidence(duration, cause, weights=weights), long)


def simulate(rng, n, *, wins=0.4, fast=10.0, slow=60.0, window=120.0):
    """Deals that are won fast and lost slowly, opened evenly over a window."""
    won = rng.random(n) < wins
    needed = np.where(won, rng.exponential(fast, n), rng.exponential(slow, n))
    seen = rng.random(n) * window
    cause = np.where(needed <= seen, np.where(won, "won", "lost"), None)
    return np.minimum(needed, seen), cause


def test_it_finds_the_share_that_counting_the_ended_gets_wrong():
    duration, cause = simulate(np.random.default_rng(0), 20_000)
    counted = share(int((cause == "won").sum()), int((cause != None).sum()))  # noqa: E711 -- elementwise
    found = eventual_share(cumulative_incidence(duration, cause), "won")
    assert counted.low > 0.47
    assert found.high < counted.low
    # The seventh of the losses that takes longer than anyone was watched is not in it.
    assert found == pytest.approx(0.4 / (0.4 + 0.6 * (1 - np.exp(-2))), abs=0.02)


def test_its_interval_covers_over_samples():
    rng = np.random.default_rng(3)
    inside_share, inside_curve = 0, 0
    for _ in range(400):
        duration, cause = simulate(rng, 150, slow=20.0, window=200.0)
        table = cumulative_incidence(duration, cause)
        found = eventual_share(table, "won")
        inside_share += found.low <= 0.4 <= found.high
        curve = table.loc["won"]
        at = curve.iloc[np.searchsorted(curve.index, 10.0, side="right") - 1]
        inside_curve += at["low"] <= 0.4 * (1 - np.exp(-1)) <= at["high"]
    # Three standard errors of 400 draws are 3.3 points.
    assert inside_share / 400 == pytest.approx(0.95, abs=0.033)
    assert inside_curve / 400 == pytest.approx(0.95, abs=0.033)


def test_one_that_never_happened_has_share_0_and_nothing_at_all_is_refused():
    table = cumulative_incidence([1, 2], ["lost", None])
    none = eventual_share(table, "won")
    assert none == 0
    assert none.high > 0.5
    empty = cumulative_incidence([1, 2], [None, None])
    assert len(empty) == 0
    with pytest.raises(DataError, match="nothing has happened"):
        eventual_share(empty, "won")


@pytest.mark.parametrize(
    ("duration", "cause", "message"),
    [
        ([], [], "duration is empty"),
        ([1, -1], ["a", "b"], "duration is negative in row 1"),
        ([1, 2], ["a"], "duration has 2, cause has 1"),
    ],
)
def test_what_cannot_be_used_is_named(duration, cause, message):
    with pytest.raises(DataError, match=message):
        cumulative_incidence(duration, cause)
