"""A simulated company and its conversations, worked out once for all tests of contacts."""

from __future__ import annotations

import pytest

from crmkit.datasets import make_company
from crmkit.text import conversations


@pytest.fixture(scope="session")
def company():
    return make_company(150, seed=4)


@pytest.fixture(scope="session")
def known(company):
    return conversations(company.communications, timezone="Asia/Shanghai")
