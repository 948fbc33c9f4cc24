"""Finds the line of a TOML file in which a key stands, so that a complaint points at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["line_of", "lines"]

Path = tuple[str | int, ...]

_HEAD = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def lines(text: str) -> dict[Path, int]:
    """Give the line number of each table and each key of a TOML file.

    What stands inside an inline table, or inside a list over several lines, is not looked at: it is found by the key
    before it. Texts over several lines are skipped.

    Parameters
    ----------
    text : str
        The file.

    Returns
    -------
    dict of tuple to int
        Line numbers, counted from 1, by path; the tables of a list have their position in the path.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    fence = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if line.count(fence) % 2 else fence
            continue
        head, key = _HEAD.match(line), _KEY.match(line)
        if depth == 0 and head:
            name = tuple(part.strip("\"'") for part in _PART.findall(head.group(2)))
            table = _placed(name, counts, new=head.group(1) == "[[")
            found.setdefault(table, number)
        elif depth == 0 and key:
            path: Path = (*table, *(part.strip("\"'") for part in _PART.findall(key.group(1))))
            found.setdefault(path, number)
        for candidate in ('"""', "'''"):
            if line.count(candidate) % 2:
                fence = candidate
        bare = re.sub(r"""\"(?:[^"\\]|\\.)*\"|'[^']*'|#.*""", "", line)
        if not (depth == 0 and head):
            depth = max(0, depth + sum(bare.count(left) for left in "[{") - sum(bare.count(right) for right in "]}"))
    return found


def _placed(name: tuple[str, ...], counts: dict[Path, int], *, new: bool) -> Path:
    """Put the positions of lists of tables into a header's path."""
    path: Path = ()
    for place, part in enumerate(name):
        path = (*path, part)
        if new and place == len(name) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(path: Path, found: Mapping[Path, int]) -> int | None:
    """Give the line of a path, or of the nearest thing around it; None for the file as a whole."""
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return None
