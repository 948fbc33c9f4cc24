"""A feature table: features, outcomes, and everything that is needed to make the same columns again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.preparation._folds import CustomerFolds, CustomerTimeFolds, TimeFolds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crmkit.preparation.feature_tables._recipe import FeatureRecipe

__all__ = ["FeatureSplit", "FeatureTable"]

_BY = ("time", "customer", "both")


class FeatureSplit(NamedTuple):
    """Rows to train on and rows to test on.

    Parameters
    ----------
    train, test : FeatureTable
        The two parts.
    left_out : int
        Rows in neither, because their label windows reach into the test, or their customer is in the other part.
    """

    train: FeatureTable
    test: FeatureTable
    left_out: int


@dataclass(frozen=True, eq=False, repr=False)
class FeatureTable:
    """What was known of customers at cutoffs, and what happened after.

    Parameters
    ----------
    features : pandas.DataFrame
        Indexed by ``customer_id`` and ``cutoff``: numbers known strictly before the cutoff.
    outcomes : pandas.DataFrame or None
        What happened from the cutoff on, within the horizon; missing where the data end earlier.
    label : Series or None
        The one outcome to be foretold.
    recipe : FeatureRecipe
        What was learned; ``crmkit.save`` keeps it.
    horizon : int
        Days of the label.
    coverage : pandas.DataFrame
        By cutoff: ``customers`` in the table, ``buyers`` after it, and how many of those are ``cold``, not in the
        table because nothing was known of them; missing where the label is.
    again, remake : callable
        How ``apply`` makes the table of other cutoffs, and how ``audit`` makes the features of these anew.
    """

    features: pd.DataFrame
    outcomes: pd.DataFrame | None
    label: pd.Series | None
    recipe: FeatureRecipe
    horizon: int
    coverage: pd.DataFrame
    again: Callable[..., FeatureTable]
    remake: Callable[[Any, Any], pd.DataFrame]

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 -- X is the field's own name
        """The features of the rows whose label is known."""
        if self.label is None:
            raise DataError("this table was made without labels: score its .features")
        known = self._known()
        return self.features if known.all() else self.features.loc[known]

    @property
    def y(self) -> pd.Series:
        """The known labels, whole numbers where all are."""
        if self.label is None:
            raise DataError("this table was made without labels: score its .features")
        label = self.label.loc[self._known()]
        if pd.api.types.is_float_dtype(label.dtype) and (label == np.floor(label)).all() and self.label.name in _WHOLE:
            return label.astype(np.int64)
        return label if label.dtype != object else label.infer_objects()

    @property
    def frame(self) -> pd.DataFrame:
        """Features and outcomes side by side."""
        return self.features if self.outcomes is None else self.features.join(self.outcomes.add_prefix("next_"))

    @property
    def customers(self) -> pd.Index:
        """Whose row each of ``X`` is, for ``groups=``."""
        return self.X.index.get_level_values("customer_id")

    def _known(self) -> npt.NDArray[np.bool_]:
        """Say which labels are known."""
        assert self.label is not None  # noqa: S101 -- asked only of tables with labels
        return self.label.notna().to_numpy(dtype=bool)

    def describe(self) -> pd.DataFrame:
        """Say of every column what it is.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``feature``: ``table``, ``what`` in words, ``column``, ``window`` in days, ``missing`` rows and
            ``distinct`` values.
        """
        ours = self.recipe.aggregates
        values = self.features
        return pd.DataFrame(
            {
                "table": [one.table for one in ours],
                "what": [one.words for one in ours],
                "column": [one.column for one in ours],
                "window": pd.array([one.window for one in ours], dtype="Int64"),
                "missing": [int(values[one.name].isna().sum()) for one in ours],
                "distinct": [int(values[one.name].nunique()) for one in ours],
            },
            index=pd.Index([one.name for one in ours], name="feature"),
        )

    def apply(
        self, events: Any, cutoffs: Any, *, labels: bool = True, customers: Any = None, until: Any = None
    ) -> FeatureTable:
        """Make the same columns at other cutoffs, with everything that was learned left as it is.

        Parameters
        ----------
        events : table, or mapping of str to table
            Of the same form; usually with later rows.
        cutoffs : date, time, text of one, or a sequence of them
            Exclusive.
        labels : bool, default=True
            Whether the label is made as well. A cutoff whose horizon reaches past the data is then refused; False for
            rows to be scored.
        customers, until : optional
            As for ``features``.

        Returns
        -------
        FeatureTable
            With the same columns.

        Raises
        ------
        DataError
            As ``features``.
        """
        return self.again(self.recipe, events, cutoffs, labels=labels, customers=customers, until=until)

    def folds(
        self,
        by: str = "time",
        *,
        n_folds: int | None = None,
        gap: int = 0,
        least_cutoffs: int = 1,
        random_state: Any = 0,
    ) -> Any:
        """Give a splitter for cross-validation that knows this table's horizon.

        Parameters
        ----------
        by : {"time", "customer", "both"}, default="time"
            Test later cutoffs, customers never trained on, or both.
        n_folds : int or None, default=None
            Folds in time (None for all there can be), or parts of customers (None for 5).
        gap : int, default=0
            Days more between the training labels and the test.
        least_cutoffs : int, default=1
            Cutoffs a fold must train on.
        random_state : int, RandomState or None, default=0
            Of dealing customers.

        Returns
        -------
        TimeFolds, CustomerFolds or CustomerTimeFolds
            For ``cv=``.
        """
        _check_by(by)
        if by == "customer":
            return CustomerFolds(n_folds or 5, random_state=random_state)
        options: dict[str, Any] = {"gap": gap, "n_folds": n_folds, "least_cutoffs": least_cutoffs}
        if by == "time":
            return TimeFolds(self.horizon, **options)
        return CustomerTimeFolds(self.horizon, random_state=random_state, **options)

    def split(
        self, *, test: Any = None, by: str = "time", gap: int = 0, share: float = 0.25, random_state: Any = 0
    ) -> FeatureSplit:
        """Divide into training and test rows so that no training label reaches past the first test cutoff.

        Parameters
        ----------
        test : date, time, text of one, or None
            The first cutoff of the test; all from it on are tested. None for the last one.
        by : {"time", "customer", "both"}, default="time"
            "customer" tests a share of the customers at all cutoffs, "both" those customers at the test cutoffs only.
        gap : int, default=0
            Days more between the training labels and the test.
        share : float, default=0.25
            The share of the customers that is tested.
        random_state : int, RandomState or None, default=0
            Of the choice of customers.

        Returns
        -------
        FeatureSplit
            ``train, test, left_out``.

        Raises
        ------
        DataError
            If one part would be empty.
        """
        from crmkit.preparation.feature_tables._splitting import parts

        _check_by(by)
        train, tested = parts(
            self.features.index, self.horizon, test=test, by=by, gap=gap, share=share, random_state=random_state
        )
        out = int((~train & ~tested).sum())
        return FeatureSplit(self._take(train), self._take(tested), out)

    def _take(self, rows: npt.NDArray[np.bool_]) -> FeatureTable:
        """Give some of the rows."""
        features = self.features.loc[rows]
        there = features.index.get_level_values("cutoff").unique()
        return replace(
            self,
            features=features,
            outcomes=None if self.outcomes is None else self.outcomes.loc[rows],
            label=None if self.label is None else self.label.loc[rows],
            coverage=self.coverage.loc[self.coverage.index.isin(there)],
        )

    def __repr__(self) -> str:
        n_rows, n_columns = self.features.shape
        lines = [f"{n_rows:,} rows at {len(self.coverage)} cutoffs, {n_columns} features, horizon {self.horizon} days"]
        if self.label is not None:
            known = self._known()
            said = f"  label {self.label.name}: {int(known.sum()):,} known"
            values = self.label.loc[known]
            if known.any() and pd.api.types.is_numeric_dtype(values.dtype):
                said += f", mean {float(values.astype(float).mean()):.4g}"
            lines.append(said)
            cold, buyers = self.coverage["cold"].sum(), self.coverage["buyers"].sum()
            lines.append(f"  of {int(buyers):,} buyers after the cutoffs {int(cold):,} were not known before (cold)")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the cutoffs and the columns."""
        cutoffs = self.coverage.reset_index()
        about = self.describe().reset_index()
        known = html.table(list(cutoffs.columns), cutoffs.astype(object).to_numpy().tolist(), caption=repr(self))
        shown = about[["feature", "what", "missing", "distinct"]]
        return known + html.table(list(shown.columns), shown.to_numpy().tolist(), caption="columns")


_WHOLE = frozenset({"bought", "purchases"})
"""Labels that count."""


def _check_by(by: str) -> None:
    """Refuse another way to divide."""
    if by not in _BY:
        raise DataError(f"by must be one of {', '.join(map(repr, _BY))}, got {by!r}")
