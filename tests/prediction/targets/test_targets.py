from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import metrics
from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company
from crmkit.prediction import (
    next_mark,
    select_model,
    will_be_won,
    will_buy,
    will_complain,
    will_end,
    will_leave,
)
from crmkit.preparation import EventColumns, audit, label_knowledge

CUTOFFS = ["2023-09-01", "2023-10-01", "2023-11-01"]
STAGES = ["lead", "qualified", "proposal", "negotiation"]


@pytest.fixture(scope="module")
def company():
    return make_company(1_500, seed=1)


@pytest.fixture(autouse=True)
def _short_histories_are_expected():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(reach back before|middle of its customers)", category=DataWarning)
        yield


def day_of(text):
    return int(np.datetime64(text).astype("datetime64[D]").astype(int))


def test_who_buys_anything_one_item_or_one_category(company):
    sales = company.transactions
    asked = will_buy(sales, CUTOFFS, windows=[30, 90], horizon=30)
    first = day_of(CUTOFFS[0])
    bought = sales[(sales["day"] >= first) & (sales["day"] < first + 30) & (sales["amount"] >= 0)]
    there = asked.y.xs(pd.Timestamp(CUTOFFS[0]), level="cutoff")
    assert there.eq(there.index.isin(bought["customer_id"]).astype(int)).all()
    one = will_buy(sales, CUTOFFS, windows=[30, 90], horizon=30, item="P038")
    there = one.y.xs(pd.Timestamp(CUTOFFS[0]), level="cutoff")
    just_that = bought.loc[bought["product_id"] == "P038", "customer_id"]
    assert there.eq(there.index.isin(just_that).astype(int)).all()
    assert 0 < one.y.mean() < asked.y.mean()
    assert {"this_recency_days", "sales_recency_days"} <= set(one.X.columns)
    by_channel = will_buy(sales, CUTOFFS, windows=[30], horizon=30, category=("channel", ["app", "store"]))
    assert by_channel.question == "Who will buy channel app, store within 30 days?"
    assert len(one.X) == len(asked.X) == len(by_channel.X)
    beside = will_buy(sales, CUTOFFS, windows=[30], horizon=30, others={"marks": company.feedback})
    assert "marks_score_mean_30d" in beside.X.columns


def test_a_target_is_ready_for_choosing_a_model(company):
    asked = will_buy(company.transactions, CUTOFFS, windows=[30, 90], horizon=30)
    models = {"boosting": crmkit.create("classifier", "boosting", max_iter=10, random_state=0)}
    found = select_model(
        models, asked.X, asked.y, evaluator="roc-auc", cv=asked.folds(n_folds=1, least_cutoffs=2), inner_cv=2
    )
    assert found.estimate > 0.55
    assert len(asked.groups) == len(asked.X)
    for by in ("customer", "both"):
        scored = metrics.cross_validate(models["boosting"], asked.X, asked.y, evaluators="brier", cv=asked.folds(by))
        assert scored["brier"] < 0.25
    with pytest.raises(DataError, match="by must be one of"):
        asked.folds("week")


def test_the_same_is_asked_later_with_the_same_columns(company):
    asked = will_buy(company.transactions, CUTOFFS[:2], windows=[30], horizon=30, item="P038")
    later = asked.apply(company.transactions, CUTOFFS[2])
    assert later.X.columns.tolist() == asked.X.columns.tolist()
    whole = will_buy(company.transactions, CUTOFFS, windows=[30], horizon=30, item="P038")
    assert later.y.equals(whole.y.xs(pd.Timestamp(CUTOFFS[2]), level="cutoff", drop_level=False))
    last = int(company.transactions["day"].max()) + 1
    now = asked.apply(company.transactions, last, labels=False)
    assert now.label is None
    assert now.coverage["known"].tolist() == [0]
    with pytest.raises(DataError, match="score its"):
        _ = now.X
    with pytest.raises(DataError, match="not known yet"):
        asked.apply(company.transactions, last)


