from __future__ import annotations

import inspect

import pytest

import crmkit
from crmkit.value import protocols


@pytest.mark.parametrize(
    ("kind", "protocol"), [("lifetime-model", protocols.LifetimeModel), ("spend-model", protocols.SpendModel)]
)
def test_every_listed_model_has_the_methods_with_the_parameters_of_its_kind(kind, protocol):
    wanted = {name: member for name, member in vars(protocol).items() if name in {"fit", "predict"}}
    assert set(wanted) == {"fit", "predict"}
    for name in crmkit.available(kind):
        model = crmkit.create(kind, name)
        for method, member in wanted.items():
            has = set(inspect.signature(getattr(model, method)).parameters)
            assert set(inspect.signature(member).parameters) - {"self"} <= has, f"{name}.{method}"
