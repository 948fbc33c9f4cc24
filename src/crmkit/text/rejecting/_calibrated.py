"""Probabilities from the scores of any text classifier."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.isotonic import IsotonicRegression
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.text._texts import read_labels
from crmkit.text.rejecting._folds import assign_folds, out_of_fold, readable_rows, score_columns
from crmkit.text.rejecting._temperature import fit_temperature, soften
from crmkit.text.rejecting._wrapping import ScoringWrapper, make_classifier

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["CalibratedTextClassifier"]


class CalibratedTextClassifier(ScoringWrapper):
    """A text classifier whose probabilities can be planned with.

    The classifier is fitted ``cv`` times, each time without some of the texts, which it then scores; from these scores
    one temperature is found, the number by which all scores are divided before the softmax (of two classes: the slope
    of one sigmoid). Then the classifier is fitted on all texts. With a temperature the predicted labels stay as they
    were; one number cannot overfit, so it serves with dozens of classes and few texts. Isotonic regression fits a
    rising staircase a class instead: more freedom, of use with few classes and thousands of texts of each.

    Cost: ``cv`` fits and one more. Assumes that new texts come as the training texts did: what is about none of the
    classes gets a probability all the same (see `RejectingClassifier`).

    Parameters
    ----------
    estimator : str or classifier, default="text-svm"
        The name of a plugin of kind ``classifier``, or a classifier with ``decision_function`` or ``predict_proba``;
        it is cloned. Changes the result.
    method : {"temperature", "isotonic"}, default="temperature"
        How scores become probabilities. Changes the result.
    cv : int, default=5
        How many times the classifier is fitted without some of the texts; more is slower and a little more exact.
    random_state : int, RandomState or None, default=None
        Which text is left out when; seeds the classifier too where it has no seed of its own.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    estimator_ : classifier
        Fitted on all texts.
    temperature_ : float
        What the scores are divided by.

    Raises
    ------
    DataError
        If no class has two texts.
    TypeError
        If the classifier has neither ``decision_function`` nor ``predict_proba``.

    See Also
    --------
    crmkit.metrics.ece : How far probabilities are from what happens.

    Notes
    -----
    The only text of a class is learned from each time and never scored, so it has no say in the temperature. Where
    isotonic regression leaves every class, or two classes, at the same probability, the softmax decides: it has the
    weight of one text beside all that were scored.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y., & Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML,
    PMLR 70, 1321-1330.

    Examples
    --------
    >>> from crmkit.text import CalibratedTextClassifier
    >>> texts = ["我要退款", "退款没到", "请退款", "where is my card", "card not arrived", "new card please"]
    >>> model = CalibratedTextClassifier("text-svm", cv=3, random_state=0).fit(texts, ["refund"] * 3 + ["card"] * 3)
    >>> model.predict_proba(["退款"]).shape
    (1, 2)
    >>> model.predict(["退款"]).tolist()
    ['refund']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "estimator": [str, HasMethods(["fit", "predict"])],
        "method": [StrOptions({"temperature", "isotonic"})],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimator: Any = "text-svm", *, method: str = "temperature", cv: int = 5, random_state: Any = None
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit the classifier, and what turns its scores into probabilities.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for the classifier.
        y : array-like, shape (n_texts,)
            Labels.

        Returns
        -------
        CalibratedTextClassifier
            Itself.
        """
        rows = readable_rows(X)
        labels = read_labels(y, rows.shape[0], what=type(self).__name__)
        self.estimator_ = make_classifier(self.estimator, self.random_state).fit(rows, labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        folds = assign_folds(codes, self.cv, self.random_state)
        scores = out_of_fold(lambda: make_classifier(self.estimator, self.random_state), rows, labels, folds)
        self._calibrate(scores[folds >= 0], codes[folds >= 0])
        return self

    def retune(self, X: Any, y: Any) -> Self:
        """Calibrate anew on texts the classifier did not learn from; what it has learned stays.

        For texts of a later month, or of other people than those whose texts were trained on.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            Texts held back.
        y : array-like, shape (n_texts,)
            Labels, all among ``classes_``.

        Returns
        -------
        CalibratedTextClassifier
            Itself.
        """
        check_is_fitted(self, "estimator_")
        rows = readable_rows(X)
        labels = read_labels(y, rows.shape[0], what=type(self).__name__)
        known = np.isin(labels, self.classes_)
        if not len(labels) or not known.all():
            raise DataError(f"retune needs texts with labels that were trained on: {int((~known).sum())} have others")
        self._calibrate(score_columns(self.estimator_, rows), np.searchsorted(self.classes_, labels))
        return self

    def _calibrate(self, scores: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> None:
        """Learn from scores of texts that were not trained on."""
        self.temperature_ = fit_temperature(scores, codes)
        self.stairs_: list[IsotonicRegression | None] = []
        self.n_calibrated_ = len(codes)
        if self.method == "isotonic":
            chances = soften(scores, self.temperature_)
            # A score means more beside the other classes' scores: the staircase climbs over the softmax.
            self.stairs_ = [_staircase(chances[:, place], codes == place) for place in range(len(self.classes_))]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each class.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_classes)
            Rows sum to 1.
        """
        check_is_fitted(self, "estimator_")
        chances = soften(score_columns(self.estimator_, X), self.temperature_)
        if not self.stairs_ or not len(chances):
            return chances
        climbed = np.column_stack(
            [
                chances[:, place] if stair is None else stair.predict(chances[:, place])
                for place, stair in enumerate(self.stairs_)
            ]
        )
        total = climbed.sum(axis=1, keepdims=True)
        shares = np.divide(climbed, total, out=chances.copy(), where=total > 0)
        weight = 1.0 / (self.n_calibrated_ + 1.0)
        return np.asarray((1.0 - weight) * shares + weight * chances)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the most likely label of each text.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n_texts,)
            Labels.
        """
        places = self.predict_proba(X).argmax(axis=1)
        predicted: npt.NDArray[Any] = self.classes_[places]
        return predicted


def _staircase(chances: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> IsotonicRegression | None:
    """Fit the staircase of one class; none for a class whose texts were never tried, which would never be given."""
    if not right.any():
        return None
    return IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(chances, right)
