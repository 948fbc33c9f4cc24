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
from crmkit.text.topics._base import strongest
from crmkit.text.topics._bunches import learn_bunches
from crmkit.text.topics._groups import group_terms
from crmkit.text.topics._over_time import names_of_topics
from crmkit.text.topics._periods import read_periods
from crmkit.text.topics._rises import Rises, adjust, could_rise, rise_tests
from crmkit.text.topics._terms import ReadableTerms
from crmkit.text.topics._writers import Units, count_units

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
    unit : {"texts", "customers"}
        What all these figures count; with customers each counts once a period.
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
    unit: str = field(default="texts")

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
            f"period from {when}: {self.n_texts:,} {self.unit} against {self.n_before:,} in {self.n_periods} before "
            f"it, {self.n_tests:,} tests at level {self.level:g}"
        )
        lines = [f"{'alarm' if self.alarm else 'no alarm'}, {base}"]
        tables = {
            "new: ": self.new,
            "more: ": self.topics[self.topics["rose"]],
            "more texts that fit no topic": self.unplaced[self.unplaced["rose"]].assign(label=""),
        }
        for head, table in tables.items():
            for row in table.to_dict("records"):
                known = f"({row['n_texts']:,} {self.unit}, {row['share']:.1%}, before {row['before']:.1%})"
                lines.append(f"{head}{row['label']} {known}".replace("  ", " "))
        return [*lines, *([self.note] if self.note else [])]


def new_topics(
    model: Any,
    texts: Any,
    time: Any,
    *,
    level: float = 0.01,
    by: str = "month",
    customers: Any = None,
    timezone: str | None = None,
    random_state: Any = 0,
) -> NewTopics:
    """Test whether the latest period talks of something new, or more of something known.

    Tested at once are every term that is frequent enough (new words included, which the model cannot know), every topic
    of the model, and the share of texts that fit no topic. Each share of texts is compared with that of all earlier
    periods together by an exact test of two rates, which allows for bunches: how bunched texts about one thing usually
    come is learned from the earlier periods. The p-values are adjusted together (Benjamini and Hochberg). So where
    nothing has changed the chance of an alarm is at most about ``level``, however many terms there are. Rising terms
    that stand in the same texts are gathered into what is new.

    Which texts fit no topic is judged out of sample: the model is fitted anew on each half of the earlier texts, the
    texts of the other half and half of the latest are compared with it, and the tenth of all that are described worst
    count as unplaced. This costs two fits; the rest one ``transform`` and one reading of the texts.

    Fit the model on all texts or on earlier ones. With one earlier period nothing tells what variation is usual, and
    every burst looks new: have six or more. Give ``customers`` wherever one may write twice: else one angry customer
    with twenty messages is an alarm. Then each counts once a period and term, and so that an alarm is not raised by
    customers who write more messages than before, the latest period counts for its share of customers or of texts,
    whichever is more. An automatic message sent to a hundred customers is an alarm, and a season that returns every
    year is one until a year of periods has shown it.

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
    customers : array-like, shape (n_texts,), default=None
        Who wrote each text (or in which conversation it stands); None counts texts. A text of which that is missing
        counts for itself.
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
    units = count_units(customers, kept, place[kept], len(values))
    values, place = values[kept], place[kept]
    if (place == place.max()).all():
        raise DataError(f"all {len(values)} texts are of one {by}: there is nothing before it to compare with")
    sizes, of_texts = (np.bincount(of, minlength=len(start)).astype(np.float64) for of in (units.place, place))
    exposure = max(sizes, of_texts, key=lambda counted: counted[-1] / counted.sum())

    names, said = _term_matrix(model, values)
    there = units.gather(said)
    topics = units.gather(_topic_matrix(model, values))
    unplaced, note = _unplaced(model, values, place, check_random_state(random_state))
    n_topics = topics.shape[1]
    # Where they could not be judged there is no column for them.
    unfit = units.gather(sparse.csr_matrix(unplaced[:, None]))[:, : 0 if note else 1]
    total = np.asarray(there.sum(axis=0), dtype=np.float64).ravel()
    testable = np.flatnonzero(
        could_rise(total, exposure[-1] / exposure.sum(), level, besides=n_topics + unfit.shape[1])
    )
    tests = _tested(sparse.hstack([there[:, testable], topics, unfit], format="csr"), units, exposure)
    adjusted = adjust(tests.p)

    table = _table(tests, adjusted, sizes, level)
    n_terms = len(testable)
    terms, by_topic, by_fit = (
        table.iloc[slice(*ends)].copy()
        for ends in ((0, n_terms), (n_terms, n_terms + n_topics), (n_terms + n_topics, None))
    )
    terms.index = pd.Index([names[term] for term in testable.tolist()], name="term", dtype=object)
    order = np.argsort(tests.p[:n_terms], kind="stable")
    rose = order[terms["rose"].to_numpy()[order]]
    new = group_terms(
        there[:, testable[rose]],
        [names[term] for term in testable[rose].tolist()],
        adjusted[rose],
        units.place == place.max(),
    )
    new["rows"] = [kept[_to_read(said[:, testable[rose]], units, found)].tolist() for found in new["rows"]]
    by_topic.insert(0, "label", names_of_topics(model, n_topics))
    by_topic.index = pd.RangeIndex(n_topics, name="topic")
    if (sizes[:-1] > 0).sum() == 1:
        note = "; ".join(filter(None, ["with one earlier period nothing tells what variation is usual", note]))
    return NewTopics(
        new,
        terms.iloc[order],
        by_topic,
        by_fit.reset_index(drop=True),
        start[-1],
        int(sizes[-1]),
        int(sizes[:-1].sum()),
        int((sizes[:-1] > 0).sum()),
        float(level),
        len(adjusted),
        note,
        "texts" if customers is None else "customers",
    )


def _tested(there: sparse.csr_matrix, units: Units, exposure: npt.NDArray[np.float64]) -> Rises:
    """Count all series by period, and test them."""
    n_units = len(units.place)
    periods = sparse.csr_matrix((np.ones(n_units), (units.place, np.arange(n_units))), shape=(len(exposure), n_units))
    counts = np.asarray((periods @ there).todense())
    return rise_tests(counts, exposure, learn_bunches(counts, exposure))


def _term_matrix(model: Any, texts: npt.NDArray[np.object_]) -> tuple[list[str], sparse.csr_matrix]:
    """Read the texts anew, for what is new has words that the model never saw."""
    terms = getattr(model, "terms_", None)
    terms = ReadableTerms() if terms is None else cast("Any", clone(terms))
    said = sparse.csr_matrix(terms.fit_transform(texts))
    return [str(name) for name in terms.get_feature_names_out()], said


def _topic_matrix(model: Any, texts: npt.NDArray[np.object_]) -> sparse.csr_matrix:
    """Give each text's strongest topic."""
    weights = np.asarray(model.transform(texts), dtype=np.float64)
    topic = strongest(weights)
    row = np.flatnonzero(topic >= 0)
    return sparse.csr_matrix((np.ones(len(row)), (row, topic[row])), shape=weights.shape)


