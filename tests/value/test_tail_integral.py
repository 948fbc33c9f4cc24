from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from crmkit.value._tail_integral import tail_integral


def test_the_integral_is_that_of_its_integrand():
    p, q, alpha, beta, t = 2.3, 1.6, 4.0, 9.0, 3.0
    density = lambda u: (alpha + u) ** -p * (beta + u) ** -q  # noqa: E731 -- the integrand
    total = integrate.quad(density, t, np.inf, epsabs=0, epsrel=1e-12)[0]
    for one, other, order in ((alpha, beta, slice(None)), (beta, alpha, slice(None, None, -1))):
        powers = (p, q)[order]
        tail = tail_integral(*powers, one, other, t)
        means = [
            integrate.quad(lambda u, scale=scale, f=f: f(scale + u) * density(u), t, np.inf, epsabs=0, epsrel=1e-12)[0]
            / total
            for f in (np.log, np.reciprocal)
            for scale in (one, other)
        ]
        assert tail.log_integral[0] == pytest.approx(np.log(total), rel=1e-10)
        assert [float(part[0]) for part in tail[1:]] == pytest.approx(means, rel=1e-9)


def test_equal_scales_leave_a_single_power():
    tail = tail_integral(2.0, 1.5, 7.0, 7.0, [0.0, 5.0])
    assert tail.log_integral == pytest.approx(-2.5 * np.log([7.0, 12.0]) - np.log(2.5), rel=1e-12)


positive = st.floats(1e-3, 1e3)


@given(positive, positive, positive, positive, st.floats(0, 1e4))
def test_integration_by_parts_holds(rho, s, alpha, beta, t):
    # s times one integral and rho times its neighbour add up to the boundary term, whatever the parameters.
    gone = np.log(s) + tail_integral(rho, s + 1, alpha, beta, t).log_integral[0]
    bought = np.log(rho) + tail_integral(rho + 1, s, alpha, beta, t).log_integral[0]
    boundary = -rho * np.log(alpha + t) - s * np.log(beta + t)
    assert np.logaddexp(gone, bought) == pytest.approx(boundary, rel=1e-11, abs=1e-10)
