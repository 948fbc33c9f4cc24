"""A segmenter from a name or an instance, made ready for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from crmkit.core.checks import require_methods
from crmkit.core.registry import create, spec_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fresh", "give_number", "make_segmenter", "segments_parameter", "tell"]

_NUMBER_PARAMETERS = ("n_segments", "n_clusters", "n_components")


def fresh(segmenter: Any) -> Any:
    """Give an unfitted copy; an object without scikit-learn's parameters is copied as it is."""
    return clone(segmenter, safe=False)


def segments_parameter(segmenter: Any) -> str | None:
    """Give the name of the parameter that sets the number of segments, None where there is none."""
    known = segmenter.get_params(deep=False) if callable(getattr(segmenter, "get_params", None)) else {}
    return next((name for name in _NUMBER_PARAMETERS if name in known), None)


def make_segmenter(segmenter: Any, params: Mapping[str, Any] | None, random_state: Any) -> tuple[Any, str, str | None]:
    """Give a fresh segmenter, its name for people, and its parameter for the number of segments.

    Parameters
    ----------
    segmenter : str or estimator
        A name of kind segmenter, or an instance, which is copied and never changed.
    params : mapping or None
        Parameters of a segmenter asked for by name.
    random_state : int, RandomState or None
        Handed to the segmenter where it takes one and has none of its own.

    Returns
    -------
    tuple
        The segmenter, its name, and the parameter (None where it finds the number itself).
    """
    if isinstance(segmenter, str):
        made, name = create("segmenter", segmenter, **(params or {})), str(segmenter)
        parameter = spec_of("segmenter", segmenter).facts.get("n_segments")
    else:
        if params:
            raise TypeError(f"params are for a segmenter given by name: set them on the {type(segmenter).__name__}")
        require_methods(segmenter, ["fit_predict"], role="a segmenter")
        made, name, parameter = fresh(segmenter), type(segmenter).__name__, segments_parameter(segmenter)
    known = made.get_params() if callable(getattr(made, "get_params", None)) else {}
    if random_state is not None and "random_state" in known and known["random_state"] is None:
        made.set_params(random_state=random_state)
    return made, name, parameter


def give_number(segmenter: Any, name: str, parameter: str | None, n_segments: int) -> None:
    """Set the number of segments, or say that this segmenter finds it itself."""
    if parameter is None:
        raise ValueError(
            f"{name} has no parameter for the number of segments: leave n_segments='auto', or set its own parameters "
            "on an instance"
        )
    segmenter.set_params(**{parameter: n_segments})


def tell(segmenter: Any, **known: Any) -> None:
    """Set what is known of the table on a segmenter that has such parameters and nothing there yet."""
    own = segmenter.get_params(deep=False) if callable(getattr(segmenter, "get_params", None)) else {}
    wanted = {name: value for name, value in known.items() if name in own and own[name] is None}
    if wanted:
        segmenter.set_params(**wanted)
