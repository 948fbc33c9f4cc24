"""Labels where the classifier is sure enough: thresholds, promises, and texts about nothing known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

import crmkit
from crmkit import text
from crmkit.core.errors import DataError, DataWarning
from crmkit.testing import text_checks
from crmkit.text.rejecting._folds import assign_folds
from crmkit.text.rejecting._promises import Tried, keeping_threshold, precision_thresholds

WORDS = {"card": ["card", "pin", "chip"], "refund": ["refund", "money", "back"], "login": ["login", "password", "app"]}
CHECKS = (
    text_checks.check_input_tags,
    text_checks.check_input_forms_give_the_same,
    text_checks.check_arrow_strings_give_the_same,
    text_checks.check_lengths_must_agree,
    text_checks.check_missing_text_counts_as_empty,
    text_checks.check_bytes_are_refused,
    text_checks.check_one_text_is_refused,
    text_checks.check_one_class,
    text_checks.check_not_fitted,
    text_checks.check_clone,
    text_checks.check_grid_search,
    text_checks.check_same_seed_same_result,
    text_checks.check_predict_changes_nothing,
    text_checks.check_order_of_texts_does_not_matter_at_prediction,
)


def messages(n=300, seed=0, noise=0.15):
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(WORDS), n)
    told = np.where(rng.uniform(size=n) < noise, rng.choice(list(WORDS), n), labels)
    fill = ["please", "help", "my", "the", "now", "again"]
    return [
        f"{rng.choice(fill)} {rng.choice(WORDS[kind])} {rng.choice(fill)} {rng.choice(WORDS[label])}"
        for kind, label in zip(told, labels, strict=True)
    ], labels


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_list_for_text_classifiers_passes(check):
    check(lambda: text.RejectingClassifier("text-svm", keep=1.0, cv=3))


def test_exactly_one_promise_is_asked_for():
    texts, labels = messages(20)
    with pytest.raises(ValueError, match="give precision= or keep="):
        text.RejectingClassifier("text-svm").fit(texts, labels)
    with pytest.raises(ValueError, match="give precision= or keep="):
        text.RejectingClassifier("text-svm", precision=0.9, keep=0.9).fit(texts, labels)
    with pytest.raises(ValueError, match="'precision' parameter"):
        text.RejectingClassifier("text-svm", precision=95).fit(texts, labels)


def brute_threshold(sure, right, precision):
    """The lowest score such that, of the texts at or above it, enough are right."""
    return min((t for t in set(sure) if right[sure >= t].mean() >= precision), default=np.inf)


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_are_the_lowest_that_keep_the_promise(seed):
    rng = np.random.default_rng(seed)
    given = rng.integers(0, 4, 300)
    given[:290][given[:290] == 3] = 0
    sure = np.round(rng.uniform(size=300), 2)
    right = rng.uniform(size=300) < sure
    thresholds, pooled = precision_thresholds(Tried(given, right, sure, 4), 0.8, least=30)
    assert pooled.tolist() == [False, False, False, True]
    for place in range(4):
        # The last class has too few texts, so it goes by all.
        mine = (given == place) | pooled[place]
        assert thresholds[place] == brute_threshold(sure[mine], right[mine], 0.8)


def test_small_classes_share_one_threshold():
    given = np.array([0, 0, 1, 1, 2])
    sure = np.array([0.9, 0.2, 0.8, 0.7, 0.6])
    right = np.array([True, False, True, False, True])
    thresholds, pooled = precision_thresholds(Tried(given, right, sure, 3), 0.7, least=3)
    assert pooled.all()
    assert set(thresholds.tolist()) == {brute_threshold(sure, right, 0.7)}


@pytest.mark.parametrize(("keep", "kept"), [(0.95, 19), (0.951, 20), (1.0, 20), (0.01, 1), (0.3, 6)])
def test_keeping_a_share_keeps_at_least_that(keep, kept):
    sure = np.random.default_rng(0).permutation(20).astype(float)
    assert int((sure >= keeping_threshold(sure, keep)).sum()) == kept


def test_folds_spread_classes_and_leave_the_only_text_of_one_in():
    codes = np.array([0] * 10 + [1] * 2 + [2])
    folds = assign_folds(codes, 5, 0)
    assert folds[12] == -1
    assert folds[10] != folds[11]
    assert np.bincount(folds[:10]).tolist() == [2] * 5


def vague(n, seed):
    """Messages of which two in five have one word only, and that of any class as often as not."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(WORDS), n)
    told = np.where(rng.uniform(size=n) < 0.5, rng.choice(list(WORDS), n), labels)
    clear = rng.uniform(size=n) < 0.6
    return [
        f"{rng.choice(WORDS[label])} {rng.choice(WORDS[label])}" if sure else str(rng.choice(WORDS[kind]))
        for label, kind, sure in zip(labels, told, clear, strict=True)
    ], labels


