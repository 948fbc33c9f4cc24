"""Probabilities after the base rate has moved: estimating the new rate without labels, and correcting for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.stats import chi2
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import normal_quantile
from crmkit.metrics.probability import coded_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["PriorCorrected", "PriorShift", "correct_prior", "estimate_prior"]

_TINY = 1e-12
_BINS = 10
_LEAST_IN_A_BIN = 5
_ROUNDED = 1e-3


def correct_prior(probabilities: Any, *, trained: Any, now: Any) -> npt.NDArray[np.float64]:
    """Bring probabilities to another base rate.

    Each label's probability is multiplied by how much more frequent the label is now than it was among the training
    rows, and rows are brought to sum 1. Right where only the shares of labels have moved and rows of one label look as
    they did (label shift), and the probabilities were right before. The order of rows stays.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        Of the positive label of two, or of each label.
    trained, now : float, or array-like of float of shape (n_labels,)
        The shares of labels among the training rows and now: of the positive label of two, or of each.

    Returns
    -------
    ndarray of float64
        Of the shape given.

    Raises
    ------
    DataError
        If shares are no shares, or do not fit the columns.

    References
    ----------
    Saerens, M., Latinne, P., & Decaestecker, C. (2002). Adjusting the outputs of a classifier to new a priori
    probabilities. Neural Computation 14, 21-41. doi:10.1162/089976602753284446

    Examples
    --------
    >>> from crmkit.prediction import correct_prior
    >>> correct_prior([0.067, 0.5], trained=0.067, now=0.316).round(3).tolist()
    [0.316, 0.865]
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if given.ndim not in {1, 2} or not np.isfinite(given).all() or (given < 0).any() or (given > 1).any():
        raise DataError("probabilities must be one or more columns between 0 and 1")
    columns = np.column_stack([1 - given, given]) if given.ndim == 1 else given
    old, new = _shares(trained, columns.shape[1], "trained"), _shares(now, columns.shape[1], "now")
    if ((old == 0) & (new > 0)).any():
        raise DataError("a label that was not among the training rows cannot be corrected for")
    weighted = columns * np.divide(new, old, out=np.zeros_like(new), where=old > 0)
    total = weighted.sum(axis=1, keepdims=True)
    corrected = np.divide(weighted, total, out=np.broadcast_to(new, weighted.shape).copy(), where=total > 0)
    return np.asarray(corrected[:, 1] if given.ndim == 1 else corrected)


def _shares(given: Any, n_labels: int, what: str) -> npt.NDArray[np.float64]:
    """Give the share of each label."""
    shares = np.atleast_1d(np.asarray(given, dtype=np.float64))
    if shares.shape == (1,) and n_labels == 2:
        shares = np.array([1 - shares[0], shares[0]])
    if shares.shape != (n_labels,) or not np.isfinite(shares).all() or (shares < 0).any():
        raise DataError(f"{what} must be the share of each of the {n_labels} labels, or of the second of two")
    if abs(shares.sum() - 1) > 1e-6:
        raise DataError(f"{what} must sum to 1, got {shares.sum():.6g}")
    return shares


@dataclass(frozen=True)
class PriorShift:
    """How far the shares of labels have moved.

    Parameters
    ----------
    now : dict of object to Estimate
        The share of each label now, with its interval.
    trained : dict of object to float
        The share among the training rows.
    method : str
        "em" or "bbse".
    p_value : float
        How likely scores so different from what shares alone can explain would be by chance; NaN without validation
        rows, or where they are too few or too much alike. Small means that rows of one label look otherwise than they
        did: then neither the shares nor corrected probabilities can be believed.
    n : int
        New rows.
    """

    now: dict[Any, Estimate]
    trained: dict[Any, float]
    method: str
    p_value: float
    n: int

    @property
    def table(self) -> pd.DataFrame:
        """A row a label: ``trained``, ``now``, ``low``, ``high``."""
        rows = {
            label: {"trained": self.trained[label], "now": one.value, "low": one.low, "high": one.high}
            for label, one in self.now.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("label")

    def correct(self, probabilities: Any) -> npt.NDArray[np.float64]:
        """Bring probabilities to the shares of now.

        Parameters
        ----------
        probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
            Of the model, before correction.

        Returns
        -------
        ndarray of float64
            Of the shape given.
        """
        new = np.array([one.value for one in self.now.values()])
        return correct_prior(probabilities, trained=list(self.trained.values()), now=new / new.sum())

    def __repr__(self) -> str:
        moved = ", ".join(f"{label}: {self.trained[label]:.3g} -> {one}" for label, one in self.now.items())
        if np.isnan(self.p_value):
            doubt = (
                "whether only shares have moved was not tested: that takes validation= with five rows of each label, "
                "whose scores differ"
            )
        elif self.p_value < 0.01:
            doubt = f"but shares alone do not explain the new scores (p = {self.p_value:.2g}): do not rely on it"
        else:
            doubt = f"and shares alone explain the new scores (p = {self.p_value:.2g})"
        return f"{moved}; {doubt}"

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=repr(self))


