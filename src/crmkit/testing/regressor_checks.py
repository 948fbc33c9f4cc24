"""What every regressor must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import blobs

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_predicts_one_number_a_row(plugin: Plugin) -> None:
    """Predictions are finite floats, one a row."""
    import numpy as np

    points, _ = blobs()
    regressor = plugin.make()
    assert regressor.fit(points, points[:, 0]) is regressor, "fit must return self"
    predicted = np.asarray(regressor.predict(points))
    assert predicted.shape == (len(points),), f"expected {len(points)} predictions, got shape {predicted.shape}"
    assert np.isfinite(predicted).all(), "a prediction is not finite"


def check_learns_an_easy_task(plugin: Plugin) -> None:
    """It beats the mean on a target that is one of the columns."""
    import numpy as np

    points, _ = blobs()
    target = points[:, 0]
    error = np.mean((np.asarray(plugin.make().fit(points, target).predict(points)) - target) ** 2)
    assert error < 0.5 * target.var(), f"squared error {error:.3g} against {target.var():.3g} of the mean alone"


def check_same_seed_gives_the_same_answer(plugin: Plugin) -> None:
    """Two fits with one seed agree."""
    import numpy as np

    points, _ = blobs()
    first, second = (np.asarray(plugin.make().fit(points, points[:, 0]).predict(points)) for _ in range(2))
    assert np.array_equal(first, second), "two fits with the same seed and data disagree"


CHECKS = (check_predicts_one_number_a_row, check_learns_an_easy_task, check_same_seed_gives_the_same_answer)
