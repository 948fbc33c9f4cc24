from __future__ import annotations

from copy import copy

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.value import BGNBD, GammaGamma, ParetoNBD, compare, lifetime_value, tracking
from crmkit.value._coefficients import with_coefficients

CHANNELS = np.array(["app", "shop", "web"])
BUYING = {"channel=shop": 0.5, "channel=web": -0.4, "visits": 0.3}
LEAVING = {"channel=shop": -0.6, "channel=web": 0.5}


def covariates(random, n):
    """Draw a channel, a number of visits before the first purchase, and the effect on the logarithm of a rate."""
    channel, visits = random.integers(0, 3, n), random.poisson(2.0, n)
    table = pd.DataFrame({"channel": CHANNELS[channel], "visits": visits})
    terms = {"channel=shop": channel == 1, "channel=web": channel == 2, "visits": visits}
    return table, lambda effects: sum(effects[name] * terms[name] for name in effects)


def pareto(n, *, seed=0, buying=BUYING, leaving=LEAVING):
    """Draw from the Pareto/NBD process with covariates."""
    random = np.random.default_rng(seed)
    table, effect = covariates(random, n)
    rate, leave = random.gamma(0.8, 1 / 10, n) * np.exp(effect(buying)), random.gamma(0.9, 1 / 20, n)
    life = random.exponential(1, n) / (leave * np.exp(effect(leaving)))
    age = 26 + random.integers(0, 6, n) * 4.0
    seen = np.minimum(life, age)
    x = random.poisson(rate * seen)
    last = np.where(x > 0, seen * random.random(n) ** (1 / np.maximum(x, 1)), 0.0)
    summary = pd.DataFrame({"repeats": x, "last_purchase_weeks": last, "age_weeks": age})
    return summary.join(table).set_index(pd.Index([f"c{number}" for number in range(n)], name="customer_id"))


def bg(n, *, seed=0):
    """Draw from the BG/NBD process with covariates."""
    random = np.random.default_rng(seed)
    table, effect = covariates(random, n)
    rate = random.gamma(0.8, 1 / 6, n) * np.exp(effect(BUYING))
    leave = random.beta(0.8 * np.exp(effect({"channel=shop": 0.7})), 2.5 * np.exp(effect({"channel=web": 0.6})))
    age, time, last, x, alive = random.uniform(26, 52, n), np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    while alive.any():
        time += random.exponential(1.0, n) / rate
        alive &= time < age
        x += alive
        last = np.where(alive, time, last)
        alive &= random.random(n) > leave
    return pd.DataFrame({"repeats": x.astype(int), "last_purchase_weeks": last, "age_weeks": age}).join(table)


@pytest.fixture(scope="module")
def table():
    """Give a summary with covariates."""
    return pareto(3000)


@pytest.fixture(scope="module", params=[ParetoNBD, BGNBD], ids=["pareto-nbd", "bg-nbd"])
def model(request, table):
    """Give each model fitted with covariates of both kinds."""
    both = {"purchase_covariates": ("channel", "visits"), "leaving_covariates": ["channel"]}
    return request.param(**both).fit(table)


def test_the_effects_a_process_was_made_with_are_recovered_by_pareto_nbd():
    model = ParetoNBD(purchase_covariates=("channel", "visits"), leaving_covariates=("channel",)).fit(pareto(8_000))
    truth = {"r": 0.8, "alpha": 10.0, "s": 0.9, "beta": 20.0}
    truth |= {f"purchase:{name}": effect for name, effect in BUYING.items()}
    truth |= {f"leaving:{name}": effect for name, effect in LEAVING.items()}
    assert list(model.params_) == list(truth)
    for name, true in truth.items():
        assert abs(model.params_[name] - true) < 3 * model.standard_errors_[name], name
        assert model.standard_errors_[name] < 0.3 * max(true, 1), name
    assert model.likelihood_ratio_["df"] == 5
    assert model.likelihood_ratio_["p_value"] < 1e-20


