"""Writes the messages between customers and the company, with the topic, sentiment and language of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, objects, stream, text_column
from crmkit.datasets._people import pick
from crmkit.datasets._phrases import SENTIMENTS, TOPICS, Phrases
from crmkit.datasets._phrases_en import ENGLISH
from crmkit.datasets._phrases_zh import CHINESE
from crmkit.datasets._service import AGENTS, CAUSES

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["PHRASES", "draw_comments", "draw_communications"]

PHRASES = {"zh": CHINESE, "en": ENGLISH}
"""By language."""

_CHANNELS = ("app", "chat", "email", "call", "store")
_CHANNEL_OF_PERSONA = np.array(
    [
        [0.5, 0.35, 0.08, 0.05, 0.02],
        [0.25, 0.4, 0.2, 0.1, 0.05],
        [0.2, 0.3, 0.15, 0.25, 0.1],
        [0.05, 0.1, 0.3, 0.35, 0.2],
    ]
)
# How often each topic is written about without a complaint; delay and billing are then questions, not complaints.
_TOPIC_SHARE = np.array([[0.14, 0.04, 0.02, 0.07, 0.18, 0.26, 0.14, 0.15]])
_MESSAGES_PER_ORDER = 0.3
_SWITCHES, _BORROWED = 0.05, 0.04
_EMPTY, _VAGUE, _TWO_TOPICS, _TYPO, _PERSONAL, _REPLY = 0.01, 0.04, 0.06, 0.08, 0.06, 0.5
_LABELLED, _MISLABELLED = 0.6, 0.03


def draw_communications(
    per_order: pd.DataFrame,
    cases: pd.DataFrame,
    case_truth: pd.DataFrame,
    customers: pd.DataFrame,
    persona: npt.NDArray[np.int64],
    *,
    seed: int,
    switch: bool,
    calendar: Calendar,
    end: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw one message for each complaint, others about orders, and the agents' replies.

    Parameters
    ----------
    per_order : pandas.DataFrame, indexed by order_id
        What is written about.
    cases, case_truth : pandas.DataFrame
        The complaints, and their true causes.
    customers : pandas.DataFrame, indexed by customer_id
        Their language, phone and e-mail.
    persona : ndarray of int64, shape (n_customers,)
        Which channel a customer prefers.
    seed : int
        Of the simulation.
    switch : bool
        Whether one message in twenty is written in the other language.
    calendar : Calendar
        For time and day.
    end : float
        Days from the start to the end of the window.

    Returns
    -------
    communications : pandas.DataFrame
        customer_id, time, day, conversation_id, turn, channel, direction, agent, duration, text, label,
        case_id.
    truth : pandas.DataFrame
        In the same order: topic, second_topic, sentiment, language, vague, personal_kind, personal_start,
        personal_end.
    """
    rng = stream(seed, "messages")
    asked = _occasions(rng, per_order, cases, case_truth, end=end)
    customer = asked["customer"].to_numpy(dtype=np.int64)
    chinese = (customers["language"] == "zh").to_numpy(dtype=bool)[customer]
    if switch:
        chinese ^= rng.random(len(asked)) < _SWITCHES
    topic = asked["topic"].to_numpy(dtype=np.int64)
    second = np.where(rng.random(len(asked)) < _TWO_TOPICS, rng.integers(0, len(TOPICS), len(asked)), -1)
    vague = rng.random(len(asked)) < _VAGUE
    second[vague | (second == topic)] = -1
    asked = asked.assign(second=second, vague=vague)
    text = np.full(len(asked), "", dtype=object)
    personal = np.full((len(asked), 3), None, dtype=object)
    phone, email = objects(customers["phone"])[customer], objects(customers["email"])[customer]
    for language, mask in (("zh", chinese), ("en", ~chinese)):
        rows = np.flatnonzero(mask)
        own = stream(seed, f"messages {language}")
        written = _write(own, PHRASES[language], asked.iloc[rows])
        if switch:
            _borrow(own, written, PHRASES[language].comma, PHRASES["en" if language == "zh" else "zh"].borrowed)
        text[rows], personal[rows] = _leave_contact(own, PHRASES[language], written, phone[rows], email[rows])
    empty = rng.random(len(asked)) < _EMPTY
    text[empty], personal[empty] = "", None
    channel = pick(rng, _CHANNEL_OF_PERSONA, persona[customer])
    inbound = pd.DataFrame(
        {
            "customer_id": customers.index.to_numpy(dtype=object)[customer],
            "elapsed": asked["elapsed"],
            "conversation_id": np.array([f"V{number:08d}" for number in range(1, len(asked) + 1)], dtype=object),
            "turn": 0,
            "channel": np.array(_CHANNELS, dtype=object)[channel],
            "direction": "in",
            "agent": None,
            "duration": np.where(channel == 3, np.round(rng.gamma(2.0, 120.0, len(asked))), np.nan),
            "text": text,
            "label": _labels(rng, topic),
            "topic": np.array(TOPICS, dtype=object)[topic],
            "second_topic": np.array([*TOPICS, None], dtype=object)[second],
            "sentiment": np.array(SENTIMENTS, dtype=object)[asked["sentiment"]],
            "language": np.where(chinese, "zh", "en").astype(object),
            "case_id": asked["case_id"],
            "vague": vague,
            "personal_kind": personal[:, 0],
            "personal_start": personal[:, 1],
            "personal_end": personal[:, 2],
        }
    )
    both = pd.concat([inbound, _replies(rng, inbound, end)], ignore_index=True)
    both = both.sort_values(["elapsed", "conversation_id", "turn"], kind="stable", ignore_index=True)
    return _split(both, calendar)


