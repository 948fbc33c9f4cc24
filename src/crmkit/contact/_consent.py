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
    import numpy.typing as npt

    from crmkit.contact._terms import Channel

    Bools = npt.NDArray[np.bool_]

__all__ = ["Consent", "opted_out"]

_SCOPE = ["customer_id", "channel", "purpose"]


def opted_out(customers: pd.DataFrame) -> Bools:
    """Say who wants no contact at all: the column ``opted_out``, a missing answer included."""
    if "opted_out" not in customers.columns:
        return np.zeros(len(customers), dtype=bool)
    return _flags(customers["opted_out"], "customers: opted_out", missing=True)


def _flags(column: pd.Series, what: str, *, missing: bool) -> Bools:
    """Read a column of yes and no; what is missing counts as said."""
    unknown = column.isna().to_numpy(dtype=bool)
    values = column.astype(object).to_numpy()
    fits = np.array([isinstance(cell, bool | np.bool_) or cell in {0, 1} for cell in values[~unknown]], dtype=bool)
    if not fits.all():
        wrong = np.zeros(len(values), dtype=bool)
        wrong[np.flatnonzero(~unknown)[~fits]] = True
        raise DataError(f"{what} must be true or false in {positions(wrong)}")
    answer = np.full(len(values), missing, dtype=bool)
    answer[~unknown] = values[~unknown].astype(bool)
    return answer


def _strictest(frame: pd.DataFrame) -> pd.DataFrame:
    """Give one row a scope: granted where no row refuses."""
    held: pd.DataFrame = frame.groupby(_SCOPE, sort=False)["granted"].min().reset_index()
    return held


class Consent:
    """The register of consents as it stood at an instant.

    Each pair of channel and purpose that the register names is a scope of its own, a missing one meaning all. In each
    scope the latest row counts, a refusal where two are of one instant. A refusal in any scope that holds the contact
    stands until the same scope is granted again; a grant in one of them is consent.
    """

    def __init__(self, table: Any, customers: pd.DataFrame, at: pd.Timestamp) -> None:
        self.customers = customers
        self.table = None if table is None else self._latest(as_frame(table, what="consent"), at)
        if self.table is not None:
            same_kind(self.table["customer_id"], customers.index, "consent")

    @staticmethod
    def _latest(table: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
        require_columns(table, ["customer_id", "channel", "granted"], what="consent")
        frame = pd.DataFrame({"customer_id": table["customer_id"].to_numpy(dtype=object)})
        frame["granted"] = _flags(table["granted"], "consent: granted", missing=False)
        for name in ("channel", "purpose"):
            column = table[name].astype(object) if name in table.columns else pd.Series(None, index=table.index)
            frame[name] = column.where(column.notna(), "").to_numpy(dtype=object)
        frame = frame.loc[frame["customer_id"].notna().to_numpy()]
        if "time" not in table.columns:
            return _strictest(frame)
        time = instants(table["time"], "consent: time")[table["customer_id"].notna().to_numpy(dtype=bool)]
        # A grant of unknown time is none; a refusal of unknown time stands.
        undated = np.asarray(time.isna())
        always = frame[undated & ~frame["granted"].to_numpy()]
        known = frame[~undated & np.asarray(time <= at)].assign(time=time[~undated & np.asarray(time <= at)])
        known = known.sort_values(["time", "granted"], ascending=[True, False], kind="stable").drop_duplicates(
            _SCOPE, keep="last"
        )
        both = pd.concat([known.drop(columns="time"), always], ignore_index=True)
        return _strictest(both)

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
        held = self.table[scope]
        index = self.customers.index
        refused = np.asarray(index.isin(held.loc[~held["granted"], "customer_id"]))
        granted = np.asarray(index.isin(held.loc[held["granted"], "customer_id"]))
        return refused, ~granted if needed else nobody
