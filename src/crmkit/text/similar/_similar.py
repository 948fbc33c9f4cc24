"""Past cases like a new message, by the cosine of TF-IDF, with their answers and the remedies that worked."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError, DataWarning
from crmkit.language import blank_markup
from crmkit.metrics.intervals import check_level, wilson
from crmkit.text._texts import read_texts
from crmkit.text.features._text_features import TextFeatures
from crmkit.text.similar._past import past_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["SimilarCases", "similar_cases"]

_KEPT = ("label", "channel", "remedy", "outcome", "stage")
_OF_SEARCH = ("min_similarity", "worked_only")
_CELLS = 4_000_000
"""How many likenesses are worked out at once (at most some 50 MB)."""


class SimilarCases(BaseEstimator):
    """Remembers past conversations and finds those like a new message.

    A past case is what a customer wrote before the first answer; with it come that answer, and what is known of the
    case: its remedy and outcome. Likeness is the cosine of TF-IDF of words and characters: shared words, not meaning,
    and none between Chinese and English. Nothing is masked: what it remembers and gives are customers' texts, and
    belongs where these may be.

    Use it to answer like cases alike and to see what worked. That a remedy went with a good outcome in like cases does
    not say that it brought it about.

    Cost: 100,000 short messages are remembered in some seconds; a search goes through all of them, a batch of messages
    at a time, and never makes a table of all pairs.

    Parameters
    ----------
    features : vectorizer, default=None
        With ``fit_transform`` and ``transform`` to sparse rows; cloned. None is `TextFeatures`.
    keep : sequence of str, default=("label", "channel", "remedy", "outcome", "stage")
        Columns of messages and cases to carry along, those that are there; the cases' prevail.
    good_outcomes : sequence, default=(1,)
        Outcomes that count as having worked, such as ``("kept", "resolved")``.
    timezone : str, default="UTC"
        Of times without a zone.

    Attributes
    ----------
    n_cases_ : int
        How many cases it remembers.

    Raises
    ------
    DataError
        If no customer wrote anything, or a row cannot be read.

    Warns
    -----
    DataWarning
        If no case of ``cases`` is that of a message, or no outcome is among ``good_outcomes``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import SimilarCases
    >>> past = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b", "b"], "conversation_id": ["1", "1", "2", "2"],
    ...     "time": pd.to_datetime(["2024-05-01 09:00", "2024-05-01 09:05"] * 2, utc=True),
    ...     "direction": ["in", "out"] * 2,
    ...     "text": ["my parcel is late", "we sent it again", "wrong bill", "corrected"]})
    >>> found = SimilarCases().fit(past).find(["where is my parcel?"], 1)
    >>> found[["conversation_id", "answer"]].values.tolist()
    [['1', 'we sent it again']]
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "features": "no_validation",
        "keep": [list, tuple],
        "good_outcomes": [list, tuple, set],
        "timezone": [str],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        keep: Sequence[str] = _KEPT,
        good_outcomes: Sequence[Any] = (1,),
        timezone: str = "UTC",
    ) -> None:
        self.features = features
        self.keep = keep
        self.good_outcomes = good_outcomes
        self.timezone = timezone

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:  # pyright: ignore[reportIncompatibleMethodOverride] -- scikit-learn is untyped
        known = f"{self.n_cases_:,} cases" if hasattr(self, "n_cases_") else "not fitted"
        return f"SimilarCases({known})"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, messages: Any, cases: Any = None) -> Self:
        """Remember past conversations.

        Parameters
        ----------
        messages : table
            COMMUNICATIONS: ``customer_id``, ``time``, ``text``, and where there are ``conversation_id``,
            ``direction``, ``case_id``. Without directions every row is the customer's.
        cases : table, default=None
            CASES, joined by ``case_id``: ``remedy``, ``outcome``, ...

        Returns
        -------
        SimilarCases
            Itself.
        """
        table = past_cases(messages, cases, self.keep, self.timezone)
        if self.features is not None:
            require_methods(self.features, ["fit_transform", "transform"], role="features")
        self.features_: Any = TextFeatures() if self.features is None else clone(self.features)
        values: Any = normalize(self.features_.fit_transform(_plain(table["text"].to_numpy(dtype=object))))
        # By term: a message has few, so only their rows are read.
        self.terms_ = values.T.tocsr().astype(np.float32)
        self.n_cases_ = len(table)
        self._cases = table
        worked = self._worked()
        if worked is not None and worked.notna().any() and not worked.any():
            warnings.warn(
                "no outcome is among good_outcomes, so that nothing has worked: say which are good by good_outcomes=",
                DataWarning,
                stacklevel=3,
            )
        return self

    def find(self, texts: Any, n: int = 5, *, min_similarity: float = 0.0, worked_only: bool = False) -> pd.DataFrame:
        """Give the past cases most like each text.

        Parameters
        ----------
        texts : str, or list, array or Series of str, shape (n_texts,)
            New messages.
        n : int, default=5
            At most so many for each.
        min_similarity : float, default=0.0
            Least cosine; what shares no term at all is never given.
        worked_only : bool, default=False
            Whether only cases with a good outcome are looked at.

        Returns
        -------
        pandas.DataFrame
            By text and falling likeness (the earlier case first among equals): ``text_id``, ``rank`` from 1,
            ``similarity``, ``conversation_id``, ``case_id``, ``time``, ``text``, ``answer``, the kept columns, and,
            where there is an outcome, ``worked`` (missing where it is not known).
        """
        check_is_fitted(self, "terms_")
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
            raise DataError(f"n must be a whole number of at least 1, got {n!r}")
        if isinstance(min_similarity, bool) or not isinstance(min_similarity, Real) or not 0 <= min_similarity <= 1:
            raise DataError(f"min_similarity must be a number from 0 to 1, got {min_similarity!r}")
        queries = read_texts([texts] if isinstance(texts, str) else texts, what="texts")
        worked = self._worked()
        allowed = np.ones(self.n_cases_, dtype=bool)
        if worked_only:
            if worked is None:
                raise DataError("worked_only needs an outcome: keep the column, or hand in cases that have it")
            allowed = worked.fillna(value=False).to_numpy(dtype=bool)
        owner, place, likeness = self._search(queries, int(n), min_similarity, allowed)
        result = self._cases.iloc[place].reset_index(drop=True)
        if worked is not None:
            result["worked"] = worked.iloc[place].array
        begins = np.searchsorted(owner, owner)
        result.insert(0, "text_id", owner)
        result.insert(1, "rank", np.arange(len(owner)) - begins + 1)
        result.insert(2, "similarity", likeness)
        return result

    def remedies(self, texts: Any, n: int = 50, *, min_similarity: float = 0.1, level: float = 0.95) -> pd.DataFrame:
        """Give for each text which remedies the cases like it were given, and how often they worked.

        Parameters
        ----------
        texts : str, or list, array or Series of str, shape (n_texts,)
            New messages.
        n : int, default=50
            How many like cases are looked at.
        min_similarity : float, default=0.1
            Least cosine.
        level : float, default=0.95
            Nominal coverage of Wilson's interval.

        Returns
        -------
        pandas.DataFrame
            A row a text and remedy, the one that worked most often first: ``text_id``, ``remedy``, ``n`` (cases with a
            known outcome), ``worked`` (share), ``low``, ``high``. Remedies had their reasons: a share is no effect.
        """
        check_level(level)
        found = self.find(texts, n, min_similarity=min_similarity)
        missing = [name for name in ("remedy", "outcome") if name not in found.columns]
        if missing:
            raise DataError(f"there is no {' and no '.join(missing)}: keep the column, or hand in cases that have it")
        known = found[found["worked"].notna() & found["remedy"].notna()]
        grouped = known.assign(worked=known["worked"].astype(float)).groupby(["text_id", "remedy"], sort=True)["worked"]
        table = grouped.agg(["size", "sum"]).reset_index()
        low, high = wilson(table["sum"], table["size"], level=level)
        table = table.assign(worked=table["sum"] / table["size"], low=low, high=high).rename(columns={"size": "n"})
        table = table.sort_values(["text_id", "worked", "n"], ascending=[True, False, False], kind="stable")
        return table[["text_id", "remedy", "n", "worked", "low", "high"]].reset_index(drop=True)

    def _worked(self) -> pd.Series[Any] | None:
        """Say of each case whether it ended well, missing where that is not known."""
        if "outcome" not in self._cases.columns:
            return None
        outcome = self._cases["outcome"]
        worked = pd.Series(outcome.isin(list(self.good_outcomes)).to_numpy(dtype=bool), dtype="boolean")
        return worked.mask(outcome.isna().to_numpy(dtype=bool))

    def _search(
        self, queries: npt.NDArray[np.object_], n: int, least: float, allowed: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Give text, case and likeness of the best, batch by batch, so that memory does not grow with the texts."""
        owners, places, values = [], [], []
        batch = max(1, _CELLS // self.n_cases_)
        for begin in range(0, len(queries), batch):
            rows: Any = normalize(self.features_.transform(_plain(queries[begin : begin + batch])))
            likeness = (rows.astype(np.float32).tocsr() @ self.terms_).tocsr()
            for row in range(likeness.shape[0]):
                here = slice(likeness.indptr[row], likeness.indptr[row + 1])
                place, value = likeness.indices[here], likeness.data[here]
                kept = allowed[place] & (value >= least) & (value > 0)
                place, value = place[kept], value[kept]
                if len(place) > n:
                    # Ties at the border are kept until the order is known, so that the earlier case wins.
                    border = np.partition(value, len(value) - n)[len(value) - n]
                    place, value = place[value >= border], value[value >= border]
                best = np.lexsort((place, -value))[:n]
                owners.append(np.full(len(best), begin + row, dtype=np.int64))
                places.append(place[best].astype(np.int64))
                values.append(value[best].astype(np.float64))
        if not owners:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
        return np.concatenate(owners), np.concatenate(places), np.concatenate(values)


def _plain(texts: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Look through HTML, which would make all messages alike that came by e-mail."""
    return np.array([blank_markup(text, entities=True) for text in texts.tolist()], dtype=object)


def similar_cases(texts: Any, n: int = 5, *, messages: Any, cases: Any = None, **options: Any) -> pd.DataFrame:
    """Give the past cases most like each text, with their answers, remedies and outcomes.

    For one search; where many follow, keep a fitted `SimilarCases`.

    Parameters
    ----------
    texts : str, or list, array or Series of str, shape (n_texts,)
        New messages.
    n : int, default=5
        At most so many for each.
    messages : table
        COMMUNICATIONS of the past.
    cases : table, default=None
        CASES, joined by ``case_id``.
    **options
        ``min_similarity`` and ``worked_only`` as for `SimilarCases.find`; all others are parameters of `SimilarCases`.

    Returns
    -------
    pandas.DataFrame
        As `SimilarCases.find` gives it.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import similar_cases
    >>> past = pd.DataFrame({"customer_id": ["a", "b"], "time": pd.to_datetime(["2024-05-01"] * 2, utc=True),
    ...                      "text": ["退款一直没到账", "屏幕坏了"]})
    >>> similar_cases("退款没收到", 1, messages=past)["text"].tolist()
    ['退款一直没到账']
    """
    finder = SimilarCases(**{name: value for name, value in options.items() if name not in _OF_SEARCH})
    asked = {name: value for name, value in options.items() if name in _OF_SEARCH}
    found: pd.DataFrame = finder.fit(messages, cases).find(texts, n, **asked)
    return found
