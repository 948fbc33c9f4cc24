"""Sections of a report and the two parts that are plain words: headings and notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from crmkit.core.html import element, escape

__all__ = ["Note", "Section", "heading"]


@dataclass(frozen=True)
class Note:
    """A few sentences that stand in a report as they are.

    Parameters
    ----------
    text : str
        Plain text, never HTML; an empty line begins a new paragraph.

    Examples
    --------
    >>> from crmkit.report import Note
    >>> Note("本月 <b>退款</b> 较多。")._repr_html_()
    '<p>本月 &lt;b&gt;退款&lt;/b&gt; 较多。</p>'
    """

    text: str

    def _repr_html_(self) -> str:
        paragraphs = [paragraph.strip() for paragraph in self.text.split("\n\n")]
        return "\n".join(element("p", escape(paragraph)) for paragraph in paragraphs if paragraph)


@dataclass
class Section:
    """One headed stretch of the report.

    Parameters
    ----------
    title : str
        Plain text.
    blocks : list of str
        HTML, escaped by whoever wrote it.
    own : bool, default=True
        Whether what it shows brought the title itself; a table or figure that follows then still belongs to it.
    """

    title: str
    blocks: list[str] = field(default_factory=list)
    own: bool = True


def heading(text: str) -> str:
    """Write a heading inside a section."""
    return element("h3", escape(text))
