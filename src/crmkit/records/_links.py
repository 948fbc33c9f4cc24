"""Links between ids: who is one person, why, and how to take it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from crmkit.core import html
from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.records._tables import text_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

__all__ = ["LINK_COLUMNS", "Links", "components"]

LINK_COLUMNS = ("tables",)


def components(
    n_nodes: int, left: npt.NDArray[np.integer[Any]], right: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.intp]:
    """Give each node the number of its connected group."""
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n_nodes, n_nodes))
    _, group = connected_components(graph, directed=False)
    return np.asarray(group, dtype=np.intp)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Links:
    """Which ids are one person.

    Parameters
    ----------
    persons : Series
        From each id to its ``person_id``: the first id of the person in the order of the tables.
    links : pandas.DataFrame
        One row a link: ``customer_id``, ``other_id``, ``reason``, ``tables``, ``undone``; its index is ``link_id``.
    doubtful : pandas.DataFrame
        Pairs that were left apart: ``customer_id``, ``other_id``, ``reason``, ``n_ids`` (how many ids share it).
    namespaces : mapping of str to str
        From a table's name to the system in front of its ids.

    Notes
    -----
    Phones, addresses and names are never shown: reasons name the kind of key alone.
    """

    persons: pd.Series
    links: pd.DataFrame
    doubtful: pd.DataFrame
    namespaces: Mapping[str, str]

    @classmethod
    def build(cls, ids: pd.Index, links: pd.DataFrame, doubtful: pd.DataFrame, namespaces: Mapping[str, str]) -> Links:
        """Make it from all ids, the links and the doubtful pairs."""
        links = links.assign(undone=False).rename_axis("link_id")
        return cls(persons=_persons(ids, links), links=links, doubtful=doubtful, namespaces=namespaces)

    @property
    def n_persons(self) -> int:
        """How many persons there are."""
        return int(self.persons.nunique())

    def undo(self, link_ids: int | Iterable[int]) -> Links:
        """Take links back.

        Parameters
        ----------
        link_ids : int or iterable of int
            From the index of ``links``.

        Returns
        -------
        Links
            A new object; ids stay together where other links still join them.

        Raises
        ------
        DataError
            If there is no such link.

        Examples
        --------
        >>> from crmkit import records
        >>> found = records.link({"shop": {"customer_id": ["a", "b"], "email": ["x@mail.cn", "X@mail.cn"]}})
        >>> found.n_persons, found.undo(0).n_persons
        (1, 2)
        """
        wanted = [link_ids] if isinstance(link_ids, int | np.integer) else list(link_ids)
        unknown = [link_id for link_id in wanted if link_id not in self.links.index]
        if unknown:
            raise DataError(f"there is no link {', '.join(map(str, unknown))}; there are {len(self.links)} links")
        links = self.links.copy()
        links.loc[wanted, "undone"] = True
        return replace(self, links=links, persons=_persons(self.persons.index, links))

    def separate(self, customer_id: str) -> Links:
        """Take back every link of one id, so that it is a person of its own.

        Parameters
        ----------
        customer_id : str
            The id, as in ``persons``.

        Returns
        -------
        Links
            A new object.

        Raises
        ------
        DataError
            If it is no id of these tables.
        """
        if customer_id not in self.persons.index:
            raise DataError("separate: there is no such customer_id in these tables")
        touched = (self.links["customer_id"] == customer_id) | (self.links["other_id"] == customer_id)
        return self.undo(self.links.index[touched].tolist())

    def ids_of(self, customer_id: str) -> list[str]:
        """Give all ids of the person who has an id; an unknown id is a person of its own."""
        if customer_id not in self.persons.index:
            return [customer_id]
        return list(self.persons.index[self.persons == self.persons[customer_id]])

    def apply(self, table: Any, *, name: str | None = None) -> pd.DataFrame:
        """Put ``person_id`` beside ``customer_id``.

        Parameters
        ----------
        table : DataFrame
            A table with ``customer_id`` as column or index.
        name : str, default=None
            The table's name, where ids carry their system in front.

        Returns
        -------
        pandas.DataFrame
            A copy with ``person_id`` as its last column; ids unknown here keep their own.
        """
        frame = as_frame(table, what="table")
        column = frame["customer_id"] if "customer_id" in frame.columns else frame.index.to_series()
        labels = text_ids(column).astype(object)
        space = self.namespaces.get(name) if name is not None else None
        if space is not None:
            labels = labels.map(lambda label: f"{space}:{label}", na_action="ignore")
        person = labels.map(self.persons).where(lambda found: found.notna(), labels)
        return frame.assign(person_id=person.to_numpy())

    def __repr__(self) -> str:
        active = self.links[~self.links["undone"]]
        persons = f"{len(self.persons):,} ids are {self.n_persons:,} persons"
        lines = [f"Links: {persons}; {len(self.doubtful):,} doubtful pairs left apart"]
        lines += [f"  {count:,} links by {reason}" for reason, count in active["reason"].value_counts().items()]
        if len(active) < len(self.links):
            lines.append(f"  {len(self.links) - len(active):,} links undone")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        counts = self.links[~self.links["undone"]]["reason"].value_counts()
        facts = [("ids", len(self.persons)), ("persons", self.n_persons), ("doubtful pairs", len(self.doubtful))]
        return html.table(["", "n"], [*facts, *counts.items()], caption="Links between ids")


def _persons(ids: pd.Index, links: pd.DataFrame) -> pd.Series:
    """Give each id the first id of its group."""
    active = links[~links["undone"].astype(bool)]
    left, right = (ids.get_indexer(pd.Index(active[name], dtype=object)) for name in ("customer_id", "other_id"))
    group = components(len(ids), left, right)
    _, first = np.unique(group, return_index=True)
    return pd.Series(ids[first[group]], index=pd.Index(ids, name="customer_id"), name="person_id", dtype=object)
