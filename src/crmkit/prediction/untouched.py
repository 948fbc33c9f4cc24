"""A test that is set aside at the beginning and scored once at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.multiclass import type_of_target

from crmkit import metrics
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.prediction._rows import known_rows, take_rows

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SetAside", "UntouchedTest", "check_not_scored", "set_test_aside"]


class UntouchedTest:
    """Rows that nobody looks at until the model is final.

    A test that is scored again and again is chosen by, and tells too much good of the model: of twenty models on noise
    the best looks good on any test. So it is scored once; a second time is refused, and where it is insisted on, marked
    in every figure. Make it with ``set_test_aside``, or from rows that came later.

    Parameters
    ----------
    X : table, array, sparse matrix or texts, shape (n_rows, …)
        The rows.
    y : array-like, shape (n_rows,)
        What happened; rows where it is missing are left out with a warning.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is: intervals then are over customers.

    Attributes
    ----------
    times_scored : int
        How often it was.

    Examples
    --------
    >>> from crmkit.prediction import ScaledLogistic, UntouchedTest
    >>> model = ScaledLogistic().fit([[0.0], [1.0], [9.0], [10.0]], ["a", "a", "b", "b"])
    >>> test = UntouchedTest([[2.0], [8.0]], ["a", "b"])
    >>> float(test.score(model, "accuracy")["accuracy"])
    1.0
    >>> test.score(model, "accuracy")
    Traceback (most recent call last):
        ...
    crmkit.core.errors.DataError: this test was scored already: what is chosen by it is no longer tested by it. Take \
rows that are new, or say again=True, which marks the figures
    """

    def __init__(self, X: Any, y: Any, *, groups: Any = None) -> None:
        self._X, target, self._groups = known_rows(X, y, groups)
        self._y: npt.NDArray[Any] = np.asarray(target)
        n_rows = self._X.shape[0] if hasattr(self._X, "shape") else len(self._X)
        if n_rows != len(self._y):
            raise DataError(f"X has {n_rows:,} rows, y has {len(self._y):,}")
        self.times_scored: int = 0

    def __len__(self) -> int:
        return len(self._y)

    def __repr__(self) -> str:
        return f"UntouchedTest({len(self):,} rows, scored {self.times_scored} times)"

    def score(
        self,
        model: Any,
        evaluators: Any,
        *,
        again: bool = False,
        level: float = 0.95,
        n_resamples: int = 1000,
        random_state: Any = 0,
    ) -> dict[str, Estimate]:
        """Give the figures of a final model.

        Parameters
        ----------
        model : fitted classifier or regressor
            Chosen and fitted without these rows.
        evaluators : evaluator, sequence of them, or mapping of str to evaluator
            As for ``metrics.cross_validate``.
        again : bool, default=False
            Score although it was scored before; every figure's ``method`` then says so.
        level : float, default=0.95
            Nominal coverage.
        n_resamples : int, default=1000
            Of the bootstrap, for figures that have no interval of their own, and where there are groups.
        random_state : int, RandomState or None, default=0
            Of the bootstrap.

        Returns
        -------
        dict of str to Estimate
            By evaluator.

        Raises
        ------
        DataError
            If the test was scored before, or the model cannot answer what a figure asks.
        """
        if not again:
            check_not_scored(self)
        evaluations = metrics.resolve_all(evaluators)
        answers = [self._answer(model, one) for one in evaluations]
        self.times_scored += 1
        note = "" if self.times_scored == 1 else f"; scored {self.times_scored} times"
        found = {}
        for one, response in zip(evaluations, answers, strict=True):
            figure = one.estimate(
                self._y,
                response,
                classes=getattr(model, "classes_", None),
                groups=None if self._groups is None else np.asarray(self._groups),
                level=level,
                n_resamples=n_resamples,
                random_state=random_state,
            )
            found[one.name] = Estimate(
                figure.value,
                n=figure.n,
                low=figure.low,
                high=figure.high,
                level=figure.level,
                method=figure.method + note,
            )
        return found

    def _answer(self, model: Any, evaluation: metrics.Evaluation) -> npt.NDArray[Any]:
        """Let the model answer what the figure asks, before the test counts as scored."""
        method = next((one for one in evaluation.responses if callable(getattr(model, one, None))), None)
        if method is None:
            wanted = " or ".join(evaluation.responses)
            raise DataError(f"evaluator {evaluation.name!r} needs {wanted}, which {type(model).__name__} lacks")
        answer = np.asarray(getattr(model, method)(self._X))
        return answer[:, 1] if method != "predict" and answer.ndim == 2 and answer.shape[1] == 2 else answer


def check_not_scored(test: UntouchedTest) -> None:
    """Refuse a test that somebody has looked at; before a search, which would else be for nothing."""
    if test.times_scored:
        raise DataError(
            "this test was scored already: what is chosen by it is no longer tested by it. Take rows that are new, "
            "or say again=True, which marks the figures"
        )


class SetAside(NamedTuple):
    """The rows to work with and the test to leave alone.

    Attributes
    ----------
    X, y, groups
        All other rows, as they were given.
    test : UntouchedTest
        Not to be looked at before the end.
    """

    X: Any
    y: Any
    groups: Any
    test: UntouchedTest

    def __repr__(self) -> str:
        # A row shown here is a row of somebody's in a log.
        n_rows = self.X.shape[0] if hasattr(self.X, "shape") else len(self.X)
        return f"SetAside({n_rows:,} rows to work with, test={self.test!r})"


def set_test_aside(
    X: Any, y: Any, *, share: float = 0.2, groups: Any = None, split: Any = None, random_state: Any = 0
) -> SetAside:
    """Put a test aside before anything is tried.

    Parameters
    ----------
    X : table, array, sparse matrix or texts, shape (n_rows, …)
        The rows.
    y : array-like, shape (n_rows,)
        What is to be predicted; rows where it is missing are left out with a warning.
    share : float, default=0.2
        Of the rows (of the groups, where there are any), drawn at random, of each label alike.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is: a customer is in the test or outside, never both.
    split : splitter, default=None
        Its last fold is the test, as of a time splitter the latest rows; rows it trains on are what is left.
    random_state : int, RandomState or None, default=0
        Of the draw.

    Returns
    -------
    SetAside
        ``X, y, groups, test``.

    Raises
    ------
    DataError
        If the share is not between 0 and 1, or the rows cannot be split so.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import set_test_aside
    >>> rest = set_test_aside(np.arange(20.0).reshape(-1, 1), ["a", "b"] * 10)
    >>> rest.X.shape, len(rest.test)
    ((16, 1), 4)
    """
    X, y, groups = known_rows(X, y, groups)
    target = np.asarray(y)
    if split is None:
        if not 0 < share < 1:
            raise DataError(f"share must lie between 0 and 1, got {share}")
        kind = ShuffleSplit if type_of_target(target).startswith("continuous") else StratifiedShuffleSplit
        split = (kind if groups is None else GroupShuffleSplit)(1, test_size=share, random_state=random_state)
    try:
        pairs = list(split.split(X, target, groups))
    except ValueError as error:
        raise DataError(f"no test can be set aside: {error}") from error
    if not pairs:
        raise DataError("split gives no fold")
    kept, held = (np.sort(np.asarray(rows)) for rows in pairs[-1])
    whose = (None, None) if groups is None else (take_rows(groups, kept), take_rows(groups, held))
    test = UntouchedTest(take_rows(X, held), take_rows(y, held), groups=whose[1])
    return SetAside(take_rows(X, kept), take_rows(y, kept), whose[0], test)
