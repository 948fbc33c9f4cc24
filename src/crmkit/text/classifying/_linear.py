"""Linear text classifiers: support vectors, logistic regression, ridge."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.text.classifying._base import TextClassifier
from crmkit.text.classifying._equal_columns import merge_equal_columns
from crmkit.text.classifying._input import SHARED_CONSTRAINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["TextLogistic", "TextRidge", "TextSVM"]


class _Scored(TextClassifier):
    """A text classifier whose learner has a decision function."""

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Give how far each text is on the side of each class.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts,) or (n_texts, n_classes)
            For two classes one number, positive for the second class.
        """
        return self._scores(X, "decision_function")

    def linear_weights(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give what each class's score is made of.

        Returns
        -------
        weights : ndarray of float64, shape (n_classes, n_features)
            What one unit of each feature adds to the score of each class.
        base : ndarray of float64, shape (n_classes,)
            The score of a text without any feature. For two classes the first is the second with its sign turned.
        """
        check_is_fitted(self, "learner_")
        weights = np.atleast_2d(np.asarray(self.learner_.coef_, dtype=np.float64))
        base = np.atleast_1d(np.asarray(self.learner_.intercept_, dtype=np.float64))
        if len(weights) == 1:
            return np.vstack([-weights, weights]), np.concatenate([-base, base])
        return weights, base


class TextSVM(_Scored):
    """Linear support vectors on TF-IDF of words and characters: the first choice.

    One line between each class and the rest is placed so that the texts nearest to it are as far away as possible. It
    is the most accurate of the seven for its cost on both Chinese and English, and its decisions can be explained
    (`explain`). It gives scores, not probabilities: for those, wrap it in scikit-learn's
    ``CalibratedClassifierCV``, or take `TextLogistic`. Cost: linear in the texts and in the classes.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``;
        anything with ``fit`` and ``transform`` is a vectorizer. Changes the result.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone. Changes the result.
    text_column : str, default="text"
        Which column of a table has the texts.
    C : float, default=0.8
        How much a training error costs; smaller is smoother. Changes the result.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes; a dict is by label. Changes the result.
    max_iter : int, default=1000
        Most passes over the texts; more changes the result only where a warning says it did not converge.
    random_state : int, RandomState or None, default=None
        Order of the passes; changes the last digits of the scores.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.svm.LinearSVC
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
    Fan, Chang, Hsieh, Wang, Lin (2008). LIBLINEAR: a library for large linear classification. JMLR 9, 1871-1874.

    Examples
    --------
    >>> from crmkit.text import TextSVM
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> TextSVM(random_state=0).fit(texts, ["refund", "refund", "card", "card"]).predict(["退款", "my card"]).tolist()
    ['refund', 'card']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "C": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        C: float = 0.8,
        class_weight: Any = None,
        max_iter: int = 1000,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.random_state = random_state

    def _learn(self, values: Any, codes: npt.NDArray[np.int64]) -> Any:
        """Give the learner, fitted on each distinct column once: a sixth to a third less to do, the same weights."""
        if not sparse.issparse(values):
            return super()._learn(values, codes)
        values, place, root = merge_equal_columns(values)
        learner: Any = self._make_learner(values).fit(values, codes)
        learner.coef_ = np.asfortranarray((learner.coef_ / root)[:, place])
        learner.n_features_in_ = len(place)
        return learner

    def _make_learner(self, values: Any) -> LinearSVC:  # noqa: ARG002 -- the same for every kind of feature
        """Make the learner."""
        return LinearSVC(
            C=self.C,
            class_weight=self._coded_weights(),
            max_iter=self.max_iter,
            random_state=self.random_state,
        )


class TextLogistic(_Scored):
    """Multinomial logistic regression on TF-IDF of words and characters: probabilities in one step.

    Take it where the probability matters, for thresholds or for expected costs; with many classes it costs several
    times what `TextSVM` does and is about as accurate. With two classes the probabilities can be used as they are;
    with many they are too modest, see the guide. Cost: some fifty passes, each linear in texts times classes; memory
    of about 320 bytes for each pair of term and class.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``;
        anything with ``fit`` and ``transform`` is a vectorizer. Changes the result.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone. Changes the result.
    text_column : str, default="text"
        Which column of a table has the texts.
    C : float, default=10.0
        Inverse of the strength of regularisation. Changes the result.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes; a dict is by label. Changes the result.
    max_iter : int, default=300
        Most steps of the optimiser; a warning says when they did not suffice.
    random_state : int, RandomState or None, default=None
        Kept for the common form; the optimiser draws nothing.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.linear_model.LogisticRegression
        The fitted learner; its classes are the places in ``classes_``.

    Raises
    ------
    DataError
        If all texts are empty, a label is missing, or a column is not there.
    TypeError
        If a text is no ``str`` (bytes included), or one text is given instead of many.
    ValueError
        If there is only one class.

    Examples
    --------
    >>> from crmkit.text import TextLogistic
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> model = TextLogistic().fit(texts, ["refund", "refund", "card", "card"])
    >>> bool(model.predict_proba(["退款"])[0, 1] > 0.5)
    True
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "C": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        C: float = 10.0,
        class_weight: Any = None,
        max_iter: int = 300,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.random_state = random_state

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
        return self._scores(X, "predict_proba")

    def _make_learner(self, values: Any) -> LogisticRegression:  # noqa: ARG002 -- the same for every kind of feature
        """Make the learner."""
        return LogisticRegression(
            C=self.C,
            class_weight=self._coded_weights(),
            max_iter=self.max_iter,
            random_state=self.random_state,
        )


class TextRidge(_Scored):
    """Ridge regression of the classes' indicators on TF-IDF of words and characters, used as a classifier.

    One linear system a class; the largest value wins. Its single parameter is forgiving, and its scores are bounded
    for typical texts, but with dozens of classes it is less accurate than `TextSVM` and takes longer. It predicts
    labels: a regressor it is not.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``;
        anything with ``fit`` and ``transform`` is a vectorizer. Changes the result.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone. Changes the result.
    text_column : str, default="text"
        Which column of a table has the texts.
    alpha : float, default=2.0
        Strength of regularisation. Changes the result.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes; a dict is by label. Changes the result.
    random_state : int, RandomState or None, default=None
        Kept for the common form; the solver draws nothing.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.linear_model.RidgeClassifier
        The fitted learner; its classes are the places in ``classes_``.

    Raises
    ------
    DataError
        If all texts are empty, a label is missing, or a column is not there.
    TypeError
        If a text is no ``str`` (bytes included), or one text is given instead of many.
    ValueError
        If there is only one class.

    Examples
    --------
    >>> from crmkit.text import TextRidge
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> TextRidge().fit(texts, ["refund", "refund", "card", "card"]).predict(["退款", "my card"]).tolist()
    ['refund', 'card']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        alpha: float = 2.0,
        class_weight: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.alpha = alpha
        self.class_weight = class_weight
        self.random_state = random_state

    def _make_learner(self, values: Any) -> RidgeClassifier:
        """Make the learner."""
        # A relative residual of 1e-2 is where the accuracy has settled; 1e-3 takes half as long again.
        return RidgeClassifier(
            alpha=self.alpha,
            class_weight=self._coded_weights(),
            solver="sparse_cg" if sparse.issparse(values) else "auto",
            tol=1e-2,
            random_state=self.random_state,
        )
