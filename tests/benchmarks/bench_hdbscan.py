"""HDBSCAN by both engines: CPU seconds, peak memory and how far the labels agree, in one run."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import measure, show

HERE = Path(__file__).parent
FIT = """
import sys
sys.path.insert(0, {here!r})
import numpy as np
import dense_tables
from crmkit.segmentation import HDBSCAN
points = dense_tables.{table}
start()
model = HDBSCAN(50, min_samples=10, engine={engine!r}).fit(points)
answer["clusters"] = int(model.labels_.max()) + 1
answer["noise"] = f"{{(model.labels_ < 0).mean():.1%}}"
np.save({saved!r}, model.labels_)
"""
SAME = """
import numpy as np
from sklearn.metrics import adjusted_rand_score
start()
one, other = np.load({first!r}), np.load({second!r})
answer["differ"] = int((one != other).sum())
answer["rand"] = f"{{adjusted_rand_score(one, other):.4f}}"
"""
PREDICT = """
import sys
sys.path.insert(0, {here!r})
import dense_tables
from crmkit.segmentation import HDBSCAN
points = dense_tables.{table}
model = HDBSCAN(50, min_samples=10).fit(points)
new = dense_tables.rfm(10_000, seed=1)
start()
answer["noise"] = f"{{(model.predict(new) < 0).mean():.1%}}"
"""


def beside(title: str, table: str, *, timeout: float = 300.0) -> None:
    """Print one table: both engines, and how they compare."""
    rows: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        saved = {engine: str(Path(folder) / f"{engine}.npy") for engine in ("scikit-learn", "hdbscan")}
        for engine, path in saved.items():
            code = FIT.format(here=str(HERE), table=table, engine=engine, saved=path)
            rows[engine] = measure(code, timeout=timeout)
        costs = [row["cpu_s"] for row in rows.values()]
        if all(isinstance(cost, float) for cost in costs):
            same = measure(SAME.format(first=saved["scikit-learn"], second=saved["hdbscan"]))
            rows["hdbscan"]["of its CPU"] = f"{costs[1] / costs[0]:.2f}"
            rows["hdbscan"]["labels differ"] = same["differ"]
            rows["hdbscan"]["adjusted Rand"] = same["rand"]
    show(title, rows)


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    beside(f"RFM-like, {n:,} x 5", f"rfm({n})")
    beside(f"RFM-like with discrete values, {n:,} x 5", f"rfm({n}, discrete=True)")
    beside(f"clumps, {n // 5:,} x 5", f"clumps({n // 5})")
    show(
        f"placing 10,000 among {n // 5:,}", {"crmkit": measure(PREDICT.format(here=str(HERE), table=f"rfm({n // 5})"))}
    )
