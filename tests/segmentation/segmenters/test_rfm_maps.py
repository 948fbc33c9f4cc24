"""Segment maps: every combination of scores in exactly one segment, or an error that names it."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError, ExpressionError
from crmkit.segmentation import RfmRules, rfm_segment_map

CELLS = list(itertools.product(range(1, 6), repeat=3))
CHAMPIONS, LOYAL = {"segment": "champions", "worth_low": 4}, {"segment": "loyal", "worth_high": 3}


def on_all_cells(segments, **params):
    """Fit on customers whose values are the scores, five of each, and give the segment of every combination."""
    table = np.array(CELLS, dtype=float)
    table[:, 0] = 6 - table[:, 0]
    rules = RfmRules(segments, **params).fit(table)
    np.testing.assert_array_equal(rules.scores(table), CELLS)
    return dict(zip(CELLS, np.array(rules.segment_names_)[rules.labels_], strict=True))


def rows_that_hold(table, scores):
    """Say by the table's own words which rows hold for these scores."""
    recency, frequency, monetary = scores
    part = {
        "recency": recency,
        "frequency": frequency,
        "monetary": monetary,
        "worth": int((frequency + monetary) / 2 + 0.5),
    }
    held = []
    for row in table.to_dict("records"):
        ranges = [name.removesuffix("_low") for name in row if name.endswith("_low")]
        if all(row[f"{name}_low"] <= part[name] <= row[f"{name}_high"] for name in ranges):
            held.append(row["segment"])
    return held


