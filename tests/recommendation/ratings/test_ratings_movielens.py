"""Rating recommenders on MovieLens (small, 2016) in five folds, beside what Surprise 1.1.5 gave in the same folds.

Surprise's figures were measured with scikit-surprise 1.1.5, numpy 1.26, ``KFold(5, random_state=0)``, defaults where
nothing else is said (k 40, shrinkage 100). ``tests/benchmarks/bench_ratings.py`` measures them anew.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.recommendation.ratings import BaselineRating, ItemKNNRating, SVDRating, UserKNNRating

SCALE = (0.5, 5.0)


@pytest.fixture(scope="module")
def folds(data_file):
    """Give training and test tables of five folds, in the order in which Surprise makes them."""
    table = pd.read_csv(data_file("movielens_small/ratings.csv"))
    table = table.rename(columns={"userId": "customer_id", "movieId": "item_id"})
    table = table[["customer_id", "item_id", "rating"]]
    order = np.arange(len(table))
    np.random.RandomState(0).shuffle(order)
    parts = np.array_split(order, 5)
    return [
        (table.iloc[np.concatenate([other for other in parts if other is not part])], table.iloc[part])
        for part in parts
    ]


def errors(model, folds):
    squares = [np.mean((model.fit(train).predict(test) - test["rating"]) ** 2) for train, test in folds]
    return np.sqrt(squares)


@pytest.mark.parametrize(
    ("model", "surprise", "tolerance"),
    [
        (BaselineRating(scale=SCALE), [0.89136, 0.89757, 0.89673, 0.89530, 0.88385], 1e-5),
        (
            BaselineRating(method="sgd", scale=SCALE, random_state=0),
            [0.88922, 0.89399, 0.89351, 0.89334, 0.88011],
            6e-4,
        ),
        (
            UserKNNRating(similarity="msd", centre="none", otherwise="mean", scale=SCALE),
            [0.96856, 0.97355, 0.97341, 0.97136, 0.95902],
            1e-5,
        ),
        (
            UserKNNRating(similarity="cosine", centre="none", otherwise="mean", scale=SCALE),
            [0.99408, 0.99979, 0.99888, 0.99750, 0.98385],
            1e-5,
        ),
        (
            UserKNNRating(similarity="pearson", centre="mean", otherwise="mean", scale=SCALE),
            [0.92354, 0.92679, 0.92572, 0.92799, 0.91262],
            1e-5,
        ),
        (UserKNNRating(scale=SCALE), [0.90213, 0.90806, 0.90524, 0.90661, 0.89834], 1e-5),
    ],
    ids=["baseline-als", "baseline-sgd", "user-msd", "user-cosine", "user-pearson-means", "user-pearson-baseline"],
)
def test_errors_are_those_of_surprise(folds, model, surprise, tolerance):
    np.testing.assert_allclose(errors(model, folds), surprise, atol=tolerance)


@pytest.mark.slow
def test_factors_are_as_accurate_as_those_of_surprise(folds):
    """The same start, another order of ratings: Surprise's mean over the folds is .8953, single folds as below."""
    found = errors(SVDRating(scale=SCALE, random_state=0), folds)
    np.testing.assert_allclose(found, [0.89694, 0.89699, 0.89621, 0.89870, 0.88745], atol=1e-3)
    assert found.mean() == pytest.approx(0.89526, abs=5e-4)


@pytest.mark.slow
def test_item_neighbors_are_those_of_surprise_and_the_most_accurate(folds):
    found = errors(ItemKNNRating(scale=SCALE), folds[:3])
    np.testing.assert_allclose(found, [0.87482, 0.88002, 0.87975], atol=1e-5)


@pytest.mark.slow
def test_item_neighbors_by_squared_differences_are_those_of_surprise(folds):
    model = ItemKNNRating(similarity="msd", centre="none", otherwise="mean", scale=SCALE)
    np.testing.assert_allclose(errors(model, folds[:1]), [0.93194], atol=1e-4)


def test_where_the_baseline_answers_in_place_of_the_mean_errors_are_smaller(folds):
    train, test = folds[0]
    settings = {"similarity": "msd", "centre": "none", "scale": SCALE}
    by_mean, by_baseline = (
        UserKNNRating(otherwise=otherwise, **settings).fit(train).predict(test, details=True)
        for otherwise in ("mean", "baseline")
    )
    unanswered = (by_mean["source"] != "neighbors").to_numpy()
    assert 500 < unanswered.sum() < 1500
    beyond = [np.mean((told["rating"] - test["rating"])[unanswered] ** 2) for told in (by_mean, by_baseline)]
    assert beyond[1] < 0.9 * beyond[0]
