"""Pictures of a profile: sizes as bars, medians as a heat map, and a snake plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.pictures import bars, heat_map, percent, snake
from crmkit.segmentation.explaining._traits import number

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from crmkit.pictures import Picture

__all__ = ["MEASURES", "draw_bars", "draw_heat_map", "draw_snake"]

MEASURES = ("robust_z", "effect", "smd")
# Where each measure's colour ends: effect has an end of its own, three standard deviations are far.
_FULL = {"effect": 1.0, "robust_z": 3.0, "smd": 3.0}
_MOST_ROWS = 25

_WORDS = {
    "en": {
        "customers": "customers",
        "share": "share of customers",
        "revenue": "share of revenue",
        "sizes": "Share of customers and of revenue",
        "sizes_only": "Share of customers",
        "heat": "Median of each segment",
        "heat_share": "Median of each segment (share where it is a percentage)",
        "effect_key": "blue: larger than of the other customers, orange: smaller (Cliff's delta)",
        "robust_z_key": "blue: above everybody's median, orange: below (robust z)",
        "smd_key": "blue: mean above that of the other customers, orange: below (standardized)",
        "snake": "What sets the segments apart",
        "effect": "Cliff's delta against the others",
        "robust_z": "robust z: distance from everybody's median",
        "smd": "standardized difference of means",
        "everybody": "everybody",
        "others": "the others",
        "some": "{shown} of {total} columns",
    },
    "zh": {
        "customers": "位客户",
        "share": "客户占比",
        "revenue": "收入占比",
        "sizes": "客户占比与收入占比",
        "sizes_only": "客户占比",
        "heat": "各分群的中位数",
        "heat_share": "各分群的中位数（百分数为占比）",
        "effect_key": "蓝色高于其他客户，橙色低于其他客户（Cliff's delta）",
        "robust_z_key": "蓝色高于全体中位数，橙色低于全体中位数（稳健 z 值）",
        "smd_key": "蓝色均值高于其他客户，橙色低于其他客户（标准化）",
        "snake": "各分群的特征",
        "effect": "与其他客户相比的 Cliff's delta",
        "robust_z": "稳健 z 值：与全体中位数的距离",
        "smd": "标准化均值差",
        "everybody": "全体",
        "others": "其他客户",
        "some": "{total} 列中的 {shown} 列",
    },
}


def draw_bars(profile: pd.DataFrame, language: str) -> Picture:
    """Draw the share of customers, and of revenue where there is any."""
    words = _words(language)
    shares = {words["share"]: profile["share"]}
    title = words["sizes_only"]
    if "revenue_share" in profile:
        shares[words["revenue"]] = profile["revenue_share"]
        title = words["sizes"]
    return bars(pd.DataFrame(shares), title=title, n=_n(profile, words), write=percent, most=_MOST_ROWS)


def draw_heat_map(
    profile: pd.DataFrame,
    columns: Sequence[str],
    shares: Collection[str],
    *,
    shade: str,
    most: int,
    language: str,
) -> Picture:
    """Draw medians in their own units, shaded by how far each segment is from everybody."""
    words = _words(language)
    kept = _kept(profile, columns, shade, most)
    shown = profile.iloc[:_MOST_ROWS]
    title = _titled(words["heat_share" if set(kept) & set(shares) else "heat"], shown, profile, kept, columns, words)
    text = pd.DataFrame(
        {
            name: [percent(value) for value in shown[f"{name}_mean"]]
            if name in shares
            else [number(value) for value in shown[f"{name}_median"]]
            for name in kept
        },
        index=shown.index,
        columns=kept,
    )
    values = _measured(shown, kept, shade)
    key = words[f"{shade}_key"]
    return heat_map(values, text, title=title, n=_n(profile, words), key=key, full=_FULL[shade])


def draw_snake(
    profile: pd.DataFrame, columns: Sequence[str], *, by: str, most: int, most_segments: int, language: str
) -> Picture:
    """Draw one line a segment over the columns, each named with its customers."""
    words = _words(language)
    kept = _kept(profile, columns, by, most)
    shown = profile.iloc[:most_segments]
    values = _measured(shown, kept, by)
    values.index = pd.Index(
        [f"{name} (n = {count:,})" for name, count in zip(shown.index, shown["customers"], strict=True)]
    )
    title = _titled(words["snake"], shown, profile, kept, columns, words)
    middle = words["everybody"] if by == "robust_z" else words["others"]
    n = _n(profile, words)
    return snake(values, title=title, n=n, y_label=words[by], middle=middle, most=len(values) or 1)


def _words(language: str) -> dict[str, str]:
    """Give the words of a language."""
    if language not in _WORDS:
        raise DataError(f"language must be one of {', '.join(map(repr, _WORDS))}, got {language!r}")
    return _WORDS[language]


def _n(profile: pd.DataFrame, words: dict[str, str]) -> str:
    """Say how many customers the figures rest on."""
    return f"{int(profile['customers'].sum()):,} {words['customers']}"


def _kept(profile: pd.DataFrame, columns: Sequence[str], measure: str, most: int) -> list[str]:
    """Choose the columns that tell segments apart most, in the order of the table."""
    if measure not in MEASURES:
        raise DataError(f"segments are drawn by one of {', '.join(map(repr, MEASURES))}, got {measure!r}")
    if most < 1:
        raise DataError(f"at least one column must be drawn, got {most}")
    spread = {name: np.ptp(np.nan_to_num(profile[f"{name}_effect"].to_numpy(dtype=float))) for name in columns}
    first = sorted(columns, key=lambda name: -spread[name])[:most]
    return [name for name in columns if name in first]


def _measured(shown: pd.DataFrame, kept: Sequence[str], measure: str) -> pd.DataFrame:
    """Take one measure of the columns; it is missing where all customers are alike."""
    return pd.DataFrame({name: shown[f"{name}_{measure}"] for name in kept}, index=shown.index)


def _titled(
    title: str,
    shown: pd.DataFrame,
    profile: pd.DataFrame,
    kept: Sequence[str],
    columns: Sequence[str],
    words: dict[str, str],
) -> str:
    """Say in the title what is left out."""
    if len(kept) < len(columns):
        title += f" – {words['some'].format(shown=len(kept), total=len(columns))}"
    return f"{title} – {len(shown)} / {len(profile)}" if len(shown) < len(profile) else title
