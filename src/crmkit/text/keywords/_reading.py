"""What all keywords share: labels, weights, languages, first sentences."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.language import SCRIPTS, code_points, normalize, script_ids, sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

__all__ = ["check_count", "check_weights", "first_sentence", "in_language", "read_classes", "read_factors"]


def check_count(n: int) -> None:
    """Refuse what is no number of keywords.

    Parameters
    ----------
    n : int
        At least 1.
    """
    if isinstance(n, bool) or not isinstance(n, Integral):
        raise TypeError(f"n must be a whole number, got {type(n).__name__}")
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")


def check_weights(**weights: float) -> None:
    """Refuse factors below 0 or without an end.

    Parameters
    ----------
    **weights
        By the names of the parameters.
    """
    for name, value in weights.items():
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be 0 or more, got {value}")


def read_classes(by: Any, n_texts: int) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Number the classes of texts.

    Parameters
    ----------
    by : array-like, shape (n_texts,)
        A label for each text; texts without one are left out with a warning that counts them.
    n_texts : int
        How many there must be.

    Returns
    -------
    which : ndarray of int64, shape (n_texts,)
        The class of each text, -1 for none.
    classes : list
        The labels, sorted where they can be.
    """
    if isinstance(by, str) or np.ndim(by) != 1:
        raise TypeError("by must be one-dimensional: one label a text")
    # As objects, so that whole numbers stay what they are beside a missing one.
    labels = (by if isinstance(by, pd.Series) else pd.Series(by, dtype=object)).reset_index(drop=True)
    if len(labels) != n_texts:
        raise ValueError(f"texts and by must be as long: {n_texts} texts and {len(labels)} labels")
    missing = labels.isna().to_numpy()
    if missing.all():
        raise DataError(f"none of the {n_texts} texts has a label")
    if missing.any():
        warnings.warn(f"left out, for want of a label: {positions(missing)}", DataWarning, stacklevel=3)
    which, classes = pd.factorize(labels.astype(object), sort=False)
    order = sorted(range(len(classes)), key=lambda place: (str(type(classes[place])), classes[place]))
    rank = np.empty(len(classes) + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(len(classes)), -1
    return rank[which], [classes[place] for place in order]


def read_factors(weights: Any, names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Give the factor of each term.

    Parameters
    ----------
    weights : mapping of str to float, or None
        Factors of 0 or more; a term that is not named has 1. Full-width letters and capitals do not matter.
    names : sequence of str
        The terms.

    Returns
    -------
    ndarray of float, shape (n_terms,)
        The factors.
    """
    if weights is None:
        return np.ones(len(names))
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights must map terms to factors, got {type(weights).__name__}")
    factors = {normalize(str(term)).text.lower(): float(factor) for term, factor in weights.items()}
    wrong = [factor for factor in factors.values() if not (np.isfinite(factor) and factor >= 0)]
    if wrong:
        raise ValueError(f"weights must be 0 or more and finite, got {wrong[0]}")
    return np.array([factors.get(name, 1.0) for name in names], dtype=np.float64)


def in_language(names: Iterable[str], language: str | None) -> npt.NDArray[np.bool_]:
    """Say which terms are of a language, by the script of their first character.

    Parameters
    ----------
    names : iterable of str
        The terms.
    language : {"zh", "en"} or None
        Han, Latin, or any.

    Returns
    -------
    ndarray of bool
        One a term.
    """
    if language not in (None, "zh", "en"):
        raise ValueError(f"language must be 'zh', 'en' or None for any, got {language!r}")
    first = "".join(name[0] for name in names)
    if language is None:
        return np.ones(len(first), dtype=bool)
    script = SCRIPTS.index("han" if language == "zh" else "latin")
    return np.asarray(script_ids(code_points(first)) == script, dtype=bool)


def first_sentence(text: str) -> str:
    """Give the first sentence of a text, nothing of an empty one."""
    spans = sentences(text)
    return text[spans[0].start : spans[0].end] if spans else ""
