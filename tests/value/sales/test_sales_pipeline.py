"""The weighted pipeline is amounts times chances, adds up, and covers what is won."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crmkit import value
from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company
from crmkit.value.sales._stage_chances import Factor, Odds, StageChances, stage_chances
from crmkit.value.sales._stage_passages import stage_passages

STAGES = ["lead", "qualified", "proposal", "negotiation"]
START = pd.Timestamp("2024-01-01", tz="UTC")


@pytest.fixture(scope="module")
def company():
    return make_company(12_000, seed=1)


@pytest.fixture(scope="module")
def history(company):
    return value.stage_history(company.opportunity_history, stages=STAGES, timezone="Asia/Shanghai")


def small(rows, **columns):
    frame = pd.DataFrame(rows, columns=["opportunity_id", "stage", "at"])
    frame["time"] = START + pd.to_timedelta(frame.pop("at"), unit="D")
    return frame.assign(**columns)


CLOSED = [
    *[("a", "lead", 0), ("a", "offer", 1), ("a", "won", 2), ("b", "lead", 0), ("b", "offer", 2), ("b", "lost", 4)],
    *[("c", "lead", 0), ("c", "lost", 3), ("d", "lead", 1), ("d", "offer", 3), ("d", "won", 5)],
]


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([*STAGES, *STAGES, "won", "lost"]), st.integers(0, 19)),
        min_size=1,
        max_size=25,
        unique_by=lambda row: (row[0], row[2]),
    )
)
def test_who_comes_to_a_stage_or_beyond_it_is_found_as_by_a_walk(rows):
    deals = {name: sorted((row[1:] for row in rows if row[0] == name), key=lambda row: row[1]) for name in "abcd"}
    deals = {name: own for name, own in deals.items() if own and own[0][0] in STAGES}
    assume(deals)
    rows = [row for row in rows if row[0] in deals]
    made = value.stage_history(small(rows), stages=STAGES, rows="history", as_of=START + pd.Timedelta(days=20))
    for stage in range(4):
        expected = {}
        for name, own in deals.items():
            # While walking, one can only have come to what lies before; a closing that was undone is none.
            rank = [STAGES.index(state) if state in STAGES else {"won": 4, "lost": -1}[state] for state, _ in own]
            last_end = next((at for at in range(len(own)) if all(state == own[-1][0] for state, _ in own[at:])), None)
            rank = [
                -1 if state in {"won", "lost"} and at < last_end else number
                for at, ((state, _), number) in enumerate(zip(own, rank, strict=True))
            ]
            came = [at for (_, at), number in zip(own, rank, strict=True) if number >= stage]
            beyond = [at for (_, at), number in zip(own, rank, strict=True) if number > stage]
            if rank[0] > stage or not came:
                continue
            ended = own[last_end][1] if own[-1][0] == "lost" else 20
            result = 1 if beyond else 2 if own[-1][0] == "lost" else 0
            expected[name] = ((beyond[0] if beyond else ended) - came[0], result)
        found = stage_passages(made, stage, reached=True)
        names = made.deals.index[found.deal]
        assert dict(zip(names, zip(found.days.tolist(), found.result.tolist(), strict=True), strict=True)) == expected


def test_a_chance_is_the_product_of_the_conversions_from_the_stage_on():
    rows = [*CLOSED, ("e", "lead", 5), ("f", "lead", 4), ("f", "offer", 5)]
    frame = small(rows, amount=[100.0] * len(CLOSED) + [10.0, 20.0, 20.0])
    found = value.weighted_pipeline(frame, stages=["lead", "offer"], amount_bands=1)
    # Of lead 4 of 5 decided moved on, of offer 2 of 3 were won; half a success and half a failure are added to each.
    # Those still open were seen for less than a day and say nothing.
    lead, offer = 4.5 / 6, 2.5 / 4
    assert found.stages["conversion"].tolist() == pytest.approx([lead, offer], abs=0.03)
    lead, offer = found.stages["conversion"]
    assert found.stages["probability"].tolist() == pytest.approx([lead * offer, offer])
    assert found.deals["probability"].tolist() == pytest.approx([lead * offer, offer])
    assert found.deals["weighted"].tolist() == pytest.approx([10 * lead * offer, 20 * offer])
    assert found.total == pytest.approx(10 * lead * offer + 20 * offer)
    assert (found.total.low, found.total.high) == (0, 30)
    assert found.total.n == 2


def test_without_censoring_conversions_are_counts_with_half_added():
    rows = [*CLOSED, ("e", "lead", 5)]
    found = value.weighted_pipeline(
        small(rows, amount=1.0), stages=["lead", "offer"], as_of=START + pd.Timedelta(days=6), amount_bands=1
    )
    # The open lead has been waiting for a day, in which one of the others moved on: it is worth less than a deal.
    assert found.stages.loc["offer", ["conversion", "n"]].tolist() == [2.5 / 4, 3]
    assert 3.5 <= found.stages.loc["lead", "n"] <= 5


def test_everything_adds_up(history):
    found = value.weighted_pipeline(history, by=["region", "agent"], period="quarter")
    deals = found.deals
    is_open = history.deals["status"] == "open"
    assert deals.index.tolist() == history.deals.index[is_open].tolist()
    assert found.table["deals"].sum() == len(deals) == found.total.n == found.stages["deals"].sum()
    assert found.table["amount"].sum() == pytest.approx(deals["amount"].sum())
    assert found.stages["amount"].sum() == pytest.approx(deals["amount"].sum())
    assert found.table["weighted"].sum() == pytest.approx(found.total)
    assert found.table.index.names == ["period", "region", "agent"]
    keys = [deals["expected_close"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None).dt.to_period("Q-DEC")]
    keys += [history.deals.loc[deals.index, name] for name in ("region", "agent")]
    expected = deals["weighted"].groupby(keys).sum()
    assert found.table["weighted"].to_dict() == pytest.approx(expected.to_dict())
    assert (found.table["low"] <= found.table["weighted"]).all()
    assert (found.table["high"] <= found.table["amount"] + 1e-9).all()
    assert (deals["overdue"] == (deals["expected_close"] < history.as_of)).all()
    assert deals["overdue"].any()


def test_groups_and_periods_change_no_chance_and_no_total(history):
    plain, told_apart = (
        value.weighted_pipeline(history, by=by, period=period) for by, period in ((None, "year"), ("agent", "week"))
    )
    pd.testing.assert_frame_equal(plain.deals, told_apart.deals)
    assert plain.total == pytest.approx(told_apart.total)
    assert (plain.total.low, plain.total.high) == pytest.approx((told_apart.total.low, told_apart.total.high))


def test_an_unknown_expected_close_has_a_line_of_its_own():
    rows = [*CLOSED, ("e", "lead", 5), ("f", "lead", 5)]
    close = [pd.NaT] * (len(rows) - 1) + [START + pd.Timedelta(days=40)]
    found = value.weighted_pipeline(small(rows, amount=1.0, close_time=close), stages=["lead", "offer"])
    assert found.table["deals"].tolist() == [1, 1]
    assert found.table.index.isna().sum() == 1
    assert found.table.index[0] == pd.Period("2024-02")


def test_large_deals_that_are_won_less_often_get_smaller_chances():
    rng = np.random.default_rng(1)
    n = 2_000
    amount = np.exp(rng.standard_normal(n))
    won = rng.random(n) < 1 / (1 + np.exp(np.log(amount)))
    rows = [(str(deal), "lead", 0) for deal in range(n)]
    rows += [(str(deal), "won" if won[deal] else "lost", 5) for deal in range(0, n, 2)]
    frame = small(rows, amount=[*amount, *amount[::2]])
    banded, plain = (
        value.weighted_pipeline(frame, stages=["lead"], rows="history", amount_bands=bands) for bands in (4, 1)
    )
    chance = banded.deals.sort_values("amount")["probability"].to_numpy()
    assert len(np.unique(chance)) == 4
    assert (np.diff(chance) <= 0).all()
    assert len(np.unique(plain.deals["probability"])) == 1
    # What the open deals bring, had they been decided by the same odds.
    true = float(np.sum((amount / (1 + amount))[1::2]))
    assert abs(banded.total - true) < 0.5 * abs(plain.total - true)


def test_what_is_alike_is_drawn_together_as_far_as_differences_may_be_chance():
    """Two owners differ for sure, ten others do not at all."""
    rng = np.random.default_rng(0)
    n = 3_000
    owner = rng.integers(0, 12, n)
    won = rng.random(n) < np.select([owner == 0, owner == 1], [0.8, 0.2], 0.5)
    begin = rng.random(n) * 300
    rows = [(str(deal), "lead", begin[deal]) for deal in range(n)]
    rows += [(str(deal), "won" if won[deal] else "lost", begin[deal] + 5) for deal in range(0, n, 2)]
    names = np.array([f"o{number:02d}" for number in range(12)])
    who = names[[*owner, *owner[::2]]]
    frame = small(rows, amount=1.0, agent=who)
    found = value.weighted_pipeline(frame, stages=["lead"], alike="agent", rows="history")
    agent = frame.drop_duplicates("opportunity_id").set_index("opportunity_id")["agent"].loc[found.deals.index]
    chance = found.deals["probability"].groupby(agent.to_numpy()).mean()
    plain = pd.Series(won[::2]).groupby(names[owner[::2]]).mean()
    assert chance[["o00", "o01"]].to_numpy() == pytest.approx(plain[["o00", "o01"]].to_numpy(), abs=0.06)
    assert chance["o00"] - chance["o01"] > 0.35
    # Drawn towards the middle, each of them.
    assert (abs(chance - 0.5) < abs(plain - 0.5) + 0.01).all()
    same = pd.Series(rng.permutation(who[:n]), index=range(n))
    mixed = small(rows, amount=1.0, agent=[*same, *same.to_numpy()[::2]])
    level = value.weighted_pipeline(mixed, stages=["lead"], alike="agent", rows="history").deals["probability"]
    assert level.max() - level.min() < 0.1


def test_log_odds_maximise_the_penalised_likelihood():
    """Brute force over a grid, with the spread that was found."""
    rng = np.random.default_rng(2)
    rows, group = [], []
    for deal in range(400):
        team = deal % 4
        stages = ["lead", "offer", "won"]
        reached = 1 + int(rng.random() < 0.4 + 0.1 * team)
        reached += int(reached == 2 and rng.random() < 0.4 + 0.1 * team)
        rows += [(f"{deal:03}", stages[step], step) for step in range(reached)]
        rows += [(f"{deal:03}", "lost", reached)] if reached < 3 else []
        group.append(team)
    made = value.stage_history(small(rows), stages=["lead", "offer"])
    group = np.array(group)
    chances = stage_chances(made, [Factor(group, 4)])
    odds = chances.odds[0]
    assert odds.spread > 0
    furthest = made.code("furthest")
    passed = [(np.ones(400, dtype=bool), (furthest > 0)), (furthest > 0, made.code("status") == 1)]
    logits = np.log(chances.successes / chances.failures)
    grid = np.linspace(-2, 2, 4001)
    for team in range(4):
        target = -(grid**2) / (2 * odds.spread**2)
        for (came, moved), base in zip(passed, logits, strict=True):
            here = came & (group == team)
            p = 1 / (1 + np.exp(-(base + grid)))
            target += moved[here].sum() * np.log(p) + (~moved[here]).sum() * np.log(1 - p)
        assert odds.mean[team] == pytest.approx(grid[target.argmax()], abs=2e-3)
    # One factor with one group, and none at all, add nothing.
    alone = stage_chances(made, [Factor(np.zeros(400, dtype=np.intp), 1)])
    assert alone.odds[0].mean.tolist() == [0]
    assert stage_chances(made, []).of_winning(np.zeros((1, 0), dtype=np.intp)).shape == (1, 2)


def test_the_interval_holds_luck_and_doubt(history):
    found = value.weighted_pipeline(history, amount_bands=1)
    deals = found.deals
    luck = np.sqrt(np.sum(deals["amount"] ** 2 * deals["probability"] * (1 - deals["probability"])))
    width = (found.total.high - found.total.low) / 2
    assert width > 1.9 * luck
    assert width < 1.9 * luck * 1.5
    assert (deals["low"] < deals["probability"]).all()
    assert (deals["probability"] < deals["high"]).all()


def test_the_same_seed_gives_the_same_interval_and_no_seed_changes_an_expectation(history):
    first, again, other = (value.weighted_pipeline(history, random_state=seed, n_draws=200) for seed in (1, 1, 2))
    assert repr(first.total) == repr(again.total)
    assert first.total == other.total
    assert first.total.low != other.total.low


def test_open_deals_without_an_amount_are_left_out_and_told_of():
    rows = [*CLOSED, ("e", "lead", 5), ("f", "lead", 5)]
    frame = small(rows, amount=[1.0] * (len(rows) - 1) + [None])
    with pytest.warns(
        DataWarning, match=r"1 of 2 open opportunities have no amount and are left out: row 5 of \.deals"
    ):
        found = value.weighted_pipeline(frame, stages=["lead", "offer"])
    assert found.deals.index.tolist() == ["e"]


def test_a_pipeline_without_open_deals_is_worth_nothing():
    found = value.weighted_pipeline(small(CLOSED, amount=1.0), stages=["lead", "offer"])
    assert (found.total, found.total.low, found.total.high, found.total.n) == (0, 0, 0, 0)
    assert len(found.table) == len(found.deals) == 0
    assert found.stages["deals"].tolist() == [0, 0]


def test_a_stage_in_which_nothing_was_decided_is_one_half_and_told_of():
    rows = [("a", "lead", 0), ("a", "lost", 1), ("b", "lead", 0), ("b", "offer", 1), ("c", "lead", 2)]
    with pytest.warns(DataWarning, match="no deal has been decided in 'offer'"):
        found = value.weighted_pipeline(small(rows, amount=10.0), stages=["lead", "offer"], rows="history")
    assert found.stages.loc["offer", ["conversion", "n"]].tolist() == [0.5, 0]
    assert found.deals.loc["b", "low"] < 0.05
    assert found.deals.loc["b", "high"] > 0.95


def test_a_table_of_what_stands_now_gives_no_chances_by_stage(company):
    with pytest.raises(DataError, match="no closed opportunity tells which stages"):
        value.weighted_pipeline(company.opportunities, stages=STAGES)
    with pytest.raises(DataError, match=r"the stages of .* open opportunities at as_of are not known"):
        value.weighted_pipeline(company.opportunities, stages=STAGES, as_of="2024-06-01")


def test_the_stage_reached_beside_the_outcome_is_enough():
    rng = np.random.default_rng(0)
    n = 600
    reached = np.minimum(rng.geometric(0.4, n) - 1, 3)
    won = (reached == 3) & (rng.random(n) < 0.5)
    frame = pd.DataFrame(
        {
            "opportunity_id": np.arange(n).astype(str),
            "stage": np.array(STAGES)[reached],
            "outcome": np.where(won, "won", "lost"),
            "time": START,
            "close_time": START + pd.Timedelta(days=5),
            "amount": 10.0,
        }
    )
    frame.loc[:49, "outcome"] = None
    found = value.weighted_pipeline(frame, stages=STAGES, as_of=START + pd.Timedelta(days=6), amount_bands=1)
    assert len(found.deals) == 50
    closed = reached[50:]
    expected = [((closed > step).sum() + 0.5) / ((closed >= step).sum() + 1) for step in range(3)]
    # Open deals that are further on have passed a stage, but not in a time that is known.
    assert found.stages["conversion"].tolist()[:3] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"amount_bands": 0}, "amount_bands must be an int of at least 1, got 0"),
        ({"n_draws": 1.5}, "n_draws must be an int of at least 1"),
        ({"level": 0}, "level must lie between"),
        ({"period": "decade"}, "period must be one of 'day', 'week', 'month', 'quarter', 'year'"),
        ({"by": "colour"}, "no column 'colour'"),
        ({"alike": "colour"}, "no column 'colour'"),
    ],
)
def test_a_wrong_parameter_is_refused(history, options, message):
    with pytest.raises(DataError, match=message):
        value.weighted_pipeline(history, **options)


def test_it_shows_sums_and_no_deal(history):
    found = value.weighted_pipeline(history)
    assert repr(found).startswith(f"WeightedPipeline({len(found.deals):,} open deals, ")
    html = found._repr_html_()
    assert "open deals:" in html
    assert found.deals.index[0] not in html


def test_the_order_of_the_rows_changes_nothing():
    deals = make_company(2_000, seed=3).opportunity_history
    stages = ["lead", "qualified", "proposal", "negotiation"]
    plain, mixed = (
        value.stage_history(rows, stages=stages, as_of="2024-06-01")
        for rows in (deals, deals.sample(frac=1, random_state=0))
    )
    one, other = (value.weighted_pipeline(history, by="region", n_draws=200) for history in (plain, mixed))
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.deals, other.deals)
    assert (one.total.low, one.total.high) == (other.total.low, other.total.high)
    speed = [value.sales_velocity(history, n_resamples=50) for history in (plain, mixed)]
    pd.testing.assert_frame_equal(*speed)


@pytest.mark.parametrize("by", [["agent", "agent"], ["region", "agent", "region"]])
@pytest.mark.parametrize(
    "figure",
    [value.stage_conversion, value.time_in_stage, value.win_rate, value.sales_velocity, value.weighted_pipeline],
)
def test_a_column_named_twice_is_refused(figure, by):
    with pytest.raises(DataError, match="by names a column twice"):
        figure(small(CLOSED, agent="x", region="y"), stages=["lead", "offer"], by=by)


def test_a_group_column_cannot_have_the_name_of_the_periods():
    with pytest.raises(DataError, match="by cannot name 'period'"):
        value.weighted_pipeline(small(CLOSED, period="x"), stages=["lead", "offer"], by="period")


def test_open_deals_count_for_as_long_as_they_were_seen():
    """Deals move on after a day and are lost after ten; half of them are three days old."""
    rows = [(f"m{deal}", stage, day) for deal in range(20) for stage, day in (("lead", 0), ("won", 1))]
    rows += [(f"l{deal}", stage, day) for deal in range(20) for stage, day in (("lead", 0), ("lost", 10))]
    rows += [(f"n{deal}", stage, day) for deal in range(15) for stage, day in (("lead", 17), ("won", 18))]
    rows += [(f"o{deal}", "lead", 17) for deal in range(15)]
    frame = small(rows, amount=1.0)
    as_of = START + pd.Timedelta(days=20)
    found = value.weighted_pipeline(frame, stages=["lead"], as_of=as_of, amount_bands=1, n_draws=1)
    chance, n = found.stages.loc["lead", ["conversion", "n"]]
    # 35 of 70 move on at the first day; nobody of the rest does later. Half a success and half a failure are added.
    assert chance == pytest.approx((0.5 * n + 0.5) / (n + 1))
    decided = value.stage_conversion(frame, stages=["lead"], as_of=as_of)["conversion"].iloc[0]
    assert decided == pytest.approx(35 / 55)
    assert found.deals["probability"].tolist() == pytest.approx([0.5] * 15)


def test_a_deal_without_an_expected_close_is_not_overdue():
    rows = [*CLOSED, ("e", "lead", 1), ("f", "lead", 1), ("g", "lead", 1)]
    expected = {"f": START + pd.Timedelta(days=3), "g": START + pd.Timedelta(days=30)}
    frame = small(rows, amount=1.0)
    frame["close_time"] = pd.to_datetime(frame["opportunity_id"].map(expected), utc=True)
    found = value.weighted_pipeline(frame, stages=["lead", "offer"], as_of=START + pd.Timedelta(days=9), n_draws=1)
    assert found.deals["overdue"].to_dict() == {"e": False, "f": True, "g": False}
    assert found.table.index.isna().sum() == 1


def test_draws_hold_the_doubt_about_stages_and_about_groups():
    chances = StageChances(np.array([3e6]), np.array([3e6]), (Odds(np.array([0.5, -0.5]), np.array([0.3, 0.1]), 0.6),))
    drawn = chances.draws(np.array([[0], [1]]), 4_000, np.random.RandomState(0))[:, :, 0]
    log_odds = np.log(drawn / (1 - drawn))
    assert log_odds.mean(axis=0) == pytest.approx([0.5, -0.5], abs=0.02)
    assert log_odds.std(axis=0) == pytest.approx([0.3, 0.1], rel=0.05)
    unsure = StageChances(np.array([30.0]), np.array([10.0]), ()).draws(
        np.zeros((1, 0), int), 4_000, np.random.RandomState(0)
    )
    # The variance of a beta distribution.
    assert unsure.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 41), rel=0.05)
