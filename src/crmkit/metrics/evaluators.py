"""Brings whatever names a figure (a plugin's name or spec, a function, a scikit-learn metric) to one form."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import DataError, UnknownPluginError
from crmkit.core.estimate import Estimate
from crmkit.core.registry import available, create, load_target, spec_of
from crmkit.core.spec import PluginSpec
from crmkit.metrics.intervals import bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Evaluation", "evaluator", "resolve", "resolve_all"]

_RESPONSES = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class Evaluation:
    """A figure of actual values and a model's response, with what selection must know of it.

    Parameters
    ----------
    name : str
        What it is called in tables.
    function : callable
        ``function(actual, response)`` gives a number, an ``Estimate`` where it knows its interval.
    responses : tuple of str
        The model's method whose answer it takes; of several, the first that the model has.
    greater_is_better : bool or None
        Which way it points; None where nobody said, and then nothing can be chosen by it.
    pool : {"rows", "folds"}
        Whether the out-of-fold responses of all folds may be put together, as for any mean over rows. The order of
        scores of different models means nothing, so that ranking figures are averaged over folds instead.
    sign : float
        -1 where scikit-learn's scorer reports the negated figure.
    """

    name: str
    function: Callable[..., Any]
    responses: tuple[str, ...] = ("predict",)
    greater_is_better: bool | None = None
    pool: str = "rows"
    sign: float = 1.0
    _parameters: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        try:
            parameters = frozenset(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):  # a built-in without a signature
            parameters = frozenset()
        object.__setattr__(self, "_parameters", parameters)

    def value(self, actual: Any, response: Any, *, classes: Any = None) -> float:
        """Give the figure alone, without working out its interval.

        Parameters
        ----------
        actual : array-like, shape (n_rows,)
            What happened.
        response : array-like, shape (n_rows,) or (n_rows, n_classes)
            The model's answer.
        classes : array-like, shape (n_classes,), default=None
            The labels in the order of the response's columns.

        Returns
        -------
        float
            The figure.
        """
        options = self._options(classes)
        if "n_resamples" in self._parameters:
            options["n_resamples"] = 0
        return self.sign * float(self.function(actual, response, **options))

    def estimate(
        self,
        actual: Any,
        response: Any,
        *,
        classes: Any = None,
        groups: Any = None,
        level: float = 0.95,
        n_resamples: int = 1000,
        random_state: Any = 0,
    ) -> Estimate:
        """Give the figure with its interval: its own, or by bootstrap over rows, or over groups where there are any.

        Parameters
        ----------
        actual : array-like, shape (n_rows,)
            What happened.
        response : array-like, shape (n_rows,) or (n_rows, n_classes)
            The model's answer.
        classes : array-like, shape (n_classes,), default=None
            The labels in the order of the response's columns.
        groups : array-like, shape (n_rows,), default=None
            Rows of one group depend on each other, so that only a bootstrap over groups is honest.
        level : float, default=0.95
            Nominal coverage.
        n_resamples : int, default=1000
            Of the bootstrap.
        random_state : int, RandomState or None, default=0
            Of the bootstrap.

        Returns
        -------
        Estimate
            The figure.
        """
        if groups is None:
            options = self._options(classes)
            given = {"level": level, "n_resamples": n_resamples, "random_state": random_state}
            options |= {name: value for name, value in given.items() if name in self._parameters}
            figure = self.function(actual, response, **options)
            if isinstance(figure, Estimate):
                return figure if self.sign == 1 else _negated(figure)
        return bootstrap(
            lambda true, given: self.value(true, given, classes=classes),
            actual,
            response,
            n_resamples=n_resamples,
            level=level,
            random_state=random_state,
            groups=groups,
        )

    def _options(self, classes: Any) -> dict[str, Any]:
        """Name the classes to functions that ask for them, unless the caller has."""
        if classes is None:
            return {}
        fixed = self.function.keywords if isinstance(self.function, partial) else {}
        options: dict[str, Any] = {}
        if self.responses[0] != "predict" and "labels" in self._parameters and "labels" not in fixed:
            options["labels"] = list(classes)
        two_named = len(classes) == 2 and not (set(classes) <= {0, 1} or set(classes) <= {-1, 1})
        averaged = fixed.get("average", "binary") != "binary"
        if two_named and not averaged and "pos_label" in self._parameters and "pos_label" not in fixed:
            options["pos_label"] = classes[1]
        return options


def _negated(figure: Estimate) -> Estimate:
    """Turn an estimate round."""
    return Estimate(
        -figure.value, n=figure.n, low=-figure.high, high=-figure.low, level=figure.level, method=figure.method
    )


def evaluator(
    function: Callable[..., Any],
    *,
    greater_is_better: bool,
    name: str | None = None,
    response: str | Sequence[str] = "predict",
    pool: str = "rows",
) -> Evaluation:
    """Say of a function of one's own what selection must know.

    Parameters
    ----------
    function : callable
        ``function(actual, response)`` gives a number.
    greater_is_better : bool
        Which way it points.
    name : str, default=None
        What it is called in tables; where None, the function's name.
    response : {"predict", "predict_proba", "decision_function"} or a sequence of them, default="predict"
        Which answer of the model it takes; of several, the first that the model has.
    pool : {"rows", "folds"}, default="rows"
        Whether it may be worked out on the rows of all folds together, as a mean over rows may; a figure of the order
        of scores may not.

    Returns
    -------
    Evaluation
        Usable wherever an evaluator is named.

    Raises
    ------
    DataError
        If the response is none a model gives.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.metrics import evaluator
    >>> def worst(actual, predicted):
    ...     return np.max(np.abs(actual - predicted))
    >>> evaluator(worst, greater_is_better=False).name
    'worst'
    """
    responses = (response,) if isinstance(response, str) else tuple(response)
    unknown = [one for one in responses if one not in _RESPONSES]
    if unknown or not responses:
        raise DataError(f"response must be of {', '.join(_RESPONSES)}, got {response!r}")
    if pool not in {"rows", "folds"}:
        raise DataError(f"pool must be 'rows' or 'folds', got {pool!r}")
    return Evaluation(name or _name_of(function), function, responses, greater_is_better, pool)


def _name_of(function: Any) -> str:
    """Name a function as tables do."""
    inner = function.func if isinstance(function, partial) else function
    return str(getattr(inner, "__name__", type(inner).__name__)).strip("<>")


def resolve(named: Any, *, name: str | None = None) -> Evaluation:
    """Bring whatever names a figure to one form.

    Parameters
    ----------
    named : str, PluginSpec, callable, scikit-learn scorer or Evaluation
        A name is looked for among crmkit's evaluators, then among scikit-learn's scorers (``"neg_log_loss"``). Of a
        scikit-learn metric the response and direction are those of its scorer or, as scikit-learn promises, of its
        name: ``_score`` is better when greater, ``_error``, ``_loss`` and ``_deviance`` when smaller.
    name : str, default=None
        What to call it in tables.

    Returns
    -------
    Evaluation
        With its function, response and direction.

    Raises
    ------
    UnknownPluginError
        If nobody has such a name.
    DataError
        If it is no figure of actual and predicted values.

    Examples
    --------
    >>> from crmkit.metrics import resolve
    >>> resolve("rmse").greater_is_better, resolve("neg_mean_squared_error").greater_is_better
    (False, True)
    """
    if isinstance(named, Evaluation):
        found = named
    elif isinstance(named, str):
        found = _by_name(named)
    elif isinstance(named, PluginSpec):
        target = load_target(named)
        made = target(**named.defaults) if isinstance(target, type) else partial(target, **named.defaults)
        found = _of_spec(named, named.name, made)
    elif hasattr(named, "_score_func"):
        found = _of_scorer(named, _name_of(named._score_func))  # noqa: SLF001 -- scikit-learn's scorers have no public way to their metric
    elif callable(named) and not isinstance(named, type):
        found = _of_function(named)
    else:
        raise DataError(
            f"an evaluator is a name, a PluginSpec, a function of (actual, predicted) or a scikit-learn scorer, "
            f"got {type(named).__name__}"
        )
    if name is None or name == found.name:
        return found
    return Evaluation(name, found.function, found.responses, found.greater_is_better, found.pool, found.sign)


def resolve_all(evaluators: Any) -> list[Evaluation]:
    """Bring one figure, several, or a mapping of names to figures to a list of one form.

    Parameters
    ----------
    evaluators : one evaluator, sequence of them, or mapping of str to evaluator
        As for ``resolve``.

    Returns
    -------
    list of Evaluation
        In the order given, under different names.

    Raises
    ------
    DataError
        If there is none, or two have one name.
    """
    if isinstance(evaluators, Mapping):
        found = [resolve(one, name=str(name)) for name, one in evaluators.items()]
    elif isinstance(evaluators, Sequence) and not isinstance(evaluators, str):
        found = [resolve(one) for one in evaluators]
    else:
        found = [resolve(evaluators)]
    names = [one.name for one in found]
    if not found:
        raise DataError("name at least one evaluator")
    if len(set(names)) != len(names):
        raise DataError(f"two evaluators have one name ({', '.join(names)}): give a mapping of names to evaluators")
    return found


def _by_name(named: str) -> Evaluation:
    """Look among the plugins, then among scikit-learn's scorers."""
    from sklearn.metrics import get_scorer, get_scorer_names

    bare = named.rpartition(":")[2]
    if named not in available("evaluator") and ":" not in named and named in get_scorer_names():
        return _of_scorer(get_scorer(named), named)
    try:
        spec = spec_of("evaluator", named)
    except UnknownPluginError as error:
        raise UnknownPluginError(f"{error}; scikit-learn's scorers, such as 'neg_log_loss', serve as well") from None
    return _of_spec(spec, bare, create("evaluator", named))


