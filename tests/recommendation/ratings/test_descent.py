"""Stochastic gradient descent in batches."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import ConvergenceError
from crmkit.recommendation.ratings._descent import Descent, descend, spread
from crmkit.recommendation.ratings._table import Ratings


def ratings_of(n_customers, n_items, n, seed):
    random = np.random.default_rng(seed)
    pair = random.permutation(n_customers * n_items)[:n]
    return Ratings(pair // n_items, pair % n_items, random.integers(1, 11, n) / 2, n_customers, n_items, (0.5, 5.0))


def one_after_the_other(ratings, steps, p, q, order):
    """Funk's descent as its authors write it: a loop over ratings."""
    p, q = p.copy(), q.copy()
    mean = ratings.value.mean() if steps.biased else 0.0
    b_u, b_i = np.zeros(ratings.n_customers), np.zeros(ratings.n_items)
    for _ in range(steps.n_epochs):
        for row in order:
            u, i = ratings.customer[row], ratings.item[row]
            error = ratings.value[row] - mean - b_u[u] - b_i[i] - p[u] @ q[i]
            if steps.biased:
                b_u[u] += steps.lr_bu * (error - steps.reg_bu * b_u[u])
                b_i[i] += steps.lr_bi * (error - steps.reg_bi * b_i[i])
            old = p[u].copy()
            p[u] += steps.lr_pu * (error * q[i] - steps.reg_pu * p[u])
            q[i] += steps.lr_qi * (error * old - steps.reg_qi * q[i])
    return b_u, b_i, p, q


@pytest.mark.parametrize("biased", [True, False])
def test_batches_of_one_rating_are_the_descent_over_single_ratings(biased):
    ratings = ratings_of(7, 6, 30, seed=0)
    steps = Descent(4, 0.02, 0.03, 0.1, 0.2, 0.04, 0.05, 0.3, 0.4, biased=biased)
    random = np.random.default_rng(1)
    p, q = random.normal(0, 0.3, (7, 3)), random.normal(0, 0.3, (6, 3))
    order = np.concatenate(spread(ratings, 1e9, np.random.RandomState(5)))
    expected = one_after_the_other(ratings, steps, p, q, order)
    learned = descend(ratings, steps, p.copy(), q.copy(), np.random.RandomState(5), reach=1e-9)
    found = learned.biases.customer, learned.biases.item, learned.customer, learned.item
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, atol=1e-12)


def test_larger_batches_differ_from_single_ratings_by_as_little_as_promised():
    ratings = ratings_of(60, 50, 1500, seed=2)
    steps = Descent(20, 0.005, 0.005, 0.02, 0.02, 0.005, 0.005, 0.02, 0.02)
    random = np.random.default_rng(1)
    p, q = random.normal(0, 0.1, (60, 8)), random.normal(0, 0.1, (50, 8))
    order = np.concatenate(spread(ratings, 0.005 / 0.1, np.random.RandomState(5)))
    single = one_after_the_other(ratings, steps, p, q, order)
    batched = descend(ratings, steps, p.copy(), q.copy(), np.random.RandomState(5))
    rated = [
        (b_u[ratings.customer] + b_i[ratings.item] + (x[ratings.customer] * y[ratings.item]).sum(axis=1))
        for b_u, b_i, x, y in (
            single,
            (batched.biases.customer, batched.biases.item, batched.customer, batched.item),
        )
    ]
    assert np.abs(rated[0] - rated[1]).max() < 0.05
    assert rated[0].std() > 0.2


def test_every_rating_is_in_one_batch_and_those_of_a_customer_are_spread_evenly():
    customer = np.r_[np.zeros(900, dtype=np.int64), np.arange(1, 101)]
    item = np.r_[np.arange(900), np.arange(100)]
    ratings = Ratings(customer, item, np.ones(1000), 101, 900, (0.5, 5.0))
    batches = spread(ratings, 0.05, np.random.RandomState(0))
    assert len(batches) == 45
    assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(1000))
    of_first = [(customer[batch] == 0).sum() for batch in batches]
    assert min(of_first) >= 18
    assert max(of_first) <= 22


def test_a_descent_that_runs_away_names_the_learning_rate():
    ratings = ratings_of(7, 6, 30, seed=0)
    steps = Descent(200, 5.0, 5.0, 0.0, 0.0, 5.0, 5.0, 0.0, 0.0)
    p, q = np.ones((7, 2)), np.ones((6, 2))
    with pytest.raises(ConvergenceError, match="learning rate") as raised:
        descend(ratings, steps, p, q, np.random.RandomState(0))
    assert raised.value.parameter == "lr_all"
