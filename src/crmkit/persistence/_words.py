"""Values that have one short spelling: numbers JSON has no word for, times, ranges, dtypes and random generators."""

from __future__ import annotations

import base64
import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import PersistenceError
from crmkit.core.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READERS", "WRITERS"]

_BIT_GENERATORS = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})


def _write_scalar(value: np.generic, _: Any, where: str) -> Any:
    if value.dtype.hasobject or value.dtype.names is not None:
        raise PersistenceError(f"{where}: a scalar of {value.dtype} cannot be saved")
    return {"$": "scalar", "dtype": value.dtype.str, "v": value.tobytes().hex()}


def _read_scalar(node: dict[str, Any], _: Any) -> Any:
    dtype = np.dtype(str(node["dtype"]))
    if dtype.hasobject:
        raise PersistenceError("the file holds a scalar of objects")
    return np.frombuffer(bytes.fromhex(node["v"]), dtype=dtype)[0] if dtype.itemsize else dtype.type()


def _write_dtype(value: np.dtype[Any], _: Any, where: str) -> Any:
    if value.hasobject and value != np.dtype(object):
        raise PersistenceError(f"{where}: the dtype {value} cannot be saved")
    return {"$": "dtype", "v": np.lib.format.dtype_to_descr(value)}


def _read_dtype(node: dict[str, Any], _: Any) -> Any:
    descr = node["v"]
    if isinstance(descr, list):  # JSON made lists of the tuples in which numpy describes fields
        descr = [tuple(tuple(part) if isinstance(part, list) else part for part in field) for field in descr]
    return np.lib.format.descr_to_dtype(descr)


def _write_estimate(value: Estimate, write: Any, where: str) -> Any:
    return {"$": "estimate", "v": {name: write(getattr(value, name), where) for name in ("value", *Estimate.__slots__)}}


def _read_estimate(node: dict[str, Any], read: Any) -> Estimate:
    parts = {name: read(part) for name, part in node["v"].items()}
    return Estimate(parts.pop("value"), **parts)


def _write_instant(value: pd.Timestamp | pd.Timedelta, _: Any, __: str) -> Any:
    zone = str(value.tz) if isinstance(value, pd.Timestamp) and value.tz is not None else None
    return {"$": type(value).__name__, "v": int(value.asm8.astype(np.int64)), "unit": value.unit, "tz": zone}


def _read_timestamp(node: dict[str, Any], _: Any) -> pd.Timestamp:
    instant: Any = np.array(int(node["v"])).astype(f"datetime64[{node['unit']}]")[()]
    naive = pd.Timestamp(instant)
    return naive if node["tz"] is None else naive.tz_localize("UTC").tz_convert(node["tz"])


def _read_timedelta(node: dict[str, Any], _: Any) -> pd.Timedelta:
    length: Any = np.array(int(node["v"])).astype(f"timedelta64[{node['unit']}]")[()]
    return pd.Timedelta(length)


def _write_date(value: dt.date, _: Any, where: str) -> Any:
    if isinstance(value, dt.datetime) and value.tzinfo not in {None, dt.UTC}:
        raise PersistenceError(f"{where}: keep times in UTC, or as pandas.Timestamp, to save them")
    return {"$": "datetime" if isinstance(value, dt.datetime) else "date", "v": value.isoformat()}


def _write_parts(value: Any, write: Any, where: str) -> Any:
    return {"$": type(value).__name__, "v": [write(part, where) for part in (value.start, value.stop, value.step)]}


def _write_generator(value: Any, write: Any, where: str) -> Any:
    state = value.get_state(legacy=False) if isinstance(value, np.random.RandomState) else value.bit_generator.state
    return {"$": type(value).__name__, "v": write(state, where)}


def _read_generator(node: dict[str, Any], read: Any) -> Any:
    state = read(node["v"])
    if state["bit_generator"] not in _BIT_GENERATORS:
        raise PersistenceError("the file holds a random generator of a kind that this crmkit does not know")
    if node["$"] == "RandomState":
        legacy = np.random.RandomState()
        legacy.set_state(state)
        return legacy
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = state
    return np.random.Generator(bits)


WRITERS: tuple[tuple[type[Any], Callable[[Any, Any, str], Any]], ...] = (
    (Estimate, _write_estimate),
    (np.generic, _write_scalar),
    (np.dtype, _write_dtype),
    (type(pd.NaT), lambda *_: {"$": "NaT"}),  # before datetime: NaT is one
    (type(pd.NA), lambda *_: {"$": "NA"}),
    (pd.Timestamp, _write_instant),
    (pd.Timedelta, _write_instant),
    (dt.date, _write_date),
    (dt.timedelta, lambda value, *_: {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]}),
    (range, _write_parts),
    (slice, _write_parts),
    (np.random.Generator, _write_generator),
    (np.random.RandomState, _write_generator),
)
"""By class, the narrower before the wider: how a value is written, from it, a way to write its parts, and its place."""

READERS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "float": lambda node, _: float(node["v"]),
    "complex": lambda node, read: complex(*(read(part) for part in node["v"])),
    "bytes": lambda node, _: base64.b64decode(node["v"], validate=True),
    "scalar": _read_scalar,
    "dtype": _read_dtype,
    "estimate": _read_estimate,
    "NA": lambda *_: pd.NA,
    "NaT": lambda *_: pd.NaT,
    "Timestamp": _read_timestamp,
    "Timedelta": _read_timedelta,
    "datetime": lambda node, _: dt.datetime.fromisoformat(node["v"]),
    "date": lambda node, _: dt.date.fromisoformat(node["v"]),
    "timedelta": lambda node, _: dt.timedelta(*node["v"]),
    "range": lambda node, read: range(*(read(part) for part in node["v"])),
    "slice": lambda node, read: slice(*(read(part) for part in node["v"])),
    "tuple": lambda node, read: tuple(read(item) for item in node["v"]),
    "set": lambda node, read: {read(item) for item in node["v"]},
    "frozenset": lambda node, read: frozenset(read(item) for item in node["v"]),
    "dict": lambda node, read: {read(key): read(item) for key, item in node["v"]},
    "mapping": lambda node, read: MappingProxyType({read(key): read(item) for key, item in node["v"]}),
    "Generator": _read_generator,
    "RandomState": _read_generator,
}
"""By the word that stands in the tree: how a value is read, given its node and a way to read its parts."""
