"""Summaries of many messages: the few that stand for most, and every conversation of a table in short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core import html
from crmkit.core.checks import as_frame, as_texts, positions, require_columns, require_methods
from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.text._texts import read_labels, read_texts
from crmkit.text.summaries._base import words_without_meaning
from crmkit.text.summaries._length import check_length
from crmkit.text.summaries._readable import readable
from crmkit.text.summaries._terms import count_terms, weigh_terms
from crmkit.text.summaries._turns import reading_order

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ManySummary", "summarize_conversations", "summarize_many"]

_MOST_CANDIDATES = 2_000
_BATCH = 2_000


@dataclass(frozen=True, repr=False)
class ManySummary:
    """The messages that stand for many.

    ``str`` writes them as people read them.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a chosen message: ``label`` (where there are labels), ``rank``, ``text_id`` (its position), ``text``,
        ``stands_for`` (how many messages it stands for, itself included) and ``share`` (of its class).
    classes : pandas.DataFrame
        A row a class, largest first, indexed by ``label``: ``n_texts``, ``n_chosen``, ``covered`` (the share for which
        a chosen message stands).
    similarity : float
        From which likeness on one message stands for another.
    """

    table: pd.DataFrame
    classes: pd.DataFrame
    similarity: float

    def __repr__(self) -> str:
        return f"ManySummary({len(self.table)} of {int(self.classes['n_texts'].sum())} texts)"

    def __str__(self) -> str:
        lines = []
        for label, row in self.classes.iterrows():
            head = "" if label is None else f"{label}: "
            lines.append(f"{head}{row['n_texts']:,.0f} texts, {row['covered']:.0%} covered")
            chosen = self.table if label is None else self.table[self.table["label"] == label]
            lines += [f"  {one.stands_for:,} like: {readable(str(one.text))}" for one in chosen.itertuples()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.table.assign(text=[readable(text) for text in self.table["text"]])
        covered = "; ".join(
            ("" if label is None else f"{label}: ") + f"{row['covered']:.0%} of {row['n_texts']:,.0f} covered"
            for label, row in self.classes.iterrows()
        )
        return html.table(list(shown.columns), shown.itertuples(index=False), caption=covered)


def summarize_many(
    texts: Any,
    labels: Any = None,
    max_sentences: int | None = 5,
    *,
    similarity: float = 0.2,
    stop_words: Any = None,
) -> ManySummary:
    """Choose the messages that stand for most of a class, each with how many it stands for.

    A message stands for those whose TF-IDF has a cosine of at least ``similarity`` with its own, and each message is
    counted with the chosen one it is most like. One after the other is chosen that adds most likeness to what was
    covered (facility location, which greedy choice solves to within 1 - 1/e of the best), so that what is chosen is
    both typical and diverse. The rest, which no chosen message stands for, is not hidden: ``classes`` has the share
    covered.

    Cost: of each class at most 2,000 different messages, evenly spaced in their order, are considered as
    representatives; all messages count as represented. 100,000 short messages of one class take some three CPU
    seconds. What counts as alike is sharing words, not meaning.

    Parameters
    ----------
    texts : list, array or Series of str, shape (n_texts,)
        Messages; empty ones are counted but stand for nothing.
    labels : array-like, shape (n_texts,), default=None
        Each message's class, known or predicted; None for one class.
    max_sentences : int or None, default=5
        Most messages chosen of a class; None for any number.
    similarity : float, default=0.2
        Above 0, at most 1. Higher gives smaller, purer groups and less cover.
    stop_words : iterable of str, default=None
        Words that do not count, lower-cased; None for those in the box of both languages.

    Returns
    -------
    ManySummary
        The chosen messages.

    Raises
    ------
    ValueError
        If a limit is out of range, or texts and labels are of unequal length.
    DataError
        If a label is missing (naming the rows).
    TypeError
        If a text is no ``str`` (naming the rows).

    References
    ----------
    Nemhauser, G. L., Wolsey, L. A., & Fisher, M. L. (1978). An analysis of approximations for maximizing submodular set
    functions. Mathematical Programming 14, 265-294. doi:10.1007/BF01588971

    Lin, H., & Bilmes, J. (2011). A class of submodular functions for document summarization. ACL 2011, 510-520.

    Examples
    --------
    >>> from crmkit.text import summarize_many
    >>> messages = ["where is my parcel", "my parcel is late", "is my parcel lost", "wrong size shoes", "shoes too big"]
    >>> summarize_many(messages, max_sentences=2).table[["text", "stands_for"]].values.tolist()
    [['where is my parcel', 3], ['wrong size shoes', 2]]
    """
    length = check_length(max_sentences, None, None)
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity must be above 0 and at most 1, got {similarity}")
    strings = read_texts(texts, what="texts")
    classes = None if labels is None else read_labels(labels, len(strings), what="summarize_many")
    weighed = weigh_terms(
        count_terms([readable(text) for text in strings.tolist()], words_without_meaning(stop_words)).counts
    )
    chosen: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for label, members in _members(classes, len(strings)):
        places, counts = _represent(weighed[members], length.sentences or len(members), similarity)
        for rank, (place, count) in enumerate(zip(places, counts, strict=True), start=1):
            text_id = int(members[place])
            row = {"label": label, "rank": rank, "text_id": text_id, "text": strings[text_id]}
            chosen.append({**row, "stands_for": count, "share": count / len(members)})
        covered = sum(counts) / len(members) if len(members) else 0.0
        told.append({"label": label, "n_texts": len(members), "n_chosen": len(places), "covered": covered})
    columns = ["label", "rank", "text_id", "text", "stands_for", "share"]
    table = pd.DataFrame(chosen, columns=columns)
    overview = pd.DataFrame(told, columns=["label", "n_texts", "n_chosen", "covered"])
    overview.index = pd.Index(
        overview.pop("label").tolist(), name="label", dtype=None if classes is not None else object
    )
    return ManySummary(table if classes is not None else table.drop(columns="label"), overview, similarity)


def _members(classes: npt.NDArray[Any] | None, n_texts: int) -> list[tuple[Any, npt.NDArray[np.intp]]]:
    """Give the positions of each class's messages, the largest class first."""
    if classes is None:
        return [(None, np.arange(n_texts))]
    names, codes = np.unique(classes, return_inverse=True)
    order = np.argsort(-np.bincount(codes), kind="stable")
    return [(names[code].item(), np.flatnonzero(codes == code)) for code in order]


