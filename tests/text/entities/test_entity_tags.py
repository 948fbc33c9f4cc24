"""Entities become tags and come back, and what cannot be written or read is refused by position."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.language import words
from crmkit.privacy import Entity
from crmkit.text import from_tags, to_tags

LABELS = st.sampled_from(["city", "name", "a-b"])


@st.composite
def marked(draw):
    """Draw texts with entities that do not overlap."""
    texts, entities = [], []
    for _ in range(draw(st.integers(0, 4))):
        text = draw(st.text(alphabet="ab京 😀1", max_size=12))
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
        pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
        texts.append(text)
        entities.append([Entity(start, end, draw(LABELS)) for start, end in pairs])
    return texts, entities


@given(marked(), st.sampled_from(["bio", "bmes", "bioes"]))
def test_tags_give_back_the_entities_they_were_made_of(sample, scheme):
    texts, entities = sample
    tags = to_tags(texts, entities, scheme=scheme)
    assert [len(one) for one in tags] == [len(text) for text in texts]
    assert from_tags(tags, scheme=scheme, invalid="raise") == entities


@given(st.lists(st.lists(st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y"]), max_size=8), max_size=4))
def test_repaired_tags_are_what_valid_tags_would_be(tags):
    found = from_tags(tags)
    again = to_tags(["c" * len(one) for one in tags], found)
    assert from_tags(again, invalid="raise") == found
    assert [[tag == "O" for tag in one] for one in again] == [[tag == "O" for tag in one] for one in tags]


def test_each_scheme_writes_its_own_letters():
    texts, entities = ["我在北京市住啊"], [[(2, 5, "city"), (6, 7, "x")]]
    assert to_tags(texts, entities) == [["O", "O", "B-city", "I-city", "I-city", "O", "B-x"]]
    assert to_tags(texts, entities, scheme="bmes") == [["O", "O", "B-city", "M-city", "E-city", "O", "S-x"]]
    assert to_tags(texts, entities, scheme="bioes") == [["O", "O", "B-city", "I-city", "E-city", "O", "S-x"]]


def test_words_can_have_the_tags():
    text = "I live in New York now"
    tokens = [words(text)]
    pairs = [[(token.start, token.end) for token in tokens[0]]]
    tags = to_tags([text], [[(10, 18, "city")]], tokens=pairs)
    assert tags == [["O", "O", "O", "B-city", "I-city", "O"]]
    assert from_tags(tags, tokens=pairs) == [[Entity(10, 18, "city")]]
    assert to_tags([text], [[(10, 18, "city")]], tokens=tokens) == tags


def test_a_table_of_finds_is_taken():
    table = pd.DataFrame({"text_id": [1], "kind": ["mobile"], "start": [0], "end": [2]})
    assert to_tags(["ab", "12"], table) == [["O", "O"], ["B-mobile", "I-mobile"]]


def test_a_tag_that_goes_on_with_nothing_begins():
    assert from_tags([["I-a", "I-b", "O", "I-a"], ["I-a"]]) == [
        [Entity(0, 1, "a"), Entity(1, 2, "b"), Entity(3, 4, "a")],
        [Entity(0, 1, "a")],
    ]
    assert from_tags([["B-a", "O", "M-a", "S-a", "E-a", "E-a"]], scheme="bmes") == [
        [Entity(0, 1, "a"), Entity(2, 3, "a"), Entity(3, 4, "a"), Entity(4, 5, "a"), Entity(5, 6, "a")]
    ]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        (["O", "I-a"], "bio"),
        (["B-a", "I-b"], "bio"),
        (["B-a", "O"], "bmes"),
        (["M-a", "E-a"], "bmes"),
        (["E-a"], "bioes"),
    ],
)
def test_invalid_tags_are_refused_where_asked(tags, scheme):
    with pytest.raises(DataError, match="text 1"):
        from_tags([["O"], tags], scheme=scheme, invalid="raise")


@pytest.mark.parametrize("tag", ["X-a", "B", "", "B-", None, "M-a", "o"])
def test_what_is_no_tag_of_the_scheme_is_always_refused(tag):
    with pytest.raises(DataError, match=r"scheme 'bio'.*text 2"):
        from_tags([["O"], ["O"], [tag]])


def test_overlaps_are_refused_with_the_texts_that_have_them_and_without_what_they_say():
    with pytest.raises(DataError, match=r"overlap.*text 1") as error:
        to_tags(["ab", "secret"], [[], [(0, 3, "x"), (2, 4, "y")]])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("span", [(0, 0, "x"), (-1, 1, "x"), (0, 9, "x"), (2, 1, "x")])
def test_spans_outside_the_text_are_refused(span):
    with pytest.raises(DataError, match=r"half-open.*text 0"):
        to_tags(["abc"], [[span]])


@pytest.mark.parametrize("label", ["", None, 3])
def test_a_label_is_a_text(label):
    with pytest.raises(DataError, match="label"):
        to_tags(["abc"], [[(0, 1, label)]])


def test_other_wrong_forms_are_refused():
    with pytest.raises(DataError, match="1 lists for 2 texts"):
        to_tags(["a", "b"], [[]])
    with pytest.raises(TypeError, match="text 0 is not"):
        to_tags(["a"], [[(0,)]])
    with pytest.raises(TypeError, match="one list of"):
        to_tags(["a"], "O")
    with pytest.raises(DataError, match="scheme must be"):
        to_tags(["a"], [[]], scheme="iob")
    with pytest.raises(DataError, match="invalid must be"):
        from_tags([["O"]], invalid="ignore")
    with pytest.raises(DataError, match=r"begin and end where tokens do.*text 0"):
        to_tags(["abcd"], [[(0, 1, "x")]], tokens=[[(0, 2), (2, 4)]])
    with pytest.raises(DataError, match=r"in order.*text 0"):
        to_tags(["abcd"], [[]], tokens=[[(2, 4), (0, 2)]])
    with pytest.raises(DataError, match="one list for each text"):
        to_tags(["abcd"], [[]], tokens=[])
    with pytest.raises(DataError, match=r"one .start, end. for each tag"):
        from_tags([["O", "O"]], tokens=[[(0, 1)]])
    with pytest.raises(DataError, match=r"text_id.*row 0"):
        to_tags(["a"], pd.DataFrame({"text_id": [1], "label": ["x"], "start": [0], "end": [1]}))
    with pytest.raises(DataError, match="missing in row 0"):
        to_tags(["a"], pd.DataFrame({"text_id": [0], "label": [None], "start": [0], "end": [1]}))


def test_offsets_are_whole_numbers():
    with pytest.raises(TypeError, match="entity of text 0 is not"):
        to_tags(["abc"], [[(0.5, 2, "x")]])
    assert to_tags(["abc"], [[(0.0, 2.0, "x")]]) == [["B-x", "I-x", "O"]]
    with pytest.raises(TypeError, match="must be whole numbers"):
        to_tags(["abc"], pd.DataFrame({"text_id": [0], "label": ["x"], "start": [0.5], "end": [2]}))


@pytest.mark.parametrize("tags", [["O", "O"], "OO", [["O"], "O"]])
def test_tags_of_a_single_text_are_not_taken_for_many(tags):
    with pytest.raises(TypeError, match="tags for each text"):
        from_tags(tags)


def test_no_texts_have_no_tags():
    assert to_tags([], []) == []
    assert from_tags([]) == []
    assert to_tags(["", "a"], [[], []]) == [[], ["O"]]
