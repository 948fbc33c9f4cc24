"""The keywords of one text: by a walk on its words, by its phrases, or against a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import require_methods
from crmkit.language import SCRIPTS, blank_markup, words
from crmkit.language._scripts import UNSPACED
from crmkit.text.keywords._reading import check_count, check_weights, first_sentence, in_language, read_factors
from crmkit.text.topics._terms import ReadableTerms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["keywords_of"]

_METHODS = ("textrank", "rake", "tf-idf")
_WINDOW, _DAMPING, _STEPS, _TOL = 3, 0.85, 200, 1e-10
_LONGEST_PHRASE = 4
_ENDS = frozenset(".!?。…")
_UNSPACED = frozenset(name for name, unspaced in zip(SCRIPTS, UNSPACED, strict=True) if unspaced)


class _Term(NamedTuple):
    """A term where it stands: offsets into the text, place among all words and signs, sentences ended before it."""

    text: str
    start: int
    end: int
    first: int
    last: int
    spaced: bool
    ended: int


def keywords_of(
    text: str,
    *,
    method: str = "textrank",
    background: Any = None,
    weights: Any = None,
    language: str | None = None,
    stop_words: Any = None,
    title: str | None = None,
    title_weight: float = 3.0,
    first_weight: float = 1.0,
    n: int = 10,
) -> pd.DataFrame:
    """Give the words that say what one text is about.

    ``"textrank"`` ranks words by a random walk between those that stand near each other; ``"rake"`` ranks phrases
    between stop words and signs, by how much longer than one word the phrases of their words are; ``"tf-idf"`` ranks
    words that are frequent here and rare in a corpus, and is the best of the three where there is one. Costs one pass
    over the text, a loop over its words.

    Parameters
    ----------
    text : str
        Chinese, English or both.
    method : {"textrank", "rake", "tf-idf"}, default="textrank"
        How.
    background : fitted ReadableTerms, or list, array or Series of str, default=None
        The corpus for ``"tf-idf"``; fit `ReadableTerms` once where many texts are asked for.
    weights : mapping of str to float, default=None
        Factors of the score, 0 to leave a term out.
    language : {"zh", "en"}, default=None
        Terms in Han or Latin script only.
    stop_words : iterable of str, default=None
        Words left out; None for those in the box, or the background's own.
    title : str, default=None
        What has a title says in it what it is about: terms of the text that stand in it get ``title_weight``.
    title_weight, first_weight : float, default=3.0 and 1.0
        Factors for terms that stand in the title, and in the first sentence.
    n : int, default=10
        At most how many.

    Returns
    -------
    pandas.DataFrame
        One row a keyword, best first: ``rank``, ``term``, ``score`` (comparable within the text), ``count``, and
        ``start``, ``end``, the half-open offsets of its first occurrence. No row for a text without a word.

    Raises
    ------
    ValueError
        If ``"tf-idf"`` has no background, or a name or number is wrong.

    References
    ----------
    Mihalcea, R., & Tarau, P. (2004). TextRank: bringing order into text. EMNLP 2004, 404-411.

    Rose, S., Engel, D., Cramer, N., & Cowley, W. (2010). Automatic keyword extraction from individual documents.
    In Text Mining: Applications and Theory, 1-20. doi:10.1002/9780470689646.ch1

    Examples
    --------
    >>> from crmkit import text
    >>> found = text.keywords_of("The parcel is late. Where is the late parcel? Send a refund.", n=2)
    >>> found["term"].tolist()
    ['late', 'parcel']
    >>> text.keywords_of("The virtual card was declined at the petrol station.", method="rake", n=1)["term"].tolist()
    ['petrol station']
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be str, got {type(text).__name__}")
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, _METHODS))}, got {method!r}")
    check_count(n)
    check_weights(title_weight=title_weight, first_weight=first_weight)
    # Markup is overwritten one character for one, so that offsets stay.
    text = blank_markup(text, entities=True)
    reader = _reader(text, background, stop_words, method)
    found = _terms(text, reader)
    if method == "rake":
        found, scores = _phrases(found)
    else:
        names, codes = _number(found)
        scores = _walk(found, codes, len(names)) if method == "textrank" else _rarity(names, codes, reader)
    names, codes = _number(found)
    scores = scores * read_factors(weights, names) * in_language(names, language)
    for part, weight in ((title or "", title_weight), (first_sentence(text), first_weight)):
        if weight != 1 and part:
            inside = {term.text for term in _terms(part, reader)}
            scores = scores * np.array(
                [weight if set(name.split()) & inside or name in inside else 1.0 for name in names]
            )
    order = [place for place in np.argsort(-scores, kind="stable")[:n].tolist() if scores[place] > 0]
    counts = np.bincount(codes, minlength=len(names))
    first = {code: place for place, code in reversed(list(enumerate(codes.tolist())))}
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "term": [names[place] for place in order],
            "score": scores[order],
            "count": counts[order],
            "start": np.array([found[first[place]].start for place in order], dtype=np.int64),
            "end": np.array([found[first[place]].end for place in order], dtype=np.int64),
        }
    )


