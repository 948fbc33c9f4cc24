"""Every lifetime model of purchase summaries on the tables that break other libraries: it converges or says why not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import ConvergenceError

MODELS = [
    spec.name for spec in crmkit.available() if spec.kind == "lifetime-model" and spec.inputs in {(), ("summary",)}
]


def table(x, t_x, age, *, unit="week", evenness=0.7):
    """Give a purchase summary."""
    x = np.asarray(x)
    return pd.DataFrame(
        {
            "repeats": x,
            f"last_purchase_{unit}s": np.asarray(t_x, dtype=float),
            f"age_{unit}s": np.asarray(age, dtype=float),
            "repeat_spend": np.where(x > 0, 10.0, 0.0),
            "gap_evenness": np.where(x > 1, evenness, np.where(x > 0, 1.0, 0.0)),
        },
        index=pd.Index([f"c{number}" for number in range(len(x))], name="customer_id"),
    )


def drawn(n=4000, *, seed=0, days=3650, r=0.5, alpha=200.0, a=0.8, b=2.5, unit="day"):
    """Draw customers of a company from the BG/NBD process, in whole days."""
    random = np.random.default_rng(seed)
    rate, leave = random.gamma(r, 1 / alpha, n), random.beta(a, b, n)
    age = random.integers(days // 2, days, n).astype(float)
    time, last, repeats, logs = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    alive = np.ones(n, dtype=bool)
    while alive.any():
        time = time + np.ceil(random.exponential(1.0, n) / rate)
        alive &= time < age
        logs += np.where(alive, np.log(np.maximum(time - last, 1)), 0.0)
        repeats += alive
        last = np.where(alive, time, last)
        alive &= random.random(n) > leave
    gaps = np.maximum(repeats, 1)
    even = np.where(repeats > 0, np.exp(np.minimum(logs / gaps - np.log(np.maximum(last, 1) / gaps), 0)), 0.0)
    return table(repeats.astype(int), last, age, unit=unit).assign(gap_evenness=even)


def busy():
    """Give customers of up to 500 repeat purchases among many of few."""
    base = drawn(2000, days=364, alpha=30.0, unit="week").assign(
        last_purchase_weeks=lambda frame: frame["last_purchase_weeks"] / 7,
        age_weeks=lambda frame: frame["age_weeks"] / 7,
    )
    x = np.array([150, 300, 499, 500])
    return pd.concat([base, table(x, [51.0, 50.9, 51.9, 52.0], [52.0] * 4, evenness=0.6).add_prefix("busy", axis=0)])


TABLES = {
    "x up to 500": busy,
    "one-time buyers only": lambda: table(np.zeros(500, int), np.zeros(500), np.linspace(1, 52, 500)),
    "last purchase at 0": lambda: table([0] * 200 + [1] * 3, np.zeros(203), [30.0] * 203),
    "a single repeat buyer": lambda: table([0] * 400 + [1], [0.0] * 400 + [12.0], [30.0] * 401),
    "300,000 identical customers": lambda: table(np.full(300_000, 2), np.full(300_000, 20.0), np.full(300_000, 39.0)),
    "ages of one day": lambda: table([0] * 50 + [1] * 5, [0.0] * 50 + [1 / 7] * 5, [1 / 7] * 55),
    "ages of zero": lambda: table([0] * 20, [0.0] * 20, [0.0] * 20),
    "ten years in days": drawn,
    "everyone bought yesterday": lambda: table([3, 5, 8] * 40, [30.0] * 120, [30.0] * 120),
    "one customer": lambda: table([4], [20.0], [30.0]),
}


def _refused(model, summary):
    """Fit, and give the error where there is one."""
    try:
        model.fit(summary)
    except ConvergenceError as error:
        return error
    return None


@pytest.mark.parametrize("case", TABLES)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_a_hard_table_converges_or_names_the_parameter_and_the_cause(name, case):
    summary = TABLES[case]()
    model = crmkit.create("lifetime-model", name)
    refused = _refused(model, summary)
    if refused is not None:
        assert refused.parameter is not None
        assert refused.parameter in str(refused)
        assert "not identified" in str(refused)
        # What has customers who came back and customers who did not, over years, must be fitted.
        assert case not in {"x up to 500", "ten years in days"}
        return
    assert all(np.isfinite(value) and value > 0 for value in model.params_.values())
    assert all(np.isfinite(value) for value in model.standard_errors_.values())
    asked = summary.head(3000)
    for horizon in (0, 1, 39, 520):
        forecast = model.predict(asked, horizon, n_max=3)
        assert np.isfinite(forecast.to_numpy()).all()
        assert (forecast.to_numpy() >= 0).all()
        assert (forecast["p_alive"] <= 1).all()
        assert (forecast.filter(regex=r"^p_\d").sum(axis=1) <= 1 + 1e-9).all()
    residual = model.residual_purchases(asked.head(300))
    assert np.isfinite(residual["residual_purchases"]).all()
    assert (residual["low"] <= residual["residual_purchases"]).all()


@pytest.mark.parametrize("name", MODELS)
def test_customers_of_other_tables_are_forecast_without_nonsense(name, simulated):
    # Models are asked of customers unlike any they were fitted on.
    even = simulated(2000).assign(gap_evenness=lambda frame: np.where(frame["repeats"] > 0, 0.8, 0.0))
    model = crmkit.create("lifetime-model", name).fit(even)
    odd = table(
        [0, 0, 1, 1, 500, 500, 500, 132, 133, 2000],
        [0.0, 0.0, 0.0, 1e-3, 1e-3, 38.0, 520.0, 200.0, 200.0, 1.0],
        [0.0, 5000.0, 1e-3, 520.0, 38.0, 40.0, 520.0, 200.0, 200.0, 520.0],
    )
    for horizon in (1e-6, 1.0, 52.0, 10_000.0):
        forecast = model.predict(odd, horizon, level=0.95)
        assert np.isfinite(forecast.to_numpy()).all()
        assert (forecast.to_numpy() >= 0).all()
        assert forecast["p_alive"].between(0, 1).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_unit_of_the_table_changes_no_forecast(name):
    days = drawn()
    weeks = days.assign(last_purchase_weeks=days["last_purchase_days"] / 7, age_weeks=days["age_days"] / 7)
    weeks = weeks.drop(columns=["last_purchase_days", "age_days"])
    by_weeks, by_days = (crmkit.create("lifetime-model", name).fit(summary) for summary in (weeks, days))
    assert np.allclose(by_weeks.predict(weeks, 26), by_days.predict(days, 26 * 7), rtol=1e-6, atol=1e-9)
    repeats = weeks["repeats"].sum()
    assert by_days.log_likelihood_ == pytest.approx(by_weeks.log_likelihood_ - repeats * np.log(7), abs=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_forecasts_the_same(name, simulated, tmp_path):
    pytest.importorskip("skops")
    summary = simulated(800, seed=1).assign(gap_evenness=lambda frame: np.where(frame["repeats"] > 0, 0.8, 0.0))
    model = crmkit.create("lifetime-model", name).fit(summary)
    crmkit.save(model, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    pd.testing.assert_frame_equal(again.predict(summary, 26), model.predict(summary, 26))


@pytest.mark.parametrize("length", [1.0, 7.0])
def test_a_runaway_is_no_maximum_in_any_unit(length):
    # Customers who never leave, with last purchases too early: a rate of leaving that is the same for all is likeliest.
    random = np.random.default_rng(3)
    repeats = random.poisson(random.gamma(0.5, 2, 2000))
    age = random.uniform(20, 60, 2000)
    last = np.where(repeats > 0, age * random.beta(2, 1, 2000), 0)
    with pytest.raises(ConvergenceError, match=r"pareto-nbd: (s|beta) is not identified, it runs to a large value"):
        crmkit.create("lifetime-model", "pareto-nbd").fit(table(repeats, last * length, age * length))
