"""The simulated company is whole, repeatable, and follows the process it documents."""

from __future__ import annotations

import dataclasses
import itertools
import re

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from crmkit import records
from crmkit.core.errors import DataError
from crmkit.datasets import make_company

SCHEMAS = {
    "customers": records.CUSTOMERS,
    "transactions": records.TRANSACTIONS,
    "communications": records.COMMUNICATIONS,
    "feedback": records.FEEDBACK,
    "ratings": records.RATINGS,
    "events": records.EVENTS,
    "campaigns": records.CAMPAIGNS,
    "cases": records.CASES,
    "opportunities": records.OPPORTUNITIES,
    "opportunity_history": records.OPPORTUNITIES,
}
TRUTH = [
    "customers",
    "orders",
    "communications",
    "feedback",
    "ratings",
    "products",
    "cases",
    "remedies",
    "campaigns",
    "campaign_effects",
    "opportunities",
    "opportunity_stages",
]


@pytest.fixture(scope="module")
def company():
    return make_company(2_000, seed=0)


@pytest.fixture(scope="module")
def large():
    return make_company(20_000, seed=1)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_reader_accepts_every_row(company, name):
    table = company.tables[name]
    loaded = records.read(table, SCHEMAS[name])
    assert len(loaded.table) == len(table)
    assert len(loaded.set_aside) == 0


@pytest.mark.parametrize("name", SCHEMAS)
def test_times_are_instants_and_days_are_local_days_of_the_window(company, name):
    table = company.tables[name]
    assert str(table["time"].dtype) == "datetime64[us, UTC]"
    assert table["day"].dtype == np.int64
    local = table["time"].dt.tz_convert("Asia/Shanghai")
    assert (table["day"] == (local.dt.tz_localize(None).dt.normalize() - pd.Timestamp("1970-01-01")).dt.days).all()
    first = (pd.Timestamp("2023-01-02") - pd.Timestamp("1970-01-01")).days
    assert table["day"].between(first, first + 104 * 7 - 1).all()
    if name != "customers":
        assert table["time"].is_monotonic_increasing or name == "campaigns"


def test_every_id_leads_to_a_row(company):
    ids = company.customers.index
    assert ids.is_unique
    for name, table in company.tables.items():
        if name != "customers":
            assert table["customer_id"].isin(ids).all(), name
    orders = company.transactions["order_id"]
    for table in (company.feedback, company.cases):
        assert table["order_id"].isin(orders).all()
    assert company.remedies["case_id"].isin(company.cases["case_id"]).all()
    assert company.communications["case_id"].dropna().isin(company.cases["case_id"]).all()
    assert company.ratings["item_id"].isin(company.truth.products.index).all()
    assert company.transactions["product_id"].isin(company.truth.products.index).all()
    assert company.truth.orders.index.equals(pd.Index(orders.unique(), name="order_id"))


def test_the_truth_has_a_row_for_each_row(company):
    truth = company.truth
    for name in ("communications", "feedback", "ratings", "campaigns"):
        assert len(getattr(truth, name)) == len(company.tables[name])
    assert truth.customers.index.equals(company.customers.index)
    assert truth.cases.index.tolist() == company.cases["case_id"].tolist()
    assert truth.opportunities.index.tolist() == company.opportunities["opportunity_id"].tolist()
    pd.testing.assert_frame_equal(
        company.remedies[["case_id", "remedy"]], truth.remedies[["case_id", "remedy"]], check_names=False
    )


def test_the_same_seed_gives_the_same_tables_and_another_one_others():
    first, second, other = make_company(60, seed=5), make_company(60, seed=5), make_company(60, seed=6)
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second.tables[name])
    for name in TRUTH:
        pd.testing.assert_frame_equal(getattr(first.truth, name), getattr(second.truth, name))
    assert not first.transactions["amount"].equals(other.transactions["amount"])


def test_effect_and_language_leave_the_purchases_as_they_were():
    plain, without, chinese = (
        make_company(80, seed=5),
        make_company(80, seed=5, effect=0),
        make_company(80, seed=5, language="zh"),
    )
    pd.testing.assert_frame_equal(plain.transactions, without.transactions)
    pd.testing.assert_frame_equal(plain.transactions, chinese.transactions)
    pd.testing.assert_frame_equal(plain.communications, without.communications)


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("language", ["both", "zh", "en"])
def test_few_customers_give_the_same_columns_and_types(company, count, language):
    small = make_company(count, language=language)
    assert len(small.customers) == count
    for name, table in small.tables.items():
        pd.testing.assert_series_equal(table.dtypes, company.tables[name].dtypes)
    for name in TRUTH:
        pd.testing.assert_series_equal(getattr(small.truth, name).dtypes, getattr(company.truth, name).dtypes)


