"""The same recipe followed on a new table, with segments that stay who they were."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from crmkit.segmentation._features import read_customers
from crmkit.segmentation._segment import Recipe, follow
from crmkit.segmentation.choosing._choice import count_of
from crmkit.segmentation.over_time._identity import Identity
from crmkit.segmentation.over_time._models import identity_of
from crmkit.segmentation.segmenters._make import fresh, segments_parameter
from crmkit.segmentation.segmenters._placing import PlacingSegmenter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.segmentation._model import SegmentationModel

__all__ = ["refit"]

# What a model keeps with one row a segment, in the order of ``row_ids``.
BY_ROW = ("customers", "revenue_share", "revenue_interval", "statistics", "middle", "descriptions")


def refit(
    model: SegmentationModel, table: Any, *, n_segments: int | str | None, random_state: Any, least_jaccard: float
) -> dict[str, Any]:
    """Fit anew and keep who is who.

    Parameters
    ----------
    model : SegmentationModel
        The segments so far.
    table : table
        One row a customer, with the same columns.
    n_segments : int, "auto" or None
        None keeps the number.
    random_state : int, RandomState or None
        None seeds as the first fit was seeded.
    least_jaccard : float
        The least overlap of a segment with its former self.

    Returns
    -------
    dict
        The state of the new model.
    """
    if isinstance(least_jaccard, bool) or not 0.0 < least_jaccard <= 1.0:
        raise ValueError(f"least_jaccard must be above 0 and at most 1, got {least_jaccard!r}")
    if n_segments is not None and n_segments != "auto" and (
        isinstance(n_segments, bool | str) or not isinstance(n_segments, int | np.integer) or n_segments < 1
    ):  # fmt: skip
        raise ValueError(f"n_segments must be None, 'auto' or a whole number of at least 1, got {n_segments!r}")
    frame = read_customers(table)
    former = model.get_state()
    seed = former.get("seed")
    handed_on = None
    if random_state is not None or seed is None:
        seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
        handed_on = seed if isinstance(random_state, np.random.RandomState) else random_state
    recipe = _recipe(former, handed_on)
    kept = _number(recipe) if n_segments is None else None
    asked = kept if kept is not None else "auto" if n_segments is None else n_segments
    made = follow(recipe, frame, asked, seed, own=n_segments is None)
    state = made.get_state()
    if kept is not None:
        state["choice"] = {**state["choice"], "reason": f"{count_of(kept)}: the number was kept from the fit before"}
    placed = np.asarray(model.predict_ids(frame).clip(lower=-1), dtype=np.int64)
    return _with_identity(former, state, placed, least_jaccard)


def _recipe(state: dict[str, Any], random_state: Any) -> Recipe:
    """Take what was followed out of a fitted model, with nothing that was fitted."""
    fitted = state["segmenter"]
    segmenter = fresh(fitted.segmenter if isinstance(fitted, PlacingSegmenter) else fitted)
    known = segmenter.get_params() if callable(getattr(segmenter, "get_params", None)) else {}
    if random_state is not None and "random_state" in known:
        segmenter.set_params(random_state=random_state)
    return Recipe(
        segmenter=segmenter,
        name=state["name"],
        parameter=state.get("parameter", segments_parameter(segmenter)),
        features=tuple(state["features"]),
        categorical=tuple(state.get("categories", {})),
        transform=None if state["transform"] is None else fresh(state["transform"]),
        transform_name=state["transform_name"],
        revenue=state.get("revenue"),
        language=state["language"],
        filled=tuple(state.get("filled", ())),
        kept=bool(state.get("kept", False)),
    )


def _number(recipe: Recipe) -> int | None:
    """Give the number of segments the segmenter is set to, None where it finds the number itself."""
    number = None if recipe.parameter is None else recipe.segmenter.get_params().get(recipe.parameter)
    return int(number) if isinstance(number, int | np.integer) and not isinstance(number, bool) else None


def _by_given_name(former: Mapping[str, Any], state: Mapping[str, Any]) -> list[list[int]] | None:
    """Pair ids whose segments the segmenter itself gives one name; None where it has no names."""
    named = []
    for part in (former, state):
        given = getattr(part["segmenter"], "segment_names_", None)
        if given is None:
            return None
        labels = np.asarray(part["raw_labels"])
        named.append({str(given[label]): segment for segment, label in enumerate(labels) if label >= 0})
    return [[segment, named[1][name]] for name, segment in named[0].items() if name in named[1]]


def _with_identity(
    former: Mapping[str, Any], state: dict[str, Any], placed: npt.NDArray[np.int64], least_jaccard: float
) -> dict[str, Any]:
    """Give new segments the ids and names of those they continue, and fresh ones to the others."""
    given = _by_given_name(former, state)
    found = identity_of((former, placed), (state, np.maximum(state["segment_ids"], -1)), given, least_jaccard)
    continued = {new: old for old, new in (found.pairs if given is None else given)}
    names, taken = list(former["names"]), {*former["names"], former["nobody"]}
    final = np.empty(len(state["names"]), dtype=np.int64)
    for segment, suggested in enumerate(state["names"]):
        final[segment] = continued.get(segment, len(names))
        if segment not in continued:
            names.append(_free(suggested, taken))
            taken.add(names[-1])
    raw_labels = np.full(len(names), -1, dtype=np.int64)
    raw_labels[final] = state["raw_labels"]
    renewed = _relabeled(state, final)
    identity = Identity(
        counts=found.counts,
        before_ids=found.before_ids,
        after_ids=[int(final[segment]) if segment >= 0 else -1 for segment in found.after_ids],
        before_names=found.before_names,
        after_names=[names[final[segment]] if segment >= 0 else former["nobody"] for segment in found.after_ids],
        pairs=[[old, old] for old, _ in found.pairs],
        least_jaccard=found.least_jaccard,
    )
    return {
        **renewed, "raw_labels": raw_labels, "names": names, "nobody": former["nobody"], "identity": asdict(identity),
    }  # fmt: skip


def _free(suggested: str, taken: set[str]) -> str:
    """Number a name where it is another segment's, now or before."""
    name, count = suggested, 1
    while name in taken:
        count += 1
        name = f"{suggested} #{count}"
    return name


