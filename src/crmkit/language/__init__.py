"""Reads text in any script, Chinese and English first: one form, scripts, sentences, words, n-grams, stop words."""

from __future__ import annotations

from crmkit.language._analyzer import Analyzer
from crmkit.language._decide import decide_language, decide_languages
from crmkit.language._markup import blank_markup
from crmkit.language._ngrams import find_ngrams, learn_ngrams, spell_ngrams
from crmkit.language._normalize import Normalized, normalize
from crmkit.language._scripts import SCRIPTS, ScriptRun, code_points, script_ids, scripts
from crmkit.language._sentences import Span, sentences
from crmkit.language._stems import Stemmer, find_stemmer
from crmkit.language._stop_words import stop_words
from crmkit.language._tokens import CHARACTER, MARKER, WORD, TokenTable, tokenize
from crmkit.language._words import Segmenter, Token, find_segmenter, segment_run, words

__all__ = [
    "CHARACTER",
    "MARKER",
    "SCRIPTS",
    "WORD",
    "Analyzer",
    "Normalized",
    "ScriptRun",
    "Segmenter",
    "Span",
    "Stemmer",
    "Token",
    "TokenTable",
    "blank_markup",
    "code_points",
    "decide_language",
    "decide_languages",
    "find_ngrams",
    "find_segmenter",
    "find_stemmer",
    "learn_ngrams",
    "normalize",
    "script_ids",
    "scripts",
    "segment_run",
    "sentences",
    "spell_ngrams",
    "stop_words",
    "tokenize",
    "words",
]
