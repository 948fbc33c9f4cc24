"""Satisfaction, costs and counts joined to conversations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import contact_cost, mean
from crmkit.text import contact_costs, contact_figures, contacts_per, satisfaction_after


def test_costs_follow_channel_and_time(known):
    channels = known["channel"].dropna().unique()
    prices = {"channel": channels, "per_contact": [1.0] * len(channels), "per_minute": (channels == "call") * 2.0}
    priced = contact_costs(known, prices)
    calls = priced["channel"] == "call"
    assert (priced.loc[~calls, "cost"] == 1).all()
    np.testing.assert_allclose(priced.loc[calls, "cost"], 1 + 2 * priced.loc[calls, "handling_seconds"] / 60)
    figures = contact_figures(priced).set_index("figure")
    assert figures.loc["cost", "value"] == pytest.approx(contact_cost(priced["cost"]).value)
    enough = priced[priced["followed_days"] >= 7]
    settled = ~(enough["repeat_days"] <= 7)
    assert figures.loc["cost_per_resolved", "value"] == pytest.approx(enough["cost"].sum() / settled.sum())
    assert figures.loc["cost_per_resolved", "n"] == len(enough)


def test_a_mapping_of_prices_will_do_and_gaps_are_refused(known):
    flat = contact_costs(known, dict.fromkeys(known["channel"].dropna().unique(), 2.5))
    assert (flat["cost"] == 2.5).all()
    with pytest.raises(DataError, match="no price for the channels"):
        contact_costs(known, {"chat": 1.0})
    with pytest.raises(DataError, match="more than one row"):
        contact_costs(known, {"channel": ["chat", "chat"], "per_contact": [1, 2]})
    with pytest.raises(DataError, match="row 0"):
        contact_costs(known, {"channel": ["chat"], "per_contact": [-1]})
    with pytest.raises(DataError, match="per_contact or per_minute"):
        contact_costs(known, pd.DataFrame({"channel": ["chat"]}))


def test_each_answer_counts_once_and_for_the_last_conversation(company, known):
    joined = satisfaction_after(known, company.feedback, days=10)
    used = 0
    day = pd.Timedelta(days=1)
    best = {}
    for _, answer in company.feedback.sort_values("time").iterrows():
        own = known[(known["customer_id"] == answer["customer_id"]) & (known["end"] <= answer["time"])]
        if len(own) and (answer["time"] - own["end"].max()) / day <= 10:
            latest = own.index[own["end"].to_numpy() == own["end"].max()][-1]
            best.setdefault(latest, answer["score"])
            used += 1
    assert used
    there = joined["satisfaction"].dropna()
    assert there.to_dict() == best
    assert (joined["satisfaction_days"].dropna() <= 10).all()
    figures = contact_figures(joined).set_index("figure")
    assert figures.loc["satisfaction", "value"] == pytest.approx(mean(there).value)


def test_answers_that_name_their_conversation_are_believed(known):
    marks = {"conversation_id": [known.index[3], "none such"], "score": [2, 5]}
    joined = satisfaction_after(known, marks)
    assert joined["satisfaction"].dropna().to_dict() == {known.index[3]: 2.0}
    assert joined["satisfaction_days"].isna().all()


def test_questions_are_not_mixed(known):
    marks = {"conversation_id": list(known.index[:2]), "score": [2, 5], "question": ["a", "b"]}
    with pytest.raises(DataError, match="several questions"):
        satisfaction_after(known, marks)
    assert satisfaction_after(known, marks, question="b")["satisfaction"].dropna().tolist() == [5.0]
    with pytest.raises(DataError, match="score is no number in row 0"):
        satisfaction_after(known, {"conversation_id": ["1"], "score": ["good"]})


def test_contacts_of_everyone_are_counted(company, known):
    counts = contacts_per(known, company.customers)
    assert counts.sum() == len(known)
    assert len(counts) == len(company.customers)
    assert (counts == 0).any()
    assert mean(counts.to_numpy()).value == pytest.approx(len(known) / len(company.customers))
    orders = contacts_per(known.assign(order_id="o1"), {"order_id": ["o1", "o1", "o2"]}, key="order_id")
    assert orders.to_dict() == {"o1": len(known), "o2": 0}
    with pytest.raises(DataError, match="among: customer_id is missing in row 1"):
        contacts_per(known, ["a", None])


def test_a_missing_channel_has_no_price(known):
    assert contact_costs(known.assign(channel=None), {})["cost"].isna().all()
    some = known.assign(channel=known["channel"].where(known["channel"] == "chat"))
    priced = contact_costs(some, {"chat": 0.5})
    assert (priced["cost"].notna() == some["channel"].notna()).all()


def test_ids_that_agree_with_none_are_told(known):
    marks = {"customer_id": [1, 2], "score": [4, 5], "time": pd.to_datetime(["2024-05-01"] * 2, utc=True)}
    with pytest.warns(DataWarning, match="customer_id agrees with none"):
        assert satisfaction_after(known, marks)["satisfaction"].isna().all()
    with pytest.warns(DataWarning, match="conversation_id agrees with none"):
        satisfaction_after(known, {"conversation_id": [1], "score": [4]})
    with pytest.warns(DataWarning, match="customer_id agrees with none"):
        assert contacts_per(known, [1, 2]).to_dict() == {1: 0, 2: 0}
    with pytest.warns(DataWarning, match="no conversation names its order_id"):
        assert contacts_per(known, ["o1"], key="order_id").tolist() == [0]