def test_what_was_promised_holds_on_new_texts():
    texts, labels = vague(1_500, seed=0)
    new, actual = vague(3_000, seed=1)
    model = text.RejectingClassifier("text-svm", precision=0.97, random_state=0).fit(texts, labels)
    predicted = model.predict(new)
    kept = predicted != "unsure"
    assert np.mean(model.estimator_.predict(new) == actual) < 0.92
    assert np.mean(predicted[kept] == actual[kept]) >= 0.96
    assert kept.mean() > 0.5
    assert model.precision_.high >= 0.97
    assert model.coverage_ == pytest.approx(kept.mean(), abs=0.05)


def test_promises_say_what_was_tried_class_by_class():
    texts, labels = messages()
    model = text.RejectingClassifier("text-svm", precision=0.9, random_state=0).fit(texts, labels)
    table = model.promises_
    assert table.index.tolist() == sorted(WORDS)
    assert table["n"].sum() == len(texts)
    assert table["n_kept"].sum() == model.n_kept_ == round(float(model.coverage_) * len(texts))
    assert (table["low"] <= table["found"]).all()
    assert (table["found"] <= table["high"]).all()
    assert set(table["promised"]) == {0.9}
    assert not table["pooled"].any()
    right = (table["found"] * table["n_kept"]).sum()
    assert right / table["n_kept"].sum() == pytest.approx(float(model.precision_))


def test_classes_with_few_texts_are_said_to_share_their_promise():
    texts, labels = messages(200)
    model = text.RejectingClassifier("text-svm", precision=0.9, random_state=0)
    table = model.fit([*texts, *["tax return"] * 4], [*labels, *["tax"] * 4]).promises_
    assert table["pooled"].to_dict() == {"card": False, "login": False, "refund": False, "tax": True}


def test_texts_about_nothing_known_are_left_out():
    texts, labels = messages()
    model = text.RejectingClassifier("text-svm", keep=0.95, random_state=0).fit(texts, labels)
    strange = ["what a lovely day", "今天天气真好", "", "😀", "qwerty zxcvb"]
    assert model.predict(strange).tolist() == ["unsure"] * 5
    assert np.mean(model.predict(texts) != "unsure") >= 0.95
    assert model.coverage_ == pytest.approx(0.95, abs=0.03)
    assert len(set(model.thresholds_.tolist())) == 1


def test_a_promise_that_cannot_be_kept_is_told_and_no_text_gets_the_label():
    rng = np.random.default_rng(0)
    texts = ["same words"] * 200
    labels = rng.choice(["a", "b"], 200)
    with pytest.warns(DataWarning, match="no threshold gives 2 of the 2 classes a precision of 0.99"):
        model = text.RejectingClassifier("text-svm", precision=0.99, random_state=0).fit(texts, labels)
    assert set(model.predict(texts).tolist()) == {"unsure"}
    assert np.isinf(model.promises_["threshold"]).all()
    assert model.coverage_ == 0
    with pytest.raises(DataError, match="no text was kept"):
        _ = model.precision_


def test_unsure_keeps_its_kind_where_it_can():
    texts, labels = messages()
    numbers = pd.factorize(labels)[0]
    same = text.RejectingClassifier("text-svm", keep=0.9, unsure=-1, random_state=0).fit(texts, numbers)
    assert same.predict([*texts, "zzz"]).dtype.kind == "i"
    assert same.predict(["zzz"]).tolist() == [-1]
    other = text.RejectingClassifier("text-svm", keep=0.9, random_state=0).fit(texts, numbers)
    assert other.predict(["zzz", texts[0]]).tolist() == ["unsure", int(numbers[0])]
    long = text.RejectingClassifier("text-svm", keep=0.9, unsure="ask a colleague", random_state=0)
    assert long.fit(texts, labels).predict(["zzz"]).tolist() == ["ask a colleague"]
    with pytest.raises(DataError, match="unsure= is one of the labels"):
        text.RejectingClassifier("text-svm", keep=0.9, unsure="card").fit(texts, labels)


def test_probabilities_and_scores_are_those_within():
    texts, labels = messages()
    plain = text.RejectingClassifier("text-svm", keep=0.9, random_state=0).fit(texts, labels)
    assert not hasattr(plain, "predict_proba")
    assert np.array_equal(plain.decision_function(texts), plain.estimator_.decision_function(texts))
    inner = text.CalibratedTextClassifier("text-svm", cv=2)
    sure = text.RejectingClassifier(inner, precision=0.9, cv=2, random_state=0).fit(texts, labels)
    assert sure.predict_proba(texts).sum(axis=1) == pytest.approx(1)
    assert hasattr(clone(sure), "predict_proba")