def test_the_effects_a_process_was_made_with_are_recovered_by_bg_nbd():
    model = BGNBD(purchase_covariates=("channel", "visits"), leaving_covariates=("channel",)).fit(bg(8_000))
    truth = {"r": 0.8, "alpha": 6.0, "a": 0.8, "b": 2.5}
    truth |= {f"purchase:{name}": effect for name, effect in BUYING.items()}
    truth |= {"leaving a:channel=shop": 0.7, "leaving a:channel=web": 0.0}
    truth |= {"leaving b:channel=shop": 0.0, "leaving b:channel=web": 0.6}
    assert list(model.params_) == list(truth)
    for name, true in truth.items():
        assert abs(model.params_[name] - true) < 3 * model.standard_errors_[name], name


@pytest.mark.parametrize("kind", [ParetoNBD, BGNBD])
def test_a_covariate_of_no_effect_has_an_interval_that_covers_0(kind):
    covered, p_values = [], []
    for seed in range(16):
        table = pareto(2000, seed=seed, buying={"visits": 0.0}, leaving={"visits": 0.0})
        model = kind(purchase_covariates=("visits",)).fit(table)
        row = model.covariate_table(level=0.8).loc["purchase:visits"]
        covered.append(row["low"] <= 0 <= row["high"])
        p_values.append(model.likelihood_ratio_["p_value"])
    # Four in five on average; of 16 draws at least 9 but for one time in a hundred.
    assert np.sum(covered) >= 9
    assert 0.25 < np.mean(p_values) < 0.75


@pytest.mark.parametrize("kind", [ParetoNBD, BGNBD])
def test_the_likelihood_is_that_of_each_customer_alone(kind, table):
    few = table.head(300)
    model = kind(purchase_covariates=("channel", "visits"), leaving_covariates=("channel",))
    read = model._table(few, "week")
    model._learn_covariates(read)
    rows, coefficients = model._rows(read), model._coefficients()
    movable = [any(name == block[2] for block in model._blocks) for name in model._names]
    by_group = model._by_group(rows.x, rows.t_x, rows.T, rows.weights, rows.groups)
    objective = with_coefficients(by_group, 4, movable, coefficients, rows.design)
    point = np.concatenate([[-0.2, 2.1, -0.1, 2.5], np.linspace(-0.6, 0.7, len(coefficients))])
    value, gradient = objective(point)
    effects = {coefficient.name: effect for coefficient, effect in zip(coefficients, point[4:], strict=True)}
    alone = 0.0
    for row in few.itertuples():
        theta = point[:4].copy()
        for coefficient in coefficients:
            term = coefficient.name.split(":")[1]
            z = row.visits if term == "visits" else float(term == f"channel={row.channel}")
            theta[coefficient.parameter] += coefficient.sign * effects[coefficient.name] * z
        columns = (np.array([float(v)]) for v in (row.repeats, row.last_purchase_weeks, row.age_weeks, 1.0))
        alone += kind()._objective(*columns)(theta)[0]
    assert value == pytest.approx(alone, rel=1e-11)
    assert check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], point) < 1e-5 * np.abs(gradient).max()


@pytest.mark.parametrize("kind", [ParetoNBD, BGNBD])
def test_coefficients_of_0_give_the_model_without_covariates(kind, table):
    plain = kind().fit(table)
    model = kind(purchase_covariates=("visits",), leaving_covariates=("channel",)).fit(table)
    for name in model.params_:
        model.params_[name] = plain.params_.get(name, 0.0)
    with_columns, without = (one.predict(table, horizon=26, n_max=2) for one in (model, plain))
    pd.testing.assert_frame_equal(with_columns, without, rtol=1e-12)
    assert model.expected_count([5.0, 50.0]) == pytest.approx(plain.expected_count([5.0, 50.0]), rel=1e-12)


