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


def check_white_space_has_an_empty_summary(plugin: Plugin) -> None:
    """Spaces and line breaks say nothing."""
    assert not str(plugin.make().summarize(" \n\t\u3000 ", max_sentences=3)).strip(), "white space got a summary"


def check_a_text_of_one_sentence_is_kept(plugin: Plugin) -> None:
    """What is one sentence already is not lost, in either language."""
    for text in ("Please refund me.", "请给我退款。"):
        summary = str(plugin.make().summarize(text, max_sentences=3)).strip()
        assert summary, "a text of one sentence has an empty summary"
        assert len(summary) <= len(text), "the summary of one sentence is longer than the sentence"


def check_no_more_sentences_than_asked(plugin: Plugin) -> None:
    """Where the summary lists its sentences, there are at most as many as asked for."""
    for count in (1, 2, 3):
        sentences = getattr(plugin.make().summarize(TEXT, max_sentences=count), "sentences", None)
        if sentences is not None:
            assert len(sentences) <= count, f"{len(sentences)} sentences where {count} were asked for"


def check_sentences_point_to_their_place(plugin: Plugin) -> None:
    """Where the summary lists its sentences, each stands in the text where it says, in order, none overlapping."""
    for text in (TEXT, "Ｗhere is my order？ 😀 \n 没有人接电话！<b>Refund</b> me…"):
        sentences = getattr(plugin.make().summarize(text, max_sentences=3), "sentences", None)
        end = 0
        for sentence in sentences or ():
            assert text[sentence.start : sentence.end] == sentence.text, "offsets do not point to the sentence"
            assert sentence.start >= end, "sentences overlap or are out of order"
            end = sentence.end


CHECKS = (
    check_has_the_method,
    check_a_summary_is_shorter_and_keeps_to_its_length,
    check_more_sentences_say_no_less,
    check_an_empty_text_has_an_empty_summary,
    check_the_same_text_gets_the_same_summary,
    check_white_space_has_an_empty_summary,
    check_a_text_of_one_sentence_is_kept,
    check_no_more_sentences_than_asked,
    check_sentences_point_to_their_place,
)
