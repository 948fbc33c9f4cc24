"""Finds plugins by name and creates them: available, create, describe, failures, refresh."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from crmkit.core._loading import HOME, load_target, missing_extra, require_extra
from crmkit.core._scan import Entry, Failure, Scan, entry_points_of_group, read_entry_point
from crmkit.core.errors import AmbiguousPluginError, PluginError, UnknownPluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crmkit.core.spec import PluginSpec

__all__ = [
    "HOME",
    "Description",
    "Failure",
    "available",
    "create",
    "describe",
    "distribution_of",
    "failures",
    "load_target",
    "missing_extra",
    "refresh",
    "require_extra",
    "spec_of",
]


@dataclass(frozen=True)
class Description:
    """What ``describe`` gives: the spec, the parameters with their defaults, and the documentation.

    Parameters
    ----------
    spec : PluginSpec
        The plugin's spec.
    distribution : str
        The distribution that brought it.
    parameters : mapping of str to object
        Each parameter's default as ``create`` would pass it.
    doc : str
        The docstring of the class or function.
    """

    spec: PluginSpec
    distribution: str
    parameters: Mapping[str, Any]
    doc: str

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        head = f"{self.spec.kind} {self.spec.name!r} of {self.distribution}: {self.spec.summary}"
        return f"{head}\n  parameters: {given}\n\n{self.doc}"


class Registry:
    """The plugins of this interpreter, scanned once on first use."""

    def __init__(
        self, entry_points: Callable[[], Iterable[tuple[str, str, Callable[[], Any]]]] = entry_points_of_group
    ) -> None:
        self._entry_points = entry_points
        self._lock = threading.RLock()
        self._scanned: Scan | None = None

    def scan(self) -> Scan:
        """Give the cached scan, making it on first use."""
        with self._lock:
            if self._scanned is None:
                scan = Scan()
                for distribution, value, load in self._entry_points():
                    read_entry_point(scan, distribution, value, load)
                scan.settle()
                self._scanned = scan
            return self._scanned

    def refresh(self) -> None:
        """Drop the cached scan."""
        with self._lock:
            self._scanned = None

    def listing(self, kind: str) -> dict[str, Entry]:
        """Give each plugin of a kind under the one name it is listed by."""
        listed: dict[str, Entry] = {}
        for (entry_kind, name), entries in self.scan().specs.items():
            if entry_kind != kind:
                continue
            bare = entries[0].distribution == HOME or len(entries) == 1
            for position, entry in enumerate(entries):
                listed[name if bare and position == 0 else f"{entry.distribution}:{name}"] = entry
        return listed

    def find(self, kind: str, name: str) -> Entry:
        """Give the one entry of that kind and name, or say what is wrong."""
        distribution, colon, bare = str(name).rpartition(":")
        entries = self.scan().specs.get((kind, bare), [])
        if colon:
            entries = [entry for entry in entries if entry.distribution == distribution]
        elif entries and entries[0].distribution == HOME:
            entries = entries[:1]
        if not entries:
            raise self.unknown(kind, name)
        if len(entries) > 1:
            choices = " or ".join(f"'{entry.distribution}:{name}'" for entry in entries)
            raise AmbiguousPluginError(f"{kind} {name!r} is offered by more than one distribution: ask for {choices}")
        return entries[0]

    def load(self, entry: Entry) -> Any:
        """Import an entry's target, remembering the failure of a plugin that cannot be imported."""
        try:
            return load_target(entry.spec, entry.distribution)
        except PluginError as error:
            name = f"{entry.spec.kind}:{entry.spec.name}"
            known = self.scan().failures
            if not any(failure.entry == name and failure.distribution == entry.distribution for failure in known):
                known.append(Failure(entry.distribution, name, error))
            raise

    def unknown(self, kind: str, name: str) -> UnknownPluginError:
        """Build the error for a kind or name that nobody offers, chained to what a broken distribution raised."""
        from difflib import get_close_matches

        scan = self.scan()
        kinds = sorted({entry_kind for entry_kind, _ in scan.specs})
        what, asked, names = (
            (f"{kind}", name, sorted(self.listing(kind))) if kind in kinds else ("plugin kind", kind, kinds)
        )
        nearest = get_close_matches(str(asked), names, n=3, cutoff=0.5)
        message = f"no {what} {asked!r}"
        if nearest:
            message += f"; nearest: {', '.join(nearest)}"
        message += f"; there are: {', '.join(names) or 'none'}"
        broken = [
            failure
            for failure in scan.failures
            if ":" not in failure.entry or failure.entry.partition(":")[0] not in kinds
        ]
        if broken:
            listed = ", ".join(sorted({failure.distribution for failure in broken}))
            message += f"; what {listed} offers did not load, see crmkit.failures()"
        error = UnknownPluginError(message)
        if broken:
            error.__cause__ = broken[0].error
        return error


_REGISTRY = Registry()