def test_the_likelihood_is_no_less_than_without_covariates(model, table):
    plain = type(model)().fit(table)
    assert model.log_likelihood_ > plain.log_likelihood_
    ratio = model.likelihood_ratio_
    assert ratio["statistic"] == pytest.approx(2 * (model.log_likelihood_ - plain.log_likelihood_), abs=1e-6)
    assert model.aic_ == pytest.approx(2 * len(model.params_) - 2 * model.log_likelihood_)


def test_a_fit_is_where_the_likelihood_is_greatest(model, table):
    rows = model._rows(model._table(table, "week"))
    movable = [any(name == block[2] for block in model._blocks) for name in model._names]
    by_group = model._by_group(rows.x, rows.t_x, rows.T, rows.weights, rows.groups)
    objective = with_coefficients(by_group, 4, movable, model._coefficients(), rows.design)
    values = np.array(list(model.params_.values()))
    values[:4] = np.log(values[:4])
    value, gradient = objective(values)
    assert -value == pytest.approx(model.log_likelihood_, abs=1e-6)
    assert np.abs(gradient).max() < 1e-3
    assert model.covariance_.shape == (len(values), len(values))


def test_the_unit_and_the_scale_of_a_covariate_change_no_forecast(model, table):
    days = table.rename(columns={"last_purchase_weeks": "last_purchase_days", "age_weeks": "age_days"})
    days[["last_purchase_days", "age_days"]] *= 7
    days["visits"] = 1000.0 * days["visits"] + 2000.0
    other = type(model)(**model.get_params()).fit(days)
    mine, theirs = model.predict(table, horizon=26, level=0.9), other.predict(days, horizon=182, level=0.9)
    assert np.allclose(mine, theirs, rtol=1e-5)
    assert other.params_["purchase:visits"] == pytest.approx(model.params_["purchase:visits"] / 1000, rel=1e-5)
    assert other.params_["purchase:channel=web"] == pytest.approx(model.params_["purchase:channel=web"], rel=1e-4)
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_ - table["repeats"].sum() * np.log(7), abs=1e-5)
    # A coefficient tells what one more does, so that its effect over the covariate's spread is the same.
    mine, theirs = model.covariate_table(), other.covariate_table()
    assert theirs.loc["purchase:visits", "standard_error"] * 1000 == pytest.approx(
        mine.loc["purchase:visits", "standard_error"], rel=1e-4
    )


def test_customers_who_differ_in_covariates_are_forecast_apart(model):
    kinds = pd.DataFrame(
        {"repeats": 2, "last_purchase_weeks": 20.0, "age_weeks": 39.0, "channel": list(CHANNELS), "visits": [1, 1, 1]}
    )
    got = model.predict(kinds, horizon=26, level=0.95)
    assert got["expected_purchases"].nunique() == 3
    assert ((got["low"] < got["expected_purchases"]) & (got["expected_purchases"] < got["high"])).all()
    alone = model.predict(kinds.iloc[[2]], horizon=26, level=0.95)
    assert np.allclose(alone, got.iloc[[2]])


def test_the_table_of_covariates_says_what_they_multiply(model):
    got = model.covariate_table(level=0.95)
    assert got.index.tolist() == list(model.params_)[4:]
    assert np.allclose(got["factor"], np.exp(got["coefficient"]))
    assert np.allclose(got["high"] - got["low"], 2 * 1.959964 * got["standard_error"], rtol=1e-5)
    assert ((got["factor_low"] < got["factor"]) & (got["factor"] < got["factor_high"])).all()
    assert got.loc["purchase:channel=shop", "p_value"] < 1e-6
    whole = model.parameter_table(level=0.95)
    assert np.allclose(whole.loc[got.index, ["low", "high"]], got[["low", "high"]])
    assert (whole["low"].iloc[:4] > 0).all()
    assert np.allclose(whole["low"].iloc[:4] * whole["high"].iloc[:4], whole["value"].iloc[:4] ** 2)
    for level in (0, 1.0):
        with pytest.raises(DataError, match="level must be between 0 and 1"):
            model.covariate_table(level)


