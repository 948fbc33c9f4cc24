"""What goes with low marks and churn: each cause, product and channel, adjusted for the others."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.linalg import qr
from scipy.special import fdtrc

from crmkit.core import html
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._cluster_robust import FEW_CLUSTERS, bias_reduced
from crmkit.effect._columns import as_names, cluster_codes, column_numbers, evaluation_frame, labels_and_codes
from crmkit.effect._intervals import t_p_value, t_width
from crmkit.metrics.intervals import check_level
from crmkit.metrics.multiple import holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Drivers", "drivers"]

_RARE = "(rare)"
_UNKNOWN = "(missing)"
_MOST_LEVELS = 200


@dataclass(frozen=True)
class Drivers:
    """Associations of an outcome with its possible causes.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``cause`` and ``value``: ``n``, ``mean`` (of the outcome in these rows), ``raw`` (difference of that
        mean to the reference value's), ``difference`` (the same, adjusted for all other causes), ``low``, ``high``,
        ``p_value``, ``p_adjusted`` (Holm, over all rows). A cause that is a number has one row: the difference for one
        standard deviation more. References stand in ``reference``.
    causes : pandas.DataFrame
        Indexed by ``cause``: ``values`` (how many are compared), ``p_value`` of all its values together, ``p_adjusted``
        (Holm over causes; NaN where there are no more clusters than values); the surest first.
    reference : dict
        The value of each cause that its others are compared with: the most frequent one.
    outcome : str
        The outcome's column.
    n : int
        Independent rows or clusters.
    level : float
        Nominal coverage.
    method : str
        How it was made.
    """

    table: pd.DataFrame
    causes: pd.DataFrame
    reference: dict[str, Any]
    outcome: str
    n: int
    level: float
    method: str

    @property
    def estimates(self) -> dict[tuple[str, Any], Estimate]:
        """The adjusted difference of each cause and value with its interval."""
        figures = self.table[["difference", "low", "high"]].to_numpy(dtype=np.float64)
        return {
            (str(key[0]), key[1]): Estimate(
                row[0], n=self.n, low=row[1], high=row[2], level=self.level, method=self.method
            )
            for key, row in zip(self.table.index.tolist(), figures, strict=True)
        }

    def _heads(self) -> list[str]:
        against = ", ".join(f"{cause}: {value}" for cause, value in self.reference.items())
        return [
            f"{self.outcome}: association, not effect; {self.n:,} independent rows, {self.level:.0%} {self.method}",
            f"compared with {against}" if against else "numbers: for one standard deviation more",
        ]

    def __repr__(self) -> str:
        return "\n".join([*self._heads(), "", self.table.to_string(float_format="%.4g")])

    def _repr_html_(self) -> str:
        """Show the associations, and that they are no more."""
        shown = "".join(html.element("p", html.escape(line)) for line in self._heads())
        for table, caption in (
            (self.table, "association, adjusted for the others"),
            (self.causes, "causes as a whole"),
        ):
            plain = table.reset_index()
            shown += html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=caption)
        return shown


def drivers(
    table: Any,
    *,
    outcome: str,
    causes: str | Sequence[str],
    cluster: str | None = None,
    least: int = 20,
    level: float = 0.95,
) -> Drivers:
    """Say which cause, product or channel goes with low marks or churn, adjusted for the others.

    One linear regression of the outcome on all causes, with errors that hold for any spread (HC3) or for customers with
    several rows (CR2). For an outcome of 0 and 1 its coefficients are differences in share, which can be added and
    compared between models, as odds ratios cannot. They are associations: what drives both a cause and the outcome and
    is no column here is in them, and the words cause and driver promise more than any such table holds. To know what
    *helps*, draw who gets it and use ``compare_arms``. A number counts by its straight line alone: cut one that may
    bend, or works only together with another, into bands or crossings of values first. The cost is one decomposition of
    rows by columns.

    Parameters
    ----------
    table : table
        One row for each answer, case or customer.
    outcome : str
        Column of numbers or truth values: a low mark, churned, the mark itself.
    causes : str or sequence of str
        Columns of categories, truth values or numbers. Missing values are a value of their own; of a number, the mean
        with an indicator.
    cluster : str or None, default=None
        Several rows of one customer.
    least : int, default=20
        Values with fewer rows are put together as ``(rare)``.
    level : float, default=0.95
        Nominal coverage of each interval.

    Returns
    -------
    Drivers
        ``table`` by value, ``causes`` as a whole.

    Raises
    ------
    DataError
        If a column is missing, the outcome is no number or does not vary, or a cause has more than 200 values.

    Warns
    -----
    DataWarning
        If rows have no outcome, a value always goes with others so that it cannot be told apart from them, a cause has
        a single value, or there are fewer than 20 clusters.

    References
    ----------
    Long, J. S., & Ervin, L. H. (2000). Using heteroscedasticity consistent standard errors in the linear regression
    model. The American Statistician 54, 217-224. doi:10.1080/00031305.2000.10474549

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import drivers
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"channel": rng.choice(["app", "call", "shop"], 3000)})
    >>> table["late"] = rng.random(3000) < np.where(table["channel"] == "call", 0.5, 0.1)
    >>> table["low"] = rng.random(3000) < 0.1 + 0.3 * table["late"]
    >>> result = drivers(table, outcome="low", causes=["late", "channel"])
    >>> result.causes.index[0], result.estimates["late", True].low > 0.2
    ('late', True)
    """
    level = check_level(level)
    named = as_names(causes, "causes")
    if not named or outcome in named:
        raise DataError("causes must be one or more columns other than the outcome")
    frame = evaluation_frame(table, [outcome, *named, cluster])
    values = column_numbers(frame, outcome)
    usable = np.isfinite(values)
    notes = []
    if not usable.any():
        raise DataError(f"{outcome} holds no value: there is nothing to explain")
    if not usable.all():
        notes.append(f"{outcome} is missing in {int((~usable).sum()):,} rows, which are left out")
    frame, values = frame[usable].reset_index(drop=True), values[usable]
    if np.ptp(values) == 0:
        raise DataError(f"{outcome} has one value only: there is nothing to explain")
    clusters = cluster_codes(frame, cluster)
    columns, keys, reference, raw = _design(frame, named, values, least)
    kept = _told_apart(columns)
    lost = [f"{cause}={value}" for at, (cause, value) in enumerate(keys) if at not in kept]
    if lost:
        notes.append(f"always go with others and cannot be told apart from them: {', '.join(lost)}")
    idle = [cause for cause in named if cause not in {key[0] for key in keys}]
    if idle:
        notes.append(f"have a single value, so that there is nothing to compare: {', '.join(idle)}")
    coefficients, covariance, freedom, n = _regression(columns[:, kept], values, clusters)
    if clusters is not None and n < FEW_CLUSTERS:
        notes.append(
            f"only {n} clusters of {cluster}: intervals allow for their number, not for very lopsided outcomes"
        )
    error = np.sqrt(np.diag(covariance))
    half = np.array([t_width(own, level) for own in freedom]) * error
    result = raw.iloc[kept].copy()
    result["difference"], result["low"], result["high"] = coefficients, coefficients - half, coefficients + half
    result["p_value"] = [t_p_value(*one) for one in zip(coefficients, error, freedom, strict=True)]
    result["p_adjusted"] = holm(result["p_value"].to_numpy())
    owner = np.array([keys[at][0] for at in kept], dtype=object)
    joint = _joint(owner, coefficients, covariance, freedom, clustered=clusters is not None)
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    method = "linear, HC3" if clusters is None else f"linear, clustered by {cluster}"
    return Drivers(result, joint, reference, outcome, n, level, method)


def _design(
    frame: pd.DataFrame, causes: list[str], values: npt.NDArray[np.float64], least: int
) -> tuple[npt.NDArray[np.float64], list[tuple[str, Any]], dict[str, Any], pd.DataFrame]:
    """Turn causes into columns, with the figures of each as they are."""
    columns: list[npt.NDArray[np.float64]] = []
    keys: list[tuple[str, Any]] = []
    rows: list[tuple[int, float, float]] = []
    reference: dict[str, Any] = {}

    def add(cause: str, value: Any, own: npt.NDArray[np.bool_], base: npt.NDArray[np.bool_]) -> None:
        columns.append(own.astype(np.float64))
        keys.append((cause, value))
        mean = float(values[own].mean())
        rows.append((int(own.sum()), mean, mean - float(values[base].mean())))

    for cause in causes:
        series = frame[cause]
        if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
            numbers = column_numbers(frame, cause)
            known = np.isfinite(numbers)
            spread = float(numbers[known].std()) if known.any() else 0.0
            if spread > 0:
                scaled = np.where(known, (numbers - numbers[known].mean()) / spread, 0.0)
                columns.append(scaled)
                keys.append((cause, "one standard deviation"))
                slope = float(scaled @ (values - values.mean()) / (scaled @ scaled))
                rows.append((int(known.sum()), float(values[known].mean()), slope))
            if not known.all() and known.any():
                add(cause, _UNKNOWN, ~known, known)
            continue
        labels, codes = _levels(series, cause, least)
        counts = np.bincount(codes, minlength=len(labels))
        base = int(counts.argmax())
        reference[cause] = labels[base]
        for at, label in enumerate(labels):
            if at != base:
                add(cause, label, codes == at, codes == base)
    if not columns:
        raise DataError("no cause has more than one value: there is nothing to compare")
    index = pd.MultiIndex.from_tuples(keys, names=["cause", "value"])
    return np.column_stack(columns), keys, reference, pd.DataFrame(rows, columns=["n", "mean", "raw"], index=index)


def _levels(series: pd.Series[Any], cause: str, least: int) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """Number the values of a category, rare ones together and missing ones as a value of their own."""
    labels, codes = labels_and_codes(series)
    if len(labels) > _MOST_LEVELS:
        raise DataError(f"{cause} has {len(labels):,} values: group them to at most {_MOST_LEVELS} first")
    names = [*labels, _UNKNOWN]
    codes = np.where(codes < 0, len(labels), codes)
    counts = np.bincount(codes, minlength=len(names))
    rare = (counts > 0) & (counts < least)
    stay = [at for at in range(len(names)) if counts[at] >= max(least, 1)]
    place = np.full(len(names), len(stay), dtype=np.intp)
    place[stay] = np.arange(len(stay))
    shown = [names[at] for at in stay] + ([_RARE] if rare.any() else [])
    return shown, np.asarray(place[codes], dtype=np.intp)


def _told_apart(columns: npt.NDArray[np.float64]) -> list[int]:
    """Keep the columns that are no sum of others."""
    centred = columns - columns.mean(axis=0)
    size = np.sqrt(np.sum(centred**2, axis=0))
    varied = np.flatnonzero(size > 1e-9)
    _, upper, order = qr(centred[:, varied] / size[varied], mode="economic", pivoting=True)
    independent = np.abs(np.diag(upper)) > 1e-7
    return sorted(varied[order[: len(independent)][independent]].tolist())


def _regression(
    columns: npt.NDArray[np.float64], values: npt.NDArray[np.float64], clusters: npt.NDArray[np.intp] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], int]:
    """Fit by least squares and give the slopes, their robust covariance, degrees of freedom, and independent rows."""
    n_rows, n_columns = len(values), columns.shape[1] + 1
    if n_rows <= n_columns + 1:
        raise DataError(f"{n_rows:,} rows are too few for {n_columns - 1} values of causes")
    design = np.column_stack([np.ones(n_rows), columns])
    q, r = np.linalg.qr(design)
    coefficients = np.linalg.solve(r, q.T @ values)
    residual = values - design @ coefficients
    # What rounding leaves of an outcome that the causes explain wholly is no spread.
    if np.abs(residual).max() <= 1e-12 * np.abs(values).max():
        residual = np.zeros(n_rows)
    contrasts = np.linalg.inv(r).T
    if clusters is None:
        leverage = np.einsum("ij,ij->i", q, q)
        influence = (q @ contrasts) * (residual / np.maximum(1 - leverage, 1e-6))[:, None]
        n, freedom = n_rows, np.full(n_columns, float(n_rows - n_columns))
    else:
        n = int(clusters.max()) + 1
        if n < 2:
            raise DataError("all rows belong to one cluster: nothing tells how far clusters differ")
        influence, freedom = bias_reduced(q, residual, contrasts, clusters)
    covariance = influence.T @ influence
    return (
        np.asarray(coefficients[1:], dtype=np.float64),
        np.asarray(covariance[1:, 1:], dtype=np.float64),
        np.asarray(freedom[1:], dtype=np.float64),
        n,
    )


def _joint(
    owner: npt.NDArray[np.object_],
    coefficients: npt.NDArray[np.float64],
    covariance: npt.NDArray[np.float64],
    freedom: npt.NDArray[np.float64],
    *,
    clustered: bool,
) -> pd.DataFrame:
    """Test each cause with all its values together; clusters by Hotelling's test, as their covariance is a sample's."""
    rows = {}
    for cause in dict.fromkeys(owner.tolist()):
        own = np.flatnonzero(owner == cause)
        size, least = len(own), float(freedom[own].min())
        part = covariance[np.ix_(own, own)]
        left = least - size + 1 if clustered else least
        p_value = np.nan
        if left > 0 and np.diag(part).min() > 0:
            statistic = float(coefficients[own] @ np.linalg.pinv(part, hermitian=True) @ coefficients[own])
            p_value = float(fdtrc(size, left, statistic * (left / least) / size))
        rows[cause] = {"values": size, "p_value": p_value}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("cause")
    table["p_adjusted"] = holm(table["p_value"].to_numpy())
    return table.astype({"values": np.int64}).sort_values("p_value", kind="stable")
