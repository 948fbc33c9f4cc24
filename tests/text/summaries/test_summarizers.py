"""Summarizers of one text: what they choose, how long it is, and where it stands."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from crmkit import available, create
from crmkit.core.errors import ConvergenceError
from crmkit.language import sentences
from crmkit.text import CentroidSummarizer, ConversationSummarizer, LeadSummarizer, TextRankSummarizer, TextSummarizer
from crmkit.text.summaries._readable import readable
from crmkit.text.summaries._terms import count_terms, weigh_terms
from crmkit.text.summaries._textrank import _factors

ALL = [
    LeadSummarizer(),
    TextRankSummarizer(),
    TextRankSummarizer(similarity="bm25"),
    CentroidSummarizer(),
    ConversationSummarizer(),
]
COMPLAINT = (
    "Hello there. I ordered a lamp in March. The lamp arrived broken. I sent photos of the broken lamp twice. "
    "Nobody answered about the lamp. My dog is called Rex. Please refund the lamp or send a new lamp. Bye."
)
CHINESE = (
    "你好。我三月买了一台洗衣机。洗衣机到货就坏了。客服说三天内上门维修洗衣机！等了十天也没人上门。我要退货退款。谢谢。"
)

every = pytest.mark.parametrize(
    "summarizer", ALL, ids=lambda one: f"{type(one).__name__}-{getattr(one, 'similarity', '')}"
)
mixed = st.text(
    st.sampled_from("ab cde XYZ.!?\n。！？…退款没到账ＡＢ１２。😀👨‍👩‍👧é<b></p>&nbsp;:：#\u3000\u0301"), max_size=80
)


def test_the_four_names_are_in_the_catalogue():
    assert set(available("summarizer")) >= {"lead", "textrank", "centroid", "conversation"}
    assert isinstance(create("summarizer", "textrank", similarity="bm25"), TextRankSummarizer)


@every
@given(text=mixed)
def test_every_sentence_points_to_its_place(summarizer, text):
    summary = summarizer.summarize(text, max_sentences=4)
    end = 0
    for one in summary.sentences:
        assert text[one.start : one.end] == one.text
        assert end <= one.start < one.end
        assert str(one).strip()
        end = one.end


@every
@given(turns=st.lists(st.tuples(st.sampled_from(["Ann", "Bob", None]), mixed), max_size=5))
def test_every_sentence_of_turns_points_into_its_turn(summarizer, turns):
    for one in summarizer.summarize(turns, max_sentences=None).sentences:
        speaker, text = turns[one.turn]
        assert one.speaker == speaker
        assert text[one.start : one.end] == one.text


@every
@given(text=mixed, limit=st.integers(1, 60))
def test_a_summary_never_has_more_characters_than_allowed(summarizer, text, limit):
    assert len(str(summarizer.summarize(text, max_chars=limit))) <= limit


@every
@pytest.mark.parametrize("text", [COMPLAINT, CHINESE])
def test_it_keeps_to_the_length_in_sentences_characters_and_share(summarizer, text):
    whole = len(sentences(text))
    for count in (1, 2, 3, whole, whole + 5):
        assert len(summarizer.summarize(text, count)) == min(count, whole)
    assert len(summarizer.summarize(text)) == 3
    assert len(summarizer.summarize(text, None)) == whole
    half = summarizer.summarize(text, share=0.5)
    assert 0.2 < half.share <= 0.5
    assert len(half) > 2, "the default of three sentences gives way to a share"
    assert len(summarizer.summarize(text, 1, share=0.9)) == 1, "two limits hold together"
    assert len(summarizer.summarize(text, share=0.001)) == 1
    assert len(summarizer.summarize(text, max_chars=2)) == 0


@every
@pytest.mark.parametrize("text", ["", " \n\t\u3000", "<p> </p>", "<script>x = 1. y = 2.</script>"])
def test_what_says_nothing_has_an_empty_summary(summarizer, text):
    summary = summarizer.summarize(text)
    assert not summary
    assert str(summary) == ""
    assert summary.table.shape == (0, 6)
    assert summary.share == 0.0


@every
def test_one_sentence_and_emoji_are_kept_as_they_are(summarizer):
    for text in ("Refund me", "😀👍", "退款。", "..."):
        assert str(summarizer.summarize(text)) == text


@every
def test_the_sentences_stand_in_their_original_order_and_runs_agree(summarizer):
    first, second = (clone(summarizer).summarize(COMPLAINT, 4) for _ in range(2))
    assert first.sentences == second.sentences
    assert [one.start for one in first.sentences] == sorted(one.start for one in first.sentences)


@pytest.mark.parametrize("summarizer", ALL[1:])
def test_a_sentence_said_again_is_not_chosen_again(summarizer):
    assert str(summarizer.summarize("Refund me now. " * 5)) == "Refund me now."
    assert len(LeadSummarizer().summarize("Refund me now. " * 5)) == 3


@pytest.mark.parametrize("summarizer", ALL[1:4])
def test_what_the_text_is_about_is_preferred_to_what_is_not(summarizer):
    kept = str(summarizer.summarize(COMPLAINT, 3))
    assert "lamp" in kept
    assert "Rex" not in kept
    assert "Hello" not in kept
    chinese = str(summarizer.summarize(CHINESE, 2))
    assert "洗衣机" in chinese
    assert "谢谢" not in chinese


def test_lead_keeps_the_first_sentences():
    assert str(LeadSummarizer().summarize(COMPLAINT, 2)) == "Hello there. I ordered a lamp in March."


@pytest.mark.parametrize("similarity", ["cosine", "bm25"])
@pytest.mark.parametrize("text", [COMPLAINT, CHINESE])
def test_textrank_is_the_stationary_share_of_the_walk(similarity, text):
    """The power iteration gives what solving the linear system of Mihalcea & Tarau (2004) gives."""
    plain = [one.text for one in sentences(text)]
    summarizer = TextRankSummarizer(similarity=similarity, stop_words=[], tol=1e-14)
    left, right, _ = _factors(count_terms(plain, frozenset()).counts, similarity)
    weights = (left @ right.T).toarray()
    weights = (weights + weights.T) / 2
    np.fill_diagonal(weights, 0.0)
    n, degree = len(plain), weights.sum(axis=0)
    move = np.divide(weights, degree, out=np.full((n, n), 1 / n), where=degree > 0)
    expected = np.linalg.solve(np.eye(n) - 0.85 * move, np.full(n, 0.15 / n))
    scores = [one.score for one in summarizer.summarize(text, None).sentences]
    np.testing.assert_allclose(scores, expected, rtol=1e-9)
    assert sum(scores) == pytest.approx(1.0)


def test_bm25_is_the_formula_of_its_authors():
    counts = count_terms(["lamp lamp broken", "lamp cable", "dog", "cat"], frozenset()).counts
    query, page, own = _factors(counts, "bm25")
    found = (query @ page.T).toarray()
    idf = np.log1p((4 - 2 + 0.5) / (2 + 0.5))
    room = 1.2 * (0.25 + 0.75 * 3 / (7 / 4))
    assert found[1, 0] == pytest.approx(idf * 2 * 2.2 / (2 + room))
    np.testing.assert_allclose(np.diag(found), own)


def test_a_walk_that_may_not_settle_says_so():
    with pytest.raises(ConvergenceError, match="max_iter"):
        TextRankSummarizer(max_iter=1).summarize(COMPLAINT)


def test_the_centroid_with_no_diversity_is_the_nearest_by_brute_force():
    plain = [one.text for one in sentences(COMPLAINT)]
    weighed = weigh_terms(count_terms(plain, frozenset()).counts).toarray()
    center = weighed.sum(axis=0)
    cosine = weighed @ center / np.linalg.norm(center)
    summary = CentroidSummarizer(diversity=0.0, stop_words=[]).summarize(COMPLAINT, 2)
    assert [str(one) for one in summary] == [plain[place] for place in sorted(np.argsort(-cosine)[:2])]
    assert [one.score for one in summary] == pytest.approx([cosine[place] for place in sorted(np.argsort(-cosine)[:2])])


def test_diversity_brings_in_another_matter():
    text = (
        "The parcel is late again. The parcel is late. The late parcel is here. Is the parcel late? "
        "The invoice has a wrong amount. The invoice amount is too high."
    )
    alike = str(CentroidSummarizer(diversity=0.0).summarize(text, 2))
    varied = str(CentroidSummarizer(diversity=0.5).summarize(text, 2))
    assert "invoice" not in alike
    assert "invoice" in varied
    assert "parcel" in varied


def test_stop_words_can_be_given():
    text = "The lamp broke. The lamp fell. A dog barked at a dog."
    with_lamp = TextRankSummarizer().summarize(text, 1)
    without = CentroidSummarizer(stop_words=["lamp", "the", "a", "at", "fell", "broke"]).summarize(text, 1)
    assert "lamp" in str(with_lamp)
    assert "dog" in str(without)


def test_markup_is_looked_through_and_offsets_stay():
    text = "<p>My <b>lamp</b> is broken.</p><style>p {a: b}</style><p>Refund&nbsp;me &amp; my dog<br>Thanks</p>"
    summary = LeadSummarizer().summarize(text, None)
    assert str(summary) == "My lamp is broken. Refund me & my dog Thanks"
    assert readable("<b>退款</b>一直没<i>到账</i>。<p>好</p>吗") == "退款一直没到账。 好 吗"
    assert readable("a<script>b</script>&lt;b&gt;&nbsp;c") == "a <b> c"
    assert [text[one.start : one.end] for one in summary] == [one.text for one in summary]
    assert summary.sentences[0].text == "My <b>lamp</b> is broken."


@pytest.mark.parametrize("text", ["I <3 it, a < b and b > c", "write to <ann@example.com>", "a <!-- never closed"])
def test_what_only_looks_like_markup_stays(text):
    assert readable(text) == text


def test_chinese_sentences_are_joined_without_spaces():
    assert str(LeadSummarizer().summarize("好的。 Fine. Ok", None)) == "好的。Fine. Ok"


def test_the_summary_shows_itself_as_table_html_and_without_text_in_its_repr():
    summary = LeadSummarizer().summarize([("Ann", "Is 1 < 2? Yes."), ("Bob", "No!")], 2)
    assert summary.table.columns.tolist() == ["turn", "speaker", "text", "start", "end", "score"]
    assert summary.table["turn"].tolist() == [0, 0]
    assert str(summary) == "Ann: Is 1 < 2? Yes."
    assert "Is 1 &lt; 2?" in summary._repr_html_()
    assert "2 of 3 sentences" in summary._repr_html_()
    assert repr(summary) == "Summary(2 of 3 sentences)"
    assert repr(summary.sentences[1]) == "Sentence(10:14, turn 0)"
    assert repr(LeadSummarizer().summarize("a.").sentences[0]) == "Sentence(0:2)"


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ({"max_sentences": 0}, ValueError, "max_sentences must be at least 1"),
        ({"max_sentences": 1.5}, TypeError, "max_sentences must be a whole number"),
        ({"max_sentences": True}, TypeError, "max_sentences"),
        ({"max_chars": -1}, ValueError, "max_chars"),
        ({"share": 0.0}, ValueError, "share must be above 0"),
        ({"share": 1.5}, ValueError, "share"),
        ({"share": "half"}, TypeError, "share must be a number"),
    ],
)
def test_a_length_that_means_nothing_is_refused(limits, error, message):
    with pytest.raises(error, match=message):
        LeadSummarizer().summarize("A. B.", **limits)


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["one text"], [("a", "b", "c")], [("a", 3)]])
def test_what_is_neither_text_nor_turns_is_a_type_error(wrong):
    with pytest.raises(TypeError):
        LeadSummarizer().summarize(wrong)


@pytest.mark.parametrize(
    "summarizer",
    [TextRankSummarizer(similarity="euclid"), TextRankSummarizer(damping=1.0), CentroidSummarizer(diversity=2)],
)
def test_parameters_that_mean_nothing_are_refused_when_used(summarizer):
    with pytest.raises(ValueError, match="must be"):
        summarizer.summarize("A. B.")


def test_one_of_ones_own_needs_only_what_a_sentence_is_worth():
    class Longest(TextSummarizer):
        def _gains(self, pieces, turns):
            del turns
            return lambda last: np.array([float(len(piece.plain)) for piece in pieces]) + 0 * (last or 0)

    assert str(Longest().summarize("Ah. The longest of all. No.", 1)) == "The longest of all."
    with pytest.raises(TypeError, match="_gains"):
        TextSummarizer()


@pytest.mark.slow
@pytest.mark.parametrize("summarizer", [TextRankSummarizer(), CentroidSummarizer(), ConversationSummarizer()])
def test_a_megabyte_takes_seconds(summarizer):
    sentence = "My parcel {} has not come from courier {}. 包裹{}还没有到，客服说明天送！"
    text = "".join(sentence.format(place % 977, place % 331, place % 83) for place in range(1_000_000 // len(sentence)))
    started = time.process_time()
    summary = summarizer.summarize(text)
    assert len(summary) == 3
    assert time.process_time() - started < 20


@pytest.mark.parametrize("text", ["<script>" * 15_000, "<!--" * 25_000, "1\n" * 10_000, "<p " * 40_000, "a." * 50_000])
def test_text_made_to_be_slow_is_not(text):
    started = time.process_time()
    ConversationSummarizer().summarize(text)
    assert time.process_time() - started < 10
