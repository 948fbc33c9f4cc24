"""Snowball's English stems, and what is no stemmer."""

from __future__ import annotations

import sys

import pytest

from crmkit.core.errors import MissingExtraError
from crmkit.language import find_stemmer

# Words of the two groups that Snowball shows as samples of its English stemmer (snowballstem.org: con…, kn…).
PUBLISHED = """
consign consign, consigned consign, consigning consign, consignment consign, consist consist, consisted consist,
consistency consist, consistent consist, consistently consist, consisting consist, consists consist,
consolation consol, consolations consol, consolatory consolatori, console consol, consoled consol, consoles consol,
consolidate consolid, consolidated consolid, consolidating consolid, consoling consol, consolingly consol,
consols consol, consonant conson, consort consort, consorted consort, consorting consort, conspicuous conspicu,
conspicuously conspicu, conspiracy conspiraci, conspirator conspir, conspirators conspir, conspire conspir,
conspired conspir, conspiring conspir, constable constabl, constables constabl, constance constanc,
constancy constanc, constant constant, knack knack, knackeries knackeri, knacks knack, knag knag, knave knave,
knaves knave, knavish knavish, kneaded knead, kneading knead, knee knee, kneel kneel, kneeled kneel, kneeling kneel,
kneels kneel, knees knee, knell knell, knelt knelt, knew knew, knick knick, knif knif, knife knife, knight knight,
knightly knight, knights knight, knit knit, knits knit, knitted knit, knitting knit, knives knive, knob knob,
knobs knob, knock knock, knocked knock, knocker knocker, knockers knocker, knocking knock, knocks knock,
knopp knopp, knot knot, knots knot
"""
# What a service desk reads.
SERVICE = """
refund refund, refunds refund, refunded refund, refunding refund, delivery deliveri, deliveries deliveri,
delivered deliv, delivering deliv, payment payment, payments payment, paying pay, paid paid, charged charg,
charges charg, charging charg, complaint complaint, complaints complaint, complained complain, waiting wait,
waited wait, orders order, ordered order, cancelled cancel, canceled cancel, cancelling cancel, cards card,
arrived arriv, arrives arriv, arriving arriv, transferring transfer, transferred transfer, transfers transfer
"""


def pairs(table):
    return [tuple(entry.split()) for entry in table.replace("\n", " ").split(",")]


def test_stems_are_those_published():
    pytest.importorskip("snowballstemmer", reason="the extra stem is not installed")
    stem = find_stemmer("english")
    known = [*pairs(PUBLISHED), *pairs(SERVICE)]
    assert len(known) >= 100
    assert [(word, stem(word)) for word, _ in known] == known


def test_a_function_is_taken_and_none_is_none():
    assert find_stemmer(str.upper)("a") == "A"
    assert find_stemmer(None) is None


def test_what_is_no_stemmer_is_refused():
    with pytest.raises(ValueError, match="'english', None or a callable, got 'englisch'"):
        find_stemmer("englisch")
    with pytest.raises(TypeError, match="got int"):
        find_stemmer(3)


def test_a_missing_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "snowballstemmer", None)
    with pytest.raises(MissingExtraError, match=r"crmkit\[stem\]"):
        find_stemmer("english")
