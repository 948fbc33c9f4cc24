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
)

_TEXT_CLASSIFIERS: tuple[PluginSpec, ...] = ()

_CLASSIFIERS: tuple[PluginSpec, ...] = ()

_REGRESSORS: tuple[PluginSpec, ...] = ()

_FEATURE_SELECTORS: tuple[PluginSpec, ...] = ()

_ENTITY_RECOGNIZERS: tuple[PluginSpec, ...] = ()

_LIFETIME_MODELS: tuple[PluginSpec, ...] = ()

_SPEND_MODELS: tuple[PluginSpec, ...] = ()

_RECOMMENDERS: tuple[PluginSpec, ...] = ()

_PLANNERS: tuple[PluginSpec, ...] = ()

_EVALUATORS: tuple[PluginSpec, ...] = ()

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
