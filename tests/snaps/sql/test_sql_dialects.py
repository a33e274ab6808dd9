"""Statements and addresses for the databases that the tests do not start."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import URL
from sqlalchemy.dialects import registry

from engine.sdk import SqlAccount
from snaps.sql.shared.conditions import Fields
from snaps.sql.shared.drivers import DRIVERS, url_of
from snaps.sql.shared.limits import limited
from snaps.sql.shared.names import quote_name, table_name
from snaps.sql.shared.statements import Statement, for_driver
from snaps.sql.sql_merge import merge_statement

DIALECTS: dict[str, Any] = {
    ours: registry.load(theirs)()
    for ours, theirs in (
        ("sqlserver", "mssql"),
        ("oracle", "oracle"),
        ("mysql", "mysql"),
        ("postgresql", "postgresql"),
    )
}


def address(dialect: Any, **fields: Any) -> URL:
    account = SqlAccount(dialect=dialect, host="h", username="u", password="p@:/", **fields)
    return url_of(account, DRIVERS[dialect])


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("sqlserver", "mssql+pymssql://u:p%40%3A%2F@h/shop"),
        ("oracle", "oracle+oracledb://u:p%40%3A%2F@h?service_name=shop"),
        ("redshift", "redshift+redshift_connector://u:p%40%3A%2F@h/shop"),
        ("snowflake", "snowflake://u:p%40%3A%2F@h/shop"),
        ("mysql", "mysql+pymysql://u:p%40%3A%2F@h/shop?charset=utf8mb4"),
    ],
)
def test_the_address_of_a_database(dialect: str, text: str) -> None:
    assert address(dialect, database="shop").render_as_string(hide_password=False) == text


def test_an_address_does_not_show_its_password() -> None:
    assert "p@" not in str(address("sqlserver", database="shop"))


def test_properties_of_the_connection_are_in_the_address() -> None:
    url = address("snowflake", database="shop", url_properties={"warehouse": "small"})
    assert url.query == {"warehouse": "small"}


@pytest.mark.parametrize(
    ("dialect", "limit", "offset", "order", "end"),
    [
        ("sqlserver", 5, 10, "a", " ORDER BY a OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY"),
        ("sqlserver", 5, None, "", " ORDER BY (SELECT NULL) OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY"),
        ("oracle", 5, None, "", " OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY"),
        ("oracle", None, 10, "a", " ORDER BY a OFFSET 10 ROWS"),
        ("redshift", 5, 10, "a", " ORDER BY a LIMIT 5 OFFSET 10"),
        ("redshift", None, 10, "", " OFFSET 10"),
        ("snowflake", None, 10, "", " LIMIT NULL OFFSET 10"),
        ("sqlserver", None, 0, "", ""),
    ],
)
def test_rows_are_limited_as_the_database_does(
    dialect: str, limit: int | None, offset: int | None, order: str, end: str
) -> None:
    query = limited(Statement(("SELECT * FROM t",)), order, limit, offset, dialect)
    assert query.shown == f"SELECT * FROM t{end}"


@pytest.mark.parametrize(
    ("dialect", "schema", "table", "text"),
    [
        ("sqlserver", "dbo", "Orders", "dbo.Orders"),
        ("sqlserver", '"dbo"', '"dbo"."Orders"', "[dbo].[Orders]"),
        ("sqlserver", "", "[my shop].[or]]ders]", "[my shop].[or]]ders]"),
        ("sqlserver", "", "order", "[order]"),
        ("oracle", "SALES", '"Orders"', 'SALES."Orders"'),
        ("oracle", "", "v$session", "v$session"),
        ("mysql", "`db`", "`ta``ble`", "`db`.`ta``ble`"),
        ("postgresql", "s", '"a.b"', 's."a.b"'),
    ],
)
def test_a_name_is_quoted_where_it_was_or_must_be(
    dialect: str, schema: str, table: str, text: str
) -> None:
    preparer = DIALECTS[dialect].identifier_preparer
    assert table_name(schema, table).quoted(preparer) == text


def test_a_column_is_quoted_as_well() -> None:
    assert quote_name("t.`group`", DIALECTS["postgresql"].identifier_preparer) == 't."group"'


@pytest.mark.parametrize(
    ("dialect", "source", "end"),
    [("oracle", "SELECT 1 AS one_row FROM dual", ""), ("sqlserver", "SELECT 1 AS one_row", ";")],
)
def test_rows_are_merged_with_one_statement(dialect: str, source: str, end: str) -> None:
    fields = Fields({"id": "id", "order": "order"}, {"order": "order"})
    quoted = DIALECTS[dialect].identifier_preparer.quote
    statement = merge_statement("t", Statement.parse("id = $id"), fields, quoted, dialect)
    order = quoted("order")
    assert statement.shown == (
        f"MERGE INTO t USING ({source}) source_row ON (id = ?) "
        f"WHEN MATCHED THEN UPDATE SET {order} = ? "
        f"WHEN NOT MATCHED THEN INSERT (id, {order}) VALUES (?, ?){end}"
    )
    assert len(statement.marks) == 4


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("qmark", "a = ? AND b LIKE '%' AND c = ?"),
        ("format", "a = %s AND b LIKE '%%' AND c = %s"),
        ("pyformat", "a = %(v0)s AND b LIKE '%%' AND c = %(v1)s"),
        ("named", "a = :v0 AND b LIKE '%' AND c = :v1"),
        ("numeric", "a = :1 AND b LIKE '%' AND c = :2"),
        ("numeric_dollar", "a = $1 AND b LIKE '%' AND c = $2"),
    ],
)
def test_values_are_marked_as_the_driver_wants(style: str, text: str) -> None:
    statement = Statement.parse("a = $x AND b LIKE '%' AND c = $y.z")
    assert for_driver(statement, style).text == text


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("v$session WHERE sid = $sid", ["$sid"]),
        ("price > $5 AND a = $_b", ["$_b"]),
        ("'it''s $a' || $b", ["$b"]),
        ('"$a" = $b', ["$b"]),
        ("a = $a.b.c-1", ["$a.b.c"]),
        ("arr[$i] = $a[0]['x y']", ["$i", "$a[0]['x y']"]),
        ("f($a,$b)::text", ["$a", "$b"]),
        ("$a--$b", ["$a"]),
        ("$$ $a $$ = $b", ["$b"]),
    ],
)
def test_what_is_a_value_in_a_statement(text: str, paths: list[str]) -> None:
    assert [mark.path for mark in Statement.parse(text).marks] == paths
