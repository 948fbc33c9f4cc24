"""Finds what the customer asked, what the agent answered, and how it ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from crmkit.text.summaries._cues import is_courtesy, is_promise, is_question, is_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.text.summaries._pieces import Piece
    from crmkit.text.summaries._turns import Turn

__all__ = ["find_parts"]

Parts = tuple[int | None, int | None, int | None]

# In the unit of a sentence's worth. No public set marks these parts, so the constants follow from what is asked for:
# a word that says it weighs more than a good place; courtesies and counter-questions are neither answer nor outcome.
_SAYS_SO, _PLACE = 1.0, 0.5
_LAST_THIRD = 2 / 3


def find_parts(
    pieces: Sequence[Piece],
    turns: Sequence[Turn],
    scores: npt.NDArray[np.float64],
    roles: dict[str | None, str],
) -> tuple[Parts, dict[str | None, str], bool]:
    """Find the three parts and, where names do not tell them, the roles.

    Parameters
    ----------
    pieces : sequence of Piece
        The sentences, at least one.
    turns : sequence of Turn
        What they stand in.
    scores : ndarray, shape (n_sentences,)
        What each is worth to a summary.
    roles : dict
        The roles known, by speaker.

    Returns
    -------
    parts : tuple of int or None
        Places of request, answer and outcome.
    roles : dict
        With those that were guessed.
    known : bool
        Whether none had to be guessed.
    """
    plain = [piece.plain for piece in pieces]
    matters = np.array([not is_courtesy(text) for text in plain])
    asks = np.array([is_question(text) for text in plain])
    promises = np.array([is_promise(text) for text in plain])
    turn_of = np.array([piece.turn for piece in pieces])
    late = turn_of / max(len(turns) - 1, 1)
    wants = np.array([is_request(text) for text in plain]) | asks
    asked = np.where(matters, scores + _SAYS_SO * wants - 2 * _PLACE * late, -np.inf)
    said_by = [turns[piece.turn].speaker for piece in pieces]
    known = bool(roles)
    roles = _complete(roles, said_by, asked)
    by_agent = np.array([roles[name] == "agent" for name in said_by])
    request = _best(asked, matters & ~by_agent)
    if request is None:
        return (None, None, None), roles, known
    after = matters & ~asks & (turn_of > turn_of[request])
    ended = scores + _SAYS_SO * promises + _PLACE * late
    outcome = _best(ended, after & (promises | (late > _LAST_THIRD)))
    next_turn = turn_of[after & by_agent].min(initial=len(turns))
    answered = scores + _SAYS_SO * promises + _PLACE * (turn_of == next_turn)
    others = after & by_agent & (np.arange(len(pieces)) != (-1 if outcome is None else outcome))
    answer = _best(answered, others)
    if answer is None and outcome is not None and by_agent[outcome]:
        # All that the agent had to say is how it ended.
        answer = outcome
    return (request, answer, outcome), roles, known


def _best(worth: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_]) -> int | None:
    """Give the place of the greatest worth among those possible, the first of equal ones."""
    return int(np.argmax(np.where(possible, worth, -np.inf))) if possible.any() else None


def _complete(
    roles: dict[str | None, str], said_by: Sequence[str | None], asked: npt.NDArray[np.float64]
) -> dict[str | None, str]:
    """Give everyone a role: the opposite of the one role known, or customer to whoever asks for most."""
    speakers = list(Counter(said_by))
    missing = [name for name in speakers if name not in roles]
    if not missing:
        return roles
    there = set(roles.values())
    if not there:
        first = said_by[int(np.argmax(asked))]
        return {name: "customer" if name == first else "agent" for name in speakers}
    opposite = "agent" if there == {"customer"} else "customer"
    return {**roles, **dict.fromkeys(missing, opposite)}
