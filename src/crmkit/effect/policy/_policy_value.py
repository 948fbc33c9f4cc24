"""Values policies from rows on which another policy decided: by weighting, and doubly robust."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.effect._cluster_robust import FEW_CLUSTERS
from crmkit.effect._columns import as_names
from crmkit.effect._intervals import t_p_value, t_width
from crmkit.effect.policy._choices import named_policies, policy_matrix
from crmkit.effect.policy._logged import logged_chances, logged_rows
from crmkit.effect.policy._models import cross_fitted_outcomes, folds_of
from crmkit.effect.policy._overlap import overlap, overlap_notes, standard_errors
from crmkit.effect.policy._values import PolicyValues
from crmkit.metrics.intervals import check_level
from crmkit.metrics.multiple import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["policy_value"]

_LOGGED = "as logged"


def policy_value(
    table: Any,
    *,
    policy: Any,
    outcome: str,
    arm: str = "arm",
    propensity: float | str | Mapping[Any, float | str] | None = None,
    propensity_model: Any = None,
    covariates: str | Sequence[str] = (),
    method: Literal["aipw", "ipw", "plug-in"] = "aipw",
    outcome_model: Any = "ridge",
    baseline: str | None = None,
    cluster: str | None = None,
    n_folds: int = 5,
    min_propensity: float = 0.01,
    level: float = 0.95,
    random_state: int = 0,
) -> PolicyValues:
    """Give the mean outcome that policies would have had, from rows on which another policy decided.

    A row tells of a policy only where it was given the arm that the policy would have given; such rows are weighted by
    one over the chance of that arm (IPW). AIPW adds a model of the outcome, learned on other rows than those it is used
    on (cross-fitting): it takes off what the covariates explain, and its interval holds if either the chances or the
    model are right; in a randomised experiment the chances are known, so that a poor model costs precision, not truth.
    Policies are compared row by row. It assumes that the chance of each arm depended on nothing but the covariates
    (randomisation is best), and that each arm was possible for every row.

    A policy must not have been learned from the rows it is valued on: learn it on one half, value it on the other. The
    cost is ``n_folds`` models an arm.

    Parameters
    ----------
    table : table
        One row for each decision.
    policy : one policy, or mapping of name to policy
        A column of arms, an array of arms, a function of the table that gives them, a table of probabilities with a
        column an arm, or the shares of the arms (``{"call": 1}`` calls everybody).
    outcome : str
        Column of numbers or truth values.
    arm : str, default="arm"
        Column of the arm each row was given.
    propensity : float, str, mapping, or None, default=None
        The chance of the arm that was given: of each arm a number or a column, or one column for the arm given, or one
        number. None takes the shares of the arms, which is right if arms were drawn alike for all rows.
    propensity_model : str, classifier, or None, default=None
        A classifier, or its registry name, to learn the chances from the covariates where arms were not drawn at
        random.
    covariates : str or sequence of str, default=()
        Columns known before the decision.
    method : {"aipw", "ipw", "plug-in"}, default="aipw"
        ``"ipw"`` normalises its weights. ``"plug-in"`` takes the model's word for it: it is biased whenever the model
        is wrong, and no interval can say how far, so it has none. It is there to be compared with.
    outcome_model : str or regressor, default="ridge"
        A regressor, or its registry name.
    baseline : str or None, default=None
        The policy that differences are to; None for what was really done.
    cluster : str or None, default=None
        Rows of one customer; they come into one fold, and errors are cluster-robust.
    n_folds : int, default=5
        Of the cross-fitting.
    min_propensity : float, default=0.01
        Lower chances are raised to it, which bounds the weights and biases the value: the rows are counted in the
        table and in a warning.
    level : float, default=0.95
        Nominal coverage.
    random_state : int, default=0
        Draws the folds.

    Returns
    -------
    PolicyValues
        ``table``, ``estimates``, ``differences``, ``gains``.

    Raises
    ------
    DataError
        If a column is missing, a policy gives arms that nobody was given, or chances are none.

    Warns
    -----
    DataWarning
        If rows are left out, arms were not drawn alike for all rows where their shares are taken as chances, chances
        are clipped, a policy's weights do not average 1 (chances are wrong, or an arm was
        impossible for some rows), it rests on fewer than 100 effective rows, or there are fewer than 20 clusters.

    References
    ----------
    Dudik, M., Erhan, D., Langford, J., & Li, L. (2014). Doubly robust policy evaluation and optimization. Statistical
    Science 29, 485-511. doi:10.1214/14-STS500
    Chernozhukov, V., et al. (2018). Double/debiased machine learning for treatment and structural parameters. The
    Econometrics Journal 21, C1-C68. doi:10.1111/ectj.12097

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import policy_value
    >>> rng = np.random.default_rng(0)
    >>> old = rng.random(2000) < 0.5
    >>> table = pd.DataFrame({"old": old, "arm": rng.choice(["call", "none"], 2000)})
    >>> table["stayed"] = rng.random(2000) < 0.5 + 0.2 * (old & (table["arm"] == "call"))
    >>> values = policy_value(table, policy={"call the old": np.where(old, "call", "none"), "call all": {"call": 1}},
    ...                       outcome="stayed", covariates="old", baseline="call all")
    >>> values.table[["value", "effective_n"]].round(2).reset_index()
             policy  value  effective_n
    0  call the old   0.60       956.54
    1      call all   0.59      1022.00
    2     as logged   0.54      2000.00
    """
    level = check_level(level)
    _check_arguments(method, min_propensity, known=propensity is not None, learned=propensity_model is not None)
    whole = as_frame(table)
    log = logged_rows(whole, outcome, arm, as_names(covariates, "covariates"), cluster)
    choices = {name: policy_matrix(name, one, whole, log.arms) for name, one in named_policies(policy).items()}
    if _LOGGED in choices:
        raise DataError(f"a policy cannot be called {_LOGGED!r}: what was really done is called so")
    if baseline is not None and baseline not in {*choices, _LOGGED}:
        raise DataError(f"baseline {baseline!r} is no policy; there are: {', '.join(choices)}")
    folds = folds_of(log.codes, log.clusters, n_folds, np.random.default_rng(random_state))
    chance = logged_chances(log, propensity, propensity_model, folds)
    clipped = chance < min_propensity
    chance = np.maximum(chance, min_propensity)
    if (chance <= 0).any():
        raise DataError(f"the chance of the arm given is 0 in {positions(chance <= 0)}: such rows cannot have happened")
    expected = None
    if method != "ipw":
        expected = cross_fitted_outcomes(outcome_model, log.matrix, log.values, log.codes, log.arms, folds)
    n_rows = len(log.codes)
    scores: dict[str, npt.NDArray[np.float64]] = {}
    summary = []
    for name, probabilities in choices.items():
        chosen = probabilities[log.usable]
        weight = chosen[np.arange(n_rows), log.codes] / chance
        scores[name] = _scores(log.values, log.codes, chosen, weight, expected, method, name)
        summary.append(overlap(weight, clipped, name, log.clusters))
    scores[_LOGGED] = log.values
    summary.append(overlap(np.ones(n_rows), np.zeros(n_rows, dtype=bool), _LOGGED, log.clusters))
    for note in _notes(summary, list(choices), min_propensity, log.clusters, method):
        warnings.warn(note, DataWarning, stacklevel=2)
    return _result(
        scores,
        summary,
        outcome=outcome,
        baseline=baseline or _LOGGED,
        clusters=log.clusters,
        level=level,
        method=_words(method, propensity, propensity_model, cluster),
        exact=method != "plug-in",
    )


def _notes(
    summary: list[dict[str, float]],
    names: list[str],
    least: float,
    clusters: npt.NDArray[np.intp] | None,
    method: str,
) -> list[str]:
    """Tell what makes values or intervals doubtful."""
    notes = [] if method == "plug-in" else overlap_notes(summary, names, least)
    if clusters is not None and int(clusters.max()) + 1 < FEW_CLUSTERS:
        n = int(clusters.max()) + 1
        notes.append(f"only {n} clusters: with fewer than {FEW_CLUSTERS} intervals are too narrow")
    return notes


def _check_arguments(method: str, min_propensity: float, *, known: bool, learned: bool) -> None:
    """Refuse arguments that say nothing or contradict each other."""
    if method not in {"aipw", "ipw", "plug-in"}:
        raise DataError(f"method must be 'aipw', 'ipw' or 'plug-in', got {method!r}")
    if not 0 <= min_propensity < 1:
        raise DataError(f"min_propensity must be from 0 to below 1, got {min_propensity!r}")
    if known and learned:
        raise DataError("give either propensity= (known chances) or propensity_model= (chances to be learned)")


def _scores(
    values: npt.NDArray[np.float64],
    codes: npt.NDArray[np.intp],
    chosen: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    expected: npt.NDArray[np.float64] | None,
    method: str,
    name: str,
) -> npt.NDArray[np.float64]:
    """Give numbers whose mean is the policy's value and whose spread is its uncertainty."""
    if expected is None:
        total = weight.sum()
        if total <= 0:
            raise DataError(f"policy {name!r} was followed in no row: nothing is known of its value")
        value = float(weight @ values / total)
        return np.asarray(value + len(values) * weight * (values - value) / total, dtype=np.float64)
    model = np.einsum("ij,ij->i", chosen, expected)
    if method == "plug-in":
        return np.asarray(model, dtype=np.float64)
    return np.asarray(model + weight * (values - expected[np.arange(len(values)), codes]), dtype=np.float64)


