"""Runs every check of a plugin's kind and says how many ran and what failed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from crmkit.core.registry import distribution_of, load_target
from crmkit.core.spec import API, PluginSpec
from crmkit.testing.plugin import Plugin
from crmkit.testing.spec_checks import SPEC_CHECKS

__all__ = ["CheckResult", "ConformanceError", "Report", "check_plugin", "plugin_checks"]

Check = Callable[[Plugin], None]

# Where the checks of each kind stand. A kind whose checks need a room's own objects has them in that room, so that
# this package knows nothing but core.
CHECKS_OF_KIND: dict[str, str] = {
    "segmenter": "crmkit.testing.segmenter_checks:CHECKS",
    "classifier": "crmkit.testing.classifier_checks:CHECKS",
    "regressor": "crmkit.testing.regressor_checks:CHECKS",
    "feature-selector": "crmkit.testing.selector_checks:CHECKS",
    "encoder": "crmkit.testing.encoder_checks:CHECKS",
    "topic-model": "crmkit.testing.topic_model_checks:CHECKS",
    "summarizer": "crmkit.testing.summarizer_checks:CHECKS",
    "entity-recognizer": "crmkit.testing.entity_checks:CHECKS",
    "lifetime-model": "crmkit.testing.lifetime_checks:CHECKS",
    "spend-model": "crmkit.testing.spend_checks:CHECKS",
    "recommender": "crmkit.testing.recommender_checks:CHECKS",
    "uplift-model": "crmkit.testing.uplift_checks:CHECKS",
    "planner": "crmkit.remediation.conformance:CHECKS",
    "evaluator": "crmkit.testing.evaluator_checks:CHECKS",
}


class ConformanceError(AssertionError):
    """A plugin does not do what its kind asks; the message lists every check that failed."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Parameters
    ----------
    name : str
        The check, with the number of the parameter set where there is more than one.
    status : {"passed", "failed", "expected failure", "skipped"}
        What came of it.
    error : Exception or None
        Why it failed or was skipped.
    """

    name: str
    status: str
    error: Exception | None = None


@dataclass(frozen=True)
class Report:
    """What ``check_plugin`` found.

    Parameters
    ----------
    spec : PluginSpec
        The plugin.
    results : tuple of CheckResult
        One a check, in the order they ran.
    """

    spec: PluginSpec
    results: tuple[CheckResult, ...]

    @property
    def ran(self) -> int:
        """How many checks ran, whatever came of them."""
        return sum(result.status != "skipped" for result in self.results)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed unexpectedly."""
        return tuple(result for result in self.results if result.status == "failed")

    def __str__(self) -> str:
        counts = {status: sum(r.status == status for r in self.results) for status in ("expected failure", "skipped")}
        extra = "".join(f", {count} {status}" for status, count in counts.items() if count)
        head = (
            f"{self.spec.kind} {self.spec.name!r} (api {API}): {self.ran} checks ran, {len(self.failed)} failed{extra}"
        )
        return "\n".join([head, *(f"  - {result.name}: {_told(result.error)}" for result in self.failed)])


def _told(error: Exception | None) -> str:
    """Tell why a check failed: the check's own sentence, or what the plugin raised."""
    return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"


