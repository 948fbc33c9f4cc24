"""The BG/CNBD-k model: as BG/NBD, but customers buy more regularly than at random, with Erlang gaps."""

from __future__ import annotations

import warnings
from copy import copy
from math import inf, lgamma, log, nan
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.preparation.units import DAYS, days_in
from crmkit.value._base import LikelihoodModel
from crmkit.value._dropout_forecast import expected_purchases, p_alive, probabilities
from crmkit.value._dropout_likelihood import STAGES_MOST, negative_log_likelihood, usual_starts
from crmkit.value._regularity import regularity, regularity_of_days
from crmkit.value._runaways import BUYING, LEAVING_AFTER_PURCHASES
from crmkit.value._summary import read_gap_evenness

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective
    from crmkit.value._rows import Rows
    from crmkit.value._summary import Summary

__all__ = ["BGCNBD"]

_CERTAIN = 0.01
"""Gaps that are less regular than random are told of only where that is hardly chance."""

_FALLS = 2
"""The search for k ends where the likelihood has not risen for so many in a row."""


class BGCNBD(LikelihoodModel):
    """Beta-geometric model of repeat purchases with condensed (Erlang) gaps: customers who buy somewhat regularly.

    As in ``bg-nbd``, rates are gamma distributed over customers and chances of leaving beta distributed, but a gap is
    the sum of ``k`` exponential stages: the larger ``k``, the more even the gaps, and the sooner a silence tells that a
    customer has left. ``k = 1`` is ``bg-nbd``. The likelihood is the true one, which counts the last, unfinished gap
    as well; forecasts are exact, not the published approximations.

    Use it where customers come back by a rhythm of their own: refills, groceries, services. ``k`` is chosen by
    likelihood, which needs the ``gap_evenness`` of ``preparation.purchase_summary``; the gaps' regularity is estimated
    and tested on its own. Purchases of one day are one purchase, so gaps below a day do not occur: for customers who
    buy every few days that alone looks like regularity, and a warning says so. Fitting costs as many fits of ``bg-nbd``
    as values of ``k`` are tried, and little more for each.

    Parameters
    ----------
    k : "auto" or int, default="auto"
        Stages of a gap, 1 to 50. ``"auto"`` tries 1, 2, 3, ... and takes the likeliest, ending where the likelihood has
        not risen twice in a row.
    drop_out_at_first : bool, default=False
        Whether customers may leave right after their first purchase, as in ``mbg-nbd``, or only after repeats: True
        gives the MBG/CNBD-k model. It changes the result.
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
        The unit of the tables, where their column names do not say it. It does not change any forecast.

    Attributes
    ----------
    k_ : int
        Stages of a gap.
    k_profile_ : dict of int to float
        The log-likelihood at each ``k`` that was tried; not a number where the table does not identify that model.
    regularity_ : Estimate
        Shape of the gaps, estimated from their evenness alone and without any model of rates and leaving: 1 is random,
        more is more regular. Not a number where the table has no ``gap_evenness``.
    regularity_p_value_ : float
        Of random gaps, by the likelihood ratio.
    params_ : dict of str to float
        ``r``, ``alpha`` (in the unit of time), ``a``, ``b``. The rate is that of stages: purchases come at rates
        whose mean is ``r / (alpha k)``.
    standard_errors_ : dict of str to float
        Of each parameter, from the curvature of the log-likelihood at ``k_``.
    covariance_ : ndarray of float, shape (4, 4)
        Of the logarithms of the parameters.
    log_likelihood_ : float
        At the maximum, for the times in the table's unit. Not a number for a ``k`` above 1 and a table without
        ``gap_evenness``: the gaps' part of it is then unknown, though it changes no forecast.
    aic_, bic_ : float
        Akaike's and Schwarz's criterion, in which a ``k`` that was chosen counts as a parameter.
    n_customers_, n_iter_ : int
        Customers fitted on; steps of the optimiser.
    unit_ : str
        The unit of the table.

    Raises
    ------
    ConvergenceError
        From ``fit``, where the table does not identify a parameter, ``k`` among them.

    Warns
    -----
    DataWarning
        From ``fit``, where the gaps do not support a ``k`` above 1, or no more than whole days make of random gaps, or
        are less regular than random.

    See Also
    --------
    BGNBD, MBGNBD : The same for random gaps.

    References
    ----------
    Reutterer, T., Platzer, M. and Schröder, N. (2021), doi:10.1016/j.ijresmar.2020.09.002.
    Platzer, M. and Reutterer, T. (2016), doi:10.1287/mksc.2015.0963.
    Wheat, R. D. and Morrison, D. G. (1990), doi:10.1287/mksc.9.2.87.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import BGCNBD
    >>> kinds = pd.DataFrame(
    ...     {
    ...         "repeats": [0, 1, 1, 2, 3, 6, 6, 12],
    ...         "last_purchase_weeks": [0.0, 5.0, 30.0, 20.0, 35.0, 15.0, 37.0, 38.0],
    ...         "age_weeks": [39.0] * 8,
    ...         "gap_evenness": [0.0, 1.0, 1.0, 0.95, 0.8, 0.85, 0.9, 0.85],
    ...     }
    ... )
    >>> model = BGCNBD().fit(kinds.loc[kinds.index.repeat([60, 12, 6, 5, 4, 2, 2, 1])])
    >>> model.k_
    3
    >>> model.predict(kinds, horizon=26).round(2).loc[[0, 5, 6]]
       p_alive  expected_purchases
    0     1.00                0.11
    5     0.00                0.00
    6     0.92                3.32
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "unit": [StrOptions(set(DAYS)), None],
        "k": [StrOptions({"auto"}), Interval(Integral, 1, STAGES_MOST, closed="both")],
        "drop_out_at_first": ["boolean"],
    }

    _title: ClassVar[str] = "bg-cnbd-k"
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    _causes: ClassVar[Mapping[tuple[str, str], str]] = {**BUYING, **LEAVING_AFTER_PURCHASES}

    k_: int

    def __init__(self, *, k: int | str = "auto", drop_out_at_first: bool = False, unit: str | None = None) -> None:
        super().__init__(unit=unit)
        self.k = k
        self.drop_out_at_first = drop_out_at_first

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, summary: Any, y: Any = None, /) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Estimate the parameters, and choose ``k`` where it is not given.

        Parameters
        ----------
        summary : table
            Made by ``preparation.purchase_summary``; without its ``gap_evenness`` where ``k`` is given.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        DataError
            If the table is another one or holds impossible values, or ``k`` is to be chosen and the table does not tell
            how even the gaps are.
        ConvergenceError
            If a parameter is not identified; the message names it and the cause.

        Warns
        -----
        DataWarning
            If the gaps do not support a ``k`` above 1, or no more than whole days make of random gaps, or are less
            regular than random.
        """
        table = self._table(summary, self.unit)
        evenness = read_gap_evenness(summary)
        if self.k == "auto" and evenness is None:
            raise DataError(
                "bg-cnbd-k: k='auto' reads the column gap_evenness, which this summary does not have: make it with "
                "preparation.purchase_summary(transactions), or give k"
            )
        self._check_varied(table)
        rows, log_gaps = self._rows(table), _sum_of_log_gaps(table, evenness)
        if self.k == "auto":
            found, profile = self._choose(rows, log_gaps)
        else:
            found = self._estimated(int(self.k), rows, log_gaps)
            profile = {found.k_: found.log_likelihood_}
        for name, value in vars(found).items():
            setattr(self, name, value)
        self.k_profile_ = profile
        self.regularity_, self.regularity_p_value_ = regularity(table.x, evenness)
        n_parameters = len(self.params_) + (self.k == "auto")
        self.aic_ = 2.0 * n_parameters - 2.0 * self.log_likelihood_
        self.bic_ = log(len(table.x)) * n_parameters - 2.0 * self.log_likelihood_
        self.n_customers_ = len(table.x)
        self.unit_ = table.unit
        self._judge_regularity(regularity_of_days(table.x, table.t_x * days_in(table.unit)))
        return self

    def _choose(self, rows: Rows, log_gaps: float) -> tuple[Self, dict[int, float]]:
        """Try one k after the other; give the likeliest model, and the log-likelihood of all."""
        profile: dict[int, float] = {}
        best: Self | None = None
        best_k, first_error = 1, None
        for k in range(1, STAGES_MOST + 1):
            try:
                found = self._estimated(k, rows, log_gaps)
                profile[k] = found.log_likelihood_
                if best is None or profile[k] > best.log_likelihood_:
                    best_k, best = k, found
            except ConvergenceError as error:
                first_error = first_error or error
                profile[k] = nan
            if k - best_k >= _FALLS:
                break
        else:
            raise ConvergenceError(
                f"bg-cnbd-k: k is not identified, it runs to a large value: the gaps are almost as even as those of a "
                f"clock, and the likelihood still rises at k={STAGES_MOST}; give k",
                parameter="k",
            )
        if best is None:
            raise first_error or ConvergenceError("bg-cnbd-k: k is not identified", parameter="k")
        return best, profile

    def _estimated(self, k: int, rows: Rows, log_gaps: float) -> Self:
        """Give this model estimated with k stages, its log-likelihood with the part that no parameter changes."""
        if k > 1 and bool(((rows.x > 0) & (rows.t_x == 0)).any()):
            raise ConvergenceError(
                "bg-cnbd-k: k is not identified: there are repeat purchases without time between them, which cannot be "
                "where k is above 1",
                parameter="k",
            )
        # A copy, so that what fails leaves this model as it was.
        model = copy(self)
        model.k_ = k
        model._estimate(rows)  # noqa: SLF001 -- a copy of this very model
        if k > 1:
            repeats = float(rows.weights @ rows.x)
            model.log_likelihood_ += (k - 1) * (log_gaps - repeats * log(self._scale(rows))) - repeats * lgamma(k)
        return model

    def _judge_regularity(self, by_days: float) -> None:
        """Warn where the gaps contradict k, or days may have made it."""
        found = self.regularity_
        if found.n == 0:
            return
        told = f"their regularity is {found:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}, where 1 is random"
        problem = ""
        if self.k_ > 1 and found.low <= 1:
            problem = (
                f"k={self.k_} is not supported by the gaps between purchases: {told}; 'bg-nbd' is the model of random "
                "gaps"
            )
        elif self.k_ > 1 and found.low <= by_days:
            problem = (
                f"k={self.k_} may come of whole days alone: {told}, but random gaps as short as these, of purchases "
                f"known by the day, look as regular as {by_days:.2f}; believe it if a holdout does"
            )
        elif found < 1 and self.regularity_p_value_ < _CERTAIN:
            problem = (
                f"the gaps between purchases are less regular than random: {told}; purchases come in bursts, which no "
                "k describes"
            )
        if problem:
            warnings.warn(f"bg-cnbd-k: {problem}", DataWarning, stacklevel=4)

    def _starts(self, rate: float) -> list[list[float]]:
        """Begin with usual shapes at the observed rate of stages, then with rarer ones."""
        return usual_starts(rate * self.k_)

    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:
        """Prepare the negative log-likelihood, without its part of the gaps, and its gradient."""
        return negative_log_likelihood(x, t_x, T, weights, k=self.k_, at_first=self.drop_out_at_first)

    def _p_alive(self, params: Mapping[str, float], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:
        """Give P(alive)."""
        return p_alive(params, x, t_x, T, k=self.k_, at_first=self.drop_out_at_first)

    def _expected(self, params: Mapping[str, float], x: Any, t_x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give expected purchases."""
        return expected_purchases(params, x, t_x, T, t, k=self.k_, at_first=self.drop_out_at_first)

    def _probabilities(
        self, params: Mapping[str, float], x: Any, t_x: Any, T: Any, t: float, n_max: int
    ) -> npt.NDArray[np.float64]:
        """Give the distribution of future purchases."""
        return probabilities(params, x, t_x, T, t, n_max, k=self.k_, at_first=self.drop_out_at_first)

    def _endless(self, params: Mapping[str, float]) -> str | None:
        """Purchases without end are finite where chances of leaving near 0 are rare enough."""
        return f"a is {params['a']:.3g}, at most 1" if params["a"] <= 1 else None

    def _tolerance(self, wanted: float) -> float:
        """Ask for more nodes where purchases are regular: the expected ones then rise in steps."""
        return float(wanted ** (1 + (self.k_ - 1) / 3))


def _sum_of_log_gaps(table: Summary, gap_evenness: npt.NDArray[np.float64] | None) -> float:
    """Give the sum of the logarithms of all gaps, in the table's unit; not a number where their evenness is unknown."""
    if gap_evenness is None:
        return nan
    repeated = table.x > 0
    x, t_x = table.x[repeated], table.t_x[repeated]
    if not (t_x > 0).all():
        return -inf
    return float(x @ (np.log(t_x / x) + np.log(gap_evenness[repeated])))
