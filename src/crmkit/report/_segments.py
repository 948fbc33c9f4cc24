"""Shows a segmentation: sizes and revenue, medians against everybody, and each segment in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.html import cell, element, escape
from crmkit.pictures import bars, heat_map, percent
from crmkit.report._section import heading
from crmkit.report._tables import frame_html

if TYPE_CHECKING:
    from crmkit.report._words import Words

__all__ = ["segment_blocks"]

_LARGEST_HEAT = 8


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
    n = f"{customers:,} {words('customers')}"
    ids = profile["segment_id"] if "segment_id" in profile else pd.Series(0, index=profile.index)
    outside = int(profile.loc[ids < 0, "customers"].sum())
    told = words("segment_count", n=customers, k=int((ids >= 0).sum()))
    if outside:
        told += " " + words("outside", count=outside)
    shares = {words("share_customers"): profile["share"]}
    title = words("segment_sizes_only")
    if "revenue_share" in profile:
        shares[words("share_revenue")] = profile["revenue_share"]
        title = words("segment_sizes")
    blocks = [
        element("p", escape(told)),
        bars(pd.DataFrame(shares), title=title, n=n, write=percent, most=len(profile))._repr_html_(),
    ]
    columns = [str(name).removesuffix("_effect") for name in profile.columns if str(name).endswith("_effect")]
    if columns:
        blocks.append(_heat(profile, columns, words, n))
    if "description" in profile:
        items = "".join(
            element("li", f"<strong>{escape(str(name))}</strong>: {escape(str(text))}")
            for name, text in profile["description"].items()
        )
        blocks.append(element("ul", items))
    blocks.append(frame_html(_told(profile, columns), words, caption=words("profile"), most=len(profile)))
    choice, rules = getattr(segments, "choice", None), getattr(segments, "rules", None)
    if choice is not None:
        told = element("p", escape(str(choice.reason)))
        blocks += [
            heading(words("choice")),
            told,
            frame_html(pd.DataFrame(choice.table), words, caption=words("choice")),
        ]
    if rules is not None and len(rules):
        fidelity = words("fidelity", share=cell(float(segments.fidelity)))
        told = element("p", escape(fidelity))
        blocks += [heading(words("rules")), told, frame_html(pd.DataFrame(rules), words, caption=words("rules"))]
    return blocks


def _heat(profile: pd.DataFrame, columns: list[str], words: Words, n: str) -> str:
    """Draw medians, shaded by how far each segment lies from everybody, for the columns that differ most."""
    spread = {name: float(np.ptp(profile[f"{name}_effect"].to_numpy(dtype=float))) for name in columns}
    kept = sorted(columns, key=lambda name: -spread[name])[:_LARGEST_HEAT]
    kept = [name for name in columns if name in kept]
    shade = pd.DataFrame({name: profile[f"{name}_effect"] for name in kept})
    text = pd.DataFrame({name: profile[f"{name}_median"] for name in kept})
    return heat_map(shade, text, title=words("segment_heat"), n=n, key=words("segment_key"))._repr_html_()


def _told(profile: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Give the profile as people read it: median and quartiles in one cell, and the lift."""
    table = profile[[name for name in ("customers", "share", "revenue_share") if name in profile]].copy()
    for name in columns:
        table[name] = [
            f"{cell(float(middle))} [{cell(float(low))}, {cell(float(high))}]"
            for middle, low, high in zip(
                profile[f"{name}_median"], profile[f"{name}_q1"], profile[f"{name}_q3"], strict=True
            )
        ]
        table[f"{name} lift"] = profile[f"{name}_lift"]
    return table