def _occasions(
    rng: np.random.Generator, per_order: pd.DataFrame, cases: pd.DataFrame, case_truth: pd.DataFrame, *, end: float
) -> pd.DataFrame:
    """Draw who writes when about what: once for each complaint, and now and then about an order."""
    asked = np.flatnonzero(rng.random(len(per_order)) < _MESSAGES_PER_ORDER)
    cause = np.array([CAUSES.index(name) for name in case_truth["cause"]], dtype=np.int64)
    other = cause == CAUSES.index("other")
    cause[other] = rng.integers(0, len(TOPICS) - 1, int(other.sum()))
    later = rng.exponential(3.0, len(asked))
    occasions = pd.DataFrame(
        {
            "topic": np.concatenate([cause, pick(rng, _TOPIC_SHARE, np.zeros(len(asked), dtype=np.int64))]),
            "customer": np.concatenate([case_truth["customer"], per_order["customer"].to_numpy()[asked]]),
            "elapsed": np.concatenate([case_truth["elapsed"], per_order["elapsed"].to_numpy()[asked] + later]),
            "order_id": np.concatenate([objects(cases["order_id"]), objects(per_order.index)[asked]]),
            "case_id": np.concatenate([objects(cases["case_id"]), np.full(len(asked), None, dtype=object)]),
        }
    )
    complaint = np.arange(len(occasions)) < len(cases)
    occasions["sentiment"] = _sentiments(rng, occasions["topic"].to_numpy(dtype=np.int64), complaint)
    seen = occasions[occasions["elapsed"] < end]
    return seen.sort_values("elapsed", kind="stable", ignore_index=True)


