from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln

from crmkit.value import _erlang_purchases
from crmkit.value._beta_panels import beta_panels
from crmkit.value._erlang_purchases import purchases_while_alive


def summed(shape, share, growth, a, b, k):
    """Sum over numbers of stages, in extended precision, as many as it takes."""
    shape, share, growth, a, b = map(np.longdouble, (shape, share, growth, a, b))
    mean = float((shape + k) * growth)
    n_terms = int(mean + 60 * np.sqrt(mean * (1 + float(growth))) + 60 * (1 + float(growth)) + 100)
    n = np.arange(1, n_terms // k + 2, dtype=np.longdouble)
    stays = np.cumprod(np.concatenate([[np.longdouble(1)], (b + n - 1) / (a + b + n - 1)]))
    allowed = np.concatenate([[np.longdouble(0)], np.cumsum(stays)])
    weight = np.cumprod(np.concatenate([[np.longdouble(1)], (shape + n[: k - 1] - 1) / n[: k - 1] * share]))[:k]
    later = np.arange(n_terms, dtype=np.longdouble)
    total = np.longdouble(0)
    for j in range(k):
        ratio = (shape + j + later[:-1]) / (later[:-1] + 1) * growth / (1 + growth)
        chance = np.exp(np.cumsum(np.concatenate([[-(shape + j) * np.log1p(growth)], np.log(ratio)])))
        total += weight[j] / weight.sum() * (chance * allowed[(np.arange(n_terms) + j) // k]).sum()
    return float(total)


def corners(n, seed, *, reach):
    """Draw parameters and customers, corners included."""
    random = np.random.default_rng(seed)
    for _ in range(n):
        k, x = int(random.choice([1, 2, 3, 4, 7, 12])), int(random.choice([0, 0, 1, 2, 5, 30, 500]))
        r, a, b = np.exp(random.uniform([-3, -3, -3], [2.5, 4, 3]))
        share = float(random.choice([0.0, random.random(), random.random() ** 3]))
        growth = float(np.exp(random.uniform(*reach)))
        if (r + k * x + growth) * growth < 1e6 and (r + k * x) * growth < 5000:
            yield r + k * x, share, growth, a, b + x, k


@pytest.mark.parametrize("reach", [(-7, 0), (-2, 4), (3, 8)], ids=["short", "middling", "long"])
def test_expected_purchases_are_the_sum_over_stages(reach):
    for shape, share, growth, a, b, k in corners(40, 0, reach=reach):
        got = purchases_while_alive(*(np.array([v]) for v in (shape, share, growth)), a, np.array([b]), k)[0]
        assert got == pytest.approx(summed(shape, share, growth, a, b, k), rel=1e-9, abs=1e-300)


def test_series_and_generating_function_meet():
    for shape, share, growth, a, b, k in corners(60, 1, reach=(-2, 0)):
        if (shape + k) * growth > 20:
            continue
        one = [np.array([v]) for v in (shape, share, growth)]
        p, weight = beta_panels(a, b, (shape + k) * growth / k)
        long = (_erlang_purchases._by_generating_function(*one, p, k) @ weight)[0]
        short = _erlang_purchases._by_series(*one, a, np.array([b]), k)[0]
        assert long == pytest.approx(short, rel=1e-9, abs=1e-12)


def test_customers_are_computed_as_alone():
    drawn = list(corners(200, 2, reach=(-4, 4)))
    shape, share, growth, _, b, _ = (np.array(column) for column in zip(*drawn, strict=True))
    together = purchases_while_alive(shape, share, growth, 0.8, b, 3)
    alone = [purchases_while_alive(shape[[i]], share[[i]], growth[[i]], 0.8, b[[i]], 3)[0] for i in range(len(shape))]
    assert together == pytest.approx(np.array(alone), rel=1e-13)


def test_no_customers_have_no_purchases_and_no_time_brings_none():
    none = np.empty(0)
    assert len(purchases_while_alive(none, none, none, 0.8, none, 2)) == 0
    one = np.ones(1)
    assert purchases_while_alive(one, one / 2, one * 0, 0.8, one, 2).tolist() == [0.0]


@pytest.mark.parametrize("sharpness", [0.1, 30.0, 1e6])
@pytest.mark.parametrize(("a", "b"), [(0.05, 0.4), (0.8, 2.5), (1.0, 400.0), (5.9, 0.1), (80.0, 3.0)])
def test_the_panels_have_the_moments_of_the_distribution(a, b, sharpness):
    nodes, weights = beta_panels(a, b, sharpness)
    assert ((nodes > 0) & (nodes < 1)).all()
    for power in (0, 1, 2, 5):
        assert weights @ nodes**power == pytest.approx(np.exp(betaln(a + power, b) - betaln(a, b)), rel=1e-11)
    # And of functions that change where p is one over the sharpness: here twice as sharp a rule says the same.
    finer, finer_weights = beta_panels(a, b, 16 * sharpness)
    for shape in (0.2, 5.0, 1e4):
        mean, same = (w @ (1 + p * sharpness / shape) ** -shape for p, w in ((nodes, weights), (finer, finer_weights)))
        assert mean == pytest.approx(same, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize(("a", "b"), [(9447.0, 0.0041), (0.8, 0.003), (3.0, 0.02)])
@pytest.mark.parametrize("k", [7, 41])
def test_next_to_no_chance_to_stay_costs_no_digits(a, b, k):
    # The sum over roots alone has an error of 2e-8 in the first of these, where 7e-5 purchases are expected.
    got = purchases_while_alive(np.array([0.0019]), np.zeros(1), np.array([17.4]), a, np.array([b]), k)[0]
    assert got == pytest.approx(summed(0.0019, 0.0, 17.4, a, b, k), rel=1e-7)
