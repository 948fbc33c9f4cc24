"""What every classifier must do, of tables or of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import require_methods
from crmkit.testing.tables import blobs, texts

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def _sample(plugin: Plugin) -> tuple[Any, Any]:
    """Give inputs and labels of the right form."""
    import numpy as np

    if plugin.reads_text:
        inputs, labels = texts()
        return inputs, np.array(labels)
    points, groups = blobs()
    return points, np.array(["a", "b", "c"])[groups]


def check_has_the_methods(plugin: Plugin) -> None:
    """It fits and predicts, and scores by decision_function or predict_proba."""
    inputs, labels = _sample(plugin)
    classifier = plugin.make()
    require_methods(classifier, ["fit", "predict", "get_params"], role="a classifier")
    assert classifier.fit(inputs, labels) is classifier, "fit must return self"
    scores = any(callable(getattr(classifier, name, None)) for name in ("decision_function", "predict_proba"))
    assert scores, "a classifier needs decision_function() or predict_proba()"


def check_learns_an_easy_task(plugin: Plugin) -> None:
    """It tells apart what is plainly different."""
    import numpy as np

    inputs, labels = _sample(plugin)
    predicted = np.asarray(plugin.make().fit(inputs, labels).predict(inputs))
    agreement = float(np.mean(predicted == labels))
    assert agreement >= 0.9, f"only {agreement:.0%} right on its own, plainly separable, training rows"


def check_labels_come_back_as_they_were(plugin: Plugin) -> None:
    """Predicted labels are among the given ones, and classes_ is sorted."""
    import numpy as np

    inputs, labels = _sample(plugin)
    classifier = plugin.make().fit(inputs, labels)
    assert list(classifier.classes_) == sorted(set(labels)), f"classes_ is {list(classifier.classes_)}"
    assert set(np.asarray(classifier.predict(inputs))) <= set(labels), "predicted a label it was never given"


def check_probabilities_sum_to_one(plugin: Plugin) -> None:
    """Rows of predict_proba are probabilities in the order of classes_."""
    import numpy as np

    inputs, labels = _sample(plugin)
    classifier = plugin.make().fit(inputs, labels)
    if not callable(getattr(classifier, "predict_proba", None)):
        return
    probabilities = np.asarray(classifier.predict_proba(inputs))
    assert probabilities.shape == (len(labels), len(classifier.classes_)), f"shape {probabilities.shape}"
    assert np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-6), "rows of predict_proba do not sum to 1"
    assert (probabilities >= 0).all(), "a probability is negative"


def check_same_seed_gives_the_same_answer(plugin: Plugin) -> None:
    """Two fits with one seed agree."""
    import numpy as np

    inputs, labels = _sample(plugin)
    first, second = (np.asarray(plugin.make().fit(inputs, labels).predict(inputs)) for _ in range(2))
    assert np.array_equal(first, second), "two fits with the same seed and data disagree"


CHECKS = (
    check_has_the_methods,
    check_learns_an_easy_task,
    check_labels_come_back_as_they_were,
    check_probabilities_sum_to_one,
    check_same_seed_gives_the_same_answer,
)
