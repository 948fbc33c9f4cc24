"""The checks of encoders: one that is wrong fails the check that names its fault."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from crmkit import PluginSpec
from crmkit.testing import ConformanceError, check_plugin


class Lengths(BaseEstimator):
    """Right: encodes a text by its length and its share of Latin letters, after a fit."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def fit(self, texts):
        self.mean_ = float(np.mean([len(text) for text in texts]))
        return self

    def encode(self, texts):
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        rows = [[len(text) - self.mean_, self.scale * sum(map(str.isascii, text))] for text in texts]
        return np.array(rows, dtype=float).reshape(-1, 2)


class FitsNothing(Lengths):
    def fit(self, texts):
        super().fit(texts)


class Unfitted(Lengths):
    def encode(self, texts):
        self.mean_ = getattr(self, "mean_", 0.0)
        return super().encode(texts)


class Whole(Lengths):
    def encode(self, texts):
        return np.rint(super().encode(texts)).astype(int)


class Alike(Lengths):
    def encode(self, texts):
        return super().encode(texts) * 0 + 1


class Ordered(Lengths):
    def encode(self, texts):
        return super().encode(texts) + np.arange(len(texts))[:, None]


class Moody(Lengths):
    def fit(self, texts):
        super().fit(texts)
        self.mean_ = float(np.random.default_rng().normal())
        return self


class Grabby(Lengths):
    def encode(self, texts):
        found = super().encode(texts)
        texts.clear()
        return found


class Fussy(Lengths):
    def encode(self, texts):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(super().encode(texts)) * [[len(text) > 0] for text in texts])


class Stubborn(Lengths):
    def __init__(self, scale=1.0):
        self.scale = [scale] if not isinstance(scale, list) else [*scale, 1.0]

    def encode(self, texts):
        return Lengths().fit(texts).encode(texts)


class Mute(BaseEstimator):
    pass


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch):
    module = types.ModuleType("encoders_under_test")
    for thing in list(globals().values()):
        if isinstance(thing, type) and thing.__module__ == __name__:
            setattr(module, thing.__name__, thing)
    monkeypatch.setitem(sys.modules, "encoders_under_test", module)


def check(name):
    spec = PluginSpec(kind="encoder", name="under-test", target=f"encoders_under_test:{name}", summary="Under test.")
    return check_plugin(spec)


def test_a_right_encoder_passes():
    assert not check("Lengths").failed


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("Mute", "has_the_method"),
        ("FitsNothing", "fit_returns_the_encoder"),
        ("Unfitted", "an_encoder_that_is_not_fitted_says_so"),
        ("Whole", "encodes_one_finite_row_a_text"),
        ("Alike", "different_texts_have_different_vectors"),
        ("Alike", "a_classifier_learns_from_it"),
        ("Ordered", "a_text_is_encoded_the_same_in_any_batch"),
        ("Moody", "the_same_seed_gives_the_same_vectors"),
        ("Grabby", "encoding_changes_nothing"),
        ("Fussy", "empty_and_strange_texts_have_vectors"),
        ("Stubborn", "clones_with_its_parameters"),
    ],
)
def test_a_wrong_encoder_fails_the_check_that_names_its_fault(name, broken):
    with pytest.raises(ConformanceError, match=broken):
        check(name)
