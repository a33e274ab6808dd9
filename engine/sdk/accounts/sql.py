"""Accounts of databases."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, Literal, Self

from engine.sdk.accounts.base import AccountKind, out_of_range
from engine.sdk.settings import Issue, setting

Dialect = Literal["sqlite", "postgresql", "mysql", "sqlserver", "oracle", "redshift", "snowflake"]
_SECRET_PROPERTY = re.compile("pass|pwd|secret|token|key|credential", re.IGNORECASE)
MEMORY = ":memory:"


class SqlAccount(AccountKind):
    """A database, and the user who logs in to it."""

    kind: ClassVar[str] = "sql"
    about: ClassVar[str] = """
    The snaps of a run that use the same account share its connections. They are opened when the
    first statement needs one, and closed when the run ends.
    """
    dialect: Dialect = setting(help="The kind of database.")
    host: str = setting(
        default="",
        help="The name of the server; for Snowflake, the account's host. SQLite has none.",
        example="db.example.com",
    )
    port: int | None = setting(default=None, help="Its port; by default the usual one.")
    database: str = setting(
        default="",
        help="The name of the database; for Oracle, of the service. For SQLite its file, relative "
        "to the folder that holds `accounts/`, or `:memory:`.",
        example="shop",
    )
    username: str = setting(default="", help="The user's name.", example="reports")
    password: str = setting(
        default="", help="The password.", example="${env:SHOP_PASSWORD}", secret=True
    )
    url_properties: dict[str, str] = setting(
        default={},
        help="Further parameters of the connection, as the driver calls them.",
        example={"sslmode": "require"},
    )
    auto_commit: bool = setting(
        default=True,
        help="Commit each batch. Otherwise a snap commits once, at its end, and rolls back if it "
        "fails.",
    )
    batch_size: int = setting(default=50, help="How many rows are written by one statement.")
    fetch_size: int = setting(default=100, help="How many rows are fetched at once.")
    max_pool_size: int = setting(default=50, help="How many connections may be open at once.")
    max_idle_time: float = setting(
        default=30.0, help="After how many minutes a connection is replaced before its next use."
    )
    checkout_timeout: int = setting(
        default=10_000, help="How many milliseconds to wait for a connection."
    )

    def issues(self) -> Iterable[Issue]:
        is_file = self.dialect == "sqlite"
        if is_file and not self.database:
            yield Issue((), "'database' is missing", "name a file, or :memory:")
        for name in ("host", "port", "username", "password"):
            if is_file and getattr(self, name):
                message = f"SQLite has no server, so {name!r} does not apply to it"
                yield Issue((name,), message, "remove it, or change 'dialect'")
        if not is_file and not self.host:
            yield Issue((), "'host' is missing", "name the server of the database")
        if not is_file and self.password and not self.username:
            yield Issue((), "'username' is missing", "a password needs a user")
        yield from out_of_range(
            self,
            {
                "port": (1, 65_535),
                "batch_size": (1, 10_000),
                "fetch_size": (1, 1_000_000),
                "max_pool_size": (1, 1_000),
                "max_idle_time": (0.01, 10_000),
                "checkout_timeout": (1, 3_600_000),
            },
        )

    def concealed(self) -> Iterator[str]:
        yield from super().concealed()
        for name, value in self.url_properties.items():
            if _SECRET_PROPERTY.search(name):
                yield value

    def located(self, locate: Callable[[str], str]) -> Self:
        if self.dialect != "sqlite" or self.database == MEMORY:
            return self
        return dataclasses.replace(self, database=locate(self.database))
