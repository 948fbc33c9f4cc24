"""Allowed contacts as the long table that a planning problem reads."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.core.checks import positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.contact._strategy import Strategy

__all__ = ["option_table"]


def option_table(
    strategy: Strategy, customers: pd.DataFrame, candidates: pd.DataFrame, keep: Sequence[str] | None
) -> pd.DataFrame:
    """Write the candidates with their values, uses, and the customers' columns."""
    rules = strategy.rules.set_index("rule")
    without = rules["value"].isna().to_numpy(dtype=bool)
    if without.any():
        raise DataError(f"strategy table: options need a value, an expression, in {positions(without)}")
    columns = list(customers.columns) if keep is None else list(keep)
    require_columns(customers, columns, what="customers", hint="keep= names columns of the customers")
    resources = [name for name in rules.columns if name.startswith("uses_")]
    own = {"case_id", "customer_id", "remedy", "value", "error", "shared_error", *resources}
    clash = sorted(str(name) for name in columns if name in own or str(name).startswith("uses_"))
    if clash:
        raise DataError(
            f"customers: {', '.join(map(repr, clash))} would be read as part of an option; rename it, or name the "
            "columns to hand on with keep="
        )
    row = customers.index.get_indexer(pd.Index(candidates["customer_id"]))
    remedy = candidates["rule"].to_numpy(dtype=object)
    numbers = {name: np.zeros(len(candidates)) for name in ["value", *resources]}
    for rule, formulas in rules.iterrows():
        mine = np.flatnonzero(remedy == rule)
        of_rule = customers.iloc[row[mine]]
        for name, filled in numbers.items():
            formula = formulas[name]
            if formula is not None:
                found = parse(formula).evaluate(of_rule)
                if found.values.dtype.kind not in "fiu":
                    raise DataError(f"strategy table: {name} of rule {rule!r} is no number")
                filled[mine] = np.where(found.missing, np.nan, found.values)
    table = pd.DataFrame({"case_id": customers.index[row], "customer_id": customers.index[row], "remedy": remedy})
    for name, filled in numbers.items():
        table[name] = filled
    handed = customers[columns].iloc[row].reset_index(drop=True)
    table = pd.concat([table, handed], axis=1)
    unknown = np.asarray(np.isnan(table[list(numbers)].to_numpy(dtype=np.float64)).any(axis=1), dtype=bool)
    if unknown.any():
        warnings.warn(
            f"{int(unknown.sum()):,} of {len(table):,} options have no known value or use and are left out",
            DataWarning,
            stacklevel=3,
        )
    known: pd.DataFrame = table.loc[~unknown].reset_index(drop=True)
    return known
