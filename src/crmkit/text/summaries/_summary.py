"""What a summarizer gives: chosen sentences, each with its place in the original."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from crmkit.core import html
from crmkit.language import scripts
from crmkit.text.summaries._readable import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ConversationSummary", "Sentence", "Summary", "joined"]

_ENDS_UNSPACED = "。！？；，、…：）」』】》”"


@dataclass(frozen=True, repr=False)
class Sentence:
    """A sentence of a summary and where it stands in the original.

    Attributes
    ----------
    text : str
        As it stands there, markup included: ``original[start:end]``.
    start, end : int
        Half-open offsets into the original: the one text that was summarised, or, where turns were handed in, the text
        of the turn.
    score : float
        How much the summarizer thought of it; comparable within one summary only.
    turn : int or None
        The number of its turn; None where a text was no conversation.
    speaker : str or None
        Who said it.
    """

    text: str
    start: int
    end: int
    score: float
    turn: int | None = None
    speaker: str | None = None

    def __str__(self) -> str:
        return readable(self.text)

    def __repr__(self) -> str:
        turn = "" if self.turn is None else f", turn {self.turn}"
        return f"Sentence({self.start}:{self.end}{turn})"


def joined(sentences: Sequence[Sentence]) -> str:
    """Write sentences as people read them: those of one turn on a line, after the speaker's name where there is one.

    Parameters
    ----------
    sentences : sequence of Sentence
        In order.

    Returns
    -------
    str
        The text.
    """
    lines = []
    for (_, speaker), turn in groupby(sentences, key=lambda one: (one.turn, one.speaker)):
        line = ""
        for sentence in turn:
            line += _gap(line) + str(sentence)
        lines.append(line if speaker is None else f"{speaker}: {line}")
    return "\n".join(lines)


def _gap(before: str) -> str:
    """Give what stands between two sentences: nothing after Chinese, else a space."""
    if not before or before[-1] in _ENDS_UNSPACED:
        return ""
    return "" if scripts(before[-1])[0].script in {"han", "hiragana", "katakana"} else " "


@dataclass(frozen=True, repr=False)
class Summary:
    """Sentences chosen from a text or a conversation, in their original order.

    ``str`` writes them as people read them. ``len`` and iteration are over the sentences.

    Attributes
    ----------
    sentences : tuple of Sentence
        The chosen ones.
    n_sentences : int
        How many the original has.
    n_chars : int
        How many characters the original's sentences have.

    Examples
    --------
    >>> from crmkit.text import LeadSummarizer
    >>> text = "The parcel is lost. I paid for it in May. Please refund me."
    >>> summary = LeadSummarizer().summarize(text, max_sentences=2)
    >>> print(summary)
    The parcel is lost. I paid for it in May.
    >>> [(one.start, one.end) for one in summary.sentences]
    [(0, 19), (20, 41)]
    """

    sentences: tuple[Sentence, ...]
    n_sentences: int
    n_chars: int

    def __str__(self) -> str:
        return joined(self.sentences)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.sentences)} of {self.n_sentences} sentences)"

    def __len__(self) -> int:
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    def __bool__(self) -> bool:
        return bool(self.sentences)

    @property
    def share(self) -> float:
        """The share of the original's characters that was kept; 0 for an empty text."""
        return sum(len(str(one)) for one in self.sentences) / self.n_chars if self.n_chars else 0.0

    @property
    def table(self) -> pd.DataFrame:
        """The sentences as a table: turn, speaker, text, start, end, score."""
        columns = ("turn", "speaker", "text", "start", "end", "score")
        rows = [[getattr(one, column) for column in columns] for one in self.sentences]
        table = pd.DataFrame(rows, columns=list(columns))
        return table.astype({"turn": "Int64", "start": "int64", "end": "int64", "score": "float64"})

    def _repr_html_(self) -> str:
        told = f"{len(self.sentences):,} of {self.n_sentences:,} sentences, {self.share:.0%} of the characters"
        return self._body() + html.element("p", html.escape(told), class_="note")

    def _body(self) -> str:
        """Write the sentences, a paragraph a turn."""
        return "".join(html.element("p", html.escape(line)) for line in str(self).splitlines())


@dataclass(frozen=True, repr=False)
class ConversationSummary(Summary):
    """A conversation in short: who said what, what the customer wanted, what the agent answered, how it ended.

    Attributes
    ----------
    request : Sentence or None
        The customer's; None where nothing but pleasantries was said.
    answer : Sentence or None
        The agent's, after the request.
    outcome : Sentence or None
        What was promised, agreed or done in the end; None where no sentence says so.
    roles : dict of str to str
        Each speaker's role, ``"customer"`` or ``"agent"``.
    roles_are_known : bool
        Whether names or the table told the roles; else the one who made the request was taken for the customer.
    turns : pandas.DataFrame
        A row a turn: ``turn``, ``speaker``, ``role``, ``text``, ``n_sentences``, ``n_kept``.
    """

    request: Sentence | None = None
    answer: Sentence | None = None
    outcome: Sentence | None = None
    roles: dict[str, str] = field(default_factory=dict)
    roles_are_known: bool = False
    turn_rows: tuple[tuple[int | None, str | None, str | None, str, int, int], ...] = ()

    @property
    def turns(self) -> pd.DataFrame:
        """Who said what: a row a turn."""
        columns = ["turn", "speaker", "role", "text", "n_sentences", "n_kept"]
        return pd.DataFrame(list(self.turn_rows), columns=columns).astype({"turn": "Int64"})

    def _body(self) -> str:
        """Write request, answer and outcome before the sentences."""
        named = (("Request", self.request), ("Answer", self.answer), ("Outcome", self.outcome))
        rows = [(name, one.speaker or "", str(one)) for name, one in named if one is not None]
        return (html.table(["", "who", "what"], rows) if rows else "") + super()._body()