def test_amounts_are_quantity_times_price_in_one_currency(company):
    lines = company.transactions
    assert np.allclose(lines["amount"], lines["quantity"] * lines["unit_price"], atol=0.005)
    assert (lines["amount"] > 0).all()
    assert set(lines["currency"]) == {"CNY"}
    assert set(make_company(5, currency="EUR").transactions["currency"]) == {"EUR"}
    booked = lines.groupby("order_id")["amount"].sum()
    assert np.allclose(booked, company.truth.orders["amount"])


def test_nobody_can_be_reached_at_the_contacts(company):
    customers = company.customers
    phones = customers["phone"].dropna()
    assert phones.str.fullmatch(r"154\d{8}|\+1 \d{3} 555 01\d\d").all()
    assert phones.is_unique
    assert customers["email"].dropna().str.fullmatch(r"c\d{7}@example\.(com|org|net)").all()
    consents = customers[["consent_email", "consent_sms", "consent_call"]]
    assert not consents[customers["opted_out"]].any(axis=None)
    asked = company.campaigns["customer_id"].unique()
    assert customers.loc[asked, ["consent_email", "consent_sms"]].all(axis=None)


HAN = re.compile(r"[\u4e00-\u9fff]")


def test_english_tables_hold_no_han_character():
    company = make_company(300, seed=1, language="en")
    for name, table in company.tables.items():
        for column in table.select_dtypes(include=["object", "string"]):
            assert not table[column].dropna().astype(str).str.contains(HAN).any(), (name, column)
    assert set(company.truth.communications["language"]) == {"en"}


def test_chinese_messages_are_chinese():
    company = make_company(300, seed=1, language="zh")
    texts = company.communications["text"]
    assert set(company.truth.communications["language"]) == {"zh"}
    assert (texts.str.contains(HAN) | (texts.str.len() < 30)).all()
    assert company.customers["name"].str.contains(HAN).all()


def bg_nbd_negative_log_likelihood(logs, x, t_x, T):
    """Fader, Hardie & Lee 2005, equation 6."""
    r, alpha, a, b = np.exp(logs)
    alive = -(r + x) * np.log(alpha + T)
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
    common = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    dropout = special.betaln(a, b + x) - special.betaln(a, b)
    return -np.sum(common + dropout + np.logaddexp(alive, left))


def test_maximum_likelihood_finds_the_purchase_process_again(large):
    days = large.transactions.drop_duplicates(["customer_id", "day"]).groupby("customer_id")["day"]
    end = large.transactions["day"].min() + 104 * 7
    x = (days.count() - 1).to_numpy(dtype=float)
    t_x, age = ((days.max() - days.min()) / 7).to_numpy(), ((end - days.min()) / 7).to_numpy()
    found = optimize.minimize(bg_nbd_negative_log_likelihood, np.zeros(4), args=(x, t_x, age), method="L-BFGS-B")
    r, alpha, a, b = np.exp(found.x)
    truth = large.truth.parameters["purchase"]
    # Standard errors at 20,000 customers are about .02, .3, .03 and .1; counting days loses one repeat in eighty.
    assert r == pytest.approx(truth["r"], abs=0.06)
    assert r / alpha == pytest.approx(truth["r"] / truth["alpha"], rel=0.05)
    assert a / (a + b) == pytest.approx(truth["a"] / (truth["a"] + truth["b"]), abs=0.02)


def test_latent_draws_follow_their_distributions(large):
    customers, process = large.truth.customers, large.truth.parameters
    purchase, spend = process["purchase"], process["spend"]
    gamma = stats.gamma(purchase["r"], scale=1 / purchase["alpha"])
    scale = stats.gamma(spend["q"], scale=1 / spend["gamma"])
    assert stats.kstest(customers["rate"], gamma.cdf).pvalue > 0.001
    assert stats.kstest(customers["dropout"], stats.beta(purchase["a"], purchase["b"]).cdf).pvalue > 0.001
    assert stats.kstest(spend["p"] / customers["spend_mean"], scale.cdf).pvalue > 0.001
    assert abs(np.corrcoef(customers["rate"], customers["spend_mean"])[0, 1]) < 0.03
    assert set(customers["segment"].value_counts(normalize=True).round(1)) <= {0.2, 0.3}


