"""Each recommender against its formula, written out plainly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.recommendation import BaseRecommender
from crmkit.recommendation._factors import by_conjugate_gradient, by_solving
from crmkit.testing.tables import interactions


@pytest.fixture(scope="module")
def history():
    return interactions(50, 18, seed=3)


def create(name, **params):
    return crmkit.create("recommender", name, **params)


def scores_of(model):
    """Give all scores, minus infinity as NaN, and the matrix they come from."""
    scores = model._scores(np.arange(model.n_customers_))
    return np.where(np.isfinite(scores), scores, np.nan), model.interactions_.matrix.toarray()


def similar(X, name, shrinkage):
    shared, squares = X.T @ X, (X**2).sum(axis=0)
    below = {
        "cosine": np.sqrt(np.outer(squares, squares)),
        "jaccard": squares[:, None] + squares[None, :] - shared,
        "conditional": np.broadcast_to(squares[None, :], shared.shape),
        "lift": np.outer(squares, squares) / len(X),
    }[name]
    likeness = np.where(shared > 0, shared / (below + shrinkage), 0.0)
    np.fill_diagonal(likeness, 0.0)
    return likeness


def keep_best(rows, n):
    """Keep the n greatest of every row, the first of equal ones."""
    kept = np.zeros_like(rows)
    for place, row in enumerate(rows):
        best = np.argsort(-row, kind="stable")[:n]
        kept[place, best] = row[best]
    return kept


@pytest.mark.parametrize("name", ["cosine", "jaccard", "conditional", "lift"])
@pytest.mark.parametrize(("shrinkage", "values"), [(0.0, "binary"), (2.5, "count")])
def test_item_knn_keeps_neighbours_of_each_candidate(history, name, shrinkage, values):
    model = create("item-knn", similarity=name, shrinkage=shrinkage, n_neighbors=4, values=values).fit(history)
    scores, X = scores_of(model)
    by_hand = X @ keep_best(similar(X, name, shrinkage), 4).T
    np.testing.assert_allclose(np.nan_to_num(scores), by_hand, atol=1e-12)


@pytest.mark.parametrize("n_neighbors", [1, 4, 40])
@pytest.mark.parametrize("values", ["binary", "count", "log"])
@pytest.mark.parametrize("n_items", [18, 300])
def test_the_fast_engine_finds_the_same_neighbours(n_neighbors, values, n_items):
    # 300 items of few customers share many similarities, at the last place kept as well.
    pytest.importorskip("sparse_dot_topn", reason="the extra fast is not installed")
    events = interactions(n_items * 3, n_items, seed=7)
    slow, fast = (
        create("item-knn", engine=engine, n_neighbors=n_neighbors, values=values).fit(events)
        for engine in ("scipy", "fast")
    )
    if values == "log":
        # Which of equal similarities comes first is then a matter of rounding, for either engine.
        np.testing.assert_allclose(slow.neighbors_.sum(axis=1), fast.neighbors_.sum(axis=1), rtol=1e-12)
    else:
        assert (slow.neighbors_ != fast.neighbors_).nnz == 0


def test_the_fast_engine_leaves_what_it_lacks_to_scipy(history):
    slow, fast = (create("item-knn", engine=engine, shrinkage=2.0).fit(history) for engine in ("scipy", "fast"))
    assert (slow.neighbors_ != fast.neighbors_).nnz == 0


@pytest.mark.parametrize("name", ["cosine", "jaccard"])
def test_user_knn_adds_up_what_similar_customers_bought(history, name):
    model = create("user-knn", similarity=name, shrinkage=0.5, n_neighbors=6, values="count").fit(history)
    scores, X = scores_of(model)
    by_hand = keep_best(similar(X.T, name, 0.5), 6) @ X
    np.testing.assert_allclose(np.nan_to_num(scores), by_hand, atol=1e-12)


def test_user_knn_looks_in_blocks(history):
    one, many = create("user-knn").fit(history), create("user-knn", memory_limit=5000).fit(history)
    pd.testing.assert_frame_equal(one.recommend(), many.recommend())


def test_ease_is_the_constrained_ridge_regression(history):
    model = create("ease", regularization=7.0).fit(history)
    scores, X = scores_of(model)
    B = model.weights_
    assert np.diag(B).tolist() == [0.0] * len(B)
    # Where the gradient of the loss is not the diagonal's multiplier it is zero.
    gradient = X.T @ (X @ B - X) + 7.0 * B
    np.fill_diagonal(gradient, 0.0)
    assert abs(gradient).max() < 1e-10
    np.testing.assert_allclose(np.nan_to_num(scores), X @ B, atol=1e-12)  # nothing is said where nothing adds up


def test_ease_in_single_precision_is_nearly_the_same(history):
    double, single = (create("ease", precision=kind).fit(history) for kind in ("double", "single"))
    np.testing.assert_allclose(double.weights_, single.weights_, atol=1e-5)
    assert single.weights_.dtype == np.float32


def test_ease_refuses_what_would_not_fit_and_says_what_to_take(history):
    with pytest.raises(DataError, match=r"enough for 11: raise fit_memory.*'item-knn' or 'rp3beta'"):
        create("ease", fit_memory=1000).fit(history)


def test_ease_mirrors_triangles_larger_than_a_block(monkeypatch, history):
    import crmkit.recommendation._ease as module

    whole = create("ease").fit(history).weights_
    monkeypatch.setattr(module, "_BLOCK", 5)
    np.testing.assert_allclose(create("ease").fit(history).weights_, whole, atol=1e-14)


def test_rp3beta_walks_three_steps(history):
    model = create("rp3beta", n_neighbors=100, alpha=0.7, beta=0.4).fit(history)
    scores, X = scores_of(model)
    out, back = (X / X.sum(axis=1, keepdims=True)) ** 0.7, (X.T / X.sum(axis=0)[:, None]) ** 0.7
    walk = back @ out / X.sum(axis=0) ** 0.4
    np.fill_diagonal(walk, 0.0)
    np.testing.assert_allclose(np.nan_to_num(scores), X @ walk, atol=1e-12)


def ials_loss(X, customer, item, alpha, ridge):
    weight = 1.0 + alpha * X
    penalty = (alpha * X.sum(axis=1) + X.shape[1]) @ (customer**2).sum(axis=1)
    penalty += (alpha * X.sum(axis=0) + X.shape[0]) @ (item**2).sum(axis=1)
    return float((weight * ((X > 0) - customer @ item.T) ** 2).sum() + ridge * penalty)


def test_ials_solves_each_customer_exactly(history):
    model = create("ials", n_factors=5, confidence=4.0, regularization=0.02, random_state=0).fit(history)
    scores, X = scores_of(model)
    Y = model.item_factors_
    for row in range(5):
        weight = np.diag(1.0 + 4.0 * X[row])
        ridge = 0.02 * (4.0 * X[row].sum() + X.shape[1])
        factors = np.linalg.solve(Y.T @ weight @ Y + ridge * np.eye(5), Y.T @ weight @ (X[row] > 0))
        np.testing.assert_allclose(scores[row], Y @ factors, atol=1e-10)


def test_more_turns_lower_the_loss_and_both_solvers_agree(history):
    losses = {}
    for solver in ("cg", "direct"):
        for turns in (1, 40):
            model = create(
                "ials",
                n_factors=3,
                confidence=4.0,
                regularization=0.02,
                n_iterations=turns,
                solver=solver,
                random_state=0,
            ).fit(history)
            X = model.interactions_.matrix.toarray()
            customer = model._solved(np.arange(len(X)))
            losses[solver, turns] = ials_loss(X, customer, model.item_factors_, 4.0, 0.02)
    assert losses["direct", 40] < losses["direct", 1]
    assert losses["cg", 40] == pytest.approx(losses["direct", 40], rel=1e-3)


def test_conjugate_gradients_come_to_the_solution():
    from scipy import sparse

    random = np.random.default_rng(0)
    pairs = sparse.csr_array(np.where(random.random((30, 12)) < 0.3, random.random((30, 12)), 0.0))
    pairs = sparse.csr_array(sparse.vstack([pairs, sparse.csr_array((1, 12))], format="csr"))
    other, ridge = random.normal(size=(12, 4)), np.full(31, 0.3)
    exact = by_solving(pairs, other, ridge, memory=2000)
    assert exact[-1].tolist() == [0.0] * 4
    np.testing.assert_allclose(exact, by_solving(pairs, other, ridge, memory=10**8), atol=1e-12)
    near = by_conjugate_gradient(pairs, other, ridge, np.zeros((31, 4)), n_steps=12, memory=600)
    np.testing.assert_allclose(near, exact, atol=1e-8)


def test_popularity_counts_customers_in_its_window():
    sales = {"customer_id": list("aabbc"), "item_id": list("xxxyz"), "day": [1, 99, 99, 100, 3]}
    assert create("popularity").fit(sales).popularity_.tolist() == [2.0, 1.0, 0.0]
    assert create("popularity", window_days=None, values="count").fit(sales).popularity_.tolist() == [3.0, 1.0, 1.0]
    aged = create("popularity", half_life_days=1.0, values="count").fit(sales).popularity_
    assert aged.tolist() == [1.0, 1.0, 0.0]
    with pytest.raises(DataError, match="need the column time or day"):
        create("popularity").fit({"customer_id": ["a"], "item_id": ["x"]})


def test_the_reasons_of_popularity_name_no_item(history):
    model = create("popularity", window_days=None).fit(history)
    lists = model.recommend(["c1", "new"], 2)
    reasons = model.explain(lists)
    assert reasons["because"].isna().all()
    assert reasons["weight"].tolist() == lists["score"].tolist()


@pytest.fixture(scope="module")
def goods():
    return pd.DataFrame(
        {
            "item_id": ["t1", "t2", "t3", "m1", "m2", "n1"],
            "name": ["绿茶 250g", "绿茶 茶包", "green tea", "red mug", "blue mug", "a new red mug"],
            "category": ["tea", "tea", "tea", "mug", "mug", None],
            "price": [3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        }
    )


SALES = {"customer_id": ["a", "b", "b", "c"], "item_id": ["t1", "m1", "m2", "t3"]}


def test_content_offers_an_item_that_nobody_bought(goods):
    model = create("content").fit(SALES, items=goods)
    assert (model.text_, model.attributes_) == (["name"], ["category"])
    lists = model.recommend(["a", "b"], 2)
    assert lists["item_id"].tolist()[0] == "t2"
    assert lists["item_id"].tolist()[2] == "n1"
    assert lists["source"].tolist()[0] == lists["source"].tolist()[2] == "content"
    why = model.explain(["b"], ["n1"])
    assert why["because"].tolist() == ["m1", "m2"]
    assert why["weight"].sum() == pytest.approx(lists["score"].iloc[2], abs=1e-9)


def test_content_is_the_cosine_of_what_it_is_told(goods):
    class Letters:
        def encode(self, texts):
            return np.array([[len(text), 1.0] for text in texts])

    model = create("content", text="name", attributes=(), vectorizer=Letters()).fit(SALES, items=goods)
    vectors = np.array([[len(name), 1.0] for name in goods.set_index("item_id").loc[sorted(goods["item_id"]), "name"]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = sorted(goods["item_id"])
    bought = [order.index(item) for item in ("m1", "m2", "t1", "t3")]
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, 0.0)
    np.testing.assert_allclose(model.neighbors_.toarray()[:, bought], cosine[:, bought], atol=1e-12)
    assert model.neighbors_.toarray()[:, [order.index("n1"), order.index("t2")]].sum() == 0.0


def test_content_takes_a_vectorizer_and_leaves_it_alone(goods):
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer()
    model = create("content", vectorizer=vectorizer, text=["name"], attributes="category", attribute_weight=2.0)
    assert model.fit(SALES, items=goods).recommend(["c"], 1)["item_id"].tolist() == ["t1"]
    assert not hasattr(vectorizer, "vocabulary_")


def test_content_without_descriptions_says_so(goods, history):
    with pytest.warns(DataWarning, match="content knows nothing of the items"):
        model = create("content").fit(history)
    assert set(model.recommend(["c1"], 3)["source"]) == {"popular"}
    with pytest.raises(DataError, match="no column of text"):
        create("content").fit(SALES, items=goods[["item_id", "price"]])
    with pytest.raises(DataError, match="no column 'nome'"):
        create("content", text="nome").fit(SALES, items=goods)
    with pytest.raises(DataError, match="no column 'kind'"):
        create("content", attributes=["kind"]).fit(SALES, items=goods)


def test_a_model_without_sums_does_not_explain(history):
    class Alphabet(BaseRecommender):
        _source = "alphabet"

        def _learn(self, interactions, events):
            del events
            self.n_ = len(interactions.items)

        def _scores(self, customers):
            return np.tile(-np.arange(self.n_, dtype=float), (len(customers), 1))

    model = Alphabet().fit(history)
    assert model.recommend(["c1"], 1, exclude="nothing")["item_id"].tolist() == ["i0"]
    with pytest.raises(TypeError, match="no 'because you bought' that would be true"):
        model.explain(["c1"], ["i0"])


def test_what_explain_is_asked_must_be_known(history):
    model = create("item-knn").fit(history)
    assert model.explain(["nobody"], ["i1"]).empty
    assert list(model.explain(model.recommend(["c1"], 2).drop(columns=["source", "score"])).columns) == [
        "customer_id",
        "item_id",
        "because",
        "weight",
    ]
    with pytest.raises(DataError, match="does not know the item in row 0"):
        model.explain(["c1"], ["never sold"])
    with pytest.raises(DataError, match="2 customers and 1 items"):
        model.explain(["c1", "c2"], ["i1"])
    with pytest.raises(DataError, match="missing in row 1"):
        model.explain(["c1", None], ["i1", "i1"])


def test_numbers_stay_numbers_in_reasons():
    sales = {"customer_id": [1, 1, 2, 2, 3], "item_id": [10, 11, 10, 12, 13]}
    model = create("item-knn").fit(sales)
    assert model.explain([1], [12])["because"].tolist() == [10]
    lists = model.recommend([1], 2)
    assert lists["source"].tolist() == ["item-knn", "popular"]
    assert model.explain(lists)["because"].isna().tolist() == [False, True]


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True])
def test_a_wrong_length_is_refused(history, wrong):
    model = create("popularity").fit(history)
    with pytest.raises(ValueError, match="n must be a whole number"):
        model.recommend(["c1"], wrong)
    with pytest.raises(ValueError, match="diversity must be between"):
        model.recommend(["c1"], 2, diversity=1.5)


def test_unknown_rungs_and_parameters_are_refused(history):
    with pytest.raises(DataError, match="fallback knows no luck; there are: segment"):
        create("popularity", fallback=["luck"]).fit(history)
    with pytest.raises(ValueError, match="similarity"):
        create("item-knn", similarity="taste").fit(history)
    with pytest.raises(ValueError, match="a memory limit is"):
        create("item-knn", memory_limit="lots").fit(history)


@pytest.mark.parametrize("name", ["ials", "ease", "item-knn", "hybrid"])
def test_threads_change_nothing(history, name):
    from threadpoolctl import threadpool_limits

    params = {"random_state": 0} if name in {"ials", "hybrid"} else {}
    lists = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            lists.append(create(name, **params).fit(history).recommend(n=5))
    pd.testing.assert_frame_equal(*lists, check_exact=True)


def test_an_inverse_that_fails_says_what_to_change():
    from crmkit.core.errors import ConvergenceError
    from crmkit.recommendation._ease import _inverse

    with pytest.raises(ConvergenceError, match="raise regularization"):
        _inverse(np.array([[1.0, 2.0], [2.0, 1.0]]))
