"""From a customer table to segments with names, in one call."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation._assemble import Parts, assemble
from crmkit.segmentation._columns import categorical_among, read_columns
from crmkit.segmentation._features import choose_features, feature_frame, read_customers
from crmkit.segmentation._transform import filled_columns, make_transform
from crmkit.segmentation.choosing._choice import Choice, count_of
from crmkit.segmentation.choosing._choose_k import choose_k
from crmkit.segmentation.choosing._quality import separation
from crmkit.segmentation.explaining._traits import LANGUAGES
from crmkit.segmentation.segmenters._make import give_number, make_segmenter, tell
from crmkit.segmentation.segmenters._placing import PlacingSegmenter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from crmkit.segmentation._model import SegmentationModel

__all__ = ["Recipe", "follow", "segment"]

SILHOUETTE_SAMPLE = 1000
MOST_PAIRED = 30_000


@dataclass(frozen=True)
class Recipe:
    """How customers are segmented: all that can be said before a table is seen.

    Parameters
    ----------
    segmenter : estimator
        Unfitted; it is fitted in place.
    name : str
        Its name for people.
    parameter : str or None
        Its parameter for the number of segments.
    features : tuple of str
        The columns.
    categorical : tuple of str
        Which of them are categories.
    transform : transformer or None
        Unfitted; it is fitted in place.
    transform_name : str
        Its name for people.
    revenue : str or None
        The column whose total is shared out.
    language : str
        Of names and descriptions.
    filled : tuple of str, default=()
        The columns that may hold missing values, because it is declared what fills them.
    kept : bool, default=False
        Whether these stay missing for the segmenter, which bears them.
    """

    segmenter: Any
    name: str
    parameter: str | None
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    transform: Any | None
    transform_name: str
    revenue: str | None
    language: str
    filled: tuple[str, ...] = ()
    kept: bool = False


def segment(
    table: Any,
    segmenter: Any = "kmeans",
    *,
    n_segments: int | str = "auto",
    transform: Any = "rfm",
    random_state: Any = None,
    features: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    revenue: str | None = "monetary",
    language: str = "en",
) -> SegmentationModel:
    """Find which customers are alike, and say what each group is.

    The columns are transformed (fitted here, then frozen), the segmenter puts each customer into one segment or into
    none, and the segments are ordered, named, profiled in original units and explained by rules. Segment ids count
    from 0 by falling share of revenue (by falling size without a revenue column), so that the same table, segmenter
    and seed give the same ids and names.

    Segments cut a cloud as readily as they find groups: look at ``.choice`` before believing in them. Cost: the
    segmenter's own, and about a second for 100,000 customers for profile and rules; ``n_segments="auto"`` adds fits on
    a sample of at most 2,000.

    Parameters
    ----------
    table : table
        One row a customer, ``customer_id`` as index or column. Columns that are not used do no harm.
    segmenter : str or estimator, default="kmeans"
        A name of ``crmkit.available("segmenter")``, or any instance with ``fit_predict`` (all of scikit-learn's
        clusterers and mixtures), which is copied.
    n_segments : int or "auto", default="auto"
        How many. ``"auto"`` asks ``choose_k``, where "one" is a possible answer; a segmenter that finds the number
        itself, and an instance, which carries its own parameters, are left to it. ``.choice`` tells which.
    transform : {"rfm", "scale", "none"} or transformer, default="rfm"
        What stands between the columns and the segmenter. ``"rfm"``: the signed logarithm of each
        value in units of its column's median size, which tames the skew of recency, frequency and money and bears
        refunds, then equal variance (``preparation.for_clustering()``). ``"scale"``: equal variance only.
        ``"none"``: as they are. ``preparation.for_clustering(...)`` with missing values, caps, weights or components
        declared. Or any scikit-learn transformer (copied, given a DataFrame).
        ``"rfm-rules"`` scores raw columns and takes them whatever ``"rfm"`` would do.
    random_state : int, RandomState or None, default=None
        Seeds segmenter, samples and rules; with None every run may differ.
    features : sequence of str or None, default=None
        The columns to segment by. None: ``recency_days``, ``frequency`` and ``monetary`` with ``transform="rfm"``,
        else every numeric column (others are told in a warning); with a segmenter that takes categories every column,
        text, categories and booleans as categories (at most 50 in a column).
    params : mapping or None, default=None
        Parameters of a segmenter given by name, such as ``{"eps": 0.5}``; they win over the catalogue's.
    revenue : str or None, default="monetary"
        The column whose total is shared out in the profile and orders the segments; where the table has no
        ``monetary``, there is none.
    language : {"en", "zh"}, default="en"
        Of names and descriptions.

    Returns
    -------
    SegmentationModel
        ``labels``, ``segment_id``, ``choice``, ``profile``, ``rules``, ``predict``, ``compare``, ``rename``.

    Raises
    ------
    DataError
        If the table is empty, has no such columns, a customer twice, infinite values or missing ones that neither the
        transform fills nor the segmenter bears (with positions), or fewer distinct customers than segments asked for.
    ValueError, TypeError
        If an argument is none of those above.

    Warns
    -----
    DataWarning
        If a column is constant, a column is left out because it is not numeric, missing values are filled (how many
        in which column), or nobody is in a segment.

    See Also
    --------
    crmkit.preparation.rfm_table : Makes the table.
    choose_k : How ``"auto"`` decides.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit import segmentation
    >>> random = np.random.default_rng(0)
    >>> index = pd.Index([f"c{number}" for number in range(200)], name="customer_id")
    >>> good = np.arange(200) < 60
    >>> rfm = pd.DataFrame({
    ...     "recency_days": random.integers(1, 300, 200) // np.where(good, 10, 1) + 1,
    ...     "frequency": random.poisson(np.where(good, 20, 1)) + 1,
    ...     "monetary": random.gamma(9, np.where(good, 100.0, 8.0))}, index=index)
    >>> segments = segmentation.segment(rfm, "kmeans", n_segments=2, random_state=0)
    >>> segments.labels.value_counts().to_dict()
    {'lapsed, infrequent, low spend': 140, 'recent, frequent, high spend': 60}
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(map(repr, LANGUAGES))}, got {language!r}")
    if n_segments != "auto" and (
        isinstance(n_segments, bool | str) or not isinstance(n_segments, int | np.integer) or n_segments < 1
    ):
        raise ValueError(f"n_segments must be 'auto' or a whole number of at least 1, got {n_segments!r}")
    frame = read_customers(table)
    rfm = isinstance(transform, str) and transform == "rfm"
    random = check_random_state(random_state)
    seed = int(random.randint(np.iinfo(np.int32).max))
    # A generator is drawn from and not handed on: whoever holds it could move a segmenter that was fitted.
    handed_on = seed if isinstance(random_state, np.random.RandomState) else random_state
    made, name, parameter = make_segmenter(segmenter, params, handed_on)
    mixed = bool(getattr(made, "takes_categories", False))
    features = choose_features(frame, features, rfm=rfm, mixed=mixed)
    categorical = categorical_among(frame, features) if mixed else []
    tell(made, feature_names=list(features), language=language)
    made_transform, transform_name = make_transform(transform, made)
    told = (params or {}).get(parameter) if parameter is not None else None
    own = not isinstance(segmenter, str) or told is not None
    if isinstance(segmenter, str) and told is not None and n_segments not in {"auto", told}:
        raise DataError(f"n_segments={n_segments} and params[{parameter!r}] contradict each other: give one of them")
    kept = made_transform is None and bool(getattr(made, "bears_missing", False))
    filled = features if kept else filled_columns(transform, features, categorical)
    recipe = Recipe(
        made, name, parameter, features, tuple(categorical), made_transform, transform_name, revenue, language, filled,
        kept,
    )  # fmt: skip
    return follow(recipe, frame, n_segments, seed, own=own)


