"""Every built-in classifier, regressor and selector of crmkit's own passes scikit-learn's estimator checks."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit

_KINDS = ("classifier", "regressor", "feature-selector")
# scikit-learn checks its own classes itself.
_SPECS = [spec for spec in crmkit.available() if spec.kind in _KINDS and spec.module == "crmkit.prediction"]


def _made(spec):
    return crmkit.create(spec.kind, spec.name, **(spec.test_params[0] if spec.test_params else {}))


def _expected(estimator):
    if not type(estimator).__name__.startswith("Boosting"):
        return {}
    # scikit-learn expects the same of its own class: the cut into bins sees rows, not weights.
    return {"check_sample_weight_equivalence_on_dense_data": "bins are cut by rows, not by weights"}


def test_there_is_something_to_check():
    assert len(_SPECS) == 10


@parametrize_with_checks([_made(spec) for spec in _SPECS], expected_failed_checks=_expected)
def test_estimator_behaves_as_scikit_learn_asks(estimator, check):
    check(estimator)