def test_classifiers_of_tables_are_taken_too():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 2))
    labels = (points[:, 0] + rng.normal(0, 0.5, 400) > 0).astype(int)
    model = text.RejectingClassifier(LogisticRegression(), precision=0.95, unsure=-1, random_state=0)
    predicted = model.fit(points, labels).predict(points)
    kept = predicted != -1
    assert 0.3 < kept.mean() < 1
    assert np.mean(predicted[kept] == labels[kept]) >= 0.93


def test_explanations_are_of_the_likeliest_label():
    texts, labels = messages()
    model = text.RejectingClassifier("text-svm", keep=0.9, random_state=0).fit(texts, labels)
    found = text.explain(model, ["card please", "zzz"])
    assert found.loc[found["text_id"] == 0, "label"].unique().tolist() == ["card"]
    assert found.loc[found["text_id"] == 1, "label"].iloc[0] in WORDS
    assert found.groupby("text_id")["weight"].sum().to_numpy() == pytest.approx(
        model.decision_function(["card please", "zzz"]).max(axis=1)
    )


def test_retuning_counts_unknown_labels_as_wrong_and_keeps_only_known_ones():
    texts, labels = messages()
    held, actual = messages(300, seed=3)
    both, their = [*held, *["lovely day"] * 60], [*actual, *["outside"] * 60]
    promise = text.RejectingClassifier("text-svm", precision=0.9, random_state=0).fit(texts, labels)
    assert promise.retune(both, their).n_tried_ == 360
    assert promise.predict(["lovely day"]).tolist() == ["unsure"]
    keep = text.RejectingClassifier("text-svm", keep=0.9, random_state=0).fit(texts, labels)
    assert keep.retune(both, their).n_tried_ == 300
    assert np.mean(keep.predict(held) != "unsure") >= 0.9
    with pytest.raises(DataError, match="none of the 1 texts"):
        keep.retune(["x"], ["outside"])


def test_search_reaches_the_classifier_within():
    texts, labels = messages(60)
    model = text.RejectingClassifier(text.TextSVM(random_state=0), keep=0.9, cv=2, random_state=0)
    search = GridSearchCV(model, {"estimator__C": [0.5], "keep": [0.8, 1.0]}, cv=2, error_score="raise")
    assert search.fit(texts, labels).best_params_["keep"] == 1.0


def test_it_is_saved_and_comes_back_the_same(tmp_path):
    pytest.importorskip("skops")
    texts, labels = messages()
    model = text.RejectingClassifier("text-svm", precision=0.9, random_state=0).fit(texts, labels)
    crmkit.save(model, tmp_path / "model.crmkit")
    back = crmkit.load(tmp_path / "model.crmkit")
    assert back.predict([*texts, "zzz"]).tolist() == model.predict([*texts, "zzz"]).tolist()
    assert back.promises_.equals(model.promises_)


def test_the_curve_counts_what_each_threshold_does():
    rng = np.random.default_rng(0)
    sure, outside = np.round(rng.normal(1, 1, 200), 1), np.round(rng.normal(-1, 1, 50), 1)
    right = rng.uniform(size=200) < 0.8
    curve = text.rejection_curve(sure, right, outside=outside, n_points=21)
    assert curve["kept"].iloc[0] == 1
    assert curve["threshold"].is_monotonic_increasing
    for row in curve.itertuples():
        kept = sure >= row.threshold
        assert row.kept == pytest.approx(kept.mean())
        assert row.precision == pytest.approx(right[kept].mean())
        assert row.answered_right == pytest.approx((kept & right).mean())
        assert row.outside_left == pytest.approx((outside < row.threshold).mean())
        given = kept.sum() + (outside >= row.threshold).sum()
        assert row.precision_with_outside == pytest.approx((kept & right).sum() / given)


@pytest.mark.parametrize(
    ("sure", "right", "options", "message"),
    [
        ([], [], {}, "of no texts"),
        ([1.0], [True, False], {}, "as long: 1 and 2"),
        ([np.nan], [True], {}, "missing in row 0"),
        ([[1.0]], [[True]], {}, "one score a text"),
        ([1.0], [True], {"outside": []}, "outside has no texts"),
        ([1.0], [True], {"n_points": 1}, "at least 2"),
    ],
)
def test_a_curve_of_nothing_is_refused(sure, right, options, message):
    with pytest.raises(DataError, match=message):
        text.rejection_curve(sure, right, **options)