@overload
def available(kind: None = None, *, tags: Iterable[str] = ()) -> tuple[PluginSpec, ...]: ...
@overload
def available(kind: str, *, tags: Iterable[str] = ()) -> tuple[str, ...]: ...
def available(kind: str | None = None, *, tags: Iterable[str] = ()) -> tuple[str, ...] | tuple[PluginSpec, ...]:
    """List what can be created, without importing any of it.

    Parameters
    ----------
    kind : str or None, default=None
        A kind such as ``"segmenter"``; None for all kinds.
    tags : iterable of str, default=()
        Keep only plugins that carry all of these tags.

    Returns
    -------
    tuple of str, or tuple of PluginSpec where kind is None
        Names in alphabetical order; specs in the order of kind and name. An outsider whose name is taken is listed as
        ``distribution:name``.

    Raises
    ------
    UnknownPluginError
        If no plugin is of that kind.

    Examples
    --------
    >>> import crmkit
    >>> "kmeans" in crmkit.available("segmenter")
    True
    >>> all("inductive" in spec.tags for spec in crmkit.available(tags={"inductive"}))
    True
    """
    wanted = {tags} if isinstance(tags, str) else set(tags)
    if kind is None:
        ordered = sorted(_REGISTRY.scan().specs.items())
        return tuple(entry.spec for _, entries in ordered for entry in entries if wanted <= entry.spec.tags)
    listed = _REGISTRY.listing(kind)
    if not listed:
        raise _REGISTRY.unknown(kind, "")
    return tuple(sorted(name for name, entry in listed.items() if wanted <= entry.spec.tags))


def create(kind: str, name: str, /, **params: Any) -> Any:
    """Import one algorithm and make it.

    Parameters
    ----------
    kind : str
        Its kind, such as ``"segmenter"``.
    name : str
        Its name, or ``"distribution:name"``.
    **params : object
        Its parameters; they win over the spec's defaults.

    Returns
    -------
    object
        An instance, or a ``functools.partial`` where the target is a function.

    Raises
    ------
    UnknownPluginError, AmbiguousPluginError, PluginVersionError, MissingExtraError, PluginLoadError
        Each with a message that says what to do next.
    TypeError
        If the algorithm has no such parameter.

    Examples
    --------
    >>> import crmkit
    >>> crmkit.create("segmenter", "kmeans", n_clusters=3, random_state=0).n_clusters
    3
    """
    entry = _REGISTRY.find(kind, name)
    target = _REGISTRY.load(entry)
    merged = {**entry.spec.defaults, **params}
    _check_parameters(target, merged, f"{kind} {name!r}")
    return target(**merged) if isinstance(target, type) else partial(target, **merged)


def _check_parameters(target: Any, given: Mapping[str, Any], label: str) -> None:
    """Refuse a parameter that the plugin does not have, by the plugin's name."""
    import inspect
    from difflib import get_close_matches

    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # a built-in without a signature
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    unknown = [name for name in given if name not in parameters]
    if unknown:
        near = get_close_matches(unknown[0], list(parameters), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise TypeError(f"{label} has no parameter {unknown[0]!r}{hint}; it has: {', '.join(parameters)}")


def describe(kind: str, name: str) -> Description:
    """Give the spec, parameters and documentation of one algorithm; this imports it.

    Parameters
    ----------
    kind : str
        Its kind.
    name : str
        Its name, or ``"distribution:name"``.

    Returns
    -------
    Description
        ``spec``, ``distribution``, ``parameters`` and ``doc``; it prints well.

    Raises
    ------
    PluginError
        As for ``create``.

    Examples
    --------
    >>> import crmkit
    >>> crmkit.describe("segmenter", "kmeans").parameters["n_init"]
    10
    """
    import inspect

    entry = _REGISTRY.find(kind, name)
    target = _REGISTRY.load(entry)
    parameters: dict[str, Any] = {}
    for parameter in inspect.signature(target).parameters.values():
        if parameter.kind in {parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            default = entry.spec.defaults.get(parameter.name, parameter.default)
            if default is not inspect.Parameter.empty:
                parameters[parameter.name] = default
    return Description(entry.spec, entry.distribution, parameters, inspect.getdoc(target) or "")


def spec_of(kind: str, name: str) -> PluginSpec:
    """Give the spec of one algorithm without importing it.

    Parameters
    ----------
    kind : str
        Its kind.
    name : str
        Its name, or ``"distribution:name"``.

    Returns
    -------
    PluginSpec
        The spec.

    Raises
    ------
    UnknownPluginError, AmbiguousPluginError
        If there is no such plugin, or more than one.
    """
    return _REGISTRY.find(kind, name).spec


def distribution_of(spec: PluginSpec) -> str:
    """Give the distribution that brought a spec.

    Parameters
    ----------
    spec : PluginSpec
        The spec.

    Returns
    -------
    str
        Its name; ``"your distribution"`` where the spec is not installed.
    """
    entries = _REGISTRY.scan().specs.get((spec.kind, spec.name), [])
    return next((entry.distribution for entry in entries if entry.spec == spec), "your distribution")


def failures() -> tuple[Failure, ...]:
    """List what did not load, as data.

    Returns
    -------
    tuple of Failure
        Each with ``distribution``, ``entry`` and ``error``.

    Examples
    --------
    >>> import crmkit
    >>> [str(failure) for failure in crmkit.failures()]
    []
    """
    return tuple(_REGISTRY.scan().failures)


def refresh() -> None:
    """Forget the scan, so that the next use sees what was installed or removed since.

    Examples
    --------
    >>> import crmkit
    >>> crmkit.refresh()
    """
    import importlib

    importlib.invalidate_caches()
    _REGISTRY.refresh()
