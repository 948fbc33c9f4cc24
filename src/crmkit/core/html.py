"""Small pieces of HTML for displays: everything that comes from data is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["cell", "element", "escape", "table"]


def cell(value: Any) -> str:
    """Write one value as people read it.

    Parameters
    ----------
    value : object
        A number, text, or anything with a ``str``.

    Returns
    -------
    str
        Plain text, not yet escaped: numbers with thousands separators, missing values as an en dash.

    Examples
    --------
    >>> from crmkit.core.html import cell
    >>> cell(1234567.8912), cell(12), cell(float("nan")), cell("退款")
    ('1,234,568', '12', '–', '退款')
    """
    if value is None or value != value:  # noqa: PLR0124 -- only NaN and its kin differ from themselves
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        size = abs(value)
        if size >= 1000 or float(value).is_integer():
            return f"{float(value):,.0f}"
        return f"{float(value):.2f}" if size >= 1 else f"{float(value):.3g}"
    return str(value)


def element(tag: str, content: str = "", **attributes: str) -> str:
    """Write one element around content that is already HTML.

    Parameters
    ----------
    tag : str
        The element's name.
    content : str, default=""
        HTML, escaped by the caller.
    **attributes : str
        Attributes; a trailing underscore is dropped (``class_``).

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> from crmkit.core.html import element, escape
    >>> element("p", escape("a < b"), class_="note")
    '<p class="note">a &lt; b</p>'
    """
    given = "".join(f' {name.rstrip("_")}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{given}>{content}</{tag}>"


def table(columns: Sequence[Any], rows: Iterable[Sequence[Any]], *, caption: str = "") -> str:
    """Write a table.

    Parameters
    ----------
    columns : sequence
        Headers.
    rows : iterable of sequence
        Values in the order of the headers.
    caption : str, default=""
        What the table shows.

    Returns
    -------
    str
        HTML; numbers are right-aligned by their class.

    Examples
    --------
    >>> from crmkit.core.html import table
    >>> '<td class="number">1,000</td>' in table(["n"], [[1000]])
    True
    """
    head = element("tr", "".join(element("th", escape(str(column)), scope="col") for column in columns))
    body = []
    for row in rows:
        cells = []
        for value in row:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            text = escape(cell(value))
            cells.append(element("td", text, class_="number") if number else element("td", text))
        body.append(element("tr", "".join(cells)))
    title = element("caption", escape(caption)) if caption else ""
    return element("table", title + element("thead", head) + element("tbody", "".join(body)))
