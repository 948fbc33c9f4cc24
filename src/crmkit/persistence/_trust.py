"""Which classes and functions a saved file may name: those of crmkit, scikit-learn, and plugins the caller names."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import PersistenceError
from crmkit.core.registry import available

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Trust", "home", "may_be_saved", "reference", "stands_anew"]

_HOME = frozenset({"crmkit", "sklearn"})
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", re.ASCII)


def reference(obj: Any) -> str:
    """Give the ``module:qualname`` of a class or function.

    Parameters
    ----------
    obj : type or function
        What is meant.

    Returns
    -------
    str
        Its address.
    """
    module = getattr(obj, "__module__", None)
    name = getattr(obj, "__qualname__", type(obj).__qualname__)
    return f"{module}:{name}"


def may_be_saved(obj: Any) -> bool:
    """Say whether a class or function can be found again by its address: it stands in an importable place at home.

    Parameters
    ----------
    obj : type or function
        What is meant.

    Returns
    -------
    bool
        False for lambdas, local and interactive definitions, and for whatever belongs to no installed plugin.
    """
    return _at_home(obj) is obj


def stands_anew(kind: type) -> bool:
    """Say whether another class stands where this one was defined, as after its module was loaded again.

    Parameters
    ----------
    kind : type
        What is meant.

    Returns
    -------
    bool
        False where nothing stands there.
    """
    found = _at_home(kind)
    return found is not None and found is not kind


def _at_home(obj: Any) -> Any:
    """Give what stands at the address of a class or function, None where that is no importable place at home."""
    address = reference(obj)
    if not _REFERENCE.match(address):
        return None
    root = address.partition(":")[0].partition(".")[0]
    if root not in _HOME and root not in _plugin_packages():
        return None
    try:
        return _resolve(address)
    except (ImportError, AttributeError):
        return None


def home(address: str) -> str:
    """Give the address where a class or function is defined, from one by which the caller knows it.

    Parameters
    ----------
    address : str
        ``module:qualname``, from the caller, never from a file: the module is imported.

    Returns
    -------
    str
        The same where nothing is found there.
    """
    try:
        return reference(_resolve(address))
    except (ImportError, AttributeError):
        return address


def _resolve(address: str) -> Any:
    """Import what an address points at."""
    module, _, name = address.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _plugin_targets() -> frozenset[str]:
    """Give the targets of all installed plugins, without importing them."""
    return frozenset(spec.target for spec in available())


@lru_cache(maxsize=8)
def _roots(targets: frozenset[str]) -> frozenset[str]:
    """Give the top-level packages of targets."""
    return frozenset(target.partition(":")[0].partition(".")[0] for target in targets)


def _plugin_packages() -> frozenset[str]:
    """Give the top-level packages in which installed plugins stand."""
    return _roots(_plugin_targets())


class Trust:
    """What one call of ``load`` may import.

    Parameters
    ----------
    trusted : iterable of str
        Targets ``module:Class`` of installed plugins, or top-level packages that hold such a target.

    Raises
    ------
    PersistenceError
        If a name is neither, so that a name from the file itself cannot be passed on unseen.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        names = (trusted,) if isinstance(trusted, str) else tuple(trusted)
        targets, packages = _plugin_targets(), _plugin_packages()
        unknown = [name for name in names if name not in targets and name not in packages]
        if unknown:
            raise PersistenceError(
                f"trusted names {', '.join(map(repr, unknown))}, which no installed plugin has: give the target "
                "'module:Class' of a plugin, or its top-level package"
            )
        # A target may name a class by a public address; the file names it where it is defined.
        self.targets = frozenset(home(name) for name in names if ":" in name)
        self.packages = _HOME | {name for name in names if ":" not in name}

    def allows(self, address: str) -> bool:
        """Say whether an address may be imported."""
        root = address.partition(":")[0].partition(".")[0]
        return bool(_REFERENCE.match(address)) and (root in self.packages or address in self.targets)

    def find(self, address: str) -> Any:
        """Import a class or function, and make sure that it is at home where the address says.

        Parameters
        ----------
        address : str
            ``module:qualname``.

        Returns
        -------
        type or function
            What was meant.

        Raises
        ------
        PersistenceError
            If it may not be imported, is not there, or was only imported into that module from elsewhere.
        """
        if not self.allows(address):
            shown = address if _REFERENCE.match(address) else "something that is no address"
            raise PersistenceError(
                f"the file needs {shown}, which is neither crmkit's nor scikit-learn's: "
                "if it belongs to a plugin you trust, name the plugin's target in trusted="
            )
        try:
            found = _resolve(address)
        except (ImportError, AttributeError) as error:
            raise PersistenceError(
                f"the file needs {address}, which is not installed or has gone: "
                "load it with the release it was saved with"
            ) from error
        if reference(found) != address:
            raise PersistenceError(f"the file needs {address}, which is not defined there")
        return found
