"""Summaries of conversations: turns and roles, request, answer and outcome, in both languages."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import bootstrap, rouge, rouge_scores
from crmkit.text import ConversationSummarizer, LeadSummarizer, summarize_conversations
from crmkit.text.summaries._cues import is_courtesy, is_promise, is_question, is_request, is_wish
from crmkit.text.summaries._roles import role_of_direction, role_of_name
from crmkit.text.summaries._turns import read_turns

ENGLISH = """Agent: Good morning, thank you for calling. How can I help you today?
Customer: Hi, my tablet arrived with a broken screen. I'd like a refund or a new tablet.
Agent: I'm sorry to hear that. Could you tell me when the tablet arrived?
Customer: Yesterday afternoon.
Agent: The screen is under warranty, so the exchange is free. We'll send a courier with a new tablet by Monday.
Customer: Great, thank you.
Agent: Is there anything else I can do for you?
Customer: No, thanks. Bye."""
CHINESE = """客服：您好，请问有什么可以帮您？
客户：你好，我上周买的洗衣机到现在还没有发货，怎么回事？
客服：非常抱歉，请问您的订单号是多少？
客户：订单号是20240518。
客服：请稍等。因为仓库缺货，洗衣机延迟发货了。
客户：那我什么时候能收到洗衣机？
客服：我们会在三天内补发，并给您五十元优惠券。
客户：好的，谢谢。
客服：不客气，祝您生活愉快。"""


@pytest.fixture
def summarizer():
    return ConversationSummarizer()


def test_request_answer_and_outcome_are_found(summarizer):
    summary = summarizer.summarize(ENGLISH)
    assert summary.roles == {"Agent": "agent", "Customer": "customer"}
    assert summary.roles_are_known
    assert str(summary.request) in {
        "Hi, my tablet arrived with a broken screen.",
        "I'd like a refund or a new tablet.",
    }
    assert str(summary.answer) == "The screen is under warranty, so the exchange is free."
    assert str(summary.outcome) == "We'll send a courier with a new tablet by Monday."
    assert "courier" in str(summary)
    assert "Good morning" not in str(summary)


def test_chinese_conversations_are_read_as_well(summarizer):
    summary = summarizer.summarize(CHINESE)
    assert summary.roles == {"客服": "agent", "客户": "customer"}
    assert str(summary.request) == "你好，我上周买的洗衣机到现在还没有发货，怎么回事？"
    assert str(summary.answer) == "因为仓库缺货，洗衣机延迟发货了。"
    assert str(summary.outcome) == "我们会在三天内补发，并给您五十元优惠券。"
    assert str(summary).startswith("客户: 你好，我上周买的洗衣机")


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_parts_point_to_their_place_in_the_one_text(summarizer, text):
    summary = summarizer.summarize(text)
    for one in (*summary, summary.request, summary.answer, summary.outcome):
        assert text[one.start : one.end] == one.text
        assert one.speaker in text.splitlines()[one.turn]
        assert one.text in text.splitlines()[one.turn]


def test_turns_say_who_said_what(summarizer):
    turns = summarizer.summarize(ENGLISH).turns
    assert turns.columns.tolist() == ["turn", "speaker", "role", "text", "n_sentences", "n_kept"]
    assert turns["role"].tolist() == ["agent", "customer"] * 4
    assert turns["n_kept"].sum() == 3
    assert turns.loc[3, "text"].strip() == "Yesterday afternoon."


def test_a_table_of_communications_is_read_by_turn_and_direction(summarizer):
    lines = [line.split(": ", 1) for line in ENGLISH.splitlines()]
    table = pd.DataFrame(
        {
            "conversation_id": "c1",
            "turn": range(1, 9),
            "direction": ["out" if name == "Agent" else "in" for name, _ in lines],
            "agent": "Mary",
            "text": [text for _, text in lines],
        }
    )
    shuffled = table.sample(frac=1, random_state=0)
    summary = summarizer.summarize(shuffled)
    assert summary.roles == {"Mary": "agent", "customer": "customer"}
    assert str(summary.outcome) == "We'll send a courier with a new tablet by Monday."
    assert summary.outcome.turn == 5
    assert table["text"][4][summary.outcome.start : summary.outcome.end] == summary.outcome.text
    by_time = shuffled.assign(time=pd.Timestamp("2024-05-01") + pd.to_timedelta(shuffled["turn"], "min"))
    assert str(summarizer.summarize(by_time.drop(columns="turn")).outcome) == str(summary.outcome)


def test_where_the_direction_is_that_of_the_call_the_agent_tells_who_speaks(summarizer):
    table = {"direction": ["in", "in"], "agent": [None, "Mary"], "text": ["I need a refund.", "We will refund it."]}
    summary = summarizer.summarize(table)
    assert summary.roles == {"customer": "customer", "Mary": "agent"}
    assert str(summary.answer) == "We will refund it."
    nobody = summarizer.summarize({"direction": ["in", "in"], "text": ["I need a refund.", "We will refund it."]})
    assert nobody.roles == {}


def test_a_speaker_column_comes_first(summarizer):
    table = {"speaker": ["user", "bot"], "direction": ["out", "in"], "text": ["I need a refund.", "It will be paid."]}
    assert summarizer.summarize(table).roles == {"user": "customer", "bot": "agent"}


def test_where_nothing_tells_the_roles_the_one_who_asks_is_the_customer(summarizer):
    summary = summarizer.summarize(
        [("Ann", "Hi Bob."), ("Bob", "Hello! Can you send me the invoice for May?"), ("Ann", "I'll send it tonight.")]
    )
    assert summary.roles == {"Ann": "agent", "Bob": "customer"}
    assert not summary.roles_are_known
    assert str(summary.request) == "Can you send me the invoice for May?"
    assert str(summary.answer) == "I'll send it tonight."


def test_names_can_be_told(summarizer):
    turns = [("Ann", "Can you pay the invoice?"), ("Bob", "Please send the invoice again."), ("Ann", "I will send it.")]
    assert str(summarizer.summarize(turns).request) == "Can you pay the invoice?"
    told = ConversationSummarizer(agent="Ann").summarize(turns)
    assert told.roles == {"Ann": "agent", "Bob": "customer"}
    assert str(told.request) == "Please send the invoice again."
    assert ConversationSummarizer(customer=["Bob", "Eve"]).summarize(turns).roles == told.roles


def test_pleasantries_alone_have_no_request(summarizer):
    summary = summarizer.summarize([("user", "Hello!"), ("agent", "Hi, how can I help you?"), ("user", "Bye.")])
    assert (summary.request, summary.answer, summary.outcome) == (None, None, None)


def test_one_message_is_a_turn_of_nobody(summarizer):
    summary = summarizer.summarize("Please refund me. I paid twice.")
    assert str(summary.request) == "Please refund me."
    assert summary.answer is None
    assert summary.roles == {}
    assert summary.turns["speaker"].tolist() == [None]
    assert str(summary) == "Please refund me. I paid twice."


def test_the_same_is_not_told_twice(summarizer):
    turns = [("user", "The lamp is broken."), ("agent", "Which lamp?"), ("user", "The lamp is broken.")]
    assert str(summarizer.summarize(turns)).count("The lamp is broken.") == 1


def test_empty_turns_are_no_matter(summarizer):
    summary = summarizer.summarize([("user", None), ("agent", "  "), ("user", "Refund me.")])
    assert [one.turn for one in summary] == [2]
    assert len(summary.turns) == 3
    nothing = summarizer.summarize([("user", ""), ("agent", " ")])
    assert (nothing.request, nothing.roles, len(nothing.turns)) == (None, {"user": "customer", "agent": "agent"}, 2)
    assert summarizer.summarize([]).turns.empty
    assert summarizer.summarize("").roles == {}


def test_it_shows_the_parts_in_html_and_nothing_in_its_repr(summarizer):
    summary = summarizer.summarize(ENGLISH)
    shown = summary._repr_html_()
    assert "Request" in shown
    assert "Outcome" in shown
    assert "I&#x27;d like" in shown or "broken screen" in shown
    assert repr(summary) == "ConversationSummary(3 of 13 sentences)"
    assert copy.deepcopy(summary) == summary


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("#Person1#: Hi.\n#Person2#: Hello: it works.", ["#Person1#", "#Person2#"]),
        ("[10:32] Ann Lee: Hi.\nstill me\n10:33 Bob: No", ["Ann Lee", "Bob"]),
        ("2024-05-01 10:00:11 客服小王：您好\n客户：在吗", ["客服小王", "客户"]),
        ("Customer: only one line", ["Customer"]),
        ("My problem: it is broken", [None]),
        ("see http://example.com\nand https://example.org", [None]),
        ("Dear team and everybody else here: hello\nAnn: hi there", [None]),
        ("some words first\nAnn: one\nBob: two", [None, "Ann", "Bob"]),
    ],
)
def test_lines_with_names_are_turns(text, speakers):
    turns = read_turns(text, lines=True)
    assert [turn.speaker for turn in turns] == speakers
    assert [turn.number for turn in turns] == list(range(len(turns)))
    assert all(text[turn.start :].startswith(turn.text) for turn in turns)


def test_lines_without_a_name_go_on_with_the_turn_before():
    first, second = read_turns("Ann: one\ntwo\nBob: three", lines=True)
    assert first.text == "one\ntwo\n"
    assert second.text == "three"


def test_a_table_of_several_conversations_or_without_text_is_refused(summarizer):
    with pytest.raises(DataError, match=r"2 conversations.*summarize_conversations"):
        summarizer.summarize({"conversation_id": ["a", "b"], "text": ["x", "y"]})
    with pytest.raises(DataError, match="no column 'text'"):
        summarizer.summarize({"message": ["x"]})
    with pytest.raises(DataError, match="turn is missing in row 1"):
        summarizer.summarize({"turn": [1, None], "text": ["x", "y"]})


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(("Customer", "customer"), ("customer service", "agent"), ("Agent 7", "agent"), ("USER", "customer")),
        *(
            ("SYSTEM", "agent"),
            ("support_bot", "agent"),
            ("客户", "customer"),
            ("客户经理", "agent"),
            ("在线客服3", "agent"),
        ),
        *(("买家", "customer"), ("#Person1#", None), ("Agatha", None), (None, None), ("Botany", None)),
    ],
)
def test_names_tell_roles(name, role):
    assert role_of_name(name) == role


@pytest.mark.parametrize(
    ("value", "role"),
    [("in", "customer"), (" Outbound ", "agent"), ("呼入", "customer"), ("sideways", None), (None, None)],
)
def test_directions_tell_roles(value, role):
    assert role_of_direction(value) == role


@pytest.mark.parametrize(
    ("says", "text", "answer"),
    [
        (is_courtesy, "Good morning!", True),
        (is_courtesy, "Thank you for your help, doctor.", True),
        (is_courtesy, "Ok, great.", True),
        (is_courtesy, "Hi, I want to cancel my order.", False),
        (is_courtesy, "Yesterday afternoon.", False),
        (is_courtesy, "您好，请问有什么可以帮您？", True),
        (is_courtesy, "你好，我的订单没收到", False),
        (is_courtesy, "请问有什么优惠活动吗", False),
        (is_request, "I ' d like a refund", True),
        (is_request, "我想申请退款", True),
        (is_request, "The weather is fine", False),
        (is_promise, "We will send it", True),
        (is_promise, "已经为您处理", True),
        (is_promise, "That is a lamp", False),
        (is_wish, "Let's go", True),
        (is_wish, "能不能快点", True),
        (is_wish, "It rained", False),
        (is_question, "到了吗", True),
        (is_question, "Where?", True),
        (is_question, "好的", False),
    ],
)
def test_cues_are_heard_in_both_languages(says, text, answer):
    assert says(text) is answer


def test_every_conversation_of_a_table_in_short():
    table = pd.DataFrame(
        {
            "conversation_id": ["b", "a", "b", "a", "b"],
            "turn": [1, 1, 3, 2, 2],
            "direction": ["in", "in", "in", "out", "out"],
            "text": [
                "My lamp is broken.",
                "请给我退款。",
                "Thanks!",
                "我们会在三天内退款。",
                "We will send a new one.",
            ],
        }
    )
    short = summarize_conversations(table)
    assert short.index.tolist() == ["b", "a"]
    assert short.index.name == "conversation_id"
    assert short["n_turns"].tolist() == [3, 2]
    assert short.loc["b", "request"] == "My lamp is broken."
    assert short.loc["a", "outcome"] == "我们会在三天内退款。"
    by_lead = summarize_conversations(table, LeadSummarizer(), max_sentences=1)
    assert by_lead["request"].isna().all()
    assert by_lead.loc["b", "summary"] == "customer: My lamp is broken."
    assert summarize_conversations(table.iloc[:0]).shape == (0, 5)


def test_a_conversation_without_a_name_or_a_summarizer_without_a_method_is_refused():
    with pytest.raises(DataError, match="conversation_id is missing in row 1"):
        summarize_conversations({"conversation_id": ["a", None], "text": ["x", "secret"]})
    with pytest.raises(TypeError, match="summarize"):
        summarize_conversations({"conversation_id": ["a"], "text": ["x"]}, object())


@pytest.fixture(scope="module")
def dialogsum(data_file):
    """Give the dialogues whose constants were not tuned on: every second one, from the second."""
    lines = data_file("dialogsum/dialogsum.dev.jsonl").read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines]).iloc[1::2].reset_index(drop=True)


def _lead_two_turns(dialogue):
    return "\n".join(dialogue.splitlines()[:2])


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "at_least"), [("rouge-1", 0.285), ("rouge-l", 0.225)])
def test_it_beats_the_first_two_turns_on_dialogues_it_was_not_tuned_on(dialogsum, kind, at_least):
    """The difference is above 0 over its whole interval (paired bootstrap over dialogues)."""
    ours = [str(ConversationSummarizer().summarize(text)) for text in dialogsum["dialogue"]]
    lead = [_lead_two_turns(text) for text in dialogsum["dialogue"]]
    scores = [rouge_scores(texts, dialogsum["summary"], kinds=[kind])[f"{kind} f1"] for texts in (ours, lead)]
    gain = bootstrap(np.mean, (scores[0] - scores[1]).to_numpy())
    assert gain.n == 250
    assert gain.low > 0
    assert scores[0].mean() > at_least
    words = [np.mean([len(text.split()) for text in texts]) for texts in (ours, lead)]
    assert words[0] <= words[1], "it wins by length"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["textrank", "centroid"])
def test_general_summarizers_beat_as_many_first_sentences_of_dialogues(dialogsum, name):
    from crmkit import create

    turns = [re.findall(r"^(#\w+#): (.*)$", text, re.MULTILINE) for text in dialogsum["dialogue"]]
    ours, lead = (
        rouge([str(create("summarizer", one).summarize(pairs)) for pairs in turns], dialogsum["summary"])
        for one in (name, "lead")
    )
    assert ours > lead


@pytest.mark.slow
def test_roles_of_service_dialogues_are_told_by_their_names(data_file):
    """USER and SYSTEM of the SGD dialogues: every request is the user's, every answer the system's."""
    sessions = data_file("uss/SGD.txt").read_text(encoding="utf-8").strip().split("\n\n")[:150]
    n_requests = 0
    for session in sessions:
        rows = [line.split("\t") for line in session.splitlines()]
        summary = ConversationSummarizer().summarize([(row[0], row[1]) for row in rows if row[1] != "OVERALL"])
        assert summary.roles == {"USER": "customer", "SYSTEM": "agent"}
        assert summary.request is None or summary.request.speaker == "USER"
        assert summary.answer is None or summary.answer.speaker == "SYSTEM"
        n_requests += summary.request is not None
    assert n_requests == len(sessions)