def test_value_and_residual_purchases_follow_the_covariates(model, table):
    few = table.head(40).assign(repeat_spend=lambda frame: np.where(frame["repeats"] > 0, 10.0 + frame["visits"], 0.0))
    spend = GammaGamma()
    spend.params_ = {"p": 6.0, "q": 4.0, "gamma": 15.0}
    residual = model.residual_purchases(few, horizon=52, level=None)["residual_purchases"]
    # The sum of weekly forecasts, discounted from the end of each week.
    forecasts = [model.predict(few, horizon=week)["expected_purchases"].to_numpy() for week in range(53)]
    discount = 1.1 ** (-np.arange(1, 53) * 7 / 365.25)
    assert np.allclose(residual, discount @ np.diff(forecasts, axis=0), rtol=1e-7)

    class Ten:
        """Everyone spends ten."""

        def predict(self, summary):
            """Forecast."""
            return pd.DataFrame({"expected_spend": 10.0}, index=summary.index)

    worth = lifetime_value(model, Ten(), few, horizon=52, margin=0.5)
    assert np.allclose(worth["lifetime_value"], 5 * residual, rtol=1e-7)
    assert (worth["low"] < worth["high"]).all()


def test_purchases_without_end_may_be_infinite_for_the_kinds_that_stay(model, table):
    shape = "s" if isinstance(model, ParetoNBD) else "a"
    slow = copy(model)
    slow.params_ = {**model.params_, shape: 0.9}
    with pytest.raises(DataError, match=rf"{shape} is 0\.\d+, at most 1"):
        slow.residual_purchases(table.head(5), annual_discount_rate=0.0, level=None)
    assert np.isfinite(model.residual_purchases(table.head(5))).all().all()


def test_a_new_customer_is_forecast_from_covariates_or_as_the_mean_of_all(model, table):
    times = np.array([4.0, 26.0])
    web = pd.DataFrame({"channel": ["web"], "visits": [3]})
    new = pd.DataFrame({"repeats": [0], "last_purchase_weeks": [0.0], "age_weeks": [0.0]}).join(web)
    wanted = [model.predict(new, horizon=time)["expected_purchases"].iloc[0] for time in times]
    assert model.expected_count(times, web) == pytest.approx(wanted, rel=1e-12)
    assert model.expected_count(times, pd.concat([web, web])) == pytest.approx(wanted, rel=1e-12)
    everyone = table.assign(repeats=0, last_purchase_weeks=0.0, age_weeks=0.0)
    mean = [model.predict(everyone, horizon=time)["expected_purchases"].mean() for time in times]
    assert model.expected_count(times) == pytest.approx(mean, rel=1e-10)
    chances = model.count_probabilities(26.0, 3, web)
    assert chances == pytest.approx(model.predict(new, horizon=26, n_max=3).iloc[0, 2:].to_numpy(dtype=float))
    overall = model.predict(everyone, horizon=26, n_max=3).iloc[:, 2:].mean()
    assert model.count_probabilities(26.0, 3) == pytest.approx(overall.to_numpy(dtype=float), rel=1e-9)
    with pytest.raises(DataError, match="1 row or 2, got 3"):
        model.expected_count(times, pd.concat([web] * 3))
    with pytest.raises(DataError, match="has no column 'visits'"):
        model.expected_count(times, web[["channel"]])
    with pytest.raises(DataError, match="fitted without covariates"):
        BGNBD().fit(table).expected_count(times, web)


