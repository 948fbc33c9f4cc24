"""Which scores are sure enough for what is promised, and whether the promise is kept on texts not chosen by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Tried", "keeping_threshold", "precision_thresholds", "try_promise"]


@dataclass(frozen=True)
class Tried:
    """Texts that were labeled by a model that did not learn from them.

    Attributes
    ----------
    given : ndarray of int64, shape (n_texts,)
        The class each was given.
    right : ndarray of bool, shape (n_texts,)
        Whether that is its label.
    sure : ndarray of float64, shape (n_texts,)
        How sure the model was; larger is surer.
    n_classes : int
        How many classes there are.
    """

    given: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    sure: npt.NDArray[np.float64]
    n_classes: int

    def part(self, rows: npt.NDArray[np.bool_]) -> Tried:
        """Give some of them."""
        return Tried(self.given[rows], self.right[rows], self.sure[rows], self.n_classes)


def keeping_threshold(sure: npt.NDArray[np.float64], keep: float) -> float:
    """Give the largest threshold that at least a share of the texts reaches."""
    n_kept = max(1, int(np.ceil(keep * len(sure) - 1e-9)))
    return float(np.sort(sure)[len(sure) - n_kept])


def _least_sure(sure: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], precision: float) -> float:
    """Give the smallest threshold above which the share of right labels is as promised, infinity where none is."""
    order = np.argsort(-sure, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Texts that are as sure as the next are kept or left together.
    last = np.append(np.diff(sure[order]) != 0, True) if len(order) else np.empty(0, dtype=bool)
    enough = np.flatnonzero(last & (shares >= precision))
    return float(sure[order[enough[-1]]]) if len(enough) else float("inf")


def precision_thresholds(
    tried: Tried, precision: float, least: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Choose a threshold a class; classes given to few texts share one, chosen by all texts if they have too few.

    Parameters
    ----------
    tried : Tried
        The texts to choose by.
    precision : float
        The share of right labels among the kept texts of a class.
    least : float
        How many texts a class must have been given for a threshold of its own.

    Returns
    -------
    thresholds : ndarray of float64, shape (n_classes,)
        Infinity where no threshold keeps the promise.
    pooled : ndarray of bool, shape (n_classes,)
        Which classes share theirs.
    """
    pooled = np.bincount(tried.given, minlength=tried.n_classes) < least
    thresholds = np.full(tried.n_classes, np.inf)
    shared = pooled[tried.given]
    if shared.sum() < least:
        # Even together they are too few to promise anything: they go by what all classes show.
        shared[:] = True
    thresholds[pooled] = _least_sure(tried.sure[shared], tried.right[shared], precision)
    order = np.argsort(tried.given, kind="stable")
    bounds = np.searchsorted(tried.given[order], np.arange(tried.n_classes + 1))
    for place in np.flatnonzero(~pooled).tolist():
        rows = order[bounds[place] : bounds[place + 1]]
        thresholds[place] = _least_sure(tried.sure[rows], tried.right[rows], precision)
    return thresholds, pooled


def try_promise(
    tried: Tried, folds: npt.NDArray[np.int64], *, precision: float | None, keep: float | None, least: float
) -> npt.NDArray[np.bool_]:
    """Say which texts are kept by thresholds that were chosen without them.

    Parameters
    ----------
    tried : Tried
        All texts that were tried.
    folds : ndarray of int64, shape (n_texts,)
        Which are left out together.
    precision, keep : float or None
        What is promised; one of them.
    least : float
        As for `precision_thresholds`; lowered by the share of texts left out.

    Returns
    -------
    ndarray of bool, shape (n_texts,)
        Which are kept.
    """
    kept = np.zeros(len(tried.sure), dtype=bool)
    for fold in np.unique(folds).tolist():
        out = folds == fold
        chosen_by = tried.part(~out)
        if not len(chosen_by.sure):
            continue
        if precision is not None:
            few = least * float(np.mean(~out))
            thresholds, _ = precision_thresholds(chosen_by, precision, few)
            kept[out] = tried.sure[out] >= thresholds[tried.given[out]]
        elif keep is not None:
            kept[out] = tried.sure[out] >= keeping_threshold(chosen_by.sure, keep)
    return kept
