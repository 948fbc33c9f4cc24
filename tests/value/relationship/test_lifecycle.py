from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

import crmkit
from crmkit import DataError, DataWarning, value
from crmkit.datasets import make_company
from crmkit.preparation import purchase_summary

STAGES = ["new", "active", "returned", "at-risk", "lapsed", "lost"]


@pytest.fixture(scope="module")
def weekly_and_yearly():
    """Give 60 customers who buy every week and 60 who buy every year, about, with a third who leave."""
    random = np.random.default_rng(3)
    rows = []
    for number in range(120):
        typical = 7 if number < 60 else 365
        gaps = random.gamma(8, typical / 8, 4000 // typical)
        days = 14_000 + random.integers(0, 365) + np.r_[0, np.cumsum(np.maximum(gaps, 1))].astype(int)
        # A third leave, half of them after two or three purchases and half of them late.
        stop = {0: days[2], 3: 16_500}.get(number % 6, 18_000)
        rows += [(f"c{number:03d}", day) for day in days if day < stop]
    return pd.DataFrame(rows, columns=["customer_id", "day"]).assign(amount=10.0)


@pytest.fixture(scope="module")
def company():
    return make_company(4_000, seed=5)


def _day(text):
    return int(np.datetime64(text, "D").astype(np.int64))


class TestTheSameSilence:
    def test_is_usual_for_who_buys_every_year_and_the_end_for_who_buys_every_week(self, weekly_and_yearly):
        sales = weekly_and_yearly
        last = sales.groupby("customer_id")["day"].transform("max")
        # Two customers whose last purchase is moved to 60 days before the cutoff.
        one, other = (sales.loc[(last > 17_500) & sales["customer_id"].between(*ends), "customer_id"].iloc[0]
                      for ends in (("c000", "c059"), ("c060", "c119")))  # fmt: skip
        moved = sales[~(sales["customer_id"].isin([one, other]) & (sales["day"] > 17_940))]
        ends = pd.DataFrame({"customer_id": [one, other], "day": 17_940, "amount": 10.0})
        got = value.lifecycle(pd.concat([moved, ends]), cutoff=18_000).loc[[one, other]]
        assert got["recency_days"].tolist() == [60, 60]
        assert got["stage"].tolist() == ["lost", "active"]
        assert got["p_gap"].iloc[0] < 1e-4
        assert got["p_gap"].iloc[1] > 0.5

    def test_typical_gaps_are_the_customers_own(self, weekly_and_yearly):
        got = value.lifecycle(weekly_and_yearly, cutoff=18_000)
        known, weekly = got["purchases"] > 5, got.index < "c060"
        assert got.loc[known & weekly, "typical_gap_days"].between(5.5, 8.5).all()
        assert got.loc[known & ~weekly, "typical_gap_days"].between(200, 500).all()


class TestStages:
    def test_new_customers_are_those_who_may_still_come_back(self, company):
        young = company.transactions[company.transactions["day"] < company.transactions["day"].min() + 200]
        got = value.lifecycle(young)
        new = got["stage"] == "new"
        assert new.sum() > 100
        assert (got.loc[new, "purchases"] == 1).all()
        late = got[(got["purchases"] == 1) & ~new]
        assert late["recency_days"].min() > got.loc[new, "recency_days"].max()
        assert set(late["stage"]) <= {"at-risk", "lapsed", "lost"}

    def test_a_customer_who_comes_back_from_a_long_silence_has_returned_until_the_next_purchase(
        self, weekly_and_yearly
    ):
        sales = weekly_and_yearly
        gone = sales.groupby("customer_id")["day"].max().loc["c000":"c059"].idxmin()
        assert value.lifecycle(sales, cutoff=18_000).loc[gone, "stage"] == "lost"
        back = pd.DataFrame({"customer_id": gone, "day": [17_996], "amount": 1.0})
        returned = value.lifecycle(pd.concat([sales, back]), cutoff=18_000).loc[gone]
        assert returned["stage"] == "returned"
        assert returned["last_gap_days"] == returned["longest_gap_days"] > 1000
        more = pd.concat([sales, back, back.assign(day=17_999)])
        assert value.lifecycle(more, cutoff=18_000).loc[gone, "stage"] == "active"

    def test_rows_from_the_cutoff_on_change_nothing(self, cdnow):
        cutoff = _day("1997-10-01")
        before = cdnow[cdnow["day"] < cutoff]
        pd.testing.assert_frame_equal(value.lifecycle(before, cutoff=cutoff), value.lifecycle(cdnow, cutoff=cutoff))

    def test_the_order_of_the_rows_changes_nothing(self, cdnow):
        mixed = cdnow.sample(frac=1, random_state=1)
        pd.testing.assert_frame_equal(value.lifecycle(mixed), value.lifecycle(cdnow))

    def test_columns_are_counted_by_hand(self):
        sales = pd.DataFrame(
            {"customer_id": [*"aaaa", "b", "c", "c"], "day": [0, 10, 10, 40, 50, 20, 45], "amount": 1.0}
        )
        with pytest.warns(DataWarning, match=r"P\(alive\) is missing"):
            got = value.lifecycle(sales, cutoff=60)
        assert got.index.tolist() == ["a", "b", "c"]
        assert got["purchases"].tolist() == [3, 1, 2]
        assert got["recency_days"].tolist() == [20, 10, 15]
        assert got.loc[["a", "c"], "longest_gap_days"].tolist() == [30, 25]
        assert got.loc[["a", "c"], "last_gap_days"].tolist() == [30, 25]
        assert got.loc["b", ["longest_gap_days", "last_gap_days"]].isna().all()
        assert got["p_alive"].isna().all()
        assert got["p_active"].between(0, 1).all()
        assert got["stage"].cat.categories.tolist() == STAGES
        assert got["stage"].cat.ordered

    def test_thresholds_are_the_callers(self, cdnow):
        loose = value.lifecycle(cdnow, active_below={"at-risk": 0.0, "lapsed": 0.0, "lost": 0.0},
                                gap_below={"at-risk": 0.0, "lapsed": 0.0, "lost": 0.0})  # fmt: skip
        assert set(loose["stage"]) == {"new", "active"}


class TestModels:
    def test_a_name_an_unfitted_and_a_fitted_model_give_the_same(self, cdnow):
        by_name = value.lifecycle(cdnow, cutoff="1997-10-01", model="bg-nbd")
        unfitted = value.BGNBD()
        pd.testing.assert_frame_equal(value.lifecycle(cdnow, cutoff="1997-10-01", model=unfitted), by_name)
        assert not hasattr(unfitted, "params_")
        fitted = value.BGNBD().fit(purchase_summary(cdnow, cutoff="1997-10-01"))
        pd.testing.assert_frame_equal(value.lifecycle(cdnow, cutoff="1997-10-01", model=fitted), by_name)

    def test_p_alive_is_the_models_own(self, cdnow):
        summary = purchase_summary(cdnow, cutoff="1997-10-01")
        expected = value.BGNBD().fit(summary).predict(summary)["p_alive"]
        got = value.lifecycle(cdnow, cutoff="1997-10-01")
        np.testing.assert_allclose(got["p_alive"], expected, rtol=1e-9)
        again = got["purchases"] > 1
        pd.testing.assert_series_equal(got.loc[again, "p_active"], got.loc[again, "p_alive"], check_names=False)

    @pytest.mark.parametrize("unit", ["day", "month"])
    def test_the_unit_changes_no_stage(self, cdnow, unit):
        weeks = value.lifecycle(cdnow, cutoff="1997-10-01")
        other = value.lifecycle(cdnow, cutoff="1997-10-01", unit=unit)
        assert (other["stage"] == weeks["stage"]).all()
        np.testing.assert_allclose(other["p_alive"], weeks["p_alive"], atol=1e-5)

    def test_a_fitted_model_keeps_its_own_unit(self, cdnow):
        fitted = value.BGNBD().fit(purchase_summary(cdnow, cutoff="1997-10-01", unit="day"))
        got = value.lifecycle(cdnow, cutoff="1997-10-01", model=fitted)
        assert (got["stage"] == value.lifecycle(cdnow, cutoff="1997-10-01")["stage"]).all()

    def test_where_nobody_leaves_the_rhythm_decides(self, cdnow):
        got = value.lifecycle(cdnow, cutoff="1997-10-01", model="nbd")
        again = got[got["purchases"] > 1]
        assert (again["p_active"] == 1).all()
        assert (again.loc[again["stage"] == "at-risk", "p_gap"] < 0.2).all()
        assert (again["stage"] == "at-risk").sum() > 100

    def test_anyones_model_will_do(self, cdnow):
        class Coin(BaseEstimator):
            """Gives everyone the same chance."""

            def __init__(self, chance=0.05):
                self.chance = chance

            def fit(self, summary, y=None):  # noqa: ARG002 -- scikit-learn's signature
                self.n_ = len(summary)
                return self

            def predict(self, summary, horizon=1.0):
                return pd.DataFrame({"p_alive": self.chance, "expected_purchases": horizon}, index=summary.index)

        got = value.lifecycle(cdnow, cutoff="1997-10-01", model=Coin())
        late = (got["purchases"] > 1) & (got["p_gap"] < 0.5)
        assert (got.loc[late, "stage"] == "lost").all()

    @pytest.mark.parametrize("name", ["mbg-nbd", "pareto-nbd", "bg-cnbd-k"])
    def test_every_model_of_the_room_that_reads_a_purchase_summary_will_do(self, cdnow, name):
        got = value.lifecycle(cdnow, cutoff="1997-10-01", model=name)
        usual = value.lifecycle(cdnow, cutoff="1997-10-01")
        assert (got["stage"] == usual["stage"]).mean() > 0.8
        assert got["p_active"].between(0, 1).all()

    @pytest.mark.parametrize("name", ["bg-bb", "sbg"])
    def test_models_that_read_another_table_are_refused(self, cdnow, name):
        with pytest.raises(DataError, match="lifecycle needs a model that reads a purchase summary"):
            value.lifecycle(cdnow, cutoff="1997-10-01", model=name)

    def test_covariates_are_put_beside_the_summary(self, cdnow):
        first = cdnow.groupby("customer_id")["amount"].first()
        people = pd.DataFrame({"large": (first > first.median()).astype(float)})
        model = value.BGNBD(purchase_covariates=["large"])
        got = value.lifecycle(cdnow, cutoff="1997-10-01", model=model, covariates=people)
        plain = value.lifecycle(cdnow, cutoff="1997-10-01")
        assert not np.allclose(got["p_alive"], plain["p_alive"], atol=1e-4)
        assert (got["stage"] == plain["stage"]).mean() > 0.9
        with pytest.raises(DataError, match="covariates has no row for 1 of 2,357 customers"):
            value.lifecycle(cdnow, cutoff="1997-10-01", model=model, covariates=people[1:])

    def test_what_is_no_model_is_refused(self, cdnow):
        with pytest.raises(TypeError, match="a lifetime model needs fit"):
            value.lifecycle(cdnow, model=3)
        with pytest.raises(crmkit.UnknownPluginError):
            value.lifecycle(cdnow, model="bgnbd")
        with pytest.raises(DataError, match="unit must be one of"):
            value.lifecycle(cdnow, unit="fortnight")


class TestEdges:
    def test_an_empty_table_gives_an_empty_table(self):
        empty = pd.DataFrame({"customer_id": pd.Series(dtype=str), "day": pd.Series(dtype="int64"), "amount": []})
        got = value.lifecycle(empty)
        assert len(got) == 0
        assert got["stage"].cat.categories.tolist() == STAGES
        assert {"p_gap", "p_alive", "p_active", "recency_days"} <= set(got.columns)

    def test_where_nobody_bought_twice_no_stage_is_made_up(self):
        sales = pd.DataFrame({"customer_id": ["a", "b"], "day": [0, 90], "amount": 1.0})
        with pytest.warns(DataWarning, match="none of the 2 customers bought on two days") as told:
            got = value.lifecycle(sales, cutoff=100)
        assert told[0].filename == __file__
        assert got["stage"].isna().all()
        assert got["recency_days"].tolist() == [100, 10]

    def test_one_customer_is_judged_by_the_own_gaps(self):
        sales = pd.DataFrame({"customer_id": "a", "day": np.arange(0, 300, 10), "amount": 1.0})
        with pytest.warns(DataWarning, match="rhythm alone") as told:
            assert value.lifecycle(sales, cutoff=300)["stage"].tolist() == ["active"]
        assert told[0].filename == __file__
        with pytest.warns(DataWarning, match="rhythm alone"):
            assert value.lifecycle(sales, cutoff=900)["stage"].tolist() == ["lost"]

    def test_purchases_of_one_day_are_one_and_refunds_are_none(self):
        days, more = [0, 10, 20], [(5, -3.0), (10, 4.0), (24, -1.0)]
        plain = pd.DataFrame({"customer_id": "a", "day": days, "amount": 9.0})
        other = pd.DataFrame({"customer_id": "a", "day": [day for day, _ in more], "amount": [a for _, a in more]})
        with pytest.warns(DataWarning, match="rhythm alone"):
            expected = value.lifecycle(plain, cutoff=40)
        with pytest.warns(DataWarning, match="rhythm alone"):
            got = value.lifecycle(pd.concat([plain, other]), cutoff=40)
        pd.testing.assert_frame_equal(got, expected)

    def test_customers_with_refunds_only_are_left_out_and_counted(self, cdnow):
        refund = pd.DataFrame({"customer_id": ["r"], "day": [10_000], "amount": [-5.0]})
        with pytest.warns(DataWarning, match="1 of 2,358 customers have no purchase"):
            got = value.lifecycle(pd.concat([cdnow, refund]), refunds="ignore")
        assert "r" not in got.index

    def test_a_wholly_cancelled_purchase_is_no_purchase_where_refunds_are_matched(self):
        sales = pd.DataFrame(
            {
                "customer_id": "a",
                "day": [0, 10, 20, 25],
                "product_id": ["p", "p", "q", "q"],
                "quantity": [1.0, 1.0, 2.0, -2.0],
                "unit_price": 4.0,
            }
        )
        with pytest.warns(DataWarning, match="rhythm alone"):
            assert value.lifecycle(sales, cutoff=40, refunds="match")["purchases"].tolist() == [2]
        with pytest.warns(DataWarning, match="rhythm alone"):
            assert value.lifecycle(sales, cutoff=40, refunds="net")["purchases"].tolist() == [3]

    def test_a_purchase_early_in_the_morning_of_shanghai_belongs_to_that_day(self):
        local = pd.to_datetime(["2024-01-01 07:30", "2024-01-01 20:00", "2024-01-09 07:30"]).tz_localize(
            "Asia/Shanghai"
        )
        sales = pd.DataFrame({"customer_id": "a", "time": local, "amount": 5.0})
        with pytest.warns(DataWarning, match="rhythm alone"):
            got = value.lifecycle(sales, cutoff="2024-01-12")
        assert got[["purchases", "recency_days", "last_gap_days"]].iloc[0].tolist() == [2, 3, 8]

    def test_nullable_types_and_number_ids_are_read(self, cdnow):
        other = cdnow.assign(customer_id=cdnow["customer_id"].astype("Int64"), day=cdnow["day"].astype("Int64"))
        same = cdnow.assign(customer_id=cdnow["customer_id"].astype(int).astype(str))
        pd.testing.assert_frame_equal(value.lifecycle(other), value.lifecycle(same), check_index_type=False)

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.integers(0, 400), st.sampled_from([10.0, 0.0, -3.0])),
            min_size=1,
            max_size=40,
        ),
        st.integers(1, 800),
    )
    def test_any_table_gives_probabilities_and_one_stage_each(self, rows, cutoff):
        sales = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            got = value.lifecycle(sales, cutoff=cutoff, model="nbd")
        bought = sales[(sales["amount"] >= 0) & (sales["day"] < cutoff)].drop_duplicates(["customer_id", "day"])
        assert got.index.tolist() == sorted(set(bought["customer_id"]))
        assert got["purchases"].to_dict() == bought["customer_id"].value_counts().to_dict()
        if bought["customer_id"].duplicated().any():
            assert got["stage"].notna().all()
            assert got["p_gap"].between(0, 1).all()
            assert got["p_active"].between(0, 1).all()
            assert (got["typical_gap_days"] > 0).all()
            assert np.isfinite(got["typical_gap_days"]).all()
            assert set(got.loc[got["purchases"] == 1, "stage"]) <= {"new", "at-risk", "lapsed", "lost"}
            assert "new" not in set(got.loc[got["purchases"] > 1, "stage"])
        else:
            assert got["stage"].isna().all()

    def test_a_million_rows_take_seconds(self):
        random = np.random.default_rng(0)
        who = (60_000 * random.random(1_000_000) ** 1.5).astype(int)
        sales = pd.DataFrame({"customer_id": who, "day": random.integers(0, 730, 1_000_000), "amount": 1.0})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            begin = time.process_time()
            got = value.lifecycle(sales, model="nbd")
        assert len(got) > 50_000
        assert time.process_time() - begin < 10
