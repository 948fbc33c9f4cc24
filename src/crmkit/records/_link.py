"""Finds which ids of different channels are one person, by exact keys only, and keeps every link undoable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.records._contact_keys import email_key, name_key, phone_key, untagged_email
from crmkit.records._links import LINK_COLUMNS, Links, components
from crmkit.records._tables import Named, named_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["link"]

_WORDS = {"phone": "same phone", "email": "same e-mail"}


def link(
    tables: Any,
    *,
    keys: Sequence[str] = ("phone", "email", "member_id"),
    max_ids: int = 5,
    country_code: str | None = None,
    namespaces: Mapping[str, str] | None = None,
) -> Links:
    """Join the ids of one person across channels.

    Two ids are linked where a normalised phone, a normalised e-mail or an own key is exactly equal; what follows from
    links of links is one person. Names and addresses never link: pairs that only they suggest, keys that more ids
    share than one person has, and groups whose birth dates contradict each other are listed as doubtful and left
    apart. Work grows with the number of distinct ids and keys, not of rows.

    Parameters
    ----------
    tables : mapping of str to Loaded or DataFrame
        Tables with ``customer_id`` and any of the key columns.
    keys : sequence of str, default=("phone", "email", "member_id")
        Columns whose equality links. ``phone`` and ``email`` are normalised, others compared as they are.
    max_ids : int, default=5
        A key that more ids share (a switchboard, a shop's own number) links none of them.
    country_code : str, default=None
        Country code of telephone numbers written without one, such as ``"44"``.
    namespaces : mapping of str to str, default=None
        From a table's name to the system its ids come from. Ids of different systems are different even where they are
        written alike, and carry the system in front: ``"web:17"``. None: one system for all tables.

    Returns
    -------
    Links
        ``persons``, ``links``, ``doubtful``; ``undo`` and ``separate`` take links back.

    Raises
    ------
    DataError
        If no table has ``customer_id`` with any of the keys.
    ValueError
        If ``max_ids`` is below 2.

    Notes
    -----
    The assumption is that nobody shares a phone, an e-mail address or a card with somebody who is another customer. A
    family that does is one person here, unless birth dates say otherwise.

    Examples
    --------
    >>> from crmkit import records
    >>> found = records.link({
    ...     "shop": {"customer_id": ["s1", "s2"], "phone": ["138 0013 8000", "13900139000"]},
    ...     "calls": {"customer_id": ["c9"], "phone": ["+8613800138000"]},
    ... })
    >>> found.persons.to_dict()
    {'s1': 's1', 's2': 's2', 'c9': 's1'}
    >>> found.links[["customer_id", "other_id", "reason"]].to_dict("records")
    [{'customer_id': 's1', 'other_id': 'c9', 'reason': 'same phone'}]
    """
    if max_ids < 2:
        raise ValueError(f"max_ids must be at least 2, got {max_ids}")
    known = [table for table in named_tables(tables) if "customer_id" in table.frame.columns]
    if not any(key in table.frame.columns for table in known for key in keys):
        raise DataError(f"no table has customer_id together with any of {', '.join(keys)}")
    spaces = {} if namespaces is None else dict(namespaces)
    unknown = sorted(set(spaces) - {table.name for table in known})
    if unknown:
        raise DataError(f"namespaces names {', '.join(map(repr, unknown))}, which is no table with customer_id")
    labelled = [(table, _labels(table, spaces)) for table in known]
    ids = pd.Index(pd.unique(pd.concat([labels.dropna() for _, labels in labelled], ignore_index=True)), dtype=object)
    found = [_values(labelled, ids, key, _normaliser(key, country_code)) for key in keys]
    together = pd.concat(found, ignore_index=True)
    together["n_ids"] = together.groupby(["reason", "value"])["node"].transform("nunique")
    links = _pairs(together[together["n_ids"].between(2, max_ids)])
    shared = _to_first(together[together["n_ids"] > max_ids])
    shared["reason"] = shared["reason"] + ", shared by " + shared["n_ids"].astype(str) + " ids"
    births = _values(labelled, ids, "birth_date", str)
    kept, contradicted = _contradicted(links, births, len(ids))
    group = components(len(ids), kept["node"].to_numpy(), kept["other"].to_numpy())
    suggested = _suggested(labelled, ids, births, max_ids)
    doubtful = pd.concat([shared, contradicted, suggested], ignore_index=True)
    doubtful = doubtful[
        group[doubtful["node"].to_numpy(dtype=np.intp)] != group[doubtful["other"].to_numpy(dtype=np.intp)]
    ]
    return Links.build(ids, _named(kept, ids, LINK_COLUMNS), _named(doubtful, ids, ("n_ids",)), spaces)


def _labels(table: Named, spaces: Mapping[str, str]) -> pd.Series:
    """Give each row's id, with its system in front where there are several."""
    labels = table.frame["customer_id"].astype(object)
    space = spaces.get(table.name)
    return labels if space is None else labels.map(lambda label: f"{space}:{label}", na_action="ignore")


def _normaliser(key: str, country_code: str | None) -> Callable[[str], str | None]:
    """Give what brings a key to the form in which equal ones are equal."""
    if key == "phone":
        return lambda text: phone_key(text, country_code=country_code)
    if key == "email":
        return email_key
    return lambda text: text.strip() or None


def _values(
    labelled: Sequence[tuple[Named, pd.Series]], ids: pd.Index, column: str, normalise: Callable[[str], str | None]
) -> pd.DataFrame:
    """List which id has which normalised value of a column, each once, and in which table first."""
    parts = []
    for table, labels in labelled:
        if column not in table.frame.columns:
            continue
        pairs = pd.DataFrame({"node": ids.get_indexer(pd.Index(labels)), "value": table.frame[column].astype(object)})
        pairs = pairs[(pairs["node"] >= 0) & pairs["value"].notna().to_numpy()].drop_duplicates()
        distinct = {cell: normalise(str(cell)) for cell in pairs["value"].unique()}
        pairs["value"] = pairs["value"].map(distinct)
        parts.append(pairs.dropna(subset="value").assign(table=table.name))
    nothing = np.empty(0, dtype=object)
    parts.append(pd.DataFrame({"node": np.empty(0, dtype=np.intp), "value": nothing, "table": nothing}))
    found = pd.concat(parts, ignore_index=True).drop_duplicates(["node", "value"], ignore_index=True)
    return found.assign(reason=pd.Series(_WORDS.get(column, f"same {column}"), index=found.index, dtype=object))


def _pairs(values: pd.DataFrame) -> pd.DataFrame:
    """Give every pair of ids that share a value; groups are small here, so pairs are few."""
    both = values.merge(values, on=["reason", "value", "n_ids"], suffixes=("", "_other"))
    both = both[both["node"] < both["node_other"]].rename(columns={"node_other": "other"})
    both["tables"] = both["table"] + " / " + both["table_other"]
    return both.drop_duplicates(["node", "other", "reason"])[["node", "other", "reason", "tables", "n_ids"]]


def _to_first(values: pd.DataFrame) -> pd.DataFrame:
    """Pair every id that shares a value with the first that has it; all pairs of a large group would be too many."""
    first = values.groupby(["reason", "value"])["node"].transform("min")
    pairs = values.assign(other=values["node"], node=first)
    return pairs.loc[pairs["node"] != pairs["other"], ["node", "other", "reason", "n_ids"]]


def _contradicted(links: pd.DataFrame, births: pd.DataFrame, n_ids: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take out the links of every group in which two birth dates differ; an id with two of its own has none."""
    known = births[~births["node"].duplicated(keep=False)]
    group = components(n_ids, links["node"].to_numpy(), links["other"].to_numpy())
    different = known.groupby(group[known["node"].to_numpy(dtype=np.intp)])["value"].nunique()
    torn = np.isin(group[links["node"].to_numpy(dtype=np.intp)], different.index[different > 1].to_numpy())
    doubtful = links[torn]
    return links[~torn], doubtful.assign(reason=doubtful["reason"] + ", but birth dates in the group differ")


def _suggested(
    labelled: Sequence[tuple[Named, pd.Series]], ids: pd.Index, births: pd.DataFrame, max_ids: int
) -> pd.DataFrame:
    """List pairs that look alike without an exact key."""
    names = _values(labelled, ids, "name", name_key)
    addresses = _values(labelled, ids, "address", name_key)
    tagged = _values(labelled, ids, "email", lambda text: untagged_email(email_key(text)))
    looks = [
        _joined(names, births, "same name and birth date"),
        _joined(names, addresses, "same name and address"),
        tagged.assign(reason="e-mail differs only by a tag or dots"),
    ]
    found = []
    for look in looks:
        look["n_ids"] = look.groupby("value")["node"].transform("nunique")
        few, many = look[look["n_ids"].between(2, max_ids)], look[look["n_ids"] > max_ids]
        found += [_pairs(few)[["node", "other", "reason", "n_ids"]], _to_first(many)]
    return pd.concat(found, ignore_index=True)


def _joined(left: pd.DataFrame, right: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Combine two values of the same id into one to compare."""
    both = left.merge(right[["node", "value"]], on="node", suffixes=("", "_right"))
    return both.assign(value=both["value"] + "\n" + both["value_right"], reason=reason)[
        ["node", "value", "table", "reason"]
    ]


def _named(pairs: pd.DataFrame, ids: pd.Index, columns: Sequence[str]) -> pd.DataFrame:
    """Write ids in the place of their positions, in the order of the ids."""
    ordered = pairs.sort_values(["node", "other"], kind="stable")
    named = pd.DataFrame(
        {
            "customer_id": ids[ordered["node"].to_numpy(dtype=np.intp)],
            "other_id": ids[ordered["other"].to_numpy(dtype=np.intp)],
            "reason": ordered["reason"].to_numpy(),
        }
    )
    for column in columns:
        named[column] = ordered[column].to_numpy()
    return named.drop_duplicates(ignore_index=True)
