"""The scikit-learn parts of a model: one member in the skops format, the same bytes each time."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import IntegrityError, PersistenceError
from crmkit.core.registry import require_extra
from crmkit.persistence._archive import check_members, zip_bytes

if TYPE_CHECKING:
    from crmkit.persistence._trust import Trust

__all__ = ["dump_estimators", "load_estimators"]

_SCHEMA = "schema.json"


def dump_estimators(estimators: list[Any]) -> bytes:
    """Write estimators of scikit-learn.

    Parameters
    ----------
    estimators : list
        Fitted or not.

    Returns
    -------
    bytes
        A skops file; the same for the same estimators.

    Raises
    ------
    MissingExtraError
        If skops is not installed.
    PersistenceError
        If one holds what skops cannot write.
    """
    skops = require_extra("skops.io", "io", "saving a model with scikit-learn parts")
    try:
        written = skops.dumps(estimators)
    except Exception as error:  # skops raises what the type at hand happens to raise
        raise PersistenceError(
            f"a scikit-learn part cannot be saved: {type(error).__name__}; functions must stand in an importable module"
        ) from error
    return _canonical(written)


def load_estimators(content: bytes, trust: Trust, *, most: int) -> list[Any]:
    """Read estimators, after checking every type the file names.

    Parameters
    ----------
    content : bytes
        As written by ``dump_estimators``.
    trust : Trust
        What may be imported.
    most : int
        How many bytes it may unpack to.

    Returns
    -------
    list
        The estimators.

    Raises
    ------
    MissingExtraError
        If skops is not installed.
    PersistenceError
        If it names a type that is not trusted, or cannot be read by the scikit-learn that is installed.
    """
    skops = require_extra("skops.io", "io", "loading a model with scikit-learn parts")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_members(archive, "the scikit-learn part", most=most)
    except zipfile.BadZipFile as error:
        raise IntegrityError("the scikit-learn part was altered: it cannot be unpacked") from error
    try:
        named = skops.get_untrusted_types(data=content)
    except Exception as error:  # whatever a malformed schema makes skops raise
        raise PersistenceError(f"the scikit-learn part cannot be read: {type(error).__name__}") from error
    for name in named:
        module, _, attribute = name.rpartition(".")
        # Found by its true home: a module of a trusted package may have imported something that is not.
        trust.find(f"{module}:{attribute}")
    try:
        loaded = skops.loads(content, trusted=named)
    except Exception as error:  # an estimator of another release of scikit-learn raises what it likes
        raise PersistenceError(
            f"the scikit-learn part cannot be read by the installed scikit-learn: {type(error).__name__}"
        ) from error
    if not isinstance(loaded, list):
        raise PersistenceError("the scikit-learn part holds no list of estimators")
    return loaded


def _canonical(written: bytes) -> bytes:
    """Number the members of a skops file in the order of its schema: skops names them after memory addresses."""
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        schema = json.loads(archive.read(_SCHEMA))
        ids: dict[int, int] = {}
        names: dict[str, str] = {}
        _number(schema, ids, names)
        members = {new: archive.read(old) for old, new in names.items()}
    text = json.dumps(schema, indent=1, ensure_ascii=True).encode("ascii")
    return zip_bytes({_SCHEMA: text, **members})


def _number(node: Any, ids: dict[int, int], names: dict[str, str]) -> None:
    """Replace addresses by numbers, in place."""
    if isinstance(node, list):
        for child in node:
            _number(child, ids, names)
        return
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "__id__" and isinstance(value, int):
            node[key] = ids.setdefault(value, len(ids) + 1)
        elif key == "file" and isinstance(value, str):
            ending = value.rpartition(".")[2]
            node[key] = names.setdefault(value, f"{len(names) + 1}.{ending}")
        else:
            _number(value, ids, names)