def _relabeled(state: dict[str, Any], final: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Put new ids into all that is kept by segment, and its rows into their order."""

    def renumbered(ids: Any) -> npt.NDArray[np.int64]:
        given = np.asarray(ids, dtype=np.int64)
        if not len(final):
            return given  # nobody is in a segment
        return np.where(given >= 0, final[np.maximum(given, 0)], given)

    def order(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        return np.argsort(np.where(ids < 0, np.iinfo(np.int64).max, ids), kind="stable")

    row_ids, rule_ids = renumbered(state["row_ids"]), renumbered(state["rules"]["segment_id"])
    rows, rules = order(row_ids), order(rule_ids)
    return {
        **state,
        **{name: _in_order(state[name], rows) for name in BY_ROW if name in state},
        "segment_ids": renumbered(state["segment_ids"]),
        "row_ids": [int(row) for row in row_ids[rows]],
        "rules": {
            **{name: _in_order(part, rules) for name, part in state["rules"].items()},
            "segment_id": [int(rule) for rule in rule_ids[rules]],
        },
    }


def _in_order(part: Any, places: npt.NDArray[np.intp]) -> Any:
    """Put rows into another order, within dicts and lists of arrays too."""
    if part is None:
        return None
    if isinstance(part, dict):
        return {name: _in_order(inner, places) for name, inner in part.items()}
    if isinstance(part, np.ndarray):
        return part[places]
    if any(isinstance(inner, np.ndarray) for inner in part):
        return [_in_order(inner, places) for inner in part]
    return [part[place] for place in places]
