"""Every built-in passes the checks of its kind, scikit-learn's list or the list for texts included."""

from __future__ import annotations

import pytest

from crmkit.catalogue import SPECS
from crmkit.testing import check_plugin

# scikit-learn excuses its own classes from these checks, which ours derive from.
EXCUSED = {
    "boosting": {"scikit-learn:sample_weight_equivalence_on_dense_data": "bins are cut by rows, not by weights"},
    "forest": {
        f"scikit-learn:sample_weight_equivalence_on_{kind}_data": "rows are drawn by rows, not by weights"
        for kind in ("dense", "sparse")
    },
}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.kind}-{spec.name}")
def test_a_built_in_conforms(spec):
    report = check_plugin(spec, expected_failures=EXCUSED.get(spec.name))
    assert report.ran >= 6
    assert not report.failed
