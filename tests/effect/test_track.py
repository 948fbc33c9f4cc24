from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import track
from crmkit.effect._alarm import alarm_p_values, coarse
from crmkit.metrics import mean, nps


def year(seed=0, *, n=3600, drop_from=None):
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(19_723, 19_723 + 366, n))
    marks = rng.choice([10.0, 8.0, 3.0], n, p=[0.5, 0.3, 0.2])
    table = pd.DataFrame({"day": day, "rating": marks, "segment": rng.choice(["new", "old"], n)})
    table["channel"] = rng.choice(["app", "call", "shop"], n)
    if drop_from is not None:
        late = (day >= drop_from) & (table["channel"] == "call") & (rng.random(n) < 0.6)
        table.loc[late, "rating"] = 3.0
    return table


def test_each_period_has_the_metrics_own_interval():
    table = year()
    result = track(table, segment="segment", channel="channel")
    april = pd.to_datetime(table["day"], unit="D").dt.month == 4
    of_shop = table[april & (table["channel"] == "shop")]
    cell = result.table.loc[("channel=shop", pd.Period("2024-04"))]
    own = nps(of_shop["rating"])
    assert (cell["n"], cell["value"], cell["low"]) == (len(of_shop), float(own), own.low)
    assert result.comparisons == 6 * 11
    assert result.table.index.get_level_values("group").nunique() == 6


def test_a_change_that_stays_is_told_once_where_it_happened():
    september = int((pd.Timestamp("2024-09-01") - pd.Timestamp("1970-01-01")).days)
    result = track(year(drop_from=september), channel="channel")
    alarms = [(group, str(period)) for group, period in result.alarms.index]
    assert ("channel=call", "2024-09") in alarms
    assert not [one for one in alarms if one[0] in {"channel=app", "channel=shop"}]
    assert sum(group == "channel=call" for group, _ in alarms) == 1
    assert "1 alarm" in repr(result) or "2 alarms" in repr(result)
    assert "2024-09" in result._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nps", "rare", "spend"])
def test_false_alarms_over_all_periods_and_groups_are_as_rare_as_stated(kind):
    # The arrays below track, in 6 groups of 12 periods of 30 answers: with Student's t alone, .05, .12 and .13.
    rng = np.random.default_rng(0)
    tables, groups, periods, n = (100 if kind == "spend" else 400), 6, 12, 30
    limit = -np.expm1(np.log1p(-0.05) / (groups * (periods - 1)))
    alarmed = 0
    for _ in range(tables):
        found = False
        for _ in range(groups):
            draws = {
                "nps": lambda: rng.choice([100.0, 0.0, -100.0], (periods, n), p=[0.5, 0.3, 0.2]),
                "rare": lambda: (rng.random((periods, n)) < 0.05).astype(float),
                "spend": lambda: rng.lognormal(0, 1, (periods, n)),
            }
            score = draws[kind]()
            score -= score.mean()
            values, codes = np.unique(coarse(score.ravel()), return_inverse=True)
            counts = np.zeros((periods, len(values)), dtype=np.int64)
            np.add.at(counts, (np.repeat(np.arange(periods), n), codes.reshape(-1)), 1)
            p_value = alarm_p_values(counts, values, (score.sum(axis=1), (score**2).sum(axis=1)), limit)[1]
            found |= bool((p_value < limit).any())
        alarmed += found
    # Two standard errors above .05, of so many tables.
    assert alarmed / tables <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / tables)


def test_p_values_near_the_limit_are_those_of_drawing_without_replacement():
    counts = np.array([[90, 10], [20, 12]])
    sums = (counts[:, 1].astype(float), counts[:, 1].astype(float))
    p_value = alarm_p_values(counts, np.array([0.0, 1.0]), sums, 2e-4)[1][1]
    hits = np.arange(23)
    chance = stats.hypergeom(132, 22, 32).pmf(hits)
    as_far = np.abs(hits / 32 - 22 / 132) >= 12 / 32 - 22 / 132 - 1e-12
    # Twenty draws as extreme decide, so that the p-value is known to about a fifth.
    assert p_value == pytest.approx(chance[as_far].sum(), rel=0.6)
    far = alarm_p_values(np.array([[90, 10], [0, 60]]), np.array([0.0, 1.0]), (np.array([10.0, 60.0]),) * 2, 0.01)
    assert far[1][1] < 0.001


def test_the_first_period_after_an_alarm_is_the_new_standard():
    counts = np.array([[100, 0], [0, 100], [0, 100], [100, 0]])
    sums = (counts[:, 1].astype(float), counts[:, 1].astype(float))
    expected, p_value = alarm_p_values(counts, np.array([0.0, 1.0]), sums, 0.001)
    assert expected[1:].tolist() == [0, 1, 1]
    assert (p_value[[1, 3]] < 0.001).all()
    assert p_value[2] == 1


def test_coarse_scores_keep_their_sum_and_few_values_stay():
    score = np.random.default_rng(0).lognormal(0, 2, 5000)
    assert coarse(score).sum() == pytest.approx(score.sum())
    assert len(np.unique(coarse(score))) <= 80
    assert np.corrcoef(coarse(score), score)[0, 1] > 0.9
    assert (coarse(np.array([1.0, 2.0])) == [1, 2]).all()


