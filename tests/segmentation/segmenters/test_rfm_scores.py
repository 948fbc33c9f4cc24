"""Scores of recency, frequency and monetary value: direction, ties, frozen cuts, three ways to cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit.core.errors import DataError
from crmkit.segmentation import RfmScores, jenks_breaks, rfm_scores

DAYS = [30, 90, 180, 365]
FIXED = {"recency_days": DAYS, "frequency": [1, 2, 4, 8], "monetary": [10, 20, 50, 100]}
WAYS = {
    "quantiles": {},
    "jenks": {"scoring": "jenks"},
    "fixed": {"scoring": "fixed", "cuts": [[-3, -1, 1, 3]] * 3},
}


@parametrize_with_checks([RfmScores(), RfmScores("jenks", n_scores=3)])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def rfm():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "recency_days": random.integers(1, 400, 500),
            "frequency": random.geometric(0.5, 500),
            "monetary": random.lognormal(4, 1, 500).round(2),
        },
        index=pd.Index([f"c{number}" for number in range(500)], name="customer_id"),
    )


def assert_recent_is_good(scorer, rfm):
    """The best score of recency is that of the fewest days, and it never rises with the days."""
    days = rfm["recency_days"].to_numpy()
    place = list(rfm.columns).index("recency_days")
    scores = scorer.fit(rfm).transform(rfm)[:, place]
    assert scores[days.argmin()] == scores.max() > scores.min() == scores[days.argmax()]
    assert (np.diff(scores[np.argsort(days, kind="stable")]) <= 0).all()


@pytest.mark.parametrize("params", [{}, {"scoring": "jenks"}, {"scoring": "fixed", "cuts": FIXED}])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_recent_customers_score_high_wherever_recency_stands(rfm, params, order):
    assert_recent_is_good(RfmScores(**params), rfm.iloc[:, order])


@pytest.mark.parametrize("params", [{}, {"scoring": "jenks"}, {"scoring": "fixed", "cuts": FIXED}])
def test_a_recency_that_is_turned_round_is_seen(rfm, params):
    with pytest.raises(AssertionError):
        assert_recent_is_good(RfmScores(**params, small_is_good=[]), rfm)


def test_turning_recency_round_is_told(rfm):
    scorer = RfmScores(small_is_good=["monetary"]).fit(rfm)
    assert scorer.notes_ == ["in 'recency_days' large is scored as good, as small_is_good= asks"]
    assert scorer.small_is_good_ == [False, False, True]


@pytest.mark.parametrize(
    "name",
    ["recency", "Recency (days)", "days_since_last_order", "最近一次购买距今天数", "近度", "days", "last_days"],
)
def test_recency_is_known_by_its_name(rfm, name):
    scorer = RfmScores().fit(rfm[["frequency", "monetary", "recency_days"]].rename(columns={"recency_days": name}))
    assert scorer.small_is_good_ == [False, False, True]
    assert scorer.notes_ == []


def test_an_age_in_days_is_no_recency(rfm):
    table = rfm.rename(columns={"frequency": "tenure_days"})
    assert RfmScores().fit(table[["tenure_days", "recency_days"]]).small_is_good_ == [False, True]
    scorer = RfmScores().fit(table[["monetary", "tenure_days"]])
    assert scorer.small_is_good_ == [True, False]
    assert scorer.notes_ == ["no column is named like recency: the first, 'monetary', is scored as such, small is good"]


def test_a_summary_for_lifetime_models_is_refused(rfm):
    summary = rfm.rename(columns={"recency_days": "recency"}).assign(T=500)
    with pytest.raises(DataError, match=r"age at the last purchase, where large is good.*preparation.rfm_table"):
        RfmScores().fit(summary)
    with pytest.raises(DataError, match="'last_purchase_weeks' beside an age"):
        RfmScores().fit(pd.DataFrame({"repeats": [1, 2], "last_purchase_weeks": [3, 4], "age_weeks": [5, 6]}))
    assert RfmScores(small_is_good="T").fit(summary).small_is_good_ == [False, False, False, True]


def test_an_array_takes_its_columns_by_place():
    scorer = RfmScores().fit(np.arange(8.0).reshape(2, 4))
    assert scorer.columns_ == ["recency_days", "frequency", "monetary", "column_3"]
    assert scorer.small_is_good_ == [True, False, False, False]
    assert scorer.get_feature_names_out().tolist() == [
        "recency_score", "frequency_score", "monetary_score", "column_3_score",
    ]  # fmt: skip


def test_names_that_would_be_shared_keep_their_unit():
    scorer = RfmScores().fit(pd.DataFrame({"recency_days": [1, 2], "recency_weeks": [0.1, 0.3]}))
    assert scorer.get_feature_names_out().tolist() == ["recency_days_score", "recency_weeks_score"]


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3)), elements=st.integers(-5, 5).map(float)))
def test_equal_values_score_the_same_and_better_ones_no_less(way, values):
    scorer = RfmScores(**WAYS[way]).fit(values)
    scores = scorer.transform(values)
    assert ((scores >= 1) & (scores <= 5)).all()
    for column, direction in ((0, -1), (1, 1), (2, 1)):
        order = np.argsort(direction * values[:, column], kind="stable")
        assert (np.diff(scores[order, column]) >= 0).all()
        for value in np.unique(values[:, column]):
            assert len(np.unique(scores[values[:, column] == value, column])) == 1
    # Everybody alone, and everybody in another order, scores as in the whole.
    np.testing.assert_array_equal(np.vstack([scorer.transform(row[None]) for row in values]), scores)
    np.testing.assert_array_equal(RfmScores(**WAYS[way]).fit_transform(values[::-1])[::-1], scores)


@pytest.mark.parametrize("way", ["quantiles", "jenks"])
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    st.integers(2, 10),
)
def test_cuts_part_exactly_what_scores_part(way, values, n_scores):
    # Neighboring floats, the largest and the smallest included.
    table = np.column_stack([values, values])
    scorer = RfmScores(way, n_scores=n_scores).fit(table)
    scores = scorer.transform(table)
    assert len(scorer.cuts_[0]) == n_scores - 1
    for column in range(2):
        assert (np.diff(scorer.cuts_[column][np.isfinite(scorer.cuts_[column])]) >= 0).all()
        assert [len(scorer.counts_[column]), scorer.counts_[column].sum()] == [n_scores, len(values)]
    if way == "quantiles":
        # Ties fare alike from both ends, but for shares that fall on a border, which round up in both directions.
        assert (np.abs(scores.sum(axis=1) - n_scores - 1) <= 1).all()


def test_quantile_ties_take_the_score_of_their_middle_rank():
    frequency = np.array([1.0] * 60 + [2.0] * 20 + [3.0] * 15 + [9.0] * 5)
    scores = RfmScores().fit_transform(np.column_stack([frequency, frequency]))
    by_value = dict(zip(frequency.tolist(), scores[:, 1].tolist(), strict=True))
    assert by_value == {1.0: 2, 2.0: 4, 3.0: 5, 9.0: 5}
    assert (scores[:, 0] + scores[:, 1] == 6).all()


@pytest.mark.parametrize("n_scores", range(2, 11))
def test_quantiles_of_distinct_values_are_equal_shares(n_scores):
    days = np.arange(1.0, 20 * n_scores + 1)
    scorer = RfmScores(n_scores=n_scores).fit(np.column_stack([days, days]))
    assert [counts.tolist() for counts in scorer.counts_] == [[20] * n_scores] * 2


def test_jenks_scores_are_the_natural_breaks(rfm):
    scorer = RfmScores("jenks").fit(rfm)
    for place, name in enumerate(rfm):
        classes = jenks_breaks(rfm[name], 5).classify(rfm[name])
        expected = 5 - classes if name == "recency_days" else classes + 1
        np.testing.assert_array_equal(scorer.transform(rfm)[:, place], expected)


@pytest.mark.parametrize(
    ("values", "scores"),
    [([4], [3]), ([1, 9], [1, 5]), ([1, 5, 9], [1, 3, 5]), ([1, 3, 5, 9], [1, 2, 4, 5])],
)
def test_fewer_values_than_scores_are_spread_over_them(values, scores):
    table = np.column_stack([values, values]).astype(float)
    scored = RfmScores("jenks").fit_transform(table)
    assert scored[:, 1].tolist() == scores
    assert scored[:, 0].tolist() == scores[::-1]


def test_fixed_cuts_hold_up_to_and_including():
    scorer = RfmScores("fixed", cuts=FIXED).fit([[500, 1, 1.0]])
    table = [[1, 1, 10], [30, 2, 10.01], [31, 3, 50], [365, 8, 100], [366, 9, 100.5]]
    assert scorer.transform(table).tolist() == [[5, 1, 1], [5, 2, 2], [4, 3, 3], [2, 4, 4], [1, 5, 5]]


def test_fixed_cuts_are_the_same_for_every_customer_base(rfm):
    first, second = (RfmScores("fixed", cuts=FIXED).fit(part) for part in (rfm[:100], rfm[400:]))
    np.testing.assert_array_equal(first.transform(rfm), second.transform(rfm))


def test_fixed_cuts_by_place_and_in_a_row_are_those_by_name(rfm):
    by_name = RfmScores("fixed", cuts=FIXED).fit_transform(rfm)
    for cuts in (dict(enumerate(FIXED.values())), list(FIXED.values()), {**FIXED, "recency_days": np.array(DAYS)}):
        np.testing.assert_array_equal(RfmScores("fixed", cuts=cuts).fit_transform(rfm.to_numpy()), by_name)


def test_columns_may_have_different_numbers_of_scores(rfm):
    scorer = RfmScores(n_scores={"frequency": 3, 2: 10}).fit(rfm)
    assert scorer.n_scores_ == [5, 3, 10]
    assert scorer.transform(rfm).max(axis=0).tolist() == [5, 3, 10]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scoring": "fixed"}, "needs cuts for every column; none for 'recency_days', 'frequency', 'monetary'"),
        ({"scoring": "fixed", "cuts": {"frequency": [1]}}, "none for 'recency_days', 'monetary'"),
        ({"scoring": "fixed", "cuts": {**FIXED, "freq": [1]}}, "cuts names 'freq', which is no column"),
        ({"scoring": "fixed", "cuts": {**FIXED, 0: [1]}}, "cuts names 'recency_days' twice"),
        ({"scoring": "fixed", "cuts": {**FIXED, True: [1]}}, "cuts names True, which is no column"),
        ({"scoring": "fixed", "cuts": [[1], [2]]}, "one item for each of 3 columns, got 2"),
        ({"scoring": "fixed", "cuts": [[2, 1], [1], [1]]}, "cuts of 'recency_days' must be finite and rise"),
        ({"scoring": "fixed", "cuts": [[1, 1], [1], [1]]}, "must be finite and rise"),
        ({"scoring": "fixed", "cuts": [[np.inf], [1], [1]]}, "must be finite and rise"),
        ({"scoring": "fixed", "cuts": [[], [1], [1]]}, "must be 1 to 9 numbers"),
        ({"scoring": "fixed", "cuts": [list(range(10)), [1], [1]]}, "must be 1 to 9 numbers"),
        ({"scoring": "fixed", "cuts": [["a"], [1], [1]]}, "must be numbers"),
        ({"scoring": "fixed", "cuts": FIXED, "n_scores": 4}, "4 cuts of 'recency_days' make 5 scores, but n_scores"),
        ({"cuts": FIXED}, "cuts are for scoring='fixed', got scoring='quantiles'"),
        ({"n_scores": {"frequency": 11}}, "n_scores of 'frequency' must be 2 to 10, got 11"),
        ({"n_scores": {"frequency": True}}, "must be 2 to 10"),
        ({"n_scores": 1}, "n_scores"),
        ({"scoring": "thirds"}, "scoring"),
        ({"small_is_good": "freq"}, "small_is_good names 'freq', which is no column; the columns are: 'recency_days'"),
        ({"small_is_good": [7]}, "small_is_good names 7"),
        ({"feature_names": ["a", "b"]}, "feature_names names 2 columns, but X has 3"),
        ({"feature_names": ["a", "b", "c"]}, "feature_names and the columns of X differ"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(rfm, params, message):
    with pytest.raises(ValueError, match=message):
        RfmScores(**params).fit(rfm)


def test_values_that_cannot_be_scored_are_named_by_column_and_row(rfm):
    table = rfm.astype(float)
    table.iloc[3, 2] = np.nan
    table.iloc[[1, 4], 0] = np.inf
    for used in (lambda: RfmScores().fit(table), lambda: RfmScores().fit(rfm.astype(float)).transform(table)):
        with pytest.raises(
            ValueError, match=r"'recency_days' is infinite in rows 1, 4; 'monetary' is missing .* row 3"
        ):
            used()


def test_text_that_is_no_number_is_refused_without_showing_it():
    table = pd.DataFrame({"recency_days": ["1", "secret"], "frequency": [1, 2]})
    with pytest.raises(ValueError, match="text that is no number") as caught:
        RfmScores().fit(table)
    assert "secret" not in str(caught.value)
    assert "recency_days" in str(caught.value)


def test_numbers_as_text_are_numbers():
    table = pd.DataFrame({"recency_days": ["1", "20", "300"], "frequency": ["3", "2", "1"]})
    assert RfmScores(n_scores=3).fit_transform(table).tolist() == [[3, 3], [2, 2], [1, 1]]


def test_negative_and_huge_money_are_scored_in_order():
    money = np.array([-1e308, -5.0, 0.0, 5.0, 1.7e308])
    for way in ("quantiles", "jenks"):
        scores = RfmScores(way).fit_transform(np.column_stack([money, money]))
        assert scores[:, 1].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("way", ["quantiles", "jenks"])
def test_one_customer_and_equal_customers_score_the_middle(way):
    for count in (1, 7):
        scorer = RfmScores(way).fit([[3.0, 2.0, 10.0]] * count)
        assert scorer.transform([[3.0, 2.0, 10.0], [99.0, 1.0, 0.0]]).tolist() == [[3, 3, 3], [3, 3, 3]]


def test_next_month_is_scored_by_the_old_cuts(rfm):
    scorer = RfmScores().fit(rfm)
    later = rfm.assign(recency_days=rfm["recency_days"] + 31)
    frozen = rfm_scores(later, scorer)["recency_score"]
    assert frozen.mean() < rfm_scores(rfm, scorer)["recency_score"].mean()
    # Cuts of its own would make a month in which nobody came look like the last one.
    assert rfm_scores(later)["recency_score"].tolist() == rfm_scores(rfm)["recency_score"].tolist()


def test_the_score_table_says_what_each_score_means(rfm):
    table = RfmScores("fixed", cuts=FIXED).fit(rfm).score_table
    best = table[(table["column"] == "recency_days") & (table["score"] == 5)].iloc[0]
    assert (best["above"], best["up_to"]) == (-np.inf, 30)
    assert best["customers"] == (rfm["recency_days"] <= 30).sum()
    assert table.groupby("column")["customers"].sum().tolist() == [500, 500, 500]


def test_a_pandas_output_has_the_names_of_the_scores(rfm):
    scored = RfmScores().set_output(transform="pandas").fit_transform(rfm)
    assert list(scored.columns) == ["recency_score", "frequency_score", "monetary_score"]
    assert scored.index.equals(rfm.index)


@pytest.mark.parametrize(
    "params", [{}, {"scoring": "jenks", "n_scores": {"frequency": 3}}, {"scoring": "fixed", "cuts": FIXED}]
)
def test_it_is_saved_without_pickle(rfm, params, tmp_path):
    scorer = clone(RfmScores(**params)).fit(rfm)
    crmkit.save(scorer, tmp_path / "scorer.crmkit")
    again = crmkit.load(tmp_path / "scorer.crmkit", expect=RfmScores)
    np.testing.assert_array_equal(again.transform(rfm), scorer.transform(rfm))
    pd.testing.assert_frame_equal(again.score_table, scorer.score_table)


def test_scores_of_a_table_have_a_cell(rfm):
    scored = rfm_scores(rfm)
    assert scored.index.equals(rfm.index)
    assert list(scored.columns) == ["recency_score", "frequency_score", "monetary_score", "rfm_cell"]
    first = scored.iloc[0]
    assert first["rfm_cell"] == f"{first['recency_score']}{first['frequency_score']}{first['monetary_score']}"
    assert rfm_scores(rfm, n_scores=10)["rfm_cell"].str.count("-").eq(2).all()


def test_scores_of_other_columns_keep_their_names(rfm):
    table = rfm.rename(columns={"frequency": "visits"})
    scored = rfm_scores(table, features=["visits", "recency_days"], n_scores=3)
    assert list(scored.columns) == ["visits_score", "recency_score", "rfm_cell"]
    assert scored.loc[table["recency_days"].idxmin(), "recency_score"] == 3


def test_scores_of_a_file_and_of_polars_are_those_of_the_table(rfm, tmp_path):
    rfm.to_csv(tmp_path / "rfm.csv")
    pd.testing.assert_frame_equal(rfm_scores(tmp_path / "rfm.csv"), rfm_scores(rfm))
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    assert (
        rfm_scores(polars.read_csv(tmp_path / "rfm.csv"))["rfm_cell"].tolist() == rfm_scores(rfm)["rfm_cell"].tolist()
    )


def test_a_fitted_scorer_takes_no_second_set_of_parameters(rfm):
    scorer = RfmScores().fit(rfm)
    with pytest.raises(DataError, match="a fitted scorer has its cuts"):
        rfm_scores(rfm, scorer, n_scores=4)
    with pytest.raises(DataError, match="fitted on 3 columns, features names 2"):
        rfm_scores(rfm, scorer, features=["recency_days", "frequency"])


def test_scores_of_a_table_that_cannot_be_used_are_refused(rfm):
    with pytest.raises(DataError, match="no column 'monetary'"):
        rfm_scores(rfm.drop(columns="monetary"))
    with pytest.raises(DataError, match="'frequency' is not numeric"):
        rfm_scores(rfm.assign(frequency="many"))
