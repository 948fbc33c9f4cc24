"""How often choose_k is right, on groups that are there and on clouds that have none, and what it costs.

Run ``python bench_choose_k.py [cost] [blobs] [clouds] [hard] [mixed] [--seeds 20]``; without a name, all of them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from measure import measure, show

if TYPE_CHECKING:
    import numpy.typing as npt

N, N_COLUMNS = 2000, 3
NUMBERS = range(2, 11)

COST = """
start()
import numpy as np
from crmkit.segmentation import choose_k
random = np.random.default_rng(0)
centers = random.uniform(-12, 12, (6, 5))
points = random.normal(size=(100_000, 5)) + centers[random.integers(0, 6, 100_000)]
choice = choose_k({name!r}, points, range(1, 11), random_state=0)
answer.update(n_segments=choice.n_segments, criterion=choice.criterion)
"""


def centers(k: int, apart: float, seed: int) -> npt.NDArray[np.float64]:
    """Draw centers at least so far apart, in a box that has room for twice as many."""
    random = np.random.default_rng(1000 * k + seed)
    side = apart * (2.0 * k) ** (1 / N_COLUMNS)
    found = random.uniform(0, side, (1, N_COLUMNS))
    while len(found) < k:
        one = random.uniform(0, side, N_COLUMNS)
        if np.linalg.norm(found - one, axis=1).min() > apart:
            found = np.vstack([found, one])
    return found


def blobs(k: int, seed: int, *, apart: float = 7.0) -> npt.NDArray[np.float64]:
    """Give as many customers in each of k round groups of deviation 1."""
    random = np.random.default_rng(seed)
    return np.repeat(centers(k, apart, seed), N // k, axis=0) + random.normal(size=(N // k * k, N_COLUMNS))


def unequal(k: int, seed: int) -> npt.NDArray[np.float64]:
    """Give groups each half as large as the one before, down to a fiftieth of the customers."""
    random = np.random.default_rng(seed)
    shares = np.maximum(0.5 ** np.arange(k), 0.04)
    group = np.repeat(np.arange(k), np.round(N * shares / shares.sum()).astype(int))
    return centers(k, 7.0, seed)[group] + random.normal(size=(len(group), N_COLUMNS))


def elongated(k: int, seed: int) -> npt.NDArray[np.float64]:
    """Give groups four times as long as wide, each turned its own way."""
    random = np.random.default_rng(seed)
    parts = []
    for center in centers(k, 14.0, seed):
        turn = np.linalg.qr(random.normal(size=(N_COLUMNS, N_COLUMNS)))[0]
        parts.append(center + (random.normal(size=(N // k, N_COLUMNS)) * [4.0, 1.0, 1.0]) @ turn)
    return np.vstack(parts)


def spread(k: int, seed: int) -> npt.NDArray[np.float64]:
    """Give groups of deviation .5, 1 and 2 in turn."""
    random = np.random.default_rng(seed)
    deviation = np.repeat(np.array([0.5, 1.0, 2.0])[np.arange(k) % 3], N // k)
    return (
        np.repeat(centers(k, 12.0, seed), N // k, axis=0)
        + random.normal(size=(N // k * k, N_COLUMNS)) * (deviation[:, None])
    )


def cloud(kind: str, seed: int) -> npt.NDArray[np.float64]:
    """Give one cloud without groups."""
    random = np.random.default_rng(seed)
    if kind == "t5":
        return random.standard_t(5, (N, N_COLUMNS))
    if kind == "gaussian, tilted":
        return random.normal(size=(N, N_COLUMNS)) @ np.array([[3.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.4]])
    return {"gaussian": random.normal, "uniform": random.uniform, "exponential": random.exponential}[kind](
        size=(N, N_COLUMNS)
    )


def mixed(k: int, seed: int) -> pd.DataFrame:
    """Give groups in three numbers, three deviations apart, and two categories that seven in ten of a group share."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(k), 1000 // k)
    table = pd.DataFrame(centers(k, 5.0, seed)[group] + random.normal(size=(len(group), N_COLUMNS)), columns=[*"abc"])
    table = (table - table.mean()) / table.std()
    for name, levels in (("channel", k), ("region", 5)):
        usual = random.random(len(group)) < 0.7
        table[name] = pd.Categorical(np.where(usual, group % levels, random.integers(0, levels, len(group))))
    return table


def mixed_cloud(kind: str, seed: int) -> pd.DataFrame:
    """Give numbers of one cloud, and categories that know nothing of them."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(cloud(kind, seed)[:1000], columns=[*"abc"])
    table = (table - table.mean()) / table.std()
    for name, shares in (("channel", [0.5, 0.3, 0.2]), ("region", [0.4, 0.2, 0.2, 0.1, 0.1])):
        table[name] = pd.Categorical(random.choice(len(shares), len(table), p=shares))
    return table


def recovered(make: Any, truths: Any, asked: argparse.Namespace, segmenter: str = "kmeans") -> dict[str, Any]:
    """Say how often the number is right, and what was said instead."""
    from crmkit.segmentation import choose_k

    rows: dict[str, Any] = {}
    begun = time.process_time()
    for truth in truths:
        wanted = truth if isinstance(truth, int) else 1
        said = [
            choose_k(segmenter, make(truth, seed), n_resamples=asked.resamples, random_state=seed).n_segments
            for seed in range(asked.seeds)
        ]
        others = Counter(k for k in said if k != wanted)
        told = ", ".join(f"{k} ({count}x)" for k, count in sorted(others.items()))
        rows[str(truth)] = {"right": sum(k == wanted for k in said), "of": asked.seeds, "else": told}
    total = sum(row["right"] for row in rows.values())
    rows["all"] = {"right": total, "of": asked.seeds * len(rows), "else": f"{time.process_time() - begun:.0f} CPU s"}
    return rows


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--resamples", type=int, default=20, help="0 leaves stability out, in a third of the time")
    asked = parser.parse_args()
    parts = asked.parts or ["cost", "blobs", "clouds", "hard", "mixed"]
    if "cost" in parts:
        rows = {name: measure(COST.format(name=name)) for name in ("kmeans", "gaussian-mixture", "k-medoids")}
        show("100,000 x 5 in six groups, 1 to 10 segments, imports counted", rows)
    if "blobs" in parts:
        show("Round groups, centers at least 7 deviations apart", recovered(blobs, NUMBERS, asked))
    if "clouds" in parts:
        kinds = ("gaussian", "gaussian, tilted", "uniform", "t5", "exponential")
        show("One cloud: right is 1", recovered(cloud, kinds, asked))
    if "hard" in parts:
        several = range(2, 9, 2)
        show("Unequal sizes", recovered(unequal, several, asked))
        show("Elongated", recovered(elongated, several, asked))
        show("Deviations of .5, 1 and 2", recovered(spread, several, asked))
        for apart in (5.0, 4.0, 3.0):
            rows = recovered(lambda k, seed, apart=apart: blobs(k, seed, apart=apart), several, asked)
            show(f"Overlapping: round groups {apart:g} deviations apart", rows)
    if "mixed" in parts:
        show(
            "Numbers and categories in groups (k-prototypes)",
            recovered(mixed, range(2, 7), asked, "k-prototypes"),
        )
        kinds = ("gaussian", "uniform", "t5")
        show("Numbers and categories without groups", recovered(mixed_cloud, kinds, asked, "k-prototypes"))


if __name__ == "__main__":
    main()
