"""Measures CPU seconds and peak memory of a step in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

DATA = Path(os.environ.get("CRMKIT_DATA", Path(__file__).parents[3] / "shared" / "data"))


def best_of(n: int, code: str, *, timeout: float = 200.0) -> dict[str, object]:
    """Measure a short step several times and give the run of least CPU seconds: other work on the machine only adds."""
    runs = [measure(code, timeout=timeout) for _ in range(n)]
    return min(runs, key=lambda run: run["cpu_s"] if isinstance(run["cpu_s"], float) else float("inf"))


def measure(code: str, *, timeout: float = 200.0, python: str = sys.executable) -> dict[str, object]:
    """Run code in a fresh interpreter and give what it cost.

    The code calls ``start()`` where the step begins and may put results into ``answer``. CPU seconds are those between
    ``start()`` and the end; peak memory is the whole process's. ``python`` is the interpreter, where a peer has one
    of its own.
    """
    script = (
        "import json, resource, time\nanswer = {}\n_t = [time.process_time(), time.perf_counter()]\n"
        "def start():\n    _t[:] = [time.process_time(), time.perf_counter()]\n"
        f"{textwrap.dedent(code)}\n"
        "answer.update(cpu_s=round(time.process_time() - _t[0], 2), wall_s=round(time.perf_counter() - _t[1], 2))\n"
        "answer.update(peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))\n"
        "print(json.dumps(answer))"
    )
    try:
        command = [python, "-W", "ignore", "-c", script]
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return {"cpu_s": f"over {timeout:.0f}", "wall_s": f"over {timeout:.0f}", "peak_mb": "-"}
    if run.returncode:
        return {"cpu_s": "failed", "wall_s": run.stderr.strip().splitlines()[-1][:80], "peak_mb": "-"}
    return dict(json.loads(run.stdout.splitlines()[-1]))


def show(title: str, rows: dict[str, dict[str, object]]) -> None:
    """Print a table, one row a step or peer."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    cells = {name: [str(row.get(column, "")) for column in columns] for name, row in {"": {}, **rows}.items()}
    cells[""] = columns
    widths = [max(12, *(len(row[place]) for row in cells.values())) + 2 for place in range(len(columns))]
    left = max(len(name) for name in rows) + 2
    print(f"\n{title}")
    for name, row in cells.items():
        print(f"{name:{left}}" + "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    print(f"(this process's own peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB)")
