from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad

import crmkit
from crmkit.core.errors import ConvergenceError
from crmkit.value import NBD


def test_cdnow_has_the_measured_parameters(cdnow_summary):
    model = crmkit.create("lifetime-model", "nbd").fit(cdnow_summary)
    assert model.params_ == pytest.approx({"r": 0.3848, "alpha": 12.0721}, rel=1e-4)
    assert model.log_likelihood_ == pytest.approx(-9763.66, abs=5e-3)


def test_nobody_leaves_and_the_own_rate_is_drawn_to_everyones(cdnow_summary):
    model = NBD().fit(cdnow_summary)
    forecast = model.predict(cdnow_summary, horizon=10)
    assert (forecast["p_alive"] == 1).all()
    r, alpha = model.params_.values()
    own = (r + cdnow_summary["repeats"]) / (alpha + cdnow_summary["age_weeks"]) * 10
    assert np.allclose(forecast["expected_purchases"], own)
    assert model.expected_count([0, 10]).tolist() == pytest.approx([0, r / alpha * 10])


def test_the_gradient_is_that_of_the_likelihood():
    x, age = np.array([0.0, 1, 5, 30]), np.array([10.0, 20, 30, 40])
    objective = NBD()._objective(x, x, age, np.array([1.0, 2, 1, 1]))
    assert check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], np.array([-0.3, 1.2])) < 1e-4


def test_rates_that_do_not_differ_are_told():
    table = pd.DataFrame({"repeats": [2] * 9, "last_purchase_weeks": [20.0] * 9, "age_weeks": [30.0] * 9})
    with pytest.raises(ConvergenceError, match=r"nbd: .* rates hardly differ") as caught:
        NBD().fit(table)
    assert caught.value.parameter in {"r", "alpha"}


def test_up_to_five_hundred_repeats_converge():
    x = np.arange(0, 501, 5)
    table = pd.DataFrame({"repeats": x, "last_purchase_weeks": np.minimum(x, 39.0), "age_weeks": 39.0})
    assert NBD().fit(table).predict(table).to_numpy().min() >= 0
