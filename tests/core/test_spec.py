"""Plugin specs."""

from __future__ import annotations

import pytest

from crmkit import PluginSpec

GOOD = {"kind": "segmenter", "name": "rings", "target": "acme.rings:Rings", "summary": "Rings."}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "Segmenter"),
        ("kind", ""),
        ("name", "two words"),
        ("name", "under_score"),
        ("name", "acme:rings"),
        ("name", 7),
        ("target", "acme.rings"),
        ("target", "acme.rings:"),
        ("target", "acme rings:Rings"),
        ("api", "1"),
        ("api", True),
        ("requires", "numpy"),
        ("inputs", ["table"]),
        ("test_params", {"a": 1}),
    ],
)
def test_a_malformed_field_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        PluginSpec(**{**GOOD, field: value})


def test_a_spec_is_frozen_through_and_through():
    defaults = {"n": 3}
    spec = PluginSpec(**GOOD, defaults=defaults)
    defaults["n"] = 4
    assert spec.defaults["n"] == 3
    with pytest.raises(TypeError):
        spec.defaults["n"] = 5
    with pytest.raises(AttributeError):
        spec.name = "other"


def test_specs_are_equal_by_value_and_hashable():
    assert len({PluginSpec(**GOOD), PluginSpec(**GOOD)}) == 1


def test_tags_may_be_given_as_any_set():
    assert PluginSpec(**GOOD, tags={"inductive"}).tags == frozenset({"inductive"})


def test_module_and_attribute_are_the_two_halves_of_the_target():
    spec = PluginSpec(**{**GOOD, "target": "acme.rings:Rings.Inner"})
    assert (spec.module, spec.attribute) == ("acme.rings", "Rings.Inner")
