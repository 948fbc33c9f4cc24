"""A configured run, from exports to a plan and a report."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

import crmkit
from crmkit import datasets, pipeline, remediation


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return pipeline.demo(tmp_path_factory.mktemp("demo"), n_customers=800, seed=1)


def test_the_demo_goes_from_exports_to_a_verified_plan(result):
    assert result.verdict.ok
    assert remediation.verify(result.plan, result.problem).ok
    assert result.plan.gap <= 1e-4
    assert len(result.plan.table) == len(result.cases) > 100
    assert not result.plan.table.loc[result.plan.table["remedy"] != "nothing", "case_id"].duplicated().any()


def test_every_row_read_is_used_or_set_aside(result):
    for name, loaded in result.loaded.items():
        rows = len(pd.read_csv(result.output.parent / f"{name}.csv", dtype=str))
        assert rows == len(loaded.table) + len(loaded.set_aside), name
    assert len(result.loaded["transactions"].set_aside) > 0


def test_customers_carry_segment_and_value_side_by_side(result):
    for column in ("recency_days", "repeats", "lifetime_value", "segment"):
        assert column in result.customers.columns
    assert result.customers["segment"].nunique() == 4


def test_only_messages_that_were_not_sorted_by_hand_are_classified(result):
    before, after = result.loaded["messages"].table, result.tables["messages"]
    labelled = before["label"].notna()
    assert (after.loc[labelled, "label"] == before.loc[labelled, "label"]).all()
    assert after.loc[labelled, "score"].isna().all()
    inbound = (after["direction"] == "in") & ~labelled
    assert after.loc[inbound, "label"].notna().all()
    assert after.loc[after["direction"] == "out", "label"].isna().all()


def test_the_classes_feed_the_types_of_the_cases(result):
    assert set(result.cases["label"]) == {"delay", "quality", "attitude", "billing"}
    called = result.plan.table.set_index("case_id")["remedy"]
    kinds = result.cases.set_index("case_id")["label"]
    assert set(kinds[called.index[called == "call"]]) <= {"attitude", "billing"}


def test_figures_carry_n_and_interval(result):
    accuracy = result.metrics["accuracy of the classes"]
    assert accuracy.low < accuracy < accuracy.high
    assert {"csat", "nps"} <= set(result.metrics)
    table = pd.read_csv(result.output / "metrics.csv")
    assert table.columns.tolist() == ["figure", "value", "low", "high", "n", "level", "method"]
    assert len(table) == len(result.metrics)


def test_the_files_say_what_the_objects_say(result):
    plan = pd.read_csv(result.output / "plan.csv", dtype={"case_id": str})
    assert plan["case_id"].tolist() == result.plan.table["case_id"].tolist()
    assert plan["value"].sum() == pytest.approx(result.plan.value)
    assert len(pd.read_csv(result.output / "customers.csv")) == len(result.customers)
    assert {path.name for path in result.files} == {path.name for path in result.output.iterdir()}


def test_the_report_shows_every_step_and_asks_for_nothing_from_outside(result):
    page = result.report.read_text(encoding="utf-8")
    for shown in ("rudeness answered", "replacement", "csat", "<svg", "Classes of messages", "time zone"):
        assert shown in page, shown
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_the_summary_counts_and_names_nobody(result):
    summary = result.summary()
    assert "every limit is kept" in summary
    assert "peak memory" in summary
    assert "C0000001" not in summary


def test_the_same_run_gives_the_same_bytes_but_for_the_date(tmp_path):
    script = "import sys; from crmkit import pipeline; pipeline.demo(sys.argv[1], n_customers=400, seed=2)"
    folders = []
    for run, hash_seed in (("one", "1"), ("two", "999")):
        folder = tmp_path / run
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(folder)], check=True, env=environment)
        folders.append(folder / "output")
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == sorted(path.name for path in folders[1].iterdir())
    assert "report.html" in names
    for name in names:
        first, second = ((folder / name).read_text(encoding="utf-8").splitlines() for folder in folders)
        different = [a for a, b in zip(first, second, strict=True) if a != b]
        assert len(different) <= (name == "report.html"), name
        assert all('class="date"' in line for line in different)


@pytest.fixture
def sales(tmp_path):
    datasets.make_company(150, seed=3).transactions.to_csv(tmp_path / "sales.csv", index=False)
    return tmp_path


def test_parquet_and_the_records_are_written_on_request(sales):
    config = {"read": {"sales": {"source": "sales.csv"}}, "rfm": {}, "output": {"format": "parquet", "records": True}}
    result = pipeline.run(config, data=sales, output=sales / "out")
    assert pd.read_parquet(sales / "out" / "customers.parquet").equals(result.customers)
    assert len(pd.read_parquet(sales / "out" / "sales.parquet")) == len(result.tables["sales"])


def test_an_error_says_in_which_step_it_happened(sales):
    config = {"read": {"sales": {"source": "sales.csv"}}, "cases": {"by": "no_such_column"}}
    with pytest.raises(crmkit.DataError, match="no_such_column") as caught:
        pipeline.run(config, data=sales, output=sales / "out")
    assert caught.value.__notes__ == ["in the step [cases]"]


def test_a_figure_by_group_is_one_figure_a_group(tmp_path):
    marks = pd.DataFrame({"mark": [5, 4, 1, 2, 5, 5], "channel": ["web", "web", "web", "app", "app", "app"]})
    marks.to_parquet(tmp_path / "marks.parquet")
    config = {
        "read": {"marks": {"source": "marks.parquet", "schema": "plain"}},
        "metrics": [{"evaluator": "csat", "table": "marks", "columns": ["mark"], "by": "channel"}],
    }
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    assert {name: (float(e), e.n) for name, e in result.metrics.items()} == {
        "csat: app": (pytest.approx(2 / 3), 3),
        "csat: web": (pytest.approx(2 / 3), 3),
    }


def test_a_hold_out_is_touched_by_no_remedy(tmp_path):
    orders = pd.DataFrame(
        {"customer_id": [f"c{i}" for i in range(40)], "order_id": [f"o{i}" for i in range(40)], "amount": 10.0}
    )
    orders.to_parquet(tmp_path / "orders.parquet")
    config = {
        "read": {"orders": {"source": "orders.parquet", "schema": "plain"}},
        "cases": {"by": "order_id"},
        "remedies": [{"name": "call", "value": 5.0}],
        "limits": {"holdout": {"share": 0.25}},
        "plan": {},
    }
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    assert (result.plan.table["remedy"] == "call").sum() == 30
    assert result.plan.value == 150.0


def test_errors_of_values_reach_the_planner(tmp_path):
    orders = pd.DataFrame({"customer_id": ["a", "b"], "order_id": ["1", "2"], "amount": [10.0, 9.0]})
    orders.to_parquet(tmp_path / "orders.parquet")
    call = {"name": "call", "value": "amount", "error": "0.1 * amount", "shared_error": 2.0, "uses": {"hours": 1}}
    config = {
        "read": {"orders": {"source": "orders.parquet", "schema": "plain"}},
        "cases": {"by": "order_id"},
        "remedies": [call],
        "limits": {"resources": {"hours": 1}},
        "plan": {"planner": "robust"},
    }
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    own, shared = result.problem.errors()
    assert own.tolist() == [[1.0], [0.9]]
    assert shared.tolist() == [[2.0], [2.0]]
    assert result.plan.planner.startswith("robust")


def test_packages_reach_the_planner(tmp_path):
    orders = pd.DataFrame({"customer_id": list("abc"), "order_id": list("123"), "amount": [10.0, 9.0, 8.0]})
    orders.to_parquet(tmp_path / "orders.parquet")
    config = {
        "read": {"orders": {"source": "orders.parquet", "schema": "plain"}},
        "cases": {"by": "order_id"},
        "remedies": [{"name": "call", "value": "amount"}, {"name": "gift", "value": 4}, {"name": "mail", "value": 1}],
        "packages": {
            "requires": {"gift": ["call"]},
            "excludes": [["mail", "call"]],
            "values": [{"remedies": ["gift", "call"], "value": "1.2 * amount"}],
        },
        "limits": {"caps": [{"remedy": "gift", "count": 1}, {"remedy": "call + gift", "count": 2, "name": "both"}]},
        "plan": {},
    }
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    assert result.problem.remedy_names == ("call", "mail", "call + gift")
    assert result.plan.table["remedy"].tolist() == ["call + gift", "call", "call"]
    assert result.plan.value == 29.0


def test_limits_at_a_price_and_ratios_reach_the_planner(tmp_path):
    orders = pd.DataFrame(
        {"customer_id": list("abcd"), "order_id": list("1234"), "amount": [10.0, 9.0, 8.0, 1.0], "new": [0, 0, 0, 1]}
    )
    orders.to_parquet(tmp_path / "orders.parquet")
    config = {
        "read": {"orders": {"source": "orders.parquet", "schema": "plain"}},
        "cases": {"by": "order_id"},
        "remedies": [{"name": "call", "value": "amount", "uses": {"hours": 1}}],
        "limits": {
            "resources": {"hours": 2},
            "ratios": [{"where": "new == 1", "least": 1.0, "name": "fair"}],
            "soft": {"hours": {"penalty": 3.0, "beyond": 1}, "fair": {"penalty": 0.5}},
        },
        "plan": {},
    }
    config["cases"]["carry"] = ["new"]
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    hours, fair = result.problem.limits
    assert (hours.penalty, hours.beyond) == (3.0, 1.0)
    assert (fair.least, fair.to, fair.penalty) == (1.0, None, 0.5)
    assert result.plan.choice.tolist() == [0, 0, 0, -1]
    assert result.plan.value == 27.0 - 3.0 - 0.5 * 0.75


def test_intensities_are_planned(tmp_path):
    orders = pd.DataFrame({"customer_id": ["a", "b"], "order_id": ["1", "2"], "amount": [3.0, 4.0]})
    orders.to_parquet(tmp_path / "orders.parquet")
    voucher = {"name": "voucher", "value": "amount * sqrt(intensity)", "uses": {"budget": "intensity"}}
    config = {
        "read": {"orders": {"source": "orders.parquet", "schema": "plain"}},
        "cases": {"by": "order_id"},
        "remedies": [voucher | {"intensity": [1, "25 * amount"]}],
        "limits": {"resources": {"budget": 50}},
        "plan": {"what_if": {"budget": [25, 50]}},
    }
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    assert result.verdict.ok
    assert result.plan.table["intensity"].tolist() == pytest.approx([18, 32], rel=1e-3)
    assert result.what_if["budget"]["value"].tolist() == pytest.approx([25.0, 50 / 2**0.5], rel=1e-4)


def test_too_few_labels_for_an_evaluation_are_told(tmp_path):
    pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", "x", "y"]}).to_parquet(tmp_path / "m.parquet")
    config = {"read": {"m": {"source": "m.parquet", "schema": "plain"}}, "text": {"labelled": "m"}}
    with pytest.raises(crmkit.DataError, match="at least two classes with two messages"):
        pipeline.run(config, data=tmp_path, output=tmp_path / "out")


def test_progress_is_told_step_by_step(sales):
    told = []
    config = {"read": {"sales": {"source": "sales.csv"}}, "rfm": {}}
    pipeline.run(config, data=sales, output=sales / "out", progress=told.append)
    assert [line.split()[1].rstrip(":") for line in told] == ["read", "read", "rfm", "rfm", "write", "write"]
    assert told[0].startswith("[1/3]")


def test_an_output_that_is_a_file_is_told(sales):
    with pytest.raises(crmkit.ConfigError, match="is a file"):
        pipeline.run({"read": {"sales": {"source": "sales.csv"}}}, data=sales, output=sales / "sales.csv")


def test_contacts_of_a_table_that_was_read_are_counted(tmp_path):
    orders = pd.DataFrame({"customer_id": ["a", "b", "c"], "order_id": ["1", "2", "3"], "amount": [10.0, 9.0, 8.0]})
    orders.to_parquet(tmp_path / "orders.parquet")
    contacts = pd.DataFrame({"customer_id": ["a", "b"], "channel": ["phone", "mail"]})
    contacts["time"] = pd.to_datetime(["2024-03-05T08:00", "2024-03-05T08:00"], utc=True)
    contacts.to_parquet(tmp_path / "contacts.parquet")
    rule = {"table": "contacts", "most": 1, "days": 7, "at": "2024-03-06T00:00+08:00", "where": "channel == 'phone'"}
    config = {
        "read": {
            "orders": {"source": "orders.parquet", "schema": "plain"},
            "contacts": {"source": "contacts.parquet", "schema": "plain"},
        },
        "cases": {"by": "order_id", "table": "orders"},
        "remedies": [{"name": "call", "value": "amount"}, {"name": "mail", "value": 1.0}],
        "limits": {"frequency": [rule | {"remedies": ["call"]}]},
        "plan": {},
    }
    result = pipeline.run(config, data=tmp_path, output=tmp_path / "out")
    assert result.plan.table["remedy"].tolist() == ["mail", "call", "call"]
    assert result.verdict.ok
