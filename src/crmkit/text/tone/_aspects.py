"""The tone of what is said about each aspect, sentence by sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns, require_methods
from crmkit.core.errors import DataError
from crmkit.language import sentences, tokenize
from crmkit.metrics import mean, share
from crmkit.metrics.intervals import check_level
from crmkit.text._texts import read_texts
from crmkit.text.phrases._finder import PhraseFinder
from crmkit.text.tone._lexicon import LexiconSentiment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["aspect_sentiment", "aspect_summary"]

# A point or comma between digits parts nothing.
_CLAUSE = re.compile(
    r"(?<!\d)[,，;；、~～]+|[,，;；、~～]+(?!\d)|\s(?=(?:but|however|although)\b)|(?=但是|可是|不过|就是)"
)


def aspect_sentiment(
    texts: Any, aspects: Mapping[str, Sequence[str]], *, classifier: Any = None, unit: str = "sentence"
) -> pd.DataFrame:
    """Give the tone of each sentence that speaks of an aspect.

    A sentence speaks of an aspect if one of its terms stands in it; the tone is the classifier's for that sentence
    alone. A sentence about two aspects gives both the same tone: with ``unit="clause"`` sentences are cut at commas
    too, which suits Chinese, whose commas part what English parts by points. It assumes that aspects are named; what is
    meant but not said is not found.

    Parameters
    ----------
    texts : list, array or Series of str, shape (n_texts,)
        A missing text counts as empty.
    aspects : mapping of str to list of str
        The terms of each aspect, in any of the languages, such as ``{"delivery": ["deliver*", "送餐"]}``; a star
        stands for any ending.
    classifier : classifier, default=None
        Of one-sentence texts, fitted, with ``predict``; its ``decision_function`` (of two classes) or
        ``predict_proba`` gives the score. None is `LexiconSentiment`.
    unit : {"sentence", "clause"}, default="sentence"
        What is judged by itself.

    Returns
    -------
    pandas.DataFrame
        A row a sentence and aspect, in the order of the texts: ``text_id``, ``aspect``, ``start``, ``end`` (of the
        sentence, half-open into the original text), ``term_start``, ``term_end`` (of the first term), ``label``,
        ``score`` (the classifier's for the second class, or the largest probability where there are more; missing
        where it gives none).

    Raises
    ------
    ValueError
        If ``unit`` is another.
    TypeError
        If the aspects are no mapping from names to lists, or the classifier does not predict.
    DataError
        If an aspect has no term.

    See Also
    --------
    aspect_summary : One row an aspect, with intervals.

    Examples
    --------
    >>> from crmkit.text import aspect_sentiment
    >>> found = aspect_sentiment(["送餐很快，味道太差"], {"delivery": ["送餐"], "taste": ["味道"]}, unit="clause")
    >>> found[["aspect", "start", "end", "label"]].values.tolist()
    [['delivery', 0, 4, 'positive'], ['taste', 5, 9, 'negative']]
    """
    if unit not in {"sentence", "clause"}:
        raise ValueError(f"unit must be 'sentence' or 'clause', got {unit!r}")
    names, terms, owner = _terms(aspects)
    model = LexiconSentiment() if classifier is None else classifier
    require_methods(model, ["predict"], role="a classifier of sentences")
    strings = read_texts(texts, what="texts")
    parts = [(place, *part) for place, text in enumerate(strings.tolist()) for part in _parts(text, unit)]
    said = [strings[place][start:end] for place, start, end in parts]
    table = tokenize(said, offsets=True)
    found = PhraseFinder(terms).find(table)
    rows = pd.DataFrame(
        {
            "part": table.text[found.first],
            "aspect": owner[found.phrase],
            "term_start": table.start[found.first],
            "term_end": table.end[found.last],
        }
    ).drop_duplicates(["part", "aspect"], ignore_index=True)
    used, back = np.unique(rows["part"].to_numpy(dtype=np.int64), return_inverse=True)
    judged = [said[place] for place in used.tolist()]
    label = np.asarray(model.predict(judged)) if judged else np.empty(0, dtype=object)
    score = _scores(model, judged) if judged else np.empty(0)
    places = np.array(parts, dtype=np.int64).reshape(-1, 3)[rows["part"].to_numpy(dtype=np.int64)]
    return pd.DataFrame(
        {
            "text_id": places[:, 0],
            "aspect": np.array(names, dtype=object)[rows["aspect"].to_numpy(dtype=np.int64)],
            "start": places[:, 1],
            "end": places[:, 2],
            "term_start": places[:, 1] + rows["term_start"].to_numpy(dtype=np.int64),
            "term_end": places[:, 1] + rows["term_end"].to_numpy(dtype=np.int64),
            "label": label[back],
            "score": score[back],
        }
    )


def _terms(aspects: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str], npt.NDArray[np.int64]]:
    """Give the names, all terms, and whose each term is."""
    if not hasattr(aspects, "items") or any(isinstance(terms, str) for terms in aspects.values()):
        raise TypeError("aspects must be a mapping from names to lists of terms, such as {'delivery': ['deliver*']}")
    empty = [name for name, terms in aspects.items() if not len(terms)]
    if empty or not aspects:
        raise DataError("aspects must have terms" + (f"; {', '.join(map(repr, empty))} has none" if empty else ""))
    terms = [term for own in aspects.values() for term in own]
    if len({term.lower() for term in terms}) < len(terms):
        raise DataError("aspects: a term belongs to one aspect only, and stands once")
    owner = np.repeat(np.arange(len(aspects)), [len(own) for own in aspects.values()])
    return list(aspects), terms, owner


def _parts(text: str, unit: str) -> Iterator[tuple[int, int]]:
    """Give the places of the sentences or clauses of a text."""
    for sentence in sentences(text):
        begin = sentence.start
        cuts = [match.span() for match in _CLAUSE.finditer(sentence.text)] if unit == "clause" else []
        for start, end in [*cuts, (len(sentence.text), len(sentence.text))]:
            stretch = text[begin : sentence.start + start]
            if stretch.strip():
                lead = len(stretch) - len(stretch.lstrip())
                yield begin + lead, begin + len(stretch.rstrip())
            begin = sentence.start + end


def _scores(model: Any, judged: list[str]) -> npt.NDArray[np.float64]:
    """Give one number a sentence."""
    if callable(getattr(model, "decision_function", None)):
        scores = np.asarray(model.decision_function(judged), dtype=np.float64)
        if scores.ndim == 1:
            return scores
    if callable(getattr(model, "predict_proba", None)):
        chances = np.asarray(model.predict_proba(judged), dtype=np.float64)
        return chances[:, 1] if chances.shape[1] == 2 else chances.max(axis=1)
    return np.full(len(judged), np.nan)


def aspect_summary(rows: pd.DataFrame, *, negative: Any = "negative", level: float = 0.95) -> pd.DataFrame:
    """Give how each aspect is spoken of, with intervals over texts.

    A text that speaks of an aspect in three sentences counts once: with the mean of its scores, and as negative if one
    of its sentences is.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `aspect_sentiment`.
    negative : label, default="negative"
        Which label is the bad one.
    level : float, default=0.95
        Nominal coverage: t of the mean score, Wilson of the share.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``aspect``, most spoken of first: ``n`` (texts), ``score`` (mean), ``low``, ``high``, ``scored``
        (texts with a score), ``negative`` (share), ``negative_low``, ``negative_high``.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> from crmkit.text import aspect_sentiment, aspect_summary
    >>> rows = aspect_sentiment(["slow delivery", "quick delivery"], {"delivery": ["deliver*"]})
    >>> aspect_summary(rows)[["n", "score", "negative"]].values.tolist()
    [[2.0, 0.0, 0.5]]
    """
    require_columns(rows, ["text_id", "aspect", "label", "score"], what="rows", hint="make it with aspect_sentiment")
    check_level(level)
    texts = (
        rows.assign(bad=(rows["label"] == negative).astype(bool))
        .groupby(["aspect", "text_id"], sort=True)
        .agg(score=("score", "mean"), bad=("bad", "max"))
    )
    made: list[list[Any]] = []
    for aspect, group in texts.groupby(level="aspect", sort=True):
        scored = group["score"].dropna().to_numpy()
        tone = mean(scored, level=level) if len(scored) else None
        ends = [np.nan] * 3 if tone is None else [tone.value, tone.low, tone.high]
        bad = share(int(group["bad"].sum()), len(group), level=level)
        made.append([aspect, len(group), *ends, len(scored), bad.value, bad.low, bad.high])
    columns = ["aspect", "n", "score", "low", "high", "scored", "negative", "negative_low", "negative_high"]
    result = pd.DataFrame(made, columns=columns).sort_values("n", ascending=False, kind="stable")
    return result.set_index("aspect")
