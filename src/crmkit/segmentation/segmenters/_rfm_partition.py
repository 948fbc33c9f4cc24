"""Proves that a segment map puts every combination of scores into exactly one segment."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from crmkit.core.predicate import Expression

__all__ = ["Dimensions", "Partition", "prove"]

# Proving looks at every cell; more than so many would take minutes, and nobody names them.
MOST_CELLS = 2_000_000
MOST_TOLD = 5
RFM = ("recency", "frequency", "monetary")


@dataclass(frozen=True)
class Dimensions:
    """The scores that a map may speak of.

    Parameters
    ----------
    places : mapping of str to int
        The column behind each name; ``recency``, ``frequency`` and ``monetary`` are always meant by their part.
    sizes : sequence of int
        How many scores each column has.
    recency : int
        Which column is recency; worth is the rounded mean of all others.
    """

    places: Mapping[str, int]
    sizes: Sequence[int]
    recency: int

    @classmethod
    def of(cls, bases: Sequence[str], sizes: Sequence[int], recency: int) -> Dimensions:
        """Name the columns: by their own names, and recency, frequency and monetary value by what they are."""
        if "worth" in bases:
            raise DataError("a column may not be called 'worth': that is the mean of all scores but recency. Rename it")
        places = {base: place for place, base in enumerate(bases) if base != "recency" or place == recency}
        places["recency"] = recency
        others = [place for place, base in enumerate(bases) if place != recency and base not in RFM]
        for name in RFM[1:]:
            if name not in places and others:
                places[name] = others.pop(0)
        return cls(places, sizes, recency)

    @property
    def worth(self) -> int | None:
        """How many scores worth has; None where it has none, because its columns differ in number."""
        others = {size for place, size in enumerate(self.sizes) if place != self.recency}
        return others.pop() if len(others) == 1 else None

    def named_sizes(self) -> dict[str, int]:
        """Give the number of scores by name."""
        sizes = {name: self.sizes[place] for name, place in self.places.items()}
        return sizes if self.worth is None else {**sizes, "worth": self.worth}

    def scores_of(self, name: str, scores: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give one column of scores by name, worked out where it is worth."""
        if name != "worth":
            own: npt.NDArray[np.int64] = scores[:, self.places[name]]
            return own
        others = np.delete(scores, self.recency, axis=1)
        # Whole numbers throughout, so that a half always rounds up and never to even.
        worth: npt.NDArray[np.int64] = (2 * others.sum(axis=1) + others.shape[1]) // (2 * others.shape[1])
        return worth


@dataclass(frozen=True)
class Partition:
    """Every combination of scores with its one segment.

    Parameters
    ----------
    names : list of str
        The segments, in the order of the map.
    parts : list of str
        The scores it speaks of.
    cells : ndarray of int
        Position in ``names`` of each combination; one axis a part, from score 1 on. Minus one where no combination of
        the columns' scores leads.
    """

    names: list[str]
    parts: list[str]
    cells: npt.NDArray[np.int64]


def prove(rows: Sequence[Mapping[str, Any]], dimensions: Dimensions) -> Partition:
    """Prove that every combination of scores lies in exactly one segment.

    Every combination is looked at; nothing is sampled.

    Parameters
    ----------
    rows : sequence of mapping
        As ``read_map`` gives them. A row holds where all its ranges and its expression hold; rows of one segment add
        up.
    dimensions : Dimensions
        The scores there are.

    Returns
    -------
    Partition
        The proven map.

    Raises
    ------
    DataError
        Naming combinations that no segment covers, those that two or more claim, and segments that hold none.
    """
    sizes = dimensions.named_sizes()
    conditions = [_condition(row, place, sizes) for place, row in enumerate(rows)]
    used = {part for row in rows for part in sizes if f"{part}_low" in row or f"{part}_high" in row}
    used |= {_part(name, sizes) for condition in conditions if condition for name in condition.names}
    # A map without any condition is one segment for all; it still needs a score to speak of.
    parts = [part for part in sizes if part in used] or ["recency"]
    cells = _all_cells(parts, dimensions)
    names = list(dict.fromkeys(row["segment"] for row in rows))
    claims = np.zeros((len(names), len(next(iter(cells.values())))), dtype=bool)
    for row, condition in zip(rows, conditions, strict=True):
        holds = np.ones(claims.shape[1], dtype=bool)
        for part in parts:
            holds &= (cells[part] >= row.get(f"{part}_low", 1)) & (cells[part] <= row.get(f"{part}_high", sizes[part]))
        if condition is not None:
            table = {name: cells[_part(name, sizes)].astype(np.float64) for name in condition.names}
            holds &= np.asarray(condition.evaluate(table).values, dtype=bool) if table else False
        claims[names.index(row["segment"])] |= holds
    _refuse(claims, names, parts, cells)
    place = np.full([sizes[part] for part in parts], -1, dtype=np.int64)
    place[tuple(cells[part] - 1 for part in parts)] = claims.argmax(axis=0)
    return Partition(names, parts, place)


