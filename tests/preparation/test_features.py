from __future__ import annotations

import statistics
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

import crmkit
from crmkit import metrics
from crmkit.core.errors import DataError, DataWarning
from crmkit.language import Analyzer
from crmkit.prediction import correct_prior
from crmkit.preparation import Embedding, EventColumns, FeatureTable, features, rfm_table

DAY = np.datetime64("2010-06-01").astype("datetime64[D]").astype(int)


def events(n=300, customers=20, days=200, seed=0, **more):
    rng = np.random.default_rng(seed)
    table = {
        "customer_id": [f"c{number}" for number in rng.integers(customers, size=n)],
        "day": DAY - days + rng.integers(days + 60, size=n),
        "amount": np.round(rng.gamma(2.0, 10.0, n) * np.where(rng.random(n) < 0.1, -1, 1), 2),
        "product_id": [f"p{number}" for number in rng.integers(8, size=n)],
        "channel": rng.choice(["门店", "web", "app", "mail"], size=n, p=[0.4, 0.3, 0.2, 0.1]).tolist(),
    }
    return pd.DataFrame({**table, **more})


def made(table, cutoffs="2010-06-01", **options):
    """Make features where short histories are expected."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*reach back before the first row", category=DataWarning)
        return features(table, cutoffs, **{"windows": [30, 90], "horizon": 30, **options})


def slowly(table, cutoff, window, against):
    """Compute what a customer's columns should be, one customer after the other, from the definitions."""
    result = {}
    for customer, own in table[table["day"] < cutoff].groupby("customer_id"):
        buys = own[own["amount"] >= 0]
        days = sorted(set(buys["day"]))
        last = buys[buys["day"] >= cutoff - window]
        before = buys[(buys["day"] >= cutoff - 2 * window) & (buys["day"] < cutoff - window)]
        longer = buys[buys["day"] >= cutoff - against]
        gaps = [b - a for a, b in pairwise(days)]
        amounts = buys["amount"].tolist()
        middle = [day - cutoff + 0.5 + against / 2 for day in sorted(set(longer["day"]))]
        nan = float("nan")
        result[customer] = {
            "recency_days": cutoff - days[-1] if days else nan,
            "tenure_days": cutoff - days[0] if days else nan,
            "gap_mean_days": statistics.mean(gaps) if gaps else nan,
            "gap_std_days": statistics.stdev(gaps) if len(gaps) > 1 else nan,
            "gap_last_days": gaps[-1] if gaps else nan,
            "overdue": (cutoff - days[-1]) / statistics.mean(gaps) if gaps else nan,
            f"count_{window}d": len(last),
            "count": len(buys),
            f"days_{window}d": last["day"].nunique(),
            "days": len(days),
            f"product_id_distinct_{window}d": last["product_id"].nunique(),
            "product_id_distinct": buys["product_id"].nunique(),
            f"amount_sum_{window}d": own.loc[own["day"] >= cutoff - window, "amount"].sum(),
            "amount_sum": own["amount"].sum(),
            f"amount_mean_{window}d": last["amount"].mean(),
            "amount_mean": buys["amount"].mean(),
            "amount_min": min(amounts, default=nan),
            "amount_max": max(amounts, default=nan),
            "amount_std": statistics.stdev(amounts) if len(amounts) > 1 else nan,
            f"days_trend_{window}d": last["day"].nunique() - before["day"].nunique(),
            f"amount_trend_{window}d": own.loc[own["day"] >= cutoff - window, "amount"].sum()
            - own.loc[(own["day"] >= cutoff - 2 * window) & (own["day"] < cutoff - window), "amount"].sum(),
            f"days_ratio_{window}d": last["day"].nunique() / longer["day"].nunique() if len(longer) else nan,
            f"days_ratio_{against}d": longer["day"].nunique() / len(days) if days else nan,
            f"slope_{against}d": sum(middle) * 12 * 900 / against**3,
            f"channel=门店_count_{against}d": (longer["channel"] == "门店").sum(),
            "channel=门店_share": (buys["channel"] == "门店").mean() if len(buys) else nan,
            "refunds": (own["amount"] < 0).sum(),
            "refunds_amount": own.loc[own["amount"] < 0, "amount"].sum(),
        }
    return pd.DataFrame(result).T.sort_index().astype(float)


