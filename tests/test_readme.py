"""The README's script runs word for word on the real records."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"

AFTER = """
import json
with_value = cases["lifetime_value"].notna()
given = plan.table.merge(cases[["case_id", "customer_id"]], on="case_id")
given = given[given["remedy"] != "nothing"]
print("FACTS", json.dumps({
    "rows": len(loaded.table) + len(loaded.set_aside), "set_aside": len(loaded.set_aside),
    "cases": int(with_value.sum()), "customers": int(cases.loc[with_value, "customer_id"].nunique()),
    "twice": int(given["customer_id"].duplicated().sum()), "value": plan.value, "bound": plan.bound, "gap": plan.gap,
    "ok": remediation.verify(plan, problem).ok, "budget": float(plan.prices.loc["budget", "used"]),
    "segments": int(segments.labels.nunique()), "labels": len(segments.labels),
}))
"""


@pytest.fixture(scope="module")
def script():
    return re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL).group(1)


@pytest.fixture(scope="module")
def facts(script, data_file, tmp_path_factory):
    """Run the script in an empty folder that holds the records, and give what it found."""
    source = data_file("online_retail_ii/online_retail_II_2009_2010.parquet")
    folder = tmp_path_factory.mktemp("main-job")
    (folder / source.name).symlink_to(source.resolve())
    (folder / "job.py").write_text(script + AFTER, encoding="utf-8")
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "job.py"], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"the main job: {time.perf_counter() - start:.1f} s wall, at most {peak:.0f} MB")  # noqa: T201 -- to be seen

    found = json.loads(done.stdout.split("FACTS ")[1])
    return {**found, "report": (folder / "report.html").read_text(encoding="utf-8"), "printed": done.stdout}


def test_every_invoice_line_is_used_or_set_aside(facts):
    assert (facts["rows"], facts["set_aside"]) == (525_461, 107_927)
    assert "107,927" in facts["printed"]


def test_the_cancelled_orders_of_known_customers_are_the_cases(facts):
    assert (facts["cases"], facts["customers"]) == (4_297, 1_729)


def test_no_customer_is_counted_twice(facts):
    assert facts["twice"] == 0


def test_the_plan_is_verified_and_its_gap_proved(facts):
    assert facts["ok"]
    assert facts["value"] <= facts["bound"] + 1e-6
    assert 0 <= facts["gap"] <= 1e-4
    assert facts["budget"] <= 20_000 + 1e-6


def test_every_customer_has_one_of_five_segments(facts):
    assert facts["segments"] == 5


def test_the_report_stands_in_one_file(facts):
    assert facts["report"].startswith("<!DOCTYPE html>")
    assert "senior_hours" in facts["report"]


@pytest.mark.parametrize("mark", ["demo", "tests"])
def test_the_two_commands_are_marked(mark):
    text = README.read_text(encoding="utf-8")
    assert re.search(rf"<!-- run: {mark} -->\n```bash\n[^\n]+\n```", text)
