"""Small tables of ratings, and formulas worked out one pair at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def small():
    """Give 12 customers, 9 items and 60 ratings from 0.5 to 5 in halves, no pair twice, in no order."""
    return random_ratings(12, 9, 60, seed=3)


@pytest.fixture
def random_table():
    """Give a function that draws ratings."""
    return random_ratings


def random_ratings(n_customers, n_items, n_ratings, *, seed, step=0.5):
    """Draw ratings of distinct pairs; customers have a mean of their own."""
    random = np.random.default_rng(seed)
    pair = random.permutation(n_customers * n_items)[:n_ratings]
    customer, item = pair // n_items, pair % n_items
    level = random.normal(3.0, 0.8, n_customers)[customer] + random.normal(0.0, 0.8, n_items)[item]
    rating = np.clip(np.round((level + random.normal(0, 0.7, n_ratings)) / step) * step, 0.5, 5.0)
    return pd.DataFrame(
        {"customer_id": [f"c{c:02d}" for c in customer], "item_id": [f"i{i:02d}" for i in item], "rating": rating}
    )


class ByHand:
    """What Surprise 1.1.5 computes, written out as loops over pairs from the formulas of its documentation."""

    def __init__(self, table, *, side="item"):
        self.table = list(zip(table["customer_id"], table["item_id"], table["rating"], strict=True))
        self.mean = float(np.mean([r for _, _, r in self.table]))
        self.side = side
        self.by_target, self.by_other = {}, {}
        for c, i, r in self.table:
            target, other = (i, c) if side == "item" else (c, i)
            self.by_target.setdefault(target, {})[other] = r
            self.by_other.setdefault(other, {})[target] = r
        self.b_customer, self.b_item = self.als()

    def als(self, n_epochs=10, reg_u=15, reg_i=10):
        customers = {c: 0.0 for c, _, _ in self.table}
        items = {i: 0.0 for _, i, _ in self.table}
        for _ in range(n_epochs):
            for item in items:
                own = [r - self.mean - customers[c] for c, i, r in self.table if i == item]
                items[item] = sum(own) / (reg_i + len(own))
            for customer in customers:
                own = [r - self.mean - items[i] for c, i, r in self.table if c == customer]
                customers[customer] = sum(own) / (reg_u + len(own))
        return customers, items

    def baseline(self, customer, item):
        return self.mean + self.b_customer.get(customer, 0.0) + self.b_item.get(item, 0.0)

    def pair_of(self, target, other):
        return (other, target) if self.side == "item" else (target, other)

    def similarity(self, name, a, b, min_support=1, shrinkage=100):
        mine, theirs = self.by_target[a], self.by_target[b]
        both = [other for other in mine if other in theirs]
        n = len(both)
        if n < (max(2, min_support) if name == "pearson-baseline" else min_support):
            return 0.0
        x, y = np.array([mine[o] for o in both]), np.array([theirs[o] for o in both])
        if name == "msd":
            return 1 / (np.mean((x - y) ** 2) + 1)
        if name == "pearson":
            x, y = x - x.mean(), y - y.mean()
        if name == "pearson-baseline":
            x = x - np.array([self.baseline(*self.pair_of(a, o)) for o in both])
            y = y - np.array([self.baseline(*self.pair_of(b, o)) for o in both])
        squares = np.sqrt((x @ x) * (y @ y))
        cosine = x @ y / squares if squares > 1e-12 else 0.0
        return cosine * (n - 1) / (n - 1 + shrinkage) if name == "pearson-baseline" else cosine

    def predict(self, customer, item, *, name, centre, k=40, min_k=1, min_support=1, shrinkage=100):
        """Give the rating before it is held to the scale, the number of neighbors, and whether they were enough."""
        target, other = (item, customer) if self.side == "item" else (customer, item)
        known = target in self.by_target and other in self.by_other
        baseline = self.baseline(customer, item)
        if not known:
            return (baseline if centre == "baseline" else self.mean), 0
        found = [
            (self.similarity(name, target, t, min_support, shrinkage), r, t)
            for t, r in self.by_other[other].items()
            if t != target
        ]
        found = sorted(found, key=lambda one: -round(one[0], 12))[:k]
        found = [(s, r, t) for s, r, t in found if s > 1e-15]
        mean = {t: float(np.mean(list(rs.values()))) for t, rs in self.by_target.items()}
        centred = {
            "none": lambda r, _: r,
            "mean": lambda r, t: r - mean[t],
            "baseline": lambda r, t: r - self.baseline(*self.pair_of(t, other)),
        }[centre]
        start = {"none": 0.0, "mean": mean[target], "baseline": baseline}[centre]
        if len(found) < min_k:
            return (self.mean if centre == "none" else start), len(found)
        total = sum(s for s, _, _ in found)
        return start + sum(s * centred(r, t) for s, r, t in found) / total, len(found)


@pytest.fixture
def by_hand():
    """Give the class that works predictions out one pair at a time."""
    return ByHand
