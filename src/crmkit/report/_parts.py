"""Turns each part handed to a report into the blocks that show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.estimate import Estimate
from crmkit.core.html import cell, element, escape
from crmkit.pictures import Picture, bars, intervals
from crmkit.report._loaded import loaded_blocks
from crmkit.report._plan import plan_blocks
from crmkit.report._section import Note, Section, heading
from crmkit.report._segments import segment_blocks
from crmkit.report._tables import frame_html, pairs_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crmkit.report._words import Words

__all__ = ["sections"]

# The rooms' objects are known by what they show, so that reporting one imports no room.
_KINDS: tuple[tuple[str, tuple[str, ...], Callable[[Any, Words], list[str]]], ...] = (
    ("loaded", ("table", "set_aside", "report"), loaded_blocks),
    ("segments", ("profile", "labels", "segment_id"), segment_blocks),
    ("plan", ("table", "prices", "choice", "bound"), plan_blocks),
)


def sections(parts: Iterable[Any], words: Words) -> list[Section]:
    """Arrange parts into sections.

    A text begins a section; so does an object with a title of its own, unless a text has just begun one. Tables,
    figures, pictures and notes join the section that is open.

    Parameters
    ----------
    parts : iterable
        What ``write_report`` takes.
    words : Words
        The report's language.

    Returns
    -------
    list of Section
        In the order given, empty ones left out unless they are a heading somebody wrote.

    Raises
    ------
    TypeError
        If a part is none of the kinds that can be shown, naming its position and the kinds.
    """
    made: list[Section] = []
    for position, part in enumerate(parts):
        if isinstance(part, str):
            made.append(Section(part, own=False))
            continue
        title, blocks = _shown(part, words, position)
        opens = title is not None and not (made and not made[-1].own and not made[-1].blocks)
        if opens or not made:
            made.append(Section(title or words("table")))
        made[-1].blocks.extend(blocks)
    return made


def _shown(  # noqa: PLR0911 -- one return a kind of part
    part: Any, words: Words, position: int
) -> tuple[str | None, list[str]]:
    """Give the title a part brings, or None, and its blocks."""
    for key, attributes, blocks in _KINDS:
        if all(hasattr(type(part), name) or name in getattr(part, "__dict__", {}) for name in attributes):
            return words(key), blocks(part, words)
    if isinstance(part, Mapping):
        return _mapping(part, words, position)
    if isinstance(part, Picture | Note):
        return None, [part._repr_html_()]
    if isinstance(part, Estimate):
        return None, _estimates({words("figure"): part}, words)
    if isinstance(part, pd.Series):
        return None, _series(part, words)
    if isinstance(part, pd.DataFrame):
        return None, _frame(part, words, words("table"))
    if type(part).__module__.partition(".")[0] == "crmkit" and callable(getattr(part, "_repr_html_", None)):
        return None, [element("div", part._repr_html_(), class_="scroll")]
    try:
        return None, _frame(as_frame(part), words, words("table"))
    except TypeError:
        raise TypeError(
            f"part {position} of the report is {type(part).__name__}; a part may be what records.read gives, a "
            "SegmentationModel, a Plan, a table, a Series of counts, an Estimate, a Picture, a Note, a heading (str), "
            "or a mapping of names to these"
        ) from None


def _mapping(part: Mapping[Any, Any], words: Words, position: int) -> tuple[str | None, list[str]]:
    """Show a mapping: estimates side by side, plain values in pairs, the rest under headings of their own."""
    estimates = {str(name): value for name, value in part.items() if isinstance(value, Estimate)}
    plain = {
        str(name): value
        for name, value in part.items()
        if str(name) not in estimates
        and (value is None or isinstance(value, int | float | np.generic | str | pd.Timestamp))
    }
    blocks: list[str] = []
    if plain:
        blocks.append(pairs_html(plain, words, caption=words("counts"), heads=(words("figure"), words("value"))))
    if estimates:
        blocks.extend(_estimates(estimates, words))
    for name, value in part.items():
        if str(name) in estimates or str(name) in plain:
            continue
        _, shown = _shown(value, words, position)
        if isinstance(value, pd.DataFrame):
            shown = _frame(value, words, str(name))
        elif isinstance(value, pd.Series):
            shown = _series(value.rename(str(name)), words)
        else:
            shown = [heading(str(name)), *shown]
        blocks.extend(shown)
    return (words("estimates") if estimates and len(estimates) == len(part) else None), blocks


def _estimates(estimates: Mapping[str, Estimate], words: Words) -> list[str]:
    """Show figures with intervals: as a picture where one scale suits all, and always as a table."""
    frame = pd.DataFrame(
        {
            words("value"): [estimate.value for estimate in estimates.values()],
            words("low"): [estimate.low for estimate in estimates.values()],
            words("high"): [estimate.high for estimate in estimates.values()],
            "n": [estimate.n for estimate in estimates.values()],
            words("level"): [f"{estimate.level:.0%}" for estimate in estimates.values()],
            words("method"): [estimate.method for estimate in estimates.values()],
        },
        index=pd.Index(list(estimates), name=words("figure")),
    )
    ends = frame.iloc[:, :3].to_numpy(dtype=np.float64)
    blocks = []
    if len(estimates) > 1 and bool(((ends >= 0) & (ends <= 1) | np.isnan(ends)).all()):
        picture = intervals(estimates, title=words("estimates"), n=_span(list(frame["n"])))
        blocks.append(picture._repr_html_())
    return [*blocks, frame_html(frame, words, caption=words("estimates"), most=len(frame))]


def _span(counts: Sequence[int]) -> str:
    """Write one count, or the least and the most of several."""
    low, high = min(counts), max(counts)
    return cell(low) if low == high else f"{cell(low)}–{cell(high)}"


def _series(series: pd.Series, words: Words) -> list[str]:
    """Show a Series; counts also as bars."""
    name = str(series.name) if series.name is not None else words("counts")
    blocks = []
    counts = pd.api.types.is_integer_dtype(series.dtype) and not isinstance(series.index, pd.RangeIndex)
    if counts and len(series) and bool((series >= 0).all()):
        blocks.append(bars(series, title=name, n=f"{int(series.sum()):,}")._repr_html_())
    return [*blocks, frame_html(series.to_frame(name), words, caption=name)]


def _frame(frame: pd.DataFrame, words: Words, caption: str) -> list[str]:
    """Show a table; the words it carries itself come first."""
    note = frame.attrs.get("note")
    return [*([element("p", escape(str(note)))] if note else []), frame_html(frame, words, caption=caption)]
