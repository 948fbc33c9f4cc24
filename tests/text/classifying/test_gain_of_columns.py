"""Whether the columns beside a text add to it, on texts not trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV

from crmkit import text
from crmkit.core.errors import DataError


def table(n=200, seed=0):
    """The text is right four times in five; so is the channel, on its own."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["card", "refund"], n)
    other = np.where(labels == "card", "refund", "card")
    said = np.where(rng.uniform(size=n) < 0.8, labels, other)
    through = np.where(rng.uniform(size=n) < 0.8, labels, other)
    channel = np.where(through == "card", "phone", "chat")
    return pd.DataFrame({"text": [f"about my {word}" for word in said], "channel": channel}), labels


def test_each_alone_and_both_are_compared():
    frame, labels = table(600)
    noise = np.random.default_rng(1).choice(["letter", "fax"], len(frame))
    found = text.gain_of_columns("text-svm", frame, labels)
    assert found.index.tolist() == ["text", "columns", "both", "gain"]
    assert found.loc["text", "value"] == pytest.approx(0.8, abs=0.05)
    assert found.loc["columns", "value"] == pytest.approx(0.8, abs=0.05)
    useless = text.gain_of_columns("text-svm", frame.assign(channel=noise), labels)
    assert useless.loc["gain", "low"] <= 0.0 <= useless.loc["gain", "high"]


def test_a_column_that_decides_is_a_gain_with_its_interval():
    frame, labels = table()
    frame["channel"] = np.where(labels == "card", "phone", "chat")
    found = text.gain_of_columns("text-svm", frame, labels)
    assert found.loc["both", "value"] == found.loc["columns", "value"] == 1
    assert found.loc["gain", "value"] == pytest.approx(1 - found.loc["text", "value"])
    assert found.loc["gain", "low"] > 0.1
    assert found.loc["gain", "high"] - found.loc["gain", "low"] < 0.15
    assert (found["n"] == len(frame)).all()


def test_columns_of_any_name_and_classifiers_with_settings_are_taken():
    frame, labels = table()
    frame = frame.rename(columns={"text": "message"}).assign(minutes=np.where(labels == "card", 1.0, 30.0))
    model = text.TextLogistic(columns=["minutes"], text_column="message")
    found = text.gain_of_columns(model, frame, labels, cv=2)
    assert found.loc["columns", "value"] == 1
    assert model.columns == ["minutes"]


@pytest.mark.parametrize(
    "wrapped",
    [
        text.CalibratedTextClassifier("text-svm", cv=2),
        text.RejectingClassifier(text.CalibratedTextClassifier(text.TextSVM(), cv=2), keep=1.0, cv=2),
        text.HierarchicalTextClassifier({"card": "c", "refund": "r"}, cv=2),
        CalibratedClassifierCV(text.TextSVM(), cv=2),
    ],
)
def test_a_classifier_within_others_is_compared_through_them(wrapped):
    frame, labels = table(60)
    frame["channel"] = np.where(labels == "card", "phone", "chat")
    found = text.gain_of_columns(wrapped, frame, labels, cv=2)
    assert found.loc["columns", "value"] == 1
    assert found.loc["gain", "value"] > 0.05


def test_the_same_seed_gives_the_same():
    frame, labels = table(60)
    first = text.gain_of_columns("text-svm", frame, labels, random_state=3)
    assert first.equals(text.gain_of_columns("text-svm", frame, labels, random_state=3))


def test_nothing_to_gain_from_is_an_error():
    frame, labels = table(20)
    with pytest.raises(DataError, match="no columns beside the text"):
        text.gain_of_columns("text-svm", frame[["text"]], labels)
    with pytest.raises(DataError, match="no column 'duration'"):
        text.gain_of_columns(text.TextSVM(columns=["duration"]), frame, labels)
    with pytest.raises(TypeError, match=r"takes columns beside the text.*got ScaledLogistic"):
        text.gain_of_columns("logistic", frame, labels)
    with pytest.raises(TypeError, match=r"takes columns beside the text.*got CalibratedTextClassifier"):
        text.gain_of_columns(text.CalibratedTextClassifier("logistic"), frame, labels)
    with pytest.raises(TypeError, match="MultiLabelTextClassifier gives any number"):
        text.gain_of_columns(text.MultiLabelTextClassifier(), frame, labels)
    with pytest.raises(DataError, match="no class has two texts"):
        text.gain_of_columns("text-svm", frame[:2], ["a", "b"])
