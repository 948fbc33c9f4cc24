"""Judges configurations by cross-validation: all of them in full, or fewer and fewer on more and more rows."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.parallel import Parallel, delayed

from crmkit import metrics
from crmkit.core.errors import CrmkitError, DataError
from crmkit.prediction._candidates import configured
from crmkit.prediction._measured import Measured, OutOfTime

if TYPE_CHECKING:
    from crmkit.metrics import CrossValidation, Evaluation
    from crmkit.prediction._candidates import Configuration

__all__ = ["Outcome", "Race"]

_LEAST_ROWS = 200
_IN_ERRORS, _IN_CAUSE = "is in .errors", "is that of the error that this one comes from"


@dataclass(frozen=True)
class Outcome:
    """What became of one configuration.

    ``status`` is ``"finished"``, ``"dropped"`` (halving went on without it), ``"failed"`` or ``"out of time"``.
    """

    configuration: Configuration
    status: str
    found: CrossValidation | None = None
    n_train: float = math.nan
    fit_seconds: float = math.nan
    predict_seconds: float = math.nan
    peak_mb: float = math.nan
    reason: str = ""
    error: Exception | None = None


@dataclass(frozen=True)
class Race:
    """How configurations are judged; the first evaluation decides.

    Parameters
    ----------
    evaluations : list of Evaluation
        The figures.
    cv : int or splitter
        The folds.
    halving : bool
        Whether to begin with few rows and go on with the best.
    factor : float
        One in so many configurations goes on, with so many times the rows.
    options : dict
        ``level``, ``n_resamples``, ``random_state`` and ``n_threads`` of ``metrics.cross_validate``.
    """

    evaluations: list[Evaluation]
    cv: Any
    halving: bool
    factor: float
    options: dict[str, Any]

    def run(
        self,
        entries: list[Configuration],
        X: Any,
        y: Any,
        groups: Any,
        *,
        n_jobs: int | None = None,
        deadline: float | None = None,
    ) -> list[Outcome]:
        """Judge every configuration, in the order given."""
        outcomes: list[Outcome | None] = [None] * len(entries)
        going = list(range(len(entries)))
        shares = self._shares(len(entries), len(y))
        for rung, share in enumerate(shares):
            limits = [None if place == going[0] else deadline for place in going]
            judged: Any = Parallel(n_jobs=n_jobs)(
                delayed(self._judge)(entries[place], X, y, groups, share, limit)
                for place, limit in zip(going, limits, strict=True)
            )
            judged = self._one_at_least(judged, X, y, groups, share)
            for place, outcome in zip(going, judged, strict=True):
                outcomes[place] = outcome
            if rung + 1 < len(shares):
                keep = self._kept(going, judged)
                for place in set(going) - set(keep):
                    outcomes[place] = _dropped(outcomes[place], rung, len(shares))
                going = keep
        return [outcome for outcome in outcomes if outcome is not None]

    def _one_at_least(self, judged: Any, X: Any, y: Any, groups: Any, share: float) -> list[Outcome]:
        """Judge one however little time there was, so that there is a choice, even where the first has failed."""
        found = list(judged)
        for place, outcome in enumerate(found):
            if any(one.status == "finished" for one in found):
                break
            if outcome.status == "out of time":
                found[place] = self._judge(outcome.configuration, X, y, groups, share, None)
        return found

    def best(self, outcomes: list[Outcome]) -> int:
        """Give the place of the best finished configuration, of equal ones the first."""
        first = self.evaluations[0]
        values = [
            one.found.estimates[first.name].value if one.status == "finished" and one.found else math.nan
            for one in outcomes
        ]
        if np.isnan(values).all():
            reasons = "; ".join(
                f"{one.configuration.name}: {one.reason or first.name + ' is undefined'}" for one in outcomes[:5]
            )
            cause = next((one.error for one in outcomes if one.error is not None), None)
            raise DataError(f"no candidate could be judged: {reasons.replace(_IN_ERRORS, _IN_CAUSE)}") from cause
        return int(np.nanargmax(values) if first.greater_is_better else np.nanargmin(values))

    def _shares(self, n_entries: int, n_rows: int) -> list[float]:
        """Give the share of the training rows in each round, the last one all."""
        if not self.halving:
            return [1.0]
        rounds = math.floor(math.log(max(n_entries, 1), self.factor) + 1e-9)
        fits = math.floor(math.log(max(n_rows / _LEAST_ROWS, 1.0), self.factor))
        return [float(self.factor) ** -step for step in range(min(rounds, fits), -1, -1)]

    def _kept(self, going: list[int], judged: list[Outcome]) -> list[int]:
        """Say which go on: the best, at least one."""
        first = self.evaluations[0]
        sign = -1.0 if first.greater_is_better else 1.0
        values = {
            place: sign * one.found.estimates[first.name].value
            for place, one in zip(going, judged, strict=True)
            if one.found is not None and not math.isnan(one.found.estimates[first.name].value)
        }
        order = sorted(values, key=lambda place: values[place])
        return sorted(order[: max(1, math.ceil(len(going) / self.factor))]) or going[:1]

    def _judge(
        self, entry: Configuration, X: Any, y: Any, groups: Any, share: float, deadline: float | None
    ) -> Outcome:
        """Cross-validate one configuration; what goes wrong in it is its own."""
        if deadline is not None and time.time() > deadline:
            return Outcome(entry, "out of time", reason="the time given was used up before its turn")
        given = self.options["random_state"]
        seed = int(given) if isinstance(given, int | np.integer) else 0
        try:
            model = configured(entry)
        except Exception as error:  # noqa: BLE001 -- as below; it has not seen the table, so its message may be told
            return Outcome(entry, "failed", reason=f"{type(error).__name__}: {error}", error=error)
        try:
            with warnings.catch_warnings():
                # Said once by the caller, not once a fold and configuration.
                warnings.simplefilter("ignore")
                found = metrics.cross_validate(
                    Measured(model, share=share, deadline=deadline, random_state=seed),
                    X,
                    y,
                    evaluators=self.evaluations,
                    cv=self.cv,
                    groups=groups,
                    keep_models=True,
                    **self.options,
                )
        except OutOfTime:
            return Outcome(entry, "out of time", reason="the time given was used up between its folds")
        except Exception as error:  # noqa: BLE001 -- whatever a candidate raises is told in its row
            return Outcome(entry, "failed", reason=_reason(error), error=error)
        fits = found.models
        lean = metrics.CrossValidation(found.estimates, found.folds, found.predictions, found.greater_is_better)
        return Outcome(
            entry,
            "finished",
            lean,
            n_train=float(np.mean([fit.n_rows_ for fit in fits])),
            fit_seconds=float(np.mean([fit.fit_seconds_ for fit in fits])),
            predict_seconds=float(np.mean([np.mean(fit.predict_seconds_) for fit in fits])),
            peak_mb=float(max(fit.peak_mb_ for fit in fits)),
        )


def _dropped(outcome: Outcome | None, rung: int, n_rungs: int) -> Outcome | None:
    """Mark a configuration that halving left behind."""
    if outcome is None or outcome.status != "finished":
        return outcome
    reason = f"left behind after round {rung + 1} of {n_rungs}"
    return Outcome(
        outcome.configuration,
        "dropped",
        outcome.found,
        outcome.n_train,
        outcome.fit_seconds,
        outcome.predict_seconds,
        outcome.peak_mb,
        reason,
    )


def _reason(error: Exception) -> str:
    """Say what went wrong; messages of others may hold values of the table, so of these only the kind is told."""
    if isinstance(error, CrmkitError | InvalidParameterError):
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__} (its message, which may hold values of the table, {_IN_ERRORS})"