def test_only_the_active_can_leave_and_silence_is_leaving(company):
    asked = will_leave(company.transactions, CUTOFFS, windows=[30, 90], horizon=60, active_within=45)
    assert (asked.X["sales_recency_days"] <= 45).all()
    bought = will_buy(company.transactions, CUTOFFS, windows=[30, 90], horizon=60)
    assert (asked.y + bought.y.reindex(asked.y.index) == 1).all()
    assert "come back" in repr(asked)
    assert will_leave(company.transactions, CUTOFFS, windows=30, horizon=60).X["sales_recency_days"].max() <= 30
    with pytest.raises(DataError, match="active_within"):
        will_leave(company.transactions, CUTOFFS, windows=[30], horizon=60, active_within=-1)


def test_who_never_complained_is_asked_about_too(company):
    others = {"sales": company.transactions, "calls": company.communications, "marks": company.feedback}
    asked = will_complain(company.cases, CUTOFFS, windows=[30, 90], horizon=30, others=others)
    assert (asked.X["cases_count"] == 0).mean() > 0.5
    first = day_of(CUTOFFS[0])
    opened = company.cases[(company.cases["day"] >= first) & (company.cases["day"] < first + 30)]["customer_id"]
    there = asked.y.xs(pd.Timestamp(CUTOFFS[0]), level="cutoff")
    assert there.eq(there.index.isin(opened).astype(int)).all()
    # What is written into a case when it is closed is not read.
    closed = company.cases.assign(outcome=1.0, remedy="refund", score=5.0, closed_time=pd.Timestamp("2030-01-01"))
    again = will_complain(closed, CUTOFFS, windows=[30, 90], horizon=30, others=others)
    assert again.X.equals(asked.X)
    assert not label_knowledge(asked.X, asked.y)["suspect"].any()
    with pytest.raises(DataError, match="others hold a table 'cases'"):
        will_complain(company.cases, CUTOFFS, windows=[30], horizon=30, others={"cases": company.cases})
    with pytest.raises(DataError, match="others must be a mapping"):
        will_complain(company.cases, CUTOFFS, windows=[30], horizon=30, others=company.cases)


def test_marks_nobody_gave_are_unknown_not_average(company):
    others = {"sales": company.transactions}
    asked = next_mark(company.feedback, CUTOFFS, windows=[30, 90], horizon=30, others=others)
    assert asked.kind == "regressor"
    assert asked.label.isna().sum() > 0
    assert len(asked.X) == len(asked.y) == asked.label.notna().sum()
    assert asked.coverage["unknown"].sum() == asked.label.isna().sum()
    first = day_of(CUTOFFS[0])
    inside = company.feedback[(company.feedback["day"] >= first) & (company.feedback["day"] < first + 30)]
    expected = inside.sort_values("time", kind="stable").groupby("customer_id")["score"].first()
    there = asked.y.xs(pd.Timestamp(CUTOFFS[0]), level="cutoff")
    assert there.to_dict() == expected.reindex(there.index).to_dict()
    assert "the model learns those who answer" in repr(asked)
    assert "2023-09-01" in asked._repr_html_()
    later = asked.apply(company.feedback, CUTOFFS[2], others=others)
    assert later.X.columns.tolist() == asked.X.columns.tolist()


