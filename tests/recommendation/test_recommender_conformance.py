"""Every recommender of the catalogue passes what the kit asks of a recommender."""

from __future__ import annotations

import pytest

import crmkit
from crmkit.testing import check_plugin

SPECS = [spec for spec in crmkit.available() if spec.kind == "recommender" and not spec.name.endswith("-rating")]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_recommender_passes_the_checks(spec, capsys):
    report = check_plugin(spec)
    assert report.ran >= 10
    assert "0 failed" in capsys.readouterr().out
