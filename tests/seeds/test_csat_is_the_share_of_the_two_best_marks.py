"""CSAT divided by the scale, or counting the middle mark, is another number."""

from __future__ import annotations

import crmkit
from crmkit import metrics


def test_csat_of_five_answers_is_three_fifths():
    assert metrics.csat([5, 5, 4, 2, 1]) == 0.6
    assert crmkit.create("evaluator", "csat")([5, 5, 4, 2, 1]) == 0.6


def test_csat_tells_how_little_five_answers_say():
    got = metrics.csat([5, 5, 4, 2, 1])
    assert got.n == 5
    assert got.low < 0.25
    assert got.high > 0.85
