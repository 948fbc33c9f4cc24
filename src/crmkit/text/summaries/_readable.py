"""Writes a stretch of a message as people read it."""

from __future__ import annotations

from crmkit.language._markup import strip_markup

__all__ = ["readable"]


def readable(text: str) -> str:
    """Write a stretch of a message as people read it: on one line, without tags, entities written out.

    Parameters
    ----------
    text : str
        A stretch of the original.

    Returns
    -------
    str
        The same without markup and runs of white space.
    """
    return " ".join(strip_markup(text).split())
