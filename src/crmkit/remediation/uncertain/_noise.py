"""How uncertain the value of each option is, and of a choice of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Noise"]


@dataclass(frozen=True)
class Noise:
    """Standard errors of a problem's options.

    The value of option ``i`` of remedy ``j`` is its estimate plus ``own[i] * e_i + shared[i] * h_j`` with independent
    standard normal ``e_i`` and ``h_j``.

    Parameters
    ----------
    own, shared : ndarray, shape (n_options,)
        0 where there is none.
    remedy : ndarray of int, shape (n_options,)
        Number of each option's remedy.
    n_remedies : int
        How many remedies there are.
    """

    own: Floats
    shared: Floats
    remedy: Ints
    n_remedies: int

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """List the errors in the order of the problem's options."""
        options = problem.options()
        own, shared = (
            np.zeros(options.n_options) if table is None else table[options.case, options.remedy]
            for table in problem.errors()
        )
        return cls(own, shared, options.remedy, len(problem.remedies))

    @property
    def any(self) -> bool:
        """Whether anything is uncertain."""
        return bool(self.own.any() or self.shared.any())

    def sums(self, share: Floats) -> Floats:
        """Give the sum of a choice's shared errors by remedy."""
        sums = np.bincount(self.remedy, weights=self.shared * share, minlength=self.n_remedies)
        return np.asarray(sums, dtype=np.float64)

    def variance(self, share: Floats) -> float:
        """Give the variance of a whole choice's value (of a divided one by shares)."""
        return float(np.sum(self.own**2 * share) + np.sum(self.sums(share) ** 2))
