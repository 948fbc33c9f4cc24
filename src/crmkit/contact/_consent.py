"""Who may be contacted by which channel for which purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.contact._ids import same_kind
from crmkit.contact._zones import instants
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from crmkit.contact._terms import Channel

    Bools = npt.NDArray[np.bool_]

__all__ = ["Consent", "opted_out"]

_SCOPE = ["customer_id", "channel", "purpose"]
_WORDS = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "是"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "否"), False),
}


def opted_out(customers: pd.DataFrame) -> Bools:
    """Say who wants no contact at all: the column ``opted_out``, a missing answer included."""
    if "opted_out" not in customers.columns:
        return np.zeros(len(customers), dtype=bool)
    return _flags(customers["opted_out"], "customers: opted_out", missing=True)


def _flags(column: pd.Series, what: str, *, missing: bool) -> Bools:
    """Read a column of yes and no, as truth values, 1 and 0 or words; what is missing or blank counts as said."""
    if column.dtype == bool:
        return column.to_numpy(dtype=bool)
    try:
        codes, found = pd.factorize(column.astype(object).to_numpy())
    except TypeError:
        raise DataError(f"{what} must be true or false; a cell holds several values") from None
    answers = [_WORDS.get(str(cell).strip().casefold()) for cell in found]
    blank = [isinstance(cell, str) and not cell.strip() for cell in found]
    strange = [place for place, answer in enumerate(answers) if answer is None and not blank[place]]
    if strange:
        raise DataError(f"{what} must be true or false in {positions(np.isin(codes, strange))}")
    # What is missing has the code -1, and so the last place.
    said = [missing if answer is None else answer for answer in [*answers, None]]
    return np.array(said, dtype=bool)[codes]


def _strictest(frame: pd.DataFrame) -> pd.DataFrame:
    """Give one row a scope: granted where no row refuses."""
    held: pd.DataFrame = frame.groupby(_SCOPE, sort=False)["granted"].min().reset_index()
    return held


class Consent:
    """The register of consents as it stood at an instant.

    Each pair of channel and purpose that the register names is a scope of its own, a missing one meaning all. In each
    scope the latest row counts, a refusal where two are of one instant. A refusal in any scope that holds the contact
    stands until the same scope is granted again; a grant in one of them is consent, until it expires.
    """

    def __init__(self, table: Any, customers: pd.DataFrame, at: pd.Timestamp) -> None:
        self.customers = customers
        self.table = None if table is None else self._latest(as_frame(table, what="consent"), at)
        if self.table is not None:
            ids = pd.Index(self.table["customer_id"].to_numpy(dtype=object))
            same_kind(ids, customers.index, "consent")
            self.row = customers.index.get_indexer(ids)

    @staticmethod
    def _latest(table: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
        require_columns(table, ["customer_id", "channel", "granted"], what="consent")
        frame = pd.DataFrame({"customer_id": table["customer_id"].to_numpy(dtype=object)})
        frame["granted"] = _flags(table["granted"], "consent: granted", missing=False)
        for name in ("channel", "purpose"):
            cells = table[name] if name in table.columns else pd.Series("", index=table.index)
            cells = cells.astype(object).where(cells.notna(), "")
            frame[name] = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
        frame["lapsed"] = False
        if "expires" in table.columns and table["expires"].notna().any():
            frame["lapsed"] = np.asarray(instants(table["expires"], "consent: expires") <= at)
        frame["lapsed"] &= frame["granted"]
        here = frame["customer_id"].notna().to_numpy(dtype=bool)
        if "time" not in table.columns:
            return _strictest(frame[here & ~frame["lapsed"].to_numpy()])
        time = instants(table["time"], "consent: time")
        # A grant of unknown time is none; a refusal of unknown time stands.
        undated = np.asarray(time.isna())
        always = frame[here & undated & ~frame["granted"].to_numpy()]
        past = here & np.asarray(time <= at)
        known = frame[past].assign(time=time[past])
        known = known.sort_values(["time", "granted"], ascending=[True, False], kind="stable")
        latest = known.drop_duplicates(_SCOPE, keep="last")
        # A grant that has lapsed is no consent, and the refusal that it had lifted stands again.
        before = known[~known["lapsed"]].drop_duplicates(_SCOPE, keep="last")
        both = pd.concat([latest[~latest["lapsed"]], before[~before["granted"]], always], ignore_index=True)
        return _strictest(both)

    def undeclared(self, channels: Collection[str]) -> list[str]:
        """Name the channels of the register that are none of these, and so are never asked for."""
        named = set() if self.table is None else set(self.table["channel"])
        return sorted(str(name) for name in named - {"", *channels})

    def given(self, channel: Channel, purpose: str) -> tuple[Bools, Bools]:
        """Say who has refused a contact, and who lacks the consent that it needs."""
        needed = channel.needs_consent(purpose)
        nobody = np.zeros(len(self.customers), dtype=bool)
        if self.table is None:
            if not needed:
                return nobody, nobody
            column = f"consent_{channel.name}"
            if column not in self.customers.columns:
                raise DataError(
                    f"channel {channel.name!r} needs consent for {purpose!r}: hand in consent=, a table of "
                    f"customer_id, channel, granted (and purpose, time), or give customers a column {column!r}"
                )
            return nobody, ~_flags(self.customers[column], f"customers: {column}", missing=False)
        scope = self.table["channel"].isin(["", channel.name]) & self.table["purpose"].isin(["", purpose])
        held = scope.to_numpy(dtype=bool) & (self.row >= 0)
        yes = self.table["granted"].to_numpy(dtype=bool)
        refused, granted = nobody.copy(), nobody.copy()
        refused[self.row[held & ~yes]] = True
        granted[self.row[held & yes]] = True
        return refused, ~granted if needed else nobody
