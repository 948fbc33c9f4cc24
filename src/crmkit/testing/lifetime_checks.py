"""What every lifetime model must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import contracts, period_summary, purchase_summary

if TYPE_CHECKING:
    import pandas as pd

    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]

_TABLES = {"summary": purchase_summary, "period-summary": period_summary, "contracts": contracts}


def _table(plugin: Plugin) -> pd.DataFrame:
    """Give a table of the kind that the spec's ``inputs`` name; a purchase summary where they name no other."""
    return next((_TABLES[name] for name in plugin.spec.inputs if name in _TABLES), purchase_summary)()


def check_predicts_for_every_customer(plugin: Plugin) -> None:
    """``predict`` keeps the customers and their order, with P(alive) and expected purchases."""
    import numpy as np

    summary = _table(plugin)
    model = plugin.make()
    assert model.fit(summary) is model, "fit must return self"
    predicted = model.predict(summary, horizon=39)
    assert predicted.index.equals(summary.index), "predict must keep the customers and their order"
    for column in ("p_alive", "expected_purchases"):
        assert column in predicted.columns, (
            f"predict gives no {column}; it gives {', '.join(map(str, predicted.columns))}"
        )
    alive = predicted["p_alive"].to_numpy(dtype=float)
    assert ((alive >= 0) & (alive <= 1)).all(), "P(alive) is not a probability"
    expected = predicted["expected_purchases"].to_numpy(dtype=float)
    assert np.isfinite(expected).all(), "expected purchases are not finite"
    assert (expected >= 0).all(), "expected purchases are negative"


def check_a_longer_horizon_expects_no_less(plugin: Plugin) -> None:
    """Expected purchases grow with the horizon."""
    import numpy as np

    summary = _table(plugin)
    model = plugin.make().fit(summary)
    short, long = (np.asarray(model.predict(summary, horizon=periods)["expected_purchases"]) for periods in (4, 52))
    assert (long >= short - 1e-9).all(), "a longer horizon expects fewer purchases"


def check_a_customer_is_predicted_the_same_alone(plugin: Plugin) -> None:
    """A prediction does not depend on who else is in the table."""
    import numpy as np

    summary = _table(plugin)
    model = plugin.make().fit(summary)
    together = np.asarray(model.predict(summary, horizon=12))[:5]
    assert np.allclose(together, np.asarray(model.predict(summary.iloc[:5], horizon=12))), "depends on the batch"


CHECKS = (
    check_predicts_for_every_customer,
    check_a_longer_horizon_expects_no_less,
    check_a_customer_is_predicted_the_same_alone,
)
