"""Shows a segmentation: its pictures, each segment in words, its profile, and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.html import element, escape
from crmkit.pictures import percent
from crmkit.report._section import heading
from crmkit.report._tables import frame_html

if TYPE_CHECKING:
    from collections.abc import Collection

    from crmkit.report._words import Words

__all__ = ["segment_blocks"]


def segment_blocks(segments: Any, words: Words) -> list[str]:
    """Write the blocks of a segmentation.

    Parameters
    ----------
    segments : SegmentationModel
        ``profile``, ``segment_id`` and, where it has one, ``choice`` are read.
    words : Words
        The report's language.

    Returns
    -------
    list of str
        HTML.
    """
    profile = pd.DataFrame(segments.profile)
    customers = int(profile["customers"].sum())
    ids = profile["segment_id"] if "segment_id" in profile else pd.Series(0, index=profile.index)
    outside = int(profile.loc[ids < 0, "customers"].sum())
    told = words("segment_count", n=customers, k=int((ids >= 0).sum()))
    if outside:
        told += " " + words("outside", count=outside)
    told_apart = segments.profile
    language = words.lang.partition("-")[0]
    pictures = [told_apart.bars(language=language)]
    columns = [str(name).removesuffix("_effect") for name in profile.columns if str(name).endswith("_effect")]
    if len(profile) > 1 and columns:
        pictures += [told_apart.heat_map(language=language), told_apart.snake_plot(language=language)]
    blocks = [element("p", escape(told)), *(picture._repr_html_() for picture in pictures)]
    if "description" in profile:
        items = "".join(
            element("li", f"<strong>{escape(str(name))}</strong>: {escape(str(text))}")
            for name, text in profile["description"].items()
        )
        blocks.append(element("ul", items))
    blocks.append(
        frame_html(_told(profile, columns, told_apart.shares), words, caption=words("profile"), most=len(profile))
    )
    choice, rules = getattr(segments, "choice", None), getattr(segments, "rules", None)
    if choice is not None:
        told = element("p", escape(str(choice.reason)))
        blocks += [
            heading(words("choice")),
            told,
            frame_html(pd.DataFrame(choice.table), words, caption=words("choice")),
        ]
    if rules is not None and len(rules):
        blocks += [heading(words("rules")), *_rules(segments, rules, words)]
    return blocks


def _rules(segments: Any, rules: pd.DataFrame, words: Words) -> list[str]:
    """Show each rule with what it holds for and how it does on customers it was not made on."""
    fidelity = segments.fidelity
    figures = {"share": fidelity.value, "low": fidelity.low, "high": fidelity.high}
    told = [words("fidelity", **{name: f"{value:.1%}" for name, value in figures.items()})]
    without = getattr(rules, "without", ())
    if without:
        told.append(words("without_rule", names="; ".join(without)))
    shown = pd.DataFrame(rules)[["segment", "rule", "customers"]].copy()
    for name in ("precision", "coverage"):
        shown[words(name)] = [f"{value:.0%}" for value in rules[name]]
    if "fidelity" in rules:
        rows = zip(rules["unseen"], rules["fidelity"], rules["fidelity_low"], rules["fidelity_high"], strict=True)
        shown[words("on_others")] = [
            f"{value:.0%} [{low:.0%}, {high:.0%}] (n = {count:,})" if count else "–" for count, value, low, high in rows
        ]
    shown = shown.rename(columns={name: words(f"rule_{name}") for name in ("segment", "rule", "customers")})
    table = frame_html(shown, words, caption=words("rules"), most=len(shown))
    return [*(element("p", escape(text)) for text in told), table]


def _told(profile: pd.DataFrame, columns: list[str], shares: Collection[str]) -> pd.DataFrame:
    """Give the profile as people read it: median and quartiles in one cell, or the share, and the lift."""
    table = profile[[name for name in ("customers", "share", "revenue_share") if name in profile]].copy()
    for name in columns:
        figures = zip(profile[f"{name}_median"], profile[f"{name}_q1"], profile[f"{name}_q3"], strict=True)
        table[name] = (
            [percent(float(value)) for value in profile[f"{name}_mean"]]
            if name in shares
            else [f"{_short(middle)} [{_short(low)}, {_short(high)}]" for middle, low, high in figures]
        )
        table[f"{name} lift"] = [_short(lift, 2) for lift in profile[f"{name}_lift"]]
    return table


def _short(value: float, digits: int = 3) -> str:
    """Write a figure with the digits that matter in a crowded table."""
    value = float(value)
    if np.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
