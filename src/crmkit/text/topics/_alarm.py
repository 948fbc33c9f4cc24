"""Raises an alarm where something new is talked of: by a test of all terms and topics, not by an eye on a chart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import check_random_state

from crmkit.core import html
from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.metrics.intervals import check_level
from crmkit.text._texts import read_texts
from crmkit.text.topics._groups import group_terms
from crmkit.text.topics._over_time import count_topics, names_of_topics
from crmkit.text.topics._periods import read_periods
from crmkit.text.topics._rises import Rises, adjust, dispersion, rise_tests
from crmkit.text.topics._terms import ReadableTerms

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NewTopics", "new_topics"]

_ILL_DESCRIBED = 0.1
"""Which share of all texts, those that the topics describe worst, counts as fitting none."""


@dataclass(frozen=True)
class NewTopics:
    """What rose in the latest period.

    Attributes
    ----------
    new : pandas.DataFrame
        One row a group of rising terms that stand in the same texts: ``label``, ``terms``, ``n_texts``, ``share`` of
        the latest texts with its Wilson interval ``low``, ``high``, ``before``, ``p_adjusted``, ``rows`` (positions of
        latest texts to read).
    terms : pandas.DataFrame
        Every term tested, the smallest p-value first, indexed by ``term``: ``n_texts``, ``share``, ``n_before``,
        ``before``, ``dispersion``, ``p``, ``p_adjusted``, ``rose``.
    topics : pandas.DataFrame
        The same for each topic of the model, indexed by ``topic``, with its ``label``.
    unplaced : pandas.DataFrame
        The same in one row, for texts that fit no topic; no row where it could not be tested.
    period : pandas.Timestamp
        The first day of the latest period.
    n_texts, n_before, n_periods : int
        Texts in it, texts before it, earlier periods with any text.
    level : float
        The chance of an alarm where nothing has changed.
    n_tests : int
        How many tests that level is shared by.
    note : str
        What could not be done, and why; empty where all was.
    """

    new: pd.DataFrame
    terms: pd.DataFrame
    topics: pd.DataFrame
    unplaced: pd.DataFrame
    period: pd.Timestamp
    n_texts: int
    n_before: int
    n_periods: int
    level: float
    n_tests: int
    note: str = field(default="")

    @property
    def alarm(self) -> bool:
        """Whether anything rose."""
        return any(bool(table["rose"].any()) for table in (self.terms, self.topics, self.unplaced))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Show the alarm in a notebook."""
        head = "".join(html.element("p", html.escape(line)) for line in self._lines()[:1])
        columns = ["label", "n_texts", "share", "low", "high", "before", "p_adjusted"]
        new = html.table(columns, self.new[columns].to_numpy().tolist(), caption="What is new")
        rose = self.topics[self.topics["rose"]]
        columns = ["label", "n_texts", "share", "before", "p_adjusted"]
        return head + new + html.table(columns, rose[columns].to_numpy().tolist(), caption="Topics that rose")

    def _lines(self) -> list[str]:
        """Tell what was found, one thing a line."""
        when = f"{self.period:%Y-%m-%d}"
        base = (
            f"period from {when}: {self.n_texts:,} texts against {self.n_before:,} in {self.n_periods} before it, "
            f"{self.n_tests:,} tests at level {self.level:g}"
        )
        lines = [f"{'alarm' if self.alarm else 'no alarm'}, {base}"]
        tables = {
            "new: ": self.new,
            "more: ": self.topics[self.topics["rose"]],
            "more texts that fit no topic": self.unplaced[self.unplaced["rose"]].assign(label=""),
        }
        for head, table in tables.items():
            for row in table.to_dict("records"):
                known = f"({row['n_texts']:,} texts, {row['share']:.1%}, before {row['before']:.1%})"
                lines.append(f"{head}{row['label']} {known}".replace("  ", " "))
        return [*lines, *([self.note] if self.note else [])]


