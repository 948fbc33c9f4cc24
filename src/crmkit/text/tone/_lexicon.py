"""Scores texts by lists of weighted words, with negation and emphasis, for the day on which there are no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from crmkit.core.errors import DataError
from crmkit.language import MARKER, WORD, decide_languages, tokenize
from crmkit.text._texts import read_texts
from crmkit.text.phrases._finder import FoundPhrases, PhraseFinder
from crmkit.text.phrases._scope import Weighed, apply_modifiers
from crmkit.text.tone._words import MODIFIERS, read_weights, with_own

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.language import TokenTable

    Floats = npt.NDArray[np.float64]

__all__ = ["LexiconSentiment", "LexiconUrgency"]

_BOTH = frozenset({"好", "pretty"})
"""Words that mean "very" right before another weighted word."""
_VERY = 1.5


class _LexiconClassifier(ClassifierMixin, BaseEstimator):
    """What both lexicon classifiers share."""

    _lists: ClassVar[tuple[str, ...]]
    _labels: ClassVar[dict[str, Any]]

    def __init__(
        self,
        *,
        words: Mapping[str, float] | None = None,
        modifiers: Mapping[str, float] | None = None,
        labels: Mapping[str, Any] | None = None,
        band: float = 0.0,
        bias: float = 0.0,
    ) -> None:
        self.words = words
        self.modifiers = modifiers
        self.labels = labels
        self.band = band
        self.bias = bias

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature; nothing is learned
        """Do nothing: the words are given. It is there so that this can stand where a trained classifier stands.

        Parameters
        ----------
        X, y : ignored
            For scikit-learn's sake.

        Returns
        -------
        classifier
            Itself.
        """
        return self

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """The labels that `predict` may give, sorted."""
        return np.unique(np.array(list(self._names().values())))

    def decision_function(self, X: Any) -> Floats:
        """Give the score of each text: the sum of its weighted words, and the bias.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            A missing text counts as empty.

        Returns
        -------
        ndarray of float64, shape (n_texts,)
            Above 0 speaks for the positive (urgent) label. NaN where the language is neither Chinese nor English: the
            words could not be looked up.
        """
        texts = read_texts(X, what="X")
        table = tokenize(texts.tolist())
        weighed = self._weigh(table)
        scores = self.bias + np.bincount(weighed.text, weights=weighed.weight, minlength=len(texts))
        return np.where(_unknown(texts, table), np.nan, scores)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the label of each text.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        ndarray, shape (n_texts,)
            As the class says.
        """
        scores = self.decision_function(X)
        names = self._names()
        low, high = self._low_and_high()
        middle = names.get("neutral", names[low])
        answers = np.full(len(scores), middle, dtype=object)
        answers[scores > self._limit()] = names[high]
        answers[scores < -self._limit()] = names[low]
        answers[np.isnan(scores)] = names.get("unknown", middle)
        return np.array(answers.tolist(), dtype=None if len(answers) else object)

    def spans(self, X: Any) -> pd.DataFrame:
        """Give the weighted words of each text where they stand, as `crmkit.text.explain` does for trained classifiers.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        pandas.DataFrame
            ``text_id``, ``label`` (the one that ``weight`` above 0 speaks for), ``start``, ``end`` (half-open offsets
            into the original text, from the first modifier to the end of the word), ``span``, ``weight``. The weights
            of a text and the bias add up to `decision_function`. A text in another language has no rows.
        """
        texts = read_texts(X, what="X")
        table = tokenize(texts.tolist(), offsets=True)
        weighed = self._weigh(table)
        known = ~_unknown(texts, table)[weighed.text]
        text, first, last = weighed.text[known], weighed.first[known], weighed.last[known]
        start, end = table.start[first], table.end[last]
        pieces = [texts[i][a:b] for i, a, b in zip(text.tolist(), start.tolist(), end.tolist(), strict=True)]
        return pd.DataFrame(
            {
                "text_id": text,
                "label": self._names()[self._low_and_high()[1]],
                "start": start,
                "end": end,
                "span": pieces,
                "weight": weighed.weight[known],
            }
        )

    def lexicon(self) -> dict[str, float]:
        """Give all words that count, those in the box and your own.

        Returns
        -------
        dict of str to float
            By word or phrase.
        """
        return with_own(read_weights(*self._lists), self.words, "words")

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags

    def _names(self) -> dict[str, Any]:
        """Give the labels by what they mean."""
        names = dict(self._labels if self.labels is None else self.labels)
        needed = self._low_and_high()
        if not set(needed) <= set(names) or not set(names) <= set(self._labels):
            raise DataError(
                f"labels must name {' and '.join(map(repr, needed))}, and may name "
                f"{', '.join(repr(name) for name in self._labels if name not in needed)}; got {len(names)} names"
            )
        if len({isinstance(name, str) for name in names.values()}) > 1:
            raise TypeError("labels must be all text or all numbers, got both")
        return names

    def _low_and_high(self) -> tuple[str, str]:
        """Give the meanings of scores below and above."""
        first, *_, last = [name for name in self._labels if name not in {"neutral", "unknown"}]
        return first, last

    def _limit(self) -> float:
        """Give how far from 0 a score must be."""
        if isinstance(self.band, str) or not 0 <= self.band < np.inf:
            raise DataError(f"band must be a number of at least 0, got {self.band!r}")
        return float(self.band)

    def _weigh(self, table: TokenTable) -> Weighed:
        """Find the words and what each adds after what stands before it."""
        factors = with_own(read_weights(MODIFIERS), self.modifiers, "modifiers")
        # A phrase that is in both lists has a weight: the later of equal phrases counts.
        both = [*factors.items(), *self.lexicon().items()]
        found = PhraseFinder([phrase for phrase, _ in both]).find(table)
        value = np.array([number for _, number in both])[found.phrase] if both else np.empty(0)
        polar = found.phrase >= len(factors)
        _turn_into_emphasis(both, found, value, polar, table)
        return apply_modifiers(found, value, polar, table)


