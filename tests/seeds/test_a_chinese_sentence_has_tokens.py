"""A tokenizer that splits at spaces, or drops characters it takes for stop words, finds nothing in Chinese."""

from __future__ import annotations

from crmkit import language
from crmkit.text import TextFeatures

SENTENCE = "我们对客服处理退款申请的速度和态度都非常不满意"


def test_a_sentence_without_spaces_has_many_tokens():
    found = [token.text for token in language.words(SENTENCE)]
    assert len(found) > 5
    assert "".join(found) == SENTENCE
    for start, end, text, script in language.words(SENTENCE):
        assert SENTENCE[start:end] == text
        assert script == "han"


def test_what_it_is_about_is_among_its_features():
    features = TextFeatures().fit([SENTENCE, "物流很快"])
    names = {name.partition(":")[2] for name in features.get_feature_names_out()}
    assert {"退款", "客服", "满意", "不满意"} <= names
