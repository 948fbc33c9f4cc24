"""Writes a simulated company's exports and runs the main job on them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError
from crmkit.datasets import make_company
from crmkit.pipeline._run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit.pipeline._result import RunResult

__all__ = ["demo"]

LEAST = 200
EXPORTS = {"transactions": "transactions", "communications": "messages", "feedback": "feedback"}


def demo(
    output: str | Path = "crmkit-demo",
    *,
    n_customers: int = 2_000,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> RunResult:
    """Show the main job on a simulated company: segments, values, classified complaints, a plan, a report.

    Exports as a company would have them are written to ``output`` (some invoice lines lack their customer, half of the
    messages have been sorted by hand), beside the configuration ``demo.toml`` that is then run on them: copy it and put
    your own files in.

    Parameters
    ----------
    output : str or Path, default="crmkit-demo"
        The folder to write to.
    n_customers : int, default=2000
        How large the company is; at least 200.
    seed : int, default=0
        Of the simulation.
    progress : callable or None
        As for ``run``.

    Returns
    -------
    RunResult
        Objects, files, seconds and peak memory.

    Raises
    ------
    DataError
        If the company would be too small to show anything.

    Notes
    -----
    Needs no network and no public data, but the extra ``demo``: matplotlib and jinja2 for the report. Under half a
    minute and 500 MB with the defaults.

    Examples
    --------
    >>> import tempfile
    >>> from crmkit import pipeline
    >>> result = pipeline.demo(tempfile.mkdtemp(), n_customers=600)
    >>> result.verdict.ok, result.report.name
    (True, 'report.html')
    """
    if n_customers < LEAST:
        raise DataError(f"the demo needs at least {LEAST} customers to have every class of messages, got {n_customers}")
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    company = make_company(n_customers, seed=seed)
    random = np.random.default_rng(seed)
    for table, name in EXPORTS.items():
        # What a company exports has no calendar days worked out yet.
        frame = getattr(company, table).drop(columns="day").reset_index(drop=True)
        if table == "transactions":
            frame.loc[random.random(len(frame)) < 0.01, "customer_id"] = None
        if table == "communications":
            frame.loc[random.random(len(frame)) < 0.5, "label"] = None
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")
    configuration = folder / "demo.toml"
    configuration.write_text((files("crmkit.pipeline") / "demo.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return run(configuration, output=folder / "output", progress=progress)
