from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import drivers


def answers(seed=0, n=4000):
    rng = np.random.default_rng(seed)
    channel = rng.choice(["app", "call", "shop"], n, p=[0.5, 0.3, 0.2])
    late = rng.random(n) < np.where(channel == "call", 0.5, 0.1)
    low = rng.random(n) < 0.1 + 0.3 * late
    return pd.DataFrame({"channel": channel, "late": late, "wait": rng.exponential(5, n), "low": low})


def test_an_association_that_another_cause_explains_goes_when_adjusted():
    result = drivers(answers(), outcome="low", causes=["late", "channel", "wait"])
    call = result.table.loc[("channel", "call")]
    late = result.estimates["late", True]
    assert call["raw"] > 0.08
    assert call["low"] < 0 < call["high"]
    assert late.low < 0.3 < late.high
    assert result.reference == {"late": False, "channel": "app"}
    assert result.causes.index[0] == "late"
    assert (result.causes["p_adjusted"] >= result.causes["p_value"]).all()


def test_slopes_and_errors_are_least_squares_with_hc3():
    table = answers(n=200)
    result = drivers(table, outcome="low", causes=["late", "wait"])
    scaled = (table["wait"] - table["wait"].mean()) / table["wait"].std(ddof=0)
    design = np.column_stack([np.ones(200), table["late"], scaled])
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ table["low"]
    residual = table["low"] - design @ slopes
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    meat = (design * ((residual / (1 - leverage)) ** 2).to_numpy()[:, None]).T @ design
    error = np.sqrt(np.diag(inverse @ meat @ inverse))[1:]
    table = result.table
    assert table["difference"].to_numpy() == pytest.approx(slopes[1:])
    assert ((table["high"] - table["low"]) / 2).to_numpy() == pytest.approx(1.972 * error, rel=1e-3)


def test_of_twenty_causes_of_nothing_few_look_sure():
    found = any_found = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame({f"cause {at}": rng.choice(["x", "y"], 500) for at in range(20)})
        table["low"] = rng.random(500) < 0.2
        result = drivers(table, outcome="low", causes=[name for name in table if name != "low"])
        found += int((result.table["p_value"] < 0.05).sum())
        any_found += bool((result.table["p_adjusted"] < 0.05).any())
    assert 0.03 <= found / 1200 <= 0.07
    assert any_found <= 8


def test_rows_of_one_customer_count_as_one():
    table = answers(n=500)
    many = pd.concat([table.assign(customer_id=np.arange(500))] * 4, ignore_index=True)
    honest = drivers(many, outcome="low", causes="late", cluster="customer_id")
    once = drivers(table, outcome="low", causes="late")
    assert honest.n == 500
    wide = (honest.table["high"] - honest.table["low"]).to_numpy()
    assert wide == pytest.approx((once.table["high"] - once.table["low"]).to_numpy(), rel=0.02)
    assert "clustered" in honest.method


def test_rare_and_missing_values_are_values_of_their_own():
    table = answers(n=600)
    table["channel"] = table["channel"].astype(object)
    table.loc[:29, "channel"] = None
    table.loc[30:35, "channel"] = "fax"
    table.loc[40:69, "wait"] = np.nan
    result = drivers(table, outcome="low", causes=["channel", "wait"])
    assert {("channel", "(missing)"), ("channel", "(rare)"), ("wait", "(missing)")} <= set(result.table.index)
    assert result.table.loc[("channel", "(missing)"), "n"] == 30


def test_what_cannot_be_told_apart_is_told():
    table = answers(n=400).assign(again=lambda t: t["late"])
    with pytest.warns(DataWarning, match="cannot be told apart from them: (again|late)=True"):
        result = drivers(table, outcome="low", causes=["late", "again"])
    assert len(result.table) == 1


def test_causes_with_a_single_value_are_told():
    with pytest.warns(DataWarning, match="a single value, so that there is nothing to compare: same"):
        drivers(answers(n=200).assign(same=3.0), outcome="low", causes=["late", "same"])


def test_a_cause_with_more_values_than_clusters_can_tell_has_no_p_value_as_a_whole():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"shop": np.repeat(np.arange(6), 100), "product": rng.choice(list("abcdefgh"), 600)})
    table["low"] = rng.random(600) < 0.2
    with pytest.warns(DataWarning, match="only 6 clusters"):
        result = drivers(table, outcome="low", causes="product", cluster="shop")
    assert np.isnan(result.causes.loc["product", "p_value"])


def test_an_outcome_that_the_causes_explain_wholly_has_no_p_value():
    table = pd.DataFrame({"x": ["a", "b"] * 50, "low": [0, 1] * 50})
    row = drivers(table, outcome="low", causes="x").table.iloc[0]
    assert row["difference"] == pytest.approx(-1) or row["difference"] == pytest.approx(1)
    assert np.isnan(row["p_value"])


def test_missing_outcomes_are_told():
    table = answers(n=100).astype({"low": float})
    table.loc[5, "low"] = np.nan
    with pytest.warns(DataWarning, match="low is missing in 1 rows"):
        assert drivers(table, outcome="low", causes="channel").n == 99


def test_it_says_that_it_is_association():
    result = drivers(answers(n=200), outcome="low", causes=["late", "wait"])
    assert "association, not effect" in repr(result)
    assert "association, not effect" in result._repr_html_()
    assert "one standard deviation" in repr(drivers(answers(n=200), outcome="low", causes="wait"))


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        ({}, {"causes": []}, "one or more columns"),
        ({}, {"causes": "low"}, "other than the outcome"),
        ({"low": np.nan}, {}, "nothing to explain"),
        ({"low": 1}, {}, "one value only"),
        ({"late": "x"}, {}, "no cause has more than one value"),
        ({"late": [f"c{at}" for at in range(300)]}, {}, "300 values"),
        ({"one": 1}, {"cluster": "one"}, "one cluster"),
    ],
)
def test_what_cannot_be_explained_is_refused(change, given, message):
    with pytest.raises(DataError, match=message):
        drivers(answers(n=300).assign(**change), **{"outcome": "low", "causes": "late", **given})


def test_too_few_rows_are_refused():
    table = pd.DataFrame({"a": [0, 1, 2.0], "b": [1, 0, 3.0], "low": [0, 1, 0]})
    with pytest.raises(DataError, match="too few"):
        drivers(table, outcome="low", causes=["a", "b"])
