"""Which headers the exports of common platforms have: data files, in the box or of your own."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import ConfigError
from crmkit.records._schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crmkit.records._schema import Schema

__all__ = ["Preset", "load_preset", "presets"]

FOLDER_VARIABLE = "CRMKIT_PRESETS"
_KEYS = {
    "schema": str,
    "platform": str,
    "summary": str,
    "source": list,
    "columns": dict,
}


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The headers of one export of one platform.

    Parameters
    ----------
    name : str
        Its file's name without the ending.
    schema : str
        The schema it is for.
    platform : str
        Who writes the export.
    summary : str
        Which export, and what to know about it.
    source : tuple of str
        Where the headers were seen.
    columns : mapping of str to tuple of str
        From standard name to headers, likeliest first.
    """

    name: str
    schema: str
    platform: str
    summary: str
    source: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


def presets(folder: str | Path | None = None) -> tuple[Preset, ...]:
    """List the presets in the box, and those of a folder.

    Parameters
    ----------
    folder : str or path, default=None
        A folder of ``*.toml`` files; None for the one that the environment variable ``CRMKIT_PRESETS`` names.

    Returns
    -------
    tuple of Preset
        By name; a preset of the folder takes the place of one in the box with the same name.

    Raises
    ------
    ConfigError
        If a file is no preset.

    Examples
    --------
    >>> from crmkit import records
    >>> "shopify-orders" in [preset.name for preset in records.presets()]
    True
    """
    found = {}
    for path in _files(folder):
        preset = _parse(path)
        found[preset.name] = preset
    return tuple(found[name] for name in sorted(found))


def load_preset(preset: str | Path, schema: Schema) -> Preset:
    """Load one preset by name or path and check that it is for a schema.

    Raises
    ------
    ConfigError
        If there is none of that name, the file is no preset, or it is for another schema.
    """
    if isinstance(preset, Path) or preset.endswith(".toml"):
        path = Path(preset)
        if not path.is_file():
            raise ConfigError(f"there is no preset file {path}")
        loaded = _parse(path)
    else:
        known = {each.name: each for each in presets()}
        if preset not in known:
            near = get_close_matches(preset, known, n=1)
            hint = f"; nearest: {near[0]!r}" if near else ""
            raise ConfigError(f"there is no preset {preset!r}{hint}; there are: {', '.join(known)}")
        loaded = known[preset]
    if loaded.schema != schema.name:
        raise ConfigError(f"preset {loaded.name!r} is for {loaded.schema}, not for {schema.name}")
    return loaded


def _files(folder: str | Path | None) -> Iterator[Any]:
    """Give the files in the box, then those of the folder."""
    box = files("crmkit.records") / "presets"
    yield from sorted((path for path in box.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)
    folder = folder if folder is not None else os.environ.get(FOLDER_VARIABLE)
    if folder:
        if not Path(folder).is_dir():
            raise ConfigError(f"there is no folder of presets {folder} (told by {FOLDER_VARIABLE} or folder=)")
        yield from sorted(Path(folder).glob("*.toml"))


def _parse(path: Any) -> Preset:
    """Read one file, refusing whatever it should not say."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"preset {path.name} is not TOML in UTF-8: {error}") from error
    for key, value in content.items():
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f"; nearest: {near[0]!r}" if near else ""
            raise ConfigError(f"preset {path.name}: unknown key {key!r}{hint}; a preset has {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise ConfigError(f"preset {path.name}: {key} must be of type {_KEYS[key].__name__}")
    missing = [key for key in _KEYS if not content.get(key)]
    if missing:
        raise ConfigError(f"preset {path.name} lacks {', '.join(missing)}")
    if content["schema"] not in SCHEMAS:
        raise ConfigError(f"preset {path.name}: schema must be one of {', '.join(SCHEMAS)}")
    schema = SCHEMAS[content["schema"]]
    columns: dict[str, tuple[str, ...]] = {}
    for name, headers in content["columns"].items():
        if name not in schema:
            near = get_close_matches(name, schema.names, n=1)
            hint = f"; nearest: {near[0]!r}" if near else ""
            raise ConfigError(f"preset {path.name}: {schema.name} has no column {name!r}{hint}")
        listed = [headers] if isinstance(headers, str) else headers
        if not isinstance(listed, list) or not listed or not all(isinstance(header, str) for header in listed):
            raise ConfigError(f"preset {path.name}: {name} must be a header or a list of headers")
        columns[name] = tuple(listed)
    return Preset(
        name=path.name.removesuffix(".toml"),
        schema=schema.name,
        platform=content["platform"],
        summary=content["summary"],
        source=tuple(content["source"]),
        columns=columns,
    )