def test_amounts_follow_the_gamma_model_around_each_customers_mean(large):
    orders = large.truth.orders
    ratio = orders["amount"] / large.truth.customers["spend_mean"].loc[orders["customer_id"]].to_numpy()
    assert ratio.mean() == pytest.approx(1.0, abs=0.01)
    assert ratio.std() == pytest.approx(1 / np.sqrt(large.truth.parameters["spend"]["p"]), rel=0.02)


def test_what_is_expected_of_the_future_is_what_happens_on_average(large):
    customers = large.truth.customers
    gap = customers["future_purchases"] - customers["expected_purchases"]
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))
    frequent = customers["rate"] > customers["rate"].median()
    assert abs(gap[frequent].mean()) < 4 * gap[frequent].std() / np.sqrt(frequent.sum())
    spent = customers["future_spend"] - customers["lifetime_value"]
    assert abs(spent.mean()) < 4 * spent.std() / np.sqrt(len(spent))
    assert (customers.loc[~customers["alive"], "future_purchases"] == 0).all()


def test_true_lifetime_value_for_other_terms(company):
    truth = company.truth
    same = truth.lifetime_value(horizon=52)
    assert np.allclose(same, truth.customers["lifetime_value"])
    assert np.allclose(truth.lifetime_value(margin=0.3), 0.3 * same)
    year = truth.lifetime_value(annual_discount_rate=0.1)
    ratio = (year / same)[same > 0]
    assert ratio.between(1 / 1.1, 1).all()
    brute = truth.customers.iloc[0]
    weeks = np.linspace(0, 30, 300_001)
    rate = brute["rate"] * np.exp(-brute["rate"] * brute["dropout"] * weeks) * 1.1 ** (-weeks * 7 / 365.25)
    expected = brute["alive"] * brute["spend_mean"] * np.trapezoid(rate, weeks)
    assert truth.lifetime_value(horizon=30, annual_discount_rate=0.1).iloc[0] == pytest.approx(expected, rel=1e-6)


def test_a_season_moves_purchases_and_keeps_what_is_expected_right():
    company = make_company(6_000, seed=2, season=0.8, joining_weeks=10, weeks=104)
    weeks = (company.transactions["day"] - company.transactions["day"].min()) // 7
    repeats = ~company.transactions.duplicated("order_id") & company.transactions.duplicated("customer_id")
    counts = np.bincount(weeks[repeats], minlength=104)
    assert counts[58:72].sum() > 2.5 * counts[85:99].sum()
    customers = company.truth.customers
    gap = customers["future_purchases"] - customers["expected_purchases"]
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))
    with pytest.raises(DataError, match="with a season"):
        company.truth.lifetime_value(horizon=10)
    assert company.truth.lifetime_value(margin=0.5).sum() == pytest.approx(0.5 * customers["lifetime_value"].sum())


def test_failures_cost_satisfaction_what_the_parameters_say(large):
    orders = large.truth.orders
    causes = ["delay", "quality", "attitude", "billing"]
    design = np.column_stack([np.ones(len(orders)), orders[causes].astype(float)])
    found = np.linalg.lstsq(design, orders["satisfaction"], rcond=None)[0]
    assert found[1:] == pytest.approx([-large.truth.parameters["severity"][name] for name in causes], abs=0.05)


def test_complaints_come_as_often_as_their_probability_says(large):
    orders = large.truth.orders
    early = large.transactions.groupby("order_id")["day"].first() < large.transactions["day"].max() - 60
    expected = orders.loc[early, "complaint_probability"]
    complained = orders.index[early].isin(large.cases["order_id"])
    assert complained.sum() == pytest.approx(expected.sum(), abs=4 * np.sqrt((expected * (1 - expected)).sum()))
    assert large.cases["order_id"].is_unique


def test_the_noted_cause_is_mostly_the_true_one(large):
    noted = large.cases["label"].notna()
    agree = (large.cases["label"][noted].to_numpy() == large.truth.cases["cause"][noted.to_numpy()].to_numpy()).mean()
    assert 0.92 < agree < 0.95
    assert large.cases["label"].isna().mean() == pytest.approx(0.1, abs=0.01)


