"""How many segments there are: every criterion side by side, one recommendation and its reason."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation.choosing._choice import Choice, count_of
from crmkit.segmentation.choosing._gap import Gap, gap_statistic
from crmkit.segmentation.choosing._mixed_space import space_of
from crmkit.segmentation.choosing._resampling import numbered, resampled_jaccard
from crmkit.segmentation.choosing._space import Numbers
from crmkit.segmentation.segmenters._make import fresh, make_segmenter, segments_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.segmentation.choosing._space import Space

__all__ = ["choose_k"]

# A criterion needs a good start, not the best of many; and more for the customers than for the references would raise
# the gap of large numbers.
LARGEST_INITS = 3
# The gap statistic of even clouds wavers by some hundredths, so "several" needs dispersion a tenth below reference.
LEAST_GAIN = 0.1
# From .5 on a silhouette is read as reasonable structure (Kaufman and Rousseeuw 1990).
CLEAR = 0.5
MUCH = 0.1
EQUAL = 0.02
# Below .6 a segment should not be trusted (Hennig 2008).
SHAKY = 0.6
SAMPLE = 2000
SMALL_SAMPLE = 1000


def choose_k(
    segmenter: Any,
    X: Any,
    n_segments: Iterable[int] = range(1, 11),
    *,
    sample_size: int | None = None,
    n_references: int = 10,
    n_resamples: int = 20,
    parameter: str | None = None,
    random_state: Any = None,
) -> Choice:
    """Recommend how many segments to make, "one" included.

    The segmenter is fitted with each number on one seeded sample of the customers. Where it has a likelihood (a
    ``bic`` method), the least Bayesian information criterion decides. Else the gap statistic does: the dispersion
    within the segments is compared with that of structureless reference sets (uniform in the box of the principal
    axes), and the smallest number whose gap is within one standard error of the largest gap is taken; "one" unless that
    gap is at least .1 (customers a tenth closer together) above the gap of one segment. Groups that are no round clouds
    make the gap rise beyond their number, so where some number is clearly separated (a silhouette of at least .5) and
    the gap's number is much less so, or much less stable (by more than .1), the best silhouette decides; of numbers
    within .02 of it and not above the gap's, the largest.

    Stability is the mean Jaccard similarity of the segments to those found among half of the sample; that of the least
    stable segment stands beside it. It cannot answer "one": a cloud that is always cut in the same place is stable.
    Nor can the silhouette, nor Calinski-Harabasz, which is told and does not decide. Where the segments recommended are
    less stable than .6, the reason says so.

    Parameters
    ----------
    segmenter : str or estimator
        A name of ``crmkit.available("segmenter")``, or an instance; with a parameter for the number.
    X : array-like or pandas.DataFrame of shape (n_customers, n_features)
        The customers, transformed as they will be segmented; a DataFrame with categories where the segmenter takes
        them.
    n_segments : iterable of int, default=range(1, 11)
        The numbers to try; those above half the customers or the number of distinct ones are left out.
    sample_size : int or None, default=None
        How many customers the criteria are worked out on; changes precision and time. None is 2,000, or 1,000 where
        there are categories, or where each fit compares all pairs of customers (a segmenter without ``predict``, or
        one whose ``compares_pairs`` is true).
    n_references : int, default=10
        How many reference sets; changes precision and time.
    n_resamples : int, default=20
        How many halves of the sample the stability is worked out on; 0 leaves it out, and then it has no say.
    parameter : str or None, default=None
        The segmenter's parameter for the number; None looks for ``n_segments``, ``n_clusters`` or ``n_components``.
    random_state : int, RandomState or None, default=None
        Draws the sample, the references and the halves, and seeds the segmenter where it has none.

    Returns
    -------
    Choice
        The number, the table and the reason.

    Raises
    ------
    TypeError
        If the segmenter has no parameter for the number.
    DataError
        If no number can be tried.

    See Also
    --------
    stability : Says of each segment whether it comes back.

    Notes
    -----
    Cost: ``len(n_segments) * (n_references + n_resamples + 1)`` fits on at most ``sample_size`` customers, whatever the
    table's length.

    Of categories, the dispersion is that of k-prototypes (each that is not the most frequent one of its segment costs
    ``gamma``), the references deal each column anew, the silhouette is by Gower's distance, and Calinski-Harabasz is
    the ratio of dispersions that it is for numbers.

    References
    ----------
    Tibshirani, Walther and Hastie (2001), doi:10.1111/1467-9868.00293. Calinski and Harabasz (1974),
    doi:10.1080/03610927408827101. Hennig (2007), doi:10.1016/j.csda.2006.11.025. Rousseeuw (1987),
    doi:10.1016/0377-0427(87)90125-7.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from crmkit.segmentation import choose_k
    >>> points, _ = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> choose_k("kmeans", points, random_state=0).n_segments
    3
    """
    made, parameter = _unfitted(segmenter, parameter)
    space = space_of(X, made)
    random = check_random_state(random_state)
    if sample_size is None:
        sample_size = SAMPLE if _is_quick(made, space) else SMALL_SAMPLE
    if len(space) > sample_size:
        space = space.take(np.sort(random.choice(len(space), sample_size, replace=False)))
    distinct = space.distinct()
    most = max(1, min(distinct, len(space) // 2))
    tried = sorted({int(k) for k in n_segments if 1 <= int(k) <= most})
    if not tried:
        raise DataError(f"no number of segments to try: there are {distinct} distinct customers")
    if distinct == 1:
        return Choice(1, "given", "1 segment: all customers are equal", {"n_segments": [1]})
    search = _Search(made, parameter, space, tried, int(random.randint(np.iinfo(np.int32).max)))
    likely = callable(getattr(made, "bic", None))
    columns = search.columns()
    if likely:
        columns["bic"] = search.bic()
    else:
        found = search.gap(n_references)
        columns |= {"gap": found.gap.tolist(), "gap_error": found.error.tolist()}
    if n_resamples:
        columns |= search.stability(n_resamples)
    place, criterion, reason = _by_likelihood(columns) if likely else _by_gap(columns)
    return Choice(tried[place], criterion, reason + _doubts(columns, place), columns)


def _is_quick(segmenter: Any, space: Space) -> bool:
    """Say whether a fit costs about as much as reading the customers."""
    pairs = bool(getattr(segmenter, "compares_pairs", False)) or not callable(getattr(segmenter, "predict", None))
    return not pairs and isinstance(space, Numbers)


def _unfitted(segmenter: Any, parameter: str | None) -> tuple[Any, str]:
    """Give a fresh segmenter and its parameter for the number."""
    if isinstance(segmenter, str):
        made, name, known = make_segmenter(segmenter, None, None)
    else:
        made, name, known = fresh(segmenter), type(segmenter).__name__, segments_parameter(segmenter)
    parameter = parameter or known
    if parameter is None:
        raise TypeError(f"{name} has no parameter for the number of segments to choose")
    return made, parameter


class _Search:
    """One sample of customers, segmented with each number."""

    def __init__(self, segmenter: Any, parameter: str, space: Space, tried: list[int], seed: int) -> None:
        self.segmenter, self.parameter, self.space, self.tried, self.seed = segmenter, parameter, space, tried, seed
        self.models = [self._made(k, seed) for k in tried]
        self.labels = [np.asarray(model.fit_predict(space.points)) for model in self.models]

    def columns(self) -> dict[str, list[Any]]:
        """Give the numbers, silhouettes and Calinski-Harabasz indices."""
        apart = [self.space.separation(labels, seed=self.seed) for labels in self.labels]
        widths, indices = (list(column) for column in zip(*apart, strict=True))
        return {"n_segments": list(self.tried), "silhouette": widths, "calinski_harabasz": indices}

    def bic(self) -> list[float]:
        """Give the Bayesian information criterion of each model."""
        return [float(model.bic(self.space.points)) for model in self.models]

    def gap(self, n_references: int) -> Gap:
        """Give the gap statistic."""
        return gap_statistic(self.space, self.labels, self._refit, n_references=n_references, seed=self.seed)

    def stability(self, n_resamples: int) -> dict[str, list[float]]:
        """Give the mean Jaccard similarity over segments, and that of the least stable one; missing for one segment."""
        columns: dict[str, list[float]] = {"stability": [], "least_stability": []}
        for place, labels in enumerate(self.labels):
            codes = numbered(labels)
            each = np.full(1, np.nan)
            if codes.max() > 0:
                each = resampled_jaccard(
                    codes,
                    partial(self._refit_rows, place),
                    n_resamples=n_resamples,
                    scheme="subset",
                    seed=self.seed,
                )
                each = np.nanmean(each, axis=0)
            columns["stability"].append(float(np.mean(each)))
            columns["least_stability"].append(float(np.min(each)))
        return columns

    def _refit_rows(self, place: int, rows: npt.NDArray[np.intp], seed: int) -> npt.NDArray[Any]:
        return self._refit(self.space.take(rows).points, place, seed)

    def _refit(self, points: Any, place: int, seed: int) -> npt.NDArray[Any]:
        # What a segmenter has to say of reference sets and halves of the sample is no news of the customers.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return np.asarray(self._made(self.tried[place], seed).fit_predict(points))

    def _made(self, k: int, seed: int) -> Any:
        """Give a fresh segmenter for so many segments."""
        made = fresh(self.segmenter)
        made.set_params(**{self.parameter: k})
        known = made.get_params()
        changed: dict[str, Any] = {}
        if "random_state" in known and known["random_state"] is None:
            changed["random_state"] = seed
        if isinstance(known.get("n_init"), int):
            changed["n_init"] = min(known["n_init"], LARGEST_INITS)
        return made.set_params(**changed)


def _by_likelihood(columns: dict[str, list[Any]]) -> tuple[int, str, str]:
    """Decide by the least Bayesian information criterion."""
    tried = columns["n_segments"]
    best = int(np.argmin(columns["bic"]))
    reason = f"{count_of(tried[best])}: least Bayesian information criterion of {tried[0]} to {tried[-1]}"
    if best == len(tried) - 1 and len(tried) > 1:
        reason += "; it was still falling, so there may be more"
    return best, "bic", reason


def _by_gap(columns: dict[str, list[Any]]) -> tuple[int, str, str]:
    """Decide by the gap statistic, unless another number is clearly separated."""
    tried = columns["n_segments"]
    gap, error = np.array(columns["gap"]), np.array(columns["gap_error"])
    best = int(np.argmax(gap))
    if tried[0] == 1 and gap[best] - gap[0] <= max(error[best], LEAST_GAIN):
        reason = "1 segment: no number of segments holds customers clearly closer together than a structureless cloud"
        return 0, "gap", reason
    taken = int(np.flatnonzero(gap >= gap[best] - error[best])[0])
    widths = np.array(columns["silhouette"], dtype=np.float64)
    widest = int(np.nanargmax(widths)) if np.isfinite(widths).any() else taken
    if widths[widest] >= CLEAR:
        steady = np.array(columns.get("stability", np.full(len(tried), np.nan)), dtype=np.float64)
        # The silhouette hardly minds whether small groups stand apart; the gap, which does, wants more.
        clear = int(
            np.flatnonzero((widths >= widths[widest] - EQUAL) & (np.arange(len(tried)) <= max(taken, widest)))[-1]
        )
        better = f"{count_of(tried[clear])}: clearly separated (silhouette {widths[clear]:.2f})"
        other = f"the {tried[taken]} that the gap statistic would take"
        if widths[taken] < widths[widest] - MUCH:
            return clear, "silhouette", f"{better}; {other} split them further"
        if steady[taken] < steady[clear] - MUCH:
            both = f"{steady[taken]:.2f} against {steady[clear]:.2f}"
            return clear, "stability", f"{better}; {other} do not come back as surely (stability {both})"
    reason = f"{count_of(tried[taken])}: the least number whose gap statistic is within one error of the largest"
    if best == len(tried) - 1 and len(tried) > 1:
        reason += f"; it was still rising at {tried[-1]}, so there may be more"
    if widths[widest] < CLEAR:
        reason += f"; no number separates clearly (silhouette at most {widths[widest]:.2f}), so need may choose another"
    return taken, "gap", reason


def _doubts(columns: dict[str, list[Any]], place: int) -> str:
    """Say where the segments recommended do not come back."""
    mean = columns.get("stability", [float("nan")] * (place + 1))[place]
    least = columns.get("least_stability", [float("nan")] * (place + 1))[place]
    if mean < SHAKY:
        return f"; they do not hold when customers are drawn anew (stability {mean:.2f}, below .6)"
    if least < SHAKY:
        return f"; one of them does not hold when customers are drawn anew (stability {least:.2f}, below .6)"
    return ""
