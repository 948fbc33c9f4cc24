from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import metrics
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import Embedding, EventColumns, audit, features, label_knowledge

DAY = np.datetime64("2010-06-01").astype("datetime64[D]").astype(int)


def events(n=400, customers=30, seed=0, **more):
    rng = np.random.default_rng(seed)
    day = DAY - 150 + rng.integers(210, size=n)
    table = {
        "customer_id": [f"c{number}" for number in rng.integers(customers, size=n)],
        "day": day,
        "time": pd.to_datetime(day, unit="D", utc=True) + pd.to_timedelta(rng.integers(86_400, size=n), unit="s"),
        "amount": np.round(rng.gamma(2.0, 10.0, n), 2),
        "product_id": [f"p{number}" for number in rng.integers(8, size=n)],
        "channel": rng.choice(["门店", "web", "app"], size=n).tolist(),
    }
    return pd.DataFrame({**table, **more})


def made(table, cutoffs=("2010-05-01", "2010-06-01"), **options):
    return features(table, list(cutoffs), **{"windows": [14, 20], "horizon": 30, **options})


COLUMNS = EventColumns(categories=["channel"], top=2, embeddings=[Embedding("product_id", 2)])


def by_customer(function):
    """Make a feature function of one that reads the rows it is given."""

    def features_at(table, cutoff):
        past = table[table["day"] < cutoff.day]
        return function(past, table, cutoff)

    return features_at


@pytest.mark.parametrize("cutoffs", [("2010-05-01", "2010-06-01"), ("2010-05-01T08:00Z", "2010-06-01T08:00Z")])
def test_our_own_features_move_under_no_change_of_the_future(cutoffs):
    table = events()
    found = audit(made(table, cutoffs, columns=COLUMNS), table, threshold=1.1)
    assert found.ok
    assert found.leaking == []
    assert len(found.trials) == 8
    assert found.trials["touched"].min() > 0
    assert "no feature moved" in repr(found)
    assert "the most telling feature" in repr(found)


def test_what_was_recorded_late_moves_nothing_either():
    table = events()
    table["recorded_time"] = table["time"] + pd.Timedelta(hours=1)
    for cutoffs in (["2010-06-01"], ["2010-06-01T08:00Z"]):
        found = audit(made(table, cutoffs, columns=COLUMNS), table)
        assert found.leaking == []
        assert "added with a date before the cutoff, recorded after it" in set(found.trials["how"])


def test_a_function_that_ignores_when_rows_were_recorded_is_named():
    table = events()
    table["recorded_time"] = table["time"]

    def totals(rows, cutoff):
        return rows[rows["day"] < cutoff.day].groupby("customer_id")["amount"].sum()

    found = audit(totals, table, "2010-06-01")
    assert found.leaking == ["(which rows there are)", "amount"]
    assert set(found.moved["how"]) == {"added with a date before the cutoff, recorded after it"}


def test_several_tables_are_changed_together():
    sales, calls = events(), events(seed=1).drop(columns=["amount", "product_id"])
    found = audit(made({"sales": sales, "calls": calls}), {"sales": sales, "calls": calls}, threshold=1.1)
    assert found.ok


def test_a_table_made_by_apply_is_audited_with_what_was_learned():
    table = events()
    later = made(table, ["2010-05-01"], columns=COLUMNS).apply(table, "2010-06-01")
    assert audit(later, table, threshold=1.1).ok


def test_learning_after_the_first_cutoff_is_seen():
    table = events()
    table.loc[table["day"] >= DAY - 31, "channel"] = "new"
    columns = EventColumns(categories=["channel"], embeddings=[Embedding("product_id", 2)])
    found = audit(made(table, columns=columns, learn_before="2010-06-01"), table)
    assert {"channel=new_share", "product_id_1"} <= set(found.leaking)
    assert set(found.moved["cutoff"]) == {"2010-05-01"}


