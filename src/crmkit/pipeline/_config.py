"""Reads a configuration strictly: one error tells every problem and the line it stands in."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmkit.core.errors import ConfigError
from crmkit.pipeline._checks import check
from crmkit.pipeline._lines import line_of, lines
from crmkit.pipeline._schema import Config
from crmkit.pipeline._strict import Problems, build

__all__ = ["Located", "load_config"]


@dataclass(frozen=True)
class Located:
    """A configuration and the folders that its relative paths mean.

    Parameters
    ----------
    config : Config
        What is to be done.
    home : Path
        The folder of the configuration file; the current one where it was a mapping.
    data : Path
        The folder of relative sources.
    name : str
        The file's name without its ending, for titles and folders.
    """

    config: Config
    home: Path
    data: Path
    name: str


def load_config(source: str | Path | Mapping[str, Any], *, data: str | Path | None = None) -> Located:
    """Read and check a configuration.

    Parameters
    ----------
    source : str, Path or mapping
        A TOML file, or what one would hold.
    data : str, Path or None
        The folder of relative sources, instead of what the configuration says.

    Returns
    -------
    Located
        The configuration and its folders.

    Raises
    ------
    ConfigError
        If there is no such file, it is no TOML, or anything in it is unknown, missing, of a wrong type or out of
        range; one error tells every problem, with its line.
    """
    text, label = "", "the configuration"
    home, name = Path.cwd(), "crmkit"
    if isinstance(source, Mapping):
        given: Any = dict(source)
    else:
        path = Path(source)
        label = str(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
            given = tomllib.loads(text)
        except FileNotFoundError:
            raise ConfigError(f"there is no configuration {path}") from None
        except IsADirectoryError:
            raise ConfigError(f"{path} is a folder, not a configuration") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path} is not UTF-8 text") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path} is not TOML: {error}") from None
        home, name = path.resolve().parent, path.stem
    problems = Problems()
    config = build(Config, given, (), problems)
    if config is not None:
        check(config, given, problems)
        folder = Path(data).resolve() if data is not None else _data_folder(config, home, problems)
        if not problems.found and not folder.is_dir():
            problems.add(("data",), f"there is no folder {folder}")
        if not problems.found:
            return Located(config, home, folder, name)
    raise ConfigError(_message(label, text, problems))


def _data_folder(config: Config, home: Path, problems: Problems) -> Path:
    """Resolve the folder of sources, with names from the environment put in."""
    if config.data is None:
        return home

    def look_up(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name not in os.environ:
            problems.add(("data",), f"the environment has no {name}; set it, or give the folder with --data")
        return os.environ.get(name, "")

    # What comes from the environment is relative to where the command runs, what is written to the configuration.
    text = re.sub(r"\$(?:(\w+)|\{(\w+)\})", look_up, config.data)
    return Path(text).resolve() if config.data.startswith("$") else (home / text).resolve()


def _message(label: str, text: str, problems: Problems) -> str:
    """Write every problem on a line of its own, in the order of the file."""
    found = lines(text)
    told = []
    for where, problem in problems.found:
        line = line_of(where, found) if text else None
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
        at = f"line {line}: " if line is not None else ""
        told.append((line or 0, f"  - {at}{path + ': ' if path else ''}{problem}"))
    count = f"{len(told)} problems" if len(told) > 1 else "a problem"
    # A stable sort keeps the order in which problems of one line were found.
    return "\n".join([f"{label} has {count}:", *(line for _, line in sorted(told, key=lambda item: item[0]))])