def test_a_covariate_with_many_values_is_averaged_over_a_thousand_of_them(table):
    many = table.assign(visits=np.random.default_rng(0).normal(2, 1, len(table)))
    model = ParetoNBD(purchase_covariates=["visits"]).fit(many)
    assert len(model.kinds_) == 1000
    everyone = many.assign(repeats=0, last_purchase_weeks=0.0, age_weeks=0.0)
    mean = model.predict(everyone, horizon=26)["expected_purchases"].mean()
    assert model.expected_count(26.0)[0] == pytest.approx(mean, rel=1e-3)


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (lambda t: t["channel"].astype("category"), ["channel=shop", "channel=web"]),
        (lambda t: pd.Categorical(t["channel"], ["web", "phone", "app", "shop"]), ["channel=app", "channel=shop"]),
        (lambda t: t["channel"].astype("string"), ["channel=shop", "channel=web"]),
        (lambda t: (t["channel"] == "web").astype("boolean"), ["channel"]),
        (lambda t: (t["channel"] == "web").astype(object), ["channel=True"]),
        (lambda t: (t["channel"] == "web").astype("Int64"), ["channel"]),
        (lambda t: t["channel"].map({"app": "应用", "shop": "门店", "web": "网站"}), ["channel=网站", "channel=门店"]),
    ],
    ids=["category", "declared-order", "string", "boolean", "object-bool", "Int64", "chinese"],
)
def test_columns_of_every_kind_are_read(table, column, names):
    few = table.head(1500)
    summary = few.assign(channel=column(few))
    model = ParetoNBD(purchase_covariates=["channel"]).fit(summary)
    assert list(model.params_)[4:] == [f"purchase:{name}" for name in names]
    reference = ParetoNBD(purchase_covariates=["channel"]).fit(few)
    if len(names) == 2:
        assert model.log_likelihood_ == pytest.approx(reference.log_likelihood_, abs=1e-6)
        wanted = reference.predict(few)["expected_purchases"]
        assert np.allclose(model.predict(summary)["expected_purchases"], wanted, rtol=1e-4)


def test_a_level_that_was_never_seen_is_refused_without_telling_it(model, table):
    strange = table.head(4).assign(channel=["app", "SECRET", "web", "SECRET"])
    with pytest.raises(
        DataError, match="covariate 'channel' is of a level that no customer fitted on had in rows 1, 3"
    ) as caught:
        model.predict(strange)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"visits": [1.0, np.nan, 3.0] * 10}, "covariate 'visits' is missing in rows 1, 4"),
        ({"visits": [1.0, np.inf, 3.0] * 10}, "covariate 'visits' is infinite in rows 1, 4"),
        ({"channel": ["a", None, "b"] * 10}, "covariate 'channel' is missing in rows 1, 4"),
        ({"channel": ["a"] * 30}, "covariate 'channel' is the same for every customer"),
        ({"visits": [3] * 30}, "covariate 'visits' is the same for every customer"),
        ({"visits": [1e12, 1e12 + 1, 1e12 + 2] * 10}, "'visits' hardly varies for its size: subtract a constant"),
        ({"channel": ["a", "b", "b"] * 10, "visits": [0, 1, 1] * 10}, r"'visits' \('visits'\) follows .*channel=b"),
        ({"channel": pd.date_range("2024-01-01", periods=30)}, "must hold numbers, truth values, text or categories"),
        ({"channel": ["a", 3, "b"] * 10}, "got object with something else in rows 1, 4"),
    ],
)  # fmt: skip
def test_covariates_that_cannot_be_used_are_refused(table, changes, message):
    summary = table.head(30).assign(**changes)
    with pytest.raises(DataError, match=message):
        ParetoNBD(purchase_covariates=("channel", "visits")).fit(summary)


def test_an_identifier_is_no_covariate(table):
    summary = table.assign(channel=[f"city {number % 900}" for number in range(len(table))])
    with pytest.raises(DataError, match="covariate 'channel' has 900 levels, at most 50 are estimated") as caught:
        BGNBD(leaving_covariates=("channel",)).fit(summary)
    assert "city" not in str(caught.value)


