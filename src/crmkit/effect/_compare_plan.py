"""A plan against the cases that were held out of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._columns import as_names
from crmkit.effect._compare_arms import compare_arms
from crmkit.metrics.multiple import holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.effect._comparison import ArmComparison

__all__ = ["PlanComparison", "compare_plan"]

_NOTHING = "nothing"
_PLAN, _HELD = "plan", "holdout"


@dataclass(frozen=True)
class PlanComparison:
    """What a plan changed, by the cases held out of it.

    Attributes
    ----------
    effect : Estimate
        Mean difference a case, among cases that were to be treated.
    total : Estimate
        The same times the cases that were treated: what the plan gained in all.
    comparison : ArmComparison
        The two arms, with sizes, lift and p-value.
    by_remedy : pandas.DataFrame
        Indexed by ``remedy`` (the one intended): ``n_plan``, ``n_holdout``, ``difference``, ``low``, ``high``,
        ``p_value``, ``p_adjusted`` (Holm). Remedies with fewer than two cases on a side have no figures.
    untouched : int
        Cases for which nothing was intended, in either arm; they tell nothing of the plan and are left out.
    """

    effect: Estimate
    total: Estimate
    comparison: ArmComparison
    by_remedy: pd.DataFrame
    untouched: int

    def _heads(self) -> list[str]:
        return [
            f"{self.comparison.outcome}, plan less holdout, a case to be treated: {self.effect!r}",
            f"all treated cases together: {self.total!r}",
            f"{self.untouched:,} cases for which nothing was intended are left out",
            *self.comparison.notes,
        ]

    def __repr__(self) -> str:
        return "\n".join([*self._heads(), "", self.by_remedy.to_string(float_format="%.4g")])

    def _repr_html_(self) -> str:
        """Show the effect, in all and by remedy."""
        shown = "".join(html.element("p", html.escape(line)) for line in self._heads())
        plain = self.by_remedy.reset_index()
        return shown + html.table(
            list(plain.columns), plain.astype(object).to_numpy().tolist(), caption="by the remedy intended"
        )


def compare_plan(
    plan: Any,
    outcomes: Any,
    *,
    outcome: str = "outcome",
    customer: str | None = None,
    covariates: str | Sequence[str] = (),
    share: float | None = None,
    level: float = 0.95,
) -> PlanComparison:
    """Compare the cases a plan treated with those that were held out of it, in one call.

    A plan made with a hold-out says for every case what was intended, also for those it was not allowed to touch. Only
    cases for which something was intended are compared: the plan gave it to one arm, the other went without. All cases
    together would dilute the effect, and treated against untreated would compare the worthwhile with the rest. It
    assumes that the hold-out was drawn at random and got nothing.

    Parameters
    ----------
    plan : table
        One row a case: ``case_id``, ``arm`` (``plan`` or ``holdout``), ``intended`` (a remedy, or ``nothing``), such as
        the table of a plan, or the results of cases that were carried out. Further columns may hold the outcome,
        covariates and customers.
    outcomes : table or None
        ``case_id`` and what happened; None where the plan's table holds it.
    outcome : str, default="outcome"
        Column of numbers or truth values: stayed, spend afterwards, the next mark's score.
    customer : str or None, default=None
        Column of the customer, where one customer has several cases: the hold-out is drawn by customer then, and errors
        are cluster-robust.
    covariates : str or sequence of str, default=()
        Columns known before the plan, to take noise off.
    share : float or None, default=None
        The share of cases (or customers) that were to be held out, for the test of the arms' sizes; None takes that of
        all of them, and so tests whether as many were to be treated on either side.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    PlanComparison
        ``effect``, ``total``, ``by_remedy``.

    Raises
    ------
    DataError
        If a column is missing, a case stands more than once, or an arm has fewer than two cases to be treated.

    Warns
    -----
    DataWarning
        If cases have no outcome (by arm), the arms are not as large as designed, or customers have several cases and
        ``customer`` does not say so.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import compare_plan
    >>> rng = np.random.default_rng(0)
    >>> plan = pd.DataFrame({"case_id": np.arange(2000), "arm": rng.choice(["plan", "holdout"], 2000, p=[0.8, 0.2])})
    >>> plan["intended"] = rng.choice(["call", "refund", "nothing"], 2000)
    >>> treated = (plan["arm"] == "plan") & (plan["intended"] != "nothing")
    >>> outcomes = pd.DataFrame({"case_id": plan["case_id"], "outcome": rng.random(2000) < 0.5 + 0.2 * treated})
    >>> result = compare_plan(plan, outcomes)
    >>> result.effect.low > 0.1, result.untouched
    (True, 647)
    """
    named = as_names(covariates, "covariates")
    cases = _cases(plan, outcomes, [outcome, *named] + ([] if customer is None else [customer]))
    meant = cases["intended"].to_numpy(dtype=object) != _NOTHING
    compared = cases[meant].reset_index(drop=True)
    counts = compared["arm"].value_counts()
    for arm in (_PLAN, _HELD):
        if counts.get(arm, 0) < 2:
            raise DataError(
                f"{counts.get(arm, 0)} cases of arm {arm!r} were to be treated, and at least 2 are needed: "
                "plan with a Holdout, and hand in all cases"
            )
    if share is not None and not 0 < share < 1:
        raise DataError(f"share must lie between 0 and 1, got {share!r}")
    # The hold-out was drawn by customer where there are any, so that their share is what the sizes are held against.
    drawn = cases if customer is None else cases.drop_duplicates(customer)
    held = float((drawn["arm"] == _HELD).mean()) if share is None else share
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DataWarning)
        comparison = _compare(compared, outcome, named, customer, held, level)
        remedies = _by_remedy(compared, outcome, customer, level)
    # One warning for the whole; those of single remedies repeat it.
    for message in comparison.notes:
        warnings.warn(message, DataWarning, stacklevel=2)
    _pass_on(told, comparison.notes)
    effect = comparison.effects[_PLAN]
    size = int(counts[_PLAN])
    total = Estimate(
        effect.value * size,
        n=effect.n,
        low=effect.low * size,
        high=effect.high * size,
        level=effect.level,
        method=f"{effect.method}, times {size:,} cases",
    )
    return PlanComparison(effect, total, comparison, remedies, int((~meant).sum()))


def _pass_on(told: list[warnings.WarningMessage], notes: tuple[str, ...]) -> None:
    """Warn anew of what is neither told nor about a single remedy."""
    for one in told:
        if not issubclass(one.category, DataWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        elif str(one.message).startswith("covariates") and str(one.message) not in notes:
            warnings.warn(str(one.message), DataWarning, stacklevel=3)


def _cases(plan: Any, outcomes: Any, wanted: list[str]) -> pd.DataFrame:
    """Put the plan and what happened together, one row a case."""
    frame = as_frame(plan, what="plan")
    require_columns(frame, ["case_id", "arm", "intended"], what="plan", hint="a plan's own table has them")
    twice = frame["case_id"].duplicated(keep=False).to_numpy(dtype=bool)
    if twice.any():
        raise DataError(
            f"plan must have one row a case; a case_id stands more than once in {positions(twice)} "
            "(only a plan in whole remedies can be carried out and compared)"
        )
    missing = frame[["case_id", "arm", "intended"]].isna().any(axis=1).to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"plan: case_id, arm or intended is missing in {positions(missing)}")
    strange = ~frame["arm"].isin([_PLAN, _HELD]).to_numpy(dtype=bool)
    if strange.any():
        raise DataError(f"plan: arm must be {_PLAN!r} or {_HELD!r}; {positions(strange)} are not")
    if outcomes is not None:
        after = as_frame(outcomes, what="outcomes")
        if after.index.name == "case_id" and "case_id" not in after.columns:
            after = after.reset_index()
        require_columns(after, ["case_id"], what="outcomes")
        again = after["case_id"].duplicated(keep=False).to_numpy(dtype=bool)
        if again.any():
            raise DataError(f"outcomes must have one row a case; a case_id stands again in {positions(again)}")
        new = [name for name in wanted if name in after.columns]
        if (after["case_id"].dtype.kind in "iuf") != (frame["case_id"].dtype.kind in "iuf"):
            raise DataError("case_id is text in one table and a number in the other: no case would be found")
        frame = frame.drop(columns=[name for name in new if name in frame.columns])
        frame = frame.merge(after[["case_id", *new]], on="case_id", how="left", validate="one_to_one")
    require_columns(frame, wanted, what="plan and outcomes together")
    return frame


def _compare(
    cases: pd.DataFrame, outcome: str, covariates: list[str], customer: str | None, held: float, level: float
) -> ArmComparison:
    """Compare the plan with the hold-out."""
    comparison = compare_arms(
        cases,
        outcome=outcome,
        arm="arm",
        covariates=covariates,
        control=_HELD,
        cluster=customer,
        allocation={_PLAN: 1 - held, _HELD: held},
        level=level,
    )
    # Who compares a plan names the cluster by another argument.
    return replace(comparison, notes=tuple(note.replace("cluster='", "customer='") for note in comparison.notes))


def _by_remedy(cases: pd.DataFrame, outcome: str, customer: str | None, level: float) -> pd.DataFrame:
    """Compare the plan with the hold-out among cases meant for the same remedy."""
    rows = {}
    for remedy, own in cases.groupby("intended", sort=True, observed=True):
        counts = own["arm"].value_counts()
        row = {"n_plan": int(counts.get(_PLAN, 0)), "n_holdout": int(counts.get(_HELD, 0))}
        held = row["n_holdout"] / len(own)
        try:
            one = _compare(own, outcome, [], customer, held, level) if 0 < held < 1 else None
        except DataError:  # too few cases on a side: the table says how many
            one = None
        if one is not None:
            effect = one.effects[_PLAN]
            figures = {"difference": effect.value, "low": effect.low, "high": effect.high}
            rows[remedy] = {**row, **figures, "p_value": float(one.table["p_value"].to_numpy()[1])}
        else:
            rows[remedy] = {**row, "difference": np.nan, "low": np.nan, "high": np.nan, "p_value": np.nan}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("remedy")
    table["p_adjusted"] = holm(table["p_value"].to_numpy(dtype=np.float64))
    return table.astype({"n_plan": np.int64, "n_holdout": np.int64})