def _of_spec(spec: PluginSpec, name: str, function: Any) -> Evaluation:
    """Read what the spec says."""
    response = spec.facts.get("response")
    if response is None or len(spec.inputs) != 2 or spec.inputs[0] != "actual":
        raise DataError(
            f"evaluator {name!r} is a figure of {', '.join(spec.inputs) or 'columns of its own'}, not of actual and "
            "predicted values: call it with these columns"
        )
    responses = (response,) if isinstance(response, str) else tuple(response)
    return Evaluation(name, function, responses, spec.facts.get("greater_is_better"), spec.facts.get("pool", "rows"))


def _of_scorer(scorer: Any, name: str) -> Evaluation:
    """Take a scikit-learn scorer apart: metric, options, response and sign; its value is better when greater."""
    response = scorer._response_method  # noqa: SLF001 -- scikit-learn's scorers have no public way to their response
    responses = (response,) if isinstance(response, str) else tuple(response)
    function = partial(scorer._score_func, **scorer._kwargs) if scorer._kwargs else scorer._score_func  # noqa: SLF001 -- as above
    return Evaluation(name, function, responses, greater_is_better=True, pool=_pool(function), sign=scorer._sign)  # noqa: SLF001 -- as above


def _pool(function: Any) -> str:
    """Say how a scikit-learn metric may be put together over folds."""
    name = _name_of(function)
    return "folds" if name.startswith(("roc_auc", "average_precision", "ndcg", "r2", "d2")) else "rows"


def _of_function(function: Any) -> Evaluation:
    """Read a function's direction and response from scikit-learn, where it is one of its metrics."""
    inner = function.func if isinstance(function, partial) else function
    name = _name_of(function)
    for spec in available():
        # A function at hand has been imported, so that no other plugin need be.
        if spec.kind == "evaluator" and getattr(sys.modules.get(spec.module), spec.attribute, None) is inner:
            return _of_spec(spec, spec.name, function)
    if not str(getattr(inner, "__module__", "")).startswith("sklearn."):
        return Evaluation(name, function)
    from sklearn.metrics import get_scorer, get_scorer_names

    greater = {"score": True, "error": False, "loss": False, "deviance": False}.get(name.rpartition("_")[2])
    for scorer_name in get_scorer_names():
        scorer = _of_scorer(get_scorer(scorer_name), scorer_name)
        of_scorer = scorer.function.func if isinstance(scorer.function, partial) else scorer.function
        if of_scorer is inner:
            return Evaluation(name, function, scorer.responses, scorer.sign > 0, scorer.pool)
    return Evaluation(name, function, greater_is_better=greater, pool=_pool(function))
