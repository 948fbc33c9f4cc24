"""Feature tables that cannot see the future: declared columns, frozen learning, labels after the cutoff, an audit."""

from __future__ import annotations

from crmkit.preparation.feature_tables._aggregates import Aggregate
from crmkit.preparation.feature_tables._audit import Audit, audit
from crmkit.preparation.feature_tables._columns import EventColumns
from crmkit.preparation.feature_tables._embedding import Embedding
from crmkit.preparation.feature_tables._features import features
from crmkit.preparation.feature_tables._knowledge import label_knowledge
from crmkit.preparation.feature_tables._recipe import FeatureRecipe
from crmkit.preparation.feature_tables._table import FeatureSplit, FeatureTable

__all__ = [
    "Aggregate",
    "Audit",
    "Embedding",
    "EventColumns",
    "FeatureRecipe",
    "FeatureSplit",
    "FeatureTable",
    "audit",
    "features",
    "label_knowledge",
]
