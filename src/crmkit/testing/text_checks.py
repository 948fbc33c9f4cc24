"""What every text classifier must get right, as plain functions that raise AssertionError."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "TEXT_CHECKS",
    "check_arrow_strings_give_the_same",
    "check_bytes_are_refused",
    "check_calibration",
    "check_classes_and_scores",
    "check_clone",
    "check_empty_and_strange_texts",
    "check_grid_search",
    "check_input_forms_give_the_same",
    "check_input_tags",
    "check_labels_of_all_kinds",
    "check_lengths_must_agree",
    "check_missing_text_counts_as_empty",
    "check_not_fitted",
    "check_one_class",
    "check_one_text_is_refused",
    "check_order_of_texts_does_not_matter_at_prediction",
    "check_predict_changes_nothing",
    "check_same_seed_same_result",
]

_CARD = [
    "where is my new card",
    "the card has not arrived yet",
    "when will my card be delivered",
    "I am still waiting for my card",
    "银行卡还没有寄到",
    "我的卡什么时候能到",
    "新卡一直没收到",
    "卡寄到哪里了",
]
_REFUND = [
    "I want a refund for this order",
    "please give me my money back",
    "the refund is still missing",
    "refund my payment please",
    "我要申请退款",
    "退款一直没到账",
    "请把钱退给我",
    "退款什么时候处理",
]
_NEW = ["has my card arrived", "退款还没到账", "refund please", "我的卡呢"]


def _sample() -> tuple[list[str], list[str]]:
    """Give sixteen messages of two classes in two languages."""
    return _CARD + _REFUND, ["card"] * len(_CARD) + ["refund"] * len(_REFUND)


def _seeded(make_estimator: Callable[[], Any]) -> Any:
    """Make an estimator whose randomness, if it has any, is fixed."""
    estimator = make_estimator()
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator


def _fitted(make_estimator: Callable[[], Any]) -> Any:
    """Make and fit one on the sample."""
    return _seeded(make_estimator).fit(*_sample())


def _scores(estimator: Any, texts: Any) -> Any:
    """Give scores or probabilities, whichever it has."""
    name = "decision_function" if callable(getattr(estimator, "decision_function", None)) else "predict_proba"
    method = getattr(estimator, name, None)
    assert callable(method), f"{type(estimator).__name__} needs decision_function or predict_proba"
    return method(texts)


def _refusal(act: Callable[[], Any], allowed: tuple[type[Exception], ...], what: str) -> Exception:
    """Give the error that an act ends in."""
    try:
        act()
    except allowed as error:
        refused: Exception = error
    except Exception as error:
        names = " or ".join(kind.__name__ for kind in allowed)
        raise AssertionError(f"{what} must end in {names}, got {type(error).__name__}: {error}") from error
    else:
        raise AssertionError(f"{what} must be refused, and was taken")
    assert str(refused).strip(), f"{what}: the error says nothing"
    return refused


def _assert_same(actual: Any, expected: Any, what: str) -> None:
    """Compare scores to the last few bits."""
    import numpy as np

    assert np.shape(actual) == np.shape(expected), f"{what}: shapes {np.shape(actual)} and {np.shape(expected)} differ"
    assert np.allclose(actual, expected, rtol=1e-9, atol=1e-12), f"{what}: the scores differ"


def check_classes_and_scores(make_estimator: Callable[[], Any]) -> None:
    """The classes are sorted, the labels come from them, and scores or probabilities agree with the labels."""
    import numpy as np

    estimator = _fitted(make_estimator)
    assert list(estimator.classes_) == ["card", "refund"], f"classes_ must be sorted labels, got {estimator.classes_}"
    predicted = np.asarray(estimator.predict(_NEW))
    assert predicted.shape == (len(_NEW),), f"predict must give one label a text, got shape {predicted.shape}"
    assert set(predicted) <= {"card", "refund"}, "predict gave labels that were not in y"
    scores = np.asarray(_scores(estimator, _NEW))
    assert np.all(np.isfinite(scores)), "scores must be finite"
    if callable(getattr(estimator, "decision_function", None)):
        assert scores.shape == (len(_NEW),), f"two classes have one score a text, got shape {scores.shape}"
        assert np.array_equal(estimator.classes_[(scores > 0).astype(int)], predicted), "scores and labels disagree"
    if callable(getattr(estimator, "predict_proba", None)):
        chances = np.asarray(estimator.predict_proba(_NEW))
        assert chances.shape == (len(_NEW), 2), f"predict_proba must give a column a class, got {chances.shape}"
        assert np.allclose(chances.sum(axis=1), 1), "probabilities must sum to 1"
        assert (chances >= 0).all(), "probabilities must not be negative"
    three = _seeded(make_estimator).fit([*_sample()[0], "hello", "你好"], [*_sample()[1], "greeting", "greeting"])
    assert np.shape(_scores(three, _NEW)) == (len(_NEW), 3), "three classes need three columns of scores"


def check_input_forms_give_the_same(make_estimator: Callable[[], Any]) -> None:
    """A list, an object array, an array of numpy strings and a Series give the same."""
    import numpy as np
    import pandas as pd

    texts, labels = _sample()
    expected = _scores(_fitted(make_estimator), _NEW)
    odd_index = range(100, 100 + len(texts))
    forms: dict[str, Callable[[list[str]], Any]] = {
        "object array": lambda values: np.array(values, dtype=object),
        "numpy strings": np.array,
        "Series": lambda values: pd.Series(values, dtype=object),
        "Series of strings": lambda values: pd.Series(values, dtype="string"),
    }
    for name, form in forms.items():
        estimator = _seeded(make_estimator).fit(form(texts), np.array(labels, dtype=object))
        _assert_same(_scores(estimator, form(_NEW)), expected, name)
    series = pd.Series(texts, index=odd_index)
    estimator = _seeded(make_estimator).fit(series, pd.Series(labels, index=odd_index))
    _assert_same(_scores(estimator, pd.Series(_NEW, index=list("abcd"))), expected, "Series with another index")


def check_arrow_strings_give_the_same(make_estimator: Callable[[], Any]) -> None:
    """Strings kept by Arrow give the same, where pyarrow is installed."""
    import pandas as pd

    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        return
    texts, labels = _sample()
    expected = _scores(_fitted(make_estimator), _NEW)
    dtype = pd.ArrowDtype(pa.string())
    estimator = _seeded(make_estimator).fit(pd.Series(texts, dtype=dtype), pd.Series(labels, dtype=dtype))
    _assert_same(_scores(estimator, pd.Series(_NEW, dtype=dtype)), expected, "Arrow strings")


def check_clone(make_estimator: Callable[[], Any]) -> None:
    """A clone has the same parameters, is not fitted, and fits to the same."""
    from sklearn.base import clone

    fitted = _fitted(make_estimator)
    copied: Any = clone(fitted)
    assert not hasattr(copied, "classes_"), "a clone must not be fitted"
    assert list(copied.get_params()) == list(fitted.get_params()), "a clone must have the same parameters"
    _assert_same(_scores(copied.fit(*_sample()), _NEW), _scores(fitted, _NEW), "clone")


def check_grid_search(make_estimator: Callable[[], Any]) -> None:
    """GridSearchCV finds the better of two settings of any parameter that has a number."""
    from sklearn.model_selection import GridSearchCV

    estimator = _seeded(make_estimator)
    numbers = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "random_state"
    }
    grid = {name: [value] for name, value in list(numbers.items())[:1]} or {"random_state": [0, 1]}
    if not set(grid) <= set(estimator.get_params()):
        grid = {}
    loud: Any = "raise"
    search = GridSearchCV(estimator, grid, cv=2, error_score=loud).fit(*_sample())
    assert len(search.predict(_NEW)) == len(_NEW), "the searched estimator must predict"
    assert 0 <= search.best_score_ <= 1, f"accuracy must lie in 0 to 1, got {search.best_score_}"


def check_calibration(make_estimator: Callable[[], Any]) -> None:
    """CalibratedClassifierCV takes it and gives probabilities."""
    import numpy as np
    from sklearn.calibration import CalibratedClassifierCV

    texts, labels = _sample()
    for given in (texts, np.array(texts, dtype=object)):
        calibrated = CalibratedClassifierCV(_seeded(make_estimator), cv=2).fit(given, labels)
        chances = calibrated.predict_proba(_NEW)
        assert chances.shape == (len(_NEW), 2), f"calibrated probabilities have shape {chances.shape}"
        assert np.allclose(chances.sum(axis=1), 1), "calibrated probabilities must sum to 1"


def check_missing_text_counts_as_empty(make_estimator: Callable[[], Any]) -> None:
    """None, NaN and pandas' NA are empty texts, in training and in prediction."""
    import numpy as np
    import pandas as pd

    texts, labels = _sample()
    expected = _seeded(make_estimator).fit([*texts, ""], [*labels, "card"])
    empty = _scores(expected, [""])
    assert np.all(np.isfinite(empty)), "an empty text must have a finite score"
    for name, missing in (("None", None), ("NaN", float("nan")), ("NA", pd.NA)):
        estimator = _seeded(make_estimator).fit([*texts, missing], [*labels, "card"])
        _assert_same(_scores(estimator, _NEW), _scores(expected, _NEW), f"{name} in training")
        _assert_same(_scores(estimator, [missing]), empty, f"{name} in prediction")


