"""What all summarizers of one text share: reading, cutting, the length, and the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints

from crmkit.language import stop_words
from crmkit.text.summaries._length import THREE, check_length, choose
from crmkit.text.summaries._pieces import cut
from crmkit.text.summaries._summary import Sentence, Summary
from crmkit.text.summaries._turns import read_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.text.summaries._length import Length
    from crmkit.text.summaries._pieces import Piece
    from crmkit.text.summaries._turns import Turn

__all__ = ["TextSummarizer"]


class TextSummarizer(BaseEstimator, ABC):
    """The base of summarizers that choose sentences; a new one says what each sentence is worth.

    A subclass defines ``_gains(pieces, turns)``, which gives a function from the sentence chosen last (None at first)
    to what each sentence would add. All else (texts and turns, HTML, sentence ends of both languages, offsets,
    length by sentences, characters or share) is here.
    """

    _parameter_constraints: dict[str, Any] = {}  # noqa: RUF012 -- scikit-learn's own name and form

    def summarize(
        self, text: Any, max_sentences: int | None = THREE, *, max_chars: int | None = None, share: float | None = None
    ) -> Summary:
        """Choose sentences.

        Parameters
        ----------
        text : str, sequence of (speaker, text), or table
            One text, or the turns of one conversation: pairs, or a table with the columns of COMMUNICATIONS (``text``,
            and where there are ``turn`` or ``time``, ``speaker``, ``direction``, ``agent``, ``conversation_id``).
        max_sentences : int or None, default=3
            Most sentences; None for any number. The default gives way where another length is given.
        max_chars : int, default=None
            Most characters of ``str(summary)``. Sentences that do not fit are passed over, and where none fits the
            summary is empty: no sentence is cut.
        share : float, default=None
            Most of the characters, above 0 and at most 1; at least one sentence is given all the same.

        Returns
        -------
        Summary
            The chosen sentences in their original order; empty for a text without any.

        Raises
        ------
        TypeError
            If it is neither text nor turns, or a limit is no number.
        ValueError
            If a limit is out of range.
        DataError
            If a table holds several conversations, or has no ``text``.
        """
        length = check_length(max_sentences, max_chars, share)
        turns = self._read(text)
        pieces = cut(turns)
        if not pieces:
            return Summary((), 0, 0)
        gains = self._gains(pieces, turns)
        scores = gains(None)
        return Summary(
            tuple(sentence_of(pieces[place], turns, scores[place]) for place in pick(pieces, turns, length, gains)),
            len(pieces),
            sum(len(piece.plain) for piece in pieces),
        )

    def _read(self, text: Any) -> list[Turn]:
        """Check the parameters and read what was handed in."""
        self._check_parameters()
        return read_turns(text)

    def _check_parameters(self) -> None:
        """Refuse parameters that mean nothing."""
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), caller_name=type(self).__name__
        )

    @abstractmethod
    def _gains(self, pieces: Sequence[Piece], turns: Sequence[Turn]) -> Callable[[int | None], npt.NDArray[np.float64]]:
        """Give what says how much each sentence would add."""


def pick(
    pieces: Sequence[Piece],
    turns: Sequence[Turn],
    length: Length,
    gains: Callable[[int | None], npt.NDArray[np.float64]],
) -> list[int]:
    """Choose sentences within a length.

    Parameters
    ----------
    pieces : sequence of Piece
        The sentences.
    turns : sequence of Turn
        Where they stand.
    length : Length
        The limits.
    gains : callable
        What each sentence would add, given the one chosen last.

    Returns
    -------
    list of int
        Their places, in the order of the original.
    """
    sizes = np.array([len(piece.plain) for piece in pieces], dtype=np.int64)
    names = np.array([len(turns[piece.turn].speaker or "") for piece in pieces], dtype=np.int64)
    return sorted(choose(length, sizes, sizes + names + 2 * (names > 0), gains))


def sentence_of(piece: Piece, turns: Sequence[Turn], score: float) -> Sentence:
    """Give a chosen sentence.

    Parameters
    ----------
    piece : Piece
        The sentence.
    turns : sequence of Turn
        Where it stands.
    score : float
        What it was worth.

    Returns
    -------
    Sentence
        With its place and speaker.
    """
    turn = turns[piece.turn]
    return Sentence(piece.text, piece.start, piece.end, float(score), turn.number, turn.speaker)


def words_without_meaning(given: Any) -> frozenset[str]:
    """Give the stop words: those in the box, or the caller's.

    Parameters
    ----------
    given : None or iterable of str
        None for those in the box, of both languages.

    Returns
    -------
    frozenset of str
        The words.
    """
    return stop_words("both") if given is None else frozenset(given)


def once_each(
    pieces: Sequence[Piece], gains: Callable[[int | None], npt.NDArray[np.float64]]
) -> Callable[[int | None], npt.NDArray[np.float64]]:
    """Keep a sentence that stands in the text more than once from being chosen again.

    Parameters
    ----------
    pieces : sequence of Piece
        The sentences.
    gains : callable
        What each would add.

    Returns
    -------
    callable
        The same, ``-inf`` for those that were said already.
    """
    same = np.unique([piece.plain.casefold() for piece in pieces], return_inverse=True)[1].ravel()
    said = np.zeros(len(pieces), dtype=bool)

    def new(last: int | None) -> npt.NDArray[np.float64]:
        if last is not None:
            said[same == same[last]] = True
        return np.where(said, -np.inf, gains(last))

    return new
