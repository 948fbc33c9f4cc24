from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect import compare_arms
from crmkit.effect._arm_means import arm_means
from crmkit.effect._intervals import newcombe_p_value, t_p_value


@pytest.fixture(scope="module")
def hillstrom(data_file):
    return pd.read_csv(data_file("hillstrom/hillstrom.csv"))


def two_arms(treated, control):
    return pd.DataFrame(
        {"arm": ["call"] * len(treated) + ["control"] * len(control), "y": np.r_[treated, control].astype(float)}
    )


@pytest.mark.parametrize(
    ("outcome", "scale", "mens", "womens"),
    # Published: visit +7.66 and +4.52 points, conversion +.68 and +.31 points, spend +$.77 and +$.42 (Hillstrom 2008).
    [("visit", 100, 7.66, 4.52), ("conversion", 100, 0.68, 0.31), ("spend", 1, 0.77, 0.42)],
)
def test_hillstroms_effects_are_the_published_ones_with_intervals_that_leave_zero_out(
    hillstrom, outcome, scale, mens, womens
):
    result = compare_arms(hillstrom, outcome=outcome, arm="segment", control="No E-Mail")
    effects = result.effects
    assert round(scale * effects["Mens E-Mail"], 2) == mens
    assert round(scale * effects["Womens E-Mail"], 2) == womens
    assert all(effect.low > 0 for effect in effects.values())
    assert result.table["n"].to_dict() == {"No E-Mail": 21306, "Mens E-Mail": 21307, "Womens E-Mail": 21387}
    assert result.sample_ratio.ok


def test_without_covariates_means_agree_with_welch():
    rng = np.random.default_rng(0)
    treated, control = rng.normal(1, 3, 40), rng.normal(0.5, 1, 25)
    effect = compare_arms(two_arms(treated, control), outcome="y").effect
    welch = stats.ttest_ind(treated, control, equal_var=False)
    ends = welch.confidence_interval(0.95)
    assert (effect.low, effect.high) == pytest.approx((ends.low, ends.high))
    assert compare_arms(two_arms(treated, control), outcome="y").table.loc["call", "p_value"] == pytest.approx(
        welch.pvalue
    )


def test_shares_get_newcombes_interval():
    # Newcombe 1998, table II, method 10, case (a): 56/70 against 48/80.
    table = two_arms(np.repeat([1, 0], [56, 14]), np.repeat([1, 0], [48, 32]))
    effect = compare_arms(table, outcome="y").effect
    assert (round(effect.low, 4), round(effect.high, 4)) == (0.0524, 0.3339)
    # Case (h): 10/10 against 0/10, where the usual interval has no width.
    extreme = compare_arms(two_arms(np.ones(10), np.zeros(10)), outcome="y").effect
    assert (round(extreme.low, 4), round(extreme.high, 4)) == (0.6075, 1.0)


@pytest.mark.parametrize("hits", [(30, 20), (20, 30), (25, 24), (40, 12)])
def test_the_p_value_of_shares_agrees_with_their_interval(hits):
    table = two_arms(np.repeat([1, 0], [hits[0], 100 - hits[0]]), np.repeat([1, 0], [hits[1], 100 - hits[1]]))
    p_value = compare_arms(table, outcome="y").table.loc["call", "p_value"]
    effect = compare_arms(table, outcome="y", level=1 - p_value).effect
    assert min(abs(effect.low), abs(effect.high)) == pytest.approx(0, abs=1e-6)


def test_a_difference_beyond_doubt_has_a_p_value_near_zero():
    table = two_arms(np.repeat([1, 0], [95, 5]), np.repeat([1, 0], [3, 97]))
    assert compare_arms(table, outcome="y").table.loc["call", "p_value"] < 1e-12


def test_equal_shares_have_a_p_value_of_one():
    assert compare_arms(two_arms([1, 0], [1, 0]), outcome="y").table.loc["call", "p_value"] == 1


def test_several_arms_agree_with_dunnett():
    rng = np.random.default_rng(0)
    control, b, c = rng.normal(0, 1, 400), rng.normal(0.2, 1, 400), rng.normal(0.05, 1, 400)
    table = pd.DataFrame({"arm": np.repeat(["control", "b", "c"], 400), "y": np.r_[control, b, c]})
    result = compare_arms(table, outcome="y")
    dunnett = stats.dunnett(b, c, control=control, random_state=0)
    ends = dunnett.confidence_interval()
    ours = result.table.loc[["b", "c"]]
    # scipy pools the variance of all arms; ours does not, so that they agree to sampling error of the variances.
    assert ours["low"].to_numpy() == pytest.approx(ends.low, abs=0.01)
    assert ours["high"].to_numpy() == pytest.approx(ends.high, abs=0.01)
    assert ours["p_adjusted"].to_numpy() == pytest.approx(dunnett.pvalue, abs=0.02)
    alone = compare_arms(table, outcome="y", simultaneous=False)
    assert alone.effects["b"].low > result.effects["b"].low
    assert result.method == "welch, dunnett"
    assert alone.method == "welch"


