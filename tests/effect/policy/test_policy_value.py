from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import policy_value

ARMS = ["call", "none"]


def logged(n, seed, *, effect=1.0):
    """Give decisions that depended on x, and outcomes that bend in x, so that a straight model is wrong."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    chance = 1 / (1 + np.exp(-1.2 * x))
    called = rng.random(n) < chance
    y = 2 * np.exp(0.8 * x) + called * effect * x + rng.normal(size=n)
    table = pd.DataFrame({"x": x, "arm": np.where(called, "call", "none"), "y": y})
    table["chance"] = np.where(called, chance, 1 - chance)
    table["policy"] = np.where(x > 0, "call", "none")
    return table


# E[2 exp(.8 x)] = 2 exp(.32); the policy calls where x > 0 and gains E[max(x, 0)] = 1 / sqrt(2 pi).
TRUTH = 2 * np.exp(0.32) + 1 / np.sqrt(2 * np.pi)


class Straight(RegressorMixin, BaseEstimator):
    """A line by least squares, without the checks that would take most of the time of 600 runs."""

    def fit(self, X, y):
        self.line_ = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y, rcond=None)[0]
        return self

    def predict(self, X):
        return np.column_stack([np.ones(len(X)), X]) @ self.line_


@pytest.mark.slow
def test_aipw_intervals_cover_the_truth_and_the_plug_in_is_biased():
    runs = 500
    covered = 0
    plug_in = np.empty(100)
    given = {"policy": "policy", "outcome": "y", "covariates": "x", "propensity": "chance", "n_folds": 2}
    for run in range(runs):
        table = logged(1_000, run)
        value = policy_value(table, outcome_model=Straight(), **given)["policy"]
        covered += value.low <= TRUTH <= value.high
        if run < len(plug_in):
            plug_in[run] = float(policy_value(table, method="plug-in", outcome_model=Straight(), **given)["policy"])
    assert 0.93 <= covered / runs <= 0.97
    # The straight model misses the bend: its error is many of its own standard errors, whatever n.
    assert abs(plug_in.mean() - TRUTH) > 0.1
    assert abs(plug_in.mean() - TRUTH) > 10 * plug_in.std() / np.sqrt(len(plug_in))


@pytest.mark.parametrize("model", ["logistic", LogisticRegression()])
def test_chances_can_be_learned(model):
    table = logged(4_000, 1)
    value = policy_value(table, policy="policy", outcome="y", covariates="x", propensity_model=model)["policy"]
    assert value.low <= TRUTH <= value.high
    assert "learned" in value.method


def test_shares_as_chances_of_a_constant_policy_give_the_arms_mean():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"arm": rng.choice(ARMS, 500), "y": rng.normal(size=500)})
    for method in ("aipw", "ipw"):
        value = policy_value(table, policy={"call": 1}, outcome="y", method=method)["policy"]
        assert float(value) == pytest.approx(table.loc[table["arm"] == "call", "y"].mean(), abs=0.01)
    assert value.high - value.low == pytest.approx(
        2 * 1.96 * table.loc[table["arm"] == "call", "y"].std() / np.sqrt((table["arm"] == "call").sum()), rel=0.01
    )


def test_the_outcome_model_narrows_the_interval_that_weighting_alone_gives():
    table = logged(2_000, 2)
    given = {"policy": "policy", "outcome": "y", "covariates": "x", "propensity": "chance"}
    alone = policy_value(table, method="ipw", **given)["policy"]
    both = policy_value(table, outcome_model=DecisionTreeRegressor(max_depth=4, random_state=0), **given)["policy"]
    assert both.high - both.low < alone.high - alone.low


def test_policies_are_compared_row_by_row():
    table = logged(2_000, 3)
    policies = {
        "column": "policy",
        "same": table["policy"].to_numpy(),
        "function": lambda frame: np.where(frame["x"] > 0, "call", "none"),
        "table": pd.DataFrame({"call": (table["x"] > 0).astype(float), "none": (table["x"] <= 0).astype(float)}),
        "category": table["policy"].astype("category"),
        "shares": {"call": 0.5, "none": 0.5},
    }
    given = {"outcome": "y", "covariates": "x", "propensity": "chance"}
    values = policy_value(table, policy=policies, baseline="column", **given)
    same = values.differences.loc[["same", "function", "table", "category"]]
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    gain = values.gains["shares"]
    unpaired = np.hypot(*(values[name].high - float(values[name]) for name in ("column", "shares")))
    assert gain.high - float(gain) < unpaired
    assert list(values.differences.index)[-1] == "as logged"
    assert float(values["as logged"]) == pytest.approx(table["y"].mean())
    # Half the calls at random gain nothing: the policy's gain over it is what it gains over calling nobody.
    assert gain.low <= -1 / np.sqrt(2 * np.pi) <= gain.high


def test_known_chances_come_in_several_forms():
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"arm": rng.choice(ARMS, 800, p=[0.25, 0.75]), "y": rng.normal(size=800)})
    table["taken"] = np.where(table["arm"] == "call", 0.25, 0.75)
    table["of call"] = 0.25
    given = {"policy": {"call": 0.5, "none": 0.5}, "outcome": "y"}
    by_column = policy_value(table, propensity="taken", **given)["policy"]
    by_arm = policy_value(table, propensity={"call": "of call", "none": 0.75}, **given)["policy"]
    assert float(by_column) == float(by_arm)
    by_number = policy_value(table, propensity=0.5, **given)["policy"]
    assert float(by_number) != float(by_arm)


def test_clusters_that_agree_widen_the_interval():
    table = logged(400, 5)
    many = pd.concat([table.assign(customer_id=np.arange(400))] * 5, ignore_index=True)
    given = {"policy": "policy", "outcome": "y", "covariates": "x", "propensity": "chance"}
    honest = policy_value(many, cluster="customer_id", **given)["policy"]
    blind = policy_value(many, **given)["policy"]
    assert honest.n == 400
    assert (honest.high - honest.low) / (blind.high - blind.low) == pytest.approx(np.sqrt(5), rel=0.05)


def test_weights_that_cannot_be_right_are_told():
    # The call went to everybody above 0: nobody knows what it would have done for the others.
    rng = np.random.default_rng(20)
    x = rng.normal(size=2000)
    table = pd.DataFrame(
        {"x": x, "arm": np.where(x > 0, "call", "none"), "y": x + 0.5 * (x > 0) + rng.normal(size=2000)}
    )
    given = {"policy": {"call": 1}, "outcome": "y", "covariates": "x"}
    with pytest.warns(DataWarning, match=r"weights must average 1, and do not: policy \(0\.5"):
        values = policy_value(table, propensity_model="logistic", **given)
    assert values.table.loc["policy", "mean_weight"] < 0.6
    with pytest.warns(DataWarning, match="weights must average 1"):
        policy_value(table.assign(sure=1.0), propensity="sure", **given)
    with pytest.warns(DataWarning, match=r"covariates differ between the arms by more than chance \(x\)"):
        policy_value(table, **given)


def test_right_chances_have_weights_that_average_one():
    values = policy_value(logged(3_000, 21), policy="policy", outcome="y", covariates="x", propensity="chance")
    assert values.table["mean_weight"].to_numpy() == pytest.approx(1, abs=0.05)
    assert values.table.loc["as logged", "mean_weight"] == 1


def test_a_policy_whose_rows_may_stand_in_another_order_is_refused():
    table = logged(1_000, 22)
    given = {"outcome": "y", "covariates": "x", "propensity": "chance"}
    right = policy_value(table, policy="policy", **given)["policy"]
    for policy in (table["policy"].iloc[::-1], pd.get_dummies(table["policy"]).iloc[::-1]):
        with pytest.raises(DataError, match="another index than the table"):
            policy_value(table, policy=policy, **given)
    half = table.sample(frac=1, random_state=0)
    with pytest.raises(DataError, match="another index than the table"):
        policy_value(half, policy=half["policy"].reset_index(drop=True), **given)
    named = table.set_index(pd.Index([f"c{at}" for at in range(1_000)], name="customer_id"))
    counted = policy_value(named, policy=named["policy"].reset_index(drop=True), **given)["policy"]
    assert float(counted) == float(right)
    part = policy_value(half.iloc[:900], policy=half["policy"].iloc[:900], **given)
    assert part.n == 900


def test_what_was_really_done_can_be_the_baseline_and_its_name_is_taken():
    table = logged(1_000, 23)
    given = {"outcome": "y", "covariates": "x", "propensity": "chance"}
    values = policy_value(table, policy={"ours": "policy"}, baseline="as logged", **given)
    assert values.baseline == "as logged"
    with pytest.raises(DataError, match="cannot be called 'as logged'"):
        policy_value(table, policy={"as logged": "policy"}, **given)


def test_chances_of_all_arms_that_do_not_sum_to_one_are_refused():
    table = logged(50, 24)
    with pytest.raises(DataError, match="sum to 1; of the rows used, rows 0, 1"):
        policy_value(table, policy={"call": 1}, outcome="y", propensity={"call": 0.5, "none": 0.9})


def test_clipped_chances_and_few_effective_rows_are_told():
    table = logged(300, 6)
    table.loc[:4, "chance"] = 1e-5
    table.loc[:4, "policy"] = table.loc[:4, "arm"]
    with pytest.warns(DataWarning) as told:
        values = policy_value(table, policy="policy", outcome="y", propensity="chance", covariates="x")
    messages = " ".join(str(one.message) for one in told)
    assert "policy (5) rows" in messages
    assert "effective rows" in messages
    assert values.table.loc["policy", "clipped"] == 5
    assert values.table.loc["policy", "effective_n"] < 100
    with pytest.raises(DataError, match="the chance of the arm given is 0 in row 0"):
        policy_value(
            table.assign(chance=[0.0] + [0.5] * 299),
            policy="policy",
            outcome="y",
            propensity="chance",
            min_propensity=0,
        )


def test_rows_without_outcome_or_arm_are_left_out_and_told():
    table = logged(400, 7)
    table.loc[3, "y"] = np.nan
    table.loc[7, "arm"] = None
    with pytest.warns(DataWarning, match="2 rows have no arm or no y.*rows 3, 7"):
        values = policy_value(table, policy="policy", outcome="y", propensity="chance")
    assert values.n == 398


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "magic"}, "method must be"),
        ({"min_propensity": 1.0}, "min_propensity"),
        ({"propensity_model": "logistic", "propensity": 0.5}, "give either"),
        ({"propensity_model": "logistic"}, "needs covariates"),
        ({"policy": "call"}, r"write \{'call': 1\}"),
        ({"policy": {"mail": 1.0}}, "names mail"),
        ({"policy": {"call": 0.7}}, "sum to 1"),
        ({"policy": {}}, "no policy"),
        ({"policy": ["call"]}, "one arm for each of 50 rows"),
        ({"policy": ["mail"] * 50}, "gives no arm, or one that nobody was given, in rows 0"),
        ({"policy": pd.DataFrame({"mail": [1.0] * 50})}, "columns among"),
        ({"baseline": "other"}, "is no policy"),
        ({"propensity": {"call": 0.5}}, "propensity names call"),
        ({"propensity": 1.5}, "between 0 and 1"),
        ({"n_folds": 1}, "n_folds"),
        ({"arm": "one"}, "at least two arms"),
    ],
)
def test_what_cannot_be_valued_is_refused(change, message):
    table = logged(50, 8).assign(one="call")
    with pytest.raises(DataError, match=message):
        policy_value(table, **{"policy": "policy", "outcome": "y", **change})


def test_an_arm_or_policy_without_rows_is_refused():
    table = logged(50, 8)
    table["arm"] = ["call"] * 49 + ["none"]
    with pytest.raises(DataError, match="too few rows to learn"):
        policy_value(table, policy={"call": 1}, outcome="y")
    with pytest.raises(DataError, match="followed in no row"):
        policy_value(table, policy=np.where(table["arm"] == "call", "none", "call"), outcome="y", method="ipw")
    with pytest.raises(DataError, match="no row has both"):
        policy_value(table.assign(y=np.nan), policy={"call": 1}, outcome="y")


def test_values_show_themselves():
    values = policy_value(logged(400, 9), policy={"<b>": "policy"}, outcome="y", propensity="chance")
    assert "less as logged" in repr(values)
    assert "&lt;b&gt;" in values._repr_html_()


def test_hillstroms_policy_under_a_mail_budget_on_a_held_out_half(data_file):
    # All men's mail is hard to beat, and half the mails sent by a simple model gain no more than half sent at random.
    table = pd.read_csv(data_file("hillstrom/hillstrom.csv"))
    mens, womens, none = "Mens E-Mail", "Womens E-Mail", "No E-Mail"
    known = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]
    learn = np.random.default_rng(0).random(len(table)) < 0.5
    numbers = pd.get_dummies(table[known]).astype(float)
    forecast = np.column_stack(
        [
            crmkit.create("regressor", "ridge")
            .fit(numbers[learn & (table["segment"] == arm)], table.loc[learn & (table["segment"] == arm), "visit"])
            .predict(numbers[~learn])
            for arm in (mens, womens, none)
        ]
    )
    held = table[~learn].reset_index(drop=True)
    gain = forecast[:, :2].max(axis=1) - forecast[:, 2]
    mailed = gain >= np.quantile(gain, 0.5)
    best = np.where(forecast[:, 0] >= forecast[:, 1], mens, womens)
    values = policy_value(
        held,
        policy={
            "model, half": np.where(mailed, best, none),
            "men's, a random half": {mens: 0.5, none: 0.5},
            "model, all": np.array([mens, womens, none])[forecast.argmax(axis=1)],
            "all men's": {mens: 1.0},
            "all women's": {womens: 1.0},
            "none": {none: 1.0},
            "random": dict.fromkeys((mens, womens, none), 1 / 3),
        },
        arm="segment",
        outcome="visit",
        covariates=known,
        propensity=dict.fromkeys((mens, womens, none), 1 / 3),
        baseline="all men's",
    )
    gains = values.gains
    assert gains["none"].high < gains["random"].high < 0
    assert gains["all women's"].high < 0
    assert gains["model, all"].low < 0 < gains["model, all"].high
    assert values["model, half"].low > float(values["none"])
    half, by_chance = values["model, half"], values["men's, a random half"]
    assert abs(half - by_chance) < half.high - half.low
    assert values.table["effective_n"].min() > 10_000
