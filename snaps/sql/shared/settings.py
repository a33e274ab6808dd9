"""The settings that snaps of databases share, and what SnapLogic calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine.sdk import (
    Account,
    BoundText,
    Evaluated,
    Foreign,
    Issue,
    Settings,
    SqlAccount,
    paths_read,
    setting,
)
from snaps.sql.shared.names import BadNameError, parts_of

_WHERE = re.compile(r"\s*where\b", re.IGNORECASE)
_QUOTED_PATH = re.compile(r"(['\"])\$[A-Za-z_][\w.]*\1")
_DAY = 86_400.0
_PACKS = ("mysql", "sqlserver", "oracle", "postgres", "snowflake", "redshift", "azuresql")


class SqlSettings(Settings):
    account: Account[SqlAccount] = setting(help="The account of the database.", example="shop")
    number_of_retries: int = setting(
        default=0, help="How often to try again when the connection is lost."
    )
    retry_interval: float = setting(default=1.0, help="Seconds before the next try, at most a day.")


class CommitSettings(SqlSettings):
    auto_commit: bool | None = setting(
        default=None,
        help="Commit each batch; otherwise once, at the end. By default as the account says.",
    )


class TableSettings(SqlSettings):
    schema_name: Evaluated[str] = setting(
        default=Evaluated(""), help="The schema of the table.", example="sales"
    )
    table_name: Evaluated[str] = setting(
        help="The table. The name may contain the schema, and may be quoted as in the database.",
        example='"sales"."Orders"',
    )


class WriteSettings(TableSettings, CommitSettings):
    """The settings of the snaps that write rows of a table."""


def check_numbers(settings: SqlSettings) -> Iterable[Issue]:
    """Issues of numbers that are out of range."""
    for name, most in (("number_of_retries", 1_000.0), ("retry_interval", _DAY)):
        value = getattr(settings, name)
        if not 0 <= value <= most:
            hint = f"use a number from 0 to {most:,.0f}"
            yield Issue((name,), f"{name!r} cannot be {value:g}", hint)


def check_bound_texts(settings: Settings) -> Iterable[Issue]:
    """Issues of statements and conditions that are written in the pipeline."""
    for name, value in vars(settings).items():
        text = value.value if isinstance(value, BoundText) else None
        if not text:
            continue
        if _WHERE.match(text) and name != "sql_statement":
            message = f"{name!r} begins with WHERE, which the snap adds itself"
            yield Issue((name,), message, "leave out WHERE")
        if found := _QUOTED_PATH.search(text):
            yield Issue(
                (name,),
                f"{found[0]} in quotes is that text, not a value of the document",
                f"leave out the quotes: {found[0][1:-1]}",
                code="unclear-setting",
                severity="warning",
            )


def check_fixed(settings: Settings, *names: str) -> Iterable[Issue]:
    """Issues of settings that depend on the document though they are computed once per run."""
    for name in names:
        value: Evaluated[Any] = getattr(settings, name)
        if value.expression is not None and paths_read([value.expression]) != frozenset():
            message = f"{name!r} is computed once per run, so it cannot depend on the document"
            yield Issue((name,), message, "use a parameter of the pipeline, such as '= _table'")


def check_names(settings: Settings, *names: str) -> Iterable[Issue]:
    """Issues of settings that must be names of tables or columns, as far as they are plain text."""
    for name in names:
        value = getattr(settings, name)
        texts = value if isinstance(value, tuple) else (value.value,)
        for text in texts:
            if text is None or (not text and name == "schema_name"):
                continue
            try:
                parts_of(text)
            except BadNameError as error:
                yield Issue((name,), error.message, error.hint)


def check_table(settings: TableSettings) -> Iterable[Issue]:
    """Issues of the table's name."""
    yield from check_fixed(settings, "schema_name", "table_name")
    yield from check_names(settings, "schema_name", "table_name")


def is_empty(text: BoundText | None) -> bool:
    """Whether there is no text, and no expression for one."""
    return text is None or (text.expression is None and not (text.value or "").strip())


FOREIGN_RETRIES = {"maxRetryProp": "number_of_retries", "retryIntervalProp": "retry_interval"}
FOREIGN_TABLE = {"schemaName": "schema_name", "tableName": "table_name", **FOREIGN_RETRIES}
FOREIGN_COMMIT = {"autoCommit": "auto_commit"}
COMMIT_CHOICES = {
    "autoCommit": {"Use account setting": None, "True": True, "False": False},
}
SESSION_PARAMETERS = {"sessionParamsProp": "parameters of the session"}


def foreign(
    verb: str,
    name: str,
    settings: Mapping[str, str],
    *,
    choices: Mapping[str, Mapping[str, Any]] | None = None,
    defaults: Mapping[str, Any] | None = None,
    ignored: tuple[str, ...] = (),
    unsupported: Mapping[str, str] | None = None,
    views: Mapping[str, str] | None = None,
) -> Foreign:
    """SnapLogic has a pack for each kind of database; here one snap stands for all of theirs."""
    return Foreign(
        f"com-snaplogic-snaps-jdbc-{verb}",
        name,
        settings=settings,
        aliases=tuple(f"com-snaplogic-snaps-{pack}-{verb}" for pack in _PACKS),
        choices=choices or {},
        defaults=defaults or {},
        ignored=ignored,
        unsupported=unsupported or {},
        views=views or {},
    )
