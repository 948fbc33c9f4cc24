"""What all tests share: the folder of public data, and seeded tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine may take long over one example; that says nothing of the code. On CI the same examples are tried every
# time, so that what lands does not depend on luck; at a desk new ones are.
settings.register_profile("crmkit", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("crmkit")


def public_data() -> Path:
    """Give the folder of public data, which need not exist."""
    return Path(os.environ.get("CRMKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def data_file():
    """Give a function from a name such as ``cdnow/CDNOW_sample.txt`` to its path, skipping where it is absent."""

    def find(name: str) -> Path:
        path = public_data() / name
        if not path.exists():
            pytest.skip(f"public data {name} is not in {public_data()} (set CRMKIT_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def cdnow(data_file):
    """Give the 1/10 sample of CDNOW: 6,919 purchases of 2,357 customers in 1997 and 1998."""
    import numpy as np
    import pandas as pd

    names = ["master_id", "customer_id", "date", "cds", "amount"]
    table = pd.read_csv(
        data_file("cdnow/CDNOW_sample.txt"),
        sep=r"\s+",
        header=None,
        names=names,
        dtype={"customer_id": str, "date": str},
    )
    table["day"] = pd.to_datetime(table["date"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    return table[["customer_id", "day", "amount"]]
