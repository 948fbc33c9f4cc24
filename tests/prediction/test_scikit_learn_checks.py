"""Every built-in classifier, regressor and selector of crmkit's own passes scikit-learn's estimator checks."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit import prediction
from crmkit.prediction import _lightgbm

_KINDS = ("classifier", "regressor", "feature-selector")
# scikit-learn checks its own classes itself.
_SPECS = [spec for spec in crmkit.available() if spec.kind in _KINDS and spec.module == "crmkit.prediction"]
_COLUMNS = [
    prediction.TableColumns(),
    prediction.TableColumns("ranked", scale=False, missing="keep"),
]
_LIGHTGBM = [
    prediction.BoostingClassifier(engine="lightgbm", max_iter=20, min_samples_leaf=5),
    prediction.BoostingRegressor(engine="lightgbm", max_iter=20, min_samples_leaf=5),
]


def _made(spec):
    return crmkit.create(spec.kind, spec.name, **(spec.test_params[0] if spec.test_params else {}))


def _expected(estimator):
    name = type(estimator).__name__
    if not name.startswith(("Boosting", "Forest")):
        return {}
    # scikit-learn expects the same of its own classes: bins are cut, and rows drawn, without looking at weights.
    why = "bins are cut and rows are drawn by rows, not by weights"
    failing = {"check_sample_weight_equivalence_on_dense_data": why}
    if name.startswith("Forest"):
        failing["check_sample_weight_equivalence_on_sparse_data"] = why
    return failing


def _loads():
    try:
        _lightgbm.lightgbm()
    except crmkit.PluginError:
        return False
    return True


def test_there_is_something_to_check():
    assert len(_SPECS) == 15


@parametrize_with_checks([*map(_made, _SPECS), *_COLUMNS], expected_failed_checks=_expected)
def test_estimator_behaves_as_scikit_learn_asks(estimator, check):
    check(estimator)


@pytest.mark.skipif(not _loads(), reason="lightgbm cannot be loaded: pip install 'crmkit[boost]'")
@parametrize_with_checks(_LIGHTGBM, expected_failed_checks=_expected)
def test_lightgbm_behaves_as_scikit_learn_asks(estimator, check):
    check(estimator)
