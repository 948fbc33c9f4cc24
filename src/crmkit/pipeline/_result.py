"""What a configured run leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from crmkit.core.estimate import Estimate

__all__ = ["RunResult"]


@dataclass
class RunResult:
    """The objects a run made, the files it wrote, and what it cost.

    Attributes
    ----------
    output : Path
        The folder that was written to.
    loaded : dict of str to Loaded
        What was read, by the name of its table; tables of schema ``plain`` are not in it.
    tables : dict of str to DataFrame
        The tables that were read, with the classes where they were classified.
    quality : DataFrame or None
        Of ``records.quality``.
    rfm, customers : DataFrame or None
        Per customer: recency, frequency and monetary value; and all that is known, the segment included.
    segments : SegmentationModel or None
        The segments.
    comparison : DataFrame or None
        Lifetime models beside naive forecasts.
    classifier : object or None
        The classifier that was trained, evaluated and used.
    class_report : DataFrame or None
        Precision, recall and F1 of each class on messages it was not trained on.
    metrics : dict of str to Estimate
        Every figure with its interval.
    cases : DataFrame or None
        One row a case.
    problem, plan, verdict : object or None
        The planning problem, the plan, and what the independent verifier says of it.
    what_if : dict of str to DataFrame
        What other limits would keep.
    report : Path or None
        The HTML file.
    files : list of Path
        Everything that was written.
    seconds : dict of str to float
        Wall time of each step.
    peak_mb : float
        Peak memory of the process so far, in megabytes.
    """

    output: Path
    loaded: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    quality: pd.DataFrame | None = None
    rfm: pd.DataFrame | None = None
    customers: pd.DataFrame | None = None
    segments: Any = None
    comparison: pd.DataFrame | None = None
    classifier: Any = None
    class_report: pd.DataFrame | None = None
    metrics: dict[str, Estimate] = field(default_factory=dict)
    cases: pd.DataFrame | None = None
    problem: Any = None
    plan: Any = None
    verdict: Any = None
    what_if: dict[str, pd.DataFrame] = field(default_factory=dict)
    report: Path | None = None
    files: list[Path] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0

    def summary(self) -> str:
        """Write what was done in a few lines: counts, figures, time and memory.

        Returns
        -------
        str
            Counts only, nothing of any customer.
        """
        lines = []
        for name, loaded in self.loaded.items():
            lines.append(f"{name}: {len(loaded.table):,} rows used, {len(loaded.set_aside):,} set aside")
        if self.customers is not None:
            lines.append(f"customers: {len(self.customers):,}")
        if self.segments is not None:
            lines.append(f"segments: {self.segments.n_segments}")
        lines += [f"{name}: {estimate}" for name, estimate in self.metrics.items()]
        if self.cases is not None:
            customers = int(self.cases["customer_id"].nunique())
            lines.append(f"cases: {len(self.cases):,}" + (f" of {customers:,} customers" if customers else ""))
        if self.plan is not None:
            counts = self.plan.table["remedy"].value_counts()
            lines.append("plan: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
            lines.append(
                f"kept {self.plan.value:,.0f}, at most {self.plan.bound:,.0f} possible (gap {self.plan.gap:.1e})"
            )
            lines.append(
                f"verified: {'every limit is kept' if self.verdict.ok else 'NOT: ' + str(self.verdict.violations)}"
            )
        lines.append(f"time: {sum(self.seconds.values()):.1f} s, peak memory: {self.peak_mb:,.0f} MB")
        lines.append(f"files: {len(self.files)} in {self.output}")
        if self.report is not None:
            lines.append(f"report: {self.report}")
        return "\n".join(lines)
