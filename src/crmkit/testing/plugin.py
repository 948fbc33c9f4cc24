"""A plugin under test: makes fresh instances and knows which of scikit-learn's checks concern it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

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
        self.spec = spec
        self.target = target
        self.params = {**spec.defaults, **params}

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
        """Give scikit-learn's checks, for estimators of tables that are not scikit-learn's own."""
        own = self.target.__module__.partition(".")[0] == "sklearn"
        if self.spec.kind not in TABLE_KINDS or self.reads_text or own or not hasattr(self.target, "get_params"):
            return
        from sklearn.utils.estimator_checks import estimator_checks_generator

        try:
            whole = self.make()
        except Exception:  # noqa: BLE001 -- that it cannot be made is told by the checks of its kind
            return
        for estimator, check in estimator_checks_generator(whole):
            yield f"scikit-learn:{_name(check)}", partial(check, estimator)

    def text_checks(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Give the list for classifiers of texts, for which scikit-learn's own list is nearly empty."""
        if self.spec.kind != "classifier" or not self.reads_text:
            return
        from crmkit.testing.text_checks import TEXT_CHECKS

        for check in TEXT_CHECKS:
            yield f"text:{_name(check)}", partial(check, self.make)


def _parameters(target: type) -> tuple[str, ...]:
    """Give the names of a class's parameters, through wrappers such as pipelines."""
    import inspect

    return tuple(inspect.signature(target).parameters)


def _name(check: Any) -> str:
    """Give the name of one of scikit-learn's checks, which may be wrapped."""
    while hasattr(check, "func"):
        check = check.func
    return str(check.__name__).removeprefix("check_")
