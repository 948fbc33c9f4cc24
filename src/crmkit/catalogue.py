"""Every built-in algorithm on one page; the specs come in through the same entry point as anyone's."""

from __future__ import annotations

from crmkit.core.spec import PluginSpec

__all__ = ["SPECS"]

_SEGMENTERS = (
    PluginSpec(
        kind="segmenter",
        name="kmeans",
        target="sklearn.cluster:KMeans",
        summary="Lloyd's k-means: the given number of round groups of similar spread.",
        defaults={"n_init": 10},
        inputs=("table",),
        tags=frozenset({"inductive"}),
        facts={"n_segments": "n_clusters"},
        reference="Lloyd 1982, doi:10.1109/TIT.1982.1056489",
    ),
    PluginSpec(
        kind="segmenter",
        name="mini-batch-kmeans",
        target="sklearn.cluster:MiniBatchKMeans",
        summary="k-means learned from small batches: for millions of customers.",
        defaults={"n_init": 10, "batch_size": 4096},
        inputs=("table",),
        tags=frozenset({"inductive"}),
        facts={"n_segments": "n_clusters"},
        reference="Sculley 2010, doi:10.1145/1772690.1772862",
    ),
    PluginSpec(
        kind="segmenter",
        name="gaussian-mixture",
        target="sklearn.mixture:GaussianMixture",
        summary="Gaussian mixture: long and tilted groups that overlap, with a probability for each.",
        # A tie such as "bought once" would else draw a component with no width onto itself.
        defaults={"n_init": 3, "reg_covar": 0.01},
        inputs=("table",),
        tags=frozenset({"inductive", "density"}),
        facts={"n_segments": "n_components"},
        reference="Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x",
    ),
    PluginSpec(
        kind="segmenter",
        name="agglomerative",
        target="sklearn.cluster:AgglomerativeClustering",
        summary="Ward's hierarchy of merged groups; memory grows with the square of the customers (up to some 20,000).",
        inputs=("table",),
        tags=frozenset({"hierarchical"}),
        facts={"n_segments": "n_clusters"},
        reference="Ward 1963, doi:10.1080/01621459.1963.10500845",
    ),
    PluginSpec(
        kind="segmenter",
        name="dbscan",
        target="sklearn.cluster:DBSCAN",
        summary="Dense regions of any shape, connected within eps; whoever stands apart is in no segment.",
        defaults={"eps": 0.3, "min_samples": 10},
        inputs=("table",),
        tags=frozenset({"density", "noise"}),
        reference="Ester, Kriegel, Sander and Xu 1996, KDD-96",
    ),
    PluginSpec(
        kind="segmenter",
        name="hdbscan",
        target="sklearn.cluster:HDBSCAN",
        summary="Dense regions of differing density, without a distance to set; the rest is in no segment.",
        defaults={"min_cluster_size": 50, "min_samples": 10},
        inputs=("table",),
        tags=frozenset({"density", "noise"}),
        test_params=({"min_cluster_size": 10, "min_samples": 5},),
        reference="Campello, Moulavi and Sander 2013, doi:10.1007/978-3-642-37456-2_14",
    ),
    PluginSpec(
        kind="segmenter",
        name="rfm-rules",
        target="crmkit.segmentation:RfmRules",
        summary="Eleven named segments by rules on recency, frequency and monetary scores with frozen cuts.",
        inputs=("table",),
        tags=frozenset({"inductive", "rules"}),
        reference="Hughes 1994, Strategic Database Marketing",
    ),
)

_TEXT_CLASSIFIERS: tuple[PluginSpec, ...] = ()

_CLASSIFIERS: tuple[PluginSpec, ...] = ()

_REGRESSORS: tuple[PluginSpec, ...] = ()

_FEATURE_SELECTORS: tuple[PluginSpec, ...] = ()

_ENTITY_RECOGNIZERS: tuple[PluginSpec, ...] = ()

_LIFETIME_MODELS = (
    PluginSpec(
        kind="lifetime-model",
        name="bg-nbd",
        target="crmkit.value:BGNBD",
        summary="Customers buy at rates of their own and may leave after any purchase.",
        inputs=("summary",),
        reference="Fader, Hardie and Lee 2005, doi:10.1287/mksc.1040.0098",
    ),
    PluginSpec(
        kind="lifetime-model",
        name="nbd",
        target="crmkit.value:NBD",
        summary="Customers buy at rates of their own and never leave: the yardstick.",
        inputs=("summary",),
        reference="Ehrenberg 1959, doi:10.2307/2985810",
    ),
)

_SPEND_MODELS = (
    PluginSpec(
        kind="spend-model",
        name="gamma-gamma",
        target="crmkit.value:GammaGamma",
        summary="A customer's mean spend drawn towards everyone's, the more the fewer purchases there were.",
        inputs=("summary",),
        reference="Fader, Hardie and Lee 2005, doi:10.1509/jmkr.2005.42.4.415",
    ),
    PluginSpec(
        kind="spend-model",
        name="mean",
        target="crmkit.value:MeanSpend",
        summary="Every customer's own mean spend: the yardstick.",
        inputs=("summary",),
    ),
)

_RECOMMENDERS: tuple[PluginSpec, ...] = ()

