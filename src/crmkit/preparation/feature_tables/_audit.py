"""Proves by perturbation that features read nothing at or after their cutoff, and flags those that know the label."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation.feature_tables._clock import Clock, make_clock
from crmkit.preparation.feature_tables._knowledge import label_knowledge
from crmkit.preparation.feature_tables._perturb import perturbations
from crmkit.preparation.feature_tables._recipe import as_tables
from crmkit.preparation.feature_tables._table import FeatureTable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Audit", "audit"]

_ROWS = "(which rows there are)"


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """What an audit of features found.

    Parameters
    ----------
    moved : pandas.DataFrame
        A row for each feature, cutoff and perturbation under which its values changed: ``feature``, ``cutoff``,
        ``how`` the future was changed, ``rows`` with another value. Empty where nothing after a cutoff was read.
    knows : pandas.DataFrame
        What ``label_knowledge`` says of every feature; empty where there is no label.
    trials : pandas.DataFrame
        Every perturbation tried: ``cutoff``, ``how``, ``touched`` (rows removed, changed or added) and ``compared``
        (values that should not have moved).
    threshold : float
        The area under the ROC curve from which on a feature is suspect.
    """

    moved: pd.DataFrame
    knows: pd.DataFrame
    trials: pd.DataFrame
    threshold: float

    @property
    def leaking(self) -> list[str]:
        """The features that read the future, in alphabetical order."""
        return sorted(set(self.moved["feature"]))

    @property
    def suspect(self) -> list[str]:
        """The features that tell the label too well."""
        return [str(name) for name in self.knows.index[self.knows["suspect"].to_numpy(dtype=bool)]]

    @property
    def ok(self) -> bool:
        """Whether no feature moved and none is suspect."""
        return not self.leaking and not self.suspect

    def __repr__(self) -> str:
        n_cutoffs = self.trials["cutoff"].nunique()
        lines = [
            f"{len(self.trials)} changes of the future at {n_cutoffs} cutoffs, {self.trials['touched'].sum():,} rows "
            f"touched, {self.trials['compared'].sum():,} values compared: "
            + ("no feature moved" if not self.leaking else f"{len(self.leaking)} moved")
        ]
        for name in self.leaking:
            own = self.moved[self.moved["feature"] == name]
            lines.append(f"  {name} reads the future: {own['rows'].max():,} rows moved when events were {_ways(own)}")
        for name in self.suspect:
            row = self.knows.loc[name].to_dict()
            what = "equals the label" if row["equals_label"] else "tells the label"
            lines.append(f"  {name} {what}: AUC {row['auc']:.3f} [{row['low']:.3f}, {row['high']:.3f}], n={row['n']:,}")
        if len(self.knows) and not self.suspect:
            top = self.knows.iloc[0]
            lines.append(
                f"  the most telling feature, {self.knows.index[0]}, has AUC {top['auc']:.3f} [{top['low']:.3f}, "
                f"{top['high']:.3f}], below {self.threshold}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the findings."""
        moved = html.table(list(self.moved.columns), self.moved.to_numpy().tolist(), caption=repr(self))
        shown = self.knows.reset_index().head(20)
        return moved + html.table(list(shown.columns), shown.astype(object).to_numpy().tolist(), caption="most telling")


def _ways(moved: pd.DataFrame) -> str:
    """Write the perturbations under which a feature moved."""
    return "; ".join(dict.fromkeys(moved["how"]))