def test_open_deals_are_asked_about_and_their_past_is_read_right(company):
    history = company.opportunity_history
    until = int(history["day"].max()) + 1
    asked = will_be_won(history, CUTOFFS[0], stages=STAGES, horizon=60, until=until)
    cutoff = day_of(CUTOFFS[0])
    for (_, deal, _), row in asked.features.head(30).iterrows():
        own = history[(history["opportunity_id"] == deal) & (history["day"] < cutoff)]
        assert row["stage"] == STAGES.index(own["stage"].iloc[-1])
        assert row["age_days"] == cutoff - own["day"].iloc[0]
        assert row["stage_days"] == cutoff - own["day"].iloc[-1]
        assert row["moves"] == len(own) - 1
        assert row["amount"] == own["amount"].iloc[-1]
        ended = history[(history["day"] < cutoff) & history["stage"].isin(["won", "lost"])]
        assert row["agent_ended"] == (ended["agent"] == own["agent"].iloc[-1]).sum()
        after = history[(history["opportunity_id"] == deal) & (history["day"] >= cutoff)]
        won = ((after["stage"] == "won") & (after["day"] < cutoff + 60)).any()
        assert asked.y.xs(deal, level="opportunity_id").item() == won
    open_now = history[history["day"] < cutoff].groupby("opportunity_id")["stage"].last()
    assert len(asked.X) == (~open_now.isin(["won", "lost"])).sum()
    assert asked.X.index.names == ["customer_id", "opportunity_id", "cutoff"]
    by_instant = will_be_won(
        history, "2023-09-01T08:00Z", stages=STAGES, horizon=60, until="2024-06-01T00:00Z", by="region"
    )
    assert "region_win_rate" in by_instant.X.columns
    again = asked.apply(history, CUTOFFS[1], until=until)
    assert again.X.columns.tolist() == asked.X.columns.tolist()
    assert asked.apply(history, CUTOFFS[1], labels=False).label is None


def test_deals_moved_back_and_put_off_are_counted():
    history = pd.DataFrame(
        {
            "opportunity_id": ["s"] * 4 + ["t"],
            "customer_id": "a",
            "day": [0, 5, 10, 15, 3],
            "stage": ["Lead", "offer", "lead ", "offer", "lead"],
            "amount": [10.0, 12.0, np.nan, 15.0, 1.0],
            "close_time": pd.to_datetime(["1970-02-01", "1970-03-01", None, "1970-02-20", None]),
        }
    )
    row = will_be_won(history, "1970-01-21", stages=["lead", "offer"], horizon=9, until="1970-06-01").features.iloc[0]
    expected = {"stage": 1, "age_days": 20, "stage_days": 5, "moves": 3, "moves_back": 1, "amount_change": 5}
    assert row[list(expected)].to_dict() == expected
    assert row[["days_to_close", "put_off", "put_off_days"]].tolist() == [30, 1, 19]


def test_no_row_after_the_cutoff_moves_a_feature_of_a_complaint_or_a_deal(company):
    def of_customers(sales, cutoff):
        others, cases = {"sales": sales}, company.cases.iloc[:0]
        return will_complain(
            cases, cutoff.day, windows=[30], horizon=1, others=others, until="2040-01-01"
        ).features.droplevel("cutoff")

    def of_deals(history, cutoff):
        asked = will_be_won(history, cutoff.day, stages=STAGES, horizon=1, until="2040-01-01")
        return asked.features.droplevel(["customer_id", "cutoff"])

    assert audit(of_customers, company.transactions, "2023-09-01").leaking == []
    assert audit(of_deals, company.opportunity_history, "2023-09-01").leaking == []


def test_terms_that_start_after_the_cutoff_move_no_feature_of_a_contract():
    rng = np.random.default_rng(0)
    start = rng.integers(19_000, 19_800, 400)
    terms = pd.DataFrame({"customer_id": [f"c{n}" for n in rng.integers(200, size=400)], "start": start})
    terms["end"] = np.where(rng.random(400) < 0.3, np.nan, start + 364)
    cutoff = day_of("2023-09-01")
    past = will_end(terms[terms["start"] < cutoff], cutoff, horizon=30, until="2040-01-01")
    whole = will_end(terms, cutoff, horizon=30, until="2040-01-01")
    assert whole.features.equals(past.features)


