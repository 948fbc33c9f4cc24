from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit import DataError, DataWarning, value
from crmkit.value.relationship._frozen_rank import FrozenRank

PARTS = ["value", "loyalty", "engagement"]


def _month(n=500, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "value": random.gamma(0.5, 100, n),
            "loyalty": random.beta(2, 3, n),
            "engagement": np.where(random.random(n) < 0.6, 0.0, random.gamma(1, 2, n)),
        },
        index=pd.Index([f"c{number:04d}" for number in range(n)], name="customer_id"),
    )


class TestFrozenRank:
    @settings(max_examples=60, deadline=None)
    @given(arrays.arrays(np.float64, st.integers(1, 60), elements=st.sampled_from([-3.0, 0.0, 0.5, 2.0, 7.25])))
    def test_it_is_the_mid_rank_of_the_fitted_values(self, column):
        below, upto = FrozenRank.of(column).shares(column)
        np.testing.assert_allclose((below + upto) / 2, (rankdata(column) - 0.5) / len(column))

    def test_it_keeps_a_thousand_steps_and_stays_near_the_rank(self):
        column = np.random.default_rng(0).gamma(0.3, 10, 200_000)
        rank = FrozenRank.of(column)
        assert len(rank.values) < 2_100
        below, upto = rank.shares(column)
        np.testing.assert_allclose((below + upto) / 2, (rankdata(column) - 0.5) / len(column), atol=1.1e-3)

    def test_a_tie_of_many_is_exact_amid_a_hundred_thousand_others(self):
        random = np.random.default_rng(0)
        column = np.r_[np.full(60_000, 1.0), random.random(40_000), 1 + random.random(40_000)]
        below, upto = FrozenRank.of(column).shares(np.array([1.0, np.nextafter(1.0, 0), np.nextafter(1.0, 2)]))
        assert below[0] == pytest.approx(40 / 140, abs=1e-9)
        assert upto[0] == pytest.approx(100 / 140, abs=1e-9)
        assert below[1] == pytest.approx(40 / 140, abs=2e-3)
        assert below[2] == pytest.approx(100 / 140, abs=2e-3)

    def test_values_beyond_all_fitted_ones_are_at_the_ends_and_missing_stays_missing(self):
        below, upto = FrozenRank.of(np.array([1.0, 2.0, 4.0])).shares(np.array([0.0, 3.0, 9.0, np.nan]))
        np.testing.assert_allclose(below, [0, 2 / 3, 1, np.nan])
        np.testing.assert_allclose(upto, [0, 2 / 3, 1, np.nan])


