"""Counts the words that people would name a topic by: no stop words, no numbers, no halves of words."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.language import blank_markup, code_points, find_segmenter, script_ids, stop_words
from crmkit.language._scripts import UNSPACED
from crmkit.text._texts import read_texts
from crmkit.text.topics._cohesion import cutter, learn_words
from crmkit.text.topics._pieces import find_joins, join, read_pieces
from crmkit.text.topics._plurals import find_plurals, rename

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.language import Segmenter

__all__ = ["ReadableTerms", "TermRules", "read_stop_words"]

_LEAST_FOR_JOINS, _MANY = 5, 1000


def _plain(texts: Any) -> list[str]:
    """Read texts, looking through HTML."""
    return [blank_markup(text, entities=True) for text in read_texts(texts, what="X").tolist()]


def read_stop_words(words: Any) -> frozenset[str]:
    """Give the stop words: those in the box of both languages for None, else exactly those given.

    Parameters
    ----------
    words : iterable of str or None
        To add some to those in the box, give ``language.stop_words(add=[...])``.

    Returns
    -------
    frozenset of str
        In lower case.
    """
    if words is None:
        return stop_words()
    if isinstance(words, str):
        raise TypeError("stop_words must be a list or set of words, got one str")
    return frozenset(str(word).lower() for word in words)


class ReadableTerms(TransformerMixin, BaseEstimator):
    """Counts the words of each text as people read them, Chinese and English in the same column.

    Words of spaced scripts count as they are, lower-cased. Stretches of Chinese are cut by rjieba where it is installed
    and else by words that the corpus itself shows: characters that hold together and whose neighbours vary. Words that
    stand almost only together are joined (``apple pay``). Left out are stop words, Chinese words all of whose
    characters are stop words, numbers, single Latin letters, signs, and the markup of HTML.

    Use it for topics and keywords, where people read the terms; classifiers do better with `TextFeatures`. Cost: 2-4 MB
    of text a second on one core with rjieba, under 1 MB without.

    Parameters
    ----------
    stop_words : iterable of str, default=None
        Words left out, None for those in the box of both languages; see `crmkit.language.stop_words` to change them.
    segmenter : {"auto", "rjieba", "cohesion"} or callable, default="auto"
        Cuts Chinese. ``"auto"`` is rjieba where installed and else ``"cohesion"``; ``segmenter_`` says which it was.
    shortest : int, default=2
        Fewest characters of a term; with 1, Chinese words of one character count too, which adds complaints such as
        slow and salty and more noise.
    min_df : int, default=None
        Leave out terms in fewer texts than this; None for 1 below a hundred texts and one more for each power of ten.
    max_df : float, default=1.0
        Leave out terms in more than this share of the texts.
    joined : bool, default=True
        Whether words that stand almost only together make one term.
    merge_plurals : bool, default=False
        Whether the plural of an English word (``cards``) counts as the word (``card``), where fitting saw both.

    Attributes
    ----------
    names_ : list of str
        The terms, sorted.
    segmenter_ : str
        ``"rjieba"``, ``"cohesion"`` or ``"given"``.
    found_in_ : ndarray of int, shape (n_terms,)
        In how many texts of fitting each term stands.
    n_texts_ : int
        How many those were.

    Raises
    ------
    DataError
        If no text has a term that is left.
    MissingExtraError
        If rjieba is asked for, or was used in fitting, and is not installed.

    Examples
    --------
    >>> from crmkit.text import ReadableTerms
    >>> terms = ReadableTerms().fit(["Where is the refund?", "refund my order 12", "the ORDER is late"])
    >>> terms.get_feature_names_out().tolist()
    ['late', 'order', 'refund']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "stop_words": ["array-like", set, frozenset, None],
        "segmenter": [callable, str],
        "shortest": [Interval(Integral, 1, None, closed="left")],
        "min_df": [Interval(Integral, 1, None, closed="left"), None],
        "max_df": [Interval(Real, 0, 1, closed="right")],
        "joined": ["boolean"],
        "merge_plurals": ["boolean"],
    }

    def __init__(
        self,
        *,
        stop_words: Any = None,
        segmenter: Any = "auto",
        shortest: int = 2,
        min_df: int | None = None,
        max_df: float = 1.0,
        joined: bool = True,
        merge_plurals: bool = False,
    ) -> None:
        self.stop_words = stop_words
        self.segmenter = segmenter
        self.shortest = shortest
        self.min_df = min_df
        self.max_df = max_df
        self.joined = joined
        self.merge_plurals = merge_plurals

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the terms.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts; a missing one counts as empty.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        ReadableTerms
            Itself.
        """
        self.fit_transform(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> sparse.csr_matrix:  # noqa: ARG002 -- scikit-learn's signature  # pyright: ignore[reportIncompatibleMethodOverride] -- no fit parameters to pass on
        """Learn the terms and count them in the same texts.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        scipy.sparse.csr_matrix, shape (n_texts, n_terms)
            How often each term stands in each text.
        """
        texts = _plain(X)
        self.learn_words(texts)
        names, term, text = self._found(texts)
        self.plurals_: dict[str, str] = find_plurals(names) if self.merge_plurals else {}
        names, term = rename(names, term, self.plurals_)
        counts = sparse.csr_matrix((np.ones(len(term)), (text, term)), shape=(len(texts), len(names)))
        counts.sum_duplicates()
        within = np.bincount(counts.indices, minlength=len(names))
        least = self.min_df or 1 + max(0, len(str(len(texts))) - 2)
        kept = np.flatnonzero((within >= least) & (within <= self.max_df * max(len(texts), 1)))
        if not len(kept):
            raise DataError(
                f"none of the {len(texts)} texts has a word left to count"
                + (f": stop words, numbers and terms in fewer than {least} texts are left out" if len(texts) else "")
            )
        kept = kept[np.argsort(np.array(names, dtype=object)[kept], kind="stable")]
        self.names_ = [names[place] for place in kept.tolist()]
        self.found_in_ = within[kept]
        self.n_texts_ = len(texts)
        return sparse.csr_matrix(counts[:, kept])

    def learn_words(self, texts: Sequence[str]) -> Self:
        """Learn how texts are cut into terms, without counting any; a part of fitting.

        Parameters
        ----------
        texts : sequence of str
            The texts.

        Returns
        -------
        ReadableTerms
            Itself, with `cutter` and `rules`.
        """
        # A message that was sent a hundred times shows no more words than one.
        distinct = list(dict.fromkeys(texts))
        self.lexicon_: dict[str, float] = {}
        self.segmenter_ = self._choose_segmenter()
        if self.segmenter_ == "cohesion":
            self.lexicon_ = learn_words(distinct, min_count=3 if len(distinct) < _MANY else 5)
        self.joins_: list[list[str]] = []
        if self.joined and len(distinct) >= _LEAST_FOR_JOINS:
            pieces = read_pieces(distinct, self.cutter())
            rules = self.rules()
            allowed = np.fromiter((rules.may_join(name) for name in pieces.names), bool, count=len(pieces.names))
            self.joins_ = find_joins(pieces, allowed)
        return self

    @staticmethod
    def is_spaced(name: str) -> bool:
        """Say whether a word is of a script with spaces.

        Parameters
        ----------
        name : str
            The word.

        Returns
        -------
        bool
            By its first character.
        """
        return not bool(UNSPACED[script_ids(code_points(name[0]))[0]])

    def transform(self, X: Any) -> sparse.csr_matrix:
        """Count the learned terms.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        scipy.sparse.csr_matrix, shape (n_texts, n_terms)
            How often each term stands in each text.
        """
        return self.count(X)[0]

    def count(self, X: Any) -> tuple[sparse.csr_matrix, npt.NDArray[np.int64]]:
        """Count the learned terms, and all terms, learned or not.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        counts : scipy.sparse.csr_matrix, shape (n_texts, n_terms)
            How often each learned term stands in each text.
        n_terms : ndarray of int64, shape (n_texts,)
            How many terms each text has, those never learned included.
        """
        check_is_fitted(self)
        texts = _plain(X)
        column, text = self._known(texts)
        kept = column >= 0
        counts = sparse.csr_matrix(
            (np.ones(int(kept.sum())), (text[kept], column[kept])), shape=(len(texts), len(self.names_))
        )
        counts.sum_duplicates()
        return counts, np.bincount(text, minlength=len(texts))

    def sequence(self, X: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give the terms of texts in order.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        term, text : ndarray of int64, shape (n_found,)
            Each term's place in ``names_`` (-1 for one that was never learned) and the text it stands in.
        """
        check_is_fitted(self)
        return self._known(_plain(X))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:  # noqa: ARG002 -- scikit-learn's signature
        """Give the terms in the order of the columns.

        Parameters
        ----------
        input_features : ignored
            For scikit-learn's sake.

        Returns
        -------
        ndarray of object, shape (n_terms,)
            Words and joined words.
        """
        check_is_fitted(self)
        return np.array(self.names_, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags

    def _choose_segmenter(self) -> str:
        """Say which segmenter there is."""
        if callable(self.segmenter):
            return "given"
        if self.segmenter == "cohesion":
            return "cohesion"
        if self.segmenter not in ("auto", "rjieba"):
            raise ValueError(f"segmenter must be 'auto', 'rjieba', 'cohesion' or a callable, got {self.segmenter!r}")
        return "rjieba" if find_segmenter(self.segmenter) else "cohesion"

    def cutter(self) -> Segmenter:
        """Give the function that cuts a stretch of an unspaced script into its words.

        Returns
        -------
        callable
            From a text to its pieces, which joined give the text.
        """
        if self.segmenter_ == "cohesion":
            return cutter(self.lexicon_)
        cut = find_segmenter(self.segmenter if self.segmenter_ == "given" else "rjieba")
        return cut if cut is not None else list

    def _found(self, texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give the distinct terms of texts, and which stands where, plurals apart."""
        return join(read_pieces(texts, self.cutter()), self.joins_, self.rules())

    def _known(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give the place in ``names_`` of each term, -1 for one that was never learned, and the text it stands in."""
        names, term, text = self._found(texts)
        names, term = rename(names, term, self.plurals_)
        known = {name: place for place, name in enumerate(self.names_)}
        return np.fromiter((known.get(name, -1) for name in names), dtype=np.int64, count=len(names))[term], text

    def rules(self) -> TermRules:
        """Give what decides whether a word, or several joined, counts.

        Returns
        -------
        TermRules
            Called with a word in lower case and whether its script has spaces, it says whether that is a term.
        """
        return TermRules(read_stop_words(self.stop_words), int(self.shortest))


class TermRules:
    """Decides which pieces are terms."""

    def __init__(self, stops: frozenset[str], shortest: int) -> None:
        self.stops = stops
        self.characters = frozenset(word for word in stops if len(word) == 1)
        self.shortest = shortest

    def may_join(self, name: str) -> bool:
        """Say whether a piece may be part of a term."""
        return name not in self.stops and any(map(str.isalpha, name)) and not self.characters.issuperset(name)

    def __call__(self, name: str, spaced: bool) -> bool:  # noqa: FBT001 -- called by map
        """Say whether a piece, or several joined, is a term."""
        return self.may_join(name) and len(name) >= (max(2, self.shortest) if spaced else self.shortest)
