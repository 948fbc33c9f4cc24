"""A plugin under test: makes fresh instances and knows which of scikit-learn's checks concern it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crmkit.core.spec import PluginSpec

__all__ = ["Plugin"]

TABLE_KINDS = frozenset({"segmenter", "classifier", "regressor", "feature-selector"})


class Plugin:
    """What every check of a kind is given.

    Parameters
    ----------
    spec : PluginSpec
        The plugin.
    target : type or callable
        What its target points at.
    params : mapping
        The parameter set under test.
    """

    def __init__(self, spec: PluginSpec, target: Any, params: Mapping[str, Any]) -> None:
        self.spec: PluginSpec = spec
        self.target: Any = target
        self.params: dict[str, Any] = {**spec.defaults, **params}

    @property
    def reads_text(self) -> bool:
        """Whether it takes texts rather than a table of numbers."""
        return "texts" in self.spec.inputs

    def make(self, **params: Any) -> Any:
        """Make a fresh instance, with a fixed seed where it takes one."""
        merged = {**self.params, **params}
        if not isinstance(self.target, type):
            return partial(self.target, **merged)
        if "random_state" not in merged and "random_state" in _parameters(self.target):
            merged["random_state"] = 0
        return self.target(**merged)

    def scikit_learn_checks(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Give scikit-learn's own checks, for estimators of tables."""
        if self.spec.kind not in TABLE_KINDS or self.reads_text or not hasattr(self.target, "get_params"):
            return
        from sklearn.utils.estimator_checks import estimator_checks_generator

        try:
            whole = self.make()
        except Exception:  # noqa: BLE001 -- that it cannot be made is told by the checks of its kind
            return
        excused = _excused_by_scikit_learn(whole)
        cases: Iterator[tuple[Any, Any]] = estimator_checks_generator(whole)  # pyright: ignore[reportAssignmentType]  # untyped library
        for estimator, check in cases:
            reason = excused.get(f"check_{_name(check)}")
            case = partial(check, estimator) if reason is None else partial(_skip, reason)
            yield f"scikit-learn:{_name(check)}", case

    def text_checks(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Give the list for classifiers of texts, for which scikit-learn's own list is nearly empty."""
        if self.spec.kind != "classifier" or not self.reads_text:
            return
        from crmkit.testing.text_checks import TEXT_CHECKS

        for check in TEXT_CHECKS:
            yield f"text:{_name(check)}", partial(check, self.make)


def _excused_by_scikit_learn(estimator: Any) -> dict[str, str]:
    """Give the checks that scikit-learn excuses its own class from, each with its reason."""
    if type(estimator).__module__.partition(".")[0] != "sklearn":
        return {}
    try:
        from sklearn.utils._test_common.instance_generator import _get_expected_failed_checks
    except ImportError:
        return {}
    return dict(_get_expected_failed_checks(estimator))


def _skip(reason: str) -> None:
    """Skip a check for the reason given."""
    raise SkipTest(reason)


def _parameters(target: type) -> tuple[str, ...]:
    """Give the names of a class's parameters, through wrappers such as pipelines."""
    import inspect

    return tuple(inspect.signature(target).parameters)


def _name(check: Any) -> str:
    """Give the name of one of scikit-learn's checks, which may be wrapped."""
    while hasattr(check, "func"):
        check = check.func
    return str(check.__name__).removeprefix("check_")
