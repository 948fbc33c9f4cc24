"""The best tags and the probabilities agree with trying every valid row of tags."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from crmkit.core.errors import DataError
from crmkit.text import from_tags
from crmkit.text.entities._chain import best_tags
from crmkit.text.entities._marginals import log_probabilities


def valid_rows(names, length):
    """Give every row of tags that spells whole entities, with the entities."""
    for row in itertools.product(range(len(names)), repeat=length):
        try:
            yield row, from_tags([[names[tag] for tag in row]], scheme="bmes", invalid="raise")[0]
        except DataError:
            continue


@pytest.mark.parametrize("seed", range(8))
def test_many_sequences_at_once_are_as_each_by_trying_all(seed):
    rng = np.random.RandomState(seed)
    k = int(rng.randint(1, 3))
    names = ["O"] + [f"{part}-{label}" for part in "SBME" for label in range(k)]
    lengths = rng.randint(1, 5 if k == 1 else 4, size=4)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    scores = (2 * rng.normal(size=(bounds[-1], len(names)))).astype(np.float32)
    transition = rng.normal(size=(len(names), len(names)))
    best = best_tags(scores, transition, bounds)
    for start, stop in itertools.pairwise(bounds.tolist()):
        weights, mass, highest = {}, 0.0, (-np.inf, ())
        for row, entities in valid_rows(names, stop - start):
            total = sum(float(scores[start + place, tag]) for place, tag in enumerate(row))
            total += sum(transition[pair] for pair in itertools.pairwise(row))
            highest = max(highest, (total, row))
            mass += np.exp(total)
            for one in entities:
                weights[one] = weights.get(one, 0.0) + np.exp(total)
        assert tuple(best[start:stop]) == highest[1]
        entities = list(weights)
        columns = tuple(
            np.array(column)
            for column in zip(
                *((start + one.start, start + one.end - 1, int(one.label)) for one in entities), strict=True
            )
        )
        found = np.exp(log_probabilities(scores, transition, bounds, columns))
        np.testing.assert_allclose(found, [weights[one] / mass for one in entities], atol=1e-5)