def _turn_into_emphasis(
    both: list[tuple[str, float]],
    found: FoundPhrases,
    value: Floats,
    polar: npt.NDArray[np.bool_],
    table: TokenTable,
) -> None:
    """Take words such as 好 in 好慢 for emphasis, in place."""
    if not len(polar):
        return
    dual = np.array([phrase in _BOTH for phrase, _ in both], dtype=bool)
    adjacent = (found.first[1:] == found.last[:-1] + 1) & (np.diff(table.text[found.first]) == 0)
    emphatic = dual[found.phrase] & polar & np.append(adjacent & polar[1:], False)
    value[emphatic], polar[emphatic] = _VERY, False


def _unknown(texts: npt.NDArray[np.object_], table: TokenTable) -> npt.NDArray[np.bool_]:
    """Say which texts are written in a language other than Chinese and English; a text without words is none."""
    spoken = np.array([not word[0].isdecimal() for word in table.words], dtype=bool)
    letters = table.kind != MARKER
    is_word = table.kind == WORD
    letters[is_word] = spoken[table.code[is_word]]
    has_words = np.bincount(table.text[letters], minlength=len(texts)) > 0
    return np.asarray((decide_languages(texts) == "other") & has_words, dtype=bool)


class LexiconSentiment(_LexiconClassifier):
    """Says whether a text is positive or negative by lists of words in Chinese and English: a baseline without labels.

    Each word of the list adds its weight; a negation before it (``not``, ``never``, 不, 没) turns it and takes a
    quarter off, emphasis (very, 非常) makes it half as much again, hedging (a bit, 有点) halves it. Modifiers reach
    over at most three words or five characters and over no punctuation. The lists are our own and small (in the box:
    some 450 words a language and emoji); they know nothing of irony, of comparisons, or of your trade. Use it on the
    first day, look at `spans`, and replace it by a trained classifier as soon as some hundred labels are there: any
    text classifier of crmkit serves.

    Cost: some 20,000 short messages a second on one core. ``fit`` does nothing.

    Parameters
    ----------
    words : mapping of str to float, default=None
        Words or phrases with weights, put over those in the box; 0 takes one out. ``"disappoint*"`` fits every ending.
    modifiers : mapping of str to float, default=None
        The same for modifiers and their factors, negative for negations.
    labels : mapping, default=None
        What ``predict`` gives for ``negative``, ``neutral``, ``positive`` and ``unknown`` (another language); where
        None, these words, and ``"unknown language"``. Without ``neutral`` a text in the band is negative; without
        ``unknown`` another language counts as one in the band.
    band : float, default=0.0
        A score at most this far from 0 is neutral.
    bias : float, default=0.0
        Added to every score.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.

    Examples
    --------
    >>> from crmkit.text import LexiconSentiment
    >>> tone = LexiconSentiment()
    >>> tone.predict(["not good at all", "送餐很快，味道也不错", "Recebi o produto com atraso"]).tolist()
    ['negative', 'positive', 'unknown language']
    >>> tone.spans(["味道不太好"])[["span", "weight"]].values.tolist()
    [['不太好', -1.125]]
    """

    _lists = ("sentiment_en", "sentiment_zh")
    _labels: ClassVar[dict[str, Any]] = {
        "negative": "negative",
        "neutral": "neutral",
        "positive": "positive",
        "unknown": "unknown language",
    }


class LexiconUrgency(_LexiconClassifier):
    """Says whether a text wants to be dealt with at once, by lists of words in both languages: a baseline.

    Deadlines, repeated asking, danger, money at risk and threats of leaving or of law weigh for it; "no rush" and mere
    thanks against. It works as `LexiconSentiment` does, with the same limits, and its weights rest on judgement. Of
    English bank messages that it flagged, .86 were urgent by hand, of Chinese takeaway reviews .48; of what is urgent
    it found .57 and .35. Use it to order a queue, not to leave anybody out.

    Parameters
    ----------
    words, modifiers : mapping of str to float, default=None
        As for `LexiconSentiment`.
    labels : mapping, default=None
        What ``predict`` gives for ``normal``, ``urgent`` and ``unknown``; where None, these words, and
        ``"unknown language"``.
    band : float, default=1.0
        The score that must be exceeded: one weak sign is not enough.
    bias : float, default=0.0
        Added to every score.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.

    Examples
    --------
    >>> from crmkit.text import LexiconUrgency
    >>> LexiconUrgency().predict(["My card was stolen, block it right now!", "不急，有空再回"]).tolist()
    ['urgent', 'normal']
    """

    _lists = ("urgency_en", "urgency_zh")
    _labels: ClassVar[dict[str, Any]] = {"normal": "normal", "urgent": "urgent", "unknown": "unknown language"}

    def __init__(
        self,
        *,
        words: Mapping[str, float] | None = None,
        modifiers: Mapping[str, float] | None = None,
        labels: Mapping[str, Any] | None = None,
        band: float = 1.0,
        bias: float = 0.0,
    ) -> None:
        super().__init__(words=words, modifiers=modifiers, labels=labels, band=band, bias=bias)
