"""A database as tests use it: fill it, run a snap on it, look what is in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from engine.sdk import SqlAccount
from engine.testing import SnapRun, run_snap

_ADDRESSES = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}


class TestDatabase:
    """`account` is what a pipeline uses; the test looks with a connection of its own."""

    __test__ = False

    def __init__(self, account: SqlAccount) -> None:
        self.account = account
        self.dialect = account.dialect
        self._engine = sql.create_engine(
            sql.URL.create(
                _ADDRESSES[account.dialect],
                username=account.username or None,
                password=account.password or None,
                host=account.host or None,
                port=account.port,
                database=account.database,
            ),
            poolclass=sql.NullPool,
        )

    @classmethod
    @contextmanager
    def of_file(cls, path: Path) -> Iterator[TestDatabase]:
        yield cls(SqlAccount(dialect="sqlite", database=str(path)))

    @classmethod
    @contextmanager
    def of_server(cls, account: SqlAccount) -> Iterator[TestDatabase]:
        """A server's database without tables."""
        database = cls(account)
        database.drop_tables()
        yield database

    def drop_tables(self) -> None:
        tables = sql.MetaData()
        tables.reflect(self._engine)
        tables.drop_all(self._engine)

    def run(self, *statements: str) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def snap(
        self,
        name: str,
        given: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        account: Mapping[str, Any] | None = None,
        on_error: Any = "stop",
        outputs: Sequence[str] | None = None,
        parameters: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> SnapRun:
        """Run a snap on the database; `account` are fields that differ."""
        changed = self.changed(**(account or {}))
        return run_snap(
            name,
            {"account": "db", **settings},
            given,
            on_error=on_error,
            outputs=outputs,
            parameters=parameters,
            accounts={"db": changed},
            exact=True,
        )

    def changed(self, **fields: Any) -> SqlAccount:
        """The account with other values in these fields."""

        return dataclasses.replace(self.account, **fields)
