"""Summaries of conversations: who said what, the customer's request, the agent's answer, the outcome."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.text.summaries._base import TextSummarizer, once_each, pick, sentence_of, words_without_meaning
from crmkit.text.summaries._cues import FILLERS, is_courtesy, is_question, is_wish
from crmkit.text.summaries._length import THREE, check_length
from crmkit.text.summaries._parts import find_parts
from crmkit.text.summaries._pieces import cut
from crmkit.text.summaries._roles import role_of_name
from crmkit.text.summaries._summary import ConversationSummary
from crmkit.text.summaries._terms import count_terms
from crmkit.text.summaries._turns import read_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from scipy import sparse

    from crmkit.text.summaries._pieces import Piece
    from crmkit.text.summaries._summary import Sentence
    from crmkit.text.summaries._turns import Turn

__all__ = ["ConversationSummarizer"]

# What a sentence is worth, in one unit: chosen on half of a public set of dialogues and judged on the other half; see
# docs/decisions/weights-of-conversation-summaries.md.
_TERM = 0.1
_RETURNS, _MOST_RETURNS = 0.15, 4
_SAID_BEFORE = 0.5
_WORD, _MOST_WORDS = -0.07, 25
_FIRST, _SECOND_TURN, _REPLY, _WISH, _NAME, _COURTESY = 0.4, 0.1, 0.2, 0.3, 0.2, -0.6
# Where it is known who the customer is, what was asked and answered is what the summary is for; no public set says by
# how much. Where it is guessed, it would make summaries worse on the tuning half.
_PART = 0.3

_NAMED = re.compile(r"(?<=[\w,] )[A-Z][a-z]")


class ConversationSummarizer(TextSummarizer):
    """Chooses what a conversation was about, and says what was asked, answered and agreed.

    A sentence is worth the more, the more of its words return in other turns and have not been told by a sentence
    chosen before; where it opens the matter, stands in the second turn, answers a question, wants something, or names
    somebody; and the less, the longer it is. Courtesies count against it. Request, answer and outcome are
    looked for beside the summary, by who speaks, when, and with which words; all of it is rules and constants, and
    nothing is learned from your texts.

    Where it is known who the customer is, request, answer and outcome have a head start in the choice.

    The one who is the customer is told by ``customer`` and ``agent``, by a table's direction and agent, or by names
    such as ``Customer``, ``Agent 7``, ``客户``, ``客服``; else the one who makes the request is taken for the
    customer, and the summary says so (``roles_are_known``). It assumes that turns are in order and that what people
    came for is said in words that return. Cost: some thousand short conversations a minute.

    Parameters
    ----------
    customer, agent : str or iterable of str, default=None
        Names that speak for one side.
    stop_words : iterable of str, default=None
        Words that do not count, lower-cased; None for those in the box of both languages and words of courtesy.

    Examples
    --------
    >>> from crmkit.text import ConversationSummarizer
    >>> summary = ConversationSummarizer().summarize(
    ...     [
    ...         ("客户", "你好。我上周买的耳机坏了，想申请退款。"),
    ...         ("客服", "您好，很抱歉。请问耳机有什么问题？"),
    ...         ("客户", "左边没有声音。"),
    ...         ("客服", "我们会在三个工作日内把退款退给您。"),
    ...         ("客户", "好的，谢谢。"),
    ...     ],
    ...     max_sentences=2,
    ... )
    >>> print(summary)
    客户: 我上周买的耳机坏了，想申请退款。
    客服: 我们会在三个工作日内把退款退给您。
    >>> str(summary.request), str(summary.answer)
    ('我上周买的耳机坏了，想申请退款。', '我们会在三个工作日内把退款退给您。')
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "customer": [str, "array-like", set, frozenset, None],
        "agent": [str, "array-like", set, frozenset, None],
        "stop_words": ["array-like", frozenset, set, None],
    }

    def __init__(self, *, customer: Any = None, agent: Any = None, stop_words: Any = None) -> None:
        self.customer = customer
        self.agent = agent
        self.stop_words = stop_words

    def summarize(
        self, text: Any, max_sentences: int | None = THREE, *, max_chars: int | None = None, share: float | None = None
    ) -> ConversationSummary:
        """Choose sentences, and find request, answer and outcome.

        Parameters
        ----------
        text : str, sequence of (speaker, text), or table
            The turns of one conversation: pairs; a table with the columns of COMMUNICATIONS; or one text whose lines
            begin with a name and a colon (a text without such lines is one turn, by nobody).
        max_sentences, max_chars, share
            As for every summarizer. They bound the chosen sentences; request, answer and outcome are sentences of
            the conversation whether they were chosen or not.

        Returns
        -------
        ConversationSummary
            ``str`` gives a line a turn, ``Name: sentences``.

        Raises
        ------
        TypeError, ValueError, DataError
            As for every summarizer.
        """
        length = check_length(max_sentences, max_chars, share)
        turns = self._read(text)
        pieces = cut(turns)
        roles = self._roles(turns)
        if not pieces:
            told = {name: role for name, role in roles.items() if name is not None}
            rows = _turn_rows(turns, roles, Counter(), Counter())
            return ConversationSummary((), 0, 0, roles=told, roles_are_known=bool(roles), turn_rows=rows)
        gains = self._gains(pieces, turns)
        scores = gains(None)
        parts, roles, known = find_parts(pieces, turns, scores, roles)
        of_part = np.zeros(len(pieces))
        if known:
            of_part[[place for place in parts if place is not None]] = _PART
        chosen = pick(pieces, turns, length, lambda last: gains(last) + of_part)
        scores = scores + of_part

        def sentence(place: int | None) -> Sentence | None:
            return None if place is None else sentence_of(pieces[place], turns, scores[place])

        n_pieces = Counter(piece.turn for piece in pieces)
        n_kept = Counter(pieces[place].turn for place in chosen)
        return ConversationSummary(
            tuple(sentence_of(pieces[place], turns, scores[place]) for place in chosen),
            len(pieces),
            sum(len(piece.plain) for piece in pieces),
            request=sentence(parts[0]),
            answer=sentence(parts[1]),
            outcome=sentence(parts[2]),
            roles={name: role for name, role in roles.items() if name is not None},
            roles_are_known=known,
            turn_rows=_turn_rows(turns, roles, n_pieces, n_kept),
        )

    def _read(self, text: Any) -> list[Turn]:
        """Check the parameters and read turns, lines with names included."""
        self._check_parameters()
        return read_turns(text, lines=True)

    def _roles(self, turns: Sequence[Turn]) -> dict[str | None, str]:
        """Give the roles that are known before a word is read."""
        named = [
            ({given} if isinstance(given, str) else set() if given is None else set(given), role)
            for given, role in ((self.customer, "customer"), (self.agent, "agent"))
        ]
        roles: dict[str | None, str] = {}
        for turn in turns:
            told = [role for names, role in named if turn.speaker in names]
            role = told[0] if told else turn.role or role_of_name(turn.speaker)
            if role is not None:
                roles[turn.speaker] = role
        return roles

    def _gains(
        self,
        pieces: Sequence[Piece],
        turns: Sequence[Turn],  # noqa: ARG002 -- the base's signature
    ) -> Callable[[int | None], npt.NDArray[np.float64]]:
        """Weigh what a sentence tells that was not told yet, where it stands, and how long it is."""
        ignored = words_without_meaning(self.stop_words) | (FILLERS if self.stop_words is None else frozenset())
        counts, n_words = count_terms([piece.plain for piece in pieces], ignored)
        told = counts.copy()
        told.data[:] = 1.0
        turn_of = np.array([piece.turn for piece in pieces])
        worth = _TERM + _RETURNS * np.minimum(_returns(told, turn_of), _MOST_RETURNS)
        fixed = _fixed_worth(pieces, turn_of, n_words)
        times_told = np.zeros(counts.shape[1])

        def gains(last: int | None) -> npt.NDArray[np.float64]:
            if last is not None:
                times_told[told.indices[told.indptr[last] : told.indptr[last + 1]]] += 1
            return np.asarray(fixed + told @ (worth * _SAID_BEFORE**times_told), dtype=np.float64)

        return once_each(pieces, gains)


