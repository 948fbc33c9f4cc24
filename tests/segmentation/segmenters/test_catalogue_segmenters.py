"""The built-in segmenters as plugins."""

from __future__ import annotations

import pytest

import crmkit
from crmkit.core.registry import spec_of
from crmkit.testing import check_plugin

NAMES = (
    "agglomerative", "dbscan", "forest-proximity", "gaussian-mixture", "hdbscan", "k-medoids", "k-prototypes", "kmeans",
    "mini-batch-kmeans", "rfm-rules", "support-vector-clustering",
)  # fmt: skip


def test_all_are_listed():
    assert set(NAMES) <= set(crmkit.available("segmenter"))


def test_inductive_ones_are_those_that_predict():
    inductive = {name for name in NAMES if hasattr(crmkit.create("segmenter", name), "predict")}
    assert inductive == set(crmkit.available("segmenter", tags={"inductive"})) & set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_described_with_its_defaults_and_reference(name):
    described = crmkit.describe("segmenter", name)
    made = crmkit.create("segmenter", name)
    assert described.spec.reference
    for parameter, value in described.spec.defaults.items():
        assert made.get_params()[parameter] == value


@pytest.mark.parametrize("name", NAMES)
def test_parameter_for_the_number_is_one_it_has(name):
    parameter = spec_of("segmenter", name).facts.get("n_segments")
    assert parameter is None or parameter in crmkit.create("segmenter", name).get_params()


@pytest.mark.parametrize("name", NAMES)
def test_each_passes_the_plugin_checks(name, capsys):
    check_plugin(spec_of("segmenter", name))
    assert "0 failed" in capsys.readouterr().out
