"""The analyser: from one text to the terms that every text algorithm counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmkit.language._tokens import CHARACTER, MARKER, tokenize
from crmkit.language._words import find_segmenter, segment_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmkit.language._words import Segmenter

__all__ = ["Analyzer"]


def _grams(symbols: Sequence[str], order: tuple[int, int], joiner: str = "") -> Iterator[str]:
    """Give all runs of ``order[0]`` to ``order[1]`` symbols."""
    for n in range(order[0], order[1] + 1):
        for place in range(len(symbols) - n + 1):
            yield joiner.join(symbols[place : place + n])


@dataclass(frozen=True)
class Analyzer:
    """Turns one text into its terms; a callable for the ``analyzer=`` of scikit-learn's vectorizers.

    Words and pairs of words, and the character n-grams within each word, for scripts with spaces; character n-grams
    for Han and other scripts without; each punctuation mark and emoji. The terms are written with the block they
    belong to (``word:``, ``chars:``, ``han:``, ``sign:``), so that nothing collides. `crmkit.text.TextFeatures`
    counts the same terms for many texts at once, several times faster; use this one where a callable is asked for.

    Parameters
    ----------
    words : tuple of int, default=(1, 2)
        Fewest and most words in a row; signs between them do not part them.
    chars : tuple of int, default=(2, 5)
        Fewest and most characters within a word, whose two borders count as one each; ``(0, 0)`` for none.
    han : tuple of int, default=(1, 3)
        Fewest and most characters of an unspaced script in a row (or pieces, with a segmenter).
    signs : bool, default=True
        Whether signs are terms.
    segmenter : callable, {"auto", "rjieba"} or None, default=None
        Cuts runs of unspaced script into pieces; None takes characters, which needs nothing and classifies better.

    Examples
    --------
    >>> from crmkit.language import Analyzer
    >>> Analyzer(chars=(0, 0))("退款 now!")
    ['han:退', 'han:款', 'han:退款', 'sign:!', 'word:now']
    """

    words: tuple[int, int] = (1, 2)
    chars: tuple[int, int] = (2, 5)
    han: tuple[int, int] = (1, 3)
    signs: bool = True
    segmenter: Segmenter | str | None = None

    def __call__(self, text: str) -> list[str]:
        """Give the terms of a text, repeated as often as they stand in it."""
        table = tokenize([text])
        terms: list[str] = []
        words_seen: list[list[str]] = []
        previous: int | None = None
        run = ""
        for row in range(len(table.code)):
            token, kind = table.string(row), table.kind[row]
            if kind == MARKER:
                terms += [f"sign:{token}"] if self.signs else []
            elif kind == CHARACTER:
                run += token
                if not table.linked[row]:
                    terms += self._run_terms(run)
                    run = ""
            else:
                if previous is not None and table.linked[previous]:
                    words_seen[-1].append(token)
                else:
                    words_seen.append([token])
                previous = row
        for stretch in words_seen:
            terms += [f"word:{gram}" for gram in _grams(stretch, self.words, " ")]
            if self.chars[1]:
                terms += [f"chars:{gram}" for word in stretch for gram in _grams(f" {word} ", self.chars)]
        return terms

    def _run_terms(self, run: str) -> list[str]:
        """Give the terms of one stretch of unspaced script."""
        cut = find_segmenter(self.segmenter)
        pieces = list(run) if cut is None else segment_run(cut, run)
        return [f"han:{gram}" for gram in _grams(pieces, self.han)]
