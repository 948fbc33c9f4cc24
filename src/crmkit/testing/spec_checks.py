"""Checks of the spec itself, whatever its kind."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmkit.core.spec import PluginSpec

__all__ = ["SPEC_CHECKS"]

HEAVY = ("numpy", "pandas", "scipy", "sklearn")


def check_summary_is_a_sentence(spec: PluginSpec, target: Any) -> None:
    """The list shows the summary: one sentence, one line."""
    del target
    assert spec.summary.strip(), "summary is empty: say in one sentence what it does"
    assert "\n" not in spec.summary, "summary must be one line"
    assert len(spec.summary) <= 160, f"summary has {len(spec.summary)} characters; at most 160 fit the list"


def check_facts_and_inputs_are_plain(spec: PluginSpec, target: Any) -> None:
    """Listing must not drag anything in: facts and defaults are plain values."""
    del target
    plain = (str, int, float, bool, tuple, list, dict, frozenset, type(None))
    for where in ("defaults", "facts"):
        for name, value in getattr(spec, where).items():
            assert isinstance(value, plain), f"{where}[{name!r}] is a {type(value).__name__}; use a plain value"
    assert all(isinstance(name, str) for name in spec.inputs), "inputs must be names"


def check_defaults_are_parameters(spec: PluginSpec, target: Any) -> None:
    """Every default names a parameter of the target."""
    import inspect

    parameters = inspect.signature(target).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    unknown = sorted({*spec.defaults, *(name for given in spec.test_params for name in given)} - set(parameters))
    assert not unknown, f"{spec.target} has no parameter {', '.join(unknown)}; it has: {', '.join(parameters)}"


def check_target_has_a_docstring(spec: PluginSpec, target: Any) -> None:
    """``describe`` shows the docstring."""
    assert (target.__doc__ or "").strip(), f"{spec.target} has no docstring"


def check_listing_stays_light(spec: PluginSpec, target: Any) -> None:
    """Listing all plugins of this environment loads nothing numeric."""
    del spec, target
    loaded = _loaded_by_listing()
    assert not loaded, f"crmkit.available() loads {', '.join(loaded)}: keep the module of SPECS free of numeric imports"


@lru_cache(maxsize=1)
def _loaded_by_listing() -> tuple[str, ...]:
    """List the plugins in a fresh interpreter and give the heavy modules that it loaded."""
    code = (
        f"import sys, json, crmkit; crmkit.available(); print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 -- our own code
    return tuple(json.loads(run.stdout.splitlines()[-1]))


SPEC_CHECKS = (
    check_summary_is_a_sentence,
    check_facts_and_inputs_are_plain,
    check_defaults_are_parameters,
    check_target_has_a_docstring,
    check_listing_stays_light,
)
