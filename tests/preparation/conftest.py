"""Real transactions, brought by hand to the form every table of transactions has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def online_retail(data_file):
    """Give the lines of Online Retail II that name a customer: 417,534 of 525,461."""
    table = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"))
    table = table[table["Customer ID"].notna()].reset_index(drop=True)
    time = pd.to_datetime(table["InvoiceDate"])
    return pd.DataFrame(
        {
            "customer_id": table["Customer ID"].astype("int64").astype(str),
            "order_id": table["Invoice"].astype(str),
            "product_id": table["StockCode"].astype(str),
            "time": time.dt.tz_localize("Europe/London").dt.tz_convert("UTC"),
            "day": time.to_numpy().astype("datetime64[D]").astype(np.int64),
            "quantity": table["Quantity"].astype(float),
            "unit_price": table["Price"].astype(float),
            "amount": table["Quantity"] * table["Price"],
        }
    )
