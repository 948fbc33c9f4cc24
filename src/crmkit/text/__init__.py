"""Classifies what customers write, in Chinese and English, and says why."""

from __future__ import annotations

from crmkit.text.classifying._base import TextClassifier
from crmkit.text.classifying._bayes import TextNaiveBayes
from crmkit.text.classifying._columns import ColumnFeatures
from crmkit.text.classifying._explain import explain
from crmkit.text.classifying._linear import TextLogistic, TextRidge, TextSVM
from crmkit.text.classifying._mlp import TextMLP
from crmkit.text.classifying._trees import TextForest, TextTree
from crmkit.text.features._text_features import TextFeatures
from crmkit.text.protocols import Encoder

__all__ = [
    "ColumnFeatures",
    "Encoder",
    "TextClassifier",
    "TextFeatures",
    "TextForest",
    "TextLogistic",
    "TextMLP",
    "TextNaiveBayes",
    "TextRidge",
    "TextSVM",
    "TextTree",
    "explain",
]
