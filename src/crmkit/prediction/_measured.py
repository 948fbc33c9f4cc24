"""A model that notes how long it takes and how much memory, and stops when time is up."""

from __future__ import annotations

import ctypes
import os
import threading
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from crmkit.prediction._rows import take_rows

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["MEMORY", "Measured", "OutOfTime", "PeakMemory"]

_STATM = Path("/proc/self/statm")
_INTERVAL = 0.005
_LEAST_OF_A_LABEL = 5

MEMORY = "resident set" if _STATM.exists() else "tracemalloc"
"""How peaks are taken: the rise of the process's resident memory, or of what Python itself allocates."""


class OutOfTime(Exception):  # noqa: N818 -- no error: it says that the time given is used up
    """The time given is used up."""


class PeakMemory:
    """Notes the most memory in use while something runs, above what was in use before.

    Where the system tells it (Linux), the resident memory of the whole process is looked at every five milliseconds:
    this sees what compiled code allocates. What earlier work has freed is given back to the system before, where the C
    library can (glibc): used again, it would not be seen. Elsewhere Python's own count is taken, which sees numpy's
    arrays but not trees grown in compiled code.
    """

    def __enter__(self) -> Self:
        self.megabytes = 0.0
        if MEMORY == "tracemalloc":
            self._was_tracing = tracemalloc.is_tracing()
            if not self._was_tracing:
                tracemalloc.start()
            tracemalloc.reset_peak()
            self._before = tracemalloc.get_traced_memory()[0]
            return self
        _give_back()
        self._before = self._peak = _resident()
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if MEMORY == "tracemalloc":
            peak = tracemalloc.get_traced_memory()[1]
            if not self._was_tracing:
                tracemalloc.stop()
        else:
            self._stop.set()
            self._watcher.join()
            peak = max(self._peak, _resident())
        self.megabytes = max(peak - self._before, 0) / 1e6

    def _watch(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._peak = max(self._peak, _resident())


def _resident() -> int:
    """Give the resident memory of this process in bytes."""
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _give_back() -> None:
    """Let the C library return freed memory to the system, where it knows how."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _delegated(name: str) -> Any:
    """Offer a method where the model has it."""
    return available_if(lambda self: callable(getattr(self.estimator, name, None)))


class Measured(MetaEstimatorMixin, BaseEstimator):
    """A model as it is, with its seconds and memory noted; it may learn from a share of the rows.

    Parameters
    ----------
    estimator : estimator
        It is cloned.
    share : float, default=1.0
        Of the training rows, drawn evenly from the labels where there are labels.
    deadline : float or None, default=None
        A moment of ``time.time()`` after which it does not begin to fit.
    random_state : int, default=0
        Of the rows drawn.
    """

    def __init__(
        self, estimator: Any, *, share: float = 1.0, deadline: float | None = None, random_state: int = 0
    ) -> None:
        self.estimator = estimator
        self.share = share
        self.deadline = deadline
        self.random_state = random_state

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Fit, unless time is up."""
        if self.deadline is not None and time.time() > self.deadline:
            raise OutOfTime
        if self.share < 1:
            labels = get_tags(self.estimator).estimator_type == "classifier"
            rows = _drawn(np.asarray(y), self.share, labels=labels, seed=self.random_state)
            X, y = take_rows(X, rows), take_rows(y, rows)
            fit_params = {name: take_rows(values, rows) for name, values in fit_params.items()}
        self.n_rows_ = len(y)
        fresh: Any = clone(self.estimator)
        start = time.perf_counter()
        with PeakMemory() as memory:
            self.model_ = fresh.fit(X, y, **fit_params)
        self.fit_seconds_ = time.perf_counter() - start
        self.peak_mb_ = memory.megabytes
        self.predict_seconds_: list[float] = []
        if hasattr(self.model_, "classes_"):
            self.classes_ = self.model_.classes_
        return self

    def _timed(self, name: str, X: Any) -> Any:
        start = time.perf_counter()
        answer = getattr(self.model_, name)(X)
        self.predict_seconds_.append(time.perf_counter() - start)
        return answer

    def predict(self, X: Any) -> Any:
        """Predict by the model."""
        return self._timed("predict", X)

    @_delegated("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Give the model's probabilities."""
        return self._timed("predict_proba", X)

    @_delegated("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Give the model's decision values."""
        return self._timed("decision_function", X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        return tags


def _drawn(y: Any, share: float, *, labels: bool, seed: int) -> Any:
    """Draw rows, in their order; of each label at least a few."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(y))
    if not labels:
        return np.sort(order[: max(round(share * len(y)), 2)])
    codes = np.unique(y, return_inverse=True)[1].reshape(-1)
    taken = []
    for code in range(codes.max() + 1):
        own = order[codes[order] == code]
        taken.append(own[: max(round(share * len(own)), min(_LEAST_OF_A_LABEL, len(own)))])
    return np.sort(np.concatenate(taken))
