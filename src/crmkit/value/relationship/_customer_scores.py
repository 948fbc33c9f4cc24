"""One number for each customer from value, loyalty and engagement, with the reasons for it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import by_customer, positions, require_columns, require_methods
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._events import customer_codes
from crmkit.value.relationship._score_words import check_language
from crmkit.value.relationship._scorer import CustomerScorer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["customer_scores", "score_parts"]


def score_parts(*, value: Any = None, loyalty: Any = None, engagement: Any = None) -> pd.DataFrame:
    """Put value, loyalty and engagement of customers into one table, as ``CustomerScorer`` reads it.

    Parameters
    ----------
    value, loyalty, engagement : table, Series or None
        One row a customer, with ``customer_id`` as index or column: what ``lifetime_value``, ``loyalty`` and
        ``engagement`` gave (of a table the column ``lifetime_value``, ``loyalty``, ``engagement`` is taken), or a
        Series of any other measure where higher is better. None: the part is not there.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id`` (text: the number 17 is the customer "17"), sorted: those of ``value``, ``loyalty``,
        ``engagement`` that were given. Customers are those of value and loyalty; of them, who is not in ``engagement``
        has been in touch 0 times, and who is not in one of the other two has it missing. People who were in touch and
        never bought are not customers, unless ``engagement`` is all there is.

    Raises
    ------
    DataError
        If nothing is given, a column is not there, or a customer stands in more than one row.

    Warns
    -----
    DataWarning
        If ``value`` and ``loyalty`` share no customer, or none of their customers is in ``engagement``, which is what
        ids of two kinds look like.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import score_parts
    >>> ids = pd.Index(["a", "b"], name="customer_id")
    >>> score_parts(value=pd.Series([9.0, 1.0], ids), engagement=pd.Series([2.5], ids[:1])).reset_index()
      customer_id  value  engagement
    0           a    9.0         2.5
    1           b    1.0         0.0
    """
    given = {
        "value": _column(value, "value", "lifetime_value"),
        "loyalty": _column(loyalty, "loyalty", "loyalty"),
        "engagement": _column(engagement, "engagement", "engagement"),
    }
    there = {part: column for part, column in given.items() if column is not None}
    if not there:
        raise DataError("give at least one of value, loyalty and engagement")
    who = [column.index for part, column in there.items() if part != "engagement"] or [there["engagement"].index]
    ids = who[0].union(who[-1]).rename("customer_id")
    if len(who) > 1 and len(who[0]) and len(who[1]) and (who[0].get_indexer(who[1]) < 0).all():
        warnings.warn("value and loyalty share no customer: are the ids of one kind?", DataWarning, stacklevel=2)
    table = pd.DataFrame({part: column.reindex(ids) for part, column in there.items()}, index=ids)
    if "engagement" in table.columns:
        absent = there["engagement"].index.get_indexer(ids) < 0
        if len(ids) and len(there["engagement"]) and absent.all():
            warnings.warn("engagement knows none of the customers: are the ids of one kind?", DataWarning, stacklevel=2)
        table.loc[absent, "engagement"] = 0.0
    return table


def _column(given: Any, what: str, name: str) -> pd.Series | None:
    """Take one part out of what holds it, with ids as text."""
    if given is None:
        return None
    if isinstance(given, pd.Series):
        frame = by_customer(given.rename_axis("customer_id").to_frame(name), what=what)
    else:
        frame = by_customer(given, what=what)
        require_columns(frame, [name], what=what)
    codes, ids = customer_codes(frame.index.to_frame(index=False, name="customer_id"), what=what)
    twice = np.bincount(codes, minlength=len(ids))[codes] > 1
    if twice.any():
        raise DataError(f"{what} must have one row a customer; as text, ids are the same in {positions(twice)}")
    return pd.Series(frame[name]).set_axis(ids[codes])


def customer_scores(
    *,
    value: Any = None,
    loyalty: Any = None,
    engagement: Any = None,
    weights: Mapping[str, float] | None = None,
    scorer: Any = None,
    language: str = "en",
) -> pd.DataFrame:
    """Give each customer one number from value, loyalty and engagement, and the reasons for it.

    Without a ``scorer`` the scale is that of these customers: 100 is better in all parts than everyone. To score next
    month on this month's scale, fit a ``CustomerScorer`` on ``score_parts`` once and hand it in.

    Parameters
    ----------
    value, loyalty, engagement : table, Series or None
        As for ``score_parts``.
    weights : mapping of str to float, or None
        What each part counts; None is value 0.5, loyalty 0.3, engagement 0.2.
    scorer : CustomerScorer or None, default=None
        A fitted one, whose scale and weights are used.
    language : {"en", "zh"}, default="en"
        Of the reasons.

    Returns
    -------
    pandas.DataFrame
        As ``CustomerScorer.predict`` gives it, sorted by ``customer_id``.

    Raises
    ------
    DataError
        As ``score_parts`` and ``CustomerScorer`` do, or if weights are given beside a scorer, which has its own.

    Warns
    -----
    DataWarning
        If a part that counts is not given: its weight is shared out over the others.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import customer_scores
    >>> ids = pd.Index(["a", "b", "c"], name="customer_id")
    >>> worth, loyal = pd.Series([90.0, 40.0, 10.0], ids), pd.Series([0.9, 0.1, 0.4], ids)
    >>> scores = customer_scores(value=worth, loyalty=loyal, weights={"value": 0.6, "loyalty": 0.4}, language="zh")
    >>> scores["score"].round(1).tolist(), scores["reason_against"].tolist()[1]
    ([83.3, 36.7, 30.0], '忠诚度低于 66% 的客户')
    """
    check_language(language)
    if scorer is not None and weights is not None:
        raise DataError("a scorer has its own weights: give weights= or scorer=, not both")
    parts = score_parts(value=value, loyalty=loyalty, engagement=engagement)
    if scorer is not None:
        require_methods(scorer, ["predict"], role="a scorer")
        return pd.DataFrame(scorer.predict(parts, language=language))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = CustomerScorer(weights=weights)
        made.fit(parts)
    for warning in told:
        # Told again from here, so that it points at the caller's line.
        warnings.warn(str(warning.message), warning.category, stacklevel=2)
    return made.predict(parts, language=language)
