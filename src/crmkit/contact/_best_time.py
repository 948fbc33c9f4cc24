"""At which hour and by which channel each customer answers best, learned from past contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import beta
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from crmkit.contact._ids import same_kind
from crmkit.contact._shrinkage import pulled, spread, strength
from crmkit.contact._zones import check_zone, instant, instants, zones_of
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["BestTime"]

_CHUNK = 20_000


class BestTime(BaseEstimator):
    """The rate at which customers respond, by channel and local hour, pulled to their segment's and to everybody's.

    A cell is a channel and a stretch of hours. In each, a customer's rate is pulled towards that of the segment, the
    segment's towards that of everybody, and everybody's towards the rate over all cells. How strongly is learned at
    each step (empirical Bayes, beta-binomial), so that who was hardly ever contacted gets the segment's rate, and a
    segment hardly ever contacted everybody's. Cost: one pass over the history, then ``n_customers x n_cells`` numbers
    at prediction, in pieces. It learns who responds when contacted; whether a contact causes anything is not asked,
    and hours at which nobody was ever contacted are not known.

    Parameters
    ----------
    hours : int, default=3
        Length of a stretch, a divisor of 24. Changes the result.
    level : float, default=0.95
        Nominal coverage of the intervals.
    timezone : str, default="UTC"
        The zone of contacts whose column ``timezone`` is missing or empty.

    Attributes
    ----------
    cells_ : DataFrame
        ``channel, hour, rate, low, high, n``: everybody's.
    strengths_ : dict of str to float
        By how many observations ``all`` (cells), ``everybody`` (segments) and ``segment`` (customers) count.
    spreads_ : dict of str to float
        How far rates differ at each step, as a share of the variance of a single response: from these come intervals.
    n_after_cutoff_ : int
        How many contacts of the history were not before the cutoff and were not read.

    Notes
    -----
    An error includes that of the rate that is pulled towards, and how far customers may lie from it. Where few cells
    of a customer hold two contacts, nobody can tell how far: rates are then those of the segment, and intervals are as
    wide as all that the counts allow and customers elsewhere make one expect (see ``spreads_``). An interval is that of
    a beta distribution with the rate and the mean square of its error, and holds on average over customers. That of the
    best of many cells, picked for being high, is the more flattering the less is known.

    References
    ----------
    G. Casella (1985), "An introduction to empirical Bayes data analysis", The American Statistician 39(2),
    doi:10.1080/00031305.1985.10479400.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.contact import BestTime
    >>> times = ["2024-01-01T09:00", "2024-01-02T09:30", "2024-01-01T20:00", "2024-01-03T20:10"]
    >>> history = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "time": pd.to_datetime(times, utc=True),
    ...                         "channel": "email", "responded": [1, 1, 0, 0]})
    >>> best = BestTime().fit(history).predict(["a", "new"])
    >>> best[["channel", "hour", "n", "n_everybody"]].values.tolist()
    [['email', 9, 2, 2], ['email', 9, 0, 2]]
    """

    def __init__(self, hours: int = 3, *, level: float = 0.95, timezone: str = "UTC") -> None:
        self.hours = hours
        self.level = level
        self.timezone = timezone

    def fit(self, history: Any, *, segment: Any = None, cutoff: Any = None) -> Self:
        """Learn the rates.

        Parameters
        ----------
        history : table
            A row a contact: ``customer_id``, ``time``, ``channel``, ``responded`` (true or false), and if known
            ``response_time`` and ``timezone``.
        segment : Series or mapping or None, default=None
            The segment of each ``customer_id``, as it was before the cutoff. Who is not in it has none.
        cutoff : datetime or str or None, default=None
            Only what happened strictly before is read: contacts, and responses where ``response_time`` is known (one
            that came later counts as none). None reads all.

        Returns
        -------
        BestTime
            Itself.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        DataError
            If a column is missing or holds missing values, or no contact is before the cutoff.
        """
        if isinstance(self.hours, bool) or self.hours not in {1, 2, 3, 4, 6, 8, 12, 24}:
            raise ValueError(f"hours must be a divisor of 24, got {self.hours!r}")
        if not 0 < self.level < 1:
            raise ValueError(f"level must be above 0 and below 1, got {self.level!r}")
        table = as_frame(history, what="history")
        require_columns(table, ["customer_id", "time", "channel", "responded"], what="history")
        missing = table[["customer_id", "time", "channel", "responded"]].isna().any(axis=1).to_numpy(dtype=bool)
        if missing.any():
            raise DataError(f"history: customer_id, time, channel or responded is missing in {positions(missing)}")
        time = instants(table["time"], "history: time")
        answered = pd.to_numeric(table["responded"].astype(object), errors="coerce").to_numpy(dtype=np.float64)
        wrong = ~np.isin(answered, [0.0, 1.0])
        if wrong.any():
            raise DataError(f"history: responded must be true or false in {positions(wrong)}")
        keep = np.ones(len(table), dtype=bool)
        if cutoff is not None:
            end = instant(cutoff, "cutoff")
            keep = np.asarray(time < end)
            if "response_time" in table.columns:
                late = np.asarray(instants(table["response_time"], "history: response_time") >= end)
                answered = np.where(late, 0.0, answered)
        self.n_after_cutoff_ = int((~keep).sum())
        if not keep.any():
            raise DataError("history has no contact before the cutoff" if len(table) else "history has no contact")
        hour = _local_hours(time, zones_of(table, check_zone(self.timezone)))
        self._learn(table.loc[keep], answered[keep], hour[keep] // self.hours * self.hours, segment)
        return self

    def _learn(self, table: pd.DataFrame, answered: Floats, hour: Ints, segment: Any) -> None:
        """Count by cell, segment and customer, and pull."""
        cells = pd.MultiIndex.from_arrays([table["channel"].astype(object).to_numpy(), hour])
        cell, found = pd.factorize(cells, sort=True)
        self.channels_ = found.get_level_values(0).to_numpy(dtype=object)
        self.hours_ = found.get_level_values(1).to_numpy(dtype=np.int64)
        customer, ids = pd.factorize(table["customer_id"].astype(object).to_numpy(), sort=False)
        self.customers_ = np.asarray(ids, dtype=object)
        series = _by_id({} if segment is None else segment).dropna()
        same_kind(series.index, pd.Index(self.customers_), "segment")
        codes, self.segments_ = pd.factorize(series.to_numpy(dtype=object), sort=False)
        self.segment_customers_ = series.index.to_numpy(dtype=object)
        self.segment_codes_ = np.asarray(codes, dtype=np.intp)
        shape = (len(self.customers_), len(found))
        self.counts_, self.responses_ = (
            sparse.csr_array((weight, (customer, cell)), shape=shape) for weight in (np.ones(len(cell)), answered)
        )
        # The rate over all, with Jeffreys' prior so that it is never 0 or 1.
        total = float(len(answered))
        base = (answered.sum() + 0.5) / (total + 1)
        y: Floats = np.asarray(self.responses_.sum(axis=0))
        n: Floats = np.asarray(self.counts_.sum(axis=0))
        mean = np.full(shape[1], base)
        pulls, shares = {"all": strength(y, n, mean)}, {"all": spread(y, n, mean)}
        self.rates_, self.variances_ = pulled(
            y, n, mean, np.full(shape[1], base * (1 - base) / (total + 2)), pulls["all"], shares["all"]
        )
        self.n_ = n
        # The last line is that of a segment of which nothing is known, for customers without one.
        of_known = self._segment_of(pd.Index(self.customers_))
        some = of_known < len(self.segments_)
        gather = sparse.csr_array(
            (np.ones(int(some.sum())), (of_known[some], np.flatnonzero(some))),
            shape=(len(self.segments_) + 1, shape[0]),
        )
        self.segment_n_ = (gather @ self.counts_).toarray()
        segment_y = (gather @ self.responses_).toarray()
        wide = np.broadcast_to(self.rates_, self.segment_n_.shape)
        pulls["everybody"] = strength(segment_y.ravel(), self.segment_n_.ravel(), wide.ravel())
        shares["everybody"] = spread(segment_y.ravel(), self.segment_n_.ravel(), wide.ravel())
        self.segment_rates_, self.segment_variances_ = pulled(
            segment_y, self.segment_n_, wide, self.variances_, pulls["everybody"], shares["everybody"]
        )
        lines, columns = self.counts_.nonzero()
        own_n, own_y = self.counts_[lines, columns], self.responses_[lines, columns]
        towards = self.segment_rates_[of_known[lines], columns]
        pulls["segment"], shares["segment"] = strength(own_y, own_n, towards), spread(own_y, own_n, towards)
        self.strengths_, self.spreads_ = pulls, shares

    @property
    def cells_(self) -> pd.DataFrame:
        """Everybody's rates."""
        check_is_fitted(self, "rates_")
        low, high = _interval(self.rates_, self.variances_, self.level)
        return pd.DataFrame(
            {"channel": self.channels_, "hour": self.hours_, "rate": self.rates_, "low": low, "high": high}
        ).assign(n=self.n_.astype(np.int64))

    def rates(self, customers: Any, *, segment: Any = None) -> pd.DataFrame:
        """Give every customer's rate in every cell.

        Parameters
        ----------
        customers : table or list of ids
            With ``customer_id`` as column or index.
        segment : Series or mapping or None, default=None
            The segments now; None takes those of fitting.

        Returns
        -------
        DataFrame
            A row a customer and cell: ``customer_id, channel, hour, rate, low, high, n, n_segment, n_everybody,
            weight`` (of the customer's own observations, 0 to 1).
        """
        index = self._ids(customers)
        parts = [
            self._described(piece, *np.indices(piece.n.shape).reshape(2, -1)) for piece in self._pieces(index, segment)
        ]
        return pd.concat(parts, ignore_index=True)

    def predict(
        self,
        customers: Any,
        *,
        segment: Any = None,
        channels: Sequence[str] | None = None,
        hours: Sequence[int] | None = None,
    ) -> pd.DataFrame:
        """Give each customer's best channel and hour.

        Parameters
        ----------
        customers : table or list of ids
            With ``customer_id`` as column or index.
        segment : Series or mapping or None, default=None
            The segments now; None takes those of fitting.
        channels, hours : sequence or None, default=None
            Choose among these channels, and stretches that begin at these hours, only.

        Returns
        -------
        DataFrame
            Indexed by ``customer_id``, in the order given, with the other columns of :meth:`rates`. Of equal rates the
            first by channel and hour.

        Raises
        ------
        DataError
            If no cell is left to choose from.
        """
        index = self._ids(customers)
        open_cells = np.ones(len(self.rates_), dtype=bool)
        if channels is not None:
            open_cells &= np.isin(self.channels_.astype(str), list(channels))
        if hours is not None:
            open_cells &= np.isin(self.hours_, list(hours))
        if not open_cells.any():
            raise DataError("no contact was ever made by these channels at these hours")
        parts = []
        for piece in self._pieces(index, segment):
            rate, _ = self._pull(piece)
            best = np.where(open_cells, rate, -1.0).argmax(axis=1)
            parts.append(self._described(piece, np.arange(len(best)), best))
        return pd.concat(parts, ignore_index=True).set_index("customer_id")

    def _ids(self, customers: Any) -> pd.Index:
        """Give the customers' ids."""
        check_is_fitted(self, "rates_")
        if isinstance(customers, list | tuple | np.ndarray | pd.Index | pd.Series):
            index = pd.Index(customers, dtype=object, name="customer_id")
        else:
            frame = as_frame(customers, what="customers")
            held = frame.index if "customer_id" not in frame.columns else frame["customer_id"]
            if "customer_id" not in frame.columns and frame.index.name != "customer_id":
                raise DataError("customers needs customer_id as a column or as its index")
            index = pd.Index(held, dtype=object, name="customer_id")
        same_kind(index, pd.Index(self.customers_), "customers asked for")
        return index

    def _segment_of(self, index: pd.Index, segment: Any = None) -> Ints:
        """Give the line of each customer's segment, the last one where there is none or an unknown one."""
        if segment is None:
            place = pd.Index(self.segment_customers_).get_indexer(index)
            codes = np.append(self.segment_codes_, len(self.segments_))
            return np.asarray(codes[place], dtype=np.intp)
        named = _by_id(segment)
        code = pd.Index(self.segments_, dtype=object).get_indexer(pd.Index(named.reindex(index), dtype=object))
        return np.where(code < 0, len(self.segments_), code).astype(np.intp)

    def _pieces(self, index: pd.Index, segment: Any) -> Iterator[_Piece]:
        """Gather what is known of the customers, in pieces; of no customers, in one that is empty."""
        places = pd.Index(self.customers_).get_indexer(index)
        segments = self._segment_of(index, segment)
        for start in range(0, max(len(index), 1), _CHUNK):
            part = slice(start, start + _CHUNK)
            place = places[part]
            known = place >= 0
            n, y = np.zeros((len(place), len(self.rates_))), np.zeros((len(place), len(self.rates_)))
            n[known], y[known] = self.counts_[place[known]].toarray(), self.responses_[place[known]].toarray()
            yield _Piece(index[part], n, y, segments[part])

    def _pull(self, piece: _Piece) -> tuple[Floats, Floats]:
        """Pull the customers' rates towards their segments'."""
        mean, variance = self.segment_rates_[piece.segment], self.segment_variances_[piece.segment]
        strength_, share = self.strengths_["segment"], self.spreads_["segment"]
        return pulled(piece.responses, piece.n, mean, variance, strength_, share)

    def _described(self, piece: _Piece, place: Ints, cell: Ints) -> pd.DataFrame:
        """Write some cells of some customers as a table."""
        rate, variance = self._pull(piece)
        low, high = _interval(rate[place, cell], variance[place, cell], self.level)
        n = piece.n[place, cell]
        return pd.DataFrame(
            {
                "customer_id": piece.index[place],
                "channel": self.channels_[cell],
                "hour": self.hours_[cell],
                "rate": rate[place, cell],
                "low": low,
                "high": high,
                "n": n.astype(np.int64),
                "n_segment": self.segment_n_[piece.segment[place], cell].astype(np.int64),
                "n_everybody": self.n_[cell].astype(np.int64),
                "weight": n / (n + self.strengths_["segment"]),
            }
        )


