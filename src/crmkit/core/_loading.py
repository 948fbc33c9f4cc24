"""Imports what a spec points at, and says exactly what to install where something is missing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import MissingExtraError, PluginLoadError, PluginVersionError
from crmkit.core.spec import API

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit.core.spec import PluginSpec

__all__ = ["HOME", "load_target", "missing_extra", "require_extra"]

HOME = "crmkit"
"""The distribution whose plugins keep their bare names."""


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
    except (Exception, SystemExit) as error:
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
