"""Decides for each text whether it is Chinese, English, both, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import as_texts
from crmkit.language._markup import blank_markup
from crmkit.language._scripts import SCRIPTS, code_points, script_ids
from crmkit.language._stop_words import word_list
from crmkit.language._tokens import CHARACTER, WORD, tokenize

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["decide_language", "decide_languages"]

_LATIN, _DIGIT = SCRIPTS.index("latin"), SCRIPTS.index("digit")
_HAN = SCRIPTS.index("han")
_KANA = (SCRIPTS.index("hiragana"), SCRIPTS.index("katakana"))
_CLEAR = 0.75


def decide_languages(texts: Any) -> npt.NDArray[np.object_]:
    """Decide the language of many texts.

    Counted are Han characters, words in Latin letters, and words or characters of other scripts. Three quarters of
    one of them decide: Han is ``"zh"`` unless kana stand among it, Latin is ``"en"`` or ``"other"`` by their
    function words (and by accents where a text has none), the rest is ``"other"``. Han and Latin without a clear
    majority are ``"mixed"``; a text without letters is ``"other"``. HTML is looked through. The cost is that of
    `tokenize`.

    Parameters
    ----------
    texts : list, array or Series of str
        Missing texts count as empty.

    Returns
    -------
    ndarray of object, shape (n_texts,)
        ``"zh"``, ``"en"``, ``"mixed"`` or ``"other"``.

    Raises
    ------
    TypeError
        If it is one text, or items are no ``str``.

    Notes
    -----
    A Latin text without function words and accents counts as English: an order note such as ``"card arrived"`` has
    none. A Chinese sentence with a product's name in it stays Chinese.

    Examples
    --------
    >>> from crmkit.language import decide_languages
    >>> decide_languages(["我的iPhone坏了", "I want a refund", "请cancel我的order", "Não recebi o produto"]).tolist()
    ['zh', 'en', 'mixed', 'other']
    """
    table = tokenize([blank_markup(text, entities=True) for text in as_texts(texts).tolist()])
    n = table.n_texts
    english, foreign = word_list("stop_words_en"), word_list("function_words_latin")
    scripts = script_ids(code_points("".join(word[0] for word in table.words)))
    # A word that begins with a digit ("3g") says nothing of the language.
    latin_word = scripts == _LATIN
    of_english = np.array([word in english for word in table.words], dtype=bool)
    of_foreign = np.array([word in foreign for word in table.words], dtype=bool) & ~of_english
    accented = np.array([not word.isascii() for word in table.words], dtype=bool) & latin_word
    is_word, is_character = table.kind == WORD, table.kind == CHARACTER

    def count(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return np.bincount(table.text[rows], minlength=n)

    def count_words(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return np.bincount(table.text[is_word][flags[table.code[is_word]]], minlength=n)

    character_script = np.zeros(len(table.code), dtype=np.uint8)
    character_script[is_character] = script_ids(table.code[is_character].astype(np.uint32))
    han = count(character_script == _HAN)
    kana = count(np.isin(character_script, _KANA))
    unspaced = count(is_character)
    latin = count_words(latin_word)
    strange = count_words(~latin_word & (scripts != _DIGIT)) + unspaced - han
    total = han + latin + strange
    decision = np.full(n, "mixed", dtype=object)
    decision[(total == 0) | (strange >= _CLEAR * total) | (10 * kana > unspaced) | (2 * strange > total)] = "other"
    open_ = decision == "mixed"
    decision[open_ & (han >= _CLEAR * total)] = "zh"
    ours, theirs = count_words(of_english), count_words(of_foreign)
    latin_text = open_ & (latin >= _CLEAR * total)
    not_english = (theirs > ours) | ((ours == 0) & (theirs == 0) & (count_words(accented) > 0))
    decision[latin_text] = np.where(not_english[latin_text], "other", "en")
    return decision


def decide_language(text: str) -> str:
    """Decide the language of one text; see `decide_languages`, which is faster for many.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        ``"zh"``, ``"en"``, ``"mixed"`` or ``"other"``.

    Raises
    ------
    TypeError
        If it is no ``str``.

    Examples
    --------
    >>> from crmkit.language import decide_language
    >>> decide_language("客服态度很好")
    'zh'
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be str, got {type(text).__name__}")
    return str(decide_languages([text])[0])