@pytest.mark.parametrize("seed", range(4))
def test_every_column_is_what_its_definition_says(seed):
    table = events(seed=seed)
    found = made(table, columns=EventColumns(categories=["channel"])).features.droplevel("cutoff")
    expected = slowly(table, DAY, 30, 90)
    assert found.index.tolist() == expected.index.tolist()
    for name in expected.columns:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_order_of_the_rows_does_not_matter():
    table = events()
    columns = EventColumns(categories=["channel"], embeddings=[Embedding("product_id", 3)])
    first, second = made(table, columns=columns), made(table.sample(frac=1, random_state=3), columns=columns)
    np.testing.assert_allclose(first.features, second.features, rtol=1e-9, atol=1e-9)
    assert first.y.equals(second.y)


def test_recency_and_frequency_are_those_of_the_rfm_table():
    table = events(customers=8)
    found = made(table).features.droplevel("cutoff")
    rfm = rfm_table(table, cutoff="2010-06-01")
    assert found["recency_days"].tolist() == rfm["recency_days"].tolist()
    assert found["days"].tolist() == rfm["frequency"].tolist()
    np.testing.assert_allclose(found["amount_sum"], rfm["monetary"])


injected = st.lists(
    st.tuples(
        st.integers(0, 25),  # some customers are new
        st.integers(0, 40),  # days after the cutoff, 0 is the very day
        st.floats(-1e6, 1e6, allow_nan=False),
        st.sampled_from(["p0", "p7", "新品", None]),
        st.sampled_from(["门店", "web", "hologram", None]),
    ),
    min_size=1,
    max_size=30,
)


@given(rows=injected)
@settings(max_examples=12)
def test_injecting_any_event_at_or_after_the_cutoff_changes_no_feature(rows):
    table = events(n=150, days=120)
    columns = EventColumns(categories=["channel"], top=2, embeddings=[Embedding("product_id", 2)])
    names = ["customer_id", "day", "amount", "product_id", "channel"]
    more = pd.DataFrame([(f"c{who}", DAY + day, amount, *rest) for who, day, amount, *rest in rows], columns=names)
    before = made(table, columns=columns, until="2010-09-01")
    after = made(pd.concat([more, table], ignore_index=True), columns=columns, until="2010-09-01")
    pd.testing.assert_frame_equal(before.features, after.features, check_exact=True)


@given(rows=injected, place=st.integers(0, 2))
@settings(max_examples=12)
def test_between_cutoffs_only_the_later_ones_may_change(rows, place):
    table = events(n=150, days=120)
    cutoffs = ["2010-04-01", "2010-05-01", "2010-06-01"]
    limit = pd.Timestamp(cutoffs[place])
    columns = EventColumns(categories=["channel"], top=2, embeddings=[Embedding("product_id", 2)])
    names = ["customer_id", "day", "amount", "product_id", "channel"]
    start = limit.to_datetime64().astype("datetime64[D]").astype(int)
    more = pd.DataFrame([(f"c{who}", start + day, amount, *rest) for who, day, amount, *rest in rows], columns=names)
    before = made(table, cutoffs, columns=columns, until="2010-09-01").features
    after = made(pd.concat([table, more], ignore_index=True), cutoffs, columns=columns, until="2010-09-01").features
    old = before.index.get_level_values("cutoff") <= limit
    new = after.index.get_level_values("cutoff") <= limit
    assert before.loc[old].equals(after.loc[new])


def test_an_event_at_the_very_instant_belongs_to_the_label():
    instants = ["2010-05-20T12:00Z", "2010-06-01T11:59:59.999999Z", "2010-06-01T12:00Z"]
    table = pd.DataFrame(
        {"customer_id": list("aba"), "time": pd.to_datetime(instants, format="ISO8601"), "amount": [1.0, 2.0, 4.0]}
    )
    found = made(table, "2010-06-01T12:00Z", until="2010-08-01T00:00Z")
    assert found.features["amount_sum"].tolist() == [1.0, 2.0]
    assert found.y.tolist() == [1, 0]
    assert found.features["recency_days"].tolist() == pytest.approx([12.0, 1e-6 / 86400])
    assert str(found.X.index.get_level_values("cutoff")[0]) == "2010-06-01 12:00:00+00:00"


