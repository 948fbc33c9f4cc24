"""The main job on Online Retail II, step by step: CPU seconds, peak memory and counts."""

from __future__ import annotations

from measure import DATA, measure, show

READ = f"""
import crmkit
from crmkit import preparation, records, remediation, segmentation, value
path = {str(DATA / "online_retail_ii" / "online_retail_II_2009_2010.parquet")!r}
def read():
    return records.read(path, records.TRANSACTIONS, on_error="set-aside", currency="GBP", timezone="Europe/London",
        columns={{"customer_id": "Customer ID", "time": "InvoiceDate", "order_id": "Invoice", "quantity": "Quantity",
                 "unit_price": "Price"}}).table
"""
SALES = READ + "sales = read()\n"
RFM = SALES + "rfm = preparation.rfm_table(sales, cutoff='2010-12-10', refunds='net')\n"
SUMMARY = SALES + "summary = preparation.purchase_summary(sales, cutoff='2010-12-10', unit='week')\n"
PLAIN = f"""
import pandas as pd
path = {str(DATA / "online_retail_ii" / "online_retail_II_2009_2010.parquet")!r}
start()
frame = pd.read_parquet(path)
frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"]).dt.tz_localize("Europe/London").dt.tz_convert("UTC")
rows = frame[frame["Customer ID"].notna()]
"""

STEPS = {
    "records.read": READ + "start()\nrows = read()",
    "  pandas alone: parse, no checks": PLAIN,
    "rfm_table": SALES + "start()\nrows = preparation.rfm_table(sales, cutoff='2010-12-10')",
    "segment, kmeans, 5 segments": RFM
    + "start()\nrows = segmentation.segment(rfm, 'kmeans', n_segments=5, random_state=0).labels",
    "purchase_summary": SALES + "start()\nrows = preparation.purchase_summary(sales, cutoff='2010-12-10')",
    "bg-nbd, fit and predict": SUMMARY
    + "start()\nrows = crmkit.create('lifetime-model', 'bg-nbd').fit(summary).predict(summary, horizon=52)",
}

if __name__ == "__main__":
    title = "Online Retail II, 525,461 invoice lines"
    show(title, {name: measure(f"{code}\nanswer['rows'] = len(rows)") for name, code in STEPS.items()})