def test_a_covariate_that_changed_its_kind_is_refused(model, table):
    with pytest.raises(DataError, match="'channel' held text when the model was fitted, and now int64"):
        model.predict(table.assign(channel=1))
    with pytest.raises(DataError, match="'visits' held numbers when the model was fitted, and now"):
        model.predict(table.assign(visits="3"))


def test_a_missing_or_repeated_column_is_named(table):
    with pytest.raises(DataError, match=r"no column 'chanel' \(nearest: 'channel'\).*join covariates to the summary"):
        BGNBD(purchase_covariates=("chanel",)).fit(table)
    with pytest.raises(DataError, match="purchase_covariates names 'visits' more than once"):
        BGNBD(purchase_covariates=("visits", "visits")).fit(table)
    with pytest.raises(ValueError, match="purchase_covariates"):
        BGNBD(purchase_covariates="visits").fit(table)


def test_a_group_that_never_came_back_is_named(table):
    never = table["channel"] == "web"
    summary = table.assign(
        repeats=table["repeats"].where(~never, 0), last_purchase_weeks=table["last_purchase_weeks"].where(~never, 0.0)
    )
    with pytest.raises(
        ConvergenceError, match="purchase:channel=web is not identified, it runs to a small value: too few"
    ):
        BGNBD(purchase_covariates=("channel",)).fit(summary)


def test_a_fit_that_fails_leaves_the_model_as_it_was(table):
    model = ParetoNBD(purchase_covariates=["channel"])
    with pytest.raises(DataError, match="the same for every customer"):
        model.fit(table.assign(channel="app"))
    with pytest.raises(NotFittedError):
        model.predict(table)
    before = model.fit(table.head(1500)).predict(table)
    with pytest.raises(DataError, match="the same for every customer"):
        model.fit(table.assign(channel="app"))
    pd.testing.assert_frame_equal(model.predict(table), before)


def test_a_covariate_far_from_0_is_used_as_it_is_or_refused_with_advice(table):
    # A year: alpha of a customer of the year 0 is extreme, but a number.
    few = table.head(1500)
    year = few.assign(visits=1200 + few["visits"])
    model, near = (ParetoNBD(purchase_covariates=["visits"]).fit(one) for one in (year, few))
    assert model.params_["alpha"] > 1e100
    assert np.allclose(model.predict(year, level=0.9), near.predict(few, level=0.9), rtol=1e-5)
    with pytest.raises(DataError, match="alpha of a customer whose covariates are 0 is beyond all numbers: subtract"):
        ParetoNBD(purchase_covariates=["visits"]).fit(few.assign(visits=9000 + few["visits"]))


def test_a_model_with_covariates_is_saved_and_loaded(model, table, tmp_path):
    crmkit.save(model, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    few = table.head(50)
    pd.testing.assert_frame_equal(again.predict(few, level=0.9, n_max=1), model.predict(few, level=0.9, n_max=1))
    pd.testing.assert_frame_equal(again.covariate_table(), model.covariate_table())
    assert again.expected_count(26.0) == pytest.approx(model.expected_count(26.0))
    assert again.likelihood_ratio_ == model.likelihood_ratio_


def test_compare_and_tracking_take_covariates(cdnow):
    first = cdnow.sort_values("day").drop_duplicates("customer_id").set_index("customer_id")
    beside = pd.DataFrame({"log_first_amount": np.log1p(first["amount"])})
    model = ParetoNBD(purchase_covariates=["log_first_amount"])
    got = compare([model, "pareto-nbd"], cdnow, split="1997-10-01", covariates=beside)
    assert np.isfinite(got["predicted"]).all()
    assert got["predicted"].iloc[0] != got["predicted"].iloc[1]
    weeks = tracking(model, cdnow, split="1997-10-01", covariates=beside)
    assert (weeks.iloc[:, -1] >= 0).all()