def test_contracts_that_end_in_the_horizon_and_renewals_that_are_no_end():
    contracts = pd.DataFrame(
        {
            "customer_id": ["ends", "renews", "renews", "open", "gone", "later", "back", "back"],
            "start": pd.to_datetime(
                [
                    *("2020-01-01", "2020-01-01", "2021-01-01", "2020-06-01", "2019-01-01", "2021-05-01"),
                    *("2020-01-01", "2021-03-01"),
                ]
            ),
            "end": pd.to_datetime(["2020-12-31", "2020-12-31", None, None, "2020-03-01", None, "2020-12-31", None]),
            "fee": [10.0, 10.0, 12.0, 5.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    asked = will_end(contracts, "2020-12-15", horizon=30, until="2022-01-01", price="fee")
    assert asked.y.droplevel("cutoff").to_dict() == {"back": 1, "ends": 1, "open": 0, "renews": 0}
    assert asked.X.loc["ends", "contract_days"].tolist() == [349]
    assert asked.X.loc["ends", "days_to_anniversary"].item() == pytest.approx(366 - 349, abs=1)
    later = asked.apply(contracts, "2021-02-01", until="2022-01-01")
    row = later.X.loc["renews"].iloc[0]
    assert row[["contract_terms", "contract_price", "price_change"]].tolist() == [2, 12, 2]
    calls = pd.DataFrame({"customer_id": ["ends", "open"], "day": day_of("2020-12-01") + np.array([0, 40])})
    both = will_end(
        contracts, ["2020-12-15"], horizon=30, until="2022-01-01", windows=[30, 60], others={"calls": calls}
    )
    assert both.X["calls_count_30d"].droplevel("cutoff").to_dict() == {"back": 0, "ends": 1, "open": 0, "renews": 0}
    again = both.apply(contracts, "2021-01-20", others={"calls": calls}, labels=False)
    assert again.features["calls_count_30d"].droplevel("cutoff").to_dict() == {"open": 1, "renews": 0}
    assert again.features.columns.tolist() == both.features.columns.tolist()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: will_buy(c.transactions, CUTOFFS, windows=[9], horizon=9, item="a", category=("b", 1)), "not both"),
        (lambda c: will_buy(c.cases, CUTOFFS, windows=[9], horizon=9, item="a"), "item= needs the column product_id"),
        (lambda c: will_buy(c.transactions, CUTOFFS, windows=[9], horizon=9, category=("kind", 1)), "no column 'kind'"),
        (lambda c: will_buy(c.transactions, "2029-01-01", windows=[9], horizon=9), "not known yet"),
        (lambda c: next_mark(c.transactions, CUTOFFS, windows=[9], horizon=9), "no column 'score'"),
        (
            lambda c: will_be_won(c.opportunities, CUTOFFS, stages=STAGES, horizon=9, until="2024-01-01"),
            "one row each, as they stand now",
        ),
        (
            lambda c: will_be_won(c.opportunity_history, CUTOFFS, stages=["lead"], horizon=9, until="2024-01-01"),
            "not declared in",
        ),
        (
            lambda c: will_be_won(c.opportunity_history, CUTOFFS, stages=STAGES, horizon=99, until="2023-11-01"),
            "from 2023-09-01, 2023-10-01, 2023-11-01 is not known yet",
        ),
        (
            lambda c: will_be_won(c.opportunity_history, CUTOFFS, stages=STAGES, horizon=9, until=None),
            "until must say",
        ),
        (
            lambda c: will_be_won(c.opportunity_history, CUTOFFS, stages=STAGES, horizon=9, until="2024-01-01T00:00Z"),
            "until must be a date",
        ),
        (
            lambda c: will_be_won(c.opportunity_history, CUTOFFS, stages="lead", horizon=9, until="2024-01-01"),
            "stages must list",
        ),
        (
            lambda c: will_be_won(c.opportunity_history, CUTOFFS, stages=STAGES, horizon=9, until="2040-01-01").apply(
                c.opportunity_history, CUTOFFS, others={}
            ),
            "reads the history alone",
        ),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(company, ask, message):
    with pytest.raises(DataError, match=message):
        ask(company)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": None}, "until must say"),
        ({"until": "1970-02-01"}, "not known yet: with 1 days of grace"),
        ({"horizon": 0}, "horizon must be"),
        ({"grace_days": -1}, "grace_days must be"),
        ({"cutoffs": "1970-01-31T12:00Z"}, "must be dates"),
        ({"end": "start", "start": "end"}, "start is before end"),
    ],
)
def test_contracts_that_cannot_be_asked_about_are_refused(options, message):
    contracts = pd.DataFrame({"customer_id": list("ab"), "start": [0, 10], "end": [40, 99]})
    given = {"cutoffs": "1970-01-31", "horizon": 30, "until": "1971-01-01", **options}
    with pytest.raises(DataError, match=message):
        will_end(contracts, given.pop("cutoffs"), **given)


