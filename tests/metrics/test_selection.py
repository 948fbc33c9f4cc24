from __future__ import annotations

import numpy as np
import pytest

from crmkit import DataError
from crmkit.metrics import selection_stability


def test_the_same_choice_every_time_is_one_and_chance_is_zero():
    random = np.random.default_rng(0)
    same = np.tile(random.random(40) < 0.3, (10, 1))
    assert selection_stability(same) == 1
    drawn = np.array([random.permutation(np.arange(200) < 40) for _ in range(400)])
    assert selection_stability(drawn) == pytest.approx(0, abs=0.01)


def test_it_is_the_papers_formula_over_pairs_for_choices_of_one_size():
    # With k columns each time it is the mean over pairs of (shared - k^2/d) / (k - k^2/d) (Kuncheva 2007), to which
    # Nogueira et al. (2018, section 4) show theirs to reduce.
    random = np.random.default_rng(1)
    k, d = 5, 20
    masks = np.array([random.permutation(np.arange(d) < k) for _ in range(12)])
    pairs = [(masks[i] & masks[j]).sum() for i in range(12) for j in range(i)]
    kuncheva = np.mean([(shared - k**2 / d) / (k - k**2 / d) for shared in pairs])
    assert selection_stability(masks) == pytest.approx(kuncheva)


def test_intervals_cover_the_stability_of_many_choices():
    random = np.random.default_rng(2)
    shares = random.beta(0.5, 0.5, 30)
    truth = float(selection_stability(random.random((20_000, 30)) < shares))
    hits = 0
    for _ in range(400):
        found = selection_stability(random.random((30, 30)) < shares)
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / 400 <= 0.985


def test_nothing_to_choose_has_no_stability():
    assert np.isnan(selection_stability(np.ones((3, 4), dtype=bool)))
    assert selection_stability(np.ones((3, 4), dtype=bool)).n == 3


@pytest.mark.parametrize("wrong", [[[1, 0]], [1, 0], [[0.5, 1], [1, 0]], np.empty((2, 0))])
def test_what_is_no_choice_is_refused(wrong):
    with pytest.raises(DataError, match="chosen must"):
        selection_stability(wrong)
