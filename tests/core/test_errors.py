"""The tree of errors is a contract."""

from __future__ import annotations

import pytest

import crmkit


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("SchemaError", ("CrmkitError", ValueError)),
        ("DataError", ("CrmkitError", ValueError)),
        ("ExpressionError", ("DataError",)),
        ("ConfigError", ("CrmkitError", ValueError)),
        ("UnknownPluginError", ("PluginError", LookupError)),
        ("AmbiguousPluginError", ("PluginError",)),
        ("PluginLoadError", ("PluginError",)),
        ("PluginVersionError", ("PluginError",)),
        ("MissingExtraError", ("PluginError", ImportError)),
        ("ConvergenceError", ("CrmkitError",)),
        ("InfeasiblePlanError", ("CrmkitError",)),
        ("PersistenceError", ("CrmkitError",)),
        ("IntegrityError", ("CrmkitError",)),
        ("DataWarning", (UserWarning,)),
    ],
)
def test_an_error_can_be_caught_by_what_it_is(name, bases):
    error = getattr(crmkit, name)
    for base in bases:
        assert issubclass(error, getattr(crmkit, base) if isinstance(base, str) else base)


def test_one_schema_error_tells_every_problem():
    from crmkit.core.errors import SchemaProblem

    error = crmkit.SchemaError(
        "2 problems", [SchemaProblem("time", "is missing"), SchemaProblem("amount", "not finite", 7, (1, 5))]
    )
    assert str(error) == "2 problems\n  - time: is missing\n  - amount: not finite (7 rows: 1, 5, …)"
    assert len(error.problems) == 2


def test_errors_carry_their_facts():
    infeasible = crmkit.InfeasiblePlanError("no", conflict=["a", "b"], relaxation={"a": 1.0})
    assert (infeasible.conflict, infeasible.relaxation) == (("a", "b"), {"a": 1.0})
    assert crmkit.InfeasiblePlanError("no").relaxation == {}
    assert crmkit.ConvergenceError("no", parameter="alpha").parameter == "alpha"
