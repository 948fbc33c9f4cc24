from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag, sqrtm

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import compare_arms, drivers, policy_value
from crmkit.effect._arm_means import arm_means
from crmkit.effect._cluster_robust import bias_reduced
from crmkit.effect._intervals import t_width


def by_hand(design, outcome, cluster):
    """CR2 and its degrees of freedom as Bell and McCaffrey write them, with matrices of all rows."""
    inverse = np.linalg.inv(design.T @ design)
    hat = design @ inverse @ design.T
    members = [np.flatnonzero(cluster == one) for one in np.unique(cluster)]
    order = np.concatenate(members)
    design, outcome, hat = design[order], outcome[order], hat[np.ix_(order, order)]
    left = np.eye(len(order)) - hat
    sizes = np.cumsum([0, *map(len, members)])
    own = [slice(sizes[at], sizes[at + 1]) for at in range(len(members))]
    adjust = block_diag(*[np.linalg.inv(np.real(sqrtm(left[one, one]))) for one in own])
    residual = adjust @ left @ outcome
    scores = np.array([inverse @ design[one].T @ residual[one] for one in own])
    covariance = scores.T @ scores
    freedom = []
    for at in range(design.shape[1]):
        pulls = np.zeros((len(order), len(own)))
        for column, one in enumerate(own):
            pulls[one, column] = adjust[one, one] @ design[one] @ inverse[at]
        values = np.linalg.eigvalsh(pulls.T @ left @ pulls)
        freedom.append(values.sum() ** 2 / (values**2).sum())
    return covariance, np.array(freedom)


@pytest.mark.parametrize(("n_clusters", "largest"), [(5, 12), (200, 3)])
def test_covariance_and_freedom_are_those_of_bell_and_mccaffrey(n_clusters, largest):
    # With many small clusters the series is used, with few large ones the exact roots.
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(n_clusters), rng.integers(1, largest + 1, n_clusters))
    design = np.column_stack([np.ones(len(cluster)), rng.normal(size=len(cluster)), rng.random(len(cluster)) < 0.3])
    outcome = rng.normal(size=len(cluster)) + rng.normal(size=n_clusters)[cluster]
    q, r = np.linalg.qr(design)
    residual = outcome - q @ (q.T @ outcome)
    influence, freedom = bias_reduced(q, residual, np.linalg.inv(r).T, cluster)
    covariance, expected = by_hand(design, outcome, cluster)
    assert influence.T @ influence == pytest.approx(covariance, rel=1e-5)
    assert freedom == pytest.approx(expected, rel=1e-5)


def test_clusters_of_one_size_have_as_many_degrees_of_freedom_as_clusters_less_one():
    outcome = np.random.default_rng(1).normal(size=60)
    means = arm_means(outcome, np.repeat([0, 1], 30), 2, cluster=np.arange(60) // 5)
    assert means.freedom == pytest.approx([5, 5])


@pytest.mark.slow
@pytest.mark.parametrize("n_clusters", [3, 5, 10])
def test_intervals_of_few_unequal_clusters_cover(n_clusters):
    # With one less than the clusters as degrees of freedom and plain residuals five clusters an arm cover in .90.
    rng = np.random.default_rng(2)
    runs, covered = 800, 0
    for _ in range(runs):
        sizes = np.maximum(1, np.round(rng.lognormal(1.8, 1, 2 * n_clusters))).astype(int)
        cluster = np.repeat(np.arange(2 * n_clusters), sizes)
        outcome = rng.normal(size=2 * n_clusters)[cluster] + 1.5 * rng.normal(size=len(cluster))
        difference, error, freedom = arm_means(outcome, cluster % 2, 2, cluster=cluster).difference(1, 0)
        covered += abs(difference) <= t_width(freedom, 0.95) * error
    assert 0.92 <= covered / runs <= 0.98


def few(n_clusters=8):
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(n_clusters), 25)
    table = pd.DataFrame({"shop": cluster, "arm": np.where(cluster % 2, "call", "control")})
    table["cause"] = rng.choice(["a", "b"], len(table))
    return table.assign(y=rng.normal(size=n_clusters)[cluster] + rng.normal(size=len(table)))


def test_few_clusters_are_told():
    with pytest.warns(DataWarning, match=r"fewer than 20 clusters in an arm \(control 4, call 4\)"):
        compare_arms(few(), outcome="y", cluster="shop")
    with pytest.warns(DataWarning, match="only 8 clusters of shop"):
        drivers(few(), outcome="y", causes="cause", cluster="shop")
    with pytest.warns(DataWarning, match="only 8 clusters"):
        policy_value(few(), policy={"call": 1}, outcome="y", cluster="shop")


def test_policies_with_few_clusters_have_students_interval():
    with pytest.warns(DataWarning, match="only 8 clusters"):
        value = policy_value(few(), policy={"call": 1}, outcome="y", cluster="shop", method="ipw")["as logged"]
    means = few().groupby("shop")["y"].mean()
    assert (value.high - value.low) / 2 == pytest.approx(t_width(7, 0.95) * means.std() / np.sqrt(8))


def test_pairs_have_the_freedom_of_the_pairs():
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"arm": ["control"] * 6 + ["call"] * 6, "pair": [*range(6)] * 2, "y": rng.normal(size=12)})
    with pytest.warns(DataWarning, match="fewer than 20"):
        effect = compare_arms(table, outcome="y", cluster="pair").effect
    gaps = table["y"][6:].to_numpy() - table["y"][:6].to_numpy()
    assert (effect.high - effect.low) / 2 == pytest.approx(t_width(5, 0.95) * gaps.std(ddof=1) / np.sqrt(6))


def test_more_covariates_than_clusters_are_refused():
    table = few().assign(**{f"x{at}": np.random.default_rng(at).normal(size=200) for at in range(3)})
    with pytest.raises(DataError, match="3 columns of covariates are too many for an arm of 4 independent rows"):
        compare_arms(table, outcome="y", covariates=["x0", "x1", "x2"], cluster="shop")
