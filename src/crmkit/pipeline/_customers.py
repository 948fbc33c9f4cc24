"""The steps that read tables and work out what each customer is like and worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit import preparation, records, segmentation, value
from crmkit.core.checks import as_frame
from crmkit.core.registry import create

if TYPE_CHECKING:
    import pandas as pd

    from crmkit.pipeline._config import Located
    from crmkit.pipeline._result import RunResult
    from crmkit.pipeline._schema import Config

__all__ = ["read_tables", "run_rfm", "run_segments", "run_value"]


def read_tables(located: Located, result: RunResult) -> None:
    """Read every table, and measure their quality where asked."""
    for name, table in located.config.read.items():
        path = located.data / table.source
        if table.schema == "plain":
            result.tables[name] = as_frame(path, what=name).copy()
            continue
        loaded = records.read(
            path,
            getattr(records, table.schema.upper()),
            columns=table.columns or None,
            on_error="set-aside" if table.on_error == "set-aside" else "raise",
            timezone=table.timezone,
            currency=table.currency,
        )
        result.loaded[name] = loaded
        result.tables[name] = loaded.table
    if located.config.quality:
        result.quality = records.quality(result.loaded)


def _transactions(config: Config, result: RunResult, name: str) -> pd.DataFrame:
    """Give the table of transactions that a step means."""
    if not name:
        name = next(name for name, table in config.read.items() if table.schema == "transactions")
    return result.tables[name]


def run_rfm(config: Config, result: RunResult) -> None:
    """Work out recency, frequency and monetary value."""
    step = config.rfm
    assert step is not None  # noqa: S101 -- the runner calls a step only where it is configured
    sales = _transactions(config, result, step.table)
    result.rfm = preparation.rfm_table(sales, cutoff=step.cutoff, refunds=step.refunds)
    result.customers = result.rfm


def run_segments(config: Config, result: RunResult) -> None:
    """Put customers into segments."""
    step = config.segments
    assert step is not None  # noqa: S101 -- as above
    model = segmentation.segment(
        result.rfm,
        step.segmenter,
        n_segments=step.n_segments,
        transform=step.transform,
        random_state=config.seed,
        params=step.params or None,
    )
    names: Any = step.rename  # a mapping of text where one of text or numbers is asked for
    result.segments = model.rename(names) if names else model
    _join(result, result.segments.labels)


def run_value(config: Config, result: RunResult) -> None:
    """Estimate what each customer will buy and is worth."""
    step = config.value
    assert step is not None  # noqa: S101 -- as above
    sales = _transactions(config, result, step.table)
    cutoff = step.cutoff if step.cutoff is not None or config.rfm is None else config.rfm.cutoff
    summary = preparation.purchase_summary(sales, cutoff=cutoff, unit=step.unit, refunds=step.refunds)
    model = create("lifetime-model", step.lifetime, **step.lifetime_params).fit(summary)
    spend = create("spend-model", step.spend, **step.spend_params).fit(summary)
    worth = value.lifetime_value(
        model, spend, summary, horizon=step.horizon, margin=step.margin, annual_discount_rate=step.annual_discount_rate
    )
    if step.split is not None:
        names = list(dict.fromkeys([step.lifetime, *step.compare]))
        result.comparison = value.compare(names, sales, split=step.split, unit=step.unit, refunds=step.refunds)
    _join(result, summary, worth)


def _join(result: RunResult, *tables: Any) -> None:
    """Put more columns beside the customers, whose first table decides who they are."""
    parts = [result.customers, *tables] if result.customers is not None else list(tables)
    result.customers = parts[0].join(parts[1:]) if len(parts) > 1 else parts[0]
