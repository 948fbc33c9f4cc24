"""What every spend model must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import purchase_summary

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_predicts_a_positive_spend_for_every_customer(plugin: Plugin) -> None:
    """``predict`` gives one finite number a customer, one-time buyers included."""
    import numpy as np

    summary = purchase_summary()
    model = plugin.make()
    assert model.fit(summary) is model, "fit must return self"
    spend = model.predict(summary)
    assert len(spend) == len(summary), f"expected {len(summary)} values, got {len(spend)}"
    assert spend.index.equals(summary.index), "predict must keep the customers and their order"
    values = np.asarray(spend, dtype=float)
    assert np.isfinite(values).all(), "a predicted spend is not finite"
    assert (values >= 0).all(), "a predicted spend is negative"


CHECKS = (check_predicts_a_positive_spend_for_every_customer,)
