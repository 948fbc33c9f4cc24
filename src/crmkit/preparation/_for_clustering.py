"""The declaration of how customers are prepared for clustering, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.preparation._clustering import ClusteringTransform
from crmkit.preparation._clustering_rules import check_declared, winsorizer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["for_clustering"]


def for_clustering(
    *,
    missing: str | float | Mapping[str, str | float] = "refuse",
    indicator: bool = False,
    winsorize: Any = None,
    skew: str | Mapping[str, str] = "signed-log",
    min_skew: float | None = None,
    scaling: str = "standard",
    weights: Mapping[str, float] | None = None,
    pca: float | None = None,
) -> ClusteringTransform:
    """Declare how customers are prepared for clustering: gaps, outliers, skew, scale, weights, components.

    With nothing declared it is what ``segment(transform="rfm")`` does: the signed logarithm in units of each column's
    median size, then equal variance; a missing value is refused.

    Parameters
    ----------
    missing : {"refuse", "median", "zero", "category"} or float, or mapping of str to these, default="refuse"
        What stands for a missing value, of all columns or by name.
    indicator : bool, default=False
        Whether to add ``<column>_is_missing`` for columns with filled values.
    winsorize : float, pair, mapping of these, Winsorizer, or None, default=None
        Caps: ``0.99`` is the upper quantile, ``(0.01, 0.99)`` both, ``{"monetary": 0.99}`` by name;
        ``Winsorizer(fence=5)`` stands five robust deviations from the median.
    skew : {"signed-log", "yeo-johnson", "none"}, or mapping of str to these, default="signed-log"
        What is done about long tails.
    min_skew : float or None, default=None
        Only where the skewness is above this in size.
    scaling : {"standard", "robust", "minmax", "none"}, default="standard"
        How columns are made comparable.
    weights : mapping of str to float, or None, default=None
        What multiplies a column's part of the squared distance: 4 counts it four times, 0 leaves it out.
    pca : int, float, True or None, default=None
        Principal components: so many, those that hold this share of the variance, or all.

    Returns
    -------
    ClusteringTransform
        Unfitted; ``segment(table, transform=...)`` fits a copy.

    Raises
    ------
    DataError
        If a rule is none of those above.

    See Also
    --------
    ClusteringTransform : What each step does and keeps.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import preparation
    >>> made = preparation.for_clustering(missing={"age": "median"}, winsorize={"spend": 0.9}, weights={"age": 4.0})
    >>> table = pd.DataFrame({"spend": [10.0, 12.0, 15.0, 20.0, 9000.0], "age": [30.0, None, 50.0, 41.0, 28.0]})
    >>> print(made.fit(table))
    spend: at most 20 (1 capped); signed log in units of 15; mean 0, deviation 1
    age: 1 missing filled with its median (35.5); signed log in units of 35.5; mean 0, deviation 1; weight 4
    """
    check_declared(missing, skew, scaling, weights, pca)
    winsorizer(winsorize)
    return ClusteringTransform(
        missing=missing,
        indicator=indicator,
        winsorize=winsorize,
        skew=skew,
        min_skew=min_skew,
        scaling=scaling,
        weights=weights,
        pca=pca,
    )
