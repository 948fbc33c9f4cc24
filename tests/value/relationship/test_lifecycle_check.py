from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, DataWarning, metrics, value

STAGES = ["new", "active", "returned", "at-risk", "lapsed", "lost"]


def test_it_counts_who_of_each_stage_bought_in_the_holdout(cdnow):
    got = value.lifecycle_check(cdnow, split="1997-10-01", until="1998-04-01")
    stages = value.lifecycle(cdnow, cutoff="1997-10-01")
    begin = int(np.datetime64("1997-10-01", "D").astype(int))
    later = cdnow[cdnow["day"].between(begin, begin + 181)].drop_duplicates(["customer_id", "day"])
    days = later["customer_id"].value_counts().reindex(stages.index, fill_value=0)
    assert got.index.tolist() == STAGES
    for stage in STAGES[1:]:
        own = days[stages["stage"] == stage]
        assert got.loc[stage, ["n", "bought"]].tolist() == [len(own), (own > 0).sum()]
        expected = metrics.share(int((own > 0).sum()), len(own))
        assert got.loc[stage, ["share", "low", "high"]].tolist() == pytest.approx(
            [float(expected), expected.low, expected.high]
        )
        assert got.loc[stage, "purchases"] == pytest.approx(own.mean())
    assert got["n"].sum() == len(stages)


def test_a_stage_without_customers_has_no_share(cdnow):
    got = value.lifecycle_check(cdnow, split="1997-10-01")
    assert got.loc["new", ["n", "bought"]].tolist() == [0, 0]
    assert got.loc["new", ["share", "low", "high", "p_active", "purchases"]].isna().all()


def test_what_comes_after_the_holdout_changes_nothing(cdnow):
    until = int(np.datetime64("1998-01-01", "D").astype(int))
    whole = value.lifecycle_check(cdnow, split="1997-10-01", until=until)
    pd.testing.assert_frame_equal(
        value.lifecycle_check(cdnow[cdnow["day"] < until], split="1997-10-01", until=until), whole
    )


def test_a_refund_in_the_holdout_is_no_purchase_and_no_surprise(cdnow):
    refund = pd.DataFrame({"customer_id": "0003", "day": [10_200], "amount": [-5.0]})
    pd.testing.assert_frame_equal(
        value.lifecycle_check(pd.concat([cdnow, refund]), split="1997-10-01"),
        value.lifecycle_check(cdnow, split="1997-10-01"),
    )


def test_thresholds_and_models_are_handed_on(cdnow):
    never = {"at-risk": 0.0, "lapsed": 0.0, "lost": 0.0}
    got = value.lifecycle_check(cdnow, split="1997-10-01", model="nbd", gap_below=never, active_below=never)
    assert got.loc[["at-risk", "lapsed", "lost"], "n"].sum() == 0


def test_warnings_point_at_the_callers_line():
    sales = pd.DataFrame({"customer_id": [*"abab"], "day": [0, 3, 20, 44], "amount": 1.0})
    with pytest.warns(DataWarning, match="rhythm alone") as told:
        value.lifecycle_check(sales, split=30)
    assert {warning.filename for warning in told} == {__file__}


@pytest.mark.parametrize(("split", "side"), [("1990-01-01", "before"), ("2000-01-01", "after")])
def test_a_split_with_nothing_on_one_side_is_refused(cdnow, split, side):
    with pytest.raises(DataError, match=f"leaves no rows {side} it"):
        value.lifecycle_check(cdnow, split=split)
