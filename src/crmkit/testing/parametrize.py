"""Turns conformance checks into pytest cases, one a check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.registry import require_extra
from crmkit.testing.conformance import plugin_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crmkit.core.spec import PluginSpec

__all__ = ["parametrize_with_plugin_checks"]


def parametrize_with_plugin_checks(
    specs: Iterable[PluginSpec], *, expected_failures: Mapping[str, Mapping[str, str]] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a pytest decorator that runs a test once for every check of every plugin.

    Parameters
    ----------
    specs : iterable of PluginSpec
        A distribution's SPECS.
    expected_failures : mapping of str to mapping, default={}
        Per plugin name, the checks that may fail, each with its reason; they become strict xfails.

    Returns
    -------
    callable
        A decorator for a test function with the argument ``check``, which it calls.

    Raises
    ------
    MissingExtraError
        If pytest is not installed.

    Examples
    --------
    >>> from crmkit.catalogue import SPECS
    >>> from crmkit.testing import parametrize_with_plugin_checks
    >>> kmeans = [spec for spec in SPECS if spec.name == "kmeans"]
    >>> @parametrize_with_plugin_checks(kmeans)
    ... def test_conformance(check):
    ...     check()
    """
    pytest = require_extra("pytest", "testing", "parametrize_with_plugin_checks")
    cases = []
    for spec in specs:
        expected = (expected_failures or {}).get(spec.name, {})
        for name, check in plugin_checks(spec):
            marks = [pytest.mark.xfail(reason=expected[name], strict=True)] if name in expected else []
            cases.append(pytest.param(check, id=f"{spec.kind}-{spec.name}-{name}", marks=marks))
    decorator: Callable[[Callable[..., Any]], Callable[..., Any]] = pytest.mark.parametrize("check", cases)
    return decorator
