"""Makes a model again from its tree and arrays, naming only what is trusted and running no code of the file."""

from __future__ import annotations

import enum
import functools
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crmkit.core.errors import PersistenceError
from crmkit.persistence._pandas import decode_pandas
from crmkit.persistence._words import READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crmkit.persistence._trust import Trust

__all__ = ["Decoder", "read_npy"]

_PANDAS = frozenset({"DataFrame", "Series", "RangeIndex", "MultiIndex", "Index", "extension"})
_SPARSE = frozenset({"csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_matrix", "coo_array"})
_TYPES = {
    kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object)
}


def read_npy(content: bytes) -> np.ndarray[Any, Any]:
    """Read an array, never making one larger than its bytes, and never one of objects.

    Parameters
    ----------
    content : bytes
        A file in the .npy format.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    PersistenceError
        If the header does not fit the bytes.
    """
    buffer = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(buffer)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(buffer)
        size = dtype.itemsize * int(np.prod(shape, dtype=object))
        if dtype.hasobject or size != len(content) - buffer.tell():
            raise PersistenceError("an array's header does not fit its bytes")
        buffer.seek(0)
        array: np.ndarray[Any, Any] = np.lib.format.read_array(buffer, allow_pickle=False)
    except (ValueError, TypeError, SyntaxError, EOFError) as error:
        raise PersistenceError("an array cannot be read") from error
    return array


class Decoder:
    """Reads one model.

    Parameters
    ----------
    members : mapping of str to bytes
        The arrays, by name.
    estimators : callable
        Gives the list of scikit-learn parts; called only where there are any.
    trust : Trust
        What may be imported.
    """

    def __init__(self, members: Mapping[str, bytes], estimators: Callable[[], list[Any]], trust: Trust) -> None:
        self._members = members
        self._trust = trust
        self._arrays: dict[str, np.ndarray[Any, Any]] = {}
        self._readers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "array": self._array,
            "objects": self._objects,
            "sparse": self._sparse,
            "type": lambda node: _TYPES[node["v"]],
            "ufunc": self._ufunc,
            "reference": lambda node: trust.find(str(node["v"])),
            "partial": self._partial,
            "scikit-learn": lambda node: estimators()[int(node["v"])],
            "enum": self._enum,
            "namedtuple": self._namedtuple,
            "object": self._object,
        }

    def value(self, node: Any) -> Any:
        """Read one value.

        Parameters
        ----------
        node : Node
            The tree.

        Returns
        -------
        object
            What was saved.

        Raises
        ------
        PersistenceError
            If it needs something that is not trusted, or is of no known kind.
        """
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        kind = node.get("$")
        if kind in _PANDAS:
            return decode_pandas(str(kind), node, self)
        if kind in READERS:
            return READERS[str(kind)](node, self.value)
        if kind in self._readers:
            return self._readers[str(kind)](node)
        raise PersistenceError("the file holds a kind of value that this crmkit does not know")

    def _array(self, node: dict[str, Any]) -> Any:
        name = node["v"]
        if name not in self._arrays:
            self._arrays[name] = read_npy(self._members[name])
        return self._arrays[name]

    def _objects(self, node: dict[str, Any]) -> Any:
        values = np.empty(len(node["v"]), dtype=object)
        for position, item in enumerate(node["v"]):
            values[position] = self.value(item)
        return values.reshape(tuple(node["shape"]))

    def _sparse(self, node: dict[str, Any]) -> Any:
        if node["kind"] not in _SPARSE:
            raise PersistenceError("the file holds a sparse matrix of a kind that this crmkit does not know")
        make, shape = getattr(sparse, node["kind"]), tuple(node["shape"])
        first, second, third = (self.value(part) for part in node["v"])
        matrix = (
            make((first, (second, third)), shape=shape)
            if "coo" in node["kind"]
            else make((first, second, third), shape=shape)
        )
        if hasattr(matrix, "check_format"):
            matrix.check_format()  # indices out of range would else be read from foreign memory
        return matrix

    def _partial(self, node: dict[str, Any]) -> Any:
        function, arguments, keywords = (self.value(part) for part in node["v"])
        return functools.partial(function, *arguments, **keywords)

    def _ufunc(self, node: dict[str, Any]) -> np.ufunc:
        found = getattr(np, str(node["v"]), None)
        if not isinstance(found, np.ufunc):
            raise PersistenceError("the file needs a function that numpy does not have")
        return found

    def _class(self, node: dict[str, Any]) -> type[Any]:
        found = self._trust.find(str(node["class"]))
        if not isinstance(found, type):
            raise PersistenceError(f"the file needs {node['class']} as a class, which it is not")
        return found

    def _enum(self, node: dict[str, Any]) -> Any:
        kind = self._class(node)
        if not issubclass(kind, enum.Enum):
            raise PersistenceError(f"the file needs {node['class']} as an enumeration, which it is not")
        return kind[node["v"]]

    def _namedtuple(self, node: dict[str, Any]) -> Any:
        kind = self._class(node)
        if not (issubclass(kind, tuple) and hasattr(kind, "_fields")):
            raise PersistenceError(f"the file needs {node['class']} as a named tuple, which it is not")
        return tuple.__new__(kind, [self.value(item) for item in node["v"]])

    def _object(self, node: dict[str, Any]) -> Any:
        kind = self._class(node)
        if node["by"] == "from_state":
            if not callable(getattr(kind, "from_state", None)):
                raise PersistenceError(
                    f"{node['class']} has no from_state(state): load it with the release it was saved with"
                )
            return kind.from_state(self.value(node["v"]))
        made = object.__new__(kind)
        for name, item in node["v"].items():
            if name.startswith("__") and name.endswith("__"):
                raise PersistenceError("the file sets an attribute that belongs to the language")
            # Frozen classes refuse setattr; properties without a setter must not be written through either.
            object.__setattr__(made, name, self.value(item))
        return made
