"""Recommends a number of topics: coherent ones that come back when some texts are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.utils import check_random_state

from crmkit.core import html
from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.metrics import mean
from crmkit.text._texts import read_texts
from crmkit.text.topics._coherence import coherence, topic_lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["TopicChoice", "choose_topics"]


@dataclass(frozen=True)
class TopicChoice:
    """What speaks for each number of topics, and which one is recommended.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a number, indexed by ``n_topics``: ``coherence``, the mean over topics, with the ends
        ``low``, ``high`` of its t interval over topics; ``stability``, from 0 to 1, with the least and greatest over
        pairs of runs as ``stability_low``, ``stability_high``; ``smallest``, the fewest texts a topic has.
    n_topics : int
        The recommendation.
    reason : str
        Why, in a sentence.
    models : dict of int to topic model
        For each number a model fitted on all texts.
    """

    table: pd.DataFrame
    n_topics: int
    reason: str
    models: dict[int, Any] = field(repr=False)

    @property
    def model(self) -> Any:
        """The recommended model, fitted on all texts."""
        return self.models[self.n_topics]

    def __str__(self) -> str:
        return f"{self.n_topics} topics: {self.reason}\n{self.table.round(3).to_string()}"

    def _repr_html_(self) -> str:
        """Show table and recommendation in a notebook."""
        rows = [[number, *row] for number, row in zip(self.table.index.tolist(), self.table.to_numpy(), strict=True)]
        caption = f"{self.n_topics} topics: {self.reason}"
        return html.table(["n_topics", *self.table.columns], rows, caption=caption)


def choose_topics(
    model: Any,
    texts: Any,
    range: Iterable[int] = range(5, 31, 5),  # noqa: A002 -- the name of the contract
    *,
    n_terms: int = 10,
    n_runs: int = 3,
    random_state: Any = None,
) -> TopicChoice:
    """Compare numbers of topics by coherence and stability, and recommend one.

    For each number the model is fitted on all texts, for its coherence (`coherence`), and ``n_runs`` times on a random
    four fifths of them, each with a seed of its own, for stability: the topics of two runs are matched one to one and
    compared by the Jaccard similarity of their first terms. Leaving texts out matters: a model that starts from
    singular vectors gives the same topics for every seed. Recommended is, among the numbers whose coherence is within
    one standard error of the best, the most stable; of equals the fewest. There is no right number: it is how finely
    one wants to look, and the table shows what it costs. Costs ``n_runs + 1`` fits for each number.

    Parameters
    ----------
    model : topic model
        With a parameter ``n_topics``; cloned, never changed.
    texts : list, array or Series of str, shape (n_texts,)
        The texts.
    range : iterable of int, default=(5, 10, 15, 20, 25, 30)
        The numbers to compare; at least 2 each, for one topic is trivially stable.
    n_terms : int, default=10
        How many terms stand for a topic.
    n_runs : int, default=3
        On how many samples, at least 2.
    random_state : int, RandomState or None, default=None
        The seed of samples and models.

    Returns
    -------
    TopicChoice
        The table, the recommendation and its reason, the models.

    Raises
    ------
    DataError
        If there are too few texts for the greatest number.
    ValueError
        If no number, or one below 2, is given.

    References
    ----------
    Greene, D., O'Callaghan, D., & Cunningham, P. (2014). How many topics? Stability analysis for topic models.
    ECML PKDD 2014, 498-513. doi:10.1007/978-3-662-44848-9_32

    Examples
    --------
    >>> from crmkit import text
    >>> from itertools import permutations
    >>> about = ["refund money order invoice", "parcel late courier lost", "password login account code"]
    >>> texts = [" ".join(three) for words in about for three in permutations(words.split(), 3)]
    >>> choice = text.choose_topics(text.NMFTopics(), texts, range(2, 5), n_terms=4, random_state=0)
    >>> choice.n_topics
    3
    """
    require_methods(model, ["fit", "transform", "topics", "set_params"], role="a topic model")
    values = read_texts(texts, what="texts")
    numbers = sorted({int(number) for number in range})
    if not numbers or numbers[0] < 2:
        raise ValueError(f"range must have numbers of topics of 2 or more, got {numbers or 'none'}")
    if n_runs < 2:
        raise ValueError(f"n_runs must be at least 2, for there to be two to compare, got {n_runs}")
    random = check_random_state(random_state)
    size = int(0.8 * len(values))
    if size < numbers[-1]:
        raise DataError(f"{numbers[-1]} topics need more than {len(values)} texts: four fifths are drawn at a time")
    samples = [(random.choice(len(values), size, replace=False), int(random.randint(2**31))) for _ in np.arange(n_runs)]
    seed = int(random.randint(2**31))
    rows, models = [], {}
    for number in numbers:
        fitted = models[number] = _fit(model, values, number, seed)
        figures = coherence(fitted, values, n_terms=n_terms)["npmi"].dropna()
        known = mean(figures.to_numpy()) if len(figures) > 1 else None
        lists = [topic_lists(_fit(model, values[rows_], number, own), n_terms) for rows_, own in samples]
        pairs = [_agreement(one, other) for one, other in combinations(lists, 2)]
        smallest = int(np.bincount(fitted.transform(values).argmax(axis=1), minlength=number).min())
        value, low, high = (float(known), known.low, known.high) if known is not None else (np.nan,) * 3
        error = float(figures.std(ddof=1) / np.sqrt(len(figures))) if known is not None else np.nan
        rows.append((value, low, high, float(np.mean(pairs)), min(pairs), max(pairs), smallest, error))
    columns = ["coherence", "low", "high", "stability", "stability_low", "stability_high", "smallest", "error"]
    table = pd.DataFrame(rows, columns=columns, index=pd.Index(numbers, name="n_topics"))
    number, reason = _recommend(table)
    return TopicChoice(table.drop(columns="error"), number, reason, models)


def _fit(model: Any, texts: Any, n_topics: int, seed: int) -> Any:
    """Fit a copy with a number of topics and a seed."""
    params: dict[str, Any] = {"n_topics": n_topics}
    if "random_state" in model.get_params():
        params["random_state"] = seed
    return cast("Any", clone(model)).set_params(**params).fit(texts)


def _agreement(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """Give the mean Jaccard similarity of topics matched one to one."""
    sets, others = [set(terms) for terms in one], [set(terms) for terms in other]
    alike = np.array([[len(a & b) / max(len(a | b), 1) for b in others] for a in sets])
    rows, columns = linear_sum_assignment(-alike)
    return float(alike[rows, columns].mean())


def _recommend(table: pd.DataFrame) -> tuple[int, str]:
    """Choose one number and say why."""
    numbers = table.index.to_numpy()
    figure, error, stable = (table[name].to_numpy() for name in ("coherence", "error", "stability"))
    if np.isnan(figure).all():
        chosen = int(stable.argmax())
        return int(numbers[chosen]), "the most stable; no topic has two terms that meet in the texts"
    best = int(np.nanargmax(figure))
    within = np.flatnonzero(figure >= figure[best] - error[best])
    chosen = int(within[stable[within].argmax()])
    said = f"coherence {figure[chosen]:.3f}, stability {stable[chosen]:.2f}"
    if len(within) == 1:
        return int(numbers[chosen]), f"the most coherent by more than one standard error ({said})"
    if chosen == best:
        return int(numbers[chosen]), f"the most coherent, and the most stable of {len(within)} near it ({said})"
    return int(numbers[chosen]), (
        f"the most stable of the {len(within)} within one standard error of the most coherent, which are "
        f"{numbers[best]} topics with {figure[best]:.3f} ({said})"
    )