def test_a_date_is_local_midnight_by_day_whatever_the_instant_says_in_utc():
    # 07:30 in Shanghai on 1 June is still 31 May in UTC: it belongs to what comes after 1 June.
    instants = pd.to_datetime(["2010-05-20T04:00Z", "2010-05-31T23:30Z", "2010-05-31T15:30Z"])
    table = pd.DataFrame(
        {"customer_id": ["a", "a", "b"], "time": instants, "day": [DAY - 12, DAY, DAY - 1], "amount": [1.0, 2.0, 4.0]}
    )
    found = made(table, "2010-06-01", until="2010-07-01")
    assert found.features["amount_sum"].tolist() == [1.0, 4.0]
    assert found.features["recency_days"].tolist() == [12.0, 1.0]
    assert found.y.tolist() == [1, 0]


def test_a_row_counts_from_when_it_was_recorded():
    table = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "time": pd.to_datetime(
                ["2010-05-01T10:00Z", "2010-05-02T10:00Z", "2010-05-03T10:00Z", "2010-05-03T10:00Z"]
            ),
            "recorded_time": pd.to_datetime(["2010-05-01T10:00Z", "2010-06-05T10:00Z", None, "2010-06-02T10:00Z"]),
            "amount": [1.0, 2.0, 4.0, 8.0],
        }
    )
    for cutoff, until in (("2010-06-01", "2010-07-01"), ("2010-06-01T00:00Z", "2010-07-01T00:00Z")):
        found = made(table, cutoff, until=until)
        assert found.features["amount_sum"].tolist() == [5.0]  # nobody knew of b
        later = found.apply(table, cutoff.replace("06-01", "07-01"), labels=False)
        assert later.features["amount_sum"].tolist() == [7.0, 8.0]


def test_the_local_day_of_recording_is_never_taken_too_early():
    # Recorded at 07:00 on 1 June in Shanghai, which in UTC is 31 May: at midnight on 1 June nobody knew of c; of d,
    # recorded at noon of 31 May, one did.
    table = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "time": pd.to_datetime(
                ["2010-05-20T15:30Z", "2010-05-19T16:30Z", "2010-05-30T04:00Z", "2010-05-30T04:00Z"]
            ),
            "day": [DAY - 12, DAY - 12, DAY - 2, DAY - 2],
            "recorded_time": pd.to_datetime([None, None, "2010-05-31T23:00Z", "2010-05-31T04:00Z"]),
            "amount": 1.0,
        }
    )
    options = {"until": "2010-07-01", "windows": [5], "horizon": 30}

    def known(rows, **more):
        return features(rows, "2010-06-01", **options, **more).features.index.get_level_values(0).tolist()

    # Rows shortly after and shortly before midnight show how far ahead of UTC local time is.
    assert known(table) == ["a", "b", "d"]
    assert known(table, timezone="Asia/Shanghai") == ["a", "b", "d"]
    by_noon = table.assign(time=pd.to_datetime(["2010-05-20T04:00Z"] * 2 + ["2010-05-30T04:00Z"] * 2))
    assert known(by_noon, timezone="Asia/Shanghai") == ["a", "b", "d"]
    assert known(by_noon.assign(recorded_time=by_noon["time"])) == ["a", "b", "c", "d"]
    with pytest.warns(DataWarning, match="of 1 rows it is not clear on which local day they were recorded"):
        assert known(by_noon) == ["a", "b", "d"]
    with pytest.warns(DataWarning, match="write timezone="):
        assert known(table.drop(columns="time")) == ["a", "b", "d"]
    naive = table.drop(columns="time").assign(
        recorded_time=pd.to_datetime([None, None, "2010-06-01T00:00", "2010-05-31T23:00"])
    )
    assert known(naive) == ["a", "b", "d"]
    with pytest.warns(DataWarning, match="not clear") as caught:
        known(by_noon)
    assert caught[0].filename == __file__


def test_what_was_learned_is_frozen():
    table = events()
    columns = EventColumns(categories=["channel"], top=2, embeddings=[Embedding("product_id", 3)])
    first = made(table, "2010-05-01", columns=columns)
    later = events(n=500, seed=5)
    later["channel"] = "hologram"
    again = first.apply(later, "2010-05-20", labels=False)
    assert again.features.columns.tolist() == first.features.columns.tolist()
    assert (again.features["channel=(other)_share"].dropna() == 1).all()
    same = first.apply(table, "2010-05-01")
    pd.testing.assert_frame_equal(first.features, same.features, check_exact=True)
    assert same.y.equals(first.y)


