"""Small seeded inputs for the checks: a table with groups, labels, texts, purchase summaries, interactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["blobs", "contracts", "interactions", "period_summary", "purchase_summary", "texts"]


def blobs(n_rows: int = 90, *, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Make three well-separated groups in three columns.

    Parameters
    ----------
    n_rows : int, default=90
        Rows.
    seed : int, default=0
        Seed.

    Returns
    -------
    tuple of ndarray (n_rows, 3) and ndarray (n_rows,)
        The points and the group of each.

    Examples
    --------
    >>> from crmkit.testing.tables import blobs
    >>> blobs(30)[0].shape
    (30, 3)
    """
    import numpy as np

    random = np.random.default_rng(seed)
    groups = np.arange(n_rows) % 3
    centres = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 9.0], [0.0, 9.0, -9.0]])
    return centres[groups] + random.normal(size=(n_rows, 3)), groups.astype(np.int64)


def texts(n_texts: int = 60) -> tuple[list[str], list[str]]:
    """Make short messages in Chinese and English about two topics.

    Parameters
    ----------
    n_texts : int, default=60
        How many.

    Returns
    -------
    tuple of list of str
        Texts and labels.

    Examples
    --------
    >>> from crmkit.testing.tables import texts
    >>> texts(2)[1]
    ['delivery', 'refund']
    """
    patterns = [
        ("my parcel {} has not arrived yet", "delivery"),
        ("please refund order {}", "refund"),
        ("包裹{}还没有送到", "delivery"),
        ("请给订单{}退款", "refund"),
    ]
    chosen = [patterns[position % 4] for position in range(n_texts)]
    return [text.format(position) for position, (text, _) in enumerate(chosen)], [label for _, label in chosen]


def purchase_summary(n_customers: int = 600, *, seed: int = 0) -> pd.DataFrame:
    """Simulate what ``preparation.purchase_summary`` gives, in weeks, from a process in which customers leave.

    Parameters
    ----------
    n_customers : int, default=600
        Customers; of 400, models in which anyone may leave at any moment see no difference between rates of leaving.
    seed : int, default=0
        Seed.

    Returns
    -------
    pandas.DataFrame
        Indexed by customer_id: repeats, last_purchase_weeks, age_weeks, repeat_spend, first_spend, gap_evenness.

    Examples
    --------
    >>> from crmkit.testing.tables import purchase_summary
    >>> list(purchase_summary(5).columns)
    ['repeats', 'last_purchase_weeks', 'age_weeks', 'repeat_spend', 'first_spend', 'gap_evenness']
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    age = random.uniform(20.0, 60.0, n_customers)
    rate = random.gamma(1.2, 1 / 8.0, n_customers)
    leaves = random.beta(1.0, 3.0, n_customers)
    waits = random.exponential(1.0, (n_customers, 60)) / rate[:, None]
    stays = random.random((n_customers, 60)) > leaves[:, None]
    times = np.cumsum(waits, axis=1)
    # The first purchase may already be the last one; each later one needs the customer to have stayed so far.
    counted = (times < age[:, None]) & np.logical_and.accumulate(stays, axis=1)
    repeats = counted.sum(axis=1)
    last = np.where(repeats > 0, np.take_along_axis(times, np.maximum(repeats - 1, 0)[:, None], axis=1)[:, 0], 0.0)
    mean_spend = 30.0 / random.gamma(4.0, 1 / 3.0, n_customers)
    spend = np.where(
        repeats > 0, mean_spend * random.gamma(np.maximum(repeats, 1) * 6.0, 1 / (np.maximum(repeats, 1) * 6.0)), 0.0
    )
    gaps = np.maximum(repeats, 1)
    # The waits before the purchases that were counted are the gaps between them.
    log_gaps = np.where(counted, np.log(waits), 0.0).sum(axis=1)
    evenness = np.where(repeats > 0, np.exp(log_gaps / gaps) * gaps / np.where(last > 0, last, 1.0), 0.0)
    return pd.DataFrame(
        {
            "repeats": repeats,
            "last_purchase_weeks": last,
            "age_weeks": age,
            "repeat_spend": spend,
            "first_spend": mean_spend * random.gamma(6.0, 1 / 6.0, n_customers),
            "gap_evenness": np.minimum(evenness, 1.0),
        },
        index=pd.Index([f"c{number:05d}" for number in range(n_customers)], name="customer_id"),
    )


def period_summary(n_customers: int = 400, *, seed: int = 0) -> pd.DataFrame:
    """Simulate what ``preparation.period_summary`` gives, in months, from a process in which customers leave.

    Parameters
    ----------
    n_customers : int, default=400
        Customers.
    seed : int, default=0
        Seed.

    Returns
    -------
    pandas.DataFrame
        Indexed by customer_id: repeats, last_purchase_periods, age_periods, repeat_spend, first_spend, period.

    Examples
    --------
    >>> from crmkit.testing.tables import period_summary
    >>> list(period_summary(5).columns)
    ['repeats', 'last_purchase_periods', 'age_periods', 'repeat_spend', 'first_spend', 'period']
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    age = random.integers(6, 19, n_customers)
    number = np.arange(1, 19)
    left = random.geometric(random.beta(1.0, 6.0, n_customers))
    took = random.random((n_customers, 18)) < random.beta(1.5, 2.0, n_customers)[:, None]
    took &= (number < left[:, None]) & (number <= age[:, None])
    repeats = took.sum(axis=1)
    mean_spend = 30.0 / random.gamma(4.0, 1 / 3.0, n_customers)
    shape = np.maximum(repeats, 1) * 6.0
    return pd.DataFrame(
        {
            "repeats": repeats,
            "last_purchase_periods": (took * number).max(axis=1),
            "age_periods": age,
            "repeat_spend": np.where(repeats > 0, mean_spend * random.gamma(shape, 1 / shape), 0.0),
            "first_spend": mean_spend * random.gamma(6.0, 1 / 6.0, n_customers),
            "period": "month",
        },
        index=pd.Index([f"c{row:05d}" for row in range(n_customers)], name="customer_id"),
    )


