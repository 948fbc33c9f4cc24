"""What this distribution offers, described without importing any of it."""

from __future__ import annotations

from crmkit import PluginSpec

__all__ = ["SPECS"]

SPECS = (
    PluginSpec(
        kind="segmenter",
        name="spend-bands",
        target="crmkit_spend_bands.bands:SpendBands",
        summary="Bands of equal size along one column, with cuts that stay where they were fitted.",
        inputs=("table",),
        tags=frozenset({"inductive"}),
        facts={"n_segments": "n_bands"},
        test_params=({}, {"n_bands": 5, "column": 1}),
    ),
    PluginSpec(
        kind="evaluator",
        name="median-absolute-error",
        target="crmkit_spend_bands.errors:median_absolute_error",
        summary="The median of the absolute errors: half of the predictions are closer than this.",
        inputs=("actual", "predicted"),
        facts={"greater_is_better": False, "response": "predict"},
    ),
)
