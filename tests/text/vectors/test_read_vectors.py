"""Vectors come back from files as they were written, and files that are broken are said to be."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.text import FixedVectors, read_vectors

WORDS = ["退款", "card", "naïve", "😀"]


@pytest.fixture
def vectors():
    return FixedVectors(WORDS, np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32))


@pytest.mark.parametrize("ending", ["vec", "bin", "txt.gz", "bin.gz"])
@pytest.mark.parametrize("binary", [False, True])
def test_what_was_written_is_read_exactly(tmp_path, vectors, binary, ending):
    path = tmp_path / f"vectors.{ending}"
    vectors.write(path, binary=binary)
    loaded = read_vectors(path)
    assert loaded.terms_ == WORDS
    np.testing.assert_array_equal(loaded.vectors_, vectors.vectors_)
    assert loaded.vectors_.dtype == np.float32


@pytest.mark.parametrize("binary", [False, True])
def test_the_format_can_be_named(tmp_path, vectors, binary):
    vectors.write(tmp_path / "v", binary=binary)
    assert read_vectors(tmp_path / "v", format="binary" if binary else "text").terms_ == WORDS


@pytest.mark.parametrize("dimensions", [1, 2, 300, 3000])
@pytest.mark.parametrize("binary", [False, True])
def test_the_format_is_seen_at_any_length_of_vector(tmp_path, binary, dimensions):
    table = np.random.default_rng(1).normal(size=(3, dimensions)).astype(np.float32)
    FixedVectors(["a", "b", "c"], table).write(tmp_path / "v", binary=binary)
    np.testing.assert_array_equal(read_vectors(tmp_path / "v").vectors_, table)


def test_the_binary_format_is_word2vecs_own(tmp_path):
    values = np.array([1.5, -2.0], dtype="<f4")
    # The C program writes a line break after each vector, other writers none.
    (tmp_path / "c.bin").write_bytes(b"2 2\na " + values.tobytes() + b"\nb " + values.tobytes() + b"\n")
    (tmp_path / "other.bin").write_bytes(b"2 2\na " + values.tobytes() + b"b " + values.tobytes())
    for name in ("c.bin", "other.bin"):
        loaded = read_vectors(tmp_path / name)
        assert loaded.terms_ == ["a", "b"]
        np.testing.assert_array_equal(loaded.vectors_, [[1.5, -2.0]] * 2)


def test_the_other_byte_order_is_read_when_named_and_suspected_when_not(tmp_path):
    values = np.array([[1.5, -2.0], [0.1, 3.0]], dtype=">f4")
    content = b"2 2\n" + b"".join(word + b" " + row.tobytes() for word, row in zip((b"a", b"b"), values, strict=True))
    (tmp_path / "big.bin").write_bytes(content)
    np.testing.assert_array_equal(read_vectors(tmp_path / "big.bin", byte_order="big").vectors_, values)
    # Turned round, 0.1 is a number of 23 digits.
    with pytest.raises(DataError, match=r"byte \d+: .*byte_order="):
        read_vectors(tmp_path / "big.bin", format="binary")


def test_a_file_without_header_is_read(tmp_path):
    (tmp_path / "glove.txt").write_text("card 1 2 3\nnew york 4 5 6\n", encoding="utf-8")
    loaded = read_vectors(tmp_path / "glove.txt")
    assert loaded.terms_ == ["card", "new york"]
    np.testing.assert_array_equal(loaded.vectors_, [[1, 2, 3], [4, 5, 6]])


def test_only_what_is_wanted_is_kept(tmp_path, vectors):
    vectors.write(tmp_path / "v")
    assert read_vectors(tmp_path / "v", limit=2).terms_ == WORDS[:2]
    assert read_vectors(tmp_path / "v", words=["card", "absent"]).terms_ == ["card"]
    assert read_vectors(tmp_path / "v", words=WORDS[1:3], limit=2).terms_ == ["card"]
    with pytest.raises(DataError, match="none of the words"):
        read_vectors(tmp_path / "v", words=["absent"])


def test_more_words_than_the_first_block_are_read(tmp_path):
    table = np.arange(70_000, dtype=np.float32)[:, None]
    FixedVectors([f"w{number}" for number in range(70_000)], table).write(tmp_path / "v", binary=True)
    np.testing.assert_array_equal(read_vectors(tmp_path / "v").vectors_, table)


def test_a_word_that_stands_twice_counts_once(tmp_path):
    (tmp_path / "v").write_text("3 1\na 1\nb 2\na 3\n", encoding="utf-8")
    with pytest.warns(DataWarning, match="1 words stand more than once"):
        loaded = read_vectors(tmp_path / "v")
    assert loaded.terms_ == ["a", "b"]
    np.testing.assert_array_equal(loaded.vectors_, [[1], [2]])


def test_bytes_that_are_not_utf8_are_named_by_line_and_byte(tmp_path):
    (tmp_path / "t").write_bytes(b"2 1\na 1\n\xe9\x80 2\n")
    (tmp_path / "b").write_bytes(b"2 1\na \0\0\0\0\xe9\x80 \0\0\0\0")
    with pytest.raises(DataError, match=r"t, line 3: the word is not UTF-8; unicode_errors='replace'"):
        read_vectors(tmp_path / "t")
    with pytest.raises(DataError, match=r"b, byte 10: the word is not UTF-8"):
        read_vectors(tmp_path / "b", format="binary")
    assert read_vectors(tmp_path / "t", unicode_errors="replace").terms_ == ["a", "�"]


def test_a_number_like_line_break_inside_a_vector_is_no_end(tmp_path):
    # 0x0A and 0x20 stand inside these floats.
    values = np.frombuffer(b"\n\n\n\x3f  \x20\x3f", dtype="<f4")
    (tmp_path / "v").write_bytes(b"2 2\na " + values.tobytes() + b"\nb " + values.tobytes() + b"\n")
    np.testing.assert_array_equal(read_vectors(tmp_path / "v", format="binary").vectors_, [values, values])


@pytest.mark.parametrize("binary", [False, True])
def test_a_file_cut_short_is_said_to_be(tmp_path, vectors, binary):
    vectors.write(tmp_path / "v", binary=binary)
    whole = (tmp_path / "v").read_bytes()
    (tmp_path / "v").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(DataError, match=r"byte \d+ after 2 of 4 words" if binary else r"line \d"):
        read_vectors(tmp_path / "v", format="binary" if binary else "text")
    (tmp_path / "v").write_bytes(whole[: whole.rindex("😀".encode())])
    with pytest.raises(DataError, match="after 3 of 4 words: it was cut short"):
        read_vectors(tmp_path / "v")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"\n\n", "begins with an empty line"),
        (b"word\n", "line 1: expected a word and its numbers"),
        (b"0 5\n", "line 1: 0 words"),
        (b"2 2\na 1 2\nb 1\n", "line 3: expected a word and 2 numbers"),
        (b"2 2\na 1 2\nb 1 x\n", "line 3: what stands after the word are no numbers"),
        (b"2 2\na 1 2\nb 1 inf\n", "line 3: a value is not finite"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, content, match):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(DataError, match=match):
        read_vectors(tmp_path / "v")


def test_what_is_not_binary_is_said(tmp_path):
    (tmp_path / "v").write_bytes(b"2 2\n" + b"x" * 9000)
    with pytest.raises(DataError, match="no word ends there"):
        read_vectors(tmp_path / "v", format="binary")
    (tmp_path / "w").write_bytes(b"a 1 2\n")
    with pytest.raises(DataError, match="line 1: expected the number of words"):
        read_vectors(tmp_path / "w", format="binary")


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    (tmp_path / "v").write_text("999999999999 2\na 1 2\n", encoding="utf-8")
    with pytest.raises(DataError, match="after 1 of 999,999,999,999 words"):
        read_vectors(tmp_path / "v")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"format": "pickle"}, ValueError),
        ({"byte_order": "middle"}, ValueError),
        ({"unicode_errors": "hope"}, ValueError),
        ({"limit": 0}, ValueError),
        ({"words": "card"}, TypeError),
    ],
)
def test_wrong_options_are_refused(tmp_path, vectors, options, error):
    vectors.write(tmp_path / "v")
    with pytest.raises(error):
        read_vectors(tmp_path / "v", **options)


def test_no_such_file_is_said(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_vectors(tmp_path / "absent")


def test_words_with_spaces_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="row 1"):
        FixedVectors(["a", "b c"], np.ones((2, 2))).write(tmp_path / "v")


def test_a_compressed_file_is_compressed(tmp_path, vectors):
    vectors.write(tmp_path / "v.gz")
    assert gzip.decompress((tmp_path / "v.gz").read_bytes()).startswith(b"4 5\n")


def test_a_compressed_file_cut_short_is_said_to_be(tmp_path, vectors):
    vectors.write(tmp_path / "v.gz")
    whole = (tmp_path / "v.gz").read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-3], b"2 2\na 1 2\nb 3 4\n", whole[:40] + b"\x00\xff" * 40):
        (tmp_path / "v.gz").write_bytes(content)
        with pytest.raises(DataError, match=r"v\.gz is no whole gzip file"):
            read_vectors(tmp_path / "v.gz")


def test_a_mark_of_byte_order_is_no_part_of_the_header(tmp_path):
    (tmp_path / "v").write_bytes(b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n")
    assert read_vectors(tmp_path / "v").terms_ == ["a", "b"]
    values = np.array([1.0, 2.0], dtype="<f4").tobytes()
    (tmp_path / "v").write_bytes(b"\xef\xbb\xbf1 2\na " + values + b"\n")
    assert read_vectors(tmp_path / "v").vectors_.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"2 2\na 1 2 3\nb 4 5 6\n", "line 1: it says 2 numbers a word, and more"),
        (b"-2 2\na 1 2\nb 4 5\n", "line 1: expected a word and its numbers, or the number of words"),
        (b"2.0 2\na 1 2\nb 4 5\n", "line 1: expected a word and its numbers, or the number of words"),
        (b"2 99999999999\na 1 2\nb 4 5\n", "line 2: expected a word and 99999999999 numbers"),
        (b"2 3\na 1 2\nb 4 5\n", "line 2: expected a word and 3 numbers"),
        (b"2 2\na 1 x\nb 4 5\n", "line 2: what stands after the word are no numbers"),
    ],
)
def test_a_wrong_header_is_refused_not_read_as_something_else(tmp_path, content, match):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(DataError, match=match):
        read_vectors(tmp_path / "v")


def test_a_word_may_end_in_a_number(tmp_path):
    (tmp_path / "v").write_bytes(b"3 2\nwindows 10 1 2\niphone 4 5\nice 9 7 8\n")
    assert read_vectors(tmp_path / "v").terms_ == ["windows 10", "iphone", "ice 9"]


@pytest.mark.parametrize("binary", [False, True])
def test_more_than_the_header_tells_of_is_warned_of(tmp_path, vectors, binary):
    vectors.write(tmp_path / "v", binary=binary)
    whole = (tmp_path / "v").read_bytes()
    (tmp_path / "v").write_bytes(b"3" + whole[1:])
    with pytest.warns(DataWarning, match="goes on behind the 3 words that line 1 tells of"):
        assert len(read_vectors(tmp_path / "v").terms_) == 3
    assert len(read_vectors(tmp_path / "v", limit=2).terms_) == 2


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_vectors(tmp_path)