def _turn_rows(
    turns: Sequence[Turn], roles: dict[str | None, str], n_pieces: Counter[int], n_kept: Counter[int]
) -> tuple[tuple[int | None, str | None, str | None, str, int, int], ...]:
    """Give who said what, and how many of its sentences there are and were kept."""
    return tuple(
        (turn.number, turn.speaker, roles.get(turn.speaker, turn.role), turn.text, n_pieces[at], n_kept[at])
        for at, turn in enumerate(turns)
    )


def _returns(told: sparse.csr_array, turn_of: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Count in how many other turns each term stands."""
    rows = np.repeat(turn_of, np.diff(told.indptr))
    pairs = np.unique(rows * told.shape[1] + told.indices) if len(rows) else np.empty(0, dtype=np.int64)
    return np.asarray(np.bincount(pairs % max(told.shape[1], 1), minlength=told.shape[1]) - 1.0, dtype=np.float64)


def _fixed_worth(
    pieces: Sequence[Piece],
    turn_of: npt.NDArray[np.intp],
    n_words: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Give what does not depend on what was chosen: length, place, manner."""
    n = len(pieces)
    opens = np.append(True, turn_of[1:] != turn_of[:-1])
    asks = np.array([is_question(piece.plain) for piece in pieces])
    replies = opens & np.append(False, asks[:-1])
    matters = np.array([not is_courtesy(piece.plain) for piece in pieces])
    wishes = np.array([is_wish(piece.plain) for piece in pieces])
    names = np.array([_NAMED.search(piece.plain) is not None for piece in pieces])
    worth: npt.NDArray[np.float64] = (
        _WORD * np.minimum(n_words, _MOST_WORDS)
        + _FIRST * (np.arange(n) == np.argmax(matters))
        + _COURTESY * ~matters
        + _SECOND_TURN * (turn_of == 1)
        + _REPLY * replies
        + _WISH * wishes
        + _NAME * names
    )
    return worth
