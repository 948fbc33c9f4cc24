"""How recommenders did, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.recommendation.evaluation._figures import Drawing, difference_table, drawn_groups

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RankingEvaluation"]

_SHOWN = ("ndcg", "recall", "hit", "average_precision")


@dataclass(frozen=True, repr=False)
class RankingEvaluation:
    """What ``recommendation.evaluate`` gives.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by ``customers`` ("all", "warm" with events before the cutoff, "cold" without), ``pairs`` ("any" thing
        they wanted, what is "new" to them, what they "repeat") and ``model``: ``n_customers``, ``n_lists`` (a customer
        at each cutoff), then ``ndcg``, ``recall``, ``precision``, ``hit``, ``average_precision`` and
        ``reciprocal_rank`` with ``_low`` and ``_high``. Column ``split`` says how events were divided.
    paired : pandas.DataFrame
        The same rows but the baseline's: differences to the baseline on the same customers. An interval that holds 0
        leaves open which is better.
    variety : pandas.DataFrame
        Indexed by ``lists`` ("any", or "new" items only) and ``model``: ``coverage``, ``concentration``, ``novelty``
        (bits), ``diversity`` (where items have a category) with their ends, ``fit_seconds``, ``recommend_seconds``.
    per_customer : pandas.DataFrame
        One row a model, cutoff (``window``), kind of ``pairs`` and customer: what the means are means of.
    windows : pandas.DataFrame
        One row a cutoff: ``until``, ``days_seen`` (days from the cutoff to the table's last event, at most the horizon;
        where it is less, what customers went on to buy may not be in the table), ``known_events``, ``known_customers``,
        ``known_items``, and of the days after it ``customers``, ``cold_share`` (customers without a history),
        ``relevant`` (pairs), ``repeat_share``.
    split : {"time", "random"}
        How events were divided.
    n : int
        How many places count.
    baseline : str
        The model that ``paired`` compares with.
    models : tuple of str
        Those that could be judged at every cutoff, the yardstick included.
    drawing : Drawing
        How intervals were drawn.
    """

    table: pd.DataFrame
    paired: pd.DataFrame
    variety: pd.DataFrame
    per_customer: pd.DataFrame
    windows: pd.DataFrame
    split: str
    n: int
    baseline: str
    models: tuple[str, ...]
    drawing: Drawing

    def against(self, baseline: str) -> pd.DataFrame:
        """Give ``paired`` with another model as baseline.

        Parameters
        ----------
        baseline : str
            One of ``models``.

        Returns
        -------
        pandas.DataFrame
            As ``paired``, from the same draws.

        Raises
        ------
        DataError
            If there is no such model.
        """
        if baseline not in self.models:
            raise DataError(f"{baseline!r} was not judged; there are: {', '.join(map(repr, self.models))}")
        groups = drawn_groups(self.per_customer, self.models, self.drawing)
        return difference_table(groups, baseline, self.drawing.level)

    def _caption(self) -> str:
        """Say what was asked."""
        if self.split == "random":
            return f"{self.n} places; pairs held out at random, which FLATTERS models that learn from others' future"
        many = len(self.windows)
        return f"{self.n} places; {many} cutoff{'s' if many > 1 else ''}: {', '.join(self.windows.index)}"

    def __repr__(self) -> str:
        shown = self.table[["n_customers", *_SHOWN]].to_string(float_format=lambda value: f"{value:.4f}")
        return f"RankingEvaluation: {self._caption()}\n{shown}"

    def _repr_html_(self) -> str:
        columns = ["customers", "pairs", "model", "n", *_SHOWN, f"NDCG against {self.baseline}"]
        rows = []
        gains = self.paired[["ndcg", "ndcg_low", "ndcg_high"]].reindex(self.table.index)
        for row, gain in zip(self.table.reset_index().to_dict("records"), gains.to_numpy(), strict=True):
            found = [f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]" for name in _SHOWN]
            own = row["model"] == self.baseline
            better = "–" if own else f"{gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}]"
            rows.append([row["customers"], row["pairs"], row["model"], int(row["n_customers"]), *found, better])
        return html.table(columns, rows, caption=self._caption())