def new_topics(
    model: Any,
    texts: Any,
    time: Any,
    *,
    level: float = 0.01,
    by: str = "month",
    timezone: str | None = None,
    random_state: Any = 0,
) -> NewTopics:
    """Test whether the latest period talks of something new, or more of something known.

    Tested at once are every term (new words included, which the model cannot know), every topic of the model, and the
    share of texts that fit no topic. Each share of texts is compared with that of all earlier periods together by an
    exact test of two rates, after dividing counts by how much more than by chance the share varied between the earlier
    periods; the p-values are adjusted together (Benjamini and Hochberg). So where nothing has changed the chance of an
    alarm is at most about ``level``, however many terms there are. Rising terms that stand in the same texts are
    gathered into what is new.

    Which texts fit no topic is judged out of sample: the model is fitted anew on each half of the earlier texts, the
    texts of the other half and half of the latest are compared with it, and the tenth of all that are described worst
    count as unplaced. This costs two fits; the rest one ``transform`` and one reading of the texts.

    Fit the model on all texts or on earlier ones. With one earlier period nothing tells what variation is usual, and
    every burst looks new: have six or more. Texts count, not people: an automatic message sent a hundred times is an
    alarm, and a season that returns every year is one until a year of periods has shown it.

    Parameters
    ----------
    model : fitted topic model
        Whose topics; never changed.
    texts : list, array or Series of str, shape (n_texts,)
        The messages of the latest period and of those before it.
    time : array-like of datetimes, dates, ISO texts or whole days since 1970, shape (n_texts,)
        When each was sent; those without a time are left out with a warning.
    level : float, default=0.01
        The chance of any alarm where nothing has changed.
    by : {"day", "week", "month", "quarter", "year"}, default="month"
        How long a period is; the last one with a text is the latest.
    timezone : str or None, default=None
        Whose calendar, for times with a zone.
    random_state : int, RandomState or None, default=0
        The seed of the halves, and of the two fits where the model has none.

    Returns
    -------
    NewTopics
        ``alarm``, what is ``new``, and the tables of ``terms``, ``topics`` and ``unplaced``.

    Raises
    ------
    DataError
        If all texts are of one period, or none has a time or a term.

    Examples
    --------
    >>> from crmkit import text
    >>> known = ["refund the order", "where is my refund", "late parcel", "parcel lost", "parcel arrived late"] * 24
    >>> months = [f"2026-{1 + place % 6:02d}-15" for place in range(len(known))]
    >>> texts = known + ["app crashes at login", "login crashes again"] * 8
    >>> model = text.NMFTopics(2, random_state=0).fit(known)
    >>> found = text.new_topics(model, texts, months + ["2026-06-20"] * 16)
    >>> found.alarm, found.new["label"].tolist()
    (True, ['crashes / login / app'])
    """
    require_methods(model, ["fit", "transform", "topics"], role="a topic model")
    check_level(level)
    values = read_texts(texts, what="texts")
    place, start = read_periods(time, len(values), by=by, timezone=timezone)
    kept = np.flatnonzero(place >= 0)
    values, place = values[kept], place[kept]
    latest = place == place.max()
    if latest.all():
        raise DataError(f"all {len(values)} texts are of one {by}: there is nothing before it to compare with")
    sizes = np.bincount(place, minlength=len(start)).astype(np.float64)

    counts = count_topics(model, values, place, len(start)).astype(np.float64)
    topics = _tested(counts, sizes)
    names, there = _term_matrix(model, values)
    periods = sparse.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))), shape=(len(start), len(place)))
    by_term = np.asarray((periods @ there).todense())
    # A term so rare that not even all its texts in the latest period could count can be left out beforehand, for its
    # total tells nothing of when it was said (Tarone 1990, doi:10.2307/2531456).
    testable = np.flatnonzero((sizes[-1] / sizes.sum()) ** by_term.sum(axis=0) <= level)
    terms = _tested(by_term[:, testable], sizes)
    unplaced, note = _unplaced(model, values, place, sizes, check_random_state(random_state))

    n_topics = counts.shape[1] - 1
    n_terms = len(testable)
    adjusted = adjust(np.concatenate([terms.p, topics.p[:n_topics], unplaced.p]))
    term_table = _table(terms, adjusted[:n_terms], sizes, level)
    term_table.index = pd.Index([names[term] for term in testable.tolist()], name="term", dtype=object)
    order = np.argsort(terms.p, kind="stable")
    rose = order[term_table["rose"].to_numpy()[order]]
    new = group_terms(
        there[:, testable[rose]], [names[term] for term in testable[rose].tolist()], adjusted[:n_terms][rose], latest
    )
    new["rows"] = [kept[rows].tolist() for rows in new["rows"]]
    topic_table = _table(
        Rises(*(part[:n_topics] for part in topics)), adjusted[n_terms : n_terms + n_topics], sizes, level
    )
    topic_table.insert(0, "label", names_of_topics(model, n_topics))
    topic_table.index = pd.RangeIndex(n_topics, name="topic")
    if (sizes[:-1] > 0).sum() == 1:
        note = "; ".join(filter(None, ["with one earlier period nothing tells what variation is usual", note]))
    return NewTopics(
        new,
        term_table.iloc[order],
        topic_table,
        _table(unplaced, adjusted[n_terms + n_topics :], sizes, level),
        start[-1],
        int(sizes[-1]),
        int(sizes[:-1].sum()),
        int((sizes[:-1] > 0).sum()),
        float(level),
        len(adjusted),
        note,
    )