def contracts(n_customers: int = 400, *, seed: int = 0) -> pd.DataFrame:
    """Simulate what ``preparation.contract_summary`` gives, in months, of customers who differ in how they leave.

    Parameters
    ----------
    n_customers : int, default=400
        Customers.
    seed : int, default=0
        Seed.

    Returns
    -------
    pandas.DataFrame
        Indexed by customer_id: tenure_periods, churned, age_periods, period.

    Examples
    --------
    >>> from crmkit.testing.tables import contracts
    >>> list(contracts(5).columns)
    ['tenure_periods', 'churned', 'age_periods', 'period']
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    age = random.integers(1, 25, n_customers)
    left = random.geometric(random.beta(0.8, 6.0, n_customers))
    return pd.DataFrame(
        {
            "tenure_periods": np.minimum(left, age),
            "churned": left <= age,
            "age_periods": age,
            "period": "month",
        },
        index=pd.Index([f"c{row:05d}" for row in range(n_customers)], name="customer_id"),
    )


def interactions(n_customers: int = 40, n_items: int = 15, *, seed: int = 0) -> pd.DataFrame:
    """Make purchases of two tastes.

    Parameters
    ----------
    n_customers, n_items : int
        Sizes.
    seed : int, default=0
        Seed.

    Returns
    -------
    pandas.DataFrame
        customer_id, item_id, time, rating.

    Examples
    --------
    >>> from crmkit.testing.tables import interactions
    >>> sorted(interactions().columns)
    ['customer_id', 'item_id', 'rating', 'time']
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    customer = np.repeat(np.arange(n_customers), 6)
    taste = customer % 2
    item = (random.integers(0, n_items // 2, len(customer)) * 2 + taste) % n_items
    start = pd.Timestamp("2024-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in customer],
            "item_id": [f"i{number}" for number in item],
            "time": start + pd.to_timedelta(random.integers(0, 90 * 24, len(customer)), unit="h"),
            "rating": random.integers(1, 6, len(customer)).astype(float),
        }
    )