def follow(recipe: Recipe, frame: pd.DataFrame, n_segments: int | str, seed: int, *, own: bool) -> SegmentationModel:
    """Fit transform and segmenter on a table and put the segments together.

    Parameters
    ----------
    recipe : Recipe
        What to fit.
    frame : pandas.DataFrame
        One row a customer, as ``read_customers`` gives it.
    n_segments : int or "auto"
        As ``segment`` takes it.
    seed : int
        Draws samples and folds.
    own : bool
        Whether ``"auto"`` leaves the number to the segmenter's own parameters.

    Returns
    -------
    SegmentationModel
        The segments, ids by falling revenue.
    """
    made, name, parameter = recipe.segmenter, recipe.name, recipe.parameter
    # A segmenter that wants raw columns has no use for a transform that fills them, and squares nothing.
    hint = getattr(made, "preferred_transform", None) is None
    columns = read_columns(
        frame, recipe.features, categorical=list(recipe.categorical), known=None, filled=recipe.filled,
        kept=recipe.kept, hint=hint,
    )  # fmt: skip
    values = columns.shown
    money = _money(frame, recipe.revenue, recipe.filled)
    _tell_constant(values)
    transform, transform_name = recipe.transform, recipe.transform_name
    if not columns.numbers.shape[1]:
        transform, transform_name = None, "none"
    if transform is not None:
        transform.fit(columns.numbers)
    points = columns.points(transform)
    if hint:
        columns.check_distances(points, fitting=True)
    choice = _choose(made, name, parameter, n_segments, points, seed, own=own)
    fitted, raw = _fit(made, name, points)
    choice = _told(choice, raw, points, seed, name, notes=getattr(fitted, "notes_", ()))
    return assemble(
        Parts(
            values,
            money,
            raw,
            fitted,
            transform,
            parameter,
            recipe.features,
            columns.categories,
            recipe.filled,
            recipe.kept,
        ),
        choice,
        texts={"name": name, "transform_name": transform_name, "language": recipe.language},
        seed=seed,
        revenue=None if money is None else recipe.revenue,
    )


