"""Files of marked texts are read, and what is wrong in them is named by line."""

from __future__ import annotations

import json

import pytest

from crmkit.core.errors import DataError
from crmkit.privacy import Entity
from crmkit.text import drop_overlaps, read_conll, read_span_json


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a file and gives its path."""

    def make(content, encoding="utf-8"):
        path = tmp_path / "marked.txt"
        path.write_bytes(content.encode(encoding))
        return path

    return make


def test_columns_of_tokens_and_tags_become_texts_and_entities(write):
    english = "I NNP O\nlive V O\nin P O\nNew N B-city\nYork N I-city\n. . O\n"
    path = write(f"-DOCSTART- O\n\n{english}\n\n我 O\n在 O\n北 B-city\n京 I-city\n")
    texts, entities = read_conll(path)
    assert texts == ["I live in New York.", "我在北京"]
    assert entities == [[Entity(10, 18, "city")], [Entity(2, 4, "city")]]


def test_other_columns_separators_and_schemes_are_read(write):
    path = write("\ufeffB-x\tiPhone\r\nE-x\t15\r\nO\t坏\r\n")
    texts, entities = read_conll(path, scheme="bmes", token_column=1, tag_column=0, separator="\t", joiner="_")
    assert texts == ["iPhone_15_坏"]
    assert entities == [[Entity(0, 9, "x")]]


def test_a_line_with_too_few_columns_is_named(write):
    with pytest.raises(DataError, match="line 1"):
        read_conll(write("a O\nb\n"), tag_column=1)


def test_invalid_tags_follow_the_stated_rule(write):
    path = write("a I-x\nb O\n")
    assert read_conll(path) == (["a b"], [[Entity(0, 1, "x")]])
    with pytest.raises(DataError, match="text 0"):
        read_conll(path, invalid="raise")


def test_inclusive_ends_become_half_open(write):
    row = {"text": "我在北京和上海", "label": {"city": {"北京": [[2, 3]], "上海": [[5, 6]]}}}
    path = write(json.dumps(row, ensure_ascii=False) + "\n\n" + json.dumps({"text": "", "label": {}}) + "\n")
    assert read_span_json(path) == (["我在北京和上海", ""], [[Entity(2, 4, "city"), Entity(5, 7, "city")], []])
    with pytest.raises(DataError, match=r"inclusive= right.*|line 0"):
        read_span_json(path, inclusive=False)


def test_half_open_ends_are_read_where_told(write):
    path = write(json.dumps({"text": "去北京", "label": {"city": {"北京": [[1, 3]]}}}))
    assert read_span_json(path, inclusive=False)[1] == [[Entity(1, 3, "city")]]


def test_overlaps_are_refused_kept_or_cut_to_the_longest(write):
    row = {"text": "北京大学", "label": {"city": {"北京": [[0, 1]]}, "school": {"北京大学": [[0, 3]]}}}
    path = write(json.dumps(row))
    with pytest.raises(DataError, match="overlap in line 0"):
        read_span_json(path)
    assert len(read_span_json(path, overlaps="keep")[1][0]) == 2
    assert read_span_json(path, overlaps="longest")[1] == [[Entity(0, 4, "school")]]
    with pytest.raises(DataError, match="overlaps must be"):
        read_span_json(path, overlaps="first")


@pytest.mark.parametrize("line", ["[]", "{", '{"label": {}}', '{"text": 3}', '{"text": "a", "label": {"x": ["a"]}}'])
def test_a_line_of_another_form_is_named(write, line):
    with pytest.raises(DataError, match="line 1"):
        read_span_json(write('{"text": "a"}\n' + line))


def test_files_that_cannot_be_read_say_so(write, tmp_path):
    with pytest.raises(DataError, match="no file"):
        read_conll(tmp_path / "none")
    with pytest.raises(DataError, match="not UTF-8"):
        read_conll(write("北 O", encoding="gbk"))


def test_a_line_separator_within_a_text_cuts_no_line(write):
    path = write(json.dumps({"text": "a\u2028北京", "label": {"city": {"北京": [[2, 3]]}}}, ensure_ascii=False))
    assert read_span_json(path)[1] == [[Entity(2, 4, "city")]]


def test_equal_places_keep_the_first_label():
    assert drop_overlaps([[(0, 2, "b"), (0, 2, "a")], []]) == [[Entity(0, 2, "a")], []]


def test_the_public_chinese_set_is_read_whole(data_file):
    with pytest.raises(DataError, match="overlap in line"):
        read_span_json(data_file("cluener2020/train.json"))
    texts, entities = read_span_json(data_file("cluener2020/train.json"), overlaps="longest")
    assert len(texts) == 10_748
    assert len({one.label for spans in entities for one in spans}) == 10


@pytest.mark.parametrize("places", ['{"": [[3, 2]]}', '{"京": [[-1, 2]]}', '{"京": [[2, 2]], "": [[0, -1]]}'])
def test_a_name_without_characters_or_before_the_text_is_misplaced(write, places):
    with pytest.raises(DataError, match="does not stand where its numbers say in line 0"):
        read_span_json(write('{"text": "去北京", "label": {"city": ' + places + "}}"))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_conll(tmp_path)