def check_empty_and_strange_texts(make_estimator: Callable[[], Any]) -> None:
    """White space, emoji, markup, unknown words, full-width and long texts have an answer; no texts have none."""
    estimator = _fitted(make_estimator)
    strange = [
        "   \n\t",
        "😀👍🏽",
        "<p>退款&nbsp;<b>refund</b></p>",
        "zzz qqq",
        "ＲＥＦＵＮＤ　ｐｌｅａｓｅ",
        "ok" * 20_000,
        "\x00\ud800",
    ]
    predicted = estimator.predict(strange)
    assert len(predicted) == len(strange), "every text needs a label"
    assert set(predicted) <= set(estimator.classes_), "labels must come from classes_"
    assert len(estimator.predict([])) == 0, "no texts must give no labels"


def check_bytes_are_refused(make_estimator: Callable[[], Any]) -> None:
    """Bytes are no text: which encoding is for the caller to say."""
    texts, labels = _sample()
    _refusal(
        lambda: _seeded(make_estimator).fit([text.encode() for text in texts], labels), (TypeError, ValueError), "bytes"
    )
    estimator = _fitted(make_estimator)
    _refusal(lambda: estimator.predict([b"card"]), (TypeError, ValueError), "bytes at prediction")
    _refusal(lambda: estimator.predict([3]), (TypeError, ValueError), "a number instead of a text")


