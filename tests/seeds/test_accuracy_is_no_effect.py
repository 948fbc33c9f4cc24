"""A classifier that reads complaints well says nothing of whether the remedies help."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import create, metrics
from crmkit.datasets import make_company
from crmkit.effect import compare_arms


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_the_interval_holds_the_true_effect_of_remedies_however_accurate_the_classifier(effect):
    company = make_company(6_000, seed=3, language="en", effect=effect)
    messages = company.communications.dropna(subset=["text", "label"])
    learn = np.arange(len(messages)) % 2 == 0
    model = create("classifier", "text-svm").fit(messages["text"][learn], messages["label"][learn])
    accuracy = metrics.accuracy(messages["label"][~learn], model.predict(messages["text"][~learn]))
    assert accuracy.low > 0.85

    closed = company.cases.dropna(subset=["remedy", "outcome"])
    effects = compare_arms(closed, outcome="outcome", arm="remedy", control="nothing", cluster="customer_id").effects
    assert set(effects) == {"refund", "voucher", "call", "replacement"}
    truth = company.truth.cases.loc[closed["case_id"]]
    for remedy, found in effects.items():
        true = float((truth[f"kept_if_{remedy}"] - truth["kept_if_nothing"]).mean())
        assert found.low < true < found.high
    if effect == 0:
        assert all(found.low < 0 < found.high for found in effects.values())
    else:
        assert effects["refund"].low > 0