class _Piece:
    """Some customers, their own counts by cell, and the lines of their segments."""

    def __init__(self, index: pd.Index, n: Floats, responses: Floats, segment: Ints) -> None:
        self.index = index
        self.n = n
        self.responses = responses
        self.segment = segment


def _by_id(segment: Any) -> pd.Series:
    """Give segments as a Series by customer, each once."""
    series = segment.astype(object) if isinstance(segment, pd.Series) else pd.Series(dict(segment), dtype=object)
    if series.index.has_duplicates:
        raise DataError("segment: a customer_id stands more than once")
    return series


def _local_hours(time: pd.DatetimeIndex, zones: npt.NDArray[np.object_]) -> Ints:
    """Give the hour on the wall of each instant in its zone."""
    codes, names = pd.factorize(zones)
    hour = np.zeros(len(time), dtype=np.intp)
    for code, name in enumerate(names):
        mine = codes == code
        hour[mine] = time[mine].tz_convert(name).hour.to_numpy()
    return hour


def _interval(rate: Floats, variance: Floats, level: float) -> tuple[Floats, Floats]:
    """Give the ends of the beta distribution with this mean and variance."""
    # A variance of rate (1 - rate) or more is no beta distribution's; the smallest strength stands for it.
    size = np.maximum(rate * (1 - rate) / variance - 1, 1e-3)
    a, b = rate * size, (1 - rate) * size
    return np.asarray(beta.ppf((1 - level) / 2, a, b)), np.asarray(beta.ppf((1 + level) / 2, a, b))
