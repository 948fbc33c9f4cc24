"""Stores to test on: a file of SQLite always, PostgreSQL where CRMKIT_POSTGRES gives the URL of a server."""

from __future__ import annotations

import math
import os
import uuid

import pytest

from crmkit.casework import CaseStore


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        yield str(tmp_path / "cases.sqlite")
        return
    server = os.environ.get("CRMKIT_POSTGRES")
    if not server:
        pytest.skip("set CRMKIT_POSTGRES to the URL of a PostgreSQL server, or run nox -s postgres")
    import sqlalchemy as sa

    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    name = f"crmkit_{uuid.uuid4().hex}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def store(store_url):
    # What happens to it has dates of its own, whatever the clock of the machine says.
    with CaseStore(store_url, clock_slack=math.inf) as opened:
        yield opened


@pytest.fixture
def three(store):
    store.add(
        {"case_id": ["C1", "C2", "C3"], "customer_id": ["a", "b", "b"], "amount": [10.0, 20.0, None]},
        actor="job",
        at="2026-03-02T09:00+00:00",
    )
    return store
