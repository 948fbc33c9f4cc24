"""Finds the best tags of many sequences at once under a linear-chain CRF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["best_tags", "blocks", "groups"]

_GROUP = 512

# The tags are numbered O, then S, B, M and E of each label: a tag of one block follows only from tags of some blocks.


def blocks(n_tags: int) -> tuple[int, slice, slice, slice]:
    """Give the number of labels and where B, M and E stand."""
    k = (n_tags - 1) // 4
    return k, slice(1 + k, 1 + 2 * k), slice(1 + 2 * k, 1 + 3 * k), slice(1 + 3 * k, None)


def groups(bounds: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Give the first token and the length of sequences, the longest first, some hundred at a time."""
    lengths = np.diff(bounds)
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), _GROUP):
        rows = order[start : start + _GROUP]
        yield bounds[:-1][rows], lengths[rows]


def best_tags(
    scores: npt.NDArray[np.float32], transition: npt.NDArray[np.float64], bounds: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Give the best valid tags of each sequence (Viterbi), many sequences side by side.

    Parameters
    ----------
    scores : ndarray of float32, shape (n_tokens, n_tags)
        What the features say.
    transition : ndarray of float64, shape (n_tags, n_tags)
        From the tag of a row to that of a column.
    bounds : ndarray of int64, shape (n_sequences + 1,)
        Where the sequences begin.

    Returns
    -------
    ndarray of int64, shape (n_tokens,)
        Tags; every entity that is begun is ended.

    References
    ----------
    Viterbi, A. (1967). Error bounds for convolutional codes and an asymptotically optimum decoding algorithm. IEEE
    Transactions on Information Theory 13, 260-269. doi:10.1109/TIT.1967.1054010
    """
    moves = transition.astype(np.float32)
    tags = np.zeros(len(scores), dtype=np.int64)
    for first, lengths in groups(bounds):
        _best_of_group(scores, moves, first, lengths, tags)
    return tags


def _best_of_group(
    scores: npt.NDArray[np.float32],
    moves: npt.NDArray[np.float32],
    first: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    tags: npt.NDArray[np.int64],
) -> None:
    """Fill in the tags of some sequences, which are sorted by falling length."""
    n_tags = scores.shape[1]
    k, begins, middles, ends = blocks(n_tags)
    closed = np.r_[0 : 1 + k, 1 + 3 * k : n_tags]
    among = moves[closed, : 1 + 2 * k, None]
    diagonal = [np.diagonal(moves[a, b])[:, None] for a in (begins, middles) for b in (middles, ends)]
    longest = int(lengths[0])
    best = np.full((longest, n_tags, len(first)), -np.inf, dtype=np.float32)
    best[0, : 1 + 2 * k] = scores[first, : 1 + 2 * k].T
    for step in range(1, longest):
        n = int(np.searchsorted(-lengths, -step))
        before, now = best[step - 1, :, :n], best[step, :, :n]
        now[: 1 + 2 * k] = (before[closed, None] + among).max(axis=0)
        np.maximum(before[begins] + diagonal[0], before[middles] + diagonal[2], out=now[middles])
        np.maximum(before[begins] + diagonal[1], before[middles] + diagonal[3], out=now[ends])
        now += scores[first[:n] + step].T
    allowed = np.full((n_tags, n_tags), -np.inf, dtype=np.float32)
    allowed[closed, : 1 + 2 * k] = moves[closed, : 1 + 2 * k]
    for a in (begins, middles):
        for b in (middles, ends):
            np.fill_diagonal(allowed[a, b], np.diagonal(moves[a, b]))
    chosen = np.zeros(len(first), dtype=np.int64)
    for step in range(longest - 1, -1, -1):
        n = int(np.searchsorted(-lengths, -step))
        ending = lengths[:n] == step + 1
        options = best[step, :, :n].T
        follow = np.where(ending[:, None], np.float32(0), allowed.T[chosen[:n]])
        total = options + follow
        # A sequence ends outside of any entity, or with its end.
        total[np.ix_(ending, np.r_[1 + k : 1 + 3 * k])] = -np.inf
        chosen[:n] = total.argmax(axis=1)
        tags[first[:n] + step] = chosen[:n]
