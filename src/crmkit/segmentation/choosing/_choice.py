"""How many segments there are: every criterion side by side, one recommendation and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.segmentation.choosing._quality import separation
from crmkit.segmentation.segmenters._make import fresh, segments_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

__all__ = ["Choice", "choose_k", "count_of"]

LARGEST_INITS = 3
# The gap statistic of even clouds wavers by some hundredths, so "several" needs dispersion a tenth below reference.
LEAST_GAIN = 0.1
# From .5 on a silhouette is read as reasonable structure (Kaufman and Rousseeuw 1990).
CLEAR = 0.5
MUCH = 0.1


@dataclass(frozen=True)
class Choice:
    """How many segments were taken, by what, and why.

    Parameters
    ----------
    n_segments : int
        The number.
    criterion : str
        What decided: ``"gap"``, ``"silhouette"``, ``"bic"``, ``"given"`` or ``"segmenter"``.
    reason : str
        The decision in one sentence.
    columns : mapping of str to list
        The columns of ``table``, ``n_segments`` among them.

    Examples
    --------
    >>> from crmkit.segmentation import Choice
    >>> print(Choice(3, "given", "3 segments were asked for", {"n_segments": [3], "silhouette": [0.5]}))
    3 segments were asked for
     n_segments  silhouette  chosen
              3         0.5    True
    """

    n_segments: int
    criterion: str
    reason: str
    columns: Mapping[str, list[Any]]

    @property
    def table(self) -> pd.DataFrame:
        """One row a number tried: each criterion, missing where it says nothing, and which number was chosen."""
        table = pd.DataFrame({name: list(values) for name, values in self.columns.items()})
        return table.assign(chosen=table["n_segments"] == self.n_segments)

    def __str__(self) -> str:
        return f"{self.reason}\n{self.table.round(4).to_string(index=False)}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = self.table
        return html.table(list(table.columns), table.astype(object).to_numpy().tolist(), caption=self.reason)


def choose_k(
    segmenter: Any,
    X: Any,
    n_segments: Iterable[int] = range(1, 11),
    *,
    sample_size: int = 2000,
    n_references: int = 10,
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
    the gap's number is much less so (by more than .1), the best silhouette decides. Calinski-Harabasz stands beside
    them; neither it nor the silhouette can ever answer "one".

    Parameters
    ----------
    segmenter : estimator
        With a parameter for the number.
    X : array-like of shape (n_customers, n_features)
        The customers, transformed as they will be segmented.
    n_segments : iterable of int, default=range(1, 11)
        The numbers to try; those above half the customers or the number of distinct ones are left out.
    sample_size : int, default=2000
        How many customers the criteria are worked out on; changes precision and time.
    n_references : int, default=10
        How many reference sets; changes precision and time.
    parameter : str or None, default=None
        The segmenter's parameter for the number; None looks for ``n_segments``, ``n_clusters`` or ``n_components``.
    random_state : int, RandomState or None, default=None
        Draws the sample and the references, and seeds the segmenter where it has none.

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

    Notes
    -----
    Cost: ``len(n_segments) * (n_references + 1)`` fits on ``sample_size`` customers, whatever the table's length.

    References
    ----------
    Tibshirani, Walther and Hastie (2001), doi:10.1111/1467-9868.00293. Calinski and Harabasz (1974),
    doi:10.1080/03610927408827101.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from crmkit.segmentation import choose_k
    >>> points, _ = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> choose_k(KMeans(n_init=3), points, random_state=0).n_segments
    3
    """
    parameter = parameter or segments_parameter(segmenter)
    if parameter is None:
        raise TypeError(f"{type(segmenter).__name__} has no parameter for the number of segments to choose")
    values = np.asarray(check_array(X), dtype=np.float64)
    random = check_random_state(random_state)
    if len(values) > sample_size:
        values = values[np.sort(random.choice(len(values), sample_size, replace=False))]
    distinct = len(np.unique(values, axis=0))
    most = max(1, min(distinct, len(values) // 2))
    tried = sorted({int(k) for k in n_segments if 1 <= int(k) <= most})
    if not tried:
        raise DataError(f"no number of segments to try: there are {distinct} distinct customers")
    if distinct == 1:
        return Choice(1, "given", "1 segment: all customers are equal", {"n_segments": [1]})
    seed = int(random.randint(np.iinfo(np.int32).max))
    if callable(getattr(segmenter, "bic", None)):
        return _by_likelihood(segmenter, parameter, values, tried, seed)
    return _by_gap(segmenter, parameter, values, tried, n_references, seed)


def _made(segmenter: Any, parameter: str, k: int, seed: int) -> Any:
    """Give a fresh segmenter for so many segments."""
    made = fresh(segmenter)
    made.set_params(**{parameter: k})
    known = made.get_params()
    changed: dict[str, Any] = {}
    if "random_state" in known and known["random_state"] is None:
        changed["random_state"] = seed
    if isinstance(known.get("n_init"), int):
        # Restarts matter for the final segments; a criterion needs a good start, not the best of many.
        changed["n_init"] = min(known["n_init"], LARGEST_INITS)
    return made.set_params(**changed)


def _by_likelihood(
    segmenter: Any, parameter: str, values: npt.NDArray[np.float64], tried: list[int], seed: int
) -> Choice:
    rows = []
    for k in tried:
        made = _made(segmenter, parameter, k, seed)
        labels = np.asarray(made.fit_predict(values))
        rows.append((k, *separation(values, labels, sample_size=len(values), seed=seed), float(made.bic(values))))
    columns = _columns(("n_segments", "silhouette", "calinski_harabasz", "bic"), rows)
    best = int(np.argmin(columns["bic"]))
    reason = f"{count_of(tried[best])}: least Bayesian information criterion of {tried[0]} to {tried[-1]}"
    if best == len(tried) - 1 and len(tried) > 1:
        reason += "; it was still falling, so there may be more"
    return Choice(tried[best], "bic", reason, columns)


def _by_gap(
    segmenter: Any, parameter: str, values: npt.NDArray[np.float64], tried: list[int], n_references: int, seed: int
) -> Choice:
    fitted = [np.asarray(_made(segmenter, parameter, k, seed).fit_predict(values)) for k in tried]
    apart = [separation(values, labels, sample_size=len(values), seed=seed) for labels in fitted]
    floor = np.log(_dispersion(values, np.zeros(len(values), dtype=int))) - 27.0  # 1e-12 of the whole: no spread left
    within = np.array([_log_dispersion(values, labels, floor) for labels in fitted])
    random = np.random.default_rng(seed)
    references = np.empty((n_references, len(tried)))
    for row in range(n_references):
        reference = _structureless(values, random)
        for place, k in enumerate(tried):
            labels = np.asarray(_made(segmenter, parameter, k, seed + row + 1).fit_predict(reference))
            references[row, place] = _log_dispersion(reference, labels, floor)
    gap = references.mean(axis=0) - within
    error = references.std(axis=0) * np.sqrt(1.0 + 1.0 / n_references)
    rows = [(k, *pair, g, e) for k, pair, g, e in zip(tried, apart, gap, error, strict=True)]
    columns = _columns(("n_segments", "silhouette", "calinski_harabasz", "gap", "gap_error"), rows)
    best = int(np.argmax(gap))
    if tried[0] == 1 and gap[best] - gap[0] <= max(error[best], LEAST_GAIN):
        reason = "1 segment: no number of segments holds customers clearly closer together than a structureless cloud"
        return Choice(1, "gap", reason, columns)
    taken = int(np.flatnonzero(gap >= gap[best] - error[best])[0])
    widths = np.array(columns["silhouette"], dtype=np.float64)
    widest = int(np.nanargmax(widths)) if np.isfinite(widths).any() else taken
    if widths[widest] >= CLEAR and widths[taken] < widths[widest] - MUCH:
        reason = (
            f"{count_of(tried[widest])}: clearly separated (silhouette {widths[widest]:.2f}); the {tried[taken]} that "
            "the gap statistic would take split them further"
        )
        return Choice(tried[widest], "silhouette", reason, columns)
    reason = f"{count_of(tried[taken])}: the least number whose gap statistic is within one error of the largest"
    if best == len(tried) - 1 and len(tried) > 1:
        reason += f"; it was still rising at {tried[-1]}, so there may be more"
    if widths[widest] < CLEAR:
        reason += f"; no number separates clearly (silhouette at most {widths[widest]:.2f}), so need may choose another"
    return Choice(tried[taken], "gap", reason, columns)


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Turn rows into columns."""
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def count_of(k: int) -> str:
    """Write a number of segments."""
    return "1 segment" if k == 1 else f"{k} segments"


def _dispersion(values: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> float:
    """Sum squared distances to the mean of each segment."""
    _, place, count = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), values.shape[1]))
    np.add.at(sums, place, values)
    means = sums / count[:, None]
    return float(((values - means[place]) ** 2).sum())


def _log_dispersion(values: npt.NDArray[np.float64], labels: npt.NDArray[Any], floor: float) -> float:
    dispersion = _dispersion(values, labels)
    return max(float(np.log(dispersion)), floor) if dispersion > 0 else floor


def _structureless(values: npt.NDArray[np.float64], random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw customers uniformly from the box around the data along its principal axes."""
    center = values.mean(axis=0)
    _, _, axes = np.linalg.svd(values - center, full_matrices=False)
    turned = (values - center) @ axes.T
    drawn = random.uniform(turned.min(axis=0), turned.max(axis=0), size=(len(turned), len(axes)))
    return np.asarray(drawn @ axes + center)
