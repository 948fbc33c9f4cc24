"""Naive Bayes on counts of words and characters."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.naive_bayes import MultinomialNB
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.text.classifying._base import TextClassifier, smallest
from crmkit.text.classifying._input import SHARED_CONSTRAINTS
from crmkit.text.features._text_features import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["TextNaiveBayes"]


class TextNaiveBayes(TextClassifier):
    """Multinomial naive Bayes on counts of words and characters: a fit in one pass.

    Each class is a bag of terms; a text belongs where its terms are most at home. It learns fastest of all, but counts
    overlapping terms as if they were independent, so its probabilities are far too sure: use the scores, or calibrate
    them where there are two classes. It wants counts: with many classes complement naive Bayes stays seven to ten
    points behind, on TF-IDF and on counts.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures` with counts; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``;
        anything with ``fit`` and ``transform`` is a vectorizer. Changes the result.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone. Changes the result.
    text_column : str, default="text"
        Which column of a table has the texts.
    alpha : float, default=0.1
        Count added to every term; scikit-learn's 1 is too much for tens of thousands of terms. Changes the result.
    fit_prior : bool, default=True
        Whether frequent classes are likelier from the start. Changes the result.
    random_state : int, RandomState or None, default=None
        Kept for the common form; nothing is drawn.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.naive_bayes.MultinomialNB
        The fitted learner; its classes are the places in ``classes_``.

    Raises
    ------
    DataError
        If all texts are empty, a label is missing, or a column is not there.
    TypeError
        If a text is no ``str`` (bytes included), or one text is given instead of many.
    ValueError
        If there is only one class.

    References
    ----------
    McCallum, Nigam (1998). A comparison of event models for naive Bayes text classification. AAAI workshop.

    Examples
    --------
    >>> from crmkit.text import TextNaiveBayes
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> TextNaiveBayes().fit(texts, ["refund", "refund", "card", "card"]).predict(["退款", "my card"]).tolist()
    ['refund', 'card']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "fit_prior": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        alpha: float = 0.1,
        fit_prior: bool = True,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.alpha = alpha
        self.fit_prior = fit_prior
        self.random_state = random_state

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the log-odds of the classes.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts,) or (n_texts, n_classes)
            For two classes the log-odds of the second; for more, each class's log-likelihood less their mean.
        """
        joint = self._scores(X, "predict_joint_log_proba")
        if joint.shape[1] == 2:
            return np.asarray(joint[:, 1] - joint[:, 0])
        return np.asarray(joint - joint.mean(axis=1, keepdims=True))

    def linear_weights(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give what each class's log-odds are made of.

        Returns
        -------
        weights : ndarray of float64, shape (n_classes, n_features)
            What one more of each term adds to the score of each class.
        base : ndarray of float64, shape (n_classes,)
            The score of a text without any term.
        """
        check_is_fitted(self, "learner_")
        weights, base = self.learner_.feature_log_prob_, self.learner_.class_log_prior_
        if len(base) == 2:
            return weights - weights[::-1], base - base[::-1]
        return weights - weights.mean(axis=0), base - base.mean()

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each class, too sure as it is.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_classes)
            Rows sum to 1.
        """
        return self._scores(X, "predict_proba")

    def _default_features(self) -> TextFeatures:
        """Count; TF-IDF is no count."""
        return TextFeatures(weighting="count")

    def _reduce(self, values: Any, codes: npt.NDArray[np.int64] | None) -> Any:
        """Refuse features that cannot be counts."""
        if codes is not None and smallest(values) < 0:
            raise DataError("naive Bayes needs counts, and these features are negative: take text-svm or text-logistic")
        return values

    def _make_learner(self, values: Any) -> MultinomialNB:  # noqa: ARG002 -- the same for every kind of feature
        """Make the learner."""
        return MultinomialNB(alpha=self.alpha, fit_prior=self.fit_prior)
