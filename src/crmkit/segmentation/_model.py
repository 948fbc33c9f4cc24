"""Segments that can be read, named, saved and asked again next month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
import pandas as pd

from crmkit.metrics import share
from crmkit.segmentation._columns import Columns, read_columns
from crmkit.segmentation._features import read_customers
from crmkit.segmentation._ids import to_ids
from crmkit.segmentation._names import new_names
from crmkit.segmentation._shown import as_html, as_text, head
from crmkit.segmentation.choosing._choice import Choice
from crmkit.segmentation.explaining._profile import Profile, profile_frame
from crmkit.segmentation.explaining._rules import Rules, rules_frame
from crmkit.segmentation.explaining._trait_table import trait_frame
from crmkit.segmentation.over_time._check import check
from crmkit.segmentation.over_time._comparison import Comparison, compare
from crmkit.segmentation.over_time._identity import LEAST_JACCARD, Identity
from crmkit.segmentation.over_time._models import identify
from crmkit.segmentation.over_time._tracking import Tracking, track

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.core.estimate import Estimate
    from crmkit.segmentation.over_time._needs_report import NeedsReport

__all__ = ["SegmentationModel"]


class SegmentationModel:
    """Segments of customers, with frozen transform, cuts and centres.

    It is made by ``segment`` and never changes: ``rename`` gives a new one. Segment ids count from 0 by falling
    revenue share (by falling size where there is no revenue); every negative id means "in no segment", and these
    customers stand under the name ``nobody``, never merged into a segment.

    Parameters
    ----------
    state : dict
        What ``get_state`` gave: arrays, numbers, text, lists and dicts of these, and scikit-learn estimators.

    Attributes
    ----------
    features : tuple of str
        The columns it segments by.
    segmenter : estimator
        The fitted segmenter.
    transform : transformer or None
        The fitted transform, None where the columns go in as they are.

    See Also
    --------
    segment : Makes one.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import segmentation
    >>> index = pd.Index(list("abcdef"), name="customer_id")
    >>> table = pd.DataFrame({"visits": [1, 2, 1, 50, 52, 49]}, index=index)
    >>> segments = segmentation.segment(table, n_segments=2, transform="scale", random_state=0)
    >>> segments.labels.tolist()[:4]
    ['low visits', 'low visits', 'low visits', 'high visits']
    >>> segments.rename({"high visits": "regulars"}).predict({"customer_id": ["z"], "visits": [40]}).tolist()
    ['regulars']
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = dict(state)
        self.features: tuple[str, ...] = tuple(state["features"])
        self.segmenter: Any = state["segmenter"]
        self.transform: Any | None = state["transform"]

    def get_state(self) -> dict[str, Any]:
        """Give everything it consists of, for saving without pickle.

        Returns
        -------
        dict
            Arrays, numbers, text, lists and dicts of these, and scikit-learn estimators.
        """
        return dict(self._state)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make it again from what ``get_state`` gave.

        Parameters
        ----------
        state : dict
            The state.

        Returns
        -------
        SegmentationModel
            The same segments.
        """
        return cls(state)

    @property
    def names(self) -> dict[int, str]:
        """Name of each segment id, also of segments that no customer was in when fitting; -1 is in no segment."""
        return {**dict(enumerate(self._state["names"])), -1: self._state["nobody"]}

    @property
    def n_segments(self) -> int:
        """How many segments hold customers."""
        return sum(segment >= 0 for segment in self._state["row_ids"])

    @property
    def segment_id(self) -> pd.Series[int]:
        """Segment id of each customer it was made on; negative means in no segment."""
        return pd.Series(self._state["segment_ids"], index=self._index(), name="segment_id")

    @property
    def labels(self) -> pd.Series[str]:
        """Segment name of each customer it was made on."""
        return self._named(self._state["segment_ids"], self._index())

    @property
    def choice(self) -> Choice:
        """How many segments were made, by which criterion, and why."""
        return Choice(**self._state["choice"])

    @property
    def how_new(self) -> str:
        """How ``predict`` places a new customer, in words."""
        return str(self._state["how_new"])

    @property
    def profile(self) -> Profile:
        """What each segment is: a DataFrame with one row a segment, which prints as people read it."""
        return profile_frame(self._state, self.names)

    @property
    def traits(self) -> pd.DataFrame:
        """What sets each segment apart: one row a segment and column, in each segment the largest effect first.

        ``segment``, ``column``, ``trait`` (its word; empty where the effect is small), ``n`` (known values),
        ``figure`` (the median; the share of a column of 0 and 1), ``everybody`` (the same of all), ``lift``,
        ``robust_z``, ``effect`` (Cliff's delta) and ``smd``, with their intervals.
        """
        return trait_frame(self._state, self.names)

    @property
    def rules(self) -> Rules:
        """Rules of a small tree that says nearly the same: a DataFrame with one row a rule, which prints them whole.

        ``customers``, ``precision`` and ``coverage`` are over all customers; ``fidelity`` and ``found``, with their
        intervals, over customers that were held back. ``without`` names segments that no rule says.
        """
        sizes = dict(zip(self._state["row_ids"], map(int, self._state["customers"]), strict=True))
        return rules_frame(self._state["rules"], self.names, sizes)

    @property
    def fidelity(self) -> Estimate:
        """Share of customers that the rules put into their own segment, on customers the rules were not made on."""
        return share(*self._state["fidelity"])

    def predict_ids(self, table: Any) -> pd.Series[int]:
        """Give the segment id of customers, with nothing computed anew.

        Parameters
        ----------
        table : table
            One row a customer, with the columns in ``features``.

        Returns
        -------
        Series of int, named ``segment_id``
            Indexed by ``customer_id``; negative means in no segment.

        Raises
        ------
        DataError
            If a column is missing, not numeric, or holds missing or infinite values.
        """
        frame = read_customers(table)
        return pd.Series(self._place(self._read(frame)), index=frame.index, name="segment_id")

    def points(self, table: Any) -> Any:
        """Give customers as the segmenter sees them: the columns in ``features``, through the frozen transform.

        Parameters
        ----------
        table : table
            One row a customer, with the columns in ``features``.

        Returns
        -------
        ndarray of shape (n_customers, n_columns) or pandas.DataFrame
            What figures of separation are worked out on, such as ``metrics.silhouette(segments.points(table),
            segments.predict_ids(table))``; a DataFrame where there are categories.

        Raises
        ------
        DataError
            As ``predict``.
        """
        return self._read(read_customers(table)).points(self.transform)

    def predict(self, table: Any) -> pd.Series[str]:
        """Give the segment name of customers, with nothing computed anew.

        A customer alone gets the same segment as in any batch. Where the algorithm itself cannot predict, ``how_new``
        says how customers are placed.

        Parameters
        ----------
        table : table
            One row a customer, with the columns in ``features``.

        Returns
        -------
        Series of str, named ``segment``
            Indexed by ``customer_id``.

        Raises
        ------
        DataError
            If a column is missing, not numeric, or holds missing or infinite values.
        """
        ids = self.predict_ids(table)
        return self._named(ids.to_numpy(), ids.index)

    @overload
    def compare(self, table: SegmentationModel) -> Identity: ...  # pyright: ignore[reportOverlappingOverload] -- tables are Any

    @overload
    def compare(self, table: Any) -> Comparison: ...

    def compare(self, table: Any) -> Comparison | Identity:
        """Hold a new table, or another model, against the customers the segments were made on.

        Parameters
        ----------
        table : table or SegmentationModel
            One row a customer, such as the same columns a month later; the same customers or others. Or another
            model, whose segments are then matched with these on the customers that both were made on.

        Returns
        -------
        Comparison or Identity
            For a table sizes, stability index, medians, and who moved where; for a model which segments are the same.

        Raises
        ------
        DataError
            As ``predict``; or if no customer is in both models.
        """
        if isinstance(table, SegmentationModel):
            return identify(self, table, least_jaccard=LEAST_JACCARD)
        frame = read_customers(table)
        columns = self._read(frame)
        after = pd.Series(self._place(columns), index=frame.index, name="segment_id")
        return compare(self, columns.shown, after)

    def track(self, tables: Mapping[Any, Any]) -> Tracking:
        """Follow the frozen segments over several dates.

        Parameters
        ----------
        tables : mapping of date or label to table
            One customer table a date, in the order of time.

        Returns
        -------
        Tracking
            As ``segmentation.track`` gives it.
        """
        return track(self, tables)

    def check(self, needs: Any, customers: Any = None) -> NeedsReport:
        """Hold the segments against declared business needs.

        Parameters
        ----------
        needs : need, mapping, or list of these
            Such as ``LeastSize(share=0.05)``, or as a configuration file has it
            ``{"need": "least-size", "share": 0.05}``.
        customers : table or None, default=None
            One row a customer, with the columns that the needs name; needs of number and size ask for none.

        Returns
        -------
        NeedsReport
            One row a need and segment: the figure, its interval, and whether the need is met.

        Raises
        ------
        DataError
            If a column is missing or none of the table's customers is in the segmentation.
        """
        return check(self, needs, customers)

    def refit(
        self,
        table: Any,
        *,
        n_segments: int | str | None = None,
        random_state: Any = None,
        least_jaccard: float = LEAST_JACCARD,
    ) -> SegmentationModel:
        """Fit the same kind of segments anew on a new table, and keep who is who.

        Transform and segmenter are unfitted copies with the same parameters, fitted on the new table. Its customers
        are also placed by the old, frozen segments; a new segment that holds enough of the same customers as an old
        one keeps its id and name, given ones too. New segments get ids after all that ever were, and names that were
        never another's; ids that vanished stay in ``names``. ``identity`` says what became of each. Segments that the
        segmenter itself names (``rfm-rules``) are the same where the name is.

        Parameters
        ----------
        table : table
            One row a customer, with the columns in ``features``; the same customers or others.
        n_segments : int, "auto" or None, default=None
            None keeps the number (segmenters that find it themselves find it again); ``"auto"`` chooses it anew.
        random_state : int, RandomState or None, default=None
            None seeds as the first fit was seeded.
        least_jaccard : float, default=1/3
            The least overlap, customers in both over customers in either, of a segment with its former self.

        Returns
        -------
        SegmentationModel
            A new one; this one is not changed.

        Raises
        ------
        DataError
            As ``segment`` and ``predict``.
        """
        from crmkit.segmentation.over_time._refit import refit

        state = refit(self, table, n_segments=n_segments, random_state=random_state, least_jaccard=least_jaccard)
        return type(self)(state)

    @property
    def identity(self) -> Identity | None:
        """What became of each segment in the last ``refit``; None for a first fit."""
        found = self._state.get("identity")
        return None if found is None else Identity(**found)

    def rename(self, names: Mapping[str | int, str]) -> SegmentationModel:
        """Give the same segments other names.

        Parameters
        ----------
        names : mapping of str or int to str
            New name by the present name or the segment id (also as text, as configuration files have it).

        Returns
        -------
        SegmentationModel
            A new one; this one keeps its names.

        Raises
        ------
        ValueError
            If a segment is not there, or two would share a name.
        """
        *renamed, nobody = new_names([*self._state["names"], self._state["nobody"]], names)
        return type(self)({**self._state, "names": renamed, "nobody": nobody})

    def _index(self) -> pd.Index[Any]:
        index: pd.Index[Any] = pd.Index(self._state["customer_ids"], name="customer_id")
        return index

    def _named(self, ids: npt.NDArray[np.integer[Any]], index: pd.Index[Any]) -> pd.Series[str]:
        """Turn ids into names; any negative id finds the last name."""
        known = np.array([*self._state["names"], self._state["nobody"]], dtype=object)
        names: list[str] = known[np.maximum(ids, -1)].tolist()
        named: pd.Series[str] = pd.Series(names, index=index, name="segment")
        return named

    def _read(self, frame: pd.DataFrame) -> Columns:
        """Read a table's columns, categories as they were frozen."""
        categories = self._state.get("categories", {})
        filled, kept = self._state.get("filled", ()), bool(self._state.get("kept", False))
        return read_columns(
            frame, self.features, categorical=list(categories), known=categories, filled=filled, kept=kept
        )

    def _place(self, columns: Columns) -> npt.NDArray[np.int64]:
        """Give segment ids by the frozen transform and segmenter."""
        points = columns.points(self.transform)
        if getattr(self.segmenter, "preferred_transform", None) is None:
            columns.check_distances(points, fitting=False)
        raw = np.asarray(self.segmenter.predict(points), dtype=np.int64)
        return to_ids(raw, np.asarray(self._state["raw_labels"], dtype=np.int64))

    def __repr__(self) -> str:
        return f"<SegmentationModel: {head(self)}>"

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
