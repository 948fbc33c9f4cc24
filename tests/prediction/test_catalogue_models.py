"""Every model and selector that the design names is in the catalogue."""

from __future__ import annotations

import crmkit

SPECS = [
    spec
    for spec in crmkit.available()
    if spec.kind in {"classifier", "regressor", "feature-selector"} and not spec.name.startswith("text-")
]


def test_every_name_of_the_three_kinds_is_there():
    assert [spec.name for spec in SPECS if spec.kind == "classifier"] == [
        "boosting",
        "forest",
        "logistic",
        "mlp",
        "svm",
        "tree",
    ]
    assert [spec.name for spec in SPECS if spec.kind == "regressor"] == [
        "boosting",
        "forest",
        "linear",
        "mlp",
        "ridge",
        "svr",
        "tree",
    ]
    assert [spec.name for spec in SPECS if spec.kind == "feature-selector"] == [
        "information-gain",
        "k-best",
        "recursive-elimination",
    ]
