"""Labels where the classifier is sure enough, and "unsure" where it is not."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics.intervals import share, wilson
from crmkit.text._texts import read_labels
from crmkit.text.rejecting._folds import assign_folds, out_of_fold, readable_rows, score_columns
from crmkit.text.rejecting._promises import Tried, keeping_threshold, precision_thresholds, try_promise
from crmkit.text.rejecting._temperature import fit_temperature, soften
from crmkit.text.rejecting._wrapping import ScoringWrapper, inner_has, make_classifier

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["RejectingClassifier"]

_RULE_OF_THREE = 3.0


class RejectingClassifier(ScoringWrapper):
    """A classifier that says "unsure" instead of a label where it cannot keep what was promised.

    Every text is scored by a model that did not learn from it (``cv`` fits), and thresholds are chosen on these scores.
    ``precision`` promises what share of the labels given is right: how sure the classifier is counts as the
    probability of its label (one temperature, see `CalibratedTextClassifier`), and each class gets the lowest threshold
    above which its share of right labels is as promised. ``keep`` promises what share of texts that belong to one of
    the classes is answered: here the largest score counts, and one threshold serves all classes, so that a text about
    none of them is left out although no such text was ever seen. Each promise is then tried on texts that its
    thresholds were not chosen by, and what was found stands in ``promises_`` with its interval.

    Cost: ``cv`` fits and one more. Assumes that new texts come as the training texts did. Where these were written by
    a few people, or long ago, choose the thresholds on texts held back, by `retune`: training texts are then more alike
    than new ones, and ``keep`` would keep fewer than it promises.

    Parameters
    ----------
    estimator : str or classifier
        The name of a plugin of kind ``classifier``, or a classifier of texts or of tables with ``decision_function`` or
        ``predict_proba``; it is cloned. Changes the result.
    precision : float or None, default=None
        Promised share of right labels among those given, in (0, 1].
    keep : float or None, default=None
        Promised share of texts of the known classes that get a label, in (0, 1]. One of the two must be given.
    unsure : object, default="unsure"
        What stands for no label; none of the labels. Where labels are no text, the answers are an object array, unless
        it is of their kind, such as -1.
    cv : int, default=5
        How many times the classifier is fitted without some of the texts.
    random_state : int, RandomState or None, default=None
        Which text is left out when; seeds the classifier too where it has no seed of its own.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted; without ``unsure``.
    estimator_ : classifier
        Fitted on all texts.
    thresholds_ : ndarray of float64, shape (n_classes,)
        How sure it must be to give each label; infinite where no threshold keeps the promise.
    pooled_ : ndarray of bool, shape (n_classes,)
        Which classes were given to too few texts for a threshold of their own and share one.
    temperature_ : float
        What the scores are divided by for probabilities.
    coverage_ : Estimate
        The share of texts that got a label, tried out of fold.
    precision_ : Estimate
        The share of right labels among those given, tried out of fold.
    promises_ : pandas.DataFrame
        A row a class: what was promised and what was found.

    Raises
    ------
    DataError
        If ``unsure`` is one of the labels, or no class has two texts.
    ValueError
        If not exactly one promise is given.

    Notes
    -----
    A class needs three in ``1 - precision`` texts for a threshold of its own (60 for .95): with fewer, not even a class
    without any mistake could show that it keeps the promise. The classes below that share one threshold, and one
    promise; where they have too few texts even together, the threshold is the one that all texts call for. ``score``
    counts "unsure" as wrong.

    References
    ----------
    Chow, C. K. (1970). On optimum recognition error and reject tradeoff. IEEE Transactions on Information Theory 16,
    41-46. doi:10.1109/TIT.1970.1054406

    Larson, S., et al. (2019). An evaluation dataset for intent classification and out-of-scope prediction.
    EMNLP-IJCNLP, 1311-1316. doi:10.18653/v1/D19-1131

    Examples
    --------
    >>> from crmkit.text import RejectingClassifier
    >>> texts = ["I want a refund", "refund please", "my refund is late", "where is my card", "new card", "lost card"]
    >>> labels = ["refund"] * 3 + ["card"] * 3
    >>> model = RejectingClassifier("text-svm", keep=0.8, cv=3, random_state=0).fit(texts, labels)
    >>> model.predict(["a refund", "what a lovely day"]).tolist()
    ['refund', 'unsure']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "estimator": [str, HasMethods(["fit", "predict"])],
        "precision": [Interval(Real, 0, 1, closed="right"), None],
        "keep": [Interval(Real, 0, 1, closed="right"), None],
        "unsure": "no_validation",
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        precision: float | None = None,
        keep: float | None = None,
        unsure: Any = "unsure",
        cv: int = 5,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.precision = precision
        self.keep = keep
        self.unsure = unsure
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit the classifier and choose the thresholds out of fold.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for the classifier.
        y : array-like, shape (n_texts,)
            Labels.

        Returns
        -------
        RejectingClassifier
            Itself.
        """
        if (self.precision is None) == (self.keep is None):
            raise ValueError("RejectingClassifier promises one thing: give precision= or keep=, and not both")
        rows = readable_rows(X)
        labels = read_labels(y, rows.shape[0], what=type(self).__name__)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if self.unsure in self.classes_.tolist():
            raise DataError("unsure= is one of the labels: name something else")
        self.estimator_ = make_classifier(self.estimator, self.random_state).fit(rows, labels)
        folds = assign_folds(codes, self.cv, self.random_state)
        scores = out_of_fold(lambda: make_classifier(self.estimator, self.random_state), rows, labels, folds)
        tested = folds >= 0
        self._choose(scores[tested], codes[tested], folds[tested])
        return self

    def retune(self, X: Any, y: Any) -> Self:
        """Choose the thresholds anew on texts the classifier did not learn from; what it has learned stays.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            Texts held back.
        y : array-like, shape (n_texts,)
            Labels. A text with a label that is none of ``classes_`` is wrong whatever label it gets; it has no say in
            ``keep``, which is about texts of the known classes.

        Returns
        -------
        RejectingClassifier
            Itself.
        """
        check_is_fitted(self, "estimator_")
        rows = readable_rows(X)
        labels = read_labels(y, rows.shape[0], what=type(self).__name__)
        places = np.searchsorted(self.classes_, labels)
        known = np.isin(labels, self.classes_)
        codes = np.where(known, places, -1)
        used = known if self.keep is not None else np.ones(len(codes), dtype=bool)
        if not known.any():
            raise DataError(f"none of the {len(labels)} texts to retune on has a label that was trained on")
        folds = assign_folds(np.zeros(len(codes), dtype=np.int64), self.cv, self.random_state)
        self._choose(score_columns(self.estimator_, rows)[used], codes[used], folds[used])
        return self

    def _choose(
        self, scores: npt.NDArray[np.float64], codes: npt.NDArray[np.int64], folds: npt.NDArray[np.int64]
    ) -> None:
        """Choose thresholds by the scores of texts that were not trained on, and try the promise."""
        known = codes >= 0
        self.temperature_ = fit_temperature(scores[known], codes[known])
        given = scores.argmax(axis=1)
        tried = Tried(given, given == codes, self._sureness(scores), len(self.classes_))
        least = _RULE_OF_THREE / max(1.0 - float(self.precision or 0.0), 1e-12)
        if self.precision is not None:
            self.thresholds_, self.pooled_ = precision_thresholds(tried, self.precision, least)
        else:
            self.thresholds_ = np.full(len(self.classes_), keeping_threshold(tried.sure, float(self.keep or 1.0)))
            self.pooled_ = np.ones(len(self.classes_), dtype=bool)
        kept = try_promise(tried, folds, precision=self.precision, keep=self.keep, least=least)
        self.n_tried_, self.n_kept_, self.n_right_ = len(kept), int(kept.sum()), int((kept & tried.right).sum())
        # A promise of precision is about the texts given a label, a promise to keep about those that have it.
        classes = given if self.precision is not None else codes
        self.counts_ = np.column_stack(
            [
                np.bincount(classes[rows], minlength=len(self.classes_))
                for rows in (np.ones(len(kept), dtype=bool), kept, kept & tried.right)
            ]
        )
        silent = int(np.isinf(self.thresholds_).sum())
        if silent:
            warnings.warn(
                f"no threshold gives {silent} of the {len(self.classes_)} classes a precision of {self.precision:g}: "
                "no text will get these labels (promises_ names them)",
                DataWarning,
                stacklevel=4,
            )

    def _sureness(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give what the thresholds are compared with: a probability for precision, the largest score to keep."""
        if self.precision is None:
            return np.asarray(scores.max(axis=1))
        return np.asarray(soften(scores, self.temperature_).max(axis=1))

    def sureness(self, X: Any) -> npt.NDArray[np.float64]:
        """Give how sure the classifier is of each text's likeliest label, as compared with ``thresholds_``.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts,)
            The probability of that label where ``precision`` was promised, the largest score where ``keep`` was.
        """
        check_is_fitted(self, "estimator_")
        return self._sureness(score_columns(self.estimator_, X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the likeliest label of each text, ``unsure`` where it is not sure enough.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n_texts,)
            Labels and ``unsure``.
        """
        check_is_fitted(self, "estimator_")
        scores = score_columns(self.estimator_, X)
        places = scores.argmax(axis=1)
        sure = self._sureness(scores) >= self.thresholds_[places]
        labels = self.classes_[places]
        apart = np.asarray(self.unsure).dtype.kind != labels.dtype.kind
        answer: npt.NDArray[Any] = labels.astype(object) if apart else labels
        if not apart and labels.dtype.kind == "U":
            answer = labels.astype(np.result_type(labels, np.asarray(self.unsure)))
        answer[~sure] = self.unsure
        return answer

    @available_if(inner_has("predict_proba"))
    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probabilities of the wrapped classifier as they are.

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
        chances: npt.NDArray[np.float64] = self.estimator_.predict_proba(X)
        return chances

    @property
    def coverage_(self) -> Estimate:
        """The share of texts that got a label, tried out of fold."""
        check_is_fitted(self, "counts_")
        return share(self.n_kept_, self.n_tried_)

    @property
    def precision_(self) -> Estimate:
        """The share of right labels among those given, tried out of fold."""
        check_is_fitted(self, "counts_")
        if not self.n_kept_:
            raise DataError("no text was kept when the promise was tried: there is no precision to give")
        return share(self.n_right_, self.n_kept_)

    @property
    def promises_(self) -> pd.DataFrame:
        """What was promised and what was found, a row a class.

        ``threshold``; ``pooled`` (whether it is shared); ``n`` texts that were given the label (with ``keep``: that
        have it); ``n_kept`` of them kept by thresholds chosen without them; ``found``, the share of these that is
        right (with ``keep``: the share kept), with ``low`` and ``high``, the ends of its 95% Wilson interval;
        ``promised``.
        """
        check_is_fitted(self, "counts_")
        n, kept, right = self.counts_.T
        hits, trials = (right, kept) if self.precision is not None else (kept, n)
        low, high = wilson(hits, trials)
        found = np.divide(hits, trials, out=np.full(len(n), np.nan), where=trials > 0)
        return pd.DataFrame(
            {
                "threshold": self.thresholds_,
                "pooled": self.pooled_,
                "n": n,
                "n_kept": kept,
                "found": found,
                "low": low,
                "high": high,
                "promised": self.precision if self.precision is not None else self.keep,
            },
            index=pd.Index(self.classes_, name="label"),
        )
