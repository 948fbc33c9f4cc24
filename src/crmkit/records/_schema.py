"""What a table of records must look like: columns with their role, type, unit, range and the headers they go by."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crmkit.core import html

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["Column", "Role", "Schema", "Type", "header_key"]

Type = Literal["id", "text", "number", "integer", "value", "time", "date"]
"""How a column is stored: ids and text as ``str``, numbers as float64, times as instants in UTC, dates as dates.

A ``"value"`` is a column of numbers where every filled cell is one (or true or false), else of text.
"""

Role = Literal["key", "customer", "time", "recorded", "money", "measure", "category", "text", "contact", "reference"]
"""What a column is for, so that steps can find it without knowing its name."""

Personal = Literal["pseudonym", "name", "phone", "email", "address", "birth-date", "free-text"]
"""The class of personal data; everything but a pseudonym is masked where a row is shown."""


def header_key(header: object) -> str:
    """Bring a header to the form in which headers are compared.

    Parameters
    ----------
    header : object
        The header as it stands in the source.

    Returns
    -------
    str
        Its letters and digits after NFKC and case folding: width, case, spaces, hyphens and underscores do not count.

    Examples
    --------
    >>> from crmkit.records import header_key
    >>> header_key(" Ｃustomer_ID "), header_key("客户 编号")
    ('customerid', '客户编号')
    """
    folded = unicodedata.normalize("NFKC", str(header)).casefold()
    return "".join(character for character in folded if character.isalnum())


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a schema.

    Parameters
    ----------
    name : str
        Its standard name.
    role : str
        What it is for: ``"key"``, ``"customer"``, ``"time"``, ``"money"``, ``"contact"`` and so on.
    dtype : str
        ``"id"``, ``"text"``, ``"number"``, ``"integer"``, ``"value"`` (numbers or words), ``"time"`` or ``"date"``.
    required : bool, default=False
        Whether the table must have it. A column with ``product_of`` may be absent where its factors are there.
    nullable : bool, default=True
        Whether a cell may be empty; a row with an empty cell in a column that is not nullable is set aside.
    unit : str or None
        ``"currency"`` for money in the table's currency, ``"seconds"``, or None.
    low, high : float or None
        The smallest and the largest value that counts as valid, ends included; None for no bound.
    product_of : tuple of str, default=()
        Columns whose product stands in where a cell, or the whole column, is absent.
    personal : str or None
        The class of personal data, or None.
    aliases : tuple of str, default=()
        Headers it goes by in English and Chinese, likeliest first. Compared by ``header_key``.
    description : str, default=""
        What it holds, in one sentence.

    Examples
    --------
    >>> from crmkit import records
    >>> records.TRANSACTIONS["amount"].product_of
    ('quantity', 'unit_price')
    """

    name: str
    role: Role
    dtype: Type
    required: bool = False
    nullable: bool = True
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    product_of: tuple[str, ...] = ()
    personal: Personal | None = None
    aliases: tuple[str, ...] = ()
    description: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The compared forms of its name and aliases, its own name first."""
        return tuple(dict.fromkeys(header_key(header) for header in (self.name, *self.aliases)))


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The columns of one kind of record.

    Parameters
    ----------
    name : str
        Such as ``"TRANSACTIONS"``.
    columns : tuple of Column
        In the order in which a read table shows them.
    key : str or None
        The column whose values may not repeat; None for tables of events, where equal lines are valid.
    description : str, default=""
        What one row is.

    Raises
    ------
    ValueError
        If two columns share a name or the key is no column.

    Examples
    --------
    >>> from crmkit import records
    >>> records.CUSTOMERS.key, records.TRANSACTIONS.key
    ('customer_id', None)
    >>> [column.name for column in records.RATINGS if column.required]
    ['customer_id', 'item_id', 'rating']
    """

    name: str
    columns: tuple[Column, ...]
    key: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError(f"schema {self.name}: two columns share a name")
        if self.key is not None and self.key not in names:
            raise ValueError(f"schema {self.name}: its key {self.key!r} is not one of its columns")

    @property
    def names(self) -> tuple[str, ...]:
        """The standard names, in order."""
        return tuple(column.name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"schema {self.name} has no column {name!r}; it has: {', '.join(self.names)}")

    def to_frame(self) -> pd.DataFrame:
        """Give the schema as a table, one row a column.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``name``, with role, dtype, required, nullable, unit, low, high, personal, aliases, description.
        """
        import pandas as pd

        fields = ("role", "dtype", "required", "nullable", "unit", "low", "high", "personal", "aliases", "description")
        rows = [{field: getattr(column, field) for field in fields} for column in self.columns]
        frame = pd.DataFrame(rows, columns=list(fields), index=pd.Index(self.names, name="name"))
        return frame.assign(aliases=[", ".join(column.aliases) for column in self.columns])

    def __repr__(self) -> str:
        marks = (column.name + ("*" if column.required else "") for column in self.columns)
        return f"Schema {self.name} (key: {self.key or 'none'}; * required): {', '.join(marks)}"

    def _repr_html_(self) -> str:
        frame = self.to_frame().reset_index()
        return html.table(
            list(frame.columns), frame.itertuples(index=False), caption=f"{self.name}: {self.description}"
        )