def test_open_cases_have_no_remedy_and_closed_ones_were_given_one_at_random(large):
    cases = large.cases
    is_open = cases["stage"] == "open"
    assert 0 < is_open.sum() < len(cases)
    assert cases.loc[is_open, ["remedy", "outcome", "closed_time"]].isna().all(axis=None)
    closed = cases[~is_open]
    assert closed["remedy"].value_counts(normalize=True).to_numpy() == pytest.approx([0.2] * 5, abs=0.02)
    assert (closed["closed_time"] >= closed["time"]).all()
    truth = large.truth.cases.loc[closed["case_id"]]
    probability = np.select(
        [closed["remedy"].to_numpy() == name for name in ("nothing", "refund", "voucher", "call", "replacement")],
        [truth[f"kept_if_{name}"] for name in ("nothing", "refund", "voucher", "call", "replacement")],
    )
    gap = closed["outcome"].to_numpy() - probability
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_remedies_have_the_true_value_their_uplift_gives(company):
    truth, remedies = company.truth.remedies, company.remedies
    owner = company.cases.set_index("case_id").loc[truth["case_id"], "customer_id"]
    worth = 0.3 * company.truth.customers["value_if_kept"].loc[owner].to_numpy()
    assert np.allclose(truth["value"], truth["uplift"] * worth - remedies["uses_budget"], atol=0.006)
    assert stats.spearmanr(remedies["value"], truth["value"]).statistic > 0.8


def test_campaign_arms_are_random_and_their_effects_known(large):
    campaigns, truth = large.campaigns, large.truth
    assert not campaigns.duplicated(["campaign_id", "customer_id"]).any()
    assert stats.chisquare(campaigns["arm"].value_counts()).pvalue > 0.001
    last = campaigns["campaign_id"] == "M3"
    rates = campaigns[last].groupby("arm")["outcome"].agg(["mean", "count"])
    effects = truth.campaign_effects.set_index(["campaign_id", "arm"])["effect"]
    for arm in ("email", "sms"):
        noise = np.sqrt(2 * 0.1 * 0.9 / rates["count"].min())
        assert rates["mean"][arm] - rates["mean"]["control"] == pytest.approx(effects["M3", arm], abs=4 * noise)
        assert effects["M3", arm] > 0.03
    assert ((campaigns["amount"] > 0) == (campaigns["outcome"] == 1)).all()


def test_without_effect_no_treatment_changes_anything():
    truth = make_company(500, seed=4, effect=0).truth
    assert (truth.remedies["uplift"] == 0).all()
    assert (truth.remedies["value"] <= 0).all()
    assert (truth.campaign_effects["effect"] == 0).all()
    assert (truth.campaigns["response_if_email"] == truth.campaigns["response_if_control"]).all()


def test_opportunities_are_won_as_often_as_their_probability_says(large):
    truth, table = large.truth.opportunities, large.opportunities
    early = (table["day"] < table["day"].max() - 300).to_numpy()
    won = (table["stage"] == "won").to_numpy()[early]
    expected = truth["win_probability"].to_numpy()[early]
    # Those that take longer than 300 days are few.
    assert won.mean() == pytest.approx(expected.mean(), abs=0.03)
    is_open = ~table["stage"].isin(["won", "lost"])
    assert table["close_time"].isna().equals(is_open)
    now = truth["win_probability_now"].to_numpy()
    assert (now[is_open] >= truth["win_probability"].to_numpy()[is_open] - 1e-12).all()
    assert set(now[~is_open]) == {0.0, 1.0}


def test_the_history_of_opportunities_leads_to_where_they_stand(large):
    table, history = large.opportunities.set_index("opportunity_id"), large.opportunity_history
    by_deal = history.groupby("opportunity_id")
    last = by_deal.last().loc[table.index]
    assert (last["stage"] == table["stage"]).all()
    assert (by_deal["time"].first().loc[table.index] == table["time"]).all()
    closed = table["close_time"].notna()
    assert (last["time"] == table["close_time"])[closed].all()
    assert (last["close_time"] == table["close_time"])[closed].all()
    rank = history["stage"].map({"lead": 0, "qualified": 1, "proposal": 2, "negotiation": 3, "won": 4, "lost": 9})
    step = rank.groupby(history["opportunity_id"]).diff().dropna()
    assert ((step == 1) | (rank.loc[step.index] == 9)).all()
    assert (history["amount"] == table["amount"].loc[history["opportunity_id"]].to_numpy()).all()
    is_open = ~history["stage"].isin(["won", "lost"])
    assert (history["close_time"] > history["time"])[is_open].all()
    assert set(history["region"]) == {"north", "east", "south", "west", "europe", "america", "oceania"}


