"""What every summarizer must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.core.checks import require_methods

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]

TEXT = (
    "My parcel has not arrived. I ordered it two weeks ago and paid for express delivery. The tracking shows nothing. "
    "我已经打过两次电话。没有人能告诉我包裹在哪里。Please send it again or refund me."
)


def check_has_the_method(plugin: Plugin) -> None:
    """It summarises."""
    require_methods(plugin.make(), ["summarize"], role="a summarizer")


def check_a_summary_is_shorter_and_keeps_to_its_length(plugin: Plugin) -> None:
    """A summary of one sentence is text, not empty, and shorter than what it summarises."""
    summary = str(plugin.make().summarize(TEXT, max_sentences=1))
    assert summary.strip(), "the summary is empty"
    assert len(summary) < len(TEXT), "the summary is as long as the text"


def check_more_sentences_say_no_less(plugin: Plugin) -> None:
    """A longer summary is not shorter."""
    short, long = (str(plugin.make().summarize(TEXT, max_sentences=count)) for count in (1, 3))
    assert len(long) >= len(short), "three sentences are shorter than one"


def check_an_empty_text_has_an_empty_summary(plugin: Plugin) -> None:
    """Nothing said gives nothing."""
    assert not str(plugin.make().summarize("", max_sentences=3)).strip(), "an empty text got a summary"


def check_the_same_text_gets_the_same_summary(plugin: Plugin) -> None:
    """Two runs agree."""
    first, second = (str(plugin.make().summarize(TEXT, max_sentences=2)) for _ in range(2))
    assert first == second, "two summaries of one text differ"


CHECKS = (
    check_has_the_method,
    check_a_summary_is_shorter_and_keeps_to_its_length,
    check_more_sentences_say_no_less,
    check_an_empty_text_has_an_empty_summary,
    check_the_same_text_gets_the_same_summary,
)
