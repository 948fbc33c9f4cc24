"""Lifetime models, value and purchase summaries at a million customers: ours beside lifetimes, and how cost grows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measure import best_of, measure, show

ONE_MILLION, ROWS = 1_000_000, 2_300_000

LOAD = """
import warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
summary = pd.read_parquet({path!r}).iloc[:{n}].set_index("customer_id")
"""
OURS = (
    LOAD
    + """
import crmkit
from crmkit import value
model = crmkit.create("lifetime-model", {name!r})
"""
)
THEIRS = (
    LOAD
    + """
import lifetimes
x, t_x, T = summary["repeats"], summary["last_purchase_weeks"], summary["age_weeks"]
"""
)
FIT = """
start()
model.fit(summary)
answer["parameters"] = " ".join(f"{value:.3g}" for value in model.params_.values())
"""
FIT_THEIRS = """
start()
model = lifetimes.{name}().fit(x, t_x, T)
answer["parameters"] = " ".join(f"{{model.params_[name]:.3g}}" for name in {names!r})
"""
VALUE = """
model.fit(summary)
spend = crmkit.create("spend-model", "gamma-gamma").fit(summary)
start()
worth = value.lifetime_value(model, spend, summary, horizon=365.25 / 7, margin=1.0, annual_discount_rate=0.10)
answer["total"] = round(worth["lifetime_value"].sum())
"""
VALUE_THEIRS = """
model = lifetimes.BetaGeoFitter().fit(x, t_x, T)
again = summary["repeats"] > 0
spend = lifetimes.GammaGammaFitter().fit(x[again], summary["repeat_spend"][again])
start()
worth = spend.customer_lifetime_value(
    model, x, t_x, T, summary["repeat_spend"], time=12, discount_rate=1.10 ** (1 / 12) - 1, freq="W")
answer["total"] = round(worth.sum())
"""
SUMMARY = """
import numpy as np, pandas as pd
from crmkit.preparation import purchase_summary
sales = pd.read_parquet({path!r})
start()
summary = purchase_summary(sales, cutoff="2011-01-01", unit="week")
answer.update(rows=len(sales), customers=len(summary), checksum=round(summary["last_purchase_weeks"].sum(), 6))
"""
SUMMARY_THEIRS = """
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data
sales = pd.read_parquet({path!r})
start()
summary = summary_data_from_transaction_data(
    sales, "customer_id", "time", monetary_value_col="amount", observation_period_end="2010-12-31", freq="D")
answer.update(rows=len(sales), customers=len(summary), checksum=round((summary["recency"] / 7).sum(), 6))
"""
EQUAL = """
import numpy as np, pandas as pd
from crmkit.preparation import purchase_summary
from lifetimes.utils import summary_data_from_transaction_data
sales = pd.read_parquet({path!r})
start()
ours = purchase_summary(sales, cutoff="2011-01-01", unit="day")
theirs = summary_data_from_transaction_data(
    sales, "customer_id", "time", monetary_value_col="amount", observation_period_end="2010-12-31", freq="D")
theirs = theirs.loc[ours.index]
names = ["repeats", "last_purchase_days", "age_days", "repeat_spend"]
matched = theirs[["frequency", "recency", "T", "monetary_value"]].set_axis(names, axis=1)
answer["difference"] = f"{{np.abs(ours[names] - matched).max().max():.1e}}"
"""


def draw(kind: str, path: Path, n: int) -> str:
    """Draw a customer base in a process of its own: a child's peak memory begins at its parent's."""
    script = Path(__file__).with_name("customer_bases.py")
    subprocess.run([sys.executable, str(script), kind, str(path), str(n)], check=True)
    return str(path)


def ours(path: str, n: int, name: str, step: str) -> dict[str, object]:
    """Measure one step of ours."""
    return measure(OURS.format(path=path, n=n, name=name) + step, timeout=600)


def theirs(path: str, n: int, step: str) -> dict[str, object]:
    """Measure one step of lifetimes."""
    return measure(THEIRS.format(path=path, n=n) + step, timeout=600)


if __name__ == "__main__":
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else ONE_MILLION
    with tempfile.TemporaryDirectory() as folder:
        path = draw("summary", Path(folder) / "summary.parquet", largest)
        sales = draw("sales", Path(folder) / "sales.parquet", min(ROWS, 5 * largest))
        small = min(100_000, largest)
        bg = FIT_THEIRS.format(name="BetaGeoFitter", names=["r", "alpha", "a", "b"])
        pareto = FIT_THEIRS.format(name="ParetoNBDFitter", names=["r", "alpha", "s", "beta"])
        show(
            f"bg-nbd, fit, {largest:,} customers",
            {"crmkit": ours(path, largest, "bg-nbd", FIT), "lifetimes": theirs(path, largest, bg)},
        )
        show(
            f"pareto-nbd, fit, {small:,} customers",
            {"crmkit": ours(path, small, "pareto-nbd", FIT), "lifetimes": theirs(path, small, pareto)},
        )
        show(
            f"twelve discounted months of value, {largest:,} customers (ours with its interval)",
            {"crmkit": ours(path, largest, "bg-nbd", VALUE), "lifetimes": theirs(path, largest, VALUE_THEIRS)},
        )
        show(
            "purchase summary",
            {
                "crmkit": best_of(3, SUMMARY.format(path=sales)),
                "lifetimes": best_of(3, SUMMARY_THEIRS.format(path=sales)),
                "both, compared": measure(EQUAL.format(path=sales), timeout=600),
            },
        )
        for name in ("bg-nbd", "mbg-nbd", "pareto-nbd"):
            sizes = [n for n in (10_000, 100_000, 1_000_000) if n <= largest]
            show(f"growth: {name}, fit", {f"{n:,}": ours(path, n, name, FIT) for n in sizes})
        sizes = [n for n in (10_000, 100_000, 1_000_000) if n <= largest]
        show("growth: bg-nbd, value with interval", {f"{n:,}": ours(path, n, "bg-nbd", VALUE) for n in sizes})
