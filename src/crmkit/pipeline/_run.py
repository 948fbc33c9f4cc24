"""Runs a configuration: each step in turn, timed, with its files."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import ConfigError
from crmkit.pipeline._config import load_config
from crmkit.pipeline._customers import read_tables, run_rfm, run_segments, run_value
from crmkit.pipeline._figures import run_metrics
from crmkit.pipeline._planning import run_cases, run_plan
from crmkit.pipeline._result import RunResult
from crmkit.pipeline._texts import run_text
from crmkit.pipeline._writing import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["run"]

_LOGGER = logging.getLogger("crmkit")


def run(
    config: str | Path | Mapping[str, Any],
    *,
    output: str | Path | None = None,
    data: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> RunResult:
    """Run the steps that a configuration names, from raw records to a plan and a report.

    A configuration is a TOML file, or a mapping of what one would hold: ``[read.NAME]`` for each table, then any of
    ``[rfm]``, ``[segments]``, ``[value]``, ``[text]``, ``[[metrics]]``, ``[cases]``, ``[[remedies]]``, ``[limits]`` and
    ``[plan]``. It is read strictly: everything unknown, missing or of a wrong type is told at once, with its line,
    before any data is read. The same configuration and data give the same files byte for byte, but for the one line
    of the report that holds the date.

    Parameters
    ----------
    config : str, Path or mapping
        The configuration.
    output : str, Path or None
        The folder to write to; by default what ``[output]`` says, else ``output`` beside the configuration.
    data : str, Path or None
        The folder of relative sources, instead of what the configuration says.
    progress : callable or None
        Called with a line before and after each step; by default lines go to the logger ``crmkit``.

    Returns
    -------
    RunResult
        Objects, files, seconds and peak memory.

    Raises
    ------
    ConfigError
        If the configuration has anything wrong.
    SchemaError, DataError, InfeasiblePlanError, PluginError
        As each step says; the message begins with the step's name.

    Examples
    --------
    >>> import tempfile
    >>> from crmkit import datasets, pipeline
    >>> folder = tempfile.mkdtemp()
    >>> datasets.make_company(200, seed=1).transactions.to_csv(f"{folder}/sales.csv", index=False)
    >>> result = pipeline.run({"data": folder, "read": {"sales": {"source": "sales.csv"}}, "rfm": {}}, output=folder)
    >>> list(result.rfm.columns)
    ['recency_days', 'frequency', 'monetary']
    """
    located = load_config(config, data=data)
    settings = located.config
    folder = Path(output) if output is not None else located.home / (settings.output.folder or "output")
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"the output {folder} is a file, not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    result = RunResult(folder)
    tell = progress or _LOGGER.info
    steps: list[tuple[str, bool, Callable[[], None]]] = [
        ("read", True, lambda: read_tables(located, result)),
        ("rfm", settings.rfm is not None, lambda: run_rfm(settings, result)),
        ("segments", settings.segments is not None, lambda: run_segments(settings, result)),
        ("value", settings.value is not None, lambda: run_value(settings, result)),
        ("text", settings.text is not None, lambda: run_text(settings, result)),
        ("metrics", bool(settings.metrics), lambda: run_metrics(settings, result)),
        ("cases", settings.cases is not None, lambda: run_cases(settings, result)),
        ("plan", settings.plan is not None, lambda: run_plan(settings, result)),
        ("write", True, lambda: write_all(settings, located.name, result)),
    ]
    wanted = [(name, step) for name, there, step in steps if there]
    for place, (name, step) in enumerate(wanted, start=1):
        with _timed(name, f"[{place}/{len(wanted)}] {name}", result, tell):
            step()
    result.peak_mb = _peak_mb()
    return result


@contextmanager
def _timed(name: str, label: str, result: RunResult, tell: Callable[[str], None]) -> Iterator[None]:
    """Time a step, tell of it before and after, and say which step an error comes from."""
    tell(f"{label} …")
    start = time.perf_counter()
    try:
        yield
    except Exception as error:
        error.add_note(f"in the step [{name}]")
        raise
    result.seconds[name] = time.perf_counter() - start
    tell(f"{label}: {result.seconds[name]:.1f} s")


def _peak_mb() -> float:
    """Give the peak memory of this process; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows has no such module
        return 0.0
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024
