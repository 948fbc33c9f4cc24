"""Saves models and loads them again, without pickle."""

from __future__ import annotations

import functools
import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import CrmkitError, PersistenceError
from crmkit.persistence._archive import FORMAT, canonical_json, read_archive, write_archive
from crmkit.persistence._decode import Decoder
from crmkit.persistence._encode import Encoder
from crmkit.persistence._scikit import dump_estimators, load_estimators
from crmkit.persistence._trust import Trust, home, reference

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["load", "manifest", "save"]

_STATE = "state.json"
_ESTIMATORS = "scikit-learn.skops"
_MOST = 4 * 2**30


def save(model: Any, path: str | os.PathLike[str]) -> Path:
    """Save a model to one file.

    The file is a zip with a manifest, a tree of JSON, arrays in the .npy format and, where the model holds estimators
    of scikit-learn, one member in the skops format. There is no pickle in it: loading it runs no code of the file. The
    same model gives the same bytes, so two files can be compared by their sums. The file is there whole or not at all.

    What can be saved: any class of crmkit, of scikit-learn or of an installed plugin whose attributes are numbers,
    text, times, lists, tuples, sets, dicts, arrays, sparse matrices, tables, random generators, classes and functions
    with an address, and again such objects. See the page on saving for what a class can do to help.

    Parameters
    ----------
    model : object
        Fitted or not.
    path : str or path
        Where; an older file of that name is replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    PersistenceError
        If the model holds what cannot be saved (a lambda, an open file, a class of no installed plugin), naming the
        place in the model; or if the file cannot be written.
    MissingExtraError
        If the model holds estimators of scikit-learn and skops is not installed.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from crmkit import persistence
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "settings.crmkit"
    >>> _ = persistence.save({"margin": 0.3, "segments": ["新客", "loyal"]}, path)
    >>> persistence.load(path)
    {'margin': 0.3, 'segments': ['新客', 'loyal']}
    """
    encoder = Encoder()
    tree = encoder.node(model, type(model).__name__)
    members = {_STATE: canonical_json(tree), **encoder.arrays}
    if encoder.estimators:
        members[_ESTIMATORS] = dump_estimators(encoder.estimators)
    head = {
        "format": FORMAT,
        "class": reference(type(model)),
        "crmkit": _version("crmkit"),
        "written_with": {name: _version(name) for name in ("numpy", "pandas", "scikit-learn", "scipy")},
    }
    return write_archive(path, head, members)


def load(
    path: str | os.PathLike[str],
    *,
    expect: type[Any] | str | tuple[type[Any] | str, ...] | None = None,
    trusted: Iterable[str] = (),
    max_bytes: int = _MOST,
) -> Any:
    """Load a model that ``save`` wrote.

    Every byte is checked before any is interpreted. Only classes and functions of crmkit and scikit-learn are imported,
    and those of plugins that you name. A sum shows that a file was altered; it does not show who wrote it: load files
    from people you know, and say with ``expect`` what you expect.

    Parameters
    ----------
    path : str or path
        The file.
    expect : type, str, tuple of these, or None
        The class the model must have: a class (its subclasses count), or ``"module:Class"``. None takes what comes.
    trusted : iterable of str, default=()
        Targets ``"module:Class"`` of installed plugins, or their top-level packages, whose classes may be imported.
    max_bytes : int, default=4 GiB
        How much the file may unpack to.

    Returns
    -------
    object
        The model.

    Raises
    ------
    IntegrityError
        If the file was altered.
    PersistenceError
        If it is no file of crmkit, of a later format, not what was expected, or needs a class that is not trusted.
    MissingExtraError
        If it holds estimators of scikit-learn and skops is not installed.

    See Also
    --------
    save : The way there.
    manifest : What a file is, without loading it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from crmkit import persistence
    >>> path = persistence.save([1, 2], pathlib.Path(tempfile.mkdtemp()) / "list.crmkit")
    >>> persistence.load(path, expect=list)
    [1, 2]
    >>> persistence.load(path, expect=dict)
    Traceback (most recent call last):
        ...
    crmkit.core.errors.PersistenceError: list.crmkit holds a builtins:list, expected builtins:dict
    """
    trust = Trust(trusted)
    head, members = read_archive(path, most=max_bytes)
    label = str(getattr(path, "name", path)).rpartition("/")[2]
    given = expect if isinstance(expect, tuple) else (expect,) if expect is not None else ()
    wanted = tuple(home(kind) if isinstance(kind, str) else kind for kind in given)
    # By name first: nothing of a file that is not wanted is imported.
    if wanted and all(isinstance(kind, str) for kind in wanted) and head.get("class") not in wanted:
        raise _unexpected(label, head.get("class"), wanted)

    @functools.cache
    def estimators() -> list[Any]:
        return load_estimators(members[_ESTIMATORS], trust, most=max_bytes)

    try:
        model = Decoder(members, estimators, trust).value(json.loads(members[_STATE]))
    except CrmkitError:
        raise
    except RecursionError as error:
        raise PersistenceError(f"{label} is nested too deeply") from error
    except Exception as error:  # the sums were right, so the content is: only its form can be wrong
        raise PersistenceError(
            f"{label} cannot be read: {type(error).__name__} where its class is {head.get('class')}"
        ) from error
    if wanted and not any(
        reference(type(model)) == kind if isinstance(kind, str) else isinstance(model, kind) for kind in wanted
    ):
        raise _unexpected(label, reference(type(model)), wanted)
    return model


def manifest(path: str | os.PathLike[str], *, max_bytes: int = _MOST) -> dict[str, Any]:
    """Say what a file holds, without importing anything for it.

    Parameters
    ----------
    path : str or path
        The file.
    max_bytes : int, default=4 GiB
        How much the file may unpack to.

    Returns
    -------
    dict
        ``class`` as ``module:qualname``, ``crmkit`` and ``written_with`` (releases), ``format``, and ``members`` with
        sizes and SHA-256 sums.

    Raises
    ------
    IntegrityError, PersistenceError
        As for ``load``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from crmkit import persistence
    >>> path = persistence.save([1, 2], pathlib.Path(tempfile.mkdtemp()) / "list.crmkit")
    >>> persistence.manifest(path)["class"]
    'builtins:list'
    """
    return read_archive(path, most=max_bytes)[0]


def _unexpected(label: str, got: Any, wanted: tuple[type[Any] | str, ...]) -> PersistenceError:
    """Build the error for a file of another class."""
    expected = " or ".join(kind if isinstance(kind, str) else reference(kind) for kind in wanted)
    return PersistenceError(f"{label} holds a {got}, expected {expected}")


def _version(name: str) -> str:
    """Give the release of a distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
