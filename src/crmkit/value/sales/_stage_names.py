"""The names of stages: their declared order, and the words for won and lost in English and Chinese."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

__all__ = ["LOST_NAMES", "MISSING", "OPEN_NAMES", "UNKNOWN", "WON_NAMES", "StageNames", "read_stage_names"]

WON_NAMES = ("won", "win", "closed won", "赢单", "已赢单", "成交", "已成交", "成单")
"""What a won deal is called where nothing else is declared."""

LOST_NAMES = ("lost", "loss", "closed lost", "输单", "已输单", "丢单", "已丢单", "失单")
"""What a lost deal is called where nothing else is declared."""

OPEN_NAMES = ("open", "pending", "in progress", "ongoing", "进行中", "跟进中", "未结束", "未成交")
"""Outcomes that say that a deal has not ended."""

MISSING, UNKNOWN = -1, -2
"""Codes of a cell without a name, and of a name that is not declared."""


@dataclass(frozen=True)
class StageNames:
    """Declared stages, and what a won and a lost deal are called.

    Parameters
    ----------
    names : tuple of str
        The open stages, first to last, as declared.
    won, lost : frozenset of str
        Compared forms of the words.
    """

    names: tuple[str, ...]
    won: frozenset[str]
    lost: frozenset[str]

    @property
    def won_code(self) -> int:
        """The code of won: one beyond the last open stage, so that every later state has the higher code."""
        return len(self.names)

    @property
    def lost_code(self) -> int:
        """The code of lost."""
        return len(self.names) + 1

    def stage_codes(self, column: pd.Series) -> npt.NDArray[np.int64]:
        """Give the code of each cell of a stage column: its position in the order, won, lost, missing or unknown."""
        known = {_key(name): code for code, name in enumerate(self.names)}
        return _codes(column, {**known, **self._ends()})

    def outcome_codes(self, column: pd.Series) -> npt.NDArray[np.int64]:
        """Give the code of each cell of an outcome column: won, lost, missing (also where it says open) or unknown."""
        return _codes(column, {**dict.fromkeys(map(_key, OPEN_NAMES), MISSING), **self._ends()})

    def _ends(self) -> dict[str, int]:
        """Give the codes of the words for won and lost."""
        return {**dict.fromkeys(self.won, self.won_code), **dict.fromkeys(self.lost, self.lost_code)}


def _key(name: object) -> str:
    """Bring a name to the form in which names are compared, without width, case, spaces, hyphens and underscores."""
    if isinstance(name, float) and name.is_integer():
        name = int(name)
    folded = unicodedata.normalize("NFKC", str(name)).casefold()
    return "".join(letter for letter in folded if not (letter.isspace() or letter in "-_"))


def _codes(column: pd.Series, known: dict[str, int]) -> npt.NDArray[np.int64]:
    """Look every distinct cell up once."""
    codes, names = pd.factorize(column)
    # The last entry is what the code -1 of a missing cell points at.
    table = np.array([*(known.get(_key(name), UNKNOWN) if _key(name) else MISSING for name in names), MISSING])
    return table[codes].astype(np.int64)


def read_stage_names(
    stages: Sequence[str], won: str | Iterable[str] | None = None, lost: str | Iterable[str] | None = None
) -> StageNames:
    """Read a declaration of stages.

    Parameters
    ----------
    stages : sequence of str
        Stages in their order. Words for won and lost may stand among them; they are no stages to pass.
    won, lost : str or iterable of str, default=None
        What ended deals are called; None for the usual words (``WON_NAMES``, ``LOST_NAMES``).

    Returns
    -------
    StageNames
        The declaration.

    Raises
    ------
    DataError
        If there is no stage, a name stands twice, or a word means both won and lost.

    Examples
    --------
    >>> from crmkit.value.sales._stage_names import read_stage_names
    >>> read_stage_names(["lead", "proposal", "won", "lost"]).names
    ('lead', 'proposal')
    """
    if isinstance(stages, str):
        raise DataError(f"stages must list the stages in their order, got one text: {stages!r}")
    ends = [frozenset(map(_key, _listed(given, usual))) for given, usual in ((won, WON_NAMES), (lost, LOST_NAMES))]
    if ends[0] & ends[1]:
        raise DataError("won and lost must be different words; one stands in both")
    names = tuple(str(name) for name in stages if _key(name) not in ends[0] | ends[1])
    keys = [_key(name) for name in names]
    twice = sorted({name for name, key in zip(names, keys, strict=True) if keys.count(key) > 1})
    if twice:
        raise DataError(f"stages names one stage twice: {', '.join(map(repr, twice))}")
    if not names:
        raise DataError("stages must name at least one stage that a deal passes before it is won or lost")
    return StageNames(names, ends[0], ends[1])


def _listed(given: Any, usual: tuple[str, ...]) -> tuple[Any, ...]:
    """Give the declared words, or the usual ones."""
    if given is None:
        return usual
    return (given,) if isinstance(given, str) else tuple(given)