@pytest.mark.parametrize("name", ["eleven", "ten", "eight"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_built_in_map_places_all_125_combinations_once(name, language):
    table = rfm_segment_map(name, language=language)
    placed = on_all_cells(name, language=language)
    for scores in CELLS:
        held = rows_that_hold(table, scores)
        assert held == [placed[scores]]
    assert set(placed.values()) == set(table["segment"])
    assert len(set(placed.values())) == {"eleven": 11, "ten": 10, "eight": 8}[name]


def test_ten_is_the_map_of_the_tutorials():
    # The regular expressions over recency and frequency scores that tutorials share.
    patterns = {
        ("12", "12"): "hibernating", ("12", "34"): "at risk", ("12", "5"): "cannot lose", ("3", "12"): "about to sleep",
        ("3", "3"): "need attention", ("34", "45"): "loyal", ("4", "1"): "promising", ("5", "1"): "new",
        ("45", "23"): "potential loyal", ("5", "45"): "champions",
    }  # fmt: skip
    placed = on_all_cells("ten")
    for (recency, frequency, _), name in placed.items():
        held = [told for (r, f), told in patterns.items() if str(recency) in r and str(frequency) in f]
        assert held == [name]


@pytest.mark.parametrize("n_scores", range(2, 11))
def test_eight_fits_any_number_of_scores(n_scores):
    table = rfm_segment_map("eight", n_scores=n_scores, language="zh")
    best = table.set_index("segment").loc["重要价值客户"]
    # High is above the middle score: 2 of two, 4 and 5 of five.
    assert best["recency_low"] == (n_scores + 1) // 2 + 1
    values = np.arange(1.0, 4 * n_scores + 1)
    rules = RfmRules("eight", n_scores=n_scores).fit(np.column_stack([values, values, values]))
    assert rules.cells_.shape == (n_scores,) * 3
    assert (rules.cells_ >= 0).all()


def test_the_direction_of_each_name():
    placed = on_all_cells("eight", language="zh")
    assert placed[5, 5, 5] == "重要价值客户"
    assert placed[5, 1, 5] == "重要发展客户"
    assert placed[1, 5, 5] == "重要保持客户"
    assert placed[1, 1, 5] == "重要挽留客户"
    assert placed[1, 1, 1] == "一般挽留客户"
    eleven = on_all_cells("eleven")
    assert (eleven[5, 5, 5], eleven[1, 5, 5], eleven[5, 1, 1], eleven[1, 1, 1]) == (
        "champions", "cannot lose", "new", "lost",
    )  # fmt: skip
    assert eleven[5, 3, 4] == "champions", "a half rounds up"


def test_a_map_may_be_changed_and_handed_back():
    table = rfm_segment_map("eleven").replace({"segment": {"lost": "hibernating"}})
    placed = on_all_cells(table)
    assert "lost" not in placed.values()
    assert placed[1, 1, 1] == "hibernating"


def test_rows_of_dicts_tables_csv_toml_and_polars_are_the_same_map(tmp_path):
    rows = [
        {"segment": "best", "recency_low": 4, "worth_low": 4, "description": "keep"},
        {"segment": "rest", "recency_high": 3},
        {"segment": "rest", "recency_low": 4, "worth_high": 3},
    ]
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "map.csv", index=False)
    (tmp_path / "map.toml").write_text(
        "\n".join(
            "[[segments]]\n" + "\n".join(f"{key} = {value!r}" for key, value in row.items()) for row in rows
        ).replace("'", '"')
    )
    expected = on_all_cells(rows)
    assert expected[4, 4, 4] == "best"
    for same in (table, table.convert_dtypes(), tmp_path / "map.csv", str(tmp_path / "map.csv"), tmp_path / "map.toml"):
        assert on_all_cells(same) == expected
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    columns = {"segment": ["best", "rest", "rest"], "recency_low": [4, None, 4], "recency_high": [None, 3, None],
               "worth_low": [4, None, None], "worth_high": [None, None, 3]}  # fmt: skip
    assert on_all_cells(polars.DataFrame(columns)) == expected


def test_expressions_and_ranges_hold_together():
    placed = on_all_cells(
        [
            {"segment": "spenders", "where": "monetary >= 4 and frequency_score < 3"},
            {"segment": "recent", "recency_low": 3, "where": "not (monetary >= 4 and frequency < 3)"},
            {"segment": "gone", "recency_high": 2, "where": "monetary <= 3 or frequency >= 3"},
        ]
    )
    for (recency, frequency, monetary), name in placed.items():
        spends = monetary >= 4 and frequency < 3
        assert name == ("spenders" if spends else "recent" if recency >= 3 else "gone")


def test_worth_beside_its_own_scores_is_proved_over_what_they_leave_open():
    placed = on_all_cells(
        [
            {"segment": "few but large", "where": "frequency <= 2 and worth >= 4"},
            {"segment": "rest", "where": "not (frequency <= 2 and worth >= 4)"},
        ]
    )
    assert [cell for cell, name in placed.items() if name == "few but large"] == [
        (recency, 2, 5) for recency in range(1, 6)
    ]
    with pytest.raises(DataError, match="'never': holds for no scores"):
        RfmRules(
            [{"segment": "never", "where": "frequency == 1 and worth == 5"},
             {"segment": "rest", "where": "not (frequency == 1 and worth == 5)"}]
        ).fit(np.array(CELLS, dtype=float))  # fmt: skip


def test_one_segment_for_all_is_a_map():
    assert set(on_all_cells([{"segment": "everybody"}]).values()) == {"everybody"}


def test_cells_that_nobody_covers_are_named():
    with pytest.raises(DataError, match="no segment covers worth 4, worth 5") as caught:
        RfmRules([LOYAL]).fit(np.array(CELLS, dtype=float))
    assert "claim" not in str(caught.value)


def test_cells_that_two_claim_are_named_with_both():
    with pytest.raises(DataError, match=r"'champions' and 'loyal' both claim worth 4$") as caught:
        RfmRules([CHAMPIONS, {**LOYAL, "worth_high": 4}]).fit(np.array(CELLS, dtype=float))
    assert "no segment covers" not in str(caught.value)


def test_a_widely_copied_table_of_ranges_is_no_partition():
    # The example of the R package rfm, as its manual prints it: ranges of all three scores.
    names = [
        "Champions", "Loyal Customers", "Potential Loyalist", "New Customers", "Promising", "Need Attention",
        "About To Sleep", "At Risk", "Can't Lose Them", "Lost",
    ]  # fmt: skip
    table = pd.DataFrame({"segment": names, "recency_low": [4, 2, 3, 4, 3, 2, 2, 1, 1, 1],
                          "recency_high": [5, 5, 5, 5, 4, 3, 3, 2, 1, 2]})  # fmt: skip
    for part in ("frequency", "monetary"):
        table[f"{part}_low"] = [4, 3, 1, 1, 1, 2, 1, 2, 4, 1]
        table[f"{part}_high"] = [5, 5, 3, 1, 1, 3, 2, 5, 5, 2]
    with pytest.raises(DataError) as caught:
        RfmRules(table).fit(np.array(CELLS, dtype=float))
    told = str(caught.value)
    assert "no segment covers recency 1 & frequency 1 & monetary 3" in told
    assert "'Champions' and 'Loyal Customers' both claim recency 4 & frequency 4 & monetary 4" in told
    uncovered = [cell for cell in CELLS if not rows_that_hold(table, cell)]
    assert f"({len(uncovered)} in all)" in told


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 3)] * 4), min_size=1, max_size=4))
def test_what_is_proved_is_a_partition_and_what_is_refused_is_none(ranges):
    rows = [
        {"segment": f"s{place}", "recency_low": a, "recency_high": b, "worth_low": c, "worth_high": d}
        for place, (a, b, c, d) in enumerate(ranges)
    ]
    values = np.arange(1.0, 31.0)
    table = np.column_stack([values, values])
    held = [
        sum(a <= recency <= b and c <= worth <= d for a, b, c, d in ranges)
        for recency, worth in itertools.product(range(1, 4), repeat=2)
    ]
    empty = any(a > b or c > d for a, b, c, d in ranges)
    if set(held) == {1} and not empty:
        assert (RfmRules(rows, n_scores=3).fit(table).cells_ >= 0).all()
    else:
        with pytest.raises(DataError):
            RfmRules(rows, n_scores=3).fit(table)


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ("twelve", "no segment map 'twelve'; there are: 'eleven', 'ten', 'eight'"),
        ("nowhere.csv", "there is no file nowhere.csv"),
        ("nowhere.toml", "there is no file nowhere.toml"),
        ([], "the segment map has no rows"),
        (["champions"], "one dict a row"),
        ([{"recency_low": 1}], "row 0 has no segment"),
        ([{"segment": " "}], "row 0 has no segment"),
        ([{"segment": 7}], "row 0: segment must be text, got int"),
        ([{"segment": "a", "recncy_low": 1}], "row 0: there is no column 'recncy_low'; there are: segment, where"),
        ([{"segment": "a", "recency_low": 0}], "row 0: recency_low must be a whole number, 1 to 5"),
        ([{"segment": "a", "recency_low": 6}], "must be a whole number, 1 to 5"),
        ([{"segment": "a", "recency_low": 2.5}], "must be a whole number, 1 to 5"),
        ([{"segment": "a", "recency_low": float("inf")}], "must be a whole number, 1 to 5"),
        ([{"segment": "a", "recency_low": True}], "must be a whole number, 1 to 5"),
        ([{"segment": "a", "recency_low": "two"}], "must be a whole number, 1 to 5"),
        ([{"segment": "a", "recency_low": 4, "recency_high": 3}], "row 0: recency_low is above recency_high"),
        ([{"segment": "a", "where": "visits > 3"}], "where= does not know 'visits'; the scores are: recency"),
        ([{"segment": "a", "where": "1 == 1"}], "where= names no score"),
        ([{"segment": "a", "where": "recency + 1"}], "where= must be a condition"),
        (7, "segment map must be a DataFrame"),
    ],
)
def test_a_map_that_cannot_be_read_is_refused(segments, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError), match=message):
        RfmRules(segments).fit(np.array(CELLS, dtype=float))


