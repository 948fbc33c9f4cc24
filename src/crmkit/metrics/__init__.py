"""Every number with its interval: classification, regression, satisfaction, retention, cost, and cross-validation."""

from __future__ import annotations

from crmkit.metrics.calibration import ece, reliability
from crmkit.metrics.classification import accuracy, f1, precision, recall
from crmkit.metrics.clustering import calinski_harabasz, davies_bouldin, silhouette
from crmkit.metrics.confusion import class_report, confusion
from crmkit.metrics.contact import contact_cost
from crmkit.metrics.contracts import contract_churn, contract_survival
from crmkit.metrics.conversations import contact_rate, first_contact_resolution, median
from crmkit.metrics.density import dbcv
from crmkit.metrics.entities import entity_f1, entity_report
from crmkit.metrics.evaluators import Evaluation, evaluator, resolve, resolve_all
from crmkit.metrics.forecasting import mase
from crmkit.metrics.gains import gain, lift
from crmkit.metrics.hits import hit_rate, precision_at_n, recall_at_n
from crmkit.metrics.incidence import cumulative_incidence, eventual_share
from crmkit.metrics.intervals import bootstrap, mean, share, wilson
from crmkit.metrics.multiple import holm
from crmkit.metrics.paired import paired_differences
from crmkit.metrics.population import StabilityIndex, population_stability, psi
from crmkit.metrics.probability import brier, log_loss, roc_auc
from crmkit.metrics.profit import profit
from crmkit.metrics.ranking import list_scores, mean_average_precision, mean_reciprocal_rank, ndcg
from crmkit.metrics.regression import mae, mse, rmse
from crmkit.metrics.repeat import repeat_purchase, repeat_purchase_curve
from crmkit.metrics.retention import churn_rate, cohort, cohort_rates, retention
from crmkit.metrics.satisfaction import ces, csat, csi, nps, preference
from crmkit.metrics.selection import selection_stability
from crmkit.metrics.stability import stability
from crmkit.metrics.summaries import rouge, rouge_scores
from crmkit.metrics.survival import kaplan_meier, median_survival, restricted_mean, survival_at
from crmkit.metrics.uplift import auuc, qini
from crmkit.metrics.validation import CrossValidation, cross_validate
from crmkit.metrics.variety import concentration, coverage, diversity, novelty

__all__ = [
    "CrossValidation",
    "Evaluation",
    "StabilityIndex",
    "accuracy",
    "auuc",
    "bootstrap",
    "brier",
    "calinski_harabasz",
    "ces",
    "churn_rate",
    "class_report",
    "cohort",
    "cohort_rates",
    "concentration",
    "confusion",
    "contact_cost",
    "contact_rate",
    "contract_churn",
    "contract_survival",
    "coverage",
    "cross_validate",
    "csat",
    "csi",
    "cumulative_incidence",
    "davies_bouldin",
    "dbcv",
    "diversity",
    "ece",
    "entity_f1",
    "entity_report",
    "evaluator",
    "eventual_share",
    "f1",
    "first_contact_resolution",
    "gain",
    "hit_rate",
    "holm",
    "kaplan_meier",
    "lift",
    "list_scores",
    "log_loss",
    "mae",
    "mase",
    "mean",
    "mean_average_precision",
    "mean_reciprocal_rank",
    "median",
    "median_survival",
    "mse",
    "ndcg",
    "novelty",
    "nps",
    "paired_differences",
    "population_stability",
    "precision",
    "precision_at_n",
    "preference",
    "profit",
    "psi",
    "qini",
    "recall",
    "recall_at_n",
    "reliability",
    "repeat_purchase",
    "repeat_purchase_curve",
    "resolve",
    "resolve_all",
    "restricted_mean",
    "retention",
    "rmse",
    "roc_auc",
    "rouge",
    "rouge_scores",
    "selection_stability",
    "share",
    "silhouette",
    "stability",
    "survival_at",
    "wilson",
]
