"""Says how probable entities are under a linear-chain CRF, for many sequences at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.text.entities._chain import blocks, groups

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["log_probabilities"]


@dataclass(frozen=True)
class _Sums:
    """What all valid tags before and behind each token score.

    Attributes
    ----------
    forward, backward : ndarray of float64, shape (n_tokens, n_tags)
        Up to each token, its own score included, and behind it; each row sums to one.
    log_forward, log_backward : ndarray of float64, shape (n_tokens,)
        The logarithm of what the rows were divided by.
    log_total : ndarray of float64, shape (n_tokens,)
        The logarithm of what all valid tags of the token's sequence score.
    """

    forward: npt.NDArray[np.float64]
    backward: npt.NDArray[np.float64]
    log_forward: npt.NDArray[np.float64]
    log_backward: npt.NDArray[np.float64]
    log_total: npt.NDArray[np.float64]


def log_probabilities(
    scores: npt.NDArray[np.float32],
    transition: npt.NDArray[np.float64],
    bounds: npt.NDArray[np.int64],
    entities: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> npt.NDArray[np.float64]:
    """Give the logarithm of the probability of entities: exactly these tokens, with that label, whatever else is.

    Parameters
    ----------
    scores, transition, bounds
        As for `best_tags`.
    entities : tuple of ndarray of int64, each of shape (n_entities,)
        First token, last token, and number of the label; one entity lies within one sequence.

    Returns
    -------
    ndarray of float64, shape (n_entities,)
        At most 0; among the valid tags of the sequence.

    References
    ----------
    Culotta, A., & McCallum, A. (2004). Confidence estimation for information extraction. HLT-NAACL 2004: Short Papers,
    109-112.
    """
    n_tags = scores.shape[1]
    k, _, middles, _ = blocks(n_tags)
    sums = _sums(scores, transition, bounds)
    start, stop, label = entities
    single = start == stop
    head = np.where(single, 1, 1 + k) + label
    close = np.where(single, 1, 1 + 3 * k) + label
    with np.errstate(divide="ignore"):
        inward = np.log(sums.forward[start, head]) + sums.log_forward[start]
        outward = np.log(sums.backward[stop, close]) + sums.log_backward[stop]
    # Between the two ends all tags are M: running sums of what they and their moves score.
    running = np.concatenate([np.zeros((1, k)), np.cumsum(scores[:, middles], axis=0, dtype=np.float64)])
    inner = running[stop, label] - running[np.minimum(start + 1, stop), label]
    among = np.diagonal(transition[middles, middles])[label]
    long = stop - start > 1
    step_in = transition[head, np.where(long, 1 + 2 * k + label, close)]
    step_out = np.where(long, transition[1 + 2 * k + label, close] + (stop - start - 2) * among, 0.0)
    path = np.where(single, 0.0, step_in + step_out + inner + scores[stop, close])
    return np.minimum(inward + path + outward - sums.log_total[start], 0.0)


def _sums(scores: npt.NDArray[np.float32], transition: npt.NDArray[np.float64], bounds: npt.NDArray[np.int64]) -> _Sums:
    """Sum over all valid tags, forwards and backwards."""
    n_tags = scores.shape[1]
    k, begins, middles, _ = blocks(n_tags)
    closed = np.r_[0 : 1 + k, 1 + 3 * k : n_tags]
    valid = np.zeros((n_tags, n_tags), dtype=bool)
    valid[closed, : 1 + 2 * k] = True
    for a in (begins, middles):
        valid[a, middles] |= np.eye(k, dtype=bool)
        valid[a, slice(1 + 3 * k, None)] |= np.eye(k, dtype=bool)
    top = float(transition[valid].max(initial=0.0))
    moves = np.where(valid, np.exp(transition - top), 0.0)
    peak = scores.max(axis=1, initial=-np.inf).astype(np.float64)
    forward = np.zeros(scores.shape)
    backward = np.zeros(scores.shape)
    log_forward = np.zeros(len(scores))
    log_backward = np.zeros(len(scores))
    total = np.zeros(len(scores))
    opens = np.zeros(n_tags)
    opens[: 1 + 2 * k] = 1.0
    closes = np.zeros(n_tags)
    closes[closed] = 1.0
    for first, lengths in groups(bounds):
        for step in range(int(lengths[0])):
            n = int(np.searchsorted(-lengths, -step))
            here = first[:n] + step
            base = opens[None] if step == 0 else forward[here - 1] @ moves
            raw = base * np.exp(scores[here] - peak[here, None])
            size = raw.sum(axis=1)
            forward[here] = raw / size[:, None]
            log_forward[here] = np.log(size) + peak[here] + (0.0 if step == 0 else log_forward[here - 1] + top)
        for step in range(int(lengths[0]) - 1, -1, -1):
            n = int(np.searchsorted(-lengths, -step))
            here = first[:n] + step
            after = np.minimum(here + 1, len(scores) - 1)
            raw = (backward[after] * np.exp(scores[after] - peak[after, None])) @ moves.T
            ending = lengths[:n] == step + 1
            raw[ending] = closes
            size = raw.sum(axis=1)
            backward[here] = raw / size[:, None]
            log_backward[here] = np.log(size) + np.where(ending, 0.0, log_backward[after] + peak[after] + top)
        tail = first + lengths - 1
        whole = np.log(forward[tail] @ closes) + log_forward[tail]
        steps = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        total[np.repeat(first, lengths) + steps] = np.repeat(whole, lengths)
    return _Sums(forward, backward, log_forward, log_backward, total)
