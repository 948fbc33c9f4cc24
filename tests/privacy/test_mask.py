"""Masking takes the values out and leaves the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import privacy
from crmkit.core.errors import DataError

TEXT = "请打154-0000-1234或写C1@Example.com，谢谢"


def test_labels_stand_where_the_values_stood():
    assert privacy.mask([TEXT]) == ["请打[mobile]或写[email]，谢谢"]


def test_stars_keep_every_other_offset():
    (masked,) = privacy.mask([TEXT], style="stars")
    assert len(masked) == len(TEXT)
    assert masked == "请打*************或写**************，谢谢"


def test_hashes_join_the_spellings_of_one_number_and_part_different_ones():
    spelt = ["15400001234", "+86 154 0000 1234", "１５４-００００-１２３４", "15400001235"]
    first, second, third, other = privacy.mask(spelt, style="hash", key="secret")
    assert first == second == third
    assert first != other
    assert privacy.mask(["a@example.com"], style="hash", key=b"k") == privacy.mask(
        ["A@Example.COM"], style="hash", key="k"
    )
    assert privacy.mask(spelt, style="hash", key="another")[0] != first


@pytest.mark.parametrize("key", [None, "", b""])
def test_a_hash_without_a_key_is_refused(key):
    with pytest.raises(DataError, match="needs a secret key="):
        privacy.mask([TEXT], style="hash", key=key)


def test_an_unknown_style_is_refused():
    with pytest.raises(DataError, match="style must be 'label', 'stars' or 'hash', got 'blur'"):
        privacy.mask([TEXT], style="blur")


def test_a_series_keeps_index_name_dtype_and_what_is_missing():
    texts = pd.Series([TEXT, None, "无"], index=["a", "b", "c"], name="text")
    masked = privacy.mask(texts)
    assert masked.index.tolist() == ["a", "b", "c"]
    assert masked.name == "text"
    assert masked.dtype == texts.dtype
    assert masked.isna().tolist() == [False, True, False]
    assert masked["c"] == "无"


def test_an_array_gives_an_array_and_chosen_kinds_alone_are_masked():
    masked = privacy.mask(np.array([TEXT], dtype=object), kinds=["email"])
    assert isinstance(masked, np.ndarray)
    assert masked.tolist() == ["请打154-0000-1234或写[email]，谢谢"]


@pytest.mark.parametrize("style", ["label", "stars"])
def test_nothing_is_found_in_what_was_masked(style):
    assert privacy.find(privacy.mask([TEXT, "卡4111111111111111"], style=style)).empty
