"""Models of scikit-learn, crmkit and plugins come back fitted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

import crmkit
from crmkit import persistence
from crmkit.core.errors import PersistenceError
from crmkit.core.spec import PluginSpec
from crmkit.persistence import _trust

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3))
y = (X[:, 0] + 0.3 * rng.normal(size=120) > 0).astype(int)


@pytest.mark.parametrize(
    "model",
    [
        KMeans(3, n_init=2, random_state=0),
        RandomForestClassifier(5, random_state=np.random.RandomState(0)),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        make_pipeline(StandardScaler(), FunctionTransformer(np.arcsinh), LogisticRegression()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_fitted_estimator_predicts_the_same(model, tmp_path):
    model.fit(X, y)
    again = persistence.load(persistence.save(model, tmp_path / "m"), expect=type(model))
    assert (again.predict(X) == model.predict(X)).all()
    assert again.get_params().keys() == model.get_params().keys()


def test_a_text_pipeline_predicts_the_same(tmp_path):
    texts = ["退款 还没到", "refund please", "手机 坏了", "phone broken"] * 5
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), LinearSVC()).fit(
        texts, [0, 0, 1, 1] * 5
    )
    again = persistence.load(persistence.save(model, tmp_path / "m"))
    assert (again.decision_function(texts) == model.decision_function(texts)).all()


def test_labels_of_hdbscan_come_back(tmp_path):
    model = HDBSCAN(min_cluster_size=5, copy=True).fit(X)
    again = persistence.load(persistence.save(model, tmp_path / "m"))
    assert (again.labels_ == model.labels_).all()


def test_an_estimator_that_stands_twice_is_one_again(tmp_path):
    model = KMeans(2, n_init=1, random_state=0).fit(X)
    again = persistence.load(persistence.save({"a": model, "b": [model]}, tmp_path / "m"))
    assert again["a"] is again["b"][0]


def test_the_same_model_gives_the_same_bytes(tmp_path):
    first = KMeans(3, n_init=1, random_state=0).fit(X)
    second = KMeans(3, n_init=1, random_state=0).fit(X)
    paths = [
        persistence.save({"model": model, "set": set("abcdefgh"), "x": X}, tmp_path / name)
        for name, model in [("a", first), ("b", second)]
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_facade_saves_and_loads(tmp_path):
    path = crmkit.save({"a": 1}, tmp_path / "m")
    assert crmkit.load(path, expect=dict) == {"a": 1}


def test_a_plugins_estimator_comes_back_only_where_the_caller_trusts_it(plugin, tmp_path):
    model = plugin.Halves(tokenizer=plugin.split).fit(X)
    path = persistence.save(model, tmp_path / "m")
    with pytest.raises(PersistenceError, match=r"needs acme_crm\.parts:Halves.*name the plugin's target in trusted="):
        persistence.load(path)
    again = persistence.load(path, trusted=["acme_crm"], expect="acme_crm.parts:Halves")
    assert (again.predict(X) == model.predict(X)).all()
    assert again.tokenizer is plugin.split


def test_trusting_one_target_does_not_trust_its_neighbours(plugin, tmp_path):
    path = persistence.save(plugin.Halves(tokenizer=plugin.split), tmp_path / "m")
    with pytest.raises(PersistenceError, match=r"needs acme_crm\.parts:split"):
        persistence.load(path, trusted=["acme_crm.parts:Halves"])
    assert isinstance(
        persistence.load(persistence.save(plugin.Halves(), tmp_path / "n"), trusted="acme_crm.parts:Halves"),
        plugin.Halves,
    )


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("name", ["os", "os:system", "acme_crm.parts:split", "subprocess"])
def test_only_what_an_installed_plugin_points_at_can_be_trusted(name, tmp_path):
    path = persistence.save(1, tmp_path / "m")
    with pytest.raises(PersistenceError, match="no installed plugin has"):
        persistence.load(path, trusted=[name])


def test_frozen_dataclasses_slots_enums_and_named_tuples_come_back(plugin, tmp_path):
    rule = plugin.Rule("金额", np.array([0.0, 2.0, 5.0]), {"mode": plugin.Mode.FAST, "pair": plugin.Pair(1.0, 2.0)})
    assert rule.widths.tolist() == [2.0, 3.0]
    kept = [rule, plugin.Slotted(1, [2])]
    again, slotted = persistence.load(persistence.save(kept, tmp_path / "m"), trusted=["acme_crm"])
    assert "widths" not in vars(again)
    assert again.widths.tolist() == [2.0, 3.0]
    assert again.table == {"mode": plugin.Mode.FAST, "pair": plugin.Pair(1.0, 2.0)}
    assert again.table["mode"] is plugin.Mode.FAST
    with pytest.raises(AttributeError):
        again.name = "x"
    assert (slotted.left, slotted.right) == (1, [2])


def test_a_class_may_give_its_state_itself(plugin, tmp_path):
    again = persistence.load(persistence.save(plugin.WithState("s"), tmp_path / "m"), trusted=["acme_crm"])
    assert again.handle() == "s"


def test_what_a_class_calls_transient_is_left_out(plugin, tmp_path):
    again = persistence.load(persistence.save(plugin.Remembering(), tmp_path / "m"), trusted=["acme_crm"])
    assert vars(again) == {"kept": 1}


def test_a_class_that_extends_a_list_must_say_how(plugin, tmp_path):
    with pytest.raises(PersistenceError, match=r"extends a built-in type: give it get_state"):
        persistence.save(plugin.Texts(["a"]), tmp_path / "m")


def test_a_plugins_estimator_inside_a_pipeline_of_scikit_learn(plugin, tmp_path):
    model = make_pipeline(StandardScaler(), plugin.Halves()).fit(X)
    path = persistence.save(model, tmp_path / "m")
    with pytest.raises(PersistenceError, match=r"needs acme_crm\.parts:Halves"):
        persistence.load(path)
    again = persistence.load(path, trusted=["acme_crm"])
    assert (again.predict(X) == model.predict(X)).all()


def test_a_local_function_inside_scikit_learn_is_refused_when_loading_or_saving(tmp_path):
    model = FunctionTransformer(lambda values: values)
    with pytest.raises(PersistenceError):
        persistence.load(persistence.save(model, tmp_path / "m"))


def test_expect_takes_classes_names_and_several(tmp_path):
    path = persistence.save(KMeans(2), tmp_path / "kmeans.crmkit")
    assert isinstance(persistence.load(path, expect=(LinearSVC, KMeans)), KMeans)
    with pytest.raises(
        PersistenceError, match=r"kmeans.crmkit holds a sklearn.cluster._kmeans:KMeans, expected .*LinearSVC"
    ):
        persistence.load(path, expect=LinearSVC)
    with pytest.raises(PersistenceError, match=r"expected acme:Thing"):
        persistence.load(path, expect="acme:Thing")


def test_expect_and_trusted_take_the_public_address_of_a_class(plugin, tmp_path, monkeypatch):
    path = persistence.save(KMeans(2), tmp_path / "m")
    assert isinstance(persistence.load(path, expect="sklearn.cluster:KMeans"), KMeans)
    public = __import__("acme_crm")
    monkeypatch.setattr(public, "Halves", plugin.Halves, raising=False)
    spec = PluginSpec(kind="segmenter", name="halves", target="acme_crm:Halves", summary="Two halves.")
    monkeypatch.setattr(_trust, "available", lambda: (spec,))
    path = persistence.save(plugin.Halves(), tmp_path / "n")
    assert isinstance(persistence.load(path, trusted=["acme_crm:Halves"]), plugin.Halves)


def test_the_manifest_says_what_a_file_is(tmp_path):
    head = persistence.manifest(persistence.save(KMeans(2), tmp_path / "m"))
    assert head["class"] == "sklearn.cluster._kmeans:KMeans"
    assert head["format"] == 1
    assert set(head["members"]) == {"state.json", "scikit-learn.skops"}
    assert set(head["written_with"]) == {"numpy", "pandas", "scikit-learn", "scipy"}


def test_a_missing_skops_is_told_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    with pytest.raises(crmkit.MissingExtraError, match=r"pip install 'crmkit\[io\]'"):
        persistence.save(KMeans(2), tmp_path / "m")
