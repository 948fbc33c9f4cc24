"""The table of rules, with how far each can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.metrics import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Rules", "rules_frame"]

_SHOWN = {
    "segment", "rule", "customers", "precision", "coverage", "unseen", "fidelity", "fidelity_low", "fidelity_high",
}  # fmt: skip


class Rules(pd.DataFrame):
    """Rules that say what segments are: a DataFrame that prints each rule whole, under its segment.

    Beside ``segment`` and ``rule`` (in the expression language) stand figures over all customers: ``customers`` (how
    many the rule holds for), ``precision`` (the share of these that are in the segment) and ``coverage`` (the share of
    the segment that the rule finds). They flatter, because the rules were made on most of these customers. What to
    expect of others is counted on customers held back: ``fidelity`` (of those the rule holds for, the share in the
    segment), ``found`` (of the segment, the share that the rule finds), both with ``_low`` and ``_high``, Wilson's
    interval of 95 %; how many that is, ``unseen`` and ``unseen_segment``; and ``lift``, fidelity over the segment's
    share of all customers. Where nobody was held back these are missing. What is taken from it is a plain pandas
    object.

    Attributes
    ----------
    without : tuple of str
        Segments that no rule says: too small or too mixed for a small tree.
    """

    _metadata: ClassVar[list[str]] = ["without"]
    without: tuple[str, ...] = ()

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        if not _SHOWN.issubset(self.columns):
            return super().__repr__()
        lines = []
        last = None
        for rule in self.to_dict(orient="records"):
            if rule["segment"] != last:
                lines.append(str(rule["segment"]))
                last = rule["segment"]
            lines.append(f"    {rule['rule']}")
            line = (
                f"        {rule['customers']:,} customers, {rule['precision']:.0%} of them in it, "
                f"{rule['coverage']:.0%} of the segment"
            )
            lines.append(f"{line}; {_unseen(rule)}")
        if self.without:
            lines.append(f"no rule says: {'; '.join(self.without)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not _SHOWN.issubset(self.columns):
            return str(pd.DataFrame(self).to_html())
        rows = [
            [
                rule["segment"],
                rule["rule"],
                rule["customers"],
                f"{rule['precision']:.0%}",
                f"{rule['coverage']:.0%}",
                _unseen(rule),
            ]
            for rule in self.to_dict(orient="records")
        ]
        header = ["segment", "rule", "customers", "in the segment", "of the segment", "on customers held back"]
        without = f"no rule says: {'; '.join(self.without)}" if self.without else ""
        return html.table(header, rows, caption="rules that say nearly the same") + (
            html.element("p", html.escape(without)) if without else ""
        )


def _unseen(rule: Mapping[Any, Any]) -> str:
    """Say how a rule does on customers it was not made on."""
    if not rule["unseen"]:
        return "untried on others"
    return (
        f"of {rule['unseen']:,} others {rule['fidelity']:.0%} "
        f"({rule['fidelity_low']:.0%} to {rule['fidelity_high']:.0%})"
    )


def rules_frame(rules: Mapping[str, Sequence[Any]], names: Mapping[int, str], sizes: Mapping[int, int]) -> Rules:
    """Put the rules together from what was counted.

    Parameters
    ----------
    rules : mapping of str to sequence
        What ``surrogate_rules`` counted, by name.
    names : mapping of int to str
        Name of each segment.
    sizes : mapping of int to int
        Customers of each segment that has some.

    Returns
    -------
    Rules
        The table.
    """
    ids = [int(segment) for segment in rules["segment_id"]]
    customers, right = (np.asarray(rules[key], dtype=np.int64) for key in ("customers", "right"))
    members = np.array([sizes[segment] for segment in ids], dtype=np.float64)
    table: dict[str, Any] = {
        "segment": [names[segment] for segment in ids],
        "rule": list(rules["rule"]),
        "customers": customers,
        "precision": right / np.maximum(customers, 1),
        "coverage": right / members,
    }
    unseen, hits, segment = (
        np.asarray(rules[key], dtype=np.int64) for key in ("unseen", "unseen_right", "unseen_segment")
    )
    for name, of in (("fidelity", unseen), ("found", segment)):
        table[name] = np.where(of > 0, hits / np.maximum(of, 1), np.nan)
        table[f"{name}_low"], table[f"{name}_high"] = wilson(hits, of)
    table["lift"] = table["fidelity"] / (members / sum(sizes.values()))
    table |= {"unseen": unseen, "unseen_segment": segment}
    frame = Rules(table)
    frame.without = tuple(names[segment] for segment in sizes if segment not in ids)
    return frame
