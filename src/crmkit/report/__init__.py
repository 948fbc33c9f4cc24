"""Shows what was found: pictures, tables, and one HTML file that carries them all."""

from __future__ import annotations

from crmkit.pictures import Picture, bars, curve, heat_map, intervals
from crmkit.report._section import Note
from crmkit.report._write import write_report

__all__ = ["Note", "Picture", "bars", "curve", "heat_map", "intervals", "write_report"]
