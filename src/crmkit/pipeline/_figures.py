"""The step that works out figures with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit import metrics
from crmkit.core.checks import require_columns
from crmkit.core.estimate import Estimate
from crmkit.core.registry import create

if TYPE_CHECKING:
    import pandas as pd

    from crmkit.pipeline._result import RunResult
    from crmkit.pipeline._schema import Config, MetricTable

__all__ = ["run_metrics"]


def run_metrics(config: Config, result: RunResult) -> None:
    """Work out every configured figure, one for each group where ``by`` is given."""
    for metric in config.metrics:
        table = result.tables[metric.table]
        require_columns(table, [*metric.columns, *([metric.by] if metric.by else [])], what=metric.table)
        name = metric.name or metric.evaluator
        if metric.by is None:
            result.metrics[name] = _estimate(metric, table)
            continue
        for group, rows in table.groupby(metric.by, sort=True, observed=True):
            result.metrics[f"{name}: {group}"] = _estimate(metric, rows)


def _estimate(metric: MetricTable, table: pd.DataFrame) -> Estimate:
    """Compute one figure; one without an interval of its own gets it by bootstrap over rows."""
    columns: list[Any] = [table[column].to_numpy() for column in metric.columns]
    evaluate = create("evaluator", metric.evaluator, **metric.options)
    figure = evaluate(*columns)
    return figure if isinstance(figure, Estimate) else metrics.bootstrap(evaluate, *columns)
