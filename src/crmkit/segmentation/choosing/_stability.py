"""Whether segments would be found again among other customers of the same kind, segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.metrics import mean
from crmkit.segmentation._features import read_customers
from crmkit.segmentation._model import SegmentationModel
from crmkit.segmentation.choosing._mixed_space import space_of
from crmkit.segmentation.choosing._resampling import SCHEMES, numbered, resampled_jaccard
from crmkit.segmentation.segmenters._make import fresh, give_number, make_segmenter

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.segmentation.choosing._space import Space

__all__ = ["stability"]

# What a mean Jaccard similarity is read as (Hennig 2007, 2008).
DISSOLVED = 0.5
DOUBTFUL = 0.6
RECOVERED = 0.75


def stability(
    segments: Any,
    X: Any,
    *,
    n_segments: int | None = None,
    n_resamples: int = 50,
    scheme: str = "bootstrap",
    sample_size: int = 2000,
    random_state: Any = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Say of each segment whether it comes back when customers are drawn anew.

    Customers are resampled and segmented again; in each resample the segment most like the original one is looked for
    (Jaccard similarity: customers in both over customers in either, among those drawn). A mean of .75 and more is read
    as a stable segment, from .6 on as a pattern in the data whose border is uncertain, below that as not to be trusted;
    at .5 and less it is dissolved.

    A low figure disproves a segment. A high one does not prove it: an algorithm that always cuts one cloud in the same
    place is stable. Few segments are more stable than many, and a segment found by its edge (whoever buys most) more
    than one in the middle.

    Cost: ``n_resamples`` fits on at most ``sample_size`` customers.

    Parameters
    ----------
    segments : SegmentationModel, str or estimator
        Segments that were made (their transform and cuts stay frozen, and those given are compared with what is found
        anew), or a segmenter: a name of ``crmkit.available("segmenter")`` or an instance, which is copied.
    X : table or array-like of shape (n_customers, n_features)
        For a model the customer table, else customers transformed as they will be segmented.
    n_segments : int or None, default=None
        How many segments a segmenter is to make; None leaves it its own parameters. Not for a model.
    n_resamples : int, default=50
        How many; changes the width of the intervals and the time.
    scheme : {"bootstrap", "subset"}, default="bootstrap"
        As many customers with replacement, of whom each is compared once; or half of them without replacement, which
        suits segmenters that count neighbors, because nobody is doubled.
    sample_size : int, default=2000
        How many customers take part, drawn once; changes precision and time. Fewer customers are harder to segment, so
        that a figure worked out on a sample is rather too low.
    random_state : int, RandomState or None, default=None
        Draws sample and resamples, and seeds the segmenter where it has none.
    level : float, default=0.95
        Nominal coverage of the interval of the mean similarity over resamples, which takes the sample as given.

    Returns
    -------
    pandas.DataFrame
        One row a segment, by name or number: ``customers`` (in the sample), ``jaccard`` with ``low`` and ``high``,
        ``resamples`` (that hold anybody of it), ``dissolved`` and ``recovered`` (share of resamples with a similarity
        of at most .5, of at least .75) and ``reading`` ("stable", "pattern", "doubtful", "dissolved").

    Raises
    ------
    DataError
        If nobody is in a segment, or the customers are too few to be segmented.
    ValueError
        If an argument is none of those above.

    References
    ----------
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis 52,
    258-271. doi:10.1016/j.csda.2006.11.025

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from crmkit.segmentation import stability
    >>> points, _ = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> stability("kmeans", points, n_segments=3, n_resamples=10, random_state=0)["jaccard"].tolist()
    [1.0, 1.0, 1.0]
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(map(repr, SCHEMES))}, got {scheme!r}")
    for name, number, least in (("n_resamples", n_resamples, 2), ("sample_size", sample_size, 2)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {number!r}")
    random = check_random_state(random_state)
    segmenter, space, labels, names = _read(segments, X, n_segments)
    rows = np.arange(len(space))
    if len(space) > sample_size:
        rows = np.sort(random.choice(len(space), sample_size, replace=False))
    sample = space.take(rows)
    seed = int(random.randint(np.iinfo(np.int32).max))

    def refit(drawn: npt.NDArray[np.intp], own_seed: int) -> npt.NDArray[Any]:
        return _fitted_labels(_seeded(segmenter, own_seed), sample.take(drawn))

    found = _fitted_labels(_seeded(segmenter, seed), sample) if labels is None else labels[rows]
    codes = numbered(found)
    if codes.max(initial=-1) < 0:
        raise DataError("nobody is in a segment: there is nothing to find again")
    each = resampled_jaccard(codes, refit, n_resamples=int(n_resamples), scheme=scheme, seed=seed)
    ids = np.unique(found[found >= 0]).tolist()
    return _table(each, np.bincount(codes[codes >= 0]), [names.get(one, one) for one in ids], level)


def _read(segments: Any, X: Any, n_segments: int | None) -> tuple[Any, Space, npt.NDArray[Any] | None, dict[int, str]]:
    """Give an unfitted segmenter, the customers, their segments where there are some, and names."""
    if isinstance(segments, SegmentationModel):
        if n_segments is not None:
            raise ValueError("n_segments is for a segmenter: a SegmentationModel has its own")
        frame = read_customers(X)
        space = space_of(segments.points(frame), segments.segmenter)
        return segments.segmenter, space, segments.predict_ids(frame).to_numpy(), segments.names
    made, name, parameter = make_segmenter(segments, None, None)
    if n_segments is not None:
        give_number(made, name, parameter, n_segments)
    return made, space_of(X, made), None, {}


def _seeded(segmenter: Any, seed: int) -> Any:
    """Give an unfitted copy that draws by the seed where it has none of its own."""
    made = fresh(segmenter)
    known = made.get_params() if callable(getattr(made, "get_params", None)) else {}
    if "random_state" in known and known["random_state"] is None:
        made.set_params(random_state=seed)
    return made


def _fitted_labels(segmenter: Any, space: Space) -> npt.NDArray[Any]:
    """Give the labels of a fit, or say on how few customers it failed."""
    try:
        return np.asarray(segmenter.fit_predict(space.points))
    except ValueError as error:
        noun = "customer" if len(space) == 1 else "customers"
        raise DataError(f"{type(segmenter).__name__} could not be fitted on {len(space):,} {noun}: {error}") from error


def _table(
    each: npt.NDArray[np.float64], customers: npt.NDArray[np.intp], names: list[Any], level: float
) -> pd.DataFrame:
    """Put similarities together, a row a segment."""
    rows = []
    for similarity, count in zip(each.T, customers, strict=True):
        seen = similarity[~np.isnan(similarity)]
        if not len(seen):
            # A customer or two who are in no resample.
            rows.append((count, *[np.nan] * 3, 0, np.nan, np.nan, "not drawn"))
            continue
        jaccard = mean(seen, level=level)
        low, high = max(jaccard.low, 0.0), min(jaccard.high, 1.0)
        shares = (seen <= DISSOLVED).mean(), (seen >= RECOVERED).mean()
        rows.append((count, jaccard.value, low, high, len(seen), *shares, _reading(jaccard.value)))
    columns = ["customers", "jaccard", "low", "high", "resamples", "dissolved", "recovered", "reading"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(names, name="segment"))


def _reading(jaccard: float) -> str:
    if jaccard >= RECOVERED:
        return "stable"
    if jaccard >= DOUBTFUL:
        return "pattern"
    return "doubtful" if jaccard > DISSOLVED else "dissolved"
