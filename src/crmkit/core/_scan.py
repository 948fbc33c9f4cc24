"""One look at all entry points: every plugin that is offered, and what did not load."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmkit.core._loading import HOME
from crmkit.core.errors import PluginWarning
from crmkit.core.spec import ENTRY_POINT_GROUP, PluginSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Entry", "Failure", "Scan", "entry_points_of_group", "read_entry_point"]


@dataclass(frozen=True)
class Failure:
    """One plugin, or one distribution's list of plugins, that did not load.

    Parameters
    ----------
    distribution : str
        The distribution that brought it.
    entry : str
        The entry point's value, or ``kind:name`` of a single spec.
    error : BaseException
        Its own error; also SystemExit, where it tried to end the process.
    """

    distribution: str
    entry: str
    error: BaseException

    def __str__(self) -> str:
        return f"{self.distribution} ({self.entry}): {type(self.error).__name__}: {self.error}"


@dataclass(frozen=True)
class Entry:
    """A spec with the distribution that brought it."""

    spec: PluginSpec
    distribution: str


class Scan:
    """The outcome of one look at all entry points."""

    def __init__(self) -> None:
        self.specs: dict[tuple[str, str], list[Entry]] = {}
        self.failures: list[Failure] = []

    def fail(self, distribution: str, entry: str, error: BaseException) -> None:
        """Remember a failure and warn of it once, here."""
        failure = Failure(distribution, entry, error)
        self.failures.append(failure)
        warnings.warn(f"a plugin did not load and is left out: {failure}", PluginWarning, stacklevel=2)

    def add(self, spec: PluginSpec, distribution: str) -> None:
        """Enter a spec under its bare name; who wins a clash is decided when all are in."""
        self.specs.setdefault((spec.kind, spec.name), []).append(Entry(spec, distribution))

    def settle(self) -> None:
        """Let built-ins keep their bare names and warn of every name that is taken."""
        for (kind, name), entries in self.specs.items():
            if len(entries) == 1:
                continue
            entries.sort(key=lambda entry: (entry.distribution != HOME, entry.distribution))
            if entries[0].distribution == HOME:
                outsiders = ", ".join(f"{entry.distribution}:{name}" for entry in entries[1:])
                warnings.warn(
                    f"{kind} {name!r} is built in and keeps its name; the other is {outsiders}",
                    PluginWarning,
                    stacklevel=2,
                )


def read_entry_point(scan: Scan, distribution: str, value: str, load: Callable[[], Any]) -> None:
    """Take in one distribution's list, whatever is wrong with it."""
    try:
        specs = load()
        if isinstance(specs, PluginSpec):
            specs = (specs,)
        specs = tuple(specs)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a plugin raises must not break the host
        scan.fail(distribution, value, error)
        return
    seen: set[tuple[str, str]] = set()
    for spec in specs:
        if not isinstance(spec, PluginSpec):
            scan.fail(distribution, value, TypeError(f"{value} must hold PluginSpec only, got {type(spec).__name__}"))
        elif (spec.kind, spec.name) in seen:
            scan.fail(
                distribution, f"{spec.kind}:{spec.name}", ValueError(f"{spec.kind} {spec.name!r} is listed twice")
            )
        else:
            seen.add((spec.kind, spec.name))
            scan.add(spec, distribution)


def entry_points_of_group() -> Iterable[tuple[str, str, Callable[[], Any]]]:
    """Give distribution, value and loader of each entry point, built-ins first, then by name."""
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = point.dist.name if point.dist is not None else "unknown"
        found.append((distribution, point.value, point.load))
    return sorted(set(found), key=lambda item: (item[0] != HOME, item[0], item[1]))
