"""The first sentences: the yardstick of every summarizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.text.summaries._base import TextSummarizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.text.summaries._pieces import Piece
    from crmkit.text.summaries._turns import Turn

__all__ = ["LeadSummarizer"]


class LeadSummarizer(TextSummarizer):
    """Keeps the first sentences.

    People who write in say what it is about first, so this is hard to beat for e-mails and reviews, and every other
    summarizer should be measured beside it. It knows nothing of greetings: "Hello." is a first sentence. Its cost is
    that of finding sentences, some megabytes a second.

    Examples
    --------
    >>> from crmkit.text import LeadSummarizer
    >>> str(LeadSummarizer().summarize("等了两个小时！还是没人来。我要退款。", max_sentences=2))
    '等了两个小时！还是没人来。'
    """

    def _gains(
        self,
        pieces: Sequence[Piece],
        turns: Sequence[Turn],  # noqa: ARG002 -- the base's signature
    ) -> Callable[[int | None], npt.NDArray[np.float64]]:
        """Give the earlier sentence the higher score."""
        scores = 1 - np.arange(len(pieces)) / len(pieces)
        return lambda last: scores  # noqa: ARG005 -- nothing depends on what was chosen