class TestScorer:
    def test_the_score_is_the_weighted_mean_rank_and_its_points_sum_to_it(self):
        month = _month()
        got = value.CustomerScorer().fit(month).predict(month)
        ranks = month.rank(method="average").sub(0.5) / len(month)
        expected = 100 * (0.5 * ranks["value"] + 0.3 * ranks["loyalty"] + 0.2 * ranks["engagement"])
        np.testing.assert_allclose(got["score"], expected, atol=1e-9)
        np.testing.assert_allclose(got[[f"{part}_points" for part in PARTS]].sum(axis=1), got["score"])
        np.testing.assert_allclose(got[[f"{part}_rank" for part in PARTS]], ranks)
        assert (got["known_weight"] == 1).all()

    def test_next_month_moves_nobody(self):
        scorer = value.CustomerScorer().fit(_month(seed=0))
        later = _month(seed=1)
        together = scorer.predict(later)
        alone = scorer.predict(later.iloc[[17]])
        pd.testing.assert_frame_equal(alone, together.iloc[[17]])
        same = value.CustomerScorer().fit(pd.concat([later, later * 1.5], keys=[0, 1]).droplevel(0).set_axis(range(1000)).rename_axis("customer_id"))  # fmt: skip # noqa: E501 -- one table
        assert not np.allclose(same.predict(later)["score"], together["score"])

    def test_a_missing_part_of_a_customer_shares_its_weight_out(self):
        month = _month()
        scorer = value.CustomerScorer().fit(month)
        some = month.iloc[:3].copy()
        some.iloc[0, 2] = some.iloc[1, 0] = np.nan
        some.iloc[2] = np.nan
        got = scorer.predict(some)
        assert got["known_weight"].tolist() == pytest.approx([0.8, 0.5, 0.0])
        first = got.iloc[0]
        assert first["score"] == pytest.approx(100 * (0.5 * first["value_rank"] + 0.3 * first["loyalty_rank"]) / 0.8)
        assert np.isnan(first["engagement_points"])
        assert np.isnan(got["score"].iloc[2])
        assert got["reason_for"].iloc[2] == got["reason_against"].iloc[2] == "nothing is known"

    def test_missing_values_do_not_count_in_the_scale(self):
        month = _month()
        holes = pd.concat([month, pd.DataFrame({"value": np.nan}, index=["x", "y"]).rename_axis("customer_id")])
        np.testing.assert_allclose(
            value.CustomerScorer().fit(holes).predict(month)["score"],
            value.CustomerScorer().fit(month).predict(month)["score"],
        )

    def test_a_part_that_is_not_there_is_told_and_the_others_take_its_weight(self):
        month = _month()[["value", "loyalty"]]
        with pytest.warns(DataWarning, match=r"nothing of engagement: the weights are value 0\.625, loyalty 0\.375"):
            scorer = value.CustomerScorer().fit(month)
        assert scorer.weights_ == pytest.approx({"value": 0.625, "loyalty": 0.375})
        with pytest.warns(DataWarning, match="nothing of engagement") as told:
            other = value.CustomerScorer().fit(month.assign(engagement=np.nan))
        assert told[0].filename == __file__
        pd.testing.assert_frame_equal(scorer.predict(month), other.predict(month))

    def test_a_forgotten_column_is_not_taken_for_an_unknown_one(self):
        scorer = value.CustomerScorer().fit(_month())
        with pytest.raises(DataError, match="parts has no column 'engagement'"):
            scorer.predict(_month()[["value", "loyalty"]])

    def test_any_column_where_higher_is_better_may_count(self):
        month = _month().assign(satisfaction=lambda table: table["loyalty"] * 5)
        got = value.CustomerScorer(weights={"satisfaction": 3, "value": 1}).fit(month).predict(month)
        assert got["satisfaction_points"].max() > 74
        assert got["reason_for"].str.startswith("satisfaction higher than").any()

    def test_where_all_are_equal_nothing_speaks_for_or_against_anyone(self):
        equal = pd.DataFrame({part: [3.0] * 4 for part in PARTS}, index=pd.Index([*"abcd"], name="customer_id"))
        got = value.CustomerScorer().fit(equal).predict(equal)
        assert got["score"].tolist() == [50] * 4
        assert set(got["reason_for"]) == {"nothing speaks for it"}
        assert set(got["reason_against"]) == {"nothing speaks against it"}

    def test_one_customer_and_none_are_scored(self):
        one = _month(1)
        assert value.CustomerScorer().fit(one).predict(one)["score"].tolist() == [50]
        assert len(value.CustomerScorer().fit(one).predict(one[:0])) == 0

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            (lambda table: table.assign(value=np.inf), "value is infinite in rows 0, 1"),
            (lambda table: table.assign(value="much"), "value must hold numbers"),
            (lambda table: table[:0], "nothing to score"),
            (lambda table: table.rename_axis(None), "needs customer_id"),
            (lambda table: pd.concat([table, table]), "one row a customer"),
        ],
    )
    def test_tables_that_cannot_be_scored_are_refused(self, change, match):
        with pytest.raises(DataError, match=match):
            value.CustomerScorer().fit(change(_month(5)))

    def test_it_is_an_estimator(self):
        scorer = value.CustomerScorer(weights={"value": 1})
        assert clone(scorer).get_params() == {"weights": {"value": 1}}
        with pytest.raises(NotFittedError):
            scorer.predict(_month())
        with pytest.raises(ValueError, match="'weights' parameter"):
            value.CustomerScorer(weights=3).fit(_month())

    def test_it_is_saved_and_scores_the_same(self, tmp_path):
        month = _month()
        scorer = value.CustomerScorer().fit(month)
        crmkit.save(scorer, tmp_path / "scorer.crmkit")
        again = crmkit.load(tmp_path / "scorer.crmkit")
        pd.testing.assert_frame_equal(again.predict(_month(seed=3)), scorer.predict(_month(seed=3)))

    def test_two_hundred_thousand_customers_take_a_second(self):
        month = _month(200_000)
        begin = time.process_time()
        got = value.CustomerScorer().fit(month).predict(month)
        assert got["score"].mean() == pytest.approx(50, abs=0.1)
        assert time.process_time() - begin < 3


class TestReasons:
    def test_they_name_the_part_that_pulls_most_and_what_it_is_higher_or_lower_than(self):
        ids = pd.Index([*"abcd"], name="customer_id")
        table = pd.DataFrame(
            {"value": [1.0, 2.0, 3.0, 4.0], "loyalty": [4.0, 1.0, 2.0, 3.0], "engagement": [0.0, 0.0, 0.0, 9.0]}, ids
        )
        scorer = value.CustomerScorer(weights=dict.fromkeys(PARTS, 1)).fit(table)
        got = scorer.predict(table)
        assert got["reason_for"].tolist() == [
            "loyalty higher than that of 75 % of customers",
            "nothing speaks for it",
            "value higher than that of 50 % of customers",
            "value higher than that of 75 % of customers",
        ]
        assert got["reason_against"].tolist() == [
            "value lower than that of 75 % of customers",
            "loyalty lower than that of 75 % of customers",
            # Three of four are never in touch: only one is more.
            "loyalty lower than that of 50 % of customers",
            "nothing speaks against it",
        ]

    def test_they_are_written_in_chinese(self):
        got = value.CustomerScorer().fit(_month()).predict(_month(), language="zh")
        assert got["reason_for"].str.fullmatch(r"(价值|忠诚度|互动)高于 \d+% 的客户|没有突出的优势").all()
        assert got["reason_against"].str.fullmatch(r"(价值|忠诚度|互动)低于 \d+% 的客户|没有明显的不足").all()

    def test_another_language_is_refused(self):
        with pytest.raises(DataError, match="language must be one of 'en', 'zh', got 'fr'"):
            value.CustomerScorer().fit(_month()).predict(_month(), language="fr")

    def test_weights_decide_which_part_speaks(self):
        month = _month()
        heavy = value.CustomerScorer(weights={"value": 1, "loyalty": 100}).fit(month).predict(month)
        good, bad = heavy["loyalty_rank"] > 0.51, heavy["loyalty_rank"] < 0.49
        assert heavy.loc[good, "reason_for"].str.startswith("loyalty").all()
        assert heavy.loc[bad, "reason_against"].str.startswith("loyalty").all()

    def test_less_than_one_in_a_hundred_is_said_as_such(self):
        column = np.r_[np.zeros(999), 1.0]
        month = pd.DataFrame({"value": column}, index=pd.RangeIndex(1000, name="customer_id"))
        got = value.CustomerScorer(weights={"value": 1}).fit(month).predict(month)
        assert got["reason_against"].iloc[0] == "value lower than that of <1 % of customers"
        assert got["reason_for"].iloc[-1] == "value higher than that of 99 % of customers"


