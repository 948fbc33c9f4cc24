"""Every built-in model, and what the rooms make of them, comes back from its file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import datasets, preparation, remediation, segmentation
from crmkit.core.checks import positions
from crmkit.core.errors import MissingExtraError
from crmkit.testing import tables


@pytest.fixture(scope="module")
def company():
    return datasets.make_company(400, seed=9)


@pytest.fixture(scope="module")
def summary(company):
    cutoff = company.truth.parameters["cutoff"]
    return preparation.purchase_summary(company.transactions, cutoff=cutoff, unit="week")


@pytest.fixture(scope="module")
def rfm(company):
    return preparation.rfm_table(company.transactions, cutoff=company.truth.parameters["cutoff"])


def there_and_back(model, tmp_path):
    return crmkit.load(crmkit.save(model, tmp_path / "model.crmkit"), expect=type(model))


def made(kind, name):
    try:
        return crmkit.create(kind, name)
    except MissingExtraError as missing:
        pytest.skip(str(missing))


TABLES = {("period-summary",): tables.period_summary, ("contracts",): tables.contracts}


@pytest.mark.parametrize("name", crmkit.available("lifetime-model"))
def test_a_lifetime_model_predicts_the_same(name, summary, tmp_path):
    table = TABLES.get(crmkit.describe("lifetime-model", name).spec.inputs)
    summary = summary if table is None else table()
    model = made("lifetime-model", name).fit(summary)
    again = there_and_back(model, tmp_path)
    assert again.params_ == model.params_
    pd.testing.assert_frame_equal(again.predict(summary, horizon=26), model.predict(summary, horizon=26))


@pytest.mark.parametrize("name", crmkit.available("spend-model"))
def test_a_spend_model_predicts_the_same(name, summary, tmp_path):
    model = made("spend-model", name).fit(summary)
    again = there_and_back(model, tmp_path)
    assert np.array_equal(np.asarray(again.predict(summary)), np.asarray(model.predict(summary)), equal_nan=True)


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")  # a sparse table may hold no dense group
@pytest.mark.parametrize("name", crmkit.available("segmenter"))
def test_a_segmentation_keeps_labels_profile_and_placing(name, rfm, tmp_path):
    model = segmentation.segment(rfm, made("segmenter", name), random_state=0)
    again = there_and_back(model, tmp_path)
    pd.testing.assert_series_equal(again.labels, model.labels)
    pd.testing.assert_frame_equal(again.profile, model.profile)
    if hasattr(model.segmenter, "predict"):
        pd.testing.assert_series_equal(again.predict(rfm), model.predict(rfm))


@pytest.mark.parametrize("name", [name for name in crmkit.available("classifier") if name.startswith("text-")])
def test_a_text_classifier_predicts_the_same(name, company, tmp_path):
    inbound = (company.communications["direction"] == "in").to_numpy()
    texts = company.communications["text"][inbound].to_list()[:300]
    topics = company.truth.communications["topic"][inbound].to_list()[:300]
    model = made("classifier", name).fit(texts, topics)
    again = there_and_back(model, tmp_path)
    assert (again.predict(texts) == model.predict(texts)).all(), positions(again.predict(texts) != model.predict(texts))


@pytest.mark.parametrize("planner", ["lp", "milp"])
def test_a_plan_keeps_its_table_prices_and_bound(planner, company, tmp_path):
    limits = [remediation.Resource("budget", 800), remediation.Resource("hours", 6)]
    plan = remediation.plan(remediation.Problem.from_options(company.remedies, limits), planner=planner)
    again = there_and_back(plan, tmp_path)
    pd.testing.assert_frame_equal(again.table, plan.table)
    pd.testing.assert_frame_equal(again.prices, plan.prices)
    assert (again.value, again.bound) == (plan.value, plan.bound)
    assert plan.value > 0


def test_a_company_with_its_truth_can_be_kept(company, tmp_path):
    again = there_and_back(company, tmp_path)
    for name, table in company.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    pd.testing.assert_frame_equal(again.truth.customers, company.truth.customers)
    assert again.truth.parameters["purchase"] == company.truth.parameters["purchase"]
