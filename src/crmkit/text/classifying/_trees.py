"""A decision tree and a random forest on the terms that tell the classes apart best."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2, f_classif
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.text.classifying._base import TextClassifier, smallest
from crmkit.text.classifying._input import SHARED_CONSTRAINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

__all__ = ["TextForest", "TextTree"]


class _Selected(TextClassifier):
    """A text classifier with probabilities that learns from the terms chosen by a test, on the training texts only."""

    n_features: int | None

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

    def _reduce(self, values: Any, codes: npt.NDArray[np.int64] | None) -> Any:
        """Keep the terms whose frequency differs most between the classes (chi-squared)."""
        if codes is not None:
            self.selector_ = None
            if self.n_features is not None and values.shape[1] > self.n_features:
                lowest = smallest(values)
                self.selector_ = SelectKBest(chi2 if lowest >= 0 else f_classif, k=self.n_features).fit(values, codes)
        return values if self.selector_ is None else self.selector_.transform(values)


class TextTree(_Selected):
    """One decision tree on the terms that tell the classes apart best: a set of rules to read.

    Each node asks for one term. The rules can be shown to anyone, and that is its use: it is the least accurate of
    the seven by far, for it sees a handful of terms of each text. Choosing 5,000 terms first keeps the fit short;
    the choice is made within `fit`, so cross-validation stays honest.

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
    n_features : int or None, default=5000
        How many features are kept by the chi-squared test (the F test where values are negative); None keeps all.
        Fewer is faster and, below some thousands, less accurate.
    max_depth : int or None, default=None
        Most questions on the way to an answer; a small number gives rules one can read.
    min_samples_leaf : int, default=1
        Fewest training texts behind an answer.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes; a dict is by label. Changes the result.
    random_state : int, RandomState or None, default=None
        Settles ties between equally good terms; changes the result.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.tree.DecisionTreeClassifier
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
    Breiman, Friedman, Olshen, Stone (1984). Classification and Regression Trees. Wadsworth.

    Examples
    --------
    >>> from crmkit.text import TextTree
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> TextTree(random_state=0).fit(texts, ["refund", "refund", "card", "card"]).predict(texts).tolist()
    ['refund', 'refund', 'card', 'card']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "n_features": [Interval(Integral, 1, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        n_features: int | None = 5000,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        class_weight: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.n_features = n_features
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.class_weight = class_weight
        self.random_state = random_state

    def _make_learner(self, values: Any) -> DecisionTreeClassifier:  # noqa: ARG002 -- the same for every kind of feature
        """Make the learner."""
        return DecisionTreeClassifier(
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            class_weight=self._coded_weights(),
            random_state=self.random_state,
        )


class TextForest(_Selected):
    """Many decision trees on resampled texts, each seeing some of the terms: robust, without anything to tune.

    The trees' probabilities are averaged. On short messages it stays behind the linear classifiers. Choosing 5,000
    terms first keeps the fit short; the choice is made within `fit`. Memory grows with trees times leaves times
    classes.

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
    n_features : int or None, default=5000
        How many features are kept by the chi-squared test (the F test where values are negative); None keeps all.
    n_estimators : int, default=100
        How many trees: more is steadier and slower.
    max_depth : int or None, default=None
        Most questions on the way to an answer.
    min_samples_leaf : int, default=1
        Fewest training texts behind an answer of one tree.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes; a dict is by label. Changes the result.
    n_jobs : int or None, default=None
        Trees grown side by side, through joblib; None is one. Changes only the speed.
    random_state : int, RandomState or None, default=None
        Which texts and terms each tree sees; changes the result.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    columns_ : list of str
        The columns used beside the text.
    learner_ : sklearn.ensemble.RandomForestClassifier
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
    Breiman (2001). Random forests. Machine Learning 45, 5-32, doi:10.1023/A:1010933404324.

    Examples
    --------
    >>> from crmkit.text import TextForest
    >>> texts = ["我要退款", "退款没到", "where is my card", "card not arrived"]
    >>> TextForest(random_state=0).fit(texts, ["refund", "refund", "card", "card"]).predict(texts).tolist()
    ['refund', 'refund', 'card', 'card']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "n_features": [Interval(Integral, 1, None, closed="left"), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "n_jobs": [int, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        n_features: int | None = 5000,
        n_estimators: int = 100,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        class_weight: Any = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.n_features = n_features
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _make_learner(self, values: Any) -> RandomForestClassifier:  # noqa: ARG002 -- the same for every kind of feature
        """Make the learner."""
        return RandomForestClassifier(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            class_weight=self._coded_weights(),
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