def _represent(weighed: sparse.csr_array, most: int, similarity: float) -> tuple[list[int], list[int]]:
    """Choose representatives, and count those for whom each stands."""
    candidates = _candidates(weighed)
    likeness = _likeness(weighed, candidates, similarity)
    best = np.zeros(weighed.shape[0])
    nearest = np.full(weighed.shape[0], -1)
    chosen: list[int] = []
    while len(chosen) < min(most, len(candidates)):
        gains = sparse.csc_array(
            (np.maximum(likeness.data - best[likeness.indices], 0.0), likeness.indices, likeness.indptr),
            shape=likeness.shape,
        ).sum(axis=0)
        pick = int(np.argmax(gains))
        if np.asarray(gains).ravel()[pick] <= 0:
            break
        rows = slice(likeness.indptr[pick], likeness.indptr[pick + 1])
        nearer = likeness.data[rows] > best[likeness.indices[rows]]
        moved = likeness.indices[rows][nearer]
        best[moved], nearest[moved] = likeness.data[rows][nearer], len(chosen)
        chosen.append(int(candidates[pick]))
    counts = np.bincount(nearest[nearest >= 0], minlength=len(chosen))
    return chosen, counts.tolist()


def _candidates(weighed: sparse.csr_array) -> npt.NDArray[np.intp]:
    """Give the first of each set of equal messages that have a term, at most 2,000, evenly spaced."""
    full = np.flatnonzero(np.diff(weighed.indptr))
    rows = {
        (
            weighed.indices[weighed.indptr[row] : weighed.indptr[row + 1]].tobytes(),
            weighed.data[weighed.indptr[row] : weighed.indptr[row + 1]].tobytes(),
        ): row
        for row in full[::-1].tolist()
    }
    first = np.sort(np.fromiter(rows.values(), dtype=np.intp, count=len(rows)))
    if len(first) <= _MOST_CANDIDATES:
        return first
    return first[np.linspace(0, len(first) - 1, _MOST_CANDIDATES).astype(np.intp)]


