"""Scoring a new month moves nothing: for every segmenter of the catalogue."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import crmkit
from crmkit import segmentation


def fitted_state(thing, seen=None):
    """Collect copies of all arrays and numbers that a fitted object holds, by where they stand."""
    seen = set() if seen is None else seen
    if isinstance(thing, np.ndarray):
        return thing.copy()
    if isinstance(thing, int | float | str | bool | None):
        return thing
    if id(thing) in seen:
        return None
    seen.add(id(thing))
    if isinstance(thing, list | tuple):
        return [fitted_state(value, seen) for value in thing]
    parts = thing if isinstance(thing, Mapping) else vars(thing) if isinstance(thing, BaseEstimator) else {}
    return {str(key): fitted_state(value, seen) for key, value in parts.items()}


def same(first, second):
    """Compare two collected states."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return first == second or first != first  # noqa: PLR0124 -- NaN


@pytest.mark.parametrize("name", crmkit.available("segmenter"))
def test_a_new_month_never_moves_cuts_scales_or_centers(name, rfm):
    number = 3 if crmkit.describe("segmenter", name).spec.facts.get("n_segments") else "auto"
    table = rfm.iloc[:150]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        segments = segmentation.segment(table, name, n_segments=number, random_state=0)
    # Another month altogether: quantiles, medians and scales worked out on it would be far from the fitted ones.
    shifted = rfm.assign(recency_days=rfm["recency_days"] + 30, monetary=rfm["monetary"] * 2)
    before = fitted_state([segments.segmenter, segments.transform])
    together = segments.predict_ids(shifted)
    part = shifted.iloc[::13]
    assert segments.predict_ids(part).equals(together.loc[part.index])
    alone = pd.concat([segments.predict_ids(part.iloc[[row]]) for row in range(len(part))])
    assert alone.equals(together.loc[part.index])
    comparison = segments.compare(shifted)
    after = fitted_state([segments.segmenter, segments.transform])
    assert same(before, after)
    assert comparison.sizes["customers_after"].sum() == 300
    assert segments.predict_ids(shifted).equals(together)


def test_the_frozen_test_can_see_a_change(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0)
    before = fitted_state([segments.segmenter, segments.transform])
    segments.segmenter.cluster_centers_[0, 0] += 1e-9
    assert not same(before, fitted_state([segments.segmenter, segments.transform]))
