"""What every segmenter must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import require_methods
from crmkit.testing.tables import blobs

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_has_the_methods(plugin: Plugin) -> None:
    """It fits and places; an inductive one also predicts."""
    wanted = ["fit", "fit_predict", *(["predict"] if "inductive" in plugin.spec.tags else [])]
    require_methods(plugin.make(), wanted, role="a segmenter")


def check_labels_are_integers_one_a_row(plugin: Plugin) -> None:
    """Labels are integers, one a row."""
    import numpy as np

    points, _ = blobs()
    labels = np.asarray(plugin.make().fit_predict(points))
    assert labels.shape == (len(points),), f"expected {len(points)} labels, got shape {labels.shape}"
    assert np.issubdtype(labels.dtype, np.integer), f"labels must be integers, got {labels.dtype}"


def check_fit_gives_the_segmenter(plugin: Plugin) -> None:
    """``fit`` returns the segmenter itself."""
    segmenter = plugin.make()
    assert segmenter.fit(blobs()[0]) is segmenter, "fit must return self"


def check_same_seed_gives_the_same_labels(plugin: Plugin) -> None:
    """Two runs with one seed agree."""
    import numpy as np

    points, _ = blobs()
    first, second = (np.asarray(plugin.make().fit_predict(points)) for _ in range(2))
    assert np.array_equal(first, second), "two runs with the same seed and data gave different labels"


def check_input_is_left_alone(plugin: Plugin) -> None:
    """The caller's array is not changed."""
    points, _ = blobs()
    before = points.copy()
    plugin.make().fit_predict(points)
    assert (points == before).all(), "fit_predict changed its input"


def check_a_frame_gives_the_same_labels(plugin: Plugin) -> None:
    """A DataFrame of the same numbers gives the same labels."""
    import numpy as np
    import pandas as pd

    points, _ = blobs()
    of_array = np.asarray(plugin.make().fit_predict(points))
    of_frame = np.asarray(plugin.make().fit_predict(pd.DataFrame(points, columns=["a", "b", "c"])))
    assert np.array_equal(of_array, of_frame), "a DataFrame gave other labels than the same array"


def check_prediction_places_without_moving(plugin: Plugin) -> None:
    """Predicting does not depend on who else is in the batch and moves nothing."""
    import numpy as np

    if "inductive" not in plugin.spec.tags:
        return
    points, _ = blobs()
    segmenter = plugin.make().fit(points[:60])
    together = np.asarray(segmenter.predict(points[60:]))
    alone = np.concatenate([np.asarray(segmenter.predict(points[row : row + 1])) for row in range(60, 90)])
    assert np.array_equal(together, alone), "a customer's segment depends on who else is in the batch"
    assert np.array_equal(together, np.asarray(segmenter.predict(points[60:]))), "predicting moved the segments"


def check_number_of_segments_is_obeyed(plugin: Plugin) -> None:
    """The parameter that facts name sets the number of segments."""
    import numpy as np

    parameter = plugin.spec.facts.get("n_segments")
    if parameter is None:
        return
    points, _ = blobs()
    labels = np.asarray(plugin.make(**{parameter: 3}).fit_predict(points))
    found = len(np.unique(labels[labels >= 0]))
    assert found == 3, f"{parameter}=3 gave {found} segments on three well-separated groups"


def check_parameters_can_be_read_and_cloned(plugin: Plugin) -> None:
    """It is an estimator for its parameters."""
    from sklearn.base import clone

    segmenter = plugin.make()
    copy: Any = clone(segmenter)
    assert copy is not segmenter
    assert set(copy.get_params()) == set(segmenter.get_params()), "clone has other parameters"


def check_missing_values_are_refused_or_handled(plugin: Plugin) -> None:
    """A NaN gives one ValueError, or labels: never a silent crash of another type."""
    import numpy as np

    points, _ = blobs()
    points[4, 1] = np.nan
    try:
        labels = plugin.make().fit_predict(points)
    except ValueError:
        return
    assert len(labels) == len(points), "rows with a missing value were dropped without a word"


CHECKS = (
    check_has_the_methods,
    check_fit_gives_the_segmenter,
    check_labels_are_integers_one_a_row,
    check_same_seed_gives_the_same_labels,
    check_input_is_left_alone,
    check_a_frame_gives_the_same_labels,
    check_prediction_places_without_moving,
    check_number_of_segments_is_obeyed,
    check_parameters_can_be_read_and_cloned,
    check_missing_values_are_refused_or_handled,
)
