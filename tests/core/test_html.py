"""Pieces of HTML."""

from __future__ import annotations

import pytest

from crmkit.core.html import cell, element, escape, table


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (True, "yes"),
        (False, "no"),
        (1234, "1,234"),
        (0.000123, "0.000123"),
        (3.14159, "3.14"),
        (47.0, "47"),
        (0.0, "0"),
        (-2e6, "-2,000,000"),
        ("退款", "退款"),
    ],
)
def test_a_value_is_written_as_people_read_it(value, shown):
    assert cell(value) == shown


def test_everything_from_data_is_escaped():
    shown = table(["<b>"], [["<script>alert(1)</script>"]], caption="a & b")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "a &amp; b" in shown


def test_attributes_are_escaped():
    assert element("p", escape("<"), title='"quoted"') == '<p title="&quot;quoted&quot;">&lt;</p>'
