"""From what a company knows of its customers to decisions, through one plugin registry."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmkit import (
        casework,
        contact,
        datasets,
        effect,
        language,
        metrics,
        persistence,
        pictures,
        pipeline,
        prediction,
        preparation,
        privacy,
        recommendation,
        records,
        remediation,
        report,
        segmentation,
        testing,
        text,
        value,
    )
    from crmkit.core.errors import (
        AmbiguousPluginError,
        ConfigError,
        ConvergenceError,
        CrmkitError,
        DataError,
        DataWarning,
        ExpressionError,
        InfeasiblePlanError,
        IntegrityError,
        MissingExtraError,
        PersistenceError,
        PluginError,
        PluginLoadError,
        PluginVersionError,
        PluginWarning,
        SchemaError,
        UnknownPluginError,
    )
    from crmkit.core.estimate import Estimate
    from crmkit.core.registry import available, create, describe, failures, refresh
    from crmkit.core.spec import PluginSpec
    from crmkit.persistence import load, save
    from crmkit.report import write_report

__all__ = [
    "AmbiguousPluginError",
    "ConfigError",
    "ConvergenceError",
    "CrmkitError",
    "DataError",
    "DataWarning",
    "Estimate",
    "ExpressionError",
    "InfeasiblePlanError",
    "IntegrityError",
    "MissingExtraError",
    "PersistenceError",
    "PluginError",
    "PluginLoadError",
    "PluginSpec",
    "PluginVersionError",
    "PluginWarning",
    "SchemaError",
    "UnknownPluginError",
    "available",
    "casework",
    "contact",
    "create",
    "datasets",
    "describe",
    "effect",
    "failures",
    "language",
    "load",
    "metrics",
    "persistence",
    "pictures",
    "pipeline",
    "prediction",
    "preparation",
    "privacy",
    "recommendation",
    "records",
    "refresh",
    "remediation",
    "report",
    "save",
    "segmentation",
    "testing",
    "text",
    "value",
    "write_report",
]

__version__ = "0.1.0"

# Nothing is imported until it is used (PEP 562), so that `import crmkit` costs next to nothing.
_ROOMS = (
    "casework",
    "contact",
    "datasets",
    "effect",
    "language",
    "metrics",
    "persistence",
    "pictures",
    "pipeline",
    "prediction",
    "preparation",
    "privacy",
    "recommendation",
    "records",
    "remediation",
    "report",
    "segmentation",
    "testing",
    "text",
    "value",
)
_HOMES = {
    "Estimate": "crmkit.core.estimate",
    "PluginSpec": "crmkit.core.spec",
    "available": "crmkit.core.registry",
    "create": "crmkit.core.registry",
    "describe": "crmkit.core.registry",
    "failures": "crmkit.core.registry",
    "refresh": "crmkit.core.registry",
    "load": "crmkit.persistence",
    "save": "crmkit.persistence",
    "write_report": "crmkit.report",
}

logging.getLogger("crmkit").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Import a room or a name of the facade on first use."""
    if name in _ROOMS:
        return import_module(f"crmkit.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'crmkit' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "crmkit.core.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the facade."""
    return sorted({*globals(), *__all__})
