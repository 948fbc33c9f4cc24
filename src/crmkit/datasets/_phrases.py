"""What the phrases are from which customers' messages are put together, in any language."""

# A message is opener + subject + predicate + tail + closing. Subjects, tails and closings are shared between topics on
# purpose: no single word gives a topic away, and some predicates stand under two topics.

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SENTIMENTS", "TOPICS", "Phrases"]

TOPICS = ("delay", "quality", "attitude", "billing", "refund", "product", "account", "praise")
"""What a message is about; the first four are causes of complaints."""

SENTIMENTS = ("negative", "neutral", "positive")
"""How it is said."""


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language.

    Parameters
    ----------
    openers, tails : tuple of tuple of str
        By sentiment.
    closings : tuple of str
        Shared by all.
    cores : mapping of str to (subjects, predicates)
        By topic; ``{n}`` stands for a small number.
    vague : tuple of str
        Said about anything.
    replies : tuple of str
        What agents answer.
    link, comma : str
        What stands between subject and predicate, and between parts.
    order, call, write : str
        How an order, a phone number and an e-mail address are mentioned.
    swaps : tuple of (str, str)
        Slips of the pen: what is meant, what is written.
    comments : tuple of tuple of str
        What is written under a questionnaire, by sentiment.
    borrowed : tuple of str
        What the speakers of the other language borrow.
    """

    openers: tuple[tuple[str, ...], ...]
    tails: tuple[tuple[str, ...], ...]
    closings: tuple[str, ...]
    cores: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    vague: tuple[str, ...]
    replies: tuple[str, ...]
    link: str
    comma: str
    order: str
    call: str
    write: str
    swaps: tuple[tuple[str, str], ...]
    comments: tuple[tuple[str, ...], ...]
    borrowed: tuple[str, ...]
