"""Finds plugins through entry points, contains the broken ones, and creates what is asked for by name."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

from crmkit.core.errors import (
    AmbiguousPluginError,
    MissingExtraError,
    PluginError,
    PluginLoadError,
    PluginVersionError,
    PluginWarning,
    UnknownPluginError,
)
from crmkit.core.spec import API, ENTRY_POINT_GROUP, PluginSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "Description",
    "Failure",
    "available",
    "create",
    "describe",
    "failures",
    "load_target",
    "missing_extra",
    "refresh",
    "require_extra",
    "spec_of",
]

HOME = "crmkit"


@dataclass(frozen=True)
class Failure:
    """One plugin, or one distribution's list of plugins, that did not load.

    Parameters
    ----------
    distribution : str
        The distribution that brought it.
    entry : str
        The entry point's value, or ``kind:name`` of a single spec.
    error : Exception
        Its own error.
    """

    distribution: str
    entry: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.distribution} ({self.entry}): {type(self.error).__name__}: {self.error}"


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


@dataclass(frozen=True)
class _Entry:
    """A spec with the distribution that brought it."""

    spec: PluginSpec
    distribution: str


class _Scan:
    """The outcome of one look at all entry points."""

    def __init__(self) -> None:
        self.specs: dict[tuple[str, str], list[_Entry]] = {}
        self.failures: list[Failure] = []

    def fail(self, distribution: str, entry: str, error: Exception) -> None:
        """Remember a failure and warn of it once, here."""
        failure = Failure(distribution, entry, error)
        self.failures.append(failure)
        warnings.warn(f"a plugin did not load and is left out: {failure}", PluginWarning, stacklevel=2)

    def add(self, spec: PluginSpec, distribution: str) -> None:
        """Enter a spec under its bare name; who wins a clash is decided when all are in."""
        self.specs.setdefault((spec.kind, spec.name), []).append(_Entry(spec, distribution))

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


def _read_entry_point(scan: _Scan, distribution: str, value: str, load: Callable[[], Any]) -> None:
    """Take in one distribution's list, whatever is wrong with it."""
    try:
        specs = load()
        if isinstance(specs, PluginSpec):
            specs = (specs,)
        specs = tuple(specs)
    except Exception as error:  # noqa: BLE001 -- whatever a plugin raises must not break the host
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


def _entry_points() -> Iterable[tuple[str, str, Callable[[], Any]]]:
    """Give distribution, value and loader of each entry point, built-ins first, then by name."""
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = point.dist.name if point.dist is not None else "unknown"
        found.append((distribution, point.value, point.load))
    return sorted(set(found), key=lambda item: (item[0] != HOME, item[0], item[1]))


class Registry:
    """The plugins of this interpreter, scanned once on first use."""

    def __init__(
        self, entry_points: Callable[[], Iterable[tuple[str, str, Callable[[], Any]]]] = _entry_points
    ) -> None:
        self._entry_points = entry_points
        self._lock = threading.RLock()
        self._scanned: _Scan | None = None

    def scan(self) -> _Scan:
        """Give the cached scan, making it on first use."""
        with self._lock:
            if self._scanned is None:
                scan = _Scan()
                for distribution, value, load in self._entry_points():
                    _read_entry_point(scan, distribution, value, load)
                scan.settle()
                self._scanned = scan
            return self._scanned

    def refresh(self) -> None:
        """Drop the cached scan."""
        with self._lock:
            self._scanned = None

    def listing(self, kind: str) -> dict[str, _Entry]:
        """Give each plugin of a kind under the one name it is listed by."""
        listed: dict[str, _Entry] = {}
        for (entry_kind, name), entries in self.scan().specs.items():
            if entry_kind != kind:
                continue
            bare = entries[0].distribution == HOME or len(entries) == 1
            for position, entry in enumerate(entries):
                listed[name if bare and position == 0 else f"{entry.distribution}:{name}"] = entry
        return listed

    def find(self, kind: str, name: str) -> _Entry:
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

    def load(self, entry: _Entry) -> Any:
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


def load_target(spec: PluginSpec, distribution: str = HOME) -> Any:
    """Import what a spec points at.

    Parameters
    ----------
    spec : PluginSpec
        The plugin.
    distribution : str, default="crmkit"
        Who brought it, for the message.

    Returns
    -------
    type or callable
        The class or function.

    Raises
    ------
    PluginVersionError
        If it was written for another plugin interface.
    MissingExtraError
        If a declared requirement is not installed.
    PluginLoadError
        If importing it raises anything else.
    """
    label = f"{spec.kind} {spec.name!r} of {distribution}"
    if spec.api != API:
        needed = "a newer crmkit" if spec.api > API else "a newer release of the plugin"
        raise PluginVersionError(f"{label} speaks plugin api {spec.api} and this crmkit api {API}: it needs {needed}")
    try:
        # An algorithm may import its requirement only inside the function that needs it, so ask for it here.
        for requirement in spec.requires:
            import_module(requirement)
        target: Any = import_module(spec.module)
        for part in spec.attribute.split("."):
            target = getattr(target, part)
    except ModuleNotFoundError as error:
        if error.name is not None and _declared(error.name, spec.requires):
            raise missing_extra(error.name, label, distribution, spec.extra) from error
        raise PluginLoadError(f"{label} could not be imported: {error}") from error
    except Exception as error:
        raise PluginLoadError(f"{label} could not be imported: {type(error).__name__}: {error}") from error
    if not callable(target):
        raise PluginLoadError(f"{label} points at {spec.target}, which is not a class or function")
    return target


def _declared(module: str, requires: Iterable[str]) -> bool:
    """Say whether a module that was not found belongs to a declared requirement."""
    return any(module == name or module.startswith(f"{name}.") or name.startswith(f"{module}.") for name in requires)


def missing_extra(module: str, label: str, distribution: str = HOME, extra: str | None = None) -> MissingExtraError:
    """Build the error that names the exact command.

    Parameters
    ----------
    module : str
        The import name that was not found.
    label : str
        Who needs it, as the start of a sentence.
    distribution : str, default="crmkit"
        The distribution whose extra installs it.
    extra : str or None, default=None
        The extra; where None, the module's own name is what to install.

    Returns
    -------
    MissingExtraError
        To be raised from the original error.
    """
    wanted = f"{distribution}[{extra}]" if extra else module.partition(".")[0]
    return MissingExtraError(f"{label} needs {module!r}, which is not installed: pip install '{wanted}'", name=module)


def require_extra(module: str, extra: str, purpose: str) -> Any:
    """Import an optional requirement of crmkit itself inside the function that needs it.

    Parameters
    ----------
    module : str
        The import name, for example ``"pyarrow"``.
    extra : str
        The extra of crmkit that installs it.
    purpose : str
        Who needs it, as the start of a sentence: ``"reading Parquet"``.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtraError
        With the exact ``pip install``, only where that very module is not installed.

    Examples
    --------
    >>> from crmkit.core.registry import require_extra
    >>> require_extra("json", "io", "saving").dumps([])
    '[]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and _declared(error.name, (module,)):
            raise missing_extra(error.name, purpose, HOME, extra) from error
        raise


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
    if isinstance(target, type):
        return target(**merged)
    return partial(target, **merged)


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
