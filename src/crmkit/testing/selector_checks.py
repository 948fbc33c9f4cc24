"""What every feature selector must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import blobs

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_keeps_a_subset_of_the_columns(plugin: Plugin) -> None:
    """What comes out are columns that went in, and get_support says which."""
    import numpy as np

    points, groups = blobs()
    selector = plugin.make()
    assert selector.fit(points, groups) is selector, "fit must return self"
    support = np.asarray(selector.get_support())
    assert support.shape == (points.shape[1],), f"get_support() has shape {support.shape}"
    assert np.array_equal(selector.transform(points), points[:, support]), (
        "transform gives other columns than get_support says"
    )


def check_reads_training_rows_only(plugin: Plugin) -> None:
    """Transforming new rows changes nothing of the choice."""
    import numpy as np

    points, groups = blobs()
    selector = plugin.make().fit(points[:60], groups[:60])
    before = np.asarray(selector.get_support()).copy()
    selector.transform(points[60:] * 1e9)
    assert np.array_equal(before, selector.get_support()), "transforming new rows changed the chosen columns"


CHECKS = (check_keeps_a_subset_of_the_columns, check_reads_training_rows_only)
