"""Turns the state of a model into a tree of JSON values and named arrays."""

from __future__ import annotations

import base64
import datetime
import enum
import functools
import io
import math
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.errors import PersistenceError
from crmkit.core.estimate import Estimate
from crmkit.persistence._pandas import encode_pandas
from crmkit.persistence._trust import may_be_saved, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Encoder", "Node", "state_names"]

Node = Any
"""A JSON value; whatever JSON has no word for is an object with the key ``$`` that says what it is."""

_PLAIN_TYPES = (int, float, complex, bool, str, bytes, list, tuple, dict, set, frozenset, type(None))


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
        for kinds, write in (
            (np.ndarray, self._array),
            (np.generic, self._scalar),
            (_PLAIN_TYPES, self._container),
            (_WORDS, self._word),
            (type, self._type),
        ):
            if isinstance(value, kinds) and (kinds is not _PLAIN_TYPES or type(value) in _PLAIN_TYPES):
                return self._once(value, write, where)
        return self._once(value, self._object, where)

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

    def _scalar(self, value: np.generic, where: str) -> Node:
        if value.dtype.hasobject or value.dtype.names is not None:
            raise PersistenceError(f"{where}: a scalar of {value.dtype} cannot be saved")
        return {"$": "scalar", "dtype": value.dtype.str, "v": value.tobytes().hex()}

    def _container(self, value: Any, where: str) -> Node:
        kind = type(value)
        if kind is list:
            return [self.node(item, f"{where}[{position}]") for position, item in enumerate(value)]
        if kind is tuple:
            return {"$": "tuple", "v": [self.node(item, f"{where}[{position}]") for position, item in enumerate(value)]}
        if kind is dict:
            return {"$": "dict", "v": list(self._pairs(value, where))}
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

    def _word(self, value: Any, where: str) -> Node:
        """Write what has one short spelling."""
        if isinstance(value, Estimate):
            parts = {name: self.node(getattr(value, name), where) for name in ("value", *Estimate.__slots__)}
            return {"$": "estimate", "v": parts}
        if isinstance(value, MappingProxyType):
            return {"$": "mapping", "v": list(self._pairs(value, where))}
        if value is pd.NA or value is pd.NaT:
            return {"$": "NA" if value is pd.NA else "NaT"}
        if isinstance(value, pd.Timestamp | pd.Timedelta):
            unit = value.unit
            zone = str(value.tz) if isinstance(value, pd.Timestamp) and value.tz is not None else None
            return {
                "$": type(value).__name__,
                "v": int(value.as_unit(unit).asm8.astype(np.int64)),
                "unit": unit,
                "tz": zone,
            }
        if isinstance(value, datetime.datetime):
            if value.tzinfo is not None and value.tzinfo is not datetime.timezone.utc:
                raise PersistenceError(f"{where}: keep times in UTC, or as pandas.Timestamp, to save them")
            return {"$": "datetime", "v": value.isoformat()}
        if isinstance(value, datetime.date):
            return {"$": "date", "v": value.isoformat()}
        if isinstance(value, datetime.timedelta):
            return {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
        if isinstance(value, np.dtype):
            if value.hasobject and value != np.dtype(object):
                raise PersistenceError(f"{where}: the dtype {value} cannot be saved")
            return {"$": "dtype", "v": np.lib.format.dtype_to_descr(value)}
        if isinstance(value, range | slice):
            parts = [self.node(getattr(value, name), where) for name in ("start", "stop", "step")]
            return {"$": type(value).__name__, "v": parts}
        return self._generator(value, where)

    def _generator(self, value: Any, where: str) -> Node:
        """Write the state of a random generator."""
        state = value.get_state(legacy=False) if isinstance(value, np.random.RandomState) else value.bit_generator.state
        return {"$": type(value).__name__, "v": self.node(state, where)}

    def _type(self, value: type, where: str) -> Node:
        if value in _TYPES:
            return {"$": "type", "v": value.__name__}
        return self._reference(value, where)

    def _reference(self, value: Any, where: str) -> Node:
        """Write the address of a class or function of an installed plugin."""
        if isinstance(value, np.ufunc) and getattr(np, value.__name__, None) is value:
            return {"$": "ufunc", "v": value.__name__}
        if not may_be_saved(value):
            raise PersistenceError(
                f"{where} is {reference(value)!r}, which cannot be found again when the model is loaded: pass a function "
                "or class that stands in the module of crmkit, scikit-learn or an installed plugin"
            )
        return {"$": "reference", "v": reference(value)}

    def _object(self, value: Any, where: str) -> Node:
        """Write an instance of a class: pandas, scipy, scikit-learn, a function, or a class of crmkit or a plugin."""
        if isinstance(value, pd.DataFrame | pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
            return encode_pandas(value, self, where)
        if sparse.issparse(value):
            return self._sparse(value, where)
        if isinstance(value, functools.partial):
            return {"$": "partial", "v": [self.node(part, where) for part in (value.func, value.args, value.keywords)]}
        if isinstance(value, FunctionType | np.ufunc) or type(value).__name__ == "builtin_function_or_method":
            return self._reference(value, where)
        kind = type(value)
        if kind.__module__.partition(".")[0] == "sklearn":
            return self._estimator(value)
        if not may_be_saved(kind):
            raise PersistenceError(
                f"{where} is a {reference(kind)}: only classes of crmkit, scikit-learn and installed plugins can be saved"
            )
        if isinstance(value, enum.Enum):
            return {"$": "enum", "class": reference(kind), "v": value.name}
        if callable(getattr(value, "get_state", None)) and callable(getattr(kind, "from_state", None)):
            state = self.node(value.get_state(), f"{where}.get_state()")
            return {"$": "object", "class": reference(kind), "by": "from_state", "v": state}
        if isinstance(value, _PLAIN_TYPES):
            if isinstance(value, tuple) and hasattr(kind, "_fields"):
                items = [self.node(item, f"{where}.{name}") for name, item in zip(kind._fields, value, strict=True)]
                return {"$": "namedtuple", "class": reference(kind), "v": items}
            raise PersistenceError(
                f"{where} is a {reference(kind)}, which extends a built-in type: give it get_state() and from_state(state)"
            )
        state = {name: self.node(getattr(value, name), f"{where}.{name}") for name in state_names(value)}
        return {"$": "object", "class": reference(kind), "by": "attributes", "v": state}

    def _sparse(self, value: Any, where: str) -> Node:
        """Write a sparse matrix or array by its parts."""
        parts = {"coo": ("data", "row", "col"), "csr": _COMPRESSED, "csc": _COMPRESSED}.get(value.format)
        if parts is None:
            raise PersistenceError(f"{where}: a sparse {value.format} matrix cannot be saved; turn it into csr")
        if value.ndim != 2:
            raise PersistenceError(f"{where}: only sparse matrices of two dimensions can be saved")
        kind = f"{value.format}_{'array' if isinstance(value, sparse.sparray) else 'matrix'}"
        arrays = [self.array(np.asarray(getattr(value, part)), where) for part in parts]
        return {"$": "sparse", "kind": kind, "shape": list(value.shape), "v": arrays}

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


_COMPRESSED = ("data", "indices", "indptr")
_TYPES = frozenset({bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object})
_WORDS = (
    Estimate,
    MappingProxyType,
    type(pd.NA),
    type(pd.NaT),
    datetime.date,
    datetime.timedelta,
    np.dtype,
    range,
    slice,
    np.random.Generator,
    np.random.RandomState,
)
