"""Every built-in passes the checks of its kind, scikit-learn's list or the list for texts included."""

from __future__ import annotations

import pytest

from crmkit.catalogue import SPECS
from crmkit.testing import check_plugin


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.kind}-{spec.name}")
def test_a_built_in_conforms(spec):
    report = check_plugin(spec)
    assert report.ran >= 6
    assert not report.failed