_PLANNERS: tuple[PluginSpec, ...] = (
    PluginSpec(
        kind="planner",
        name="auto",
        target="crmkit.remediation:AutoPlanner",
        summary="A whole plan with a proved small gap: linear programme, then a search where it leaves something open.",
        inputs=("problem",),
        tags=frozenset({"whole", "bound", "prices"}),
    ),
    PluginSpec(
        kind="planner",
        name="lp",
        target="crmkit.remediation:LinearPlanner",
        summary="The exact optimum when cases may be divided; gives bounds and prices.",
        inputs=("problem",),
        tags=frozenset({"divided", "bound", "prices"}),
        reference="Huangfu & Hall 2018, doi:10.1007/s12532-017-0130-5",
    ),
    PluginSpec(
        kind="planner",
        name="milp",
        target="crmkit.remediation:IntegerPlanner",
        summary="The best whole plan by branch and bound over all options.",
        inputs=("problem",),
        tags=frozenset({"whole", "bound", "prices"}),
        reference="Huangfu & Hall 2018, doi:10.1007/s12532-017-0130-5",
    ),
    PluginSpec(
        kind="planner",
        name="greedy",
        target="crmkit.remediation:GreedyPlanner",
        summary="The baseline: floors first, then the most value for what it uses, until nothing fits.",
        inputs=("problem",),
        tags=frozenset({"whole"}),
    ),
)

_EVALUATORS = (
    PluginSpec(
        kind="evaluator",
        name="accuracy",
        target="crmkit.metrics:accuracy",
        summary="The share of rows whose label is right.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="precision",
        target="crmkit.metrics:precision",
        summary="The share of predictions of a label that are right, averaged over labels.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="recall",
        target="crmkit.metrics:recall",
        summary="The share of a label's rows that were found, averaged over labels.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="f1",
        target="crmkit.metrics:f1",
        summary="The harmonic mean of precision and recall, averaged over labels.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="log-loss",
        target="crmkit.metrics:log_loss",
        summary="The mean of minus the logarithm of the probability of what happened.",
        inputs=("actual", "probabilities"),
        facts={"response": "predict_proba", "greater_is_better": False},
    ),
    PluginSpec(
        kind="evaluator",
        name="brier",
        target="crmkit.metrics:brier",
        summary="The mean squared distance between probabilities and what happened.",
        inputs=("actual", "probabilities"),
        facts={"response": "predict_proba", "greater_is_better": False},
        reference="Brier 1950",
    ),
    PluginSpec(
        kind="evaluator",
        name="roc-auc",
        target="crmkit.metrics:roc_auc",
        summary="The probability that a positive row scores higher than another.",
        inputs=("actual", "scores"),
        facts={"response": ("decision_function", "predict_proba"), "greater_is_better": True, "pool": "folds"},
        reference="DeLong et al. 1988, doi:10.2307/2531595",
    ),
    PluginSpec(
        kind="evaluator",
        name="mse",
        target="crmkit.metrics:mse",
        summary="The mean squared error.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": False},
    ),
    PluginSpec(
        kind="evaluator",
        name="rmse",
        target="crmkit.metrics:rmse",
        summary="The root of the mean squared error, in the figure's own unit.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": False},
    ),
    PluginSpec(
        kind="evaluator",
        name="mae",
        target="crmkit.metrics:mae",
        summary="The mean absolute error, in the figure's own unit.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": False},
    ),
    PluginSpec(
        kind="evaluator",
        name="silhouette",
        target="crmkit.metrics:silhouette",
        summary="How much nearer rows are to their own segment than to the next, sampled for large tables.",
        inputs=("table", "labels"),
        facts={"greater_is_better": True},
        reference="Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7",
    ),
    PluginSpec(
        kind="evaluator",
        name="csat",
        target="crmkit.metrics:csat",
        summary="The share of answers that are one of the two best marks of five.",
        inputs=("ratings",),
        facts={"greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="csi",
        target="crmkit.metrics:csi",
        summary="The weighted satisfaction index of several marks, 0 to 100.",
        inputs=("ratings",),
        facts={"greater_is_better": True},
        reference="Fornell et al. 1996, doi:10.1177/002224299606000403",
    ),
    PluginSpec(
        kind="evaluator",
        name="nps",
        target="crmkit.metrics:nps",
        summary="Promoters less detractors per hundred answers.",
        inputs=("ratings",),
        facts={"greater_is_better": True},
        reference="Reichheld 2003",
    ),
    PluginSpec(
        kind="evaluator",
        name="ces",
        target="crmkit.metrics:ces",
        summary="How far customers agree that it was made easy for them, 1 to 7.",
        inputs=("ratings",),
        facts={"greater_is_better": True},
        reference="Dixon et al. 2010",
    ),
    PluginSpec(
        kind="evaluator",
        name="preference",
        target="crmkit.metrics:preference",
        summary="The share of a brand's ratings that are one of the two best marks.",
        inputs=("ratings",),
        facts={"greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="churn-rate",
        target="crmkit.metrics:churn_rate",
        summary="The share of a period's opening customers who are lost at its end.",
        inputs=("before", "after"),
        facts={"greater_is_better": False},
    ),
    PluginSpec(
        kind="evaluator",
        name="retention",
        target="crmkit.metrics:retention",
        summary="The share of a period's opening customers who stay to its end.",
        inputs=("before", "after"),
        facts={"greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="repeat-purchase",
        target="crmkit.metrics:repeat_purchase",
        summary="The share of customers who buy again within some days, young ones left out.",
        inputs=("transactions",),
        facts={"greater_is_better": True},
    ),
    PluginSpec(
        kind="evaluator",
        name="contact-cost",
        target="crmkit.metrics:contact_cost",
        summary="The mean cost of a contact, or of one that resolved its matter.",
        inputs=("cost",),
        facts={"greater_is_better": False},
    ),
)

SPECS: tuple[PluginSpec, ...] = (
    *_SEGMENTERS,
    *_TEXT_CLASSIFIERS,
    *_CLASSIFIERS,
    *_REGRESSORS,
    *_FEATURE_SELECTORS,
    *_ENTITY_RECOGNIZERS,
    *_LIFETIME_MODELS,
    *_SPEND_MODELS,
    *_RECOMMENDERS,
    *_PLANNERS,
    *_EVALUATORS,
)
