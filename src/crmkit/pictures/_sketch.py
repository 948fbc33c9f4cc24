"""Draws one picture with matplotlib and gives it as a small SVG whose text stays text."""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import DataError
from crmkit.core.html import element, escape
from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COLOURS", "FONTS", "INK", "Picture", "Sketch", "shorten", "width_of"]

COLOURS = ("#1f6f8b", "#e08e45", "#7a9e3f", "#9b5094", "#b3412f", "#5b6b7a")
"""Fills that stay apart for colour-blind readers and in grey print."""

INK = "#26323d"
FAINT = "#d5dbe0"
FONTS = (
    "system-ui, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', "
    "'Source Han Sans SC', 'WenQuanYi Micro Hei', Arial, sans-serif"
)
"""Latin and Chinese faces of the common systems; the page and every picture name the same."""

_RC: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "crmkit",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "path.simplify": True,
    "axes.unicode_minus": False,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Picture:
    """A picture that stands in a report or a notebook.

    Parameters
    ----------
    svg : str
        An ``<svg>`` element without ids that could clash and without any reference to the outside.
    title : str
        What it shows; becomes the caption.
    alt : str
        The same in words for those who do not see it, with the figures that matter.
    n : str
        How many of what it rests on, such as ``"4,297 cases"``.

    Examples
    --------
    >>> from crmkit.pictures import Picture
    >>> Picture("<svg></svg>", title="Cases", alt="No case.", n="0 cases")._repr_html_()
    '<figure><figcaption>Cases (n = 0 cases)</figcaption><div class="picture"><svg></svg></div></figure>'
    """

    svg: str
    title: str
    alt: str
    n: str

    def save(self, path: str | Path) -> Path:
        """Write it as an SVG file of its own, for slides and documents.

        Parameters
        ----------
        path : str or Path
            Where to write, ending in ``.svg``; a file that is there is replaced.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        DataError
            If the path does not end in ``.svg``.
        """
        place = Path(path)
        if place.suffix.lower() != ".svg":
            raise DataError(f"a picture is saved as SVG: the name must end in .svg, got {place.suffix!r}")
        # What is not a browser knows no variables of a page.
        place.write_text(self.svg.replace("var(--fonts, sans-serif)", FONTS) + "\n", encoding="utf-8")
        return place

    def _repr_html_(self) -> str:
        caption = element("figcaption", escape(f"{self.title} (n = {self.n})"))
        return element("figure", caption + element("div", self.svg, class_="picture"))


def width_of(text: str) -> float:
    """Estimate how wide a text is set, in ems, the same on every machine whatever fonts it has."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.56 for letter in text)


def shorten(text: Any, most: float = 17.0) -> str:
    """Bring a label to one line of at most so many ems."""
    line = _CONTROL.sub(" ", str(text)).strip()
    if width_of(line) <= most:
        return line
    while line and width_of(line) > most - 1:
        line = line[:-1]
    return line.rstrip() + "…"


class Sketch:
    """One figure in the house's style, drawn without pyplot or any global figure.

    Every text goes in as a stand-in of plain letters and is put in, escaped, when the SVG is written: so the layout
    does not depend on installed fonts, and neither ``$`` nor ``<`` nor a Han character means anything to the drawing.

    Parameters
    ----------
    height : float
        Height in inches.
    left, right, top, bottom : float
        Margins in inches.
    width : float, default=7.2
        Width in inches.
    """

    def __init__(self, height: float, left: float, right: float, top: float, bottom: float, width: float = 7.2) -> None:
        self._texts: list[str] = []
        with _settings():
            figures = require_extra("matplotlib.figure", "report", "drawing a picture")
            canvases = require_extra("matplotlib.backends.backend_svg", "report", "drawing a picture")
            self.figure = figures.Figure(figsize=(width, height))
            canvases.FigureCanvasSVG(self.figure)
            self.axes = self.figure.add_axes(
                (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
            )
            for side in ("top", "right", "left"):
                self.axes.spines[side].set_visible(False)
            self.axes.spines["bottom"].set_color(FAINT)
            self.axes.tick_params(length=0, colors=INK, labelsize=9)
            self.axes.set_axisbelow(True)

    def label(self, text: Any, most: float = 17.0) -> str:
        """Give the stand-in of a text."""
        self._texts.append(shorten(text, most))
        return f"QZ{len(self._texts) - 1}ZQ"

    def grid(self, axis: str = "x") -> None:
        """Draw faint lines to read values by."""
        self.axes.grid(visible=True, axis=axis, color=FAINT, linewidth=0.6)

    def write(self, x: float, y: float, text: Any, **options: Any) -> None:
        """Write a text at a point of the data."""
        self.axes.text(x, y, self.label(text, 30), **{"va": "center", "fontsize": 8.5, "color": INK, **options})

    def legend(self, names: list[str], colours: tuple[str, ...] = COLOURS) -> None:
        """Name the colours above the axes, from the left."""
        at = 0.0
        size = self.figure.get_size_inches()
        inches = size[0] * self.axes.get_position().width
        up = 1 + 0.14 / (size[1] * self.axes.get_position().height)
        for name, colour in zip(names, colours, strict=False):
            across = {"transform": self.axes.transAxes, "clip_on": False}
            self.axes.plot([at / inches], [up], marker="s", markersize=7, color=colour, **across)
            self.axes.text(
                (at + 0.1) / inches,
                up,
                self.label(name, 24),
                va="center",
                fontsize=9,
                color=INK,
                transform=across["transform"],
            )
            at += 0.1 + (min(width_of(name), 24.0) + 2.2) * 9 / 72

    def picture(self, *, title: str, alt: str, n: str) -> Picture:
        """Write the SVG."""
        buffer = io.BytesIO()
        with _settings():
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            self.figure.savefig(buffer, format="svg", metadata=nothing)
        text = _cleaned(buffer.getvalue().decode("utf-8"))
        # A prefix made of the content keeps the ids of two pictures on one page apart and is the same in every run.
        prefix = "c" + hashlib.sha256((title + "\n" + text + "\n".join(self._texts)).encode()).hexdigest()[:8]
        text = re.sub(r'(?<= id=")', f"{prefix}-", text)
        text = re.sub(r"(?<=url\(#)|(?<=href=\"#)", f"{prefix}-", text)
        text = re.sub(r"QZ(\d+)ZQ", lambda match: escape(self._texts[int(match.group(1))]), text)
        head = f'<svg role="img" aria-label="{escape(alt)}"'
        return Picture(head + text.removeprefix("<svg"), title=title, alt=alt, n=n)


@contextmanager
def _settings() -> Iterator[None]:
    """Use the house's settings whatever the user's own matplotlibrc says, and put theirs back."""
    matplotlib = require_extra("matplotlib", "report", "drawing a picture")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def _cleaned(svg: str) -> str:
    """Keep the element itself: no prologue, no style that leaks into the page, no fixed size, no fonts of its own."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    # Older matplotlib writes one property for the font, newer ones several.
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--fonts, sans-serif)", svg)
    svg = re.sub(r"font: ((?:\w+ )*)([\d.]+)px [^;\"]*", r"font: \1\2px var(--fonts, sans-serif)", svg)
    return re.sub(r"\n\s*", "\n", svg)
