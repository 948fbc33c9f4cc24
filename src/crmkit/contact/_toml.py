"""Reads a strategy from TOML, strictly."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.contact._quiet import QuietHours
from crmkit.contact._terms import Channel, Limit
from crmkit.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["read_toml"]

_TABLES = {"timezone": str, "purpose": str, "channels": dict, "rules": list, "limits": list, "quiet": list}


def read_toml(path: str | Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Give the rules of a strategy file, and what else Strategy takes.

    Raises
    ------
    ConfigError
        If the file is not there or not TOML, a key is unknown, or an entry is malformed.
    """
    source = Path(path)
    try:
        read = tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{source.name} cannot be read as TOML: {error}") from None
    strange = sorted(set(read) - set(_TABLES))
    if strange:
        raise ConfigError(f"{source.name} has unknown keys {', '.join(strange)}; it may hold {', '.join(_TABLES)}")
    for name, kind in _TABLES.items():
        if name in read and not isinstance(read[name], kind):
            raise ConfigError(f"{source.name}: {name} must be a {kind.__name__}, got {type(read[name]).__name__}")
    for name in ("rules", "channels"):
        if not read.get(name):
            raise ConfigError(f"{source.name} needs [[rules]] and [channels.NAME] tables; it has no {name}")
    for name in ("limits", "quiet"):
        if not all(isinstance(entry, dict) for entry in read.get(name, [])):
            raise ConfigError(f"{source.name}: write each of {name} as a table, [[{name}]]")
    channels = [
        _made(Channel, {"name": name} | _table(entry, source, f"channels.{name}"), f"{source.name}: [channels.{name}]")
        for name, entry in read["channels"].items()
    ]
    limits = [_made(Limit, entry, f"{source.name}: [[limits]]") for entry in read.get("limits", [])]
    quiet = [_made(QuietHours, entry, f"{source.name}: [[quiet]]") for entry in read.get("quiet", [])]
    rest: dict[str, Any] = {name: read[name] for name in ("timezone", "purpose") if name in read}
    return read["rules"], {"channels": channels, "limits": limits, "quiet": quiet, **rest}


def _table(entry: Any, source: Path, name: str) -> dict[str, Any]:
    """Refuse what is not a table."""
    if not isinstance(entry, dict):
        raise ConfigError(f"{source.name}: write [{name}] as a table")
    return entry


def _made(kind: Callable[..., Any], entry: Mapping[str, Any], where: str) -> Any:
    """Make a term of what the file says, in the file's words where it is wrong."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type] # the terms are dataclasses
    strange = sorted(set(entry) - set(known))
    if strange:
        raise ConfigError(f"{where} has unknown keys {', '.join(strange)}; it may hold {', '.join(known)}")
    try:
        return kind(**entry)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from None