def test_without_any_event_there_is_nobody_to_ask_about():
    empty = pd.DataFrame({"customer_id": pd.Series([], dtype=str), "day": pd.Series([], dtype=int)})
    with pytest.warns(DataWarning, match="no customer is known"), pytest.raises(DataError, match="not known yet"):
        raise_if_known(empty)


def raise_if_known(empty):
    asked = will_buy(empty, "2020-01-01", windows=[9], horizon=9, until="2021-01-01", columns=EventColumns(measures=[]))
    assert len(asked.X) == 0
    will_buy(empty, "2020-01-01", windows=[9], horizon=9)


def test_cutoffs_given_one_by_one_are_all_asked_about(company):
    asked = will_buy(company.transactions, iter(CUTOFFS), windows=[30], horizon=30)
    assert asked.coverage.index.strftime("%Y-%m-%d").tolist() == CUTOFFS


def test_a_win_that_was_written_down_after_the_cutoff_is_a_win():
    history = pd.DataFrame(
        {
            "opportunity_id": ["late", "late", "open", "open", "known", "known"],
            "customer_id": "a",
            "day": [1, 20, 1, 90, 1, 20],
            "stage": ["lead", "won"] * 3,
            "recorded_time": pd.to_datetime([None, "1970-02-05", None, None, None, "1970-01-21"]),
        }
    )
    asked = will_be_won(history, "1970-01-31", stages=["lead"], horizon=30, until="1970-12-01")
    assert asked.y.droplevel(["customer_id", "cutoff"]).to_dict() == {"late": 1, "open": 0}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"amount": ["1", "secret", "3"]}, "opportunities: amount must hold numbers"),
        ({"amount": [1.0, np.inf, 3.0]}, "opportunities: amount is infinite in row 1"),
        ({"close_time": "2023-01-01"}, "opportunities: close_time must hold times"),
    ],
)
def test_deals_that_cannot_be_read_are_refused_without_their_values(changed, message):
    history = pd.DataFrame({"opportunity_id": list("aab"), "customer_id": "c", "day": [1, 2, 3], "stage": "lead"})
    with pytest.raises(DataError, match=message) as caught:
        will_be_won(history.assign(**changed), "1970-01-31", stages=["lead"], horizon=9, until="1971-01-01")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("stages", [["lead", "Lead "], ["lead", "won"]])
def test_a_stage_declared_twice_is_refused(stages):
    history = pd.DataFrame({"opportunity_id": list("aab"), "customer_id": "c", "day": [1, 2, 3], "stage": "lead"})
    with pytest.raises(DataError, match="a stage is declared twice"):
        will_be_won(history, "1970-01-31", stages=stages, horizon=9, until="1971-01-01")


def test_amounts_that_nobody_has_said_are_missing():
    history = pd.DataFrame({"opportunity_id": list("aab"), "customer_id": "c", "day": [1, 2, 3], "stage": "lead"})
    history["amount"] = None
    asked = will_be_won(history, "1970-01-31", stages=["lead"], horizon=9, until="1971-01-01")
    assert asked.features["amount"].isna().all()


def test_warnings_point_at_the_line_of_the_caller(company):
    with pytest.warns(DataWarning, match="no customer is known") as caught:
        will_buy(company.transactions, "2001-01-01", windows=[30], horizon=30)
    assert {one.filename for one in caught} == {__file__}
