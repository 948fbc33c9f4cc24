"""How segments are shown: in a line, as text, and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core import html

if TYPE_CHECKING:
    from crmkit.segmentation._model import SegmentationModel

__all__ = ["as_html", "as_text", "head"]


def head(model: SegmentationModel) -> str:
    """Say in a line how many segments there are, of whom, and how they were made."""
    state = model.get_state()
    outside = int((np.asarray(state["segment_ids"]) < 0).sum())
    noun = "segment" if model.n_segments == 1 else "segments"
    tail = f", {outside:,} of them in no segment" if outside else ""
    return (
        f"{model.n_segments} {noun} of {len(state['segment_ids']):,} customers{tail} ({state['name']} on "
        f"{', '.join(model.features)}; transform {state['transform_name']})"
    )


def as_text(model: SegmentationModel) -> str:
    """Write what the segments are, why so many, and how far their rules can be believed."""
    parts = [
        head(model),
        model.choice.reason,
        "",
        str(model.profile),
        "",
        f"the rules of a small tree agree for {model.fidelity:.1%} of unseen customers",
    ]
    return "\n".join(parts)


def as_html(model: SegmentationModel) -> str:
    """Write the same for a notebook, with the rules."""
    return "".join(
        [
            html.element("p", html.escape(head(model))),
            html.element("p", html.escape(model.choice.reason)),
            model.profile._repr_html_(),
            model.rules._repr_html_(),
            html.element("p", html.escape(f"The rules agree for {model.fidelity:.1%} of unseen customers.")),
            html.element("p", html.escape(f"New customers are placed {model.how_new}.")),
        ]
    )