def _words(method: str, propensity: Any, propensity_model: Any, cluster: str | None) -> str:
    """Say how values were made."""
    source = "learned chances" if propensity_model is not None else "known chances"
    if propensity is None and propensity_model is None:
        source = "arms' shares as chances"
    words = [method, "outcome model alone, no interval" if method == "plug-in" else source]
    return ", ".join([*words, "clustered"] if cluster is not None else words)


def _result(
    scores: dict[str, npt.NDArray[np.float64]],
    summary: list[dict[str, float]],
    *,
    outcome: str,
    baseline: str,
    clusters: npt.NDArray[np.intp] | None,
    level: float,
    method: str,
    exact: bool,
) -> PolicyValues:
    """Turn scores into values and paired differences."""
    names = list(scores)
    columns = np.column_stack([scores[name] for name in names])
    value = columns.mean(axis=0)
    error, n = standard_errors(columns, clusters)
    paired = columns - columns[:, [names.index(baseline)]]
    difference, between = paired.mean(axis=0), standard_errors(paired, clusters)[0]
    half = t_width(n - 1, level)
    if not exact:
        logged = np.array([name == _LOGGED for name in names])
        error, between = np.where(logged, error, np.nan), np.full(len(names), np.nan)
    index = pd.Index(names, name="policy", dtype=object)
    table = pd.DataFrame({"value": value, "low": value - half * error, "high": value + half * error}, index=index)
    counts = (
        pd.DataFrame(summary, index=index).drop(columns="doubt").astype({"followed": np.int64, "clipped": np.int64})
    )
    p_value = [t_p_value(one, own, n - 1) for one, own in zip(difference, between, strict=True)]
    differences = pd.DataFrame(
        {
            "difference": difference,
            "low": difference - half * between,
            "high": difference + half * between,
            "p_value": p_value,
        },
        index=index,
    ).drop(index=[baseline])
    differences["p_adjusted"] = holm(differences["p_value"].to_numpy())
    return PolicyValues(table.join(counts), differences, outcome, baseline, n, level, method)