def _tested(counts: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> Rises:
    """Test all series."""
    return rise_tests(counts, sizes, dispersion(counts[:-1], sizes[:-1]))


def _term_matrix(model: Any, texts: npt.NDArray[np.object_]) -> tuple[list[str], sparse.csr_matrix]:
    """Read the texts anew, for what is new has words that the model never saw; 1 where a term is in a text."""
    terms = getattr(model, "terms_", None)
    terms = ReadableTerms() if terms is None else cast("Any", clone(terms))
    there = sparse.csr_matrix(terms.fit_transform(texts))
    there.data = np.ones_like(there.data)
    return [str(name) for name in terms.get_feature_names_out()], there


def _unplaced(
    model: Any,
    texts: npt.NDArray[np.object_],
    place: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.float64],
    random: np.random.RandomState,
) -> tuple[Rises, str]:
    """Test whether more texts fit no topic, each judged by a model that has not seen it."""
    latest = place == len(sizes) - 1
    half = random.permutation(len(texts)) % 2
    fit = np.zeros(len(texts))
    for side in (0, 1):
        fresh = cast("Any", clone(model))
        if "random_state" in fresh.get_params() and fresh.get_params()["random_state"] is None:
            fresh.set_params(random_state=int(random.randint(2**31)))
        try:
            fresh.fit(texts[(half != side) & ~latest])
        except ValueError as error:
            nothing = np.empty(0)
            note = f"texts that fit no topic were not tested: half of the earlier texts cannot be fitted ({error})"
            return Rises(nothing, nothing, nothing, nothing), note
        judged = half == side
        if callable(getattr(fresh, "similarity", None)):
            score = np.asarray(fresh.similarity(texts[judged]), dtype=np.float64)
        else:
            score = np.asarray(fresh.transform(texts[judged]), dtype=np.float64).sum(axis=1)
        # Ranks make the two halves comparable; the border is drawn through earlier and latest texts alike.
        fit[judged] = np.searchsorted(np.sort(score), score, side="right") / max(len(score), 1)
    counts = np.bincount(place[fit <= _ILL_DESCRIBED], minlength=len(sizes)).astype(np.float64)[:, None]
    return _tested(counts, sizes), ""


def _table(
    tests: Rises, adjusted: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], level: float
) -> pd.DataFrame:
    """Write tests as a table."""
    return pd.DataFrame(
        {
            "n_texts": tests.n.astype(np.int64),
            "share": tests.n / sizes[-1],
            "n_before": tests.before.astype(np.int64),
            "before": tests.before / sizes[:-1].sum(),
            "dispersion": tests.dispersion,
            "p": tests.p,
            "p_adjusted": adjusted,
            "rose": adjusted <= level,
        }
    )
