from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import compare_arms, compare_over_time
from crmkit.effect._always_valid import always_valid_p_value, always_valid_width
from crmkit.effect._over_time import _looks, _so_far, guarded


def test_the_width_solves_the_mixtures_equation():
    # By hand: with mixture variance x in sampling variances the boundary is sqrt((x + 1) / x log((x + 1) / alpha^2)).
    n = np.array([10, 100, 1000, 10_000])
    width = always_valid_width(n, 1000, 0.95)
    p_values = always_valid_p_value(width, n, 1000, 0.95)
    assert p_values == pytest.approx(0.05)
    # The likelihood ratio of a normal mixture (mean 0, variance x) to the null, at z, is the inverse of the p-value.
    at = always_valid_p_value(3.0, 1000, 1000, 0.95)
    z = np.linspace(-60, 60, 400_001)
    spread = (1 / at) ** 2  # any x has LR = (x+1)^-1/2 exp(z^2 x / (2 (x+1))); solve for x numerically
    grid = np.linspace(0.1, 60, 100_000)
    ratio = np.exp(9 * grid / (2 * (grid + 1))) / np.sqrt(grid + 1)
    x = grid[np.abs(1 / ratio - at).argmin()]
    prior = np.exp(-(z**2) / (2 * x)) / np.sqrt(2 * np.pi * x)
    mixture = np.sum(np.exp(3 * z - z**2 / 2) * prior) * (z[1] - z[0])
    assert 1 / mixture == pytest.approx(float(at), rel=1e-3)
    assert spread > 0


def test_the_interval_is_narrowest_where_it_was_planned_to_be():
    n = np.arange(100, 20_000, 10)
    half = always_valid_width(n, 5000, 0.95) / np.sqrt(n)
    tighter = [always_valid_width(5000, planned, 0.95) for planned in (500, 2000, 5000, 12_000, 50_000)]
    assert int(np.argmin(tighter)) == 2
    assert (np.diff(half) < 0).all()


@pytest.mark.parametrize("kind", ["shares", "skewed spend"])
def test_looking_every_day_is_wrong_in_at_most_one_of_twenty_experiments(kind):
    # The arrays below compare_over_time, 50 experiments at once; the next tests tie them to it.
    rng = np.random.default_rng(0)
    runs, batch, days, rows = 2_000, 50, 30, 100
    always = naive = 0
    when = np.tile(np.repeat(np.arange(days), rows), batch)
    run = np.repeat(np.arange(batch), days * rows)
    for _ in range(runs // batch):
        size = batch * days * rows
        outcome = (rng.random(size) < 0.1).astype(float) if kind == "shares" else rng.lognormal(0, 1.5, size)
        arm = (rng.random(size) < 0.5).astype(np.intp)
        n, means, variances = _so_far(outcome, 2 * run + arm, when, (days, 2 * batch))
        if kind == "shares":
            variances = guarded(means, n)
        for at in range(batch):
            own = slice(2 * at, 2 * at + 2)
            parts = n[:, own], means[:, own], variances[:, own]
            look = _looks(*parts, (1, 0), planned=days * rows, levels=(0.95, 0.95))
            always += bool(((look["low"] > 0) | (look["high"] < 0)).any())
            naive += bool(((look["naive_low"] > 0) | (look["naive_high"] < 0)).any())
    assert always / runs <= 0.05
    assert naive / runs > 0.15


def test_the_last_day_is_what_compare_arms_gives():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"day": np.arange(600) // 60, "arm": rng.choice(["call", "control", "mail"], 600)})
    table["y"] = 1e6 + rng.normal(size=600)
    over = compare_over_time(table, outcome="y", planned=600)
    once = compare_arms(table, outcome="y", sequential=True, planned=600)
    last = over.table.loc[9]
    for arm in ("call", "mail"):
        assert last.loc[arm, "low"] == pytest.approx(once.effects[arm].low, abs=1e-6)
        assert last.loc[arm, "p_value"] <= once.table.loc[arm, "p_adjusted"] + 1e-9
    assert "bonferroni" in once.method


def test_shares_of_the_last_day_agree_too_and_no_hit_at_all_decides_nothing():
    table = pd.DataFrame({"day": 1, "arm": ["call", "control"] * 40, "y": 0.0})
    over = compare_over_time(table, outcome="y", planned=80)
    once = compare_arms(table, outcome="y", sequential=True, planned=80).effect
    assert over.decided == {"call": None}
    assert over.table["high"].to_numpy()[0] == pytest.approx(once.high)
    assert once.low < 0 < once.high


def test_a_true_effect_is_found_and_the_day_named():
    rng = np.random.default_rng(2)
    arm = rng.choice(["call", "control"], 6000)
    table = pd.DataFrame({"time": pd.date_range("2024-02-28", periods=6000, freq="h"), "arm": arm})
    table["week"] = table["time"].dt.strftime("%G-W%V")
    table["y"] = rng.normal((arm == "call") * 0.3, 1)
    over = compare_over_time(table, outcome="y", by="week", planned=6000)
    assert str(over.decided["call"]).startswith("2024-W")
    assert over.table["p_value"].is_monotonic_decreasing
    assert "decided on" in repr(over)
    assert "decided on" in over._repr_html_()


def test_rows_that_cannot_be_used_are_told_and_a_missing_day_is_refused():
    table = pd.DataFrame({"day": [1, 1, 1, 2, 2], "arm": ["a", "a", "b", "b", None], "y": [1.0, 2.0, 3.0, 5.0, 1.0]})
    with pytest.warns(DataWarning, match="1 rows have no arm"):
        over = compare_over_time(table, outcome="y", control="a")
    assert np.isnan(over.table.loc[(1, "b"), "low"])
    with pytest.raises(DataError, match="day is missing in row 0"):
        compare_over_time(table.assign(day=[None, 1, 1, 1, 1]), outcome="y", control="a")
    with pytest.raises(DataError, match="no row has both"), pytest.warns(DataWarning):
        compare_over_time(table.assign(y=np.nan), outcome="y", control="a")
