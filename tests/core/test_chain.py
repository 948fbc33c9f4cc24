"""Hash chains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.chain import GENESIS, chain, digest, verify
from crmkit.core.errors import IntegrityError

ENTRIES = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3), min_size=1, max_size=8
)


@given(ENTRIES)
def test_an_untouched_log_verifies(entries):
    assert verify(entries, chain(entries)) == len(entries)


@given(ENTRIES, st.data())
def test_an_altered_entry_is_found_at_its_place(entries, data):
    hashes = chain(entries)
    place = data.draw(st.integers(0, len(entries) - 1))
    altered = [dict(entry) for entry in entries]
    altered[place]["altered"] = "yes"
    with pytest.raises(IntegrityError, match=f"entry {place} "):
        verify(altered, hashes)


def test_a_removed_last_entry_is_found():
    log = [{"a": 1}, {"a": 2}]
    with pytest.raises(IntegrityError, match="entry 1"):
        verify(log[:1], chain(log))


def test_a_log_may_be_checked_from_the_middle():
    log = [{"a": 1}, {"a": 2}, {"a": 3}]
    hashes = chain(log)
    assert verify(log[1:], hashes[1:], previous=hashes[0]) == 2


def test_the_order_of_keys_does_not_matter_and_chinese_does():
    assert digest(GENESIS, {"a": 1, "b": "退款"}) == digest(GENESIS, {"b": "退款", "a": 1})
    assert digest(GENESIS, {"b": "退款"}) != digest(GENESIS, {"b": "换货"})


def test_a_value_without_json_form_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest(GENESIS, {"a": float("nan")})
