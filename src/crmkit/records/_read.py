"""Reads records of any source as one of the schemas, setting aside what cannot be used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.errors import SchemaError, SchemaProblem
from crmkit.records import _finish
from crmkit.records._cells import Converted, as_ids, as_text
from crmkit.records._csv import EXTRA
from crmkit.records._loaded import Loaded, ReadReport
from crmkit.records._mapping import Mapped, map_headers
from crmkit.records._numbers import as_numbers
from crmkit.records._presets import load_preset
from crmkit.records._schema import Schema
from crmkit.records._sources import Opened, open_source
from crmkit.records._times import as_times, check_timezone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    import numpy.typing as npt

    from crmkit.records._schema import Column

__all__ = ["OnError", "load", "read"]

OnError = Literal["raise", "set-aside"]

_SHOWN = 5


def read(
    source: Any,
    schema: Schema,
    *,
    columns: Mapping[str, str | None] | None = None,
    on_error: OnError = "raise",
    timezone: str = "UTC",
    currency: str | None = None,
    preset: str | Path | None = None,
    day_first: bool | None = None,
    encoding: str | None = None,
) -> Loaded:
    """Read records and check every row against a schema.

    Headers are matched as ``columns`` says, then as the preset says, then by standard name and the English and Chinese
    aliases of the schema. Each distinct cell is parsed once, so half a million invoice lines take about a second. Every
    row of the source ends in exactly one of ``table`` and ``set_aside``.

    Parameters
    ----------
    source : DataFrame of pandas, Polars or PyArrow, mapping of columns, or path to CSV or Parquet
        What holds the records. CSV may be UTF-8 (with or without byte-order mark), UTF-16 or GBK/GB18030, with comma,
        semicolon, tab or bar between its fields.
    schema : Schema
        What a row is, such as ``records.TRANSACTIONS``.
    columns : mapping of str to str, default=None
        From standard name to the source's header. None as a header leaves a column unread.
    on_error : {"raise", "set-aside"}, default="raise"
        ``"raise"`` tells every problem in one error; ``"set-aside"`` keeps rows that cannot be used apart, with their
        reason. What concerns the whole table (a missing column, two currencies) raises either way.
    timezone : str, default="UTC"
        IANA name. Times without an offset are local times of it, and ``day`` is its calendar day.
    currency : str, default=None
        The table's currency: fills empty cells of the currency column, or stands in for it.
    preset : str or path, default=None
        Name of a preset for the export of a platform (see ``presets``), or a TOML file of your own.
    day_first : bool, default=None
        How 03/04/2010 is meant. None: as the column's other dates show; where nothing shows it, an error.
    encoding : str, default=None
        Encoding of a text file, where it is not to be found out.

    Returns
    -------
    Loaded
        ``table``, ``set_aside`` and ``report``. Ids are text; ``time`` is in UTC with microseconds, ``day`` the local
        calendar day as days since 1970-01-01; ``amount`` is quantity x unit_price where absent.

    Raises
    ------
    SchemaError
        Naming every problem with its count and first rows, never a cell.
    DataError
        If the source cannot be opened or the time zone is unknown.
    TypeError
        If the source is no table, or the schema no schema.
    MissingExtraError
        If a Parquet file is read without pyarrow.

    Notes
    -----
    Negative amounts (refunds), prices of zero and equal lines of events are valid and counted in the report; only
    tables with a key (CUSTOMERS, CASES) set all but the first row of a key aside. A local time that a clock change left
    out is moved forward by the change; one that it repeated is taken as the first of the two; both are counted.

    Examples
    --------
    >>> from crmkit import records
    >>> loaded = records.read(
    ...     {"客户编号": [13085.0, None], "日期": ["2010-03-01", "2010-03-02"], "金额": ["12.50", "-3"]},
    ...     records.TRANSACTIONS, on_error="set-aside", timezone="Asia/Shanghai", currency="CNY",
    ... )
    >>> loaded.table[["customer_id", "day", "amount"]].to_dict("records")
    [{'customer_id': '13085', 'day': 14669, 'amount': 12.5}]
    >>> loaded.set_aside["reason"].tolist()
    ['customer_id: missing']
    """
    if on_error not in {"raise", "set-aside"}:
        raise ValueError(f"on_error must be 'raise' or 'set-aside', got {on_error!r}")
    if not isinstance(schema, Schema):
        raise TypeError(f"schema must be a Schema such as records.TRANSACTIONS, got {type(schema).__name__}")
    zone = check_timezone(timezone)
    chosen = None if preset is None else load_preset(preset, schema)
    opened = open_source(source, encoding=encoding)
    headers = [str(header) for header in opened.frame.columns if header != EXTRA]
    mapped = map_headers(
        schema,
        headers,
        columns=columns,
        preset=None if chosen is None else chosen.columns,
        repeated=opened.repeated,
    )
    return load(
        opened, schema, mapped, on_error=on_error, timezone=timezone, zone=zone, currency=currency, day_first=day_first
    )


def load(
    opened: Opened,
    schema: Schema,
    mapped: Mapped,
    *,
    on_error: OnError,
    timezone: str,
    zone: ZoneInfo,
    currency: str | None,
    day_first: bool | None,
    converted: Mapping[str, Converted] | None = None,
) -> Loaded:
    """Check an opened source against a schema; ``converted`` hands in columns that were read already."""
    frame = opened.frame
    cells = {
        name: _convert(frame[header], schema[name], zone, day_first=day_first)
        for name, header in mapped.headers.items()
        if name not in (converted or {})
    }
    cells.update(converted or {})
    wrong = _wrong_rows(schema, cells, opened.broken)
    table = {name: cells[name].values for name in schema.names if name in cells}
    told = [note for cell in cells.values() for note in cell.notes]
    wrong.update(_finish.derive(table, schema, cells, wrong, told, len(frame)))
    fatal = [*mapped.problems, *(problem for cell in cells.values() for problem in cell.fatal)]
    known, unlike = _finish.settle_currency(table, schema, currency, wrong, len(frame))
    fatal += unlike
    wrong.update(_finish.repeated_keys(table, schema, wrong, len(frame)))
    _refuse(opened.name, schema, fatal, wrong if on_error == "raise" else {})
    bad = _any(wrong, len(frame))
    rows = np.flatnonzero(~bad)
    valid = pd.DataFrame(
        {name: values.iloc[rows].reset_index(drop=True) for name, values in table.items()}, index=range(len(rows))
    )
    kept_day = _finish.add_day(valid, frame, mapped.headers, rows, zone)
    kept = _finish.keep_others(valid, frame, mapped.headers, rows, without={EXTRA, *kept_day})
    report = ReadReport(
        schema=schema.name,
        source=opened.name,
        n_rows=len(frame),
        n_valid=len(rows),
        n_set_aside=int(bad.sum()),
        reasons={reason: int(mask.sum()) for reason, mask in wrong.items()},
        headers=mapped.headers,
        told=mapped.told,
        kept=kept,
        counts=_finish.counts(valid, schema),
        notes=tuple(told),
        currency=known,
        timezone=timezone,
        n_customers=int(valid["customer_id"].nunique()) if "customer_id" in valid else 0,
        encoding=opened.encoding,
        delimiter=opened.delimiter,
        **_finish.span(valid),
    )
    aside = _set_aside(frame, wrong, bad)
    return Loaded(table=valid, set_aside=aside, report=report, schema=schema, rows=rows.astype(np.int64))


def _convert(column: pd.Series, spec: Column, zone: ZoneInfo, *, day_first: bool | None) -> Converted:
    """Bring one column to its stored form."""
    if spec.dtype == "id":
        return as_ids(column)
    if spec.dtype == "text":
        return as_text(column, strip=spec.role != "text")
    if spec.dtype == "value":
        return _as_value(column, spec)
    if spec.dtype in {"time", "date"}:
        return as_times(column, spec, zone, day_first=day_first)
    return as_numbers(column, spec)


def _as_value(column: pd.Series, spec: Column) -> Converted:
    """Bring a column to numbers where it holds nothing else, else to text."""
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype("Float64")
    numbers = as_numbers(column, spec)
    return as_text(column, strip=True) if numbers.wrong or numbers.fatal else numbers


def _wrong_rows(
    schema: Schema, cells: Mapping[str, Converted], broken: Mapping[str, npt.NDArray[np.bool_]]
) -> dict[str, npt.NDArray[np.bool_]]:
    """List the rows that cannot be used, by reason."""
    wrong = {f"row: {reason}": mask for reason, mask in broken.items()}
    for name in schema.names:
        if name not in cells:
            continue
        column, cell = schema[name], cells[name]
        if not column.nullable and not column.product_of and cell.missing.any():
            wrong[f"{name}: missing"] = cell.missing
        wrong.update({f"{name}: {reason}": mask for reason, mask in cell.wrong.items() if mask.any()})
    return wrong


def _any(wrong: Mapping[str, npt.NDArray[np.bool_]], n_rows: int) -> npt.NDArray[np.bool_]:
    """Say which rows have any reason against them."""
    bad = np.zeros(n_rows, dtype=bool)
    for mask in wrong.values():
        bad |= mask
    return bad


def _refuse(
    source: str, schema: Schema, fatal: list[SchemaProblem], wrong: Mapping[str, npt.NDArray[np.bool_]]
) -> None:
    """Raise one error with everything that is wrong, where anything is."""
    problems = list(fatal)
    for reason, mask in wrong.items():
        column, _, what = reason.partition(": ")
        rows = np.flatnonzero(mask)
        problems.append(SchemaProblem(column, what, len(rows), tuple(int(row) for row in rows[:_SHOWN])))
    if not problems:
        return
    count = len(problems)
    message = f"{source} is not {schema.name}: {count} {'problem' if count == 1 else 'problems'}"
    if wrong and not fatal:
        message += "; on_error='set-aside' keeps the rows that can be used"
    raise SchemaError(message, [replace(problem) for problem in problems])


def _set_aside(
    frame: pd.DataFrame, wrong: Mapping[str, npt.NDArray[np.bool_]], bad: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Give the rows that cannot be used as they stood, with their reasons and positions."""
    rows = np.flatnonzero(bad)
    reasons = np.full(len(rows), "", dtype=object)
    for reason, mask in wrong.items():
        hit = mask[rows]
        reasons[hit] = [f"{before}; {reason}" if before else reason for before in reasons[hit]]
    clash = {name: f"{name} (source)" for name in ("reason", "row") if name in frame.columns}
    aside = frame.iloc[rows].rename(columns=clash).reset_index(drop=True)
    return aside.assign(reason=reasons, row=rows.astype(np.int64))