def check_one_text_is_refused(make_estimator: Callable[[], Any]) -> None:
    """A single text is not taken for a list of letters."""
    estimator = _fitted(make_estimator)
    _refusal(lambda: estimator.predict("where is my card"), (TypeError, ValueError), "one text instead of a list")
    _refusal(lambda: _seeded(make_estimator).fit("card", ["a", "b", "c", "d"]), (TypeError, ValueError), "one text")


def check_one_class(make_estimator: Callable[[], Any]) -> None:
    """One class gives that class for every text, or an error that says so."""
    texts, _ = _sample()
    estimator = _seeded(make_estimator)
    try:
        estimator.fit(texts, ["card"] * len(texts))
    except ValueError as error:
        message = str(error)
    else:
        assert set(estimator.predict(_NEW)) == {"card"}, "trained on one class, it must give that class"
        return
    assert "class" in message, f"the error must say that there is one class, got: {message}"


def check_not_fitted(make_estimator: Callable[[], Any]) -> None:
    """Asked before it is fitted, it says so."""
    from sklearn.exceptions import NotFittedError

    _refusal(lambda: _seeded(make_estimator).predict(_NEW), (NotFittedError,), "predict before fit")


def check_same_seed_same_result(make_estimator: Callable[[], Any]) -> None:
    """Two fits with one seed give the same scores."""
    _assert_same(_scores(_fitted(make_estimator), _NEW), _scores(_fitted(make_estimator), _NEW), "the same seed")