def estimate_prior(
    probabilities: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    trained: Any = None,
    labels: Sequence[Any] | None = None,
    method: str = "em",
    level: float = 0.95,
) -> PriorShift:
    """Estimate the shares of labels among new rows whose labels are not known yet.

    Assumes label shift: shares have moved, but rows of one label look as they did. "em" (Saerens et al.) takes the
    shares at which the new probabilities are likeliest: precise, and only as right as the probabilities are calibrated.
    "bbse" (Lipton et al.) solves for the shares that explain how often each label is predicted, by how often each was
    predicted for which label among validation rows: right for badly calibrated models too, with a wider interval. With
    validation rows the assumption itself is tested, by how the new scores are spread over bins. Costs one pass over the
    rows a step.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        The model's, for the new rows: of the positive label of two, or of each in order.
    validation : pair of (labels, probabilities), default=None
        Of rows as those trained on, that the model had not seen (out of fold, or held back). Needed for "bbse" and for
        the test.
    trained : float or array-like, default=None
        Shares among the training rows; where None, those of the validation rows.
    labels : sequence, default=None
        The label of each column; where None, those of the validation rows in ascending order, else 0, 1, and so on.
    method : {"em", "bbse"}, default="em"
        How.
    level : float, default=0.95
        Nominal coverage. The interval of "em" takes the probabilities as right; that of "bbse" counts the chance in the
        validation rows too.

    Returns
    -------
    PriorShift
        ``.now``, ``.table``, ``.p_value``, ``.correct(probabilities)``.

    Raises
    ------
    DataError
        If there are no validation rows where they are needed, or predictions do not tell labels apart: where all new
        rows have the same probabilities, any shares explain them, or none but an extreme.

    Notes
    -----
    The test compares the shares of new rows in ten bins of the validation scores (of more than two labels: predicted
    label by surer or less sure) with the best mixture of the labels' own shares there, weighted by the chance in both;
    under label shift the distance is chi-squared with bins - labels degrees of freedom.

    References
    ----------
    Saerens, M., Latinne, P., & Decaestecker, C. (2002). Adjusting the outputs of a classifier to new a priori
    probabilities. Neural Computation 14, 21-41. doi:10.1162/089976602753284446
    Lipton, Z. C., Wang, Y.-X., & Smola, A. (2018). Detecting and correcting for label shift with black box predictors.
    ICML, PMLR 80, 3122-3130.

    Examples
    --------
    >>> from crmkit.prediction import estimate_prior
    >>> shift = estimate_prior([0.9, 0.8, 0.9, 0.1], trained=0.2)
    >>> bool(shift.now[1] > 0.6)
    True
    """
    if method not in {"em", "bbse"}:
        raise DataError(f"method must be 'em' or 'bbse', got {method!r}")
    held = None
    names = None if labels is None else list(labels)
    if validation is not None:
        given, codes, found = coded_probabilities(*validation, names)
        names = found if names is None else names
        held = (_two(given), codes)
    new = _new_rows(probabilities)
    names = list(range(new.shape[1])) if names is None else names
    if len(names) != new.shape[1] or (held is not None and held[0].shape[1] != new.shape[1]):
        raise DataError(f"probabilities have {new.shape[1]} columns, but {len(names)} labels are known")
    if trained is None and held is None:
        raise DataError("the shares of labels among the training rows are needed: give trained= or validation=")
    if held is None and method == "bbse":
        raise DataError("'bbse' needs validation rows with known labels: validation=(labels, probabilities)")
    old = np.bincount(held[1], minlength=len(names)) / len(held[1]) if trained is None and held is not None else None
    old = _shares(trained, len(names), "trained") if old is None else old
    if (old <= 0).any():
        raise DataError("every label must be among the training rows")
    if method == "em" or held is None:
        shares, covariance = _by_em(new, old)
    else:
        shares, covariance = _by_predictions(new, *held)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0)) * normal_quantile(level)
    now = {
        name: Estimate(
            share, n=len(new), low=max(share - error, 0.0), high=min(share + error, 1.0), level=level, method=method
        )
        for name, share, error in zip(names, shares.tolist(), errors.tolist(), strict=True)
    }
    p_value = float("nan") if held is None else _p_value(new, *held)
    return PriorShift(now, dict(zip(names, old.tolist(), strict=True)), method, p_value, len(new))