def test_missing_levels_are_a_level_and_numbers_read_alike_with_and_without_gaps():
    table = events(n=60, channel=[3] * 30 + [4] * 30)
    whole = made(table, columns=EventColumns(categories=["channel"]))
    assert "channel=3_share" in whole.features
    gaps = table.assign(channel=table["channel"].astype(float).where(np.arange(60) % 2 == 0))
    found = whole.apply(gaps, "2010-06-01", labels=False).features
    shares = found[[name for name in found if name.endswith("_share")]].dropna()
    assert (shares.sum(axis=1).round(9) == 1).all()
    assert shares["channel=(missing)_share"].max() > 0
    assert shares["channel=(other)_share"].max() == 0


def test_several_tables_stand_side_by_side_under_their_names():
    calls = events(seed=2).drop(columns=["amount", "product_id"]).assign(duration=60.0)
    found = made({"sales": events(), "calls": calls}, columns={"calls": EventColumns(categories=["channel"])})
    assert "sales_amount_sum_30d" in found.features
    assert "calls_duration_mean" in found.features
    assert "calls_channel=web_share" in found.features
    only_calls = calls.assign(customer_id="nobody else").head(1).assign(day=DAY - 5)
    more = made({"sales": events(), "calls": only_calls})
    row = more.features.loc["nobody else"].iloc[0]
    assert row["sales_count"] == 0
    assert np.isnan(row["sales_recency_days"])
    assert row["calls_recency_days"] == 5
    assert more.label.loc["nobody else"].tolist() == [0]


def test_labels_are_what_happened_in_the_horizon():
    table = events(seed=3)
    inside = table[(table["day"] >= DAY) & (table["day"] < DAY + 30)]
    buys = inside[inside["amount"] >= 0]
    found = made(table).outcomes.droplevel("cutoff")
    assert found["bought"].eq(found.index.isin(buys["customer_id"])).all()
    assert found["purchases"].to_dict() == {
        who: buys.loc[buys["customer_id"] == who, "day"].nunique() for who in found.index
    }
    spent = inside.groupby("customer_id")["amount"].sum().reindex(found.index).fillna(0)
    np.testing.assert_allclose(found["amount"], spent)
    assert made(table, label="count").y.dtype == np.int64
    np.testing.assert_allclose(made(table, label="sum").y, spent)


def test_a_function_can_say_what_the_label_is():
    table = events(seed=3)

    def web(after, customers):
        assert set(after["customer_id"]) >= set()
        return after[after["channel"] == "web"].groupby("customer_id").size().reindex(customers).ge(1)

    found = made(table, label=web)
    inside = table[(table["day"] >= DAY) & (table["day"] < DAY + 30) & (table["channel"] == "web")]
    assert found.y.droplevel("cutoff").to_dict() == {
        who: who in set(inside["customer_id"]) for who in found.features.index.get_level_values(0)
    }
    score = made(table, label=lambda after, _: after.groupby("customer_id")["amount"].first())
    assert len(score.X) == len(score.y) < len(score.features)
    assert score.label.isna().sum() == len(score.features) - len(score.y)
    with pytest.raises(DataError, match="one label for each of the"):
        made(table, label=lambda *_: np.zeros(3))
    with pytest.raises(DataError, match="more than one label"):
        made(table, label=lambda after, _: pd.Series(1, index=after["customer_id"]))


def test_ids_that_are_numbers_are_text_for_the_function_too():
    table = events().assign(customer_id=lambda frame: frame["customer_id"].str[1:].astype(int))
    found = made(table, label=lambda after, customers: pd.Series(customers.isin(after["customer_id"]), customers))
    bought = made(table.assign(amount=table["amount"].abs()))
    assert found.y.astype(int).tolist() == bought.y.tolist()


def test_a_horizon_past_the_data_is_never_silently_zero():
    table = events()
    with pytest.raises(DataError, match="30 days from 2010-07-20 is not known yet"):
        made(table, ["2010-06-01", "2010-07-20"])
    with pytest.warns(DataWarning, match="2010-07-20 is not known yet.*label there is missing"):
        found = made(table, ["2010-06-01", "2010-07-20"], censored="unknown")
    assert found.label.xs("2010-07-20", level="cutoff").isna().all()
    assert found.X.index.get_level_values("cutoff").unique().tolist() == [pd.Timestamp("2010-06-01")]
    assert found.coverage["buyers"].isna().tolist() == [False, True]
    assert made(table, "2010-07-20", until="2010-09-01").label.notna().all()
    with pytest.raises(DataError, match="made without labels"):
        _ = found.apply(table, "2010-07-20", labels=False).y
    with pytest.raises(DataError, match="not known yet"):
        made(table).apply(table, "2030-01-01", until="2030-01-30")