def _to_read(said: sparse.csr_matrix, units: Units, found: list[int]) -> npt.NDArray[np.int64]:
    """Give of each unit the text with most of the rising terms."""
    hits = np.asarray((said > 0).sum(axis=1)).ravel()
    texts = [np.flatnonzero(units.of_text == unit) for unit in found]
    return np.array([own[hits[own].argmax()] for own in texts], dtype=np.int64)


def _unplaced(
    model: Any, texts: npt.NDArray[np.object_], place: npt.NDArray[np.int64], random: np.random.RandomState
) -> tuple[npt.NDArray[np.float64], str]:
    """Say which texts fit no topic, each judged by a model that has not seen it; or why that cannot be said."""
    latest = place == place.max()
    half = random.permutation(len(texts)) % 2
    fit = np.zeros(len(texts))
    for side in (0, 1):
        fresh = cast("Any", clone(model))
        if "random_state" in fresh.get_params() and fresh.get_params()["random_state"] is None:
            fresh.set_params(random_state=int(random.randint(2**31)))
        try:
            fresh.fit(texts[(half != side) & ~latest])
        except ValueError as error:
            note = f"texts that fit no topic were not tested: half of the earlier texts cannot be fitted ({error})"
            return fit, note
        judged = half == side
        if callable(getattr(fresh, "similarity", None)):
            score = np.asarray(fresh.similarity(texts[judged]), dtype=np.float64)
        else:
            score = np.asarray(fresh.transform(texts[judged]), dtype=np.float64).sum(axis=1)
        # Ranks make the two halves comparable; the border is drawn through earlier and latest texts alike.
        fit[judged] = np.searchsorted(np.sort(score), score, side="right") / max(len(score), 1)
    return (fit <= _ILL_DESCRIBED).astype(np.float64), ""


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
