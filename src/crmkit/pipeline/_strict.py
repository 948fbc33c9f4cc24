"""Builds dataclasses from what TOML gives, collecting every unknown key, missing key and wrong type."""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Problems", "build", "nearest"]

Where = tuple[str | int, ...]
_HINTS: Any = cache(get_type_hints)
_SAID: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class Problems:
    """What is wrong with a configuration, each with the place where it stands."""

    def __init__(self) -> None:
        self.found: list[tuple[Where, str]] = []
        self.blocking = 0

    def add(self, where: Where, message: str, *, blocks: bool = True) -> None:
        """Remember one problem, and whether the table around it can be built all the same."""
        self.found.append((where, message))
        self.blocking += blocks


def nearest(name: str, names: Sequence[str]) -> str:
    """Say which name was probably meant, or which there are."""
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(names)}" if names else "there are none"


def build(cls: type[Any], given: Any, where: Where, problems: Problems) -> Any:
    """Build a dataclass from a table.

    Parameters
    ----------
    cls : type
        A dataclass whose fields have types made of str, int, float, bool, Literal, Any, ``X | None``,
        ``tuple[X, ...]``, ``dict[str, X]`` and further dataclasses.
    given : object
        What TOML gave.
    where : tuple of str and int
        The path to it.
    problems : Problems
        Collects what is wrong.

    Returns
    -------
    object
        An instance, or None where a problem stands in its way.
    """
    if not isinstance(given, dict):
        problems.add(where, f"must be a table, got {_kind(given)}")
        return None
    known = {field.name: field for field in fields(cls)}
    for key in given:
        if key not in known:
            problems.add((*where, key), f"unknown key {key!r}; {nearest(key, list(known))}", blocks=False)
    hints = _HINTS(cls)
    values: dict[str, Any] = {}
    before = problems.blocking
    for name, field in known.items():
        if name in given:
            values[name] = _convert(hints[name], given[name], (*where, name), problems)
        elif field.default is MISSING and field.default_factory is MISSING:
            problems.add(where, f"the key {name!r} is missing")
    return cls(**values) if problems.blocking == before else None


def _convert(  # noqa: C901, PLR0911 -- one return a kind of type
    hint: Any, value: Any, where: Where, problems: Problems
) -> Any:
    """Bring one value to its type, or add a problem."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in {Union, types.UnionType}:
        return _convert_union(args, value, where, problems)
    if origin is Literal:
        if value in args and type(value) in {type(choice) for choice in args}:
            return value
        choices = [str(choice) for choice in args]
        problems.add(where, f"must be one of {', '.join(choices)}, got {_kind(value)}{_meant(value, choices)}")
        return None
    if origin is tuple:
        if isinstance(value, list):
            return tuple(_convert(args[0], item, (*where, place), problems) for place, item in enumerate(value))
        problems.add(where, f"must be a list of {_many(args[0])}, got {_kind(value)}")
        return None
    if origin is dict:
        if isinstance(value, dict):
            return {key: _convert(args[1], item, (*where, key), problems) for key, item in value.items()}
        problems.add(where, f"must be a table of {_many(args[1])}, got {_kind(value)}")
        return None
    if is_dataclass(hint):
        return build(hint, value, where, problems)  # type: ignore[arg-type]  # is_dataclass also allows instances
    if _fits(hint, value):
        return float(value) if hint is float else value.isoformat() if isinstance(value, date) else value
    problems.add(where, f"must be {_SAID[hint]}, got {_kind(value)}")
    return None


def _convert_union(args: tuple[Any, ...], value: Any, where: Where, problems: Problems) -> Any:
    """Take the first type of a union that fits; TOML has no null, so None never comes in."""
    kinds = [kind for kind in args if kind is not type(None)]
    if len(kinds) == 1:
        return _convert(kinds[0], value, where, problems)
    for kind in kinds:
        trial = Problems()
        converted = _convert(kind, value, where, trial)
        if not trial.found:
            return converted
    said = " or ".join(
        ", ".join(repr(choice) for choice in get_args(kind)) if get_origin(kind) is Literal else _SAID[kind]
        for kind in kinds
    )
    problems.add(where, f"must be {said}, got {_kind(value)}")
    return None


def _fits(kind: type, value: Any) -> bool:
    """Say whether a value is of a plain type; a date counts as text, a whole number as a number, a truth as neither."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is str:
        return isinstance(value, str | date)
    return isinstance(value, kind)


def _kind(value: Any) -> str:
    """Say what a value is, as TOML's readers call it."""
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, datetime | date):
        return "a date"
    names: dict[Any, str] = {dict: "a table", list: "a list"}
    return names.get(type(value), type(value).__name__)


def _many(kind: Any) -> str:
    """Name the items of a list or table."""
    if is_dataclass(kind):
        return "tables"
    names: dict[Any, str] = {str: "texts", int: "whole numbers", float: "numbers", bool: "truths"}
    return names.get(kind, "values")


def _meant(value: Any, choices: list[str]) -> str:
    """Add the choice that was probably meant."""
    close = get_close_matches(value, choices, n=1, cutoff=0.5) if isinstance(value, str) else []
    return f"; did you mean {close[0]!r}?" if close else ""
