"""Draws the customers of the simulated company: who they are, how they can be reached, and what they allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["CHANNELS", "LANGUAGES", "PERSONAS", "Language", "channel_of", "draw_people", "pick"]

Language = Literal["both", "zh", "en"]
LANGUAGES: tuple[Language, ...] = ("both", "zh", "en")
"""What ``make_company`` takes as language."""

PERSONAS = ("digital", "bargain", "family", "private")
"""The latent class that decides tastes, channels and how a customer responds; independent of the purchase process."""

# Heavenly stems and earthly branches count things; nobody is called so.
_SURNAMES_ZH = ("赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈")
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_FIRST_EN = ("Alex", "Blake", "Casey", "Drew", "Emery", "Finley", "Gray", "Harper", "Jules", "Kit", "Morgan", "Robin")
_LAST_EN = ("Example", "Sample", "Specimen", "Placeholder", "Demo", "Fixture")
_CITIES = {
    "zh": ("北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安"),
    "en": ("London", "Leeds", "Dublin", "Boston", "Austin", "Toronto", "Sydney", "Perth"),
}
_SOURCES = ("search", "friend", "store", "advertisement", "partner")
_DOMAINS = ("example.com", "example.org", "example.net")  # reserved by RFC 2606

_AGE_MEAN = np.array([29.0, 41.0, 38.0, 54.0])
_CHANNEL_OF_PERSONA = np.array([[0.75, 0.2, 0.05], [0.4, 0.45, 0.15], [0.3, 0.3, 0.4], [0.1, 0.35, 0.55]])
CHANNELS = ("app", "web", "store")
"""Where an order is placed."""


def pick(
    rng: np.random.Generator, weights: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Draw one column of a matrix of weights for each of the rows asked for.

    Parameters
    ----------
    rng : numpy.random.Generator
        The stream.
    weights : ndarray, shape (n_classes, n_choices)
        Not negative, each row with a positive sum.
    rows : ndarray of int, shape (n,)
        Which row of ``weights`` holds for each draw.

    Returns
    -------
    ndarray of int64, shape (n,)
        The columns drawn.
    """
    ends = np.cumsum(weights, axis=1)
    ends /= ends[:, -1:]
    column = np.count_nonzero(rng.random(len(rows))[:, None] >= ends[rows], axis=1)
    drawn: npt.NDArray[np.int64] = np.minimum(column, weights.shape[1] - 1).astype(np.int64)
    return drawn


def draw_people(
    n_customers: int, *, seed: int, language: Language, calendar: Calendar, joining_days: float
) -> tuple[pd.DataFrame, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Draw the customers table.

    Parameters
    ----------
    n_customers : int
        How many.
    seed : int
        Of the simulation.
    language : {"both", "zh", "en"}
        Whose customers: three in five Chinese, or all of one language.
    calendar : Calendar
        For the time of joining.
    joining_days : float
        Customers join evenly over the first so many days, in the order of their ids.

    Returns
    -------
    customers : pandas.DataFrame, indexed by customer_id
        What the company knows of them.
    persona : ndarray of int64, shape (n_customers,)
        Positions in ``PERSONAS``.
    joined : ndarray of float64, shape (n_customers,)
        Days from the start to the first purchase.
    """
    rng = stream(seed, "people")
    persona = rng.integers(0, len(PERSONAS), n_customers)
    joined = np.sort(rng.random(n_customers)) * joining_days
    chinese = rng.random(n_customers) < {"both": 0.6, "zh": 1.0, "en": 0.0}[language]
    ids = text_column([f"C{number:07d}" for number in range(1, n_customers + 1)])
    age = np.round(_AGE_MEAN[persona] + 8 * rng.standard_normal(n_customers)).clip(18, 90)
    age[rng.random(n_customers) < 0.07] = np.nan
    city, source = rng.integers(0, 8, n_customers), rng.integers(0, len(_SOURCES), n_customers)
    gender = rng.integers(0, 2, n_customers)
    email = np.array([f"c{number:07d}@{_DOMAINS[number % 3]}" for number in range(1, n_customers + 1)], dtype=object)
    email[rng.random(n_customers) < 0.05] = None
    phone = np.where(chinese, _chinese_phones(rng, n_customers), _english_phones(chinese))
    phone[rng.random(n_customers) < 0.08] = None
    consent = (
        rng.random((n_customers, 3))
        < np.array([[0.92, 0.88, 0.8], [0.9, 0.9, 0.7], [0.85, 0.8, 0.6], [0.6, 0.45, 0.25]])[persona]
    )
    opted_out = rng.random(n_customers) < np.array([0.02, 0.02, 0.03, 0.1])[persona]
    consent[opted_out] = False
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "name": text_column(_names(rng, chinese)),
            "phone": text_column(phone),
            "email": text_column(email),
            "language": text_column(np.where(chinese, "zh", "en")),
            "gender": text_column(np.where(gender == 1, "female", "male")),
            "age": age,
            "city": text_column(np.where(chinese, np.array(_CITIES["zh"])[city], np.array(_CITIES["en"])[city])),
            "source": text_column(np.array(_SOURCES)[source]),
            "time": calendar.times(joined),
            "day": calendar.days(joined),
            "consent_email": consent[:, 0],
            "consent_sms": consent[:, 1],
            "consent_call": consent[:, 2],
            "opted_out": opted_out,
        }
    ).set_index("customer_id")
    return customers, persona, joined


def channel_of(rng: np.random.Generator, persona: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Draw the channel of each order from its customer's persona."""
    return pick(rng, _CHANNEL_OF_PERSONA, persona)


def _names(rng: np.random.Generator, chinese: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Give names that nobody bears."""
    count = len(chinese)
    surname = np.array(_SURNAMES_ZH, dtype=object)[rng.integers(0, len(_SURNAMES_ZH), count)]
    stem = np.array(list(_STEMS), dtype=object)[rng.integers(0, len(_STEMS), count)]
    branch = np.array(list(_BRANCHES), dtype=object)[rng.integers(0, len(_BRANCHES), count)]
    first = np.array(_FIRST_EN, dtype=object)[rng.integers(0, len(_FIRST_EN), count)]
    last = np.array(_LAST_EN, dtype=object)[rng.integers(0, len(_LAST_EN), count)]
    names: npt.NDArray[np.object_] = np.where(chinese, surname + stem + branch, first + " " + last)
    return names


def _chinese_phones(rng: np.random.Generator, count: int) -> npt.NDArray[np.object_]:
    """Give mobile numbers, all different, of the prefix 154, which has not been given to any operator."""
    # An odd factor permutes the eight digits, so that neighbours do not look alike and no number occurs twice.
    numbers = (np.arange(count, dtype=np.int64) * 38_197_701 + rng.integers(0, 10**8)) % 10**8
    return np.array([f"154{number:08d}" for number in numbers], dtype=object)


def _english_phones(chinese: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Give numbers of the range 555-0100 to 555-0199, kept for fiction, each once; missing where they are used up."""
    areas = [area for area in range(201, 990) if area % 100 != 11]
    order = np.cumsum(~chinese) - 1
    return np.array(
        [
            f"+1 {areas[position % len(areas)]} 555 01{position // len(areas):02d}"
            if 0 <= position < 100 * len(areas)
            else None
            for position in order
        ],
        dtype=object,
    )