def _labels(rng: np.random.Generator, topic: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """Let people mark some of the topics, and some of these wrongly."""
    wrong = rng.random(len(topic)) < _MISLABELLED
    marked = np.where(wrong, (topic + rng.integers(1, len(TOPICS), len(topic))) % len(TOPICS), topic)
    labels: npt.NDArray[np.object_] = np.array(TOPICS, dtype=object)[marked]
    labels[rng.random(len(topic)) >= _LABELLED] = None
    return labels


def draw_comments(
    feedback: pd.DataFrame, satisfaction: npt.NDArray[np.float64], chinese: npt.NDArray[np.bool_], *, seed: int
) -> pd.Series[Any]:
    """Write the comments under the questionnaire; three in five are left empty.

    Parameters
    ----------
    feedback : pandas.DataFrame
        The answers.
    satisfaction : ndarray of float64, shape (n_answers,)
        Below 2.8 a comment is negative, above 4 positive.
    chinese : ndarray of bool, shape (n_answers,)
        Whether the customer writes Chinese.
    seed : int
        Of the simulation.

    Returns
    -------
    pandas.Series
        Text; missing where nothing was written.
    """
    rng = stream(seed, "comments")
    mood = np.digitize(satisfaction, [2.8, 4.0])
    text = np.full(len(feedback), None, dtype=object)
    for language, mask in (("zh", chinese), ("en", ~chinese)):
        for value in range(len(SENTIMENTS)):
            rows = np.flatnonzero(mask & (mood == value))
            text[rows] = _choose(rng, PHRASES[language].comments[value], len(rows))
    text[rng.random(len(feedback)) < 0.6] = None
    return text_column(text)


def _sentiments(
    rng: np.random.Generator, topic: npt.NDArray[np.int64], complaint: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Draw how something is said: complaints mostly negative, questions mostly neutral, praise positive."""
    weights = np.array([[0.25, 0.75, 0.0], [0.1, 0.85, 0.05], [0.02, 0.08, 0.9], [0.88, 0.12, 0.0]])
    kind = np.select([complaint, topic == TOPICS.index("praise"), topic < 5], [3, 2, 0], default=1)
    return pick(rng, weights, kind.astype(np.int64))


def _choose(rng: np.random.Generator, phrases: tuple[str, ...], count: int) -> npt.NDArray[np.object_]:
    """Draw phrases."""
    return np.array(phrases, dtype=object)[rng.integers(0, len(phrases), count)]


def _write(rng: np.random.Generator, phrases: Phrases, asked: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Put messages together, with their slips of the pen."""
    topic, second, sentiment = (asked[name].to_numpy(dtype=np.int64) for name in ("topic", "second", "sentiment"))
    vague = asked["vague"].to_numpy(dtype=bool)
    count = len(topic)
    opener, tail = (np.full(count, "", dtype=object) for _ in range(2))
    for value in range(len(SENTIMENTS)):
        rows = np.flatnonzero(sentiment == value)
        opener[rows] = _choose(rng, phrases.openers[value], len(rows))
        tail[rows] = _choose(rng, phrases.tails[value], len(rows))
    core = _cores(rng, phrases, topic)
    core[vague] = _choose(rng, phrases.vague, int(vague.sum()))
    parts = [
        np.where(rng.random(count) < 0.55, opener, ""),
        core,
        _cores(rng, phrases, second),
        np.where(
            rng.random(count) < 0.2,
            np.array([phrases.order.format(order=order) for order in asked["order_id"]], dtype=object),
            "",
        ),
        np.where(rng.random(count) < 0.6, tail, ""),
        _choose(rng, phrases.closings, count),
    ]
    numbers = rng.integers(2, 10, count)
    ends = _choose(rng, ("", "", "。" if phrases.link == "" else ".", "！", "!!", "…", " 🙏", " 😡"), count)
    ends[(sentiment == 2) & (ends == " 😡")] = " 😊"
    written = [
        phrases.comma.join(part for part in row if part).replace("{n}", str(number)) + end
        for row, number, end in zip(zip(*parts, strict=True), numbers, ends, strict=True)
    ]
    text = np.array(written, dtype=object) if count else np.empty(0, dtype=object)
    for row in np.flatnonzero(rng.random(count) < _TYPO):
        for meant, slip in phrases.swaps:
            text[row] = text[row].replace(meant, slip, 1)
    loud = np.flatnonzero(rng.random(count) < 0.03)
    text[loud] = [value.upper() for value in text[loud]]
    return text


def _borrow(rng: np.random.Generator, text: npt.NDArray[np.object_], comma: str, phrases: tuple[str, ...]) -> None:
    """Let some messages end in a word of the other language; the texts are changed in place."""
    rows = np.flatnonzero(rng.random(len(text)) < _BORROWED)
    text[rows] = text[rows] + comma + _choose(rng, phrases, len(rows))


def _cores(rng: np.random.Generator, phrases: Phrases, topic: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """Draw what a message is about; nothing where the topic is negative."""
    core = np.full(len(topic), "", dtype=object)
    for number, name in enumerate(TOPICS):
        rows = np.flatnonzero(topic == number)
        subjects, predicates = phrases.cores[name]
        core[rows] = _choose(rng, subjects, len(rows)) + phrases.link + _choose(rng, predicates, len(rows))
    return core


def _leave_contact(
    rng: np.random.Generator,
    phrases: Phrases,
    text: npt.NDArray[np.object_],
    phone: npt.NDArray[np.object_],
    email: npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Let some customers leave their phone number or e-mail address, and say where it stands."""
    personal = np.full((len(text), 3), None, dtype=object)
    rows = np.flatnonzero(rng.random(len(text)) < _PERSONAL)
    by_phone = rng.random(len(rows)) < 0.6
    for row, calls in zip(rows, by_phone, strict=True):
        value = phone[row] if calls else email[row]
        if value is None:
            continue
        before, after = (phrases.call if calls else phrases.write).split("{phone}" if calls else "{email}")
        head = f"{text[row]}{phrases.comma}{before}"
        text[row] = f"{head}{value}{after}"
        personal[row] = ("phone" if calls else "email", len(head), len(head) + len(value))
    return text, personal


def _replies(rng: np.random.Generator, inbound: pd.DataFrame, end: float) -> pd.DataFrame:
    """Let agents answer half of the messages, in the language of the message."""
    reply = inbound[rng.random(len(inbound)) < _REPLY].copy()
    reply["elapsed"] += rng.exponential(0.2, len(reply))
    reply["turn"] = 1
    reply["direction"] = "out"
    reply["agent"] = _choose(rng, AGENTS, len(reply))
    text = np.full(len(reply), "", dtype=object)
    numbers = rng.integers(2, 8, len(reply))
    for language in ("zh", "en"):
        rows = np.flatnonzero((reply["language"] == language).to_numpy(dtype=bool))
        drawn = _choose(rng, PHRASES[language].replies, len(rows))
        text[rows] = [value.replace("{n}", str(number)) for value, number in zip(drawn, numbers[rows], strict=True)]
    reply["text"] = text
    reply["sentiment"] = "neutral"
    reply[["label", "second_topic", "personal_kind", "personal_start", "personal_end"]] = None
    reply["vague"] = False
    return reply[reply["elapsed"] < end]


def _split(both: pd.DataFrame, calendar: Calendar) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give what the company sees and what is true."""
    elapsed = both["elapsed"].to_numpy(dtype=float)
    seen: dict[str, Any] = {
        "customer_id": text_column(both["customer_id"]),
        "time": calendar.times(elapsed),
        "day": calendar.days(elapsed),
        "conversation_id": text_column(both["conversation_id"]),
        "turn": both["turn"].to_numpy(dtype=np.int64),
        **{name: text_column(both[name]) for name in ("channel", "direction", "agent")},
        "duration": both["duration"].to_numpy(dtype=float),
        **{name: text_column(both[name]) for name in ("text", "label", "case_id")},
    }
    known: dict[str, Any] = {
        **{name: text_column(both[name]) for name in ("topic", "second_topic", "sentiment", "language")},
        "vague": both["vague"].to_numpy(dtype=bool),
        "personal_kind": text_column(both["personal_kind"]),
        **{name: both[name].astype("float").astype("Int64") for name in ("personal_start", "personal_end")},
    }
    return pd.DataFrame(seen), pd.DataFrame(known)