def test_stages_are_passed_as_often_and_as_fast_as_the_truth_says(large):
    truth, history = large.truth.opportunity_stages, large.opportunity_history
    # Those opened early have long been decided.
    opened = history.groupby("opportunity_id")["day"].transform("min")
    early = history[opened < history["day"].max() - 300]
    counts = early["stage"].value_counts()
    names = [*truth.index, "won"]
    for stage, following in itertools.pairwise(names):
        share, n = counts[following] / counts[stage], counts[stage]
        noise = np.sqrt(share * (1 - share) / n)
        assert share == pytest.approx(truth.loc[stage, "conversion"], abs=4 * noise)
    assert truth["conversion"].prod() == pytest.approx(truth.loc["lead", "win_probability"])
    assert truth.loc["lead", "win_probability"] == pytest.approx(large.truth.opportunities["win_probability"].mean())
    days = (early["time"].groupby(early["opportunity_id"]).shift(-1) - early["time"]).dt.total_seconds() / 86_400
    by_stage = days.groupby(early["stage"]).agg(["mean", "count"]).loc[truth.index]
    assert (abs(by_stage["mean"] - truth["mean_days"]) < 4 * 21 / np.sqrt(by_stage["count"])).all()


def test_ratings_are_of_things_bought_once_each(company):
    bought = set(zip(company.transactions["customer_id"], company.transactions["product_id"], strict=True))
    rated = list(zip(company.ratings["customer_id"], company.ratings["item_id"], strict=True))
    assert set(rated) <= bought
    assert len(set(rated)) == len(rated)
    assert company.ratings["rating"].isin(range(1, 6)).all()
    assert np.corrcoef(company.ratings["rating"], company.truth.ratings["expected"])[0, 1] > 0.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_customers": -1}, "n_customers must be an int of at least 0, got -1"),
        ({"n_customers": 2.0}, "n_customers must be an int"),
        ({"n_customers": True}, "n_customers must be an int"),
        ({"seed": None}, "seed must be an int"),
        ({"language": "fr"}, "language must be one of 'both', 'zh', 'en', got 'fr'"),
        ({"weeks": 0}, "weeks must be positive"),
        ({"joining_weeks": 200}, "at most weeks = 104"),
        ({"horizon_weeks": -1}, "horizon_weeks"),
        ({"purchase": (1, 2, 3)}, "purchase must be 4 positive numbers"),
        ({"spend": (1, 2, float("nan"))}, "spend must be 3 positive numbers"),
        ({"season": 1}, "season must be at least 0 and below 1"),
        ({"effect": -1}, "effect must be at least 0"),
        ({"start": "yesterday"}, "start must be YYYY-MM-DD"),
        ({"timezone": "Mars/Base"}, "timezone an IANA name"),
    ],
)
def test_a_parameter_out_of_range_is_named(wrong, message):
    with pytest.raises(DataError, match=re.escape(message)):
        make_company(**{"n_customers": 3, **wrong})


def test_all_wrong_parameters_are_told_at_once():
    with pytest.raises(DataError, match=r"seed.*effect"):
        make_company(3, seed=-1, effect=-1)


def test_days_hold_where_clocks_change():
    company = make_company(400, seed=1, timezone="America/New_York", start="2023-11-01", weeks=20, joining_weeks=20)
    local = company.transactions["time"].dt.tz_convert("America/New_York")
    days = (local.dt.tz_localize(None).dt.normalize() - pd.Timestamp("1970-01-01")).dt.days
    assert (days == company.transactions["day"]).all()
    assert company.truth.parameters["cutoff"] == "2024-03-20"


def test_it_shows_its_sizes_and_cannot_be_changed(company):
    assert repr(company).startswith("Company(customers=2,000, transactions=")
    assert repr(company.truth) == "Truth(2,000 customers, effect=1.0)"
    assert "A simulated company" in company._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError):
        company.customers = None