def test_cold_customers_are_counted_and_get_rows_only_from_a_table_of_customers():
    table = pd.DataFrame({"customer_id": list("abc"), "day": [DAY - 3, DAY + 2, DAY + 70], "amount": 1.0})
    found = made(table)
    assert found.coverage.iloc[0].to_dict() == {"customers": 1, "buyers": 1, "cold": 1}
    people = pd.DataFrame({"customer_id": list("abcd"), "day": [DAY - 9, DAY - 1, DAY, DAY - 50]})
    known = made(table, customers=people)
    assert known.y.droplevel("cutoff").to_dict() == {"a": 0, "b": 1, "d": 0}  # c registered on the very day
    assert known.coverage["cold"].tolist() == [0]
    assert known.features["count"].droplevel("cutoff").to_dict() == {"a": 1, "b": 0, "d": 0}
    assert len(made(table, customers=people[["customer_id"]]).features) == 4
    only = made(table, customers=people.head(1))
    assert len(only.features) == 1
    assert only.coverage.iloc[0].to_dict() == {"customers": 1, "buyers": 1, "cold": 1}


def test_leap_days_and_year_ends_are_days_like_others():
    start = np.datetime64("2012-02-01").astype("datetime64[D]").astype(int)
    table = pd.DataFrame({"customer_id": "a", "day": start + np.arange(60), "amount": 1.0})
    found = made(table, ["2012-02-29", "2012-03-01"], windows=[10], horizon=5)
    assert found.features["count"].tolist() == [28, 29]
    assert found.features["count_10d"].tolist() == [10, 10]


def test_extreme_tables_are_computed_or_told():
    empty = events().iloc[:0]
    with pytest.warns(DataWarning, match="no customer is known before 2010-06-01"):
        assert len(made(empty, until="2010-08-01").features) == 0
    with pytest.warns(DataWarning, match="no customer is known before 2001-01-01: no rows there"):
        found = made(events(), ["2001-01-01", "2010-06-01"])
    assert found.coverage["customers"].tolist() == [0, 20]
    one = made(pd.DataFrame({"customer_id": ["a"], "day": [DAY - 1], "amount": [5.0]}), until="2010-08-01")
    assert one.features["amount_mean"].tolist() == [5.0]
    assert np.isnan(one.features["overdue"]).all()
    equal = made(pd.DataFrame({"customer_id": list("aabb"), "day": DAY - 1, "amount": 0.1}), until="2010-08-01")
    assert equal.features["amount_std"].tolist() == [0.0, 0.0]
    assert equal.features["count"].tolist() == [2, 2]  # equal lines are two lines
    back = made(pd.DataFrame({"customer_id": ["a"], "day": [DAY - 1], "amount": [-5.0]}), until="2010-08-01")
    assert back.features[["count", "refunds", "amount_sum"]].to_numpy().tolist() == [[0.0, 1.0, -5.0]]


def test_missing_amounts_are_counted_but_in_no_sum():
    table = pd.DataFrame({"customer_id": list("aab"), "day": DAY - 1, "amount": [2.0, np.nan, np.nan]})
    with pytest.warns(DataWarning, match="amount is missing in rows 1, 2: these rows are counted, but in no sum"):
        found = made(table, until="2010-08-01").features
    assert found["count"].tolist() == [2, 1]
    assert found["amount_sum"].tolist() == [2, 0]
    assert found["amount_mean"].iloc[0] == 2
    assert np.isnan(found["amount_mean"].iloc[1])


def test_windows_that_reach_back_before_the_data_are_told():
    with pytest.warns(DataWarning, match="windows of 365 days reach back before the first row"):
        features(events(days=100), "2010-06-01", windows=[30, 365], horizon=30)


def test_amounts_are_made_of_quantity_and_price():
    table = events().drop(columns="amount").assign(quantity=2.0, unit_price=3.0)
    with pytest.warns(DataWarning, match="amount is missing in row 3"):
        made(table.assign(unit_price=np.where(np.arange(300) == 3, np.nan, 1.0)))
    found = made(table)
    assert (found.features["amount_sum"] == 6 * found.features["count"]).all()
    assert (
        made(table, columns=EventColumns(measures=["amount", "quantity"])).features["quantity_max"].dropna() == 2
    ).all()