def test_customers_who_answer_often_count_for_less():
    rng = np.random.default_rng(1)
    customer = np.repeat(np.arange(240), 10)
    day = 19_723 + 30 * (customer // 40) + rng.integers(0, 28, 2400)
    mark = np.where(rng.random(240) < 0.5, 10.0, 3.0)[customer]
    table = pd.DataFrame({"day": day, "rating": mark}, index=pd.Index(customer, name="customer_id"))
    blind, honest = track(table), track(table, customer="customer_id")
    assert (honest.table["p_value"].dropna() >= blind.table["p_value"].dropna()).all()
    assert honest.table["p_value"].min() > 100 * blind.table["p_value"].min()


def test_any_function_that_gives_an_estimate_can_be_tracked():
    table = year(drop_from=19_723 + 244).rename(columns={"rating": "mark"})

    def average(rows):
        return mean(rows["mark"])

    result = track(table, metric=average, by="quarter", channel="channel")
    assert ("channel=call", pd.Period("2024Q3")) in result.alarms.index
    with pytest.raises(DataError, match="must give an Estimate"):
        track(table, metric=len)


def test_means_far_from_zero_and_times_are_tracked():
    rng = np.random.default_rng(2)
    time = pd.date_range("2024-02-26", periods=900, freq="2h", tz="Asia/Shanghai")
    table = pd.DataFrame({"time": time, "amount": 1e9 + rng.normal(size=900)})
    table.loc[table.index[-200:], "amount"] += 2
    result = track(table, metric="mean", column="amount", by="week")
    assert len(result.alarms) >= 1
    assert result.table["expected"].iloc[1] == pytest.approx(1e9, rel=1e-8)
    naive = track(table.assign(time=time.tz_localize(None)), metric="mean", column="amount", by="day", least=10)
    assert naive.table.index.get_level_values("period")[3] == pd.Period("2024-02-29")


def wandering(seed, *, months=12, n=400, spread=0.08):
    """Give marks whose share of promoters goes up and down from month to month for no reason."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(months), n)
    share = 0.5 + spread * rng.normal(size=months)[month]
    draw = rng.random(len(month))
    marks = np.where(draw < share, 10, np.where(draw < share + 0.3, 8, 3))
    return pd.DataFrame({"day": 19_723 + 31 * month + 3, "rating": marks})


@pytest.mark.slow
def test_a_figure_that_wanders_sets_off_alarms_unless_it_is_allowed_for():
    blind = allowed = 0
    seen = []
    for seed in range(100):
        table = wandering(seed)
        first = track(table, by="month")
        blind += len(first.alarms) > 0
        seen.append(first.wander_seen)
        # Promoters go up and detractors down by 8 points each.
        allowed += len(track(table, by="month", wander=16).alarms) > 0
    assert blind >= 90
    assert allowed <= 10
    assert np.mean(seen) == pytest.approx(16, rel=0.15)


def test_without_wander_little_is_seen_and_few_periods_say_nothing():
    assert track(year(n=36_000)).wander_seen < 2
    result = track(wandering(0), wander=16)
    assert result.wander == 16
    assert "16 of it allowed for" in repr(result)
    assert np.isnan(track(wandering(0, months=7)).wander_seen)
    equal = track(year().assign(rating=10.0), wander=5)
    assert not len(equal.alarms)
    with pytest.raises(DataError, match="wander must be"):
        track(year(), wander=-1)


def test_any_function_can_be_allowed_to_wander():
    def average(rows):
        return mean(rows["rating"])

    table = wandering(1, spread=0.15)
    assert len(track(table, metric=average).alarms)
    assert not len(track(table, metric=average, wander=2).alarms)


def test_small_periods_are_shown_and_not_compared():
    table = pd.concat([year(n=300), pd.DataFrame({"day": [19_723 + 400], "rating": [3.0]})])
    result = track(table, least=20)
    assert np.isnan(result.table["p_value"].iloc[-1])
    assert result.table["n"].iloc[-1] == 1
    assert (result.table["n"] == 0).any()
    assert not result.table["alarm"].iloc[-1]


def test_more_comparisons_to_come_make_each_stricter_and_fewer_are_refused():
    assert track(year(), comparisons=1000).comparisons == 1000
    with pytest.raises(DataError, match="at least the 11"):
        track(year(), comparisons=5)


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        ({}, {"by": "fortnight"}, "period must be one of"),
        ({}, {"false_alarm": 0}, "false_alarm"),
        ({}, {"column": "stars"}, "no column 'stars'"),
        ({"day": np.nan}, {}, "the day is missing in rows 0"),
        ({"rating": np.nan}, {}, "holds no mark"),
        ({}, {"metric": "joy"}, "metric must be one of"),
    ],
)
def test_what_cannot_be_tracked_is_refused(change, given, message):
    with pytest.raises(DataError, match=message):
        track(year(n=100).assign(**change), **given)


def test_tables_without_rows_or_days_are_refused_and_missing_marks_told():
    with pytest.raises(DataError, match="no rows"):
        track(year(n=100).iloc[:0])
    with pytest.raises(DataError, match="needs day"):
        track(year(n=100).drop(columns="day"))
    table = year(n=100)
    table.loc[3, "rating"] = np.nan
    with pytest.warns(DataWarning, match="1 of 100 rows have no rating"):
        assert track(table).table["n"].sum() == 99
