"""DBSCAN beside scikit-learn's: CPU seconds, peak memory and whether the labels are equal, in one run."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import measure, show

HERE = Path(__file__).parent
FIT = """
import sys
sys.path.insert(0, {here!r})
import resource
import numpy as np
import dense_tables
from {module} import DBSCAN
points = dense_tables.{table}
# What a wide eps asks of scikit-learn would take the machine down: it gets 8 GiB.
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
start()
model = DBSCAN(eps={eps}, min_samples=10).fit(points)
answer["clusters"] = int(model.labels_.max()) + 1
answer["noise"] = f"{{(model.labels_ < 0).mean():.1%}}"
np.save({saved!r}, np.append(model.labels_, model.core_sample_indices_))
"""
SAME = """
import numpy as np
start()
one, other = np.load({ours!r}), np.load({theirs!r})
answer["same"] = "yes" if np.array_equal(one, other) else "NO"
"""


def beside(title: str, table: str, eps: float, *, peer: bool = True, timeout: float = 300.0) -> None:
    """Print one table: ours, scikit-learn's, and how they compare."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = (str(Path(folder) / name) for name in ("ours.npy", "theirs.npy"))
        fill = {"here": str(HERE), "table": table, "eps": eps}
        rows = {"crmkit": measure(FIT.format(module="crmkit.segmentation", saved=ours, **fill), timeout=timeout)}
        if peer:
            rows["scikit-learn"] = measure(FIT.format(module="sklearn.cluster", saved=theirs, **fill), timeout=timeout)
            costs = [row["cpu_s"] for row in rows.values()]
            if all(isinstance(cost, float) for cost in costs):
                rows["crmkit"]["of its CPU"] = f"{costs[0] / costs[1]:.2f}"
                rows["crmkit"]["same labels, cores"] = measure(SAME.format(ours=ours, theirs=theirs))["same"]
    show(f"{title}, eps={eps:g}", rows)


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for reach in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0):
        beside(f"RFM-like, {n:,} x 5", f"rfm({n})", reach)
        beside(f"RFM-like with discrete values, {n:,} x 5", f"rfm({n}, discrete=True)", reach)
    for shape, columns, reach in (
        ("clumps", 5, 0.1),
        ("clumps", 5, 0.3),
        ("filaments", 5, 0.15),
        ("parallels", 3, 0.1),
    ):
        beside(f"{shape}, {n:,} x {columns}", f"{shape}({n})", reach)
    beside(f"one cloud, {n // 5:,} x 20: left to scikit-learn", f"cloud({n // 5})", 4.0)
    beside(f"RFM-like, {10 * n:,} x 5", f"rfm({10 * n})", 0.2, peer=False, timeout=600)
    beside(
        f"RFM-like with discrete values, {10 * n:,} x 5", f"rfm({10 * n}, discrete=True)", 1.0, peer=False, timeout=600
    )
