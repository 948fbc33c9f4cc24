"""From raw tables to what models read: cleaning, orders, summaries, features before cutoffs, splits, transforms."""

from __future__ import annotations

from crmkit.preparation._clean import Cleaned, CleaningPolicy, Fill, clean
from crmkit.preparation._clustering import ClusteringTransform
from crmkit.preparation._contract_summary import contract_summary
from crmkit.preparation._customer_table import CustomerTable, customer_table
from crmkit.preparation._cutoff import Cutoff, as_cutoff
from crmkit.preparation._events import calendar_days
from crmkit.preparation._folds import CustomerFolds, CustomerTimeFolds, TimeFolds
from crmkit.preparation._for_clustering import for_clustering
from crmkit.preparation._orders import Orders, orders
from crmkit.preparation._period_summary import period_summary
from crmkit.preparation._rfm import rfm_table
from crmkit.preparation._split import TimeSplit, time_split
from crmkit.preparation._summary import purchase_summary
from crmkit.preparation._survivors import contracts_from_survivors
from crmkit.preparation._transforms import SignedLog, skewed_pipeline
from crmkit.preparation._winsorize import Winsorizer
from crmkit.preparation.feature_tables import (
    Aggregate,
    Audit,
    Embedding,
    EventColumns,
    FeatureRecipe,
    FeatureSplit,
    FeatureTable,
    audit,
    features,
    label_knowledge,
)
from crmkit.preparation.units import days_in

__all__ = [
    "Aggregate",
    "Audit",
    "Cleaned",
    "CleaningPolicy",
    "ClusteringTransform",
    "CustomerFolds",
    "CustomerTable",
    "CustomerTimeFolds",
    "Cutoff",
    "Embedding",
    "EventColumns",
    "FeatureRecipe",
    "FeatureSplit",
    "FeatureTable",
    "Fill",
    "Orders",
    "SignedLog",
    "TimeFolds",
    "TimeSplit",
    "Winsorizer",
    "as_cutoff",
    "audit",
    "calendar_days",
    "clean",
    "contract_summary",
    "contracts_from_survivors",
    "customer_table",
    "days_in",
    "features",
    "for_clustering",
    "label_knowledge",
    "orders",
    "period_summary",
    "purchase_summary",
    "rfm_table",
    "skewed_pipeline",
    "time_split",
]