def _tell_constant(values: pd.DataFrame) -> None:
    """Warn of columns that hold one value only."""
    known = {str(name): column.dropna() for name, column in values.items()}
    constant = [name for name, column in known.items() if not len(column) or bool((column == column.iloc[0]).all())]
    if constant and len(values) > 1:
        warnings.warn(
            f"{', '.join(constant)}: one value only, which tells no customers apart", DataWarning, stacklevel=4
        )


def _choose(
    made: Any, name: str, parameter: str | None, n_segments: int | str, points: npt.NDArray[np.float64], seed: int,
    *, own: bool,
) -> Choice | None:  # fmt: skip
    """Decide on the number and set it; None where it is the segmenter's own affair."""
    if not isinstance(n_segments, str):
        distinct = len(pd.DataFrame(points).drop_duplicates())
        if n_segments > distinct:
            raise DataError(f"n_segments={n_segments}, but there are only {distinct} distinct customers: ask for fewer")
        give_number(made, name, parameter, int(n_segments))
        return Choice(
            int(n_segments), "given", f"{count_of(int(n_segments))}: asked for", {"n_segments": [int(n_segments)]}
        )
    if parameter is None or own:
        return None
    if pd.DataFrame(points).isna().to_numpy().any():
        raise DataError(f"{name}: the number of segments cannot be chosen where values are missing: give n_segments")
    choice = choose_k(made, points, parameter=parameter, random_state=seed)
    give_number(made, name, parameter, choice.n_segments)
    return choice


def _fit(made: Any, name: str, points: npt.NDArray[np.float64]) -> tuple[Any, npt.NDArray[np.int64]]:
    """Fit the segmenter, wrapped where it cannot predict, and check its labels."""
    _check_memory(made, name, len(points))
    fitted = made if callable(getattr(made, "predict", None)) else PlacingSegmenter(made)
    try:
        raw = np.asarray(fitted.fit_predict(points))
    except ValueError as error:
        if len(points) == 1:
            raise DataError(f"{name} compares customers with each other, and there is one customer only") from error
        raise DataError(
            f"{name} could not be fitted on {points.shape[0]:,} customers by {points.shape[1]} columns: {error}"
        ) from error
    if raw.shape != (len(points),) or not np.issubdtype(raw.dtype, np.integer):
        raise TypeError(
            f"a segmenter must give one integer a customer; {name} gave {raw.dtype} of shape {raw.shape} "
            f"for {len(points)}"
        )
    return fitted, raw.astype(np.int64)


def _check_memory(made: Any, name: str, n_customers: int) -> None:
    """Refuse a hierarchy over all pairs of customers where it could only end in a killed process."""
    all_pairs = type(made).__name__ == "AgglomerativeClustering" and made.connectivity is None
    if all_pairs and n_customers > MOST_PAIRED:
        size = n_customers * (n_customers - 1) / 2 * 8 / 1e9
        raise DataError(
            f"{name} keeps all distances between {n_customers:,} customers, {size:,.0f} GB: take 'mini-batch-kmeans', "
            "a sample, or an AgglomerativeClustering with connectivity="
        )


def _told(
    choice: Choice | None, raw: npt.NDArray[np.int64], points: npt.NDArray[np.float64], seed: int, name: str,
    *, notes: Sequence[str],
) -> Choice:  # fmt: skip
    """Complete what is said of the number with what was found."""
    found = len(np.unique(raw[raw >= 0]))
    outside = int((raw < 0).sum())
    if not found:
        warnings.warn(
            f"{name} put nobody into a segment: its parameters ask for more density than there is", DataWarning,
            stacklevel=4,
        )  # fmt: skip
    if choice is not None and choice.criterion != "given":
        return choice
    width = index = float("nan")
    if isinstance(points, np.ndarray):
        width, index = separation(points, raw, sample_size=SILHOUETTE_SAMPLE, seed=seed)
    columns: dict[str, list[Any]] = {"n_segments": [found], "silhouette": [width], "calinski_harabasz": [index]}
    if choice is not None:
        return Choice(choice.n_segments, "given", choice.reason, columns)
    reason = f"{count_of(found)}: found by {name} with its own parameters"
    if outside:
        reason += f"; {outside:,} customers are in no segment"
    reason = ". ".join([reason, *notes])
    return Choice(found, "segmenter", reason, columns)


def _money(frame: pd.DataFrame, revenue: str | None, filled: Collection[str]) -> npt.NDArray[np.float64] | None:
    """Take the revenue column, None where the table has none; it may be missing where it is filled as a feature."""
    if revenue is None or (revenue == "monetary" and "monetary" not in frame.columns):
        return None
    money: npt.NDArray[np.float64] = feature_frame(frame, [revenue], filled=filled)[revenue].to_numpy(dtype=np.float64)
    return money
