"""Databases for the tests of the SQL snaps: SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.snaps.sql.databases import TestDatabase
from tests.snaps.sql.servers import MariaDB, PostgreSQL, mariadb, postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    with mariadb() as server:
        yield server


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[TestDatabase]:
    with TestDatabase.of_file(tmp_path / "shop.db") as database:
        yield database


@pytest.fixture
def postgres(postgresql_server: PostgreSQL) -> Iterator[TestDatabase]:
    with TestDatabase.of_server(postgresql_server.account) as database:
        yield database


@pytest.fixture
def mysql(mariadb_server: MariaDB) -> Iterator[TestDatabase]:
    with TestDatabase.of_server(mariadb_server.account) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    """Each kind of database in turn."""
    found: TestDatabase = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["postgres", "mysql"])
def server_database(request: pytest.FixtureRequest) -> TestDatabase:
    """Each kind of database that has a server."""
    found: TestDatabase = request.getfixturevalue(request.param)
    return found
