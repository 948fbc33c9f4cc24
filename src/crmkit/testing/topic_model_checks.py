"""What every topic model must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import texts

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_weights_one_row_a_text(plugin: Plugin) -> None:
    """``transform`` gives (n_texts, n_topics) weights that are not negative."""
    import numpy as np

    sample, _ = texts()
    model = plugin.make()
    assert model.fit(sample) is model, "fit must return self"
    weights = np.asarray(model.transform(sample))
    assert weights.ndim == 2, f"expected two dimensions, got {weights.ndim}"
    assert len(weights) == len(sample), f"expected {len(sample)} rows, got {len(weights)}"
    assert np.isfinite(weights).all(), "a weight is not finite"


def check_topics_is_a_table(plugin: Plugin) -> None:
    """``topics(n_terms)`` gives a DataFrame."""
    import pandas as pd

    sample, _ = texts()
    topics = plugin.make().fit(sample).topics(3)
    assert isinstance(topics, pd.DataFrame), f"topics must be a DataFrame, got {type(topics).__name__}"
    assert len(topics), "there are no topics"


CHECKS = (check_weights_one_row_a_text, check_topics_is_a_table)
