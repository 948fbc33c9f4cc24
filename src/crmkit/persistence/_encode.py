"""Turns the state of a model into a tree of JSON values and named arrays."""

from __future__ import annotations

import base64
import enum
import functools
import io
import math
from types import BuiltinFunctionType, FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.errors import PersistenceError
from crmkit.persistence._pandas import encode_pandas
from crmkit.persistence._trust import may_be_saved, reference, stands_anew
from crmkit.persistence._words import WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Encoder", "Node", "state_names"]

Node = Any
"""A JSON value; whatever JSON has no word for is an object with the key ``$`` that says what it is."""

_CONTAINERS = frozenset({list, tuple, dict, set, frozenset, complex, bytes, MappingProxyType})
_BUILT_IN = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
_TYPES = frozenset({bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object})
_COMPRESSED = ("data", "indices", "indptr")
_SPARSE_PARTS = {"coo": ("data", "row", "col"), "csr": _COMPRESSED, "csc": _COMPRESSED}


class Encoder:
    """Writes one model.

    Attributes
    ----------
    arrays : dict of str to bytes
        Members in the .npy format, by name.
    estimators : list
        The scikit-learn parts, for one skops member.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, bytes] = {}
        self.estimators: list[Any] = []
        self._names: dict[int, str] = {}
        self._positions: dict[int, int] = {}
        self._kept: list[Any] = []
        self._open: list[int] = []

    def node(self, value: Any, where: str) -> Node:
        """Write one value.

        Parameters
        ----------
        value : object
            What to write.
        where : str
            Its place in the model, for messages.

        Returns
        -------
        Node
            The tree.

        Raises
        ------
        PersistenceError
            If it, or anything in it, is not of the kinds that can be saved.
        """
        if value is None or type(value) in {bool, int, str}:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"$": "float", "v": repr(value)}
        if type(value) in _CONTAINERS:
            return self._once(value, self._container, where)
        for kind, write in WRITERS:
            if isinstance(value, kind):
                return write(value, self.node, where)
        return self._once(value, self._array if isinstance(value, np.ndarray) else self._object, where)

    def array(self, values: np.ndarray[Any, Any], where: str) -> Node:
        """Write an array into a member of its own; the same array is written once."""
        if values.dtype.hasobject:
            raise PersistenceError(f"{where}: an array of {values.dtype} cannot be saved")
        if id(values) not in self._names:
            buffer = io.BytesIO()
            # A subclass would lose what it adds; np.asarray drops it, since no kind that can be saved relies on it.
            np.save(buffer, np.asarray(values), allow_pickle=False)
            name = f"arrays/{len(self.arrays):05d}.npy"
            self.arrays[name] = buffer.getvalue()
            self._names[id(values)] = name
            self._kept.append(values)
        return {"$": "array", "v": self._names[id(values)]}

    def _once(self, value: Any, write: Any, where: str) -> Node:
        """Write a value unless we are inside it already."""
        if id(value) in self._open:
            raise PersistenceError(f"{where} refers back to what holds it: a model that holds itself cannot be saved")
        if len(self._open) > 150:
            raise PersistenceError(f"{where} is nested too deeply to be saved")
        self._open.append(id(value))
        try:
            return write(value, where)
        finally:
            self._open.pop()

    def _array(self, value: np.ndarray[Any, Any], where: str) -> Node:
        if type(value) not in {np.ndarray, np.memmap}:
            raise PersistenceError(f"{where}: a {type(value).__name__} cannot be saved; keep its data in a plain array")
        if value.dtype == np.dtype(object):
            return {
                "$": "objects",
                "shape": list(value.shape),
                "v": [self.node(item, f"{where}[{position}]") for position, item in enumerate(value.ravel())],
            }
        return self.array(value, where)

    def _container(self, value: Any, where: str) -> Node:
        kind = type(value)
        if kind is list:
            return [self.node(item, f"{where}[{position}]") for position, item in enumerate(value)]
        if kind is tuple:
            return {"$": "tuple", "v": [self.node(item, f"{where}[{position}]") for position, item in enumerate(value)]}
        if kind in {dict, MappingProxyType}:
            return {"$": "dict" if kind is dict else "mapping", "v": list(self._pairs(value, where))}
        if kind is complex:
            return {"$": "complex", "v": [self.node(value.real, where), self.node(value.imag, where)]}
        if kind is bytes:
            return {"$": "bytes", "v": base64.b64encode(value).decode("ascii")}
        # The order of a set is not its own: sort it by what is written, so that the bytes are the same each time.
        items = [self.node(item, f"{where}[…]") for item in value]
        return {"$": kind.__name__, "v": sorted(items, key=repr)}

    def _pairs(self, value: Any, where: str) -> Iterator[list[Node]]:
        """Write the items of a mapping; a key shows in messages only where it is a name, not where it may be data."""
        for position, (key, item) in enumerate(value.items()):
            shown = repr(key) if isinstance(key, str) and key.isidentifier() else f"item {position}"
            yield [self.node(key, f"{where}[key of {shown}]"), self.node(item, f"{where}[{shown}]")]

    def _reference(self, value: Any, where: str) -> Node:
        """Write the address of a class or function of an installed plugin."""
        if isinstance(value, type) and value in _TYPES:
            return {"$": "type", "v": value.__name__}
        name = str(getattr(value, "__name__", ""))
        if isinstance(value, np.ufunc) and getattr(np, name, None) is value:
            return {"$": "ufunc", "v": name}
        if not may_be_saved(value):
            raise PersistenceError(
                f"{where} is {reference(value)}, which cannot be found again when the model is loaded: pass a function "
                "or class that stands in a module of crmkit, scikit-learn or an installed plugin"
            )
        return {"$": "reference", "v": reference(value)}

    def _object(self, value: Any, where: str) -> Node:
        """Write what other libraries and the language itself bring, or an instance of a class of ours."""
        if isinstance(value, pd.DataFrame | pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
            return encode_pandas(value, self, where)
        if sparse.issparse(value):
            return self._sparse(value, where)
        if isinstance(value, functools.partial):
            return {"$": "partial", "v": [self.node(part, where) for part in (value.func, value.args, value.keywords)]}
        if isinstance(value, type | FunctionType | BuiltinFunctionType | np.ufunc):
            return self._reference(value, where)
        if type(value).__module__.partition(".")[0] == "sklearn":
            return self._estimator(value)
        return self._instance(value, where)

    def _instance(self, value: Any, where: str) -> Node:
        """Write an instance of a class of crmkit or a plugin by its state."""
        kind = type(value)
        address = reference(kind)
        if not may_be_saved(kind):
            why = "only classes of crmkit, scikit-learn and installed plugins can be saved"
            if stands_anew(kind):
                why = "its module was loaded again after it was made; make it anew"
            raise PersistenceError(f"{where} is a {address}: {why}")
        if isinstance(value, enum.Enum):
            return {"$": "enum", "class": address, "v": value.name}
        if callable(getattr(value, "get_state", None)) and callable(getattr(kind, "from_state", None)):
            state = self.node(value.get_state(), f"{where}.get_state()")
            return {"$": "object", "class": address, "by": "from_state", "v": state}
        fields = getattr(kind, "_fields", None)
        if isinstance(value, tuple) and fields is not None:
            items = [self.node(item, f"{where}.{name}") for name, item in zip(fields, value, strict=True)]
            return {"$": "namedtuple", "class": address, "v": items}
        if isinstance(value, _BUILT_IN):
            raise PersistenceError(
                f"{where} is a {address}, which extends a built-in type: give it get_state() and from_state(state)"
            )
        state = {name: self.node(getattr(value, name), f"{where}.{name}") for name in state_names(value)}
        return {"$": "object", "class": address, "by": "attributes", "v": state}

    def _sparse(self, value: Any, where: str) -> Node:
        """Write a sparse matrix or array by its parts."""
        parts = _SPARSE_PARTS.get(value.format)
        if parts is None:
            raise PersistenceError(f"{where}: a sparse {value.format} matrix cannot be saved; turn it into csr")
        shape = [int(length) for length in value.shape]
        if len(shape) != 2:  # sparse arrays of other dimensions are still moving in scipy
            raise PersistenceError(f"{where}: only sparse matrices of two dimensions can be saved")
        kind = f"{value.format}_{'array' if isinstance(value, sparse.sparray) else 'matrix'}"
        arrays = [self.array(np.asarray(getattr(value, part)), where) for part in parts]
        return {"$": "sparse", "kind": kind, "shape": shape, "v": arrays}

    def _estimator(self, value: Any) -> Node:
        """Put a scikit-learn object aside for the skops member."""
        if id(value) not in self._positions:
            self._positions[id(value)] = len(self.estimators)
            self.estimators.append(value)
        return {"$": "scikit-learn", "v": self._positions[id(value)]}


def state_names(value: Any) -> list[str]:
    """Give the names of the attributes that make up an object's state.

    Parameters
    ----------
    value : object
        An instance of a class of crmkit or a plugin.

    Returns
    -------
    list of str
        What stands in its ``__dict__`` and slots, without cached properties and what the class lists in ``_transient``:
        both are made again when they are needed.
    """
    kind = type(value)
    left_out = set(getattr(kind, "_transient", ()))
    names = list(getattr(value, "__dict__", {}))
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    kept = []
    for name in dict.fromkeys(names):
        cached = isinstance(getattr(kind, name, None), functools.cached_property)
        if name not in left_out and not cached and name not in {"__dict__", "__weakref__"} and hasattr(value, name):
            kept.append(name)
    return kept