def test_each_way_of_reading_the_future_is_caught_and_named():
    table = events()

    def everything(past, rows, cutoff):
        who = past.groupby("customer_id")
        result = pd.DataFrame({"fair": who["amount"].sum()})
        ahead = rows[(rows["day"] >= cutoff.day) & (rows["day"] < cutoff.day + 30)]
        result["label_window"] = ahead.groupby("customer_id").size().reindex(result.index).fillna(0)
        at = rows[rows["day"] <= cutoff.day]
        result["cutoff_itself"] = at.groupby("customer_id")["amount"].sum().reindex(result.index)
        # Scaled by what all rows say, those of the future among them.
        result["scaled"] = result["fair"] / rows["amount"].mean()
        result["rank_of_items"] = rows["product_id"].value_counts().index.get_loc("p0")
        return result

    found = audit(by_customer(everything), table, "2010-06-01")
    assert found.leaking == ["cutoff_itself", "label_window", "rank_of_items", "scaled"]
    at = found.moved[found.moved["feature"] == "cutoff_itself"]
    assert "added at the cutoff" in set(at["how"])
    assert "cutoff_itself reads the future" in repr(found)
    assert "cutoff_itself" in found._repr_html_()


def test_customers_chosen_by_what_they_did_later_are_caught():
    def returning(past, rows, cutoff):
        later = rows.loc[rows["day"] >= cutoff.day, "customer_id"]
        return past[past["customer_id"].isin(later)].groupby("customer_id")["amount"].sum()

    assert "(which rows there are)" in audit(by_customer(returning), events(customers=300), "2010-06-01").leaking


def test_columns_that_come_and_go_with_the_future_are_caught():
    def levels(past, rows, cutoff):
        del cutoff
        wide = pd.get_dummies(past["product_id"]).groupby(past["customer_id"]).sum()
        return wide.reindex(columns=sorted(rows["product_id"].unique()), fill_value=0)

    table = events()
    table.loc[table["day"] >= DAY, "product_id"] = "future"
    assert "future" in audit(by_customer(levels), table, "2010-06-01").leaking


def test_categories_are_compared_too():
    def favourite(past, rows, cutoff):
        del past, cutoff
        return rows.groupby("customer_id")["channel"].agg(lambda values: values.iloc[-1] if len(values) else None)

    assert "channel" in audit(by_customer(favourite), events(), "2010-06-01").leaking


def test_a_function_that_needs_the_future_to_work_is_told():
    def fails(past, rows, cutoff):
        del past
        return 1 / len(rows[rows["day"] >= cutoff.day])

    with pytest.raises(DataError, match="must be a DataFrame with a row a customer"):
        audit(by_customer(fails), events(), "2010-06-01")

    def empty(past, rows, cutoff):
        rows[rows["day"] >= cutoff.day].iloc[0]
        return past.groupby("customer_id")["amount"].sum()

    with pytest.raises(DataError, match="once events from then on are removed: they need the future"):
        audit(by_customer(empty), events(), "2010-06-01")
    with pytest.raises(DataError, match="cutoffs must be named"):
        audit(by_customer(empty), events())
    with pytest.raises(DataError, match="one row a customer"):
        audit(lambda rows, _: rows.set_index("customer_id"), events(), "2010-06-01")


def test_a_column_filled_in_later_moves_nothing_but_tells_the_label():
    table = events(customers=200, n=2_000)
    bought = table.loc[(table["day"] >= DAY) & (table["day"] < DAY + 30), "customer_id"].unique()
    table["status"] = np.where(table["customer_id"].isin(bought), "active", "lapsed")

    def with_status(past, rows, cutoff):
        del rows, cutoff
        return past.groupby("customer_id").agg(amount=("amount", "sum"), status=("status", "first"))

    label = pd.Series(1, index=bought).reindex(table["customer_id"].unique()).fillna(0)
    found = audit(by_customer(with_status), table, "2010-06-01", label=label)
    assert found.leaking == []
    assert found.suspect == ["status"]
    assert not found.ok
    assert "status equals the label: AUC" in repr(found)


