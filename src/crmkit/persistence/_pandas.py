"""Writes tables, columns and indexes of pandas as arrays, and reads them back with the dtypes they had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import PersistenceError

if TYPE_CHECKING:
    from crmkit.persistence._decode import Decoder
    from crmkit.persistence._encode import Encoder

__all__ = ["decode_pandas", "encode_pandas"]

_MASKED = {
    **{f"{sign}Int{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "Float32": "float32",
    "Float64": "float64",
    "boolean": "bool",
}


def encode_pandas(value: Any, encoder: Encoder, where: str) -> Any:
    """Write a DataFrame, Series, Index or extension array.

    Parameters
    ----------
    value : pandas object
        What to write; ``attrs`` and the frequency of an index are not kept.
    encoder : Encoder
        Takes the arrays.
    where : str
        Its place in the model, for messages.

    Returns
    -------
    Node
        The tree.

    Raises
    ------
    PersistenceError
        If a dtype is not one of numpy's, text, a nullable number, a category or a time.
    """
    if isinstance(value, pd.DataFrame):
        columns = [_values(value.iloc[:, position].array, encoder, where) for position in range(value.shape[1])]
        return {
            "$": "DataFrame",
            "index": encode_pandas(value.index, encoder, where),
            "columns": encode_pandas(value.columns, encoder, where),
            "v": columns,
        }
    if isinstance(value, pd.Series):
        return {
            "$": "Series",
            "name": encoder.node(value.name, where),
            "index": encode_pandas(value.index, encoder, where),
            "v": _values(value.array, encoder, where),
        }
    if isinstance(value, pd.RangeIndex):
        parts = [value.start, value.stop, value.step]
        return {"$": "RangeIndex", "name": encoder.node(value.name, where), "v": parts}
    if isinstance(value, pd.MultiIndex):
        return {
            "$": "MultiIndex",
            "names": [encoder.node(name, where) for name in value.names],
            "levels": [encode_pandas(level, encoder, where) for level in value.levels],
            "v": [encoder.array(np.asarray(codes), where) for codes in value.codes],
        }
    if isinstance(value, pd.Index):
        return {"$": "Index", "name": encoder.node(value.name, where), "v": _values(value.array, encoder, where)}
    return {"$": "extension", "v": _values(value, encoder, where)}


def _values(values: Any, encoder: Encoder, where: str) -> Any:
    """Write the values of a column."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return {
            "$": "category",
            "categories": encode_pandas(dtype.categories, encoder, where),
            "ordered": bool(dtype.ordered),
            "v": encoder.array(np.asarray(values.codes), where),
        }
    if isinstance(dtype, pd.DatetimeTZDtype):
        instants = np.asarray(values.tz_convert("UTC").tz_localize(None))
        return {"$": "instants", "tz": str(dtype.tz), "v": encoder.array(instants, where)}
    if isinstance(dtype, pd.StringDtype):
        missing = np.asarray(pd.isna(values), dtype=bool)
        plain = "nan" if getattr(dtype, "na_value", pd.NA) is not pd.NA else "NA"
        texts = [None if gone else str(text) for text, gone in zip(values, missing, strict=True)]
        return {"$": "text", "na": plain, "v": texts}
    if str(dtype) in _MASKED:
        missing = np.asarray(pd.isna(values), dtype=bool)
        filled = values.to_numpy(dtype=_MASKED[str(dtype)], na_value=0)
        parts = [encoder.array(np.asarray(filled), where), encoder.array(missing, where)]
        return {"$": "nullable", "dtype": str(dtype), "v": parts}
    plain_dtype = getattr(dtype, "numpy_dtype", dtype)  # a column of numpy's own may come in an extension array
    if isinstance(plain_dtype, np.dtype):
        return encoder.node(np.asarray(values), where)
    raise PersistenceError(f"{where}: a column of dtype {dtype} cannot be saved")


def decode_pandas(kind: str, node: dict[str, Any], decoder: Decoder) -> Any:
    """Read what ``encode_pandas`` wrote.

    Parameters
    ----------
    kind : str
        What it is.
    node : dict
        The tree.
    decoder : Decoder
        Gives the arrays.

    Returns
    -------
    pandas object
        As it was.
    """
    if kind == "DataFrame":
        index = decoder.value(node["index"])
        columns = [_column(column, decoder) for column in node["v"]]
        if any(len(column) != len(index) for column in columns):
            raise PersistenceError("the file holds a table whose columns and index differ in length")
        frame = pd.DataFrame(dict(enumerate(columns)), index=range(len(index)))
        frame.index = index
        frame.columns = decoder.value(node["columns"])
        return frame
    if kind == "Series":
        column = _column(node["v"], decoder)
        column.index, column.name = decoder.value(node["index"]), decoder.value(node["name"])
        return column
    if kind == "RangeIndex":
        start, stop, step = node["v"]
        return pd.RangeIndex(start, stop, step, name=decoder.value(node["name"]))
    if kind == "MultiIndex":
        return pd.MultiIndex(
            levels=[decoder.value(level) for level in node["levels"]],
            codes=[decoder.value(codes) for codes in node["v"]],
            names=[decoder.value(name) for name in node["names"]],
        )
    column = _column(node["v"], decoder)
    if kind == "Index":
        return pd.Index(column, dtype=column.dtype, name=decoder.value(node["name"]))
    return column.array


def _column(node: Any, decoder: Decoder) -> pd.Series[Any]:
    """Read the values of a column, under a fresh index."""
    kind = node["$"]
    if kind == "category":
        categories = decoder.value(node["categories"])
        codes = decoder.value(node["v"])
        return pd.Series(pd.Categorical.from_codes(codes, categories, ordered=bool(node["ordered"])))
    if kind == "instants":
        return pd.Series(pd.DatetimeIndex(decoder.value(node["v"])).tz_localize("UTC").tz_convert(node["tz"]))
    if kind == "text":
        # "str" as this pandas has it: from pandas 3 a dtype of its own, before that object.
        return pd.Series(node["v"], dtype="string" if node["na"] == "NA" else pd.Series(["text"]).dtype)
    if kind == "nullable":
        filled, missing = (decoder.value(part) for part in node["v"])
        column = pd.array(filled, dtype=node["dtype"] if node["dtype"] in _MASKED else "boolean")
        column[missing] = pd.NA
        return pd.Series(column)
    values: np.ndarray[Any, Any] = decoder.value(node)
    plain: pd.Series[Any] = pd.Series(values, dtype=values.dtype)
    return plain