def audit(
    subject: FeatureTable | Callable[[Any, Any], Any],
    events: Any,
    cutoffs: Any = None,
    *,
    label: Any = None,
    threshold: float = 0.95,
    tolerance: float = 1e-9,
    random_state: int = 0,
) -> Audit:
    """Check that features read nothing at or after their cutoff.

    Whatever happens at or after a cutoff may not move a feature of it. So the events that were not known before the
    cutoff are removed; then shuffled, with enormous numbers; then others are added at the very cutoff and after it,
    of known and of unknown customers; and, where there is a ``recorded_time``, with a date before the cutoff but
    written down after it. Each time the features are computed anew, everything that is learned included, and every
    value that moved is named. A feature that does not move under these has not read the rows that were changed; that is
    a test of a program on these events, not of every program that could be written.

    Events may also carry the future within a row of the past (a column filled in later, such as a status): nothing
    moves then. So, where there is a label, each feature is also measured by how well it tells the label alone.

    Parameters
    ----------
    subject : FeatureTable or callable
        What ``features`` or ``apply`` gave; or a function of (events, cutoff) that gives a table with a row a customer.
    events : table, or mapping of str to table
        What the features were made of: ``customer_id``, and ``day`` or ``time``, and where there is one
        ``recorded_time``.
    cutoffs : date, time, text of one, a sequence of them, or None
        For a function; None for those of the table.
    label : Series or None
        For a function: labels by ``customer_id`` at the last cutoff. A table has its own.
    threshold : float, default=0.95
        The area under the ROC curve of one feature from which on it is suspect; see ``label_knowledge``.
    tolerance : float, default=1e-9
        How far, relative to its size, a number may move by rounding.
    random_state : int, default=0
        Of what is drawn.

    Returns
    -------
    Audit
        ``.ok``, ``.leaking``, ``.suspect``, ``.moved``, ``.knows``, ``.trials``.

    Raises
    ------
    DataError
        If the function fails on changed events (one that needs the future to work), or there is no cutoff.

    Notes
    -----
    The cost is that of computing the features five or six times a cutoff.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import audit
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 40, 20], "amount": [1.0, 2.0, 4.0]})
    >>> def total(events, cutoff):
    ...     return events.groupby("customer_id")[["amount"]].sum()
    >>> audit(total, sales, "1970-01-31").leaking
    ['(which rows there are)', 'amount']
    """
    rng = np.random.default_rng(random_state)
    tables = as_tables(events)
    if isinstance(subject, FeatureTable):
        clock = make_clock(list(subject.coverage.index) if cutoffs is None else cutoffs, subject.recipe.timezone)
        compute = _of_table(subject, clock)
    else:
        if cutoffs is None:
            raise DataError("cutoffs must be named where a function is audited")
        clock = make_clock(cutoffs)
        compute = subject
    alone = "" in tables
    moved: list[dict[str, Any]] = []
    trials: list[dict[str, Any]] = []
    last: Any = None
    with warnings.catch_warnings():
        # What is remarkable about the events was said when the features were made.
        warnings.simplefilter("ignore", DataWarning)
        for cutoff, tick in zip(clock.cutoffs, clock.ticks, strict=True):
            here = Clock((cutoff,), np.array([tick]), clock.day, clock.timezone)
            shown = clock.index[clock.ticks == tick][0] if isinstance(subject, FeatureTable) else cutoff
            last = _as_table(compute(events, shown))
            for how, changed, touched in perturbations(tables, here, rng):
                try:
                    found = _as_table(compute(changed[""] if alone else changed, shown))
                except Exception as error:
                    raise DataError(
                        f"the features cannot be computed at {cutoff} once events from then on are {how}: they need "
                        "the future to work"
                    ) from error
                trials.append({"cutoff": str(cutoff), "how": how, "touched": touched, "compared": last.size})
                moved += [
                    {"feature": name, "cutoff": str(cutoff), "how": how, "rows": rows}
                    for name, rows in _differences(last, found, tolerance)
                ]
    columns = ["feature", "cutoff", "how", "rows"]
    knows = _knowledge(subject, last, label, threshold)
    return Audit(pd.DataFrame(moved, columns=columns), knows, pd.DataFrame(trials), threshold)


def _of_table(table: FeatureTable, clock: Clock) -> Callable[[Any, Any], pd.DataFrame]:
    """Compute the features of a table anew at all its cutoffs, and give those up to one of them."""

    def compute(events: Any, cutoff: Any) -> pd.DataFrame:
        found = table.remake(events, list(clock.cutoffs))
        return found.loc[np.asarray(found.index.get_level_values("cutoff") <= cutoff)]

    return compute


def _as_table(found: Any) -> pd.DataFrame:
    """Bring what a function gave to a frame with one row for each index entry."""
    frame = found.to_frame() if isinstance(found, pd.Series) else found
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"features must be a DataFrame with a row a customer, got {type(frame).__name__}")
    if "customer_id" in frame.columns:
        frame = frame.set_index("customer_id")
    if not frame.index.is_unique:
        raise DataError("features must have one row a customer: an index entry stands more than once")
    return frame


def _differences(before: pd.DataFrame, after: pd.DataFrame, tolerance: float) -> list[tuple[str, int]]:
    """Name the features that differ, and in how many rows."""
    found: list[tuple[str, int]] = []
    strange = len(before.index.symmetric_difference(after.index))
    if strange:
        found.append((_ROWS, strange))
    shared = before.index.intersection(after.index)
    old, new = before.loc[shared], after.loc[shared]
    found += [(str(name), len(shared)) for name in before.columns.symmetric_difference(after.columns, sort=False)]
    for name in before.columns.intersection(after.columns):
        moved = int(_unequal(old[name], new[name], tolerance).sum())
        if moved:
            found.append((str(name), moved))
    return found


def _unequal(old: pd.Series, new: pd.Series, tolerance: float) -> Any:
    """Say where two columns differ; two missing values are equal."""
    if pd.api.types.is_numeric_dtype(old.dtype) and pd.api.types.is_numeric_dtype(new.dtype):
        left, right = (one.to_numpy(dtype=np.float64, na_value=np.nan) for one in (old, new))
        return ~np.isclose(left, right, rtol=tolerance, atol=0, equal_nan=True)
    left, right = old.astype(object).to_numpy(), new.astype(object).to_numpy()
    both = old.isna().to_numpy() & new.isna().to_numpy()
    return (left != right) & ~both


def _knowledge(subject: Any, last: Any, label: Any, threshold: float) -> pd.DataFrame:
    """Measure how well each feature tells the label, where there is one with two values."""
    X, y = None, None
    if isinstance(subject, FeatureTable):
        if subject.label is not None:
            X, y = subject.X, subject.y
    elif label is not None:
        y = pd.Series(label).dropna()
        shared = last.index.intersection(y.index)
        X, y = last.loc[shared], y.loc[shared]
    if X is None or y is None or y.nunique() < 2:
        return label_knowledge(pd.DataFrame({"x": [0, 1]}), [0, 1], threshold=threshold).iloc[:0]
    return label_knowledge(X, y, threshold=threshold)