def plugin_checks(
    spec: PluginSpec, *, params: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give every check of a plugin as a name and a function without arguments.

    Parameters
    ----------
    spec : PluginSpec
        The plugin.
    params : mapping or None, default=None
        Parameters to create it with; None checks every set in ``spec.test_params``, or its defaults.

    Yields
    ------
    tuple of str and callable
        The function raises AssertionError, or whatever the plugin raises, where the check fails.

    Raises
    ------
    PluginError
        If the plugin cannot be imported at all.

    Examples
    --------
    >>> from crmkit import PluginSpec
    >>> from crmkit.testing import plugin_checks
    >>> spec = PluginSpec(kind="segmenter", name="k-means", target="sklearn.cluster:KMeans", summary="Lloyd's k-means.")
    >>> [name for name, check in plugin_checks(spec)][:2]
    ['summary_is_a_sentence', 'facts_and_inputs_are_plain']
    """
    target = load_target(spec, distribution_of(spec))
    for check in SPEC_CHECKS:
        yield check.__name__.removeprefix("check_"), lambda check=check: check(spec, target)  # type: ignore[misc]  # bound at definition
    place = CHECKS_OF_KIND.get(spec.kind)
    if place is None:
        return
    module, _, attribute = place.partition(":")
    checks: tuple[Check, ...] = getattr(import_module(module), attribute)
    sets = [params] if params is not None else list(spec.test_params) or [{}]
    for number, given in enumerate(sets):
        suffix = f"[{number}]" if len(sets) > 1 else ""
        plugin = Plugin(spec, target, given)
        for kind_check in checks:
            name = kind_check.__name__.removeprefix("check_") + suffix
            yield name, lambda kind_check=kind_check, plugin=plugin: kind_check(plugin)  # type: ignore[misc]  # same
        for name, listed_check in (*plugin.scikit_learn_checks(), *plugin.text_checks()):
            yield f"{name}{suffix}", listed_check


def check_plugin(
    spec: PluginSpec, *, params: Mapping[str, Any] | None = None, expected_failures: Mapping[str, str] | None = None
) -> Report:
    """Run every conformance check of a plugin, print how many ran, and raise if one failed.

    The checks follow the plugin interface's version. They test the contract of the kind (methods, shapes, types,
    repeatability, inputs left alone), not whether the algorithm is any good. Estimators of tables also run
    scikit-learn's own checks, classifiers of texts a list of crmkit's own.

    Parameters
    ----------
    spec : PluginSpec
        The plugin, installed or not.
    params : mapping or None, default=None
        Parameters to create it with; None checks every set in ``spec.test_params``, or its defaults.
    expected_failures : mapping of str to str, default={}
        Checks that may fail, by name, each with its reason. One that passes after all is a failure.

    Returns
    -------
    Report
        ``ran``, ``failed`` and every result.

    Raises
    ------
    ConformanceError
        Listing every check that failed.
    PluginError
        If the plugin cannot be imported at all.
    RuntimeError
        Under ``python -O``, which leaves assertions out.

    Examples
    --------
    >>> from crmkit import PluginSpec
    >>> from crmkit.testing import check_plugin
    >>> spec = PluginSpec(
    ...     kind="segmenter", name="k-means", target="sklearn.cluster:KMeans", summary="Lloyd's k-means.",
    ...     facts={"n_segments": "n_clusters"}, tags={"inductive"})
    >>> report = check_plugin(spec, params={"n_init": 3})  # doctest: +ELLIPSIS
    segmenter 'k-means' (api 1): ... checks ran, 0 failed...
    """
    if not __debug__:
        raise RuntimeError("conformance checks are assertions, which python -O leaves out: run without -O")
    expected = dict(expected_failures or {})
    results = []
    for name, check in plugin_checks(spec, params=params):
        results.append(_run(name, check, expected.get(name)))
    unknown = sorted(set(expected) - {result.name for result in results})
    if unknown:
        error = LookupError(f"no check of that name; there are: {', '.join(result.name for result in results)}")
        results.extend(CheckResult(name, "failed", error) for name in unknown)
    report = Report(spec, tuple(results))
    print(report)  # noqa: T201 -- the number of checks that ran is the point
    if report.failed:
        failure = ConformanceError(str(report))
        raise failure from report.failed[0].error
    return report


def _run(name: str, check: Callable[[], None], reason: str | None) -> CheckResult:
    """Run one check and classify what came of it."""
    from unittest import SkipTest

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check()
    except SkipTest as skipped:
        return CheckResult(name, "skipped", skipped)
    except Exception as error:  # noqa: BLE001 -- whatever a plugin raises is a finding
        return CheckResult(name, "failed" if reason is None else "expected failure", error)
    if reason is not None:
        return CheckResult(
            name, "failed", AssertionError(f"was expected to fail ({reason}) but passed: take it off the list")
        )
    return CheckResult(name, "passed")
