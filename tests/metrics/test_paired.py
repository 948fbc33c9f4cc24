from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, metrics


@pytest.fixture(scope="module")
def scores():
    """Give scores of three models: customers differ far more than models do."""
    rng = np.random.default_rng(0)
    easy = rng.beta(0.5, 0.5, 300)
    return pd.DataFrame({"old": easy, "new": easy * 0.9 + 0.08, "same": easy})


def test_the_paired_interval_sees_what_intervals_side_by_side_do_not(scores):
    got = metrics.paired_differences(scores, "old")
    assert got.index.tolist() == ["new", "same"]
    assert got.loc["new", "low"] > 0
    apart = [metrics.mean(scores[name]) for name in ("old", "new")]
    assert apart[0].high > apart[1].low
    assert got.loc["same", ["difference", "low", "high"]].tolist() == [0, 0, 0]


def test_it_is_the_bootstrap_of_the_mean_difference(scores):
    got = metrics.paired_differences(scores, "old", n_resamples=4000).loc["new"]
    plain = metrics.bootstrap(np.mean, scores["new"] - scores["old"], n_resamples=4000, random_state=1)
    assert got["difference"] == pytest.approx(plain.value)
    width = plain.high - plain.low
    assert got["low"] == pytest.approx(plain.low, abs=width / 10)
    assert got["high"] == pytest.approx(plain.high, abs=width / 10)


def test_rows_of_one_customer_are_drawn_together(scores):
    again = pd.concat([scores] * 4)
    customers = np.tile(np.arange(300), 4)
    alone = metrics.paired_differences(scores, "old").loc["new"]
    together = metrics.paired_differences(again, "old", groups=customers).loc["new"]
    apart = metrics.paired_differences(again, "old").loc["new"]
    assert together["n"] == 300
    assert together["high"] - together["low"] == pytest.approx(alone["high"] - alone["low"])
    assert apart["high"] - apart["low"] < 0.7 * (together["high"] - together["low"])


def test_groups_of_different_sizes_weigh_by_their_rows():
    values = pd.DataFrame({"a": [0.0, 0.0, 0.0], "b": [1.0, 1.0, 0.0]})
    got = metrics.paired_differences(values, "a", groups=["x", "x", "y"])
    assert got.loc["b", "difference"] == pytest.approx(2 / 3)
    assert (got.loc["b", "low"], got.loc["b", "high"]) == (0.0, 1.0)


def test_draws_in_blocks_are_the_same_draws(scores, monkeypatch):
    whole = metrics.paired_differences(scores, "old", n_resamples=50)
    monkeypatch.setattr("crmkit.metrics.paired._CELLS", 1000)
    pd.testing.assert_frame_equal(metrics.paired_differences(scores, "old", n_resamples=50), whole)


@pytest.mark.parametrize("options", [{"n_resamples": 0}, {"groups": np.zeros(300)}])
def test_without_draws_or_with_one_group_there_is_no_interval(scores, options):
    got = metrics.paired_differences(scores, "old", **options)
    assert got.loc["new", "difference"] != 0
    assert got[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (lambda t: t, {"baseline": "older"}, "scores has no column 'older'"),
        (lambda t: t.iloc[:0], {}, "scores has no row"),
        (lambda t: t.assign(new=np.nan), {}, "new is missing or infinite in rows 0"),
        (lambda t: t.assign(new="x"), {}, "new must hold numbers"),
        (lambda t: t, {"groups": [1]}, "groups must have one entry a row: 1 for 300"),
        (lambda t: t, {"groups": [None] * 300}, "groups is missing in rows"),
        (lambda t: t, {"n_resamples": 1.5}, "n_resamples must be a whole number"),
        (lambda t: t, {"level": 0}, "level must lie"),
    ],
)
def test_what_cannot_be_compared_is_refused(scores, change, options, match):
    with pytest.raises(DataError, match=match):
        metrics.paired_differences(change(scores), **{"baseline": "old", **options})
