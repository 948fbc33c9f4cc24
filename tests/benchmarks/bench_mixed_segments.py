"""Rows with five numbers and two categories in five groups: k-prototypes beside kmodes, and k-medoids by Gower."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from measure import measure, show

TABLE = """
import numpy as np, pandas as pd
random = np.random.default_rng(0)
n = {n}
group = random.integers(0, 5, n)
numbers = random.normal(size=(n, 5)) + random.normal(0.0, 2.0, (5, 5))[group]
often = random.random((n, 2)) < 0.7
channel = np.where(often[:, 0], group, random.integers(0, 5, n))
region = np.where(often[:, 1], group, random.integers(0, 10, n))
table = pd.DataFrame(numbers, columns=list("abcde"))
table["channel"] = np.array([f"channel {{code}}" for code in range(5)])[channel]
table["region"] = np.array([f"region {{code}}" for code in range(10)])[region]
"""
OURS = """
from crmkit.segmentation import KPrototypes
start()
model = KPrototypes(5, random_state=0{options}).fit(table)
answer.update(cost=round(model.cost_, 1))
"""
KMODES = """
from kmodes.kprototypes import KPrototypes
start()
model = KPrototypes(5, random_state=0, n_init={n_init}).fit(table, categorical=[5, 6])
answer.update(cost=round(model.cost_, 1))
"""
MEDOIDS = """
from crmkit.segmentation import KMedoids
start()
model = KMedoids(5, metric="gower", random_state=0).fit(table)
answer.update(cost=f"{{model.inertia_:.1f}} (Gower)")
"""

if __name__ == "__main__":
    for n in [int(size) for size in sys.argv[1:]] or [10_000, 100_000]:
        table = TABLE.format(n=n)
        rows = {
            "crmkit k-prototypes, 10 starts": measure(table + OURS.format(options="")),
            "crmkit k-prototypes, 10 starts on all rows": measure(table + OURS.format(options=", sample_size=None")),
        }
        if find_spec("kmodes") is None:
            rows["kmodes"] = {"cpu_s": "absent"}
        else:
            # Ten starts of kmodes take ten times as long, so one must do.
            rows["kmodes, 1 start"] = measure(table + KMODES.format(n_init=1), timeout=120.0)
        rows["crmkit k-medoids"] = measure(table + MEDOIDS.format())
        show(f"{n:,} rows, 5 numbers, 2 categories, 5 groups", rows)
