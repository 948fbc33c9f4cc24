"""For and against each algorithm, from what can be seen of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.prediction._facts import FEW_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit.prediction._facts import Facts

__all__ = ["RULES", "TEXT_RULES"]

_SOME_ROWS, _MANY_ROWS, _KERNEL_ROWS = 1000, 100_000, 20_000

_Answer = tuple[str, str, str, float]


def _linear(facts: Facts) -> _Answer:
    seconds = 2e-8 * facts.n_rows * max(facts.width, 1) * 25 * max(facts.n_labels - 1, 1)
    why = [
        "quick, readable coefficients, probabilities about right" if facts.n_labels else "quick, readable coefficients"
    ]
    if facts.n_rows < _SOME_ROWS:
        why.append(f"{facts.n_rows:,} rows are few: simple models overfit least")
    why_not = [f"levels beyond the 50 most frequent of {', '.join(facts.wide)} are lumped"] if facts.wide else []
    if facts.width > facts.n_rows:
        why_not.append(f"{facts.width:,} columns for {facts.n_rows:,} rows: select columns, or a stronger penalty")
    return "; ".join(why), "; ".join(["no bends or interactions", *why_not]), "fits", seconds


def _least_squares(facts: Facts) -> _Answer:
    why, why_not, form, seconds = _linear(facts)
    crowded = facts.width > facts.n_rows / 10
    return (
        why,
        why_not + "; no penalty: ridge is steadier" if crowded else why_not,
        "with care" if crowded else form,
        seconds,
    )


def _boosting(facts: Facts) -> _Answer:
    seconds = 2e-8 * facts.n_rows * facts.n_columns * 150 * max(facts.n_labels - 1, 1) + 0.1
    why = ["finds bends and interactions"]
    if facts.n_missing:
        why.append(f"{facts.n_missing} columns with missing values are taken as they are")
    if facts.wide:
        why.append(f"many levels ({', '.join(facts.wide)}) are ranked by the target of other rows")
    if facts.sparse:
        return "", "does not take sparse tables", "does not fit", seconds
    if facts.n_rows < 2 * FEW_ROWS:
        return "; ".join(why), f"{facts.n_rows:,} rows are few for it", "with care", seconds
    return (
        "; ".join(why),
        "" if facts.n_rows >= _SOME_ROWS else "on few rows linear models are as good",
        "fits",
        seconds,
    )


def _forest(facts: Facts) -> _Answer:
    seconds = 4e-8 * facts.n_rows * np.log2(facts.n_rows + 2) * np.sqrt(facts.n_columns) * 300
    megabytes = 300 * facts.n_rows / 3 * 100e-6 * max(facts.n_labels, 1) / 2
    if megabytes > 2000:
        return (
            "hard to get wrong",
            f"300 trees of this table take some {megabytes / 1000:,.0f} GB",
            "with care",
            float(seconds),
        )
    return (
        "hard to get wrong; few parameters",
        "probabilities drawn to the middle: calibrate them",
        "fits",
        float(seconds),
    )


def _tree(facts: Facts) -> _Answer:
    seconds = 2e-8 * facts.n_rows * np.log2(facts.n_rows + 2) * facts.n_columns + 0.01
    return "rules to read", "weaker than a forest or boosting, and unsteady", "with care", float(seconds)


def _kernel(facts: Facts) -> _Answer:
    seconds = 6e-9 * facts.n_rows**2 * max(facts.width, 1) + 0.01
    if facts.n_rows > _KERNEL_ROWS:
        return "", f"time grows with the square of the {facts.n_rows:,} rows or faster", "does not fit", seconds
    why_not = "gives scores, no probabilities: wrap it in CalibratedProbabilities" if facts.n_labels else ""
    return "bends on few rows", why_not or "its parameters must be searched", "with care", seconds


def _perceptron(facts: Facts) -> _Answer:
    seconds = 1e-7 * facts.n_rows * (max(facts.width, 1) + 10) * 100
    if facts.n_rows < _SOME_ROWS:
        return "", f"{facts.n_rows:,} rows are too few for it", "does not fit", seconds
    return (
        "bends and interactions of many columns",
        "seldom beats boosting on tables; seeds differ",
        "with care",
        seconds,
    )


def _text(
    why: str, per_row: float, *, most: int | None = None, probabilities: bool = True
) -> Callable[[Facts], _Answer]:
    """Give the rule of one classifier of texts."""

    def rule(facts: Facts) -> _Answer:
        seconds = per_row * facts.n_rows
        other = facts.n_columns - len(facts.texts)
        shown = f"{why}; reads {', '.join(facts.texts)}" + (f" and {other} other columns beside" if other else "")
        if most is not None and facts.n_rows > most:
            return shown, f"slow with {facts.n_rows:,} texts", "with care", seconds
        return shown, "" if probabilities else "gives scores, no probabilities", "fits", seconds

    return rule


RULES: dict[str, dict[str, Callable[[Facts], _Answer]]] = {
    "classifier": {
        "logistic": _linear,
        "boosting": _boosting,
        "forest": _forest,
        "tree": _tree,
        "svm": _kernel,
        "mlp": _perceptron,
    },
    "regressor": {
        "ridge": _linear,
        "boosting": _boosting,
        "forest": _forest,
        "linear": _least_squares,
        "tree": _tree,
        "svr": _kernel,
        "mlp": _perceptron,
    },
}
TEXT_RULES: dict[str, Callable[[Facts], _Answer]] = {
    "text-logistic": _text("probabilities, explained by words", 1e-3),
    "text-svm": _text("the first to try on texts", 5e-4, probabilities=False),
    "text-ridge": _text("explained by words", 5e-4, probabilities=False),
    "text-naive-bayes": _text("the fastest", 2e-4),
    "text-tree": _text("rules to read", 1e-3),
    "text-forest": _text("interactions of words", 5e-3, most=_MANY_ROWS),
    "text-mlp": _text("many classes", 5e-3, most=_MANY_ROWS),
}
