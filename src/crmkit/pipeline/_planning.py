"""The steps that make cases of events and plan their remedies."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crmkit import remediation
from crmkit.core.checks import as_frame
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from crmkit.pipeline._result import RunResult
    from crmkit.pipeline._schema import Config, FrequencyTable, LimitsTable, SoftTable

__all__ = ["remedies_of", "run_cases", "run_plan"]


def run_cases(config: Config, result: RunResult) -> None:
    """Make one case of the events that belong together; classified messages bring their class along."""
    step = config.cases
    assert step is not None  # noqa: S101 -- the runner calls a step only where it is configured
    name = step.table or next(iter(config.read))
    carry = list(step.carry)
    if config.text is not None and name == (config.text.classify or config.text.labelled):
        carry.append(config.text.into)
    result.cases = remediation.make_cases(
        result.tables[name], by=step.by, where=step.where, customers=result.customers, carry=list(dict.fromkeys(carry))
    )


def run_plan(config: Config, result: RunResult) -> None:
    """Plan the cases, have the plan verified, and try other limits."""
    step = config.plan
    assert step is not None  # noqa: S101 -- as above
    holdout = config.limits.holdout if config.limits is not None else None
    result.problem = remediation.Problem(
        result.cases,
        remedies_of(config),
        _limits(config.limits) if config.limits is not None else [],
        one_per=step.one_per,
        holdout=remediation.Holdout(holdout.share, by=holdout.by, random_state=config.seed) if holdout else None,
        frequency=[_frequency(rule, result) for rule in config.limits.frequency] if config.limits is not None else [],
    )
    result.plan = remediation.plan(result.problem, planner=step.planner)
    result.verdict = remediation.verify(result.plan, result.problem)
    for limit, amounts in step.what_if.items():
        result.what_if[limit] = result.plan.what_if(limit, list(amounts))


def remedies_of(config: Config) -> list[Any]:
    """Turn the tables of remedies into the room's own words, with the packages that are asked for.

    Parameters
    ----------
    config : Config
        A configuration.

    Returns
    -------
    list of remediation.Remedy
        What may be done for a case.

    Raises
    ------
    ValueError
        If the rules of packages do not fit the remedies.
    """
    remedies = [
        remediation.Remedy(
            remedy.name,
            value=remedy.value,
            uses=remedy.uses,
            eligible=remedy.eligible,
            error=remedy.error,
            shared_error=remedy.shared_error,
            intensity=remedy.intensity,  # type: ignore[arg-type]  # Remedy refuses what is no pair
        )
        for remedy in config.remedies
    ]
    step = config.packages
    if step is None:
        return remedies
    values = {entry.remedies: entry.value for entry in step.values}
    if len(values) < len(step.values):
        raise ValueError("values gives one set of remedies twice")
    return remediation.packages(
        remedies, at_most=step.at_most, requires=step.requires, excludes=step.excludes, values=values, keeps=step.keeps
    )


def _limits(limits: LimitsTable) -> list[Any]:
    """Turn the tables of limits into the room's own words."""
    made: list[Any] = [
        *(remediation.Resource(name, limit) for name, limit in limits.resources.items()),
        *(
            remediation.Cap(cap.remedy, where=cap.where, count=cap.count, share=cap.share, **_named(cap.name))
            for cap in limits.caps
        ),
        *(
            remediation.Floor(
                floor.where, share=floor.share, count=floor.count, remedy=floor.remedy, **_named(floor.name)
            )
            for floor in limits.floors
        ),
        *(
            remediation.Ratio(ratio.where, least=ratio.least, to=ratio.to, remedy=ratio.remedy, **_named(ratio.name))
            for ratio in limits.ratios
        ),
    ]
    return [_softened(limit, limits.soft.get(limit.name)) for limit in made]


def _frequency(rule: FrequencyTable, result: RunResult) -> remediation.Frequency:
    """Turn a rule into the room's own word, with the contacts of a table that was read."""
    table = as_frame(result.tables[rule.table], what=rule.table)
    if rule.where is not None:
        table = table[parse(rule.where).evaluate(table).values]
    return remediation.Frequency(
        table, most=rule.most, days=rule.days, at=rule.at, remedies=rule.remedies, per=rule.per, time=rule.time
    )


def _softened(limit: Any, soft: SoftTable | None) -> Any:
    """Let a limit be broken at a price, where one is given."""
    if soft is None:
        return limit
    return replace(limit, penalty=soft.penalty, beyond=math.inf if soft.beyond is None else soft.beyond)


def _named(name: str | None) -> dict[str, Any]:
    """Pass a name on only where one is given, so that the limit makes its own."""
    return {} if name is None else {"name": name}