def test_an_expression_that_is_none_is_refused():
    with pytest.raises(ExpressionError, match="max takes two numbers or more"):
        RfmRules([{"segment": "a", "where": "max(recency) > 1"}]).fit(np.array(CELLS, dtype=float))


@pytest.mark.parametrize("text", ["segments = 3", "[[segments]", "[[rows]]\nsegment = 'a'"])
def test_a_toml_file_without_segments_is_refused(text, tmp_path):
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(DataError, match=r"map\.toml"):
        RfmRules(tmp_path / "map.toml").fit(np.array(CELLS, dtype=float))


def test_built_in_maps_say_how_many_scores_they_need():
    with pytest.raises(DataError, match="'eleven' is for 5 scores, but recency has 4 and worth has 4"):
        RfmRules(n_scores=4).fit(np.array(CELLS, dtype=float))
    with pytest.raises(DataError, match="'ten' is for 5 scores, but frequency has 3"):
        RfmRules("ten", n_scores={"frequency": 3}).fit(np.array(CELLS, dtype=float))
    with pytest.raises(DataError, match="language must be one of 'en', 'zh'"):
        rfm_segment_map(language="de")


def test_worth_needs_one_number_of_scores():
    with pytest.raises(DataError, match="row 0: worth needs as many scores in every column but recency"):
        RfmRules([CHAMPIONS], n_scores={"frequency": 3}).fit(np.array(CELLS, dtype=float))
    with pytest.raises(
        DataError, match=r"'eleven' asks for scores of worth, which the columns do not have \(worth needs"
    ):
        RfmRules(n_scores={"frequency": 3}).fit(np.array(CELLS, dtype=float))


def test_a_column_called_worth_is_refused():
    table = pd.DataFrame({"recency_days": [1, 2], "worth": [3, 4]})
    with pytest.raises(DataError, match="may not be called 'worth'"):
        RfmRules().fit(table)


def test_too_many_combinations_are_refused_before_they_are_built():
    table = np.arange(16.0).reshape(2, 8)
    rows = [{"segment": "a", "where": "frequency > 1 and worth > 1"}]
    with pytest.raises(DataError, match="100,000,000 combinations of scores, at most 2,000,000"):
        RfmRules(rows, n_scores=10).fit(table)


def test_columns_of_other_names_stand_for_frequency_and_monetary_by_place():
    table = pd.DataFrame({"orders": [1, 2, 9], "spend": [1.0, 5.0, 900.0], "days_since_order": [300, 30, 2]})
    named = table.rename(columns={"orders": "frequency", "spend": "monetary", "days_since_order": "recency_days"})
    rules = RfmRules("ten").fit(table)
    assert rules.parts_ == ["recency", "frequency"]
    assert rules.labels_.tolist() == RfmRules("ten").fit(named).labels_.tolist()
    by_own_name = [{"segment": "many", "orders_low": 4}, {"segment": "few", "orders_high": 3}]
    assert RfmRules(by_own_name).fit(table).labels_.tolist() == [1, 1, 0]


def test_a_map_that_asks_for_a_column_too_many_is_refused():
    with pytest.raises(DataError, match=r"'eight' asks for scores of monetary, which the columns do not have$"):
        RfmRules("eight").fit(pd.DataFrame({"recency_days": [1, 2], "orders": [3, 4]}))