def _reader(text: str, background: Any, stop_words: Any, method: str) -> Any:
    """Give what tells terms; it is fitted on the background, or on the text alone."""
    if background is None:
        if method == "tf-idf":
            raise ValueError("tf-idf compares with a corpus: give it as background=")
        return ReadableTerms(stop_words=stop_words, min_df=1).learn_words([text])
    if callable(getattr(background, "fit_transform", None)):
        require_methods(background, ["cutter", "rules"], role="a background")
        check_is_fitted(background)
        if stop_words is not None:
            raise ValueError("give stop_words to the ReadableTerms of background=")
        return background
    return ReadableTerms(stop_words=stop_words, min_df=1).fit(background)


def _terms(text: str, reader: ReadableTerms) -> list[_Term]:
    """Give the terms of a text in order, with pairs joined as the reader joins them."""
    cut, is_term = reader.cutter(), reader.rules()
    spaced = words(text, segmenter=cut, signs=True)
    pairs = {(a, b) for a, b in reader.joins_}
    plurals: dict[str, str] = getattr(reader, "plurals_", {})
    found: list[_Term] = []
    run: list[int] = []
    ended = 0
    for place, token in enumerate([*spaced, None]):
        goes_on = bool(run) and token is not None and len(run) < 3 and (spaced[run[-1]].text, token.text) in pairs
        if run and not goes_on:
            first, last = spaced[run[0]], spaced[run[-1]]
            latin = first.script not in _UNSPACED
            name = (" " if latin else "").join(spaced[inner].text for inner in run)
            if is_term(name, latin):
                found.append(_Term(plurals.get(name, name), first.start, last.end, run[0], run[-1], latin, ended))
            run = []
        ended += token is not None and token.text in _ENDS
        run.append(place)
    return found


def _number(found: Sequence[_Term]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Number the distinct terms in the order of the alphabet, so that ties do not hang on places."""
    names = sorted({term.text for term in found})
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[term.text] for term in found], dtype=np.int64)


def _walk(found: Sequence[_Term], codes: npt.NDArray[np.int64], n_names: int) -> npt.NDArray[np.float64]:
    """Give the share of the time a walk between neighbouring terms spends at each."""
    if not n_names:
        return np.zeros(0)
    # A sentence further on is as good as out of sight.
    place = np.array([term.first + _WINDOW * term.ended for term in found])
    left, right = [], []
    for step in range(1, _WINDOW):
        near = np.flatnonzero((place[step:] - place[:-step] < _WINDOW) & (codes[step:] != codes[:-step]))
        left.append(codes[near])
        right.append(codes[near + step])
    a, b = np.concatenate(left), np.concatenate(right)
    links = sparse.csr_array(
        (np.ones(2 * len(a)), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n_names, n_names)
    )
    degree: npt.NDArray[np.float64] = np.asarray(links.sum(axis=1)).ravel()
    inverse = np.divide(1.0, degree, out=np.zeros(n_names), where=degree > 0)
    rank = np.full(n_names, 1 / n_names)
    for _ in range(_STEPS):
        moved = (1 - _DAMPING) / n_names + _DAMPING * (links @ (rank * inverse) + rank[degree == 0].sum() / n_names)
        settled = np.abs(moved - rank).sum() < _TOL
        rank = moved
        if settled:
            break
    return np.asarray(rank, dtype=np.float64)


def _phrases(found: Sequence[_Term]) -> tuple[list[_Term], npt.NDArray[np.float64]]:
    """Give runs of terms with nothing between, and the sum over their words of degree over frequency."""
    runs: list[list[_Term]] = []
    for term in found:
        near = runs and term.first == runs[-1][-1].last + 1 and term.spaced == runs[-1][-1].spaced
        if near and len(runs[-1]) < _LONGEST_PHRASE:
            runs[-1].append(term)
        else:
            runs.append([term])
    degree: dict[str, int] = {}
    times: dict[str, int] = {}
    for run in runs:
        for term in run:
            degree[term.text] = degree.get(term.text, 0) + len(run)
            times[term.text] = times.get(term.text, 0) + 1
    phrases, worth = [], {}
    for run in runs:
        name = (" " if run[0].spaced else "").join(term.text for term in run)
        worth[name] = sum(degree[term.text] / times[term.text] for term in run)
        phrases.append(_Term(name, run[0].start, run[-1].end, run[0].first, run[-1].last, *run[0][5:]))
    return phrases, np.array([worth[name] for name in sorted(worth)], dtype=np.float64)


def _rarity(names: Sequence[str], codes: npt.NDArray[np.int64], reader: ReadableTerms) -> npt.NDArray[np.float64]:
    """Give how often each term stands here, times the logarithm of how rare it is in the corpus."""
    known = dict(zip(reader.names_, reader.found_in_.tolist(), strict=True))
    found_in = np.array([known.get(name, 0) for name in names], dtype=np.float64)
    times = np.bincount(codes, minlength=len(names))
    return np.asarray(times * (np.log((1 + reader.n_texts_) / (1 + found_in)) + 1), dtype=np.float64)