def test_items_and_words_become_a_few_numbers_that_stay():
    table = events(text=["退款 太慢", "very good", "好 评", "slow delivery"] * 75)
    words = Embedding("text", 2, CountVectorizer(analyzer=Analyzer()))
    found = made(table, columns=EventColumns(embeddings=[Embedding("product_id", 3), words]))
    assert found.features.columns[-5:].tolist() == ["product_id_1", "product_id_2", "product_id_3", "text_1", "text_2"]
    # Customers with the same items have the same numbers, whatever the order.
    twins = pd.concat([table, table[table["customer_id"] == "c1"].iloc[::-1].assign(customer_id="twin")])
    again = found.apply(twins, "2010-06-01", labels=False).features.droplevel("cutoff")
    np.testing.assert_allclose(again.loc["twin", "product_id_1":], again.loc["c1", "product_id_1":], atol=1e-12)
    unknown = found.apply(table.assign(product_id="new", text="?"), "2010-06-01", labels=False).features
    assert (unknown[["product_id_1", "text_1"]] == 0).all(axis=None)


def test_too_little_to_learn_from_is_told():
    lone = pd.DataFrame({"customer_id": ["a"], "day": [DAY - 1], "product_id": ["p"], "text": ["!"], "kind": ["x"]})
    columns = EventColumns(measures=[], embeddings=[Embedding("product_id", 2)])
    with pytest.warns(DataWarning, match="product_id gives 0 components of the 2 asked for"):
        assert "product_id_1" not in made(lone, columns=columns, until="2010-08-01").features
    silent = EventColumns(measures=[], embeddings=[Embedding("text", 1, CountVectorizer())])
    with pytest.warns(DataWarning, match="text gives 0 components"):
        made(lone, columns=silent, until="2010-08-01")
    with (
        pytest.warns(DataWarning, match="every value of kind is"),
        pytest.warns(DataWarning, match="no customer is known"),
    ):
        made(lone, "2009-01-01", columns=EventColumns(categories=["kind"]), until="2010-08-01")


def test_learning_from_later_rows_must_be_asked_for():
    table = events().assign(channel=lambda frame: np.where(frame["day"] < DAY - 100, "old", "new"))
    cutoffs = ["2010-02-15", "2010-06-01"]
    early = made(table, cutoffs, columns=EventColumns(categories=["channel"]))
    late = made(table, cutoffs, columns=EventColumns(categories=["channel"]), learn_before="2010-06-01")
    assert "channel=new_share" not in early.features
    assert "channel=new_share" in late.features


def test_every_column_is_described():
    columns = EventColumns(categories=["channel"], embeddings=[Embedding("product_id", 2)])
    found = made(events(), columns=columns)
    about = found.describe()
    assert about.index.tolist() == found.features.columns.tolist()
    assert about.loc["amount_sum_30d", "what"] == "sum of amount (net of refunds), last 30 days"
    assert about.loc["channel=门店_share", "what"] == "share of the rows whose channel is 门店"
    assert about.loc["days_ratio_90d", "what"] == "days with a row, over those of all time, last 90 days"
    assert about.loc["refunds", "what"] == "rows (refunds)"
    assert about.loc["count_30d", "window"] == 30
    assert about["missing"].sum() == found.features.isna().sum().sum()
    assert "20 rows at 1 cutoffs" in repr(found)
    assert "label bought: 20 known" in repr(found)
    page = found._repr_html_()
    assert "recency_days" in page
    assert "c1" not in page  # no customer is shown
    assert "horizon 30 days" in repr(found.apply(events(), "2010-06-01", labels=False))
    assert "next_bought" in found.frame.columns


