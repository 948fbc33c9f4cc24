"""A whole plan of the core."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation._completion import complete
from crmkit.remediation._relaxation import POSITIVE
from crmkit.remediation._search import search

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._relaxation import Relaxed

    Floats = npt.NDArray[np.float64]

__all__ = ["FEW_ROWS", "finish"]

FEW_ROWS = 64
_LOSS = 0.15
_GAP_A_ROW = 0.1


def finish(
    options: Options, relaxed: Relaxed, *, gap: float, typical: float, nodes: int, time_limit: float
) -> Floats | None:
    """Search the core for a whole plan.

    Parameters
    ----------
    options : Options
        The core.
    relaxed : Relaxed
        Its divided plan.
    gap : float
        Stop when the plan is proved to be within this value of the best.
    typical : float
        The size of a typical value.
    nodes : int
        Nodes of branch and bound for each search.
    time_limit : float
        Seconds.

    Returns
    -------
    ndarray, shape (n_options,), or None
        0 and 1; None where no plan was found.
    """
    if len(options.bound) <= FEW_ROWS:
        relative = gap / options.size(relaxed.value)
        return complete(options, relaxed, gap=relative, nodes=nodes, time_limit=time_limit).share
    end = perf_counter() + time_limit
    adjusted = options.adjusted(relaxed.prices)
    loss = options.best(adjusted)[options.group] - adjusted
    # With hundreds of limits the root of the search gives good plans, and its nodes hardly better ones.
    for within, budget in ((_LOSS * typical, 1), (4 * _LOSS * typical, nodes), (np.inf, nodes)):
        found = search(
            options,
            gap=max(gap, _GAP_A_ROW * typical * len(options.bound)),
            nodes=budget,
            time_limit=end - perf_counter(),
            near=relaxed.value,
            allowed=(loss <= within) | (relaxed.share > POSITIVE),
        )
        if found.share is not None:
            return found.share
        if perf_counter() > end:
            break
    return None
