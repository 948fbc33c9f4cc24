"""LightGBM behind the parameters of boosting: the same names mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight

from crmkit.core.errors import PluginLoadError
from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["lightgbm", "raw_scores", "train"]

_OBJECTIVES = {
    "squared_error": "regression",
    "absolute_error": "regression_l1",
    "gamma": "gamma",
    "poisson": "poisson",
    "quantile": "quantile",
}
_MOST_LEAVES = 131_072


def lightgbm() -> Any:
    """Import LightGBM, or say what is missing.

    Returns
    -------
    module
        ``lightgbm``.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    PluginLoadError
        If it is, but cannot be loaded, as where the OpenMP library it needs is absent.
    """
    try:
        return require_extra("lightgbm", "boost", "boosting with engine='lightgbm'")
    except OSError as error:
        raise PluginLoadError(
            f"lightgbm is installed but a library it needs cannot be loaded ({error}): install OpenMP (libgomp1 on "
            "Debian and Ubuntu, libomp on macOS), or take engine='scikit-learn'"
        ) from error


def train(
    parameters: dict[str, Any],
    X: npt.NDArray[np.float64],
    y: npt.NDArray[Any],
    sample_weight: Any,
    *,
    n_classes: int,
    categorical: npt.NDArray[np.bool_],
) -> tuple[str, int]:
    """Grow the trees.

    Parameters
    ----------
    parameters : dict
        Those of ``BoostingClassifier`` or ``BoostingRegressor``; ``monotonic_cst`` as a list of -1, 0 and 1, a column
        each.
    X : ndarray of float64, shape (n_rows, n_features)
        NaN where missing; codes where categorical.
    y : ndarray, shape (n_rows,)
        Codes of labels, or numbers.
    sample_weight : array-like or None
        How much each row counts.
    n_classes : int
        0 for numbers.
    categorical : ndarray of bool, shape (n_features,)
        Which columns are codes.

    Returns
    -------
    model : str
        LightGBM's own text form.
    n_rounds : int
        Rounds that were run.
    """
    library = lightgbm()
    random = check_random_state(parameters["random_state"])
    seed = int(random.randint(np.iinfo(np.int32).max))
    settings: dict[str, Any] = {
        "learning_rate": parameters["learning_rate"],
        "num_leaves": parameters["max_leaf_nodes"] or _MOST_LEAVES,
        "max_depth": parameters["max_depth"] or -1,
        "min_data_in_leaf": parameters["min_samples_leaf"],
        "lambda_l2": parameters["l2_regularization"],
        "feature_fraction_bynode": parameters["max_features"],
        "max_bin": parameters["max_bins"],
        "seed": seed,
        "deterministic": True,
        # Which of two orders of summing is quicker would be tried out, and may differ from run to run.
        "force_row_wise": True,
        "num_threads": parameters["n_threads"] or 0,
        "verbosity": -1,
    }
    if n_classes:
        settings["objective"] = "binary" if n_classes == 2 else "multiclass"
        if n_classes > 2:
            settings["num_class"] = n_classes
        sample_weight = _weights(parameters["class_weight"], y, sample_weight)
    else:
        settings["objective"] = _OBJECTIVES[parameters["loss"]]
        if parameters["loss"] == "quantile":
            settings["alpha"] = parameters["quantile"]
    if parameters["monotonic_cst"] is not None:
        settings["monotone_constraints"] = parameters["monotonic_cst"]
    rows = np.arange(len(y))
    held: npt.NDArray[Any] = rows[:0]
    stops = parameters["early_stopping"]
    if stops is True or (stops == "auto" and len(y) > 10_000):
        share = parameters["validation_fraction"]
        parts = train_test_split(rows, test_size=share, stratify=y if n_classes else None, random_state=seed)
        rows, held = np.asarray(parts[0]), np.asarray(parts[1])
    places = np.flatnonzero(categorical).tolist()
    given = {"categorical_feature": places, "params": {"verbosity": -1, "max_bin": parameters["max_bins"]}}
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    training = library.Dataset(X[rows], y[rows], weight=None if weight is None else weight[rows], **given)
    watched: dict[str, Any] = {}
    if len(held):
        held_weight = None if weight is None else weight[held]
        watched["valid_sets"] = [library.Dataset(X[held], y[held], weight=held_weight, reference=training)]
        watched["callbacks"] = [library.early_stopping(parameters["n_iter_no_change"], verbose=False)]
    booster = library.train(settings, training, parameters["max_iter"], **watched)
    # As in scikit-learn, the trees grown while waiting for a gain stay out only where a gain was waited for.
    rounds = booster.best_iteration if len(held) and booster.best_iteration > 0 else booster.current_iteration()
    return booster.model_to_string(num_iteration=rounds), int(rounds)


def _weights(class_weight: Any, y: npt.NDArray[Any], sample_weight: Any) -> Any:
    """Multiply the weights of rows by those of their labels' codes."""
    if class_weight is None:
        return sample_weight
    of_labels = compute_sample_weight(class_weight, y)
    return of_labels if sample_weight is None else of_labels * np.asarray(sample_weight, dtype=np.float64)


def raw_scores(model: str, X: npt.NDArray[np.float64], n_threads: int | None) -> npt.NDArray[np.float64]:
    """Give what the trees add up to: log-odds of labels, or numbers in the unit of y.

    Parameters
    ----------
    model : str
        From ``train``.
    X : ndarray of float64, shape (n_rows, n_features)
        As for ``train``.
    n_threads : int or None
        None leaves it to the machine.

    Returns
    -------
    ndarray of float64, shape (n_rows,) or (n_rows, n_classes)
        Scores.
    """
    booster = lightgbm().Booster(model_str=model)
    labels = model.partition("objective=")[2].startswith(("binary", "multiclass"))
    scores = booster.predict(X, raw_score=labels, num_threads=n_threads or 0)
    return np.asarray(scores, dtype=np.float64)
