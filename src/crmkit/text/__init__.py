"""Classifies what customers write, in Chinese and English, and says why."""

from __future__ import annotations

from crmkit.text._base import TextClassifier
from crmkit.text._bayes import TextNaiveBayes
from crmkit.text._columns import ColumnFeatures
from crmkit.text._explain import explain
from crmkit.text._features import TextFeatures
from crmkit.text._linear import TextLogistic, TextRidge, TextSVM
from crmkit.text._mlp import TextMLP
from crmkit.text._trees import TextForest, TextTree
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
