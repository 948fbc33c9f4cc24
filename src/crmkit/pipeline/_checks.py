"""Checks that the tables of a configuration fit together, before anything is read."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import ExpressionError, PluginError
from crmkit.core.predicate import parse
from crmkit.core.registry import available, spec_of
from crmkit.pipeline._strict import Problems, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crmkit.pipeline._schema import Config, LimitsTable

__all__ = ["check"]

_NAME = re.compile(r"[\w][\w .-]*\Z")

Where = tuple[str | int, ...]


def check(config: Config, given: Mapping[str, Any], problems: Problems) -> None:
    """Add what does not fit to the problems.

    Parameters
    ----------
    config : Config
        What was built.
    given : mapping
        What TOML gave: a key that is not there is not complained about at its place.
    problems : Problems
        Collects what is wrong.
    """
    if not config.read:
        problems.add(("read",), "at least one [read.NAME] is needed")
    for name in config.read:
        if not _NAME.match(name):
            problems.add(("read", name), "a table's name is used as a file name: use letters, digits, - and _")
    _tables(config, problems)
    _plugins(config, problems)
    _metrics(config, problems)
    _expressions(config, problems)
    _numbers(config, problems)
    _steps(config, given, problems)
    _remedies(config, problems)


def _tables(config: Config, problems: Problems) -> None:
    """Check that every table that is named is read."""
    wanted: list[tuple[Where, str | None]] = [
        *((("metrics", place, "table"), metric.table) for place, metric in enumerate(config.metrics))
    ]
    if config.text is not None:
        wanted += [(("text", key), getattr(config.text, key)) for key in ("labelled", "test", "classify")]
    for step in ("rfm", "value", "cases"):
        table = getattr(config, step)
        if table is None:
            continue
        if table.table:
            wanted.append(((step, "table"), table.table))
            continue
        kind = None if step == "cases" else "transactions"
        choices = [name for name, read in config.read.items() if kind is None or read.schema == kind]
        if len(choices) != 1:
            among = f"; name one of {', '.join(choices)}" if choices else ""
            problems.add((step,), f"the key 'table' is missing, and there are {len(choices)} tables it could be{among}")
    for place, rule in enumerate(getattr(config.limits, "frequency", ())):
        wanted.append((("limits", "frequency", place, "table"), rule.table))
    for where, name in wanted:
        if name is not None and name not in config.read:
            problems.add(where, f"no table {name!r} is read; {nearest(name, list(config.read))}")


def _plugins(config: Config, problems: Problems) -> None:
    """Check that every plugin that is named is there; none is imported."""
    wanted: list[tuple[Where, str, str]] = [
        *(
            (("metrics", place, "evaluator"), "evaluator", metric.evaluator)
            for place, metric in enumerate(config.metrics)
        )
    ]
    if config.segments is not None:
        wanted.append((("segments", "segmenter"), "segmenter", config.segments.segmenter))
    if config.value is not None:
        wanted.append((("value", "lifetime"), "lifetime-model", config.value.lifetime))
        wanted.append((("value", "spend"), "spend-model", config.value.spend))
        wanted += [
            (("value", "compare", place), "lifetime-model", name) for place, name in enumerate(config.value.compare)
        ]
    if config.text is not None:
        wanted.append((("text", "classifier"), "classifier", config.text.classifier))
    if config.plan is not None:
        wanted.append((("plan", "planner"), "planner", config.plan.planner))
    for where, kind, name in wanted:
        try:
            spec_of(kind, name)
        except PluginError as error:
            problems.add(where, str(error))


def _metrics(config: Config, problems: Problems) -> None:
    """Check that each figure gets as many columns as its evaluator takes."""
    for place, metric in enumerate(config.metrics):
        if metric.evaluator in _evaluators():
            inputs = spec_of("evaluator", metric.evaluator).inputs
            if inputs and len(inputs) < len(metric.columns):
                named = ", ".join(inputs)
                problems.add(
                    ("metrics", place, "columns"),
                    f"{metric.evaluator!r} takes {len(inputs)} ({named}), got {len(metric.columns)}",
                )
        if not metric.columns:
            problems.add(("metrics", place, "columns"), "at least one column is needed")


def _evaluators() -> tuple[str, ...]:
    """List the evaluators, none where there are none."""
    try:
        return available("evaluator")
    except PluginError:
        return ()


def _expressions(config: Config, problems: Problems) -> None:
    """Check that every expression is in the language; columns are known only later."""
    wanted: list[tuple[Where, Any]] = []
    if config.text is not None:
        wanted.append((("text", "where"), config.text.where))
    if config.cases is not None:
        wanted.append((("cases", "where"), config.cases.where))
    for place, remedy in enumerate(config.remedies):
        wanted += [
            (("remedies", place, name), getattr(remedy, name))
            for name in ("value", "eligible", "error", "shared_error")
        ]
        wanted += [(("remedies", place, "uses", name), amount) for name, amount in remedy.uses.items()]
        ends = (None, None) if remedy.intensity is None else remedy.intensity
        wanted += [(("remedies", place, "intensity", end), formula) for end, formula in enumerate(ends)]
    if config.packages is not None:
        values = enumerate(config.packages.values)
        wanted += [(("packages", "values", place, "value"), entry.value) for place, entry in values]
    for kind in ("floors", "caps", "frequency"):
        for place, limit in enumerate(getattr(config.limits, kind, ())):
            wanted.append((("limits", kind, place, "where"), limit.where))
    for where, text in wanted:
        if isinstance(text, str):
            try:
                parse(text)
            except ExpressionError as error:
                problems.add(where, str(error))


def _numbers(config: Config, problems: Problems) -> None:
    """Check the ranges of numbers."""
    for place, remedy in enumerate(config.remedies):
        if remedy.intensity is not None and len(remedy.intensity) != 2:
            problems.add(("remedies", place, "intensity"), "must be a list of two: least and most")
    if config.seed < 0:
        problems.add(("seed",), f"must be 0 or more, got {config.seed}")
    if config.value is not None:
        _share(("value", "margin"), config.value.margin, problems)
        _positive(("value", "horizon"), config.value.horizon, problems)
        _not_negative(("value", "annual_discount_rate"), config.value.annual_discount_rate, problems)
    if config.segments is not None and config.segments.n_segments != "auto":
        _positive(("segments", "n_segments"), config.segments.n_segments, problems)
    if config.text is not None and not 0 < config.text.test_share < 1:
        problems.add(("text", "test_share"), f"must be between 0 and 1, got {config.text.test_share:g}")
    if config.limits is not None:
        _limit_numbers(config.limits, problems)


def _limit_numbers(limits: LimitsTable, problems: Problems) -> None:
    """Check the ranges of resources, floors, caps and the hold-out."""
    for kind in ("floors", "caps"):
        for place, limit in enumerate(getattr(limits, kind)):
            where = ("limits", kind, place)
            _share((*where, "share"), limit.share, problems)
            _not_negative((*where, "count"), limit.count, problems)
            if (limit.share is None) == (limit.count is None):
                problems.add(where, "either 'share' or 'count' is needed, and only one of them")
    if limits.holdout is not None:
        _share(("limits", "holdout", "share"), limits.holdout.share, problems)
    for place, ratio in enumerate(limits.ratios):
        _not_negative(("limits", "ratios", place, "least"), ratio.least, problems)
    for place, rule in enumerate(limits.frequency):
        _not_negative(("limits", "frequency", place, "most"), rule.most, problems)
        _positive(("limits", "frequency", place, "days"), rule.days, problems)
    for name, limit in limits.resources.items():
        _not_negative(("limits", "resources", name), limit, problems)
    for name, soft in limits.soft.items():
        _not_negative(("limits", "soft", name, "penalty"), soft.penalty, problems)
        _not_negative(("limits", "soft", name, "beyond"), soft.beyond, problems)


def _share(where: Where, number: float | None, problems: Problems) -> None:
    """Check that a number is a share."""
    if number is not None and not 0 <= number <= 1:
        problems.add(where, f"must be from 0 to 1, got {number:g}")


def _positive(where: Where, number: float, problems: Problems) -> None:
    """Check that a number is more than nothing."""
    if number <= 0:
        problems.add(where, f"must be more than 0, got {number:g}")


def _not_negative(where: Where, number: float | None, problems: Problems) -> None:
    """Check that a number is not below nothing."""
    if number is not None and number < 0:
        problems.add(where, f"must be 0 or more, got {number:g}")


def _steps(config: Config, given: Mapping[str, Any], problems: Problems) -> None:
    """Check that each step has what it builds on."""
    if config.segments is not None and config.rfm is None:
        problems.add(("segments",), "needs the step [rfm]")
    if config.packages is not None and not config.remedies:
        problems.add(("packages",), "needs at least one [[remedies]]")
    for step in ("plan", "limits", "remedies"):
        if step in given and config.cases is None:
            problems.add((step,), "needs the step [cases]")
    if config.remedies and config.plan is None:
        problems.add(("remedies",), "needs the step [plan]")
    if config.plan is not None and not config.remedies:
        problems.add(("plan",), "needs at least one [[remedies]]")
    name = config.report.file
    if "/" in name or "\\" in name or not name.endswith(".html"):
        problems.add(("report", "file"), f"must be a file name that ends in .html, got {name!r}")


def _remedies(config: Config, problems: Problems) -> None:
    """Check that remedies and resources that are named exist, once each."""
    names = [remedy.name for remedy in config.remedies]
    for place, name in enumerate(names):
        if name in names[:place]:
            problems.add(("remedies", place, "name"), f"{name!r} is there twice")
    resources = list(config.limits.resources) if config.limits is not None else []
    for place, remedy in enumerate(config.remedies):
        for used in _strangers(remedy.uses, resources):
            problems.add(
                ("remedies", place, "uses", used),
                f"no resource {used!r} in limits.resources; {nearest(used, resources)}",
            )
    names = _with_packages(config, names, problems)
    given: list[str | None] = []
    for kind in ("floors", "caps", "ratios"):
        for place, limit in enumerate(getattr(config.limits, kind, ())):
            given.append(limit.name)
            if limit.remedy is not None and limit.remedy not in names:
                problems.add(
                    ("limits", kind, place, "remedy"), f"no remedy {limit.remedy!r}; {nearest(limit.remedy, names)}"
                )
    _contacts(config, names, problems)
    soft = config.limits.soft if config.limits is not None else ()
    named = [*resources, *(name for name in given if name is not None)]
    for name in _strangers(soft, named):
        problems.add(("limits", "soft", name), f"no limit is called {name!r}; {nearest(name, named)}")
    for used in _strangers(config.plan.what_if if config.plan is not None else (), resources):
        problems.add(("plan", "what_if", used), f"no resource {used!r} in limits.resources; {nearest(used, resources)}")


def _contacts(config: Config, names: list[str], problems: Problems) -> None:
    """Check that the remedies that are contacts exist, and that an instant is given."""
    for place, rule in enumerate(getattr(config.limits, "frequency", ())):
        for name in _strangers(rule.remedies or (), names):
            problems.add(("limits", "frequency", place, "remedies"), f"no remedy {name!r}; {nearest(name, names)}")
        try:
            zone = datetime.fromisoformat(rule.at).tzinfo
        except ValueError:
            zone = None
        if zone is None:
            problems.add(
                ("limits", "frequency", place, "at"),
                f"must be an instant with a time zone, such as '2011-12-10T00:00+00:00', got {rule.at!r}",
            )


def _with_packages(config: Config, names: list[str], problems: Problems) -> list[str]:
    """Add the names of packages, which limits may name too, or what is wrong with their rules."""
    from crmkit.pipeline._planning import remedies_of

    if config.packages is None or len(set(names)) < len(names):
        return names
    try:
        return [*names, *(remedy.name for remedy in remedies_of(config) if remedy.parts)]
    except ValueError as error:
        problems.add(("packages",), str(error))
        return names


def _strangers(used: Iterable[str], known: list[str]) -> list[str]:
    """List the names that are not known."""
    return [name for name in used if name not in known]