def test_a_split_lets_no_label_of_training_reach_into_the_test():
    cutoffs = ["2010-03-01", "2010-04-01", "2010-05-01", "2010-06-01"]
    table = made(events(n=800, days=300), cutoffs, horizon=45)
    train, test, left_out = table.split()
    assert isinstance(train, FeatureTable)
    assert train.X.index.get_level_values("cutoff").max() == pd.Timestamp("2010-04-01")
    assert test.X.index.get_level_values("cutoff").unique().tolist() == [pd.Timestamp("2010-06-01")]
    assert len(train.X) + len(test.X) + left_out == len(table.X)
    assert train.coverage.index.tolist() == [pd.Timestamp("2010-03-01"), pd.Timestamp("2010-04-01")]
    middle = table.split(test="2010-05-01", gap=10)
    assert middle.train.X.index.get_level_values("cutoff").unique().tolist() == [pd.Timestamp("2010-03-01")]
    both = table.split(by="both", share=0.3)
    assert not set(both.train.customers) & set(both.test.customers)
    strangers = table.split(by="customer")
    assert strangers.left_out == 0
    assert len(set(strangers.test.customers)) == 5
    for options, message in (
        ({"by": "customer", "test": "2010-05-01"}, "does not look at"),
        ({"by": "both", "share": 1.5}, "share must lie"),
        ({"by": "row"}, "by must be one of"),
        ({"test": "2010-03-01"}, "leaves 0 rows to train on"),
        ({"test": "2010-05-01T12:00Z"}, "test must be a date"),
    ):
        with pytest.raises(DataError, match=message):
            table.split(**options)


def test_the_folds_of_a_table_know_its_horizon():
    table = made(events(n=800, days=300), ["2010-03-01", "2010-04-01", "2010-05-01", "2010-06-01"], horizon=45)
    model = crmkit.create("classifier", "boosting", max_iter=5)
    for by, number in (("time", 2), ("customer", 5), ("both", 10)):
        found = metrics.cross_validate(model, table.X, table.y, evaluators="accuracy", cv=table.folds(by))
        assert len(found.folds) == number
    assert table.folds("time").horizon == 45
    with pytest.raises(DataError, match="by must be one of"):
        table.folds("week")


