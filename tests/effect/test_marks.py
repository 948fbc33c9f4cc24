from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.effect import scores
from crmkit.metrics import ces, csat, nps


@pytest.mark.parametrize(
    ("metric", "figure", "scale"),
    [
        ("nps", nps, (0, 10)),
        ("csat", csat, (1, 5)),
        ("csat-mean", lambda marks: csat(marks, method="mean"), (1, 5)),
        ("ces", ces, (1, 7)),
        ("ces-share", lambda marks: ces(marks, method="share"), (1, 7)),
    ],
)
def test_the_mean_of_the_scores_is_the_metric(metric, figure, scale):
    marks = np.random.default_rng(0).integers(scale[0], scale[1] + 1, 500)
    assert scores(marks, metric).mean() == pytest.approx(float(figure(marks)))


def test_missing_marks_stay_missing_and_the_index_stays():
    marks = pd.Series([9.0, np.nan, 3.0], index=["x", "y", "z"])
    result = scores(marks, "nps")
    assert result.index.tolist() == ["x", "y", "z"]
    assert result.isna().tolist() == [False, True, False]
    assert scores(pd.Series([np.nan]), "nps").isna().all()


def test_marks_off_the_scale_and_unknown_metrics_are_refused():
    with pytest.raises(DataError, match="row 2"):
        scores([1.0, np.nan, 11.0], "nps")
    with pytest.raises(DataError, match="metric must be one of"):
        scores([1], "love")
    assert scores([10], "csat", scale=(1, 10)).tolist() == [1.0]
    assert scores([5, 4], "csat", top=1).tolist() == [1.0, 0.0]
