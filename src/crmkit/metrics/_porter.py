"""Porter's stemmer, with the departures that figures of ROUGE are published with."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["porter_stem"]

_IRREGULAR = {
    "skies": "sky",
    "sky": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "news": "news",
    "innings": "inning",
    "inning": "inning",
    "outings": "outing",
    "outing": "outing",
    "cannings": "canning",
    "canning": "canning",
    "howe": "howe",
    "proceed": "proceed",
    "exceed": "exceed",
    "succeed": "succeed",
}

# The first ending that a word has decides, whether its condition holds or not: longer ones stand before their tails.
_DERIVED = (
    *(("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble")),
    *(("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate")),
    *(("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al")),
    *(("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"), ("logi", "log")),
)
_FORMED = (("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""))
_DROPPED = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate"),
    *("iti", "ous", "ive", "ize"),
)


def _shape(stem: str) -> str:
    """Write a stem as its consonants (c) and vowels (v); y is a vowel after a consonant."""
    shape = ""
    for letter in stem:
        vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if vowel else "c"
    return shape


def _measure(stem: str) -> int:
    """Count how often a vowel is followed by a consonant."""
    return _shape(stem).count("vc")


def _is_short(stem: str) -> bool:
    """Say whether a stem ends consonant, vowel, consonant (not w, x, y), or is a vowel and a consonant."""
    shape = _shape(stem)
    return shape == "vc" or (shape.endswith("cvc") and stem[-1] not in "wxy")


def _without_plural(word: str) -> str:
    """Take the s of a plural or a verb away."""
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_tense(word: str) -> str:
    """Take ed and ing away, and mend what is left."""
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    for ending in ("ed", "ing"):
        stem = word.removesuffix(ending)
        if stem != word and "v" in _shape(stem):
            break
    else:
        return word
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if len(stem) > 1 and stem[-1] == stem[-2] and _shape(stem)[-1] == "c":
        return stem if stem[-1] in "lsz" else stem[:-1]
    return stem + "e" if _measure(stem) == 1 and _is_short(stem) else stem


def _replace(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    """Replace the first ending that fits, where enough stands before it."""
    for ending, instead in rules:
        if word.endswith(ending):
            # Of "logi" the l counts as part of what stands before.
            stem = word[: -len(ending) + (ending == "logi")]
            return word[: -len(ending)] + instead if _measure(stem) else word
    return word


def _drop(word: str) -> str:
    """Take a last ending away, where a long stem stands before it."""
    for ending in _DROPPED:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            fits = _measure(stem) > 1 and (ending != "ion" or stem[-1] in "st")
            return stem if fits else word
    return word


@lru_cache(maxsize=65_536)
def porter_stem(word: str) -> str:
    """Give the stem of an English word.

    Porter's algorithm with the departures of the natural language toolkit (irregular words, ``ies`` and ``ied`` of
    four letters, ``y`` kept after a vowel, ``fulli``, ``logi``), since the usual package for ROUGE stems so.

    Parameters
    ----------
    word : str
        In lower case.

    Returns
    -------
    str
        The stem, which need not be a word.

    References
    ----------
    Porter, M. F. (1980). An algorithm for suffix stripping. Program 14, 130-137. doi:10.1108/eb046814

    Examples
    --------
    >>> from crmkit.metrics._porter import porter_stem
    >>> [porter_stem(word) for word in ("complained", "happily", "relational", "delivery")]
    ['complain', 'happili', 'relat', 'deliveri']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2:
        return word
    word = _without_tense(_without_plural(word))
    if word.endswith("y") and len(word) > 2 and _shape(word)[-2] == "c":
        word = word[:-1] + "i"
    if word.endswith("alli") and _measure(word[:-4]):
        word = word[:-2]
    word = _drop(_replace(_replace(word, _DERIVED), _FORMED))
    if word.endswith("e"):
        stem = word[:-1]
        measure = _measure(stem)
        word = stem if measure > 1 or (measure == 1 and not _is_short(stem)) else word
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
