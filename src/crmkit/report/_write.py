"""Writes one self-contained HTML file that needs nothing but a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from crmkit.core.registry import require_extra
from crmkit.pictures import FONTS
from crmkit.report._parts import sections
from crmkit.report._words import Words

__all__ = ["write_report"]


def write_report(path: str | Path, *parts: Any, title: str | None = None, lang: str = "en") -> Path:
    """Write a report as one HTML file with tables and pictures inside.

    The file asks for nothing from outside: styles stand in the page, pictures are SVG whose text stays text (Chinese
    is set in the reader's own font), and a content policy forbids scripts and requests. Everything that comes from
    data is escaped. Written twice from equal parts it is the same byte for byte, but for the one line with its date.

    Parameters
    ----------
    path : str or Path
        Where to write; its folder is made where it is missing, and a file that is there is replaced.
    *parts : object
        What to show, in order: what ``records.read`` gives, a ``SegmentationModel``, a ``Plan``, a table (pandas,
        Polars, PyArrow), a Series (of counts: with bars), an ``Estimate``, a ``Picture``, a ``Note``, a mapping of
        names to any of these, or text, which is a heading for what follows.
    title : str or None
        The report's title; None for the language's word for report.
    lang : {"en", "zh"}, default="en"
        The language of the report's own words. Names of columns, segments and remedies stay as they are.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    TypeError
        If a part cannot be shown, naming its position and what can.
    DataError
        If ``lang`` is not known, or a picture would have to show an infinite value.
    MissingExtraError
        Without matplotlib and jinja2: ``pip install 'crmkit[report]'``.

    Notes
    -----
    Tables show their first 50 rows and say how many there are. Cost: about a tenth of a second a picture.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> import crmkit
    >>> counts = pd.Series({"退款": 3, "refund": 2}, name="messages")
    >>> file = crmkit.write_report(tempfile.mkdtemp() + "/report.html", "Messages", counts, title="March")
    >>> "退款" in file.read_text(encoding="utf-8")
    True
    """
    jinja2 = require_extra("jinja2", "report", "write_report")
    require_extra("matplotlib", "report", "write_report")
    from crmkit import __version__

    words = Words(lang)
    made = sections(parts, words)
    for section in made:
        section.blocks = [jinja2.utils.markupsafe.Markup(block) for block in section.blocks]
    here = files("crmkit.report")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    page = environment.from_string((here / "page.html").read_text(encoding="utf-8")).render(
        title=title if title is not None else words("title"),
        style=jinja2.utils.markupsafe.Markup(
            (here / "page.css").read_text(encoding="utf-8").replace("FONTS", FONTS).rstrip()
        ),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        words=words,
        sections=made,
        version=__version__,
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path
