"""Chooses sentences one after the other until the summary is as long as it may be."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["THREE", "Length", "check_length", "choose"]


class _Default(int):
    """A number that was not asked for: it gives way where another length is."""


THREE = _Default(3)
"""The default of ``max_sentences``."""


class Length(NamedTuple):
    """How long a summary may be; None where a limit does not hold.

    Attributes
    ----------
    sentences : int or None
        Most sentences.
    characters : int or None
        Most characters, those that join sentences included.
    share : float or None
        Most of the sentences' characters, though at least one sentence.
    """

    sentences: int | None
    characters: int | None
    share: float | None


def check_length(max_sentences: int | None, max_chars: int | None, share: float | None) -> Length:
    """Check the limits.

    Parameters
    ----------
    max_sentences, max_chars : int or None
        At least 1.
    share : float or None
        Above 0, at most 1.

    Returns
    -------
    Length
        The limits that hold.

    Raises
    ------
    ValueError
        If one is out of range.
    TypeError
        If one is no number.
    """
    for name, limit in (("max_sentences", max_sentences), ("max_chars", max_chars)):
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Integral)):
            raise TypeError(f"{name} must be a whole number or None, got {type(limit).__name__}")
        if limit is not None and limit < 1:
            raise ValueError(f"{name} must be at least 1, got {limit}")
    if share is not None and (isinstance(share, bool) or not isinstance(share, Real)):
        raise TypeError(f"share must be a number or None, got {type(share).__name__}")
    if share is not None and not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}")
    if isinstance(max_sentences, _Default) and (max_chars is not None or share is not None):
        max_sentences = None
    return Length(max_sentences, max_chars, share)


def choose(
    length: Length,
    sizes: npt.NDArray[np.int64],
    written: npt.NDArray[np.int64],
    gains: Callable[[int | None], npt.NDArray[np.float64]],
) -> list[int]:
    """Choose by the greatest gain among the sentences that still fit.

    Parameters
    ----------
    length : Length
        The limits.
    sizes, written : ndarray of int64, shape (n_sentences,)
        Characters of each sentence, which the share counts, and with the speaker's name before it.
    gains : callable
        Given the sentence chosen last (None at first), says what each adds to the summary; of equal ones the first is
        taken, and ``-inf`` never.

    Returns
    -------
    list of int
        The sentences in the order they were chosen.
    """
    chosen: list[int] = []
    left = np.ones(len(sizes), dtype=bool)
    used = used_written = 0
    allowed = length.characters if length.characters is not None else np.inf
    portion = length.share * int(sizes.sum()) if length.share is not None else np.inf
    last: int | None = None
    while len(chosen) < (len(sizes) if length.sentences is None else length.sentences):
        # What joins it to the sentence before is one character at most.
        fits = left & (used_written + len(chosen) + written <= allowed)
        if chosen:
            fits &= used + sizes <= portion
        if not fits.any():
            break
        gain = np.where(fits, gains(last), -np.inf)
        last = int(np.argmax(gain))
        if gain[last] == -np.inf:
            break
        chosen.append(last)
        left[last] = False
        used += int(sizes[last])
        used_written += int(written[last])
    return chosen
