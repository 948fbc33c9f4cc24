"""Finds which column of a source stands for which column of a schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from crmkit.core.errors import SchemaProblem
from crmkit.records._schema import header_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.records._schema import Column, Schema

__all__ = ["Mapped", "map_headers"]


# A phone, a date, an amount or an e-mail address in a header means that the first row was taken for one.
_LIKE_A_VALUE = re.compile(r"@|[0-9]{5}|[0-9]{4}[-/.][0-9]{1,2}|^[-+]?[0-9.,]+$")


@dataclass
class Mapped:
    """What stands for what.

    Parameters
    ----------
    headers : dict of str to str
        From standard name to the source's header, in the schema's order.
    told : frozenset of str
        Standard names that the caller or a preset mapped; the others were found by their header.
    problems : list of SchemaProblem
        What keeps the table from being read.
    """

    headers: dict[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    problems: list[SchemaProblem] = field(default_factory=list)


def map_headers(
    schema: Schema,
    headers: Sequence[str],
    *,
    columns: Mapping[str, str | None] | None,
    preset: Mapping[str, Sequence[str]] | None,
    repeated: frozenset[str],
) -> Mapped:
    """Match headers to a schema: first as the caller says, then as the preset says, then by name and alias.

    Parameters
    ----------
    schema : Schema
        What is wanted.
    headers : sequence of str
        What the source has.
    columns : mapping of str to str or None
        From standard name to header; None as a header leaves that column unread.
    preset : mapping of str to sequence of str
        From standard name to the headers a platform writes, likeliest first.
    repeated : frozenset of str
        Headers that stand more than once in the source.

    Returns
    -------
    Mapped
        The match and every problem with it.
    """
    mapped = Mapped()
    columns = {} if columns is None else dict(columns)
    reversed_problem = _reversed(schema, headers, columns)
    if reversed_problem:
        mapped.problems.append(reversed_problem)
        return mapped
    found: dict[str, str] = _told(schema, headers, columns, mapped)
    by_key: dict[str, list[str]] = {}
    for header in headers:
        by_key.setdefault(header_key(header), []).append(header)
    for name, wanted in (preset or {}).items():
        fitting = [by_key[key][0] for key in map(header_key, wanted) if key in by_key]
        if name not in columns and fitting:
            found[name] = fitting[0]
    mapped.told = frozenset(found)
    _recognise(schema, by_key, found, leave=frozenset(columns), problems=mapped.problems)
    mapped.headers = {name: found[name] for name in schema.names if name in found}
    for name, header in mapped.headers.items():
        if header in repeated:
            mapped.problems.append(SchemaProblem(name, f"the header {header!r} stands more than once in the source"))
    mapped.problems.extend(_absent(schema, headers, mapped.headers, columns))
    return mapped


def _recognise(
    schema: Schema,
    by_key: Mapping[str, Sequence[str]],
    found: dict[str, str],
    *,
    leave: frozenset[str],
    problems: list[SchemaProblem],
) -> None:
    """Match what nobody named by standard name and alias; a header stands for one column at most."""
    taken = set(found.values())
    for column in schema:
        if column.name in found or column.name in leave:
            continue
        fitting = ([header for header in by_key.get(key, ()) if header not in taken] for key in column.keys)
        free = next((headers for headers in fitting if headers), [])
        if len(free) > 1:
            listed = ", ".join(map(repr, free))
            problems.append(SchemaProblem(column.name, f"the headers {listed} all fit it: say which in columns="))
        if free:
            found[column.name] = free[0]
            taken.add(free[0])


def _reversed(schema: Schema, headers: Sequence[str], columns: Mapping[str, str | None]) -> SchemaProblem | None:
    """Recognise a mapping written from header to standard name."""
    turned = {
        header: name
        for name, header in columns.items()
        if name not in schema and header is not None and header in schema and name in headers
    }
    if not turned or len(turned) < len(columns) / 2:
        return None
    right = ", ".join(f"{name!r}: {header!r}" for name, header in turned.items())
    return SchemaProblem(
        "columns", f"is reversed: it goes from the standard name to the source's header, so write {{{right}}}"
    )


def _told(schema: Schema, headers: Sequence[str], columns: Mapping[str, str | None], mapped: Mapped) -> dict[str, str]:
    """Take what the caller said, and note what does not exist."""
    found: dict[str, str] = {}
    by_key = {header_key(header): header for header in reversed(headers)}
    for name, header in columns.items():
        if name not in schema:
            near = get_close_matches(str(name), schema.names, n=1)
            hint = f"; nearest: {near[0]!r}" if near else ""
            mapped.problems.append(
                SchemaProblem(str(name), f"is no column of {schema.name}{hint}; it has: {', '.join(schema.names)}")
            )
        elif header is None:
            continue
        elif header in headers:
            found[name] = header
        elif header_key(header) in by_key:
            found[name] = by_key[header_key(header)]
        else:
            near = get_close_matches(str(header), headers, n=1)
            hint = f" (nearest: {near[0]!r})" if near else ""
            mapped.problems.append(
                SchemaProblem(name, f"columns names the header {header!r}, which the source does not have{hint}")
            )
    return found


def _absent(
    schema: Schema, headers: Sequence[str], found: Mapping[str, str], columns: Mapping[str, str | None]
) -> list[SchemaProblem]:
    """List the required columns that nothing stands for."""
    problems = []
    listed = list_headers(headers)
    for column in schema:
        if not column.required or column.name in found or columns.get(column.name) is not None:
            continue
        if column.product_of and all(factor in found for factor in column.product_of):
            continue
        problems.append(SchemaProblem(column.name, f"{_wanted(column)}; the source has: {listed}"))
    return problems


def list_headers(headers: Sequence[str]) -> str:
    """List what a source has, unless its first line looks like a row: that must not be shown."""
    if any(_LIKE_A_VALUE.search(header) for header in headers):
        return f"{len(headers)} columns whose names look like values (has the file a header line?)"
    return (", ".join(map(repr, headers[:30])) + (", …" if len(headers) > 30 else "")) or "no columns"


def _wanted(column: Column) -> str:
    """Say what would do for a missing column."""
    factors = " x ".join(column.product_of)
    instead = f", nor are {factors}" if factors else ""
    return f"is missing{instead}: map it with columns={{{column.name!r}: HEADER}}"
