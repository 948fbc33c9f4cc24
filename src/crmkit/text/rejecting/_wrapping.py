"""What classifiers that wrap another classifier share: making it, and passing on what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import require_methods
from crmkit.core.registry import create

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

__all__ = ["ScoringWrapper", "WrappingClassifier", "inner_has", "make_classifier"]

_SEEDS = 2**31 - 1


def make_classifier(estimator: Any, random_state: Any) -> Any:
    """Give an unfitted classifier for a name or an estimator.

    Parameters
    ----------
    estimator : str or classifier
        The name of a plugin of kind ``classifier``, or a classifier; it is cloned, never changed.
    random_state : int, RandomState or None
        Seeds the classifier where it has a seed and none was given.

    Returns
    -------
    classifier
        Not fitted.
    """
    given = create("classifier", estimator) if isinstance(estimator, str) else estimator
    require_methods(given, ["fit", "predict", "get_params"], role="estimator")
    made: Any = clone(given)
    if random_state is not None:
        unset = [
            name
            for name, value in made.get_params().items()
            if value is None and (name == "random_state" or name.endswith("__random_state"))
        ]
        seeds = check_random_state(random_state).randint(_SEEDS, size=len(unset))
        made.set_params(**dict(zip(sorted(unset), seeds.tolist(), strict=True)))
    return made


def inner_has(method: str) -> Callable[[Any], bool]:
    """Say whether the wrapped classifier has a method, for ``available_if``."""

    def check(wrapper: Any) -> bool:
        inner = getattr(wrapper, "estimator_", None)
        if inner is None:
            inner = make_classifier(wrapper.estimator, None)
        return callable(getattr(inner, method, None))

    return check


class WrappingClassifier(ClassifierMixin, BaseEstimator):
    """Base of classifiers that change what another classifier answers, not what it has learned."""

    estimator: Any
    estimator_: Any

    @property
    def text_column(self) -> str:
        """The column of a table that has the texts."""
        return str(getattr(getattr(self, "estimator_", self.estimator), "text_column", "text"))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(make_classifier(self.estimator, None)).input_tags
        return tags


class ScoringWrapper(WrappingClassifier):
    """A wrapper whose classes are those of the classifier within, so that its scores hold as they are."""

    @available_if(inner_has("decision_function"))
    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the scores of the wrapped classifier as they are.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts,) or (n_texts, n_classes)
            Its decision values.
        """
        check_is_fitted(self, "estimator_")
        scores: npt.NDArray[np.float64] = self.estimator_.decision_function(X)
        return scores