def _new_rows(probabilities: Any) -> npt.NDArray[np.float64]:
    """Give the new rows with a column for each label, refusing what can tell no shares."""
    new = _two(np.asarray(probabilities, dtype=np.float64))
    if not len(new) or not np.isfinite(new).all() or (new < 0).any() or (new > 1).any():
        raise DataError("probabilities must be at least one row, all between 0 and 1")
    if (np.abs(new.sum(axis=1) - 1) > _ROUNDED).any():
        raise DataError("probabilities of a row must sum to 1")
    if np.linalg.matrix_rank(new, tol=1e-9 * len(new)) < new.shape[1]:
        raise DataError(
            f"the {len(new):,} new rows have probabilities that do not tell the labels apart (all the same, or one row "
            "only): no shares can be estimated"
        )
    return new


def _two(given: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give a column for each label."""
    return np.column_stack([1 - given, given]) if given.ndim == 1 else given


def _by_em(
    new: npt.NDArray[np.float64], old: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the likeliest shares and their covariance, from the information in the new rows."""
    ratios = np.maximum(new, _TINY) / old
    shares = old.copy()
    for _ in range(10_000):
        weighted = ratios * shares
        step = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
        moved = np.abs(step - shares).max()
        shares = step
        if moved < 1e-10:
            break
    slopes = (ratios[:, :-1] - ratios[:, -1:]) / (ratios @ shares)[:, None]
    free = np.linalg.pinv(slopes.T @ slopes)
    spread = np.vstack([np.eye(len(old) - 1), -np.ones(len(old) - 1)])
    return shares, spread @ free @ spread.T


def _multinomial(shares: npt.NDArray[np.float64], n: float) -> npt.NDArray[np.float64]:
    """Give the covariance of observed shares."""
    return np.asarray((np.diag(shares) - np.outer(shares, shares)) / n)


def _by_predictions(
    new: npt.NDArray[np.float64], held: npt.NDArray[np.float64], codes: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Solve how often each label is predicted for the shares, by the delta method with their covariance."""
    n_labels = held.shape[1]
    sizes = np.bincount(codes, minlength=n_labels)
    if (sizes < 2).any():
        raise DataError("every label needs at least two validation rows")
    # With rare labels none may ever be the likeliest: a row counts for a label where it is likelier than usual.
    usual = sizes / sizes.sum()
    said, said_new = ((one / usual).argmax(axis=1) for one in (held, new))
    confusion = np.zeros((n_labels, n_labels))
    np.add.at(confusion, (said, codes), 1.0)
    confusion /= sizes
    if np.linalg.cond(confusion) > 1e6:
        raise DataError("the predictions do not tell the labels apart: no shares can be solved for")
    seen = np.bincount(said_new, minlength=n_labels) / len(new)
    inverse = np.linalg.inv(confusion)
    raw = inverse @ seen
    shares = np.maximum(raw, 0.0)
    shares /= shares.sum()
    noise = _multinomial(seen, len(new))
    for label in range(n_labels):
        noise = noise + shares[label] ** 2 * _multinomial(confusion[:, label], float(sizes[label]))
    return shares, inverse @ noise @ inverse.T


def _p_value(new: npt.NDArray[np.float64], held: npt.NDArray[np.float64], codes: npt.NDArray[np.intp]) -> float:
    """Test whether a mixture of the labels' own scores can be what the new scores are."""
    bins_held, bins_new = _binned(held, new)
    n_bins, n_labels = int(max(bins_held.max(), bins_new.max())) + 1, held.shape[1]
    sizes = np.bincount(codes, minlength=n_labels).astype(np.float64)
    if n_bins <= n_labels or (sizes < _LEAST_IN_A_BIN).any():
        return float("nan")
    own = np.zeros((n_bins, n_labels))
    np.add.at(own, (bins_held, codes), 1.0)
    # Half a row in each bin keeps an empty one from being taken as certain.
    own = (own + 0.5) / (sizes + 0.5 * n_bins)
    seen = np.bincount(bins_new, minlength=n_bins) / len(new)
    spread = np.vstack([np.eye(n_labels - 1), -np.ones(n_labels - 1)])
    last = np.append(np.zeros(n_labels - 1), 1.0)
    shares = np.full(n_labels, 1 / n_labels)
    distance = float("nan")
    for _ in range(20):
        mixture = own @ shares
        noise = _multinomial(mixture, len(new))
        for label in range(n_labels):
            noise = noise + shares[label] ** 2 * _multinomial(own[:, label], float(sizes[label]))
        # The last bin is what the others leave.
        weight = np.linalg.pinv(noise[:-1, :-1])
        slopes, rest = (own @ spread)[:-1], (seen - own @ last)[:-1]
        free = np.linalg.lstsq(slopes.T @ weight @ slopes, slopes.T @ weight @ rest, rcond=None)[0]
        shares = np.clip(last + spread @ free, 0.0, 1.0)
        shares /= shares.sum()
        gap = (seen - own @ shares)[:-1]
        distance = float(gap @ weight @ gap)
    return float(chi2.sf(distance, n_bins - n_labels))


def _binned(
    held: npt.NDArray[np.float64], new: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Give the bin of each row: tenths of the score of two labels; else the predicted label, surer or less sure."""
    if held.shape[1] == 2:
        edges = np.unique(np.quantile(held[:, 1], np.linspace(0, 1, _BINS + 1)[1:-1]))
        bins = [np.searchsorted(edges, one[:, 1], side="right") for one in (held, new)]
    else:
        middle = float(np.median(held.max(axis=1)))
        bins = [one.argmax(axis=1) * 2 + (one.max(axis=1) > middle) for one in (held, new)]
    _, numbered = np.unique(np.concatenate(bins), return_inverse=True)
    return numbered[: len(held)].astype(np.intp), numbered[len(held) :].astype(np.intp)


class PriorCorrected(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier whose probabilities are brought to a base rate that is known.

    For training rows that were drawn with other shares than the world has (half buyers, half not), or a rate that has
    moved and is known. The classifier is fitted as it is; see ``correct_prior`` for what is assumed.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``; it is cloned.
    now : float or mapping of label to share
        The share of the second label of two, or of each label.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels in ascending order.
    estimator_ : classifier
        Fitted.
    trained_ : ndarray of float64, shape (n_classes,)
        Shares among the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import PriorCorrected, ScaledLogistic
    >>> X = np.zeros((100, 1))
    >>> model = PriorCorrected(ScaledLogistic(), now=0.1).fit(X, np.arange(100) < 50)
    >>> model.predict_proba([[0.0]]).round(3).tolist()
    [[0.9, 0.1]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "now": "no_validation",
    }
    estimator_: Any
    classes_: npt.NDArray[Any]
    trained_: npt.NDArray[np.float64]

    def __init__(self, estimator: Any, now: Any) -> None:
        self.estimator = estimator
        self.now = now

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Fit the classifier, and note the shares of its labels.

        Parameters
        ----------
        X : table, array or sparse matrix, shape (n_rows, n_features)
            As for the classifier.
        y : array-like, shape (n_rows,)
            Labels.
        **fit_params : object
            Passed on.

        Returns
        -------
        PriorCorrected
            Itself.
        """
        fresh: Any = clone(self.estimator)
        self.estimator_ = fresh.fit(X, y, **fit_params)
        self.classes_ = self.estimator_.classes_
        counts = np.unique(np.asarray(y), return_counts=True)[1]
        self.trained_ = counts / counts.sum()
        self._now()
        return self

    def _now(self) -> npt.NDArray[np.float64]:
        """Give the share of each label in order."""
        now = self.now
        if isinstance(now, Mapping):
            labels = self.classes_.tolist()
            missing = [label for label in labels if label not in now]
            if missing or len(now) != len(labels):
                raise DataError(f"now must have the share of each of the {len(labels)} labels and no other")
            now = [now[label] for label in labels]
        return _shares(now, len(self.classes_), "now")

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each label at the base rate of now.

        Parameters
        ----------
        X : table, array or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Rows sum to 1.
        """
        check_is_fitted(self, "estimator_")
        return correct_prior(self.estimator_.predict_proba(X), trained=self.trained_, now=self._now())

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the most likely label of each row at the base rate of now.

        Parameters
        ----------
        X : table, array or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray, shape (n_rows,)
            Labels.
        """
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
