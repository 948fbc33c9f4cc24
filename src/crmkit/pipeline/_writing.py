"""The step that writes tables, the plan, the figures and the report, the same bytes for the same run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from crmkit.pipeline._result import RunResult
    from crmkit.pipeline._schema import Config

__all__ = ["write_all"]

_SAFE = re.compile(r"[^\w.-]+")


def write_all(config: Config, name: str, result: RunResult) -> None:
    """Write everything that the run made into its folder."""
    classified = (config.text.classify or config.text.labelled) if config.text is not None else None
    for table, frame in result.tables.items():
        if config.output.records or table == classified:
            _write(result, f"{table}", frame, config.output.format)
    for table, loaded in result.loaded.items():
        if len(loaded.set_aside):
            _write(result, f"{table}_set_aside", loaded.set_aside, "csv")
    made: dict[str, pd.DataFrame | None] = {
        "quality": result.quality,
        "customers": result.customers,
        "segments": pd.DataFrame(result.segments.profile) if result.segments is not None else None,
        "models": result.comparison,
        "classes": result.class_report,
        "cases": result.cases,
    }
    for table, made_table in made.items():
        if made_table is not None:
            _write(result, table, made_table, config.output.format)
    if result.metrics:
        _write(result, "metrics", _figures(result), "csv")
    if result.plan is not None:
        _write(result, "plan", result.plan.table, "csv")
        _write(result, "prices", result.plan.prices, "csv")
        for limit, curve in result.what_if.items():
            _write(result, f"what_if_{limit}", curve, "csv")
    title = config.report.title or name.replace("_", " ")
    result.report = write_report(
        result.output / config.report.file, *_parts(result), title=title, lang=config.report.lang
    )
    result.files.append(result.report)


def _write(result: RunResult, name: str, frame: pd.DataFrame, how: str) -> None:
    """Write one table; its index comes along where it is named."""
    path: Path = result.output / f"{_SAFE.sub('_', name)}.{how}"
    index = any(level is not None for level in frame.index.names)
    if how == "parquet":
        (frame if index else frame.reset_index(drop=True)).to_parquet(path, index=index)
    else:
        frame.to_csv(path, index=index, lineterminator="\n", encoding="utf-8")
    result.files.append(path)


def _figures(result: RunResult) -> pd.DataFrame:
    """Put the figures into one table."""
    rows = [
        {
            "figure": name,
            "value": float(e),
            "low": e.low,
            "high": e.high,
            "n": e.n,
            "level": e.level,
            "method": e.method,
        }
        for name, e in result.metrics.items()
    ]
    return pd.DataFrame(rows)


def _parts(result: RunResult) -> list[Any]:
    """Arrange what the report shows."""
    parts: list[Any] = []
    for name, loaded in result.loaded.items():
        parts += [f"{name}", loaded]
    if result.segments is not None:
        parts.append(result.segments)
    if result.comparison is not None:
        parts += ["Can the lifetime models be believed?", result.comparison]
    if result.class_report is not None:
        parts += ["Classes of messages", result.class_report]
    if result.metrics:
        parts += ["Figures", dict(result.metrics)]
    if result.cases is not None:
        parts += ["Cases", {"cases": len(result.cases), "customers": int(result.cases["customer_id"].nunique())}]
        kinds = [column for column in ("label", "segment") if column in result.cases]
        for column in kinds:
            counts = result.cases[column].astype(object).fillna("–").value_counts()
            parts.append(counts.sort_index().sort_values(ascending=False, kind="stable").rename(f"cases by {column}"))
    if result.plan is not None:
        parts += [result.plan, {f"what if: {limit}": curve for limit, curve in result.what_if.items()}]
    if result.quality is not None:
        parts += ["Quality of the records", result.quality]
    return parts
