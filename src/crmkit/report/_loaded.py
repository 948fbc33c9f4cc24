"""Shows what was read: counts, and the rows set aside by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.html import element, escape
from crmkit.pictures import bars
from crmkit.report._tables import frame_html

if TYPE_CHECKING:
    from crmkit.report._words import Words

__all__ = ["loaded_blocks"]


def loaded_blocks(loaded: Any, words: Words) -> list[str]:
    """Write the blocks of a table that was read.

    Parameters
    ----------
    loaded : records.Loaded
        ``table``, ``set_aside`` and ``report`` are read.
    words : Words
        The report's language.

    Returns
    -------
    list of str
        HTML; it shows counts only, never a row.
    """
    kept, aside = len(loaded.table), len(loaded.set_aside)
    blocks = [
        element("p", escape(words("loaded_counts", read=kept + aside, kept=kept, aside=aside))),
        element("pre", escape(str(loaded.report))),
    ]
    if not aside:
        return [*blocks, element("p", escape(words("no_set_aside")))]
    reasons = loaded.set_aside["reason"].value_counts()
    reasons = reasons.sort_index().sort_values(ascending=False, kind="stable").rename(words("rows"))
    reasons.index.name = words("reason")
    n = f"{aside:,} {words('rows')}"
    caption = words("set_aside")
    return [
        *blocks,
        bars(reasons, title=caption, n=n)._repr_html_(),
        frame_html(reasons.to_frame(), words, caption=caption),
    ]