class TestParts:
    @pytest.fixture
    def given(self):
        ids = pd.Index([*"abc"], name="customer_id")
        worth = pd.DataFrame({"p_alive": 1.0, "lifetime_value": [5.0, 1.0, 3.0], "low": 0.0}, ids)
        loyal = pd.DataFrame({"loyalty": [0.2, 0.4]}, ids[:2])
        touch = pd.DataFrame({"engagement": [7.0, 9.0], "contacts": [7, 9]}, pd.Index(["b", "x"], name="customer_id"))
        return {"value": worth, "loyalty": loyal, "engagement": touch}

    def test_tables_of_the_room_are_put_together(self, given):
        got = value.score_parts(**given)
        assert got.index.tolist() == [*"abc"]
        assert got["value"].tolist() == [5, 1, 3]
        assert got["loyalty"].tolist()[:2] == [0.2, 0.4]
        assert np.isnan(got["loyalty"].iloc[2])
        assert got["engagement"].tolist() == [0, 7, 0]

    def test_engagement_alone_has_its_own_customers(self, given):
        assert value.score_parts(engagement=given["engagement"]).index.tolist() == ["b", "x"]

    def test_ids_of_two_kinds_are_told(self, given):
        touch = pd.Series([1.0], pd.Index(["17"], name="customer_id"))
        with pytest.warns(DataWarning, match="engagement knows none of the customers"):
            value.score_parts(value=given["value"], engagement=touch)

    def test_ids_of_numbers_are_the_customers_of_their_texts(self):
        worth = pd.Series([1.0, 2.0, 3.0], pd.Index([9, 10, 11], name="customer_id"))
        loyal = pd.Series([0.1, 0.2], pd.Index(["10", "9"], name="customer_id"))
        touch = pd.Series([5.0], pd.Index([11.0], name="customer_id"))
        got = value.score_parts(value=worth, loyalty=loyal, engagement=touch)
        assert got.index.tolist() == ["10", "11", "9"]
        assert got["value"].tolist() == [2, 3, 1]
        assert got["loyalty"].fillna(-1).tolist() == [0.1, -1, 0.2]
        assert got["engagement"].tolist() == [0, 5, 0]

    def test_one_id_written_in_two_ways_is_refused(self):
        twice = pd.Series([1.0, 2.0, 3.0], pd.Index([7, "8", "7"], dtype=object, name="customer_id"))
        with pytest.raises(
            DataError, match="value must have one row a customer; as text, ids are the same in rows 0, 2"
        ):
            value.score_parts(value=twice)

    def test_value_and_loyalty_of_different_customers_are_told(self, given):
        loyal = pd.Series([0.1], pd.Index(["17"], name="customer_id"))
        with pytest.warns(DataWarning, match="value and loyalty share no customer"):
            value.score_parts(value=given["value"], loyalty=loyal)

    def test_nothing_given_and_other_tables_are_refused(self, given):
        with pytest.raises(DataError, match="at least one of value, loyalty and engagement"):
            value.score_parts()
        with pytest.raises(DataError, match="value has no column 'lifetime_value'"):
            value.score_parts(value=given["loyalty"])

    def test_scores_in_one_go_are_those_of_the_scorer(self, given):
        parts = value.score_parts(**given)
        scorer = value.CustomerScorer().fit(parts)
        pd.testing.assert_frame_equal(value.customer_scores(**given), scorer.predict(parts))
        pd.testing.assert_frame_equal(value.customer_scores(**given, scorer=scorer), scorer.predict(parts))
        with pytest.raises(DataError, match="weights= or scorer=, not both"):
            value.customer_scores(**given, scorer=scorer, weights={"value": 1})

    def test_a_part_that_is_not_given_is_told_at_the_callers_line(self, given):
        with pytest.warns(DataWarning, match="nothing of engagement") as told:
            value.customer_scores(value=given["value"], loyalty=given["loyalty"])
        assert told[0].filename == __file__