def test_a_recipe_can_be_saved_and_used_again(tmp_path):
    pytest.importorskip("skops")
    columns = EventColumns(categories=["channel"], embeddings=[Embedding("product_id", 2)])
    found = made(events(), columns=columns)
    crmkit.save(found.recipe, tmp_path / "recipe.crmkit")
    loaded = crmkit.load(tmp_path / "recipe.crmkit")
    again = loaded.apply(events(), "2010-06-01")
    pd.testing.assert_frame_equal(found.features, again, check_exact=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": []}, "windows must be whole days"),
        ({"windows": [0]}, "windows must be whole days"),
        ({"windows": [1.5]}, "windows must be whole days"),
        ({"horizon": 0}, "horizon must be a whole number of days"),
        ({"horizon": True}, "horizon must be a whole number of days"),
        ({"label": "money"}, "label must be one of"),
        ({"censored": "zero"}, "censored must be"),
        ({"columns": EventColumns(categories="channel")}, r"write \['channel'\]"),
        ({"columns": EventColumns(categories=["chanel"])}, "nearest: 'channel'"),
        ({"columns": EventColumns(measures=["channel"])}, "channel must hold numbers"),
        ({"columns": EventColumns(categories=["channel"], top=0)}, "top must be a number of levels"),
        ({"columns": EventColumns(embeddings=[Embedding("product_id", 0)])}, "n_components must be"),
        ({"columns": EventColumns(embeddings=[Embedding("channel", 2, object())])}, "a vectorizer needs fit"),
        ({"columns": {"sales": EventColumns()}}, "columns names 'sales'"),
        ({"until": "2010-08-01T12:00Z"}, "until must be a date"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(options, message):
    with pytest.raises((DataError, TypeError), match=message):
        made(events(), **options)


@pytest.mark.parametrize(
    ("cutoffs", "message"),
    [
        ([], "at least one date or time"),
        (["2010-06-01", "2010-06-01"], "one moment twice"),
        (["2010-06-01", "2010-06-01T12:00"], "all dates or all times"),
        (["2010-06-01T12:00", "2010-06-01T12:00Z"], "all have a time zone"),
        ("2010-06-01T12:00Z", "needs the column 'time'"),
    ],
)
def test_cutoffs_that_mean_nothing_are_refused(cutoffs, message):
    with pytest.raises(DataError, match=message):
        made(events(), cutoffs)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="amount is infinite in row 0"):
        made(events(n=1, amount=[np.inf]))
    with pytest.raises(DataError, match="2 currencies"):
        made(events(n=2, currency=["GBP", "CNY"]))
    with pytest.raises(DataError, match="recorded_time must hold times"):
        made(events(n=1, recorded_time=["yesterday"]))
    with pytest.raises(DataError, match="two features have the name days_trend_30d"):
        made(events(days_trend_30d=1).assign(days=1.0), columns=EventColumns(measures=["days"]))
    with pytest.raises(DataError, match="needs the column amount"):
        made(events().drop(columns="amount"), label="sum")
    with pytest.raises(DataError, match="must have a name"):
        made({"": events()})
    with pytest.raises(DataError, match="columns must say of which table"):
        made({"a": events(), "b": events()}, columns=EventColumns())
    found = made({"a": events(), "b": events()})
    with pytest.raises(DataError, match="events lack the table 'b'"):
        found.apply({"a": events()}, "2010-06-01")
    timed = events().assign(time=lambda frame: pd.to_datetime(frame["day"], unit="D", utc=True))
    with pytest.raises(DataError, match="until must be a time with a time of day"):
        made(timed, "2010-06-01T12:00Z", until="2010-08-01")


@pytest.mark.parametrize(
    ("horizon", "cutoffs", "test"),
    [
        (30, ["2010-08-10", "2010-09-10", "2010-10-10"], "2010-11-09"),
        (90, ["2010-04-12", "2010-05-12", "2010-06-11"], "2010-09-10"),
    ],
)
def test_who_buys_next_at_online_retail_is_told_better_than_by_recency_or_frequency(
    online_retail, horizon, cutoffs, test
):
    with pytest.warns(DataWarning, match="starts in the middle of its customers' lives"):
        train = features(online_retail, cutoffs, windows=[30, 90], horizon=horizon)
    later = train.apply(online_retail, test)
    model = crmkit.create("classifier", "boosting", random_state=0).fit(train.X, train.y)
    chance = model.predict_proba(later.X)[:, 1]
    auc = metrics.roc_auc(later.y, chance)
    assert auc >= 0.73
    assert auc > metrics.roc_auc(later.y, -later.X["recency_days"].fillna(1e6))
    assert auc > metrics.roc_auc(later.y, later.X["days"])
    # The share of the latest cutoff whose label is known; that of 90 days before Christmas no table of a year tells.
    latest = train.y.xs(train.y.index.levels[1].max(), level="cutoff")
    now = (latest if horizon == 30 else later.y).mean()
    corrected = correct_prior(chance, trained=train.y.mean(), now=now)
    assert abs(corrected.mean() - later.y.mean()) <= 0.03


def test_a_first_table_without_rows_leaves_everyone_without_a_purchase():
    sales = events()
    nothing = sales.iloc[:0].drop(columns="amount")
    found = made({"complaints": nothing, "sales": sales}, until="2010-08-01")
    assert found.y.sum() == 0
    assert len(found.y) == 20


def test_warnings_point_at_the_line_that_asked():
    lone = pd.DataFrame({"customer_id": ["a"], "day": [DAY - 1], "amount": [np.nan], "kind": ["x"]})
    columns = EventColumns(categories=["kind"], embeddings=[Embedding("kind", 2)])
    options = {"windows": [30], "horizon": 30, "columns": columns, "until": "2010-06-20", "censored": "unknown"}
    with pytest.warns(DataWarning) as made_here:
        found = features(lone, ["2009-06-01", "2010-06-01"], **options)
    with pytest.warns(DataWarning) as applied_here:
        found.apply(lone, ["2009-06-01", "2010-06-01"], until="2010-06-20")
    assert len(made_here) == 6
    assert len(applied_here) == 3
    assert {one.filename for one in [*made_here, *applied_here]} == {__file__}


@pytest.mark.parametrize("columns", [{"amount": ["20.0", "-5.0"]}, {"quantity": ["1", "-1"], "unit_price": [2.0, 3.0]}])
def test_money_that_was_never_read_as_numbers_is_refused(columns):
    """Left out without a word, a refund would count as a purchase."""
    events = pd.DataFrame({"customer_id": ["a", "a"], "day": [0, 40], **columns})
    with pytest.raises(DataError, match=f"{next(iter(columns))} must hold numbers"):
        features(events, ["1970-01-31"], windows=[30], horizon=30, until="1970-06-01")
    told = EventColumns(measures=[])
    made = features(events, ["1970-01-31"], windows=[30], horizon=30, until="1970-06-01", columns=told)
    assert made.y.tolist() == [1]


def test_a_recipe_says_how_much_it_makes_and_shows_no_level():
    sales = events().assign(channel="Zebedee")
    found = made({"sales": sales}, columns={"sales": EventColumns(categories=["channel"])})
    assert f"{found.features.shape[1]} features of 'sales'" in repr(found.recipe)
    assert "Zebedee" not in repr(found.recipe)
