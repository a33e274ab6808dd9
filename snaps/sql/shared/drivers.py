"""How each kind of database is reached: its driver, the extra that installs it, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.sdk import ConfigurationError, SqlAccount

if TYPE_CHECKING:
    from sqlalchemy import URL


class Driver(NamedTuple):
    """`name` is what SQLAlchemy calls it; `modules` must be importable."""

    name: str
    modules: tuple[str, ...]
    extra: str


DRIVERS: Mapping[str, Driver] = {
    "sqlite": Driver("sqlite+pysqlite", ("sqlite3",), "sql"),
    "postgresql": Driver("postgresql+psycopg", ("psycopg",), "postgresql"),
    "mysql": Driver("mysql+pymysql", ("pymysql",), "mysql"),
    "sqlserver": Driver("mssql+pymssql", ("pymssql",), "sqlserver"),
    "oracle": Driver("oracle+oracledb", ("oracledb",), "oracle"),
    "redshift": Driver(
        "redshift+redshift_connector", ("sqlalchemy_redshift", "redshift_connector"), "redshift"
    ),
    "snowflake": Driver("snowflake", ("snowflake.sqlalchemy",), "snowflake"),
}


def driver_of(account: SqlAccount) -> Driver:
    """The driver. Raises ConfigurationError if it is not installed."""
    driver = DRIVERS[account.dialect]
    for module in ("sqlalchemy", *driver.modules):
        if not _is_installed(module):
            raise ConfigurationError(
                f"a database of the dialect {account.dialect!r} needs the package "
                f"{module.partition('.')[0]!r}; install it with: "
                f"pip install 'snapline[{driver.extra}]'"
            )
    return driver


def url_of(account: SqlAccount, driver: Driver) -> URL:
    """The address of the database. SQLAlchemy does not show the password in it."""
    from sqlalchemy import URL

    query: dict[str, Any] = dict(account.url_properties)
    database: str | None = account.database or None
    if account.dialect == "oracle" and database is not None:
        query["service_name"], database = database, None
    if account.dialect == "mysql":
        query.setdefault("charset", "utf8mb4")
    return URL.create(
        driver.name,
        username=account.username or None,
        password=account.password or None,
        host=account.host or None,
        port=account.port,
        database=database,
        query=query,
    )


def connect_arguments(account: SqlAccount) -> dict[str, Any]:
    """What the driver is told beyond the address."""
    if account.dialect == "sqlite":
        return {"check_same_thread": False, "detect_types": _declared_types()}
    return {}


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # its package is missing
        return False


def _declared_types() -> int:
    """SQLite keeps dates as text: those of columns that are declared as dates become dates."""
    import sqlite3

    from snaps.sql.shared.sqlite_types import CONVERTERS

    for name, converter in CONVERTERS.items():
        sqlite3.register_converter(name, converter)
    return sqlite3.PARSE_DECLTYPES
