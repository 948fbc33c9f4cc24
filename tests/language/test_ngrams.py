"""N-grams by chained numbers against n-grams by slicing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmkit.language import find_ngrams, learn_ngrams, spell_ngrams

RUNS = st.lists(st.text(alphabet="abc电脑", min_size=1, max_size=8), max_size=8)


def symbols_of(runs):
    symbols = np.array([ord(letter) for run in runs for letter in run], dtype=np.int64)
    linked = np.array([place < len(run) - 1 for run in runs for place in range(len(run))], dtype=bool)
    return symbols, linked


def sliced(runs, n):
    return sorted(run[place : place + n] for run in runs for place in range(len(run) - n + 1))


@given(RUNS, st.integers(1, 4))
def test_learned_ngrams_are_those_of_slicing(runs, order):
    keys, found = learn_ngrams(*symbols_of(runs), order)
    spelled = spell_ngrams(keys, chr)
    for n in range(1, order + 1):
        assert len(set(spelled[n - 1])) == len(spelled[n - 1])
        assert sorted(spelled[n - 1][number] for number in found[n - 1][1]) == sliced(runs, n)


@given(RUNS, RUNS)
def test_found_ngrams_are_the_learned_ones_at_their_places(known, other):
    keys, _ = learn_ngrams(*symbols_of(known), 3)
    spelled = spell_ngrams(keys, chr)
    joined = "".join(other)
    for n, (places, numbers) in enumerate(find_ngrams(keys, *symbols_of(other)), start=1):
        learned = set(sliced(known, n))
        assert sorted(spelled[n - 1][number] for number in numbers) == [
            gram for gram in sliced(other, n) if gram in learned
        ]
        for place, number in zip(places.tolist(), numbers.tolist(), strict=True):
            assert joined[place : place + n] == spelled[n - 1][number]


def test_an_unknown_symbol_breaks_no_other():
    symbols, linked = np.array([3, -1, 3, 4]), np.array([True, True, True, False])
    keys, found = learn_ngrams(symbols, linked, 2)
    assert keys[0].tolist() == [3, 4]
    assert found[1][0].tolist() == [2]


def test_words_are_joined_as_asked():
    keys, _ = learn_ngrams(np.array([0, 1]), np.array([True, False]), 2)
    assert spell_ngrams(keys, ["my", "card"].__getitem__, " ")[1] == ["my card"]