def test_lins_adjustment_is_the_fully_interacted_regression():
    rng = np.random.default_rng(1)
    n = 60
    x = rng.normal(size=n)
    arm = rng.permutation(np.repeat([0, 1], n // 2))
    y = 1 + arm * (0.5 + x) + 2 * x + rng.normal(size=n)
    table = pd.DataFrame({"arm": np.where(arm, "call", "control"), "y": y, "x": x})
    result = compare_arms(table, outcome="y", covariates="x")
    centred = x - x.mean()
    design = np.column_stack([np.ones(n), arm, centred, arm * centred])
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    residual = y - design @ coefficients
    meat = (design * (residual**2 / (1 - leverage))[:, None]).T @ design
    hc2 = (inverse @ meat @ inverse)[1, 1]
    # The mean of the covariates is estimated too: slope of the interaction squared, times its variance.
    centre = coefficients[3] ** 2 * np.sum(centred**2) / n**2
    cross = 2 * coefficients[3] * np.sum((inverse @ design.T)[1] * residual / np.sqrt(1 - leverage) * centred) / n
    half = (result.effect.high - result.effect.low) / 2
    freedom = 2 * (n / 2 - 2)
    assert float(result.effect) == pytest.approx(coefficients[1])
    assert half == pytest.approx(np.sqrt(hc2 + centre + cross) * stats.t.ppf(0.975, freedom), rel=0.02)


def test_a_covariate_known_before_removes_the_variance_it_explains():
    rng = np.random.default_rng(2)
    before = rng.normal(size=4000)
    arm = rng.permutation(np.repeat(["call", "control"], 2000))
    table = pd.DataFrame({"arm": arm, "before": before, "y": 0.8 * before + rng.normal(0, 0.6, 4000)})
    result = compare_arms(table, outcome="y", covariates="before")
    # The squared correlation is .8^2 / (.8^2 + .6^2) = .64.
    assert result.table.loc["call", "variance_reduction"] == pytest.approx(0.64, abs=0.03)
    assert np.isnan(compare_arms(table, outcome="y").table.loc["call", "variance_reduction"])


def test_categories_and_gaps_in_covariates_are_used_and_told():
    rng = np.random.default_rng(3)
    city = rng.choice(["北京", "上海", "Leeds"], 600)
    age = np.where(rng.random(600) < 0.1, np.nan, rng.normal(40, 9, 600))
    table = pd.DataFrame({"arm": np.repeat(["call", "control"], 300), "city": city, "age": age})
    table["y"] = (city == "北京") * 2.0 + rng.normal(size=600)
    with pytest.warns(DataWarning, match=r"age \(\d+\)"):
        result = compare_arms(table, outcome="y", covariates=["city", "age"])
    assert result.table.loc["call", "variance_reduction"] > 0.3


def test_a_covariate_that_one_arm_lacks_is_left_out_and_told():
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        {"arm": np.repeat(["call", "control"], 50), "y": rng.normal(size=100), "x": rng.normal(size=100)}
    )
    table["only"] = np.where(table["arm"] == "call", rng.normal(size=100), 0.0)
    table["twice"] = 2 * table["x"]
    with pytest.warns(DataWarning, match="left out of the adjustment: (only, twice|only, x)"):
        result = compare_arms(table, outcome="y", covariates=["x", "only", "twice"])
    x_only = compare_arms(table, outcome="y", covariates="x")
    assert float(result.effect) == pytest.approx(float(x_only.effect))


def test_covariates_that_differ_between_arms_by_more_than_chance_are_told():
    # Visits after the mail: measured after the assignment, they take the effect away.
    rng = np.random.default_rng(11)
    table = pd.DataFrame({"arm": np.repeat(["call", "control"], 500), "age": rng.normal(size=1000)})
    table["after"] = rng.normal(size=1000) + (table["arm"] == "call")
    table["y"] = table["after"] + 0.1 * rng.normal(size=1000)
    with pytest.warns(DataWarning, match="differ between the arms by more than chance: after; either they were meas"):
        result = compare_arms(table, outcome="y", covariates=["age", "after"])
    assert result.effect.high < 0.5
    assert compare_arms(table, outcome="y", covariates="age").effect.low > 0.5


def test_only_covariates_that_were_used_are_named():
    rng = np.random.default_rng(12)
    table = pd.DataFrame({"arm": ["call", "control"] * 50, "y": rng.normal(size=100), "x": rng.normal(size=100)})
    with pytest.warns(DataWarning, match="same does not vary, so it adjusts for nothing"):
        result = compare_arms(table.assign(same=1), outcome="y", covariates=["x", "same"])
    assert result.covariates == ("x",)
    with pytest.warns(DataWarning, match="gone does not vary"), pytest.warns(DataWarning, match="gone .100."):
        assert compare_arms(table.assign(gone=np.nan), outcome="y", covariates="gone").covariates == ()


def test_customers_with_several_rows_and_no_cluster_are_told():
    rng = np.random.default_rng(13)
    table = pd.DataFrame(
        {"customer_id": np.arange(100) // 2, "arm": np.arange(100) // 2 % 2, "y": rng.normal(size=100)}
    )
    for given in (table, table.set_index("customer_id")):
        with pytest.warns(DataWarning, match="50 rows are further rows of the same customer_id"):
            compare_arms(given, outcome="y")
    assert compare_arms(table, outcome="y", cluster="customer_id").effect.n == 50


@pytest.mark.parametrize("offset", [1e9, 1e12])
def test_outcomes_far_from_zero_keep_their_interval(offset):
    rng = np.random.default_rng(14)
    near = two_arms(rng.normal(size=100), rng.normal(size=100))
    far = near.assign(y=near["y"] + offset)
    ends = [(effect.low, effect.high) for effect in (compare_arms(one, outcome="y").effect for one in (near, far))]
    assert ends[1] == pytest.approx(ends[0], abs=1e-3)


def test_the_lift_of_a_score_below_zero_is_not_given():
    table = two_arms(np.r_[np.full(50, -10.0), np.full(50, 0.0)], np.r_[np.full(50, -30.0), np.full(50, -20.0)])
    lift = compare_arms(table, outcome="y").lifts["call"]
    assert np.isnan(lift)
    assert np.isnan(lift.low)


def test_zero_as_a_decimal_number_is_a_control():
    table = two_arms([1, 2, 4], [1, 2, 3])
    table["arm"] = np.where(table["arm"] == "call", 1.0, 0.0)
    assert compare_arms(table, outcome="y").control == 0.0


def test_clusters_that_agree_widen_the_interval_as_their_means_do():
    rng = np.random.default_rng(5)
    customer = np.repeat(np.arange(200), 5)
    arm = np.where(np.arange(200) % 2, "call", "control")[customer]
    level = rng.normal(size=200)[customer]
    table = pd.DataFrame({"arm": arm, "customer_id": customer.astype(str), "y": level + 0.1 * rng.normal(size=1000)})
    result = compare_arms(table, outcome="y", cluster="customer_id")
    means = table.groupby(["customer_id", "arm"], as_index=False)["y"].mean()
    by_customer = compare_arms(means, outcome="y").effect
    # With clusters of one size the cluster-robust interval is that of the clusters' means, but for (n-1)/(n-k).
    assert result.effect.low == pytest.approx(by_customer.low, rel=0.01)
    assert result.effect.n == 200
    assert result.sample_ratio.table["n"].sum() == 200
    assert "clustered" in result.method


def test_clusters_across_arms_take_their_common_part_off():
    rng = np.random.default_rng(6)
    customer = np.tile(np.arange(100), 2)
    level = 5 * rng.normal(size=100)[customer]
    table = pd.DataFrame(
        {"arm": np.repeat(["call", "control"], 100), "customer_id": customer, "y": level + rng.normal(size=200)}
    )
    paired = compare_arms(table, outcome="y", cluster="customer_id").effect
    test = stats.ttest_rel(table["y"][:100], table["y"][100:]).confidence_interval(0.95)
    assert (paired.low, paired.high) == pytest.approx((test.low, test.high), rel=0.02, abs=0.01)


def test_the_lift_has_fiellers_interval_and_none_where_the_control_may_be_zero():
    rng = np.random.default_rng(7)
    lift = compare_arms(two_arms(rng.normal(12, 1, 500), rng.normal(10, 1, 500)), outcome="y").lifts["call"]
    assert lift.low < 0.2 < lift.high
    assert lift.high - lift.low < 0.05
    unsure = compare_arms(two_arms(rng.normal(1, 1, 50), rng.normal(0, 1, 50)), outcome="y").lifts["call"]
    assert np.isnan(unsure.low)


def test_arms_of_other_sizes_than_designed_are_told_and_a_design_can_be_given():
    table = two_arms(np.tile([0, 1], 1000), np.tile([0, 1], 100))
    with pytest.warns(DataWarning, match="not as large as designed"):
        result = compare_arms(table, outcome="y")
    assert not result.sample_ratio.ok
    assert compare_arms(table, outcome="y", allocation={"call": 10, "control": 1}).sample_ratio.ok


def test_missing_outcomes_are_counted_by_arm():
    table = two_arms([1.0, 2.0, np.nan, 4.0], [1.0, 2.0, 3.0, np.nan])
    table.loc[8] = [None, 1.0]
    with pytest.warns(DataWarning) as told:
        result = compare_arms(table, outcome="y")
    assert {"1 rows have no arm and are left out"} <= {str(one.message) for one in told}
    assert result.table["missing"].tolist() == [1, 1]
    assert result.table["n"].tolist() == [3, 3]


def test_an_outcome_that_does_not_vary_has_no_interval():
    with pytest.warns(DataWarning, match="does not vary"):
        effect = compare_arms(two_arms([2, 2, 2], [3, 3, 3]), outcome="y").effect
    assert float(effect) == -1
    assert np.isnan(effect.low)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arm": ["x", "x", "x", "x"]}, "at least two arms"),
        ({"arm": ["x", "x", "y", "y"]}, "say which arm is the control"),
        ({"arm": ["call", "call", "call", "control"]}, "'control' has 1 independent rows"),
        ({"y": [1.0, np.inf, 2.0, 3.0]}, "y is infinite in row 1"),
        ({"y": ["1", "b", "c", "d"]}, "y must hold numbers"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(change, message):
    table = pd.DataFrame({"arm": ["call", "call", "control", "control"], "y": [1.0, 2.0, 3.0, 5.0]}).assign(**change)
    with pytest.raises(DataError, match=message):
        compare_arms(table, outcome="y")


def test_wrong_arguments_are_refused():
    table = two_arms([1, 2, 3], [1, 2, 3])
    with pytest.raises(DataError, match="has no column"):
        compare_arms(table, outcome="z")
    with pytest.raises(DataError, match="no arm 'mail'"):
        compare_arms(table, outcome="y", control="mail")
    with pytest.raises(DataError, match="different columns"):
        compare_arms(table, outcome="y", covariates="y")
    with pytest.raises(DataError, match="planned"):
        compare_arms(table, outcome="y", sequential=True, planned=0)
    with pytest.raises(DataError, match="no rows"):
        compare_arms(table.iloc[:0], outcome="y")
    with pytest.raises(DataError, match="too many for an arm"):
        compare_arms(table.assign(a=[1, 5, 2, 8, 1, 0], b=[2, 1, 1, 0, 1, 1]), outcome="y", covariates=["a", "b"])
    three = pd.concat([table, pd.DataFrame({"arm": "mail", "y": [1.0, 2.0, 4.0]})])
    with pytest.raises(ValueError, match="take effects"):
        _ = compare_arms(three, outcome="y").effect


@pytest.mark.parametrize(
    ("values", "kind"), [([0, 1, 1, 0], "binary"), ([0, 3, 1, 2], "count"), ([0.5, 1, 2, 1], "continuous")]
)
def test_the_kind_of_outcome_is_named(values, kind):
    assert compare_arms(two_arms(values, values), outcome="y").kind == kind


def test_it_shows_itself_escaped():
    table = two_arms([1, 0, 1, 0], [0, 0, 1, 0]).replace({"call": "<b>"})
    result = compare_arms(table, outcome="y")
    assert "newcombe" in repr(result)
    assert "&lt;b&gt;" in result._repr_html_()
    assert isinstance(result.effect, Estimate)


def test_truth_values_categories_and_an_index_of_customers_are_read():
    table = pd.DataFrame(
        {"arm": pd.Categorical(["control", "call"] * 20), "y": [True, False, False, True] * 10},
        index=pd.Index([f"c{at // 2}" for at in range(40)], name="customer_id"),
    )
    result = compare_arms(table, outcome="y", cluster="customer_id")
    assert result.table["units"].tolist() == [20, 20]


@pytest.mark.parametrize("kind", ["share", "mean", "adjusted"])
def test_experiments_without_effect_are_rejected_in_about_one_of_twenty(kind):
    # The arrays below compare_arms, which the tests above tie to it: 2,000 tables would take a minute.
    rng = np.random.default_rng(8)
    runs, n = 2_000, 400
    arm = np.repeat([0, 1], n // 2)
    p_values = np.empty(runs)
    for at in range(runs):
        x = rng.normal(size=(n, 1))
        if kind == "share":
            hits = rng.binomial(n // 2, 0.3, 2)
            p_values[at] = newcombe_p_value((hits[0], hits[1]), (n // 2, n // 2))
        else:
            y = x[:, 0] + rng.exponential(size=n)
            means = arm_means(y, arm, 2, covariates=x if kind == "adjusted" else None)
            p_values[at] = t_p_value(*means.difference(1, 0))
    assert 0.04 <= (p_values < 0.05).mean() <= 0.06