def test_features_that_know_the_label_are_flagged_whatever_their_kind():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=2_000)
    noise = rng.normal(size=2_000)
    X = pd.DataFrame(
        {
            "same": y,
            "other_name": np.where(y == 1, "yes", "no"),
            "turned_round": -y * 10.0 + noise,
            "missing_says_it": np.where(y == 1, noise, np.nan),
            "in_the_middle": np.where(y == 1, noise * 0.01, np.sign(noise) * (1 + np.abs(noise))),
            "levels": [f"{value}{letter}" for value, letter in zip(y, rng.choice(list("abc"), 2_000), strict=True)],
            "good": y + 2 * noise,
            "noise": noise,
            "constant": 1,
            "unknown": np.nan,
            "id": [f"c{number}" for number in range(2_000)],
        }
    )
    found = label_knowledge(X, y)
    telling = {"same", "other_name", "turned_round", "missing_says_it", "in_the_middle", "levels"}
    assert set(found.index[found["suspect"]]) == telling
    assert set(found.index[found["equals_label"]]) == {"same", "other_name"}
    assert found.loc["noise", "auc"] < 0.6
    assert found.loc[["constant", "unknown"], "auc"].tolist() == [0.5, 0.5]
    assert found.loc["id", "auc"] < 0.6
    assert found.loc["missing_says_it", "by"] in {"missing", "order"}
    assert (found["low"] <= found["auc"]).all()


def test_labels_of_many_numbers_and_of_several_classes_are_measured():
    rng = np.random.default_rng(0)
    spend = rng.gamma(1.0, 50.0, 500)
    X = pd.DataFrame({"leak": spend * 1.1, "copy": spend, "noise": rng.normal(size=500)})
    found = label_knowledge(X, spend)
    assert found.index[found["suspect"]].tolist() == ["leak", "copy"]
    assert found["equals_label"].to_dict() == {"leak": False, "copy": True, "noise": False}
    mark = rng.choice(["好", "中", "差"], 500)
    told = label_knowledge(pd.DataFrame({"leak": np.where(mark == "差", 1, 0), "noise": X["noise"]}), mark)
    assert told.index[told["suspect"]].tolist() == ["leak"]
    mostly = np.where(np.arange(500) < 400, 5.0, np.arange(500) % 3)
    assert not label_knowledge(X[["noise"]], mostly)["suspect"].any()


def test_a_large_table_is_measured_on_a_sample():
    y = np.arange(120_000) % 2
    found = label_knowledge(pd.DataFrame({"same": y}), y)
    assert found.loc["same", "n"] == 100_000
    assert found["suspect"].all()


def test_labels_that_say_nothing_are_refused():
    X = pd.DataFrame({"a": [1, 2, 3]})
    with pytest.raises(DataError, match="one label only"):
        label_knowledge(X, [1, 1, 1])
    with pytest.raises(DataError, match="3 rows and y has 2"):
        label_knowledge(X, [1, 0])
    with pytest.raises(DataError, match="missing labels"):
        label_knowledge(X, [1, 0, np.nan])
    lone = pd.DataFrame({"customer_id": ["a"], "day": [DAY - 100], "amount": [1.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        table = features(lone, "2010-06-01", windows=[5], horizon=30, until="2010-09-01")
    assert audit(table, lone).ok


def test_a_feature_that_reads_the_label_window_of_online_retail_gives_1_and_is_flagged(online_retail):
    with pytest.warns(DataWarning, match="middle of its customers' lives"):
        table = features(online_retail, "2010-10-10", windows=[30, 90], horizon=30)
    leaking = table.X.assign(lines_next_month=table.outcomes["purchases"])
    model = crmkit.create("classifier", "boosting", max_iter=20, random_state=0).fit(leaking, table.y)
    assert float(metrics.roc_auc(table.y, model.predict_proba(leaking)[:, 1])) == 1.0
    found = label_knowledge(leaking, table.y)
    assert found.index[found["suspect"]].tolist() == ["lines_next_month"]
    assert found.loc["lines_next_month", "auc"] == 1.0