def check_predict_changes_nothing(make_estimator: Callable[[], Any]) -> None:
    """Predicting leaves the parameters and the fitted state, the input and later answers as they were."""
    import numpy as np

    estimator = _fitted(make_estimator)
    names = sorted(vars(estimator))
    before = copy.deepcopy(estimator)
    given = np.array(_NEW, dtype=object)
    first = _scores(estimator, given)
    estimator.predict(["something else entirely", "完全不同的内容"])
    assert sorted(vars(estimator)) == names, "predict must not add or drop attributes"
    assert given.tolist() == _NEW, "predict must not change its input"
    _assert_same(_scores(estimator, given), first, "asked twice")
    _assert_same(_scores(before, given), first, "a copy made before")


def check_order_of_texts_does_not_matter_at_prediction(make_estimator: Callable[[], Any]) -> None:
    """A text's answer does not depend on the texts beside it."""
    import numpy as np

    estimator = _fitted(make_estimator)
    together = np.asarray(_scores(estimator, _NEW))
    for place, text in enumerate(_NEW):
        assert np.allclose(_scores(estimator, [text])[0], together[place], rtol=1e-6, atol=1e-9), (
            f"text {place} alone and among others have different scores"
        )


def check_labels_of_all_kinds(make_estimator: Callable[[], Any]) -> None:
    """Labels may be text, whole numbers or booleans; they come back as they were."""
    texts, labels = _sample()
    for kind, ones in (
        ("numbers", [7 if label == "card" else -1 for label in labels]),
        ("booleans", [label == "card" for label in labels]),
    ):
        predicted = _seeded(make_estimator).fit(texts, ones).predict(texts)
        assert set(predicted.tolist()) <= set(ones), f"labels that are {kind} must come back as they were"
        assert type(predicted.tolist()[0]) is type(ones[0]), f"labels that are {kind} must keep their type"


def check_lengths_must_agree(make_estimator: Callable[[], Any]) -> None:
    """As many labels as texts, and labels there must be."""
    texts, labels = _sample()
    _refusal(lambda: _seeded(make_estimator).fit(texts, labels[:-1]), (ValueError,), "one label too few")
    _refusal(lambda: _seeded(make_estimator).fit(texts, None), (ValueError, TypeError), "y=None")


def check_input_tags(make_estimator: Callable[[], Any]) -> None:
    """Its tags say that it takes one column of strings."""
    from sklearn.base import is_classifier
    from sklearn.utils import get_tags

    estimator = make_estimator()
    assert is_classifier(estimator), "scikit-learn must see a classifier"
    tags = get_tags(estimator).input_tags
    assert tags.string, "the input tag 'string' must be set"
    assert tags.one_d_array, "the input tag 'one_d_array' must be set"
    assert not tags.two_d_array, "the input tag 'two_d_array' must not be set"


TEXT_CHECKS: tuple[Callable[[Callable[[], Any]], None], ...] = (
    check_input_tags,
    check_classes_and_scores,
    check_input_forms_give_the_same,
    check_arrow_strings_give_the_same,
    check_labels_of_all_kinds,
    check_lengths_must_agree,
    check_missing_text_counts_as_empty,
    check_empty_and_strange_texts,
    check_bytes_are_refused,
    check_one_text_is_refused,
    check_one_class,
    check_not_fitted,
    check_clone,
    check_grid_search,
    check_calibration,
    check_same_seed_same_result,
    check_predict_changes_nothing,
    check_order_of_texts_does_not_matter_at_prediction,
)
"""Every check, in the order they are run; each takes a function that makes a new estimator."""
