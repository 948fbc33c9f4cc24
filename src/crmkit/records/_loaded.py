"""What reading gives back: the table, the rows set aside, and a report that says what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crmkit.core import html

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from crmkit.records._schema import Schema

__all__ = ["Loaded", "ReadReport"]


@dataclass(frozen=True, kw_only=True)
class ReadReport:
    """What was read, as what, and what was left out and why; it shows no cell of the source but the newest times.

    Parameters
    ----------
    schema : str
        Name of the schema.
    source : str
        What was read, by name.
    n_rows, n_valid, n_set_aside : int
        Rows of the source, of the table, and set aside; the last two sum to the first.
    reasons : mapping of str to int
        Rows set aside for each reason; a row with two reasons counts under both.
    headers : mapping of str to str
        From standard name to the header that stands for it.
    told : frozenset of str
        Which of these the caller or a preset named; the others were recognised.
    kept : tuple of str
        Columns of the source kept as they were.
    counts : mapping of str to int
        What is valid but worth knowing, such as negative amounts and equal lines.
    notes : tuple of str
        What was assumed in reading.
    currency : str or None
        The one currency of the table.
    timezone : str
        In which times without an offset were read and days were cut.
    first, last : Timestamp or None
        Span of time of the valid rows, in UTC.
    n_customers : int
        Distinct customers of the valid rows.
    encoding, delimiter : str or None
        How a text file was read.
    """

    schema: str
    source: str
    n_rows: int
    n_valid: int
    n_set_aside: int
    reasons: Mapping[str, int]
    headers: Mapping[str, str]
    told: frozenset[str]
    kept: tuple[str, ...]
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    currency: str | None
    timezone: str
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    n_customers: int
    encoding: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        for name in ("reasons", "headers", "counts"):
            object.__setattr__(self, name, dict(getattr(self, name)))

    @property
    def facts(self) -> dict[str, str]:
        """The report's single facts, ready to print."""
        facts = {
            "rows read": f"{self.n_rows:,}",
            "valid": f"{self.n_valid:,}",
            "set aside": f"{self.n_set_aside:,}",
            "customers": f"{self.n_customers:,}",
        }
        if self.first is not None and self.last is not None:
            facts["span of time"] = f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"
        facts["time zone"] = self.timezone
        if self.currency is not None or "amount" in self.headers or "unit_price" in self.headers:
            facts["currency"] = self.currency or "not told"
        if self.encoding is not None:
            facts["text file"] = f"{self.encoding}, delimiter {self.delimiter!r}"
        return facts

    def __str__(self) -> str:
        width = max(map(len, self.facts))
        lines = [f"{self.schema} from {self.source}"]
        lines += [f"  {name:<{width}}  {value}" for name, value in self.facts.items()]
        lines += _section("set aside because", {reason: f"{count:,}" for reason, count in self.reasons.items()})
        lines += _section("valid, worth knowing", {what: f"{count:,}" for what, count in self.counts.items()})
        headers = {
            name: repr(header) + ("" if name in self.told else " (recognised)") for name, header in self.headers.items()
        }
        lines += _section("columns", headers)
        if self.kept:
            lines.append(f"  kept as they were: {', '.join(self.kept)}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        parts = [html.table(["", ""], self.facts.items(), caption=f"{self.schema} from {self.source}")]
        if self.reasons:
            parts.append(html.table(["set aside because", "rows"], self.reasons.items()))
        if self.counts:
            parts.append(html.table(["valid, worth knowing", "rows"], self.counts.items()))
        named = [(name, header, "told" if name in self.told else "recognised") for name, header in self.headers.items()]
        parts.append(html.table(["column", "header", "how"], named))
        if self.kept:
            parts.append(html.element("p", html.escape("Kept as they were: " + ", ".join(self.kept))))
        if self.notes:
            items = "".join(html.element("li", html.escape(note)) for note in self.notes)
            parts.append(html.element("ul", items))
        return "".join(parts)


def _section(title: str, entries: Mapping[str, str]) -> list[str]:
    """Write one part of the report, or nothing where it is empty."""
    if not entries:
        return []
    width = max(map(len, entries))
    return [f"  {title}", *(f"    {name:<{width}}  {value}" for name, value in entries.items())]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Loaded:
    """Records that were read: every row of the source is in exactly one of ``table`` and ``set_aside``.

    Parameters
    ----------
    table : pandas.DataFrame
        The valid rows in the source's order: the schema's columns, then the others as they were.
    set_aside : pandas.DataFrame
        The other rows with their original cells, and ``reason`` and ``row`` (position in the source, from 0).
    report : ReadReport
        What was done.
    schema : Schema
        As what it was read.
    rows : ndarray of int, shape (n_valid,)
        Position in the source of each row of ``table``.

    Notes
    -----
    ``repr`` and HTML show the report, never the rows: they may hold personal data.
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    report: ReadReport
    schema: Schema
    rows: npt.NDArray[np.int64] = field(repr=False)

    def __repr__(self) -> str:
        return str(self.report)

    def _repr_html_(self) -> str:
        return self.report._repr_html_()
