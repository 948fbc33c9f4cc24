"""How near a summary comes to ones that people wrote: ROUGE, with its interval over documents."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.checks import as_texts, positions
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._overlap import common_ngrams, common_subsequence, common_union
from crmkit.metrics._summary_tokens import summary_tokens
from crmkit.metrics.intervals import bootstrap, check_level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["rouge", "rouge_scores"]

Measure = Literal["f1", "precision", "recall"]

_MEASURES = ("f1", "precision", "recall")
_KIND = re.compile(r"rouge-([1-9]|l|lsum)")


def rouge(
    candidate: Any,
    reference: Any,
    *,
    kind: str = "rouge-1",
    measure: Measure = "f1",
    use_stemmer: bool = False,
    tokenizer: Callable[[str], list[str]] | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> Estimate:
    """Give the mean ROUGE of summaries against those that people wrote, with its bootstrap interval over documents.

    ROUGE counts what a summary has in common with a reference: words, pairs of words, or the longest run of words in
    the same order with gaps. It rewards the same words, not the same meaning, and longer summaries have the better
    recall: compare summaries of like length on the same documents. For English the figures are those of Google's
    rouge-score package; each Han character counts as a word.

    To compare two summarizers on the same documents, take `rouge_scores` of both and the interval of the mean of their
    differences with `bootstrap`.

    Parameters
    ----------
    candidate : str, or list, array or Series of str, shape (n_documents,)
        The summaries to judge.
    reference : str, or list, array or Series, shape (n_documents,)
        For each summary one text or a list of texts that people wrote; of several, the one with the best F counts.
        With a single candidate, one text or a list of them.
    kind : {"rouge-1", ..., "rouge-9", "rouge-l", "rouge-lsum"}, default="rouge-1"
        N-grams of that order; the longest common subsequence of the texts; or its union over lines, where each line of
        a text is taken as a sentence.
    measure : {"f1", "precision", "recall"}, default="f1"
        Which figure to average.
    use_stemmer : bool, default=False
        Whether English words of more than three letters are stemmed by Porter's algorithm.
    tokenizer : callable, default=None
        From a text to its tokens, in place of the usual one; ``use_stemmer`` then does nothing.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        Of the bootstrap; 0 for no interval.
    random_state : int, RandomState or None, default=0
        Changes the ends of the interval a little, never the figure.

    Returns
    -------
    Estimate
        Between 0 and 1; one document has no interval (NaN).

    Raises
    ------
    DataError
        If the kind is unknown, the lengths differ, there are no documents, or one has no reference (naming the rows).
    TypeError
        If something is no text.

    References
    ----------
    Lin, C.-Y. (2004). ROUGE: a package for automatic evaluation of summaries. Text Summarization Branches Out, 74-81.
    https://aclanthology.org/W04-1013

    Examples
    --------
    >>> from crmkit.metrics import rouge
    >>> rouge("the parcel is lost", "a parcel was lost").value
    0.5
    >>> rouge(["退款没到账", "the parcel is lost"], ["退款还没有到账", ["a parcel was lost", "where is it"]]).n
    2
    """
    if measure not in _MEASURES:
        raise DataError(f"measure must be one of {', '.join(_MEASURES)}, got {measure!r}")
    check_level(level)
    table = rouge_scores(candidate, reference, kinds=(kind,), use_stemmer=use_stemmer, tokenizer=tokenizer)
    values = table[f"{kind} {measure}"].to_numpy(dtype=np.float64)
    if len(values) == 1:
        return Estimate(float(values[0]), n=1, low=float("nan"), high=float("nan"), level=level)
    return bootstrap(
        lambda rows: rows.mean(axis=-1),
        values,
        n_resamples=n_resamples,
        level=level,
        random_state=random_state,
        vectorized=True,
    )


def rouge_scores(
    candidate: Any,
    reference: Any,
    *,
    kinds: Sequence[str] = ("rouge-1", "rouge-2", "rouge-l"),
    use_stemmer: bool = False,
    tokenizer: Callable[[str], list[str]] | None = None,
) -> pd.DataFrame:
    """Give precision, recall and F of each document.

    Parameters
    ----------
    candidate, reference : as for `rouge`
        The summaries to judge and those that people wrote.
    kinds : sequence of str, default=("rouge-1", "rouge-2", "rouge-l")
        Which figures; see `rouge`.
    use_stemmer : bool, default=False
        Whether English words are stemmed.
    tokenizer : callable, default=None
        From a text to its tokens.

    Returns
    -------
    pandas.DataFrame
        A row a document, indexed as the candidates are where they are a Series, with columns such as
        ``"rouge-1 precision"``, ``"rouge-1 recall"``, ``"rouge-1 f1"``.

    Raises
    ------
    DataError
        As for `rouge`.
    TypeError
        If something is no text.

    Examples
    --------
    >>> from crmkit.metrics import rouge_scores
    >>> rouge_scores("the parcel", "the parcel is lost", kinds=["rouge-2"]).round(3).iloc[0].tolist()
    [1.0, 0.333, 0.5]
    """
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    unknown = [kind for kind in kinds if not isinstance(kind, str) or not _KIND.fullmatch(kind)]
    if unknown or not kinds:
        raise DataError(f"a kind is 'rouge-1' to 'rouge-9', 'rouge-l' or 'rouge-lsum', got {unknown or kinds!r}")
    candidates, references = _documents(candidate, reference)
    cut = tokenizer if tokenizer is not None else lambda text: summary_tokens(text, use_stemmer=use_stemmer)
    rows = []
    for text, others in zip(candidates, references, strict=True):
        row: list[float] = []
        for kind in kinds:
            prepare = _lines if kind == "rouge-lsum" else _one
            own = prepare(text, cut)
            # Of equal ones the first counts, as max takes it.
            scores = [_compare(own, prepare(other, cut), kind) for other in others]
            best: tuple[float, float, float] = max(scores, key=itemgetter(2))
            row += best
        rows.append(row)
    names = [f"{kind} {measure}" for kind in kinds for measure in ("precision", "recall", "f1")]
    index = candidate.index if isinstance(candidate, pd.Series) else None
    return pd.DataFrame(np.array(rows, dtype=np.float64).reshape(len(rows), len(names)), columns=names, index=index)


def _one(text: str, cut: Callable[[str], list[str]]) -> list[list[str]]:
    """Take a text as one sequence."""
    return [list(cut(text))]


def _lines(text: str, cut: Callable[[str], list[str]]) -> list[list[str]]:
    """Take each line of a text as a sequence."""
    return [list(cut(line)) for line in text.split("\n") if line]


def _compare(candidate: list[list[str]], reference: list[list[str]], kind: str) -> tuple[float, float, float]:
    """Give precision, recall and F of one summary against one reference."""
    if kind == "rouge-lsum":
        n_candidate, n_reference = (sum(map(len, lines)) for lines in (candidate, reference))
        common = common_union(reference, candidate) if n_candidate and n_reference else 0
    elif kind == "rouge-l":
        n_candidate, n_reference = len(candidate[0]), len(reference[0])
        common = common_subsequence(candidate[0], reference[0])
    else:
        common, n_candidate, n_reference = common_ngrams(candidate[0], reference[0], int(kind[-1]))
    precision, recall = common / max(n_candidate, 1), common / max(n_reference, 1)
    f1 = 2 * precision * recall / (precision + recall) if common else 0.0
    return precision, recall, f1


def _documents(candidate: Any, reference: Any) -> tuple[list[str], list[list[str]]]:
    """Bring summaries and references to one list each, a document an entry."""
    if isinstance(candidate, str):
        references = [[reference] if isinstance(reference, str) else reference]
        candidates = [candidate]
    else:
        if isinstance(reference, str):
            raise DataError("several candidates need a reference each, got one text")
        candidates = as_texts(candidate, what="candidate").tolist()
        references = [[entry] if isinstance(entry, str) else entry for entry in reference]
    if len(candidates) != len(references):
        raise DataError(f"each candidate needs its reference: {len(candidates):,} and {len(references):,} were given")
    if not candidates:
        raise DataError("a figure of nothing is not defined: there are no documents")
    texts = [None if _is_missing(entry) else as_texts(entry, what="reference").tolist() for entry in references]
    empty = np.array([not entry for entry in texts])
    if empty.any():
        raise DataError(f"there is no reference in {positions(empty)}: leave these documents out")
    return candidates, [entry for entry in texts if entry]


def _is_missing(entry: Any) -> bool:
    """Say whether a document has no reference at all."""
    return entry is None or (isinstance(entry, float) and entry != entry)  # noqa: PLR0124 -- only NaN differs from itself