def _condition(row: Mapping[str, Any], place: int, sizes: Mapping[str, int]) -> Expression | None:
    """Read the expression of a row."""
    if "where" not in row:
        return None
    condition = parse(row["where"])
    unknown = sorted(name for name in condition.names if _part(name, sizes) not in sizes)
    if unknown or not condition.names:
        named = f"does not know {', '.join(map(repr, unknown))}" if unknown else "names no score"
        raise DataError(f"the segment map, row {place}: where= {named}; the scores are: {', '.join(sizes)}")
    values = condition.evaluate({name: np.ones(1) for name in condition.names}).values
    if values.dtype != np.bool_:
        raise DataError(f"the segment map, row {place}: where= must be a condition, such as 'recency >= 4'")
    return condition


def _part(name: str, sizes: Mapping[str, int]) -> str:
    """Take ``recency_score`` for ``recency``."""
    return name if name in sizes else name.removesuffix("_score")


def _all_cells(parts: Sequence[str], dimensions: Dimensions) -> dict[str, npt.NDArray[np.int64]]:
    """Give every combination of the scores that a map speaks of."""
    sizes = dimensions.named_sizes()
    columns = {dimensions.places[part] for part in parts if part != "worth"}
    # Beside recency, worth takes every value; beside a score that it is made of, only what that leaves open.
    free = "worth" not in parts or columns <= {dimensions.recency}
    shape = [sizes[part] for part in parts] if free else list(dimensions.sizes)
    if math.prod(shape) > MOST_CELLS:
        raise DataError(f"the segment map speaks of {math.prod(shape):,} combinations of scores, at most "
                        f"{MOST_CELLS:,} can be proved: take fewer scores or columns")  # fmt: skip
    grid = np.indices(shape).reshape(len(shape), -1) + 1
    if free:
        return dict(zip(parts, grid, strict=True))
    return {part: dimensions.scores_of(part, grid.T) for part in parts}


def _refuse(
    claims: npt.NDArray[np.bool_],
    names: Sequence[str],
    parts: Sequence[str],
    cells: Mapping[str, npt.NDArray[np.int64]],
) -> None:
    """Refuse what is no partition, naming what is amiss."""
    claimed = claims.sum(axis=0)
    problems = []
    if (claimed == 0).any():
        problems.append(f"no segment covers {_spoken(np.flatnonzero(claimed == 0), parts, cells)}")
    twice = np.flatnonzero(claimed > 1)
    rivals = Counter(tuple(np.flatnonzero(claims[:, cell]).tolist()) for cell in twice)
    for group, _ in rivals.most_common(MOST_TOLD):
        shared = np.flatnonzero(claims[list(group)].all(axis=0) & (claimed == len(group)))
        told = " and ".join(repr(names[segment]) for segment in group)
        problems.append(f"{told} both claim {_spoken(shared, parts, cells)}" if len(group) == 2
                        else f"{told} all claim {_spoken(shared, parts, cells)}")  # fmt: skip
    if len(rivals) > MOST_TOLD:
        problems.append(f"{len(rivals) - MOST_TOLD} more groups of segments claim the same")
    empty = [name for name, claim in zip(names, claims, strict=True) if not claim.any()]
    if empty:
        problems.append(f"{', '.join(map(repr, empty))}: holds for no scores")
    if problems:
        raise DataError(f"the segment map is no partition of the scores: {'; '.join(problems)}")


def _spoken(places: npt.NDArray[np.intp], parts: Sequence[str], cells: Mapping[str, npt.NDArray[np.int64]]) -> str:
    """Name combinations of scores."""
    every = np.unique(np.column_stack([cells[part][places] for part in parts]), axis=0)
    told = [
        " & ".join(f"{part} {score}" for part, score in zip(parts, scores, strict=True)) for scores in every[:MOST_TOLD]
    ]
    return ", ".join(told) + (f", … ({len(every)} in all)" if len(every) > MOST_TOLD else "")
