"""What a search tries: names, estimators and pipelines, each with the parameters to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils.multiclass import type_of_target

from crmkit.core.errors import DataError
from crmkit.core.registry import create

__all__ = ["Candidate", "Configuration", "configurations", "configured", "named_candidates"]


@dataclass(frozen=True)
class Candidate:
    """A model and the values of its parameters to try.

    Parameters
    ----------
    estimator : str or estimator
        The name of a classifier or regressor, an estimator, or a whole pipeline.
    parameters : mapping of str to sequence or distribution, default={}
        Values to try of each parameter, a pipeline's as ``step__parameter``. A distribution has ``rvs``, as those of
        scipy.stats.

    Examples
    --------
    >>> from crmkit.prediction import Candidate
    >>> Candidate("logistic", {"C": [0.1, 1.0]}).estimator
    'logistic'
    """

    estimator: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Configuration:
    """One model with one value of each of its parameters."""

    name: str
    candidate: str
    estimator: Any
    parameters: dict[str, Any]

    @property
    def words(self) -> str:
        """The parameters as a caller would write them."""
        plain = {
            name: value.item() if isinstance(value, np.generic) else value for name, value in self.parameters.items()
        }
        return ", ".join(f"{name}={value!r}" for name, value in plain.items())


def named_candidates(candidates: Any, kind: str, y: Any, random_state: Any) -> list[tuple[str, Any, Mapping[str, Any]]]:
    """Give names, estimators and parameters, creating the estimators that are given by name.

    Parameters
    ----------
    candidates : mapping or sequence
        Of names, estimators, pairs of one of these and parameters, or ``Candidate``.
    kind : {"auto", "classifier", "regressor"}
        What names mean; "auto": regressors where y holds fractions.
    y : array-like
        The target.
    random_state : int, RandomState or None
        For estimators that are created here and take one.

    Returns
    -------
    list of (str, estimator, mapping)
        Under different names.
    """
    if kind not in {"auto", "classifier", "regressor"}:
        raise DataError(f"kind must be 'auto', 'classifier' or 'regressor', got {kind!r}")
    if isinstance(candidates, str) or not isinstance(candidates, Mapping | Sequence):
        raise DataError(f"candidates must be a mapping or a list, got {type(candidates).__name__}")
    if kind == "auto":
        kind = "regressor" if type_of_target(np.asarray(y)).startswith("continuous") else "classifier"
    pairs = candidates.items() if isinstance(candidates, Mapping) else [(None, one) for one in candidates]
    named = []
    for name, given in pairs:
        if isinstance(given, tuple) and len(given) == 2:
            given = Candidate(*given)  # noqa: PLW2901 -- another form of the same
        one = given if isinstance(given, Candidate) else Candidate(given)
        model = one.estimator
        if isinstance(model, str):
            model = _seeded(create(kind, model), random_state)
        shown = one.estimator if isinstance(one.estimator, str) else type(model).__name__
        named.append((str(name or shown), model, one.parameters))
    names = [name for name, _, _ in named]
    if not named:
        raise DataError("there is no candidate to choose from")
    if len(set(names)) != len(names):
        raise DataError(f"two candidates have one name ({', '.join(names)}): give a mapping of names to estimators")
    if len({is_classifier(model) for _, model, _ in named}) > 1:
        raise DataError("candidates must be all classifiers or all regressors")
    return named


def _seeded(model: Any, random_state: Any) -> Any:
    """Give a model the seed where it takes one, so that the same call chooses and fits the same model."""
    return model.set_params(random_state=random_state) if "random_state" in model.get_params(deep=False) else model


def configurations(
    named: list[tuple[str, Any, Mapping[str, Any]]], strategy: str, n_draws: int, random_state: Any
) -> list[Configuration]:
    """Write out what is to be tried.

    Parameters
    ----------
    named : list of (str, estimator, mapping)
        From ``named_candidates``.
    strategy : {"grid", "random", "halving"}
        "grid" takes every combination, "random" draws, "halving" every one where all are lists, else draws.
    n_draws : int
        Draws a candidate.
    random_state : int, RandomState or None
        Of the draws.

    Returns
    -------
    list of Configuration
        A candidate without parameters is one configuration.

    Raises
    ------
    DataError
        If a grid holds a distribution, a parameter no value, or two configurations get one name.
    """
    found = []
    for name, model, parameters in named:
        drawn = [key for key, values in parameters.items() if callable(getattr(values, "rvs", None))]
        listed = {key: values if key in drawn else list(values) for key, values in parameters.items()}
        empty = [key for key, values in listed.items() if key not in drawn and not values]
        if empty:
            raise DataError(f"candidate {name!r}: there is no value to try of {', '.join(empty)}")
        if drawn and strategy == "grid":
            raise DataError(
                f"candidate {name!r}: {', '.join(drawn)} is a distribution, which has no grid: "
                "give values, or take strategy='random'"
            )
        tried: list[dict[str, Any]]
        if drawn or strategy == "random":
            most = n_draws if drawn else min(n_draws, len(ParameterGrid(listed)))
            tried = list(ParameterSampler(listed, most, random_state=random_state))
        else:
            tried = list(ParameterGrid(listed))
        for number, chosen in enumerate(tried):
            shown = name if len(tried) == 1 else f"{name} {number + 1}"
            found.append(Configuration(shown, name, model, dict(chosen)))
    names = [one.name for one in found]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise DataError(f"two configurations would be called {', '.join(map(repr, twice))}: name candidates otherwise")
    return found


def configured(entry: Configuration) -> Any:
    """Give the model with its parameters, not fitted.

    Parameters
    ----------
    entry : Configuration
        What to make.

    Returns
    -------
    estimator
        A new one.
    """
    model: Any = clone(entry.estimator)
    return model.set_params(**{name: clone(value, safe=False) for name, value in entry.parameters.items()})