def _likeness(weighed: sparse.csr_array, candidates: npt.NDArray[np.intp], similarity: float) -> sparse.csc_array:
    """Give the cosine of every message with every candidate, where it is large enough, in batches."""
    across = weighed[candidates].T.tocsr()
    blocks = []
    for first in range(0, weighed.shape[0], _BATCH):
        block = (weighed[first : first + _BATCH] @ across).tocoo()
        # Rounding may leave a message a little unlike itself.
        kept = block.data >= similarity - 1e-12
        blocks.append(sparse.coo_array((block.data[kept], (block.row[kept], block.col[kept])), shape=block.shape))
    if not blocks:
        return sparse.csc_array((0, 0))
    return sparse.csc_array(sparse.vstack(blocks))


def summarize_conversations(table: Any, summarizer: Any = "conversation", *, max_sentences: int = 3) -> pd.DataFrame:
    """Give every conversation of a table in short: request, answer, outcome and summary.

    The conversations are read one after the other, since each is cut and ranked by itself; a thousand short ones take
    some seconds.

    Parameters
    ----------
    table : table
        COMMUNICATIONS: ``conversation_id``, ``text``, and where there are ``turn`` or ``time``, ``speaker``,
        ``direction``, ``agent``.
    summarizer : str or summarizer, default="conversation"
        A name or an instance; one that gives no request, answer and outcome leaves these missing.
    max_sentences : int, default=3
        Most sentences of a summary.

    Returns
    -------
    pandas.DataFrame
        A row a conversation, indexed by ``conversation_id`` in order of appearance: ``request``, ``answer``,
        ``outcome``, ``summary`` (text), ``n_turns``.

    Raises
    ------
    DataError
        If a column is missing, or a row has no ``conversation_id``, or no turn or time where others of its conversation
        have one (naming the rows).

    Examples
    --------
    >>> from crmkit.text import summarize_conversations
    >>> table = {
    ...     "conversation_id": ["7", "7"],
    ...     "direction": ["in", "out"],
    ...     "text": ["Hello. My parcel never arrived.", "Sorry! We will send it again today."],
    ... }
    >>> short = summarize_conversations(table)
    >>> short.loc["7", ["request", "answer"]].tolist()
    ['My parcel never arrived.', 'We will send it again today.']
    """
    frame = as_frame(table, what="table")
    require_columns(frame, ["conversation_id", "text"], what="table")
    missing = frame["conversation_id"].isna().to_numpy()
    if missing.any():
        raise DataError(f"table: conversation_id is missing in {positions(missing)}: leave these rows out")
    # Checked for all rows at once, so that errors name the rows of this table and not those of one conversation.
    as_texts(frame["text"], what="table['text']")
    reading_order(frame, pd.factorize(frame["conversation_id"])[0].astype(np.int64), what="table")
    made = create("summarizer", summarizer) if isinstance(summarizer, str) else summarizer
    require_methods(made, ["summarize"], role="a summarizer")
    rows, names = [], []
    for name, turns in frame.groupby("conversation_id", sort=False, observed=True):
        summary = made.summarize(turns, max_sentences=max_sentences)
        parts = [getattr(summary, part, None) for part in ("request", "answer", "outcome")]
        rows.append([*(None if part is None else str(part) for part in parts), str(summary), len(turns)])
        names.append(name)
    columns = ["request", "answer", "outcome", "summary", "n_turns"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(names, name="conversation_id"))
