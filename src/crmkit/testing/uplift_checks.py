"""What every uplift model must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import require_methods

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def _experiment() -> tuple[Any, Any, Any]:
    """Make a randomised experiment in which the treatment helps half of the customers, and nobody else."""
    import numpy as np

    random = np.random.default_rng(0)
    X = random.normal(size=(600, 2))
    treatment = random.integers(0, 2, 600)
    outcome = 1.0 + 4.0 * treatment * (X[:, 0] > 0) + random.normal(scale=0.5, size=600)
    return X, treatment, outcome


def _effects(answer: Any) -> Any:
    """Give the effects, of an answer with or without standard errors beside them."""
    import numpy as np

    effects = answer[0] if isinstance(answer, tuple) else answer
    return np.asarray(effects, dtype=float)


def check_has_the_methods(plugin: Plugin) -> None:
    """It fits on treatment and outcome, and predicts effects."""
    require_methods(plugin.make(), ["fit", "predict"], role="an uplift model")


def check_effects_are_one_row_a_customer_and_finite(plugin: Plugin) -> None:
    """``predict`` gives (n_customers, n_arms) finite effects."""
    import numpy as np

    X, treatment, outcome = _experiment()
    model = plugin.make()
    assert model.fit(X, treatment, outcome) is model, "fit must return self"
    effects = _effects(model.predict(X))
    assert effects.ndim == 2, f"expected (n_customers, n_arms), got {effects.ndim} dimensions"
    assert len(effects) == len(X), f"expected {len(X)} rows, got {len(effects)}"
    assert np.isfinite(effects).all(), "an effect is not finite"


def check_finds_whom_the_treatment_helps(plugin: Plugin) -> None:
    """On a plain experiment those who are helped get the larger effect."""
    X, treatment, outcome = _experiment()
    effects = _effects(plugin.make().fit(X, treatment, outcome).predict(X))[:, -1]
    helped = X[:, 0] > 0
    assert effects[helped].mean() > effects[~helped].mean() + 1.0, "does not tell apart whom the treatment helps"


def check_same_seed_gives_the_same_effects(plugin: Plugin) -> None:
    """Two fits with one seed agree."""
    import numpy as np

    X, treatment, outcome = _experiment()
    first, second = (_effects(plugin.make().fit(X, treatment, outcome).predict(X)) for _ in range(2))
    assert np.array_equal(first, second), "two fits with the same seed and data disagree"


def check_standard_errors_stand_beside_the_effects(plugin: Plugin) -> None:
    """Where ``predict`` gives a pair, the second is one standard error an effect, none of them negative."""
    import numpy as np

    X, treatment, outcome = _experiment()
    answer = plugin.make().fit(X, treatment, outcome).predict(X)
    if not isinstance(answer, tuple):
        return
    assert len(answer) == 2, f"expected effects and standard errors, got a tuple of {len(answer)}"
    errors = np.asarray(answer[1], dtype=float)
    assert errors.shape == _effects(answer).shape, "standard errors must have the shape of the effects"
    assert not (errors < 0).any(), "a standard error is negative"


def check_inputs_are_left_alone(plugin: Plugin) -> None:
    """The caller's arrays are not changed."""
    given = _experiment()
    copies = [one.copy() for one in given]
    X, treatment, outcome = given
    plugin.make().fit(X, treatment, outcome).predict(X)
    for name, one, copy in zip(("X", "treatment", "outcome"), given, copies, strict=True):
        assert (one == copy).all(), f"{name} was changed"


def check_a_customer_is_predicted_the_same_alone(plugin: Plugin) -> None:
    """An effect does not depend on who else is in the table."""
    import numpy as np

    X, treatment, outcome = _experiment()
    model = plugin.make().fit(X, treatment, outcome)
    assert np.allclose(_effects(model.predict(X))[:5], _effects(model.predict(X[:5]))), "depends on the batch"


CHECKS = (
    check_has_the_methods,
    check_effects_are_one_row_a_customer_and_finite,
    check_finds_whom_the_treatment_helps,
    check_same_seed_gives_the_same_effects,
    check_standard_errors_stand_beside_the_effects,
    check_inputs_are_left_alone,
    check_a_customer_is_predicted_the_same_alone,
)
