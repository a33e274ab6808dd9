"""Reading rows of tables: conditions, order, limits, types, and names in quotes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import ConfigurationError, InvalidPipelineError
from engine.sdk import DateTime, LocalDate, LocalDateTime, LocalTime
from engine.testing import run_pipeline
from tests.snaps.sql.databases import TestDatabase

NUTS = (
    "CREATE TABLE nuts (id INTEGER, size INTEGER, name VARCHAR(20))",
    "INSERT INTO nuts VALUES (1, 4, 'a'), (2, 6, NULL), (3, 8, 'c')",
)


def ids(database: TestDatabase, given: list[Any] | None = None, **settings: Any) -> list[Any]:
    database.run(*NUTS)
    settings = {"order_by": ["id"], **settings}
    output = database.snap("SQLSelect", given, table_name="nuts", **settings).output
    return [document.get("id") for document in output]


def test_each_row_is_a_document_with_the_columns_in_order(database: TestDatabase) -> None:
    database.run(*NUTS)
    output = database.snap("SQLSelect", table_name="nuts", order_by=["id"]).output
    assert output == [
        {"id": 1, "size": 4, "name": "a"},
        {"id": 2, "size": 6, "name": None},
        {"id": 3, "size": 8, "name": "c"},
    ]
    assert list(output[0]) == ["id", "size", "name"]


def test_a_condition_is_asked_for_each_document(database: TestDatabase) -> None:
    given = [{"a": {"min": 5}}, {"a": {"min": 7}}]
    assert ids(database, given, where_clause="size > $a.min") == [2, 3, 3]


def test_the_input_document_is_the_original(database: TestDatabase) -> None:
    database.run(*NUTS)
    settings: dict[str, Any] = {
        "table_name": "nuts",
        "where_clause": "id = $id",
        "output_fields": ["size"],
    }
    (output,) = database.snap("SQLSelect", [{"id": 1, "original": 0}], **settings).output
    assert output == {"size": 4, "original": {"id": 1, "original": 0}}
    (output,) = database.snap("SQLSelect", [{"id": 1}], pass_through=False, **settings).output
    assert output == {"size": 4}


def test_without_a_row_the_original_comes_alone(database: TestDatabase) -> None:
    database.run(*NUTS)
    settings: dict[str, Any] = {"table_name": "nuts", "where_clause": "id = $id"}
    assert database.snap("SQLSelect", [{"id": 9}], **settings).output == [{"original": {"id": 9}}]
    settings["ignore_empty_result"] = True
    result = database.snap("SQLSelect", [{"id": 9}], **settings)
    assert (result.output, result.dropped) == ([], 1)


def test_a_value_of_the_document_never_becomes_sql(database: TestDatabase) -> None:
    evil = "' OR 1 = 1; DROP TABLE nuts; --"
    assert ids(database, [{"name": evil}], where_clause="name = $name") == [None]
    assert database.rows("SELECT COUNT(*) FROM nuts") == [(3,)]


def test_a_computed_condition_may_bind_too(database: TestDatabase) -> None:
    given = [{"column": "size", "is": 6}]
    assert ids(database, given, where_clause="= $column + ' = $is'") == [2]


def test_percent_signs_and_colons_are_left_alone(database: TestDatabase) -> None:
    given = [{"id": 1}]
    where = "name LIKE 'a%' AND id = $id AND ':id' = ':id' AND '%s' = '%s'"
    assert ids(database, given, where_clause=where) == [1]
    database.run("DELETE FROM nuts")
    assert database.snap("SQLSelect", table_name="nuts", where_clause="name LIKE 'a%'").output == []


def test_a_path_that_the_document_lacks_fails_the_document(database: TestDatabase) -> None:
    database.run(*NUTS)
    settings: dict[str, Any] = {"table_name": "nuts", "where_clause": "id = $no.id"}
    (error,) = database.snap("SQLSelect", [{"id": 1}], on_error="route", **settings).errors
    assert error["original"] == {"id": 1}
    assert "no" in error["reason"]


@pytest.mark.parametrize(
    ("limit", "offset", "found"), [(2, None, [1, 2]), (1, 1, [2]), (None, 2, [3]), (0, 0, [])]
)
def test_rows_are_limited(
    database: TestDatabase, limit: int | None, offset: int | None, found: list[int]
) -> None:
    assert ids(database, limit_rows=limit, limit_offset=offset) == found


def test_a_limit_may_come_from_the_document(database: TestDatabase) -> None:
    assert ids(database, [{"n": 1}], limit_rows="= $n", pass_through=False) == [1]


def test_rows_are_sorted_in_both_directions(database: TestDatabase) -> None:
    assert ids(database, order_by=["size desc"]) == [3, 2, 1]


def test_names_may_be_quoted_as_in_the_database(database: TestDatabase) -> None:
    quote = "`" if database.dialect == "mysql" else '"'
    table, column = f"{quote}Order{quote}", f"{quote}select me{quote}"
    database.run(f"CREATE TABLE {table} ({column} INTEGER)", f"INSERT INTO {table} VALUES (1)")
    output = database.snap("SQLSelect", table_name=table, output_fields=[column]).output
    assert output == [{"select me": 1}]


def test_a_reserved_word_is_quoted(database: TestDatabase) -> None:
    quote = "`" if database.dialect == "mysql" else '"'
    database.run(f"CREATE TABLE {quote}order{quote} (id INTEGER)")
    assert database.snap("SQLSelect", table_name="order").output == []


def test_a_schema_is_not_put_before_a_name_that_has_one(postgres: TestDatabase) -> None:
    postgres.run("DROP SCHEMA IF EXISTS sales CASCADE", "CREATE SCHEMA sales")
    postgres.run("CREATE TABLE sales.orders (id INTEGER)", "INSERT INTO sales.orders VALUES (1)")
    for schema, table in (("sales", "orders"), ("sales", '"sales"."orders"'), ("", "sales.orders")):
        output = postgres.snap("SQLSelect", schema_name=schema, table_name=table).output
        assert output == [{"id": 1}]


@pytest.mark.parametrize("name", ['nuts"; DROP', "", ".", "a.", 'a."', "nuts WHERE"])
def test_what_is_not_a_name_is_a_mistake(sqlite: TestDatabase, name: str) -> None:
    with pytest.raises(InvalidPipelineError, match="is not the name of a table"):
        sqlite.snap("SQLSelect", table_name=name)


def test_a_computed_name_is_checked_when_the_run_starts(sqlite: TestDatabase) -> None:
    with pytest.raises(ConfigurationError, match="is not the name of a table"):
        sqlite.snap("SQLSelect", table_name="= _t", parameters={"t": "nuts; DROP"})


def test_a_table_cannot_depend_on_the_document(sqlite: TestDatabase) -> None:
    with pytest.raises(InvalidPipelineError, match="'table_name' is computed once per run"):
        sqlite.snap("SQLSelect", [{"t": "nuts"}], table_name="= $t")


def test_a_table_may_depend_on_a_parameter(sqlite: TestDatabase) -> None:
    sqlite.run(*NUTS)
    result = sqlite.snap("SQLSelect", table_name="= _t", parameters={"t": "nuts"})
    assert len(result.output) == 3


def test_a_missing_table_fails_the_document(database: TestDatabase) -> None:
    (error,) = database.snap("SQLSelect", [{}], on_error="route", table_name="none").errors
    assert error["error"] == "SQL operation failed"
    assert error["reason"].startswith("SQL [SELECT * FROM none]; ")


def test_more_rows_than_are_fetched_at_once_arrive_in_order(database: TestDatabase) -> None:
    database.run("CREATE TABLE many (id INTEGER)")
    values = ", ".join(f"({number})" for number in range(1000))
    database.run(f"INSERT INTO many VALUES {values}")
    output = database.snap(
        "SQLSelect", table_name="many", order_by=["id"], account={"fetch_size": 7}
    ).output
    assert [document["id"] for document in output] == list(range(1000))


class TestTypes:
    def test_postgresql(self, postgres: TestDatabase) -> None:
        postgres.run(
            "CREATE TABLE t (n NUMERIC, m NUMERIC(12,3), b BOOLEAN, d DATE, s TIMESTAMP, "
            "z TIMESTAMPTZ, h TIME, x BYTEA, j JSONB, a INTEGER[], u UUID, f FLOAT8, l BIGINT)",
            "INSERT INTO t VALUES (0.12345678901234567890123, 29.92, true, '2020-02-29', "
            "'2020-02-29 13:14:15.123456', '2020-02-29 13:14:15+02', '01:02:03', '\\x00ff', "
            "'{\"k\": [1.10]}', '{1,2}', '00000000-0000-0000-0000-000000000001', 0.1, "
            "9223372036854775807)",
        )
        (row,) = postgres.snap("SQLSelect", table_name="t").output
        assert row["n"] == Decimal("0.12345678901234567890123")
        assert str(row["m"]) == "29.920"
        assert row["b"] is True
        assert row["d"] == LocalDate(2020, 2, 29)
        assert type(row["d"]) is LocalDate
        assert row["s"] == LocalDateTime(2020, 2, 29, 13, 14, 15, 123456)
        assert type(row["s"]) is LocalDateTime
        assert type(row["z"]) is DateTime
        assert row["z"].isoformat() == "2020-02-29T11:14:15+00:00"
        assert row["h"] == LocalTime(1, 2, 3)
        assert row["x"] == b"\x00\xff"
        assert str(row["j"]["k"][0]) == "1.10"
        assert row["a"] == [1, 2]
        assert row["u"] == "00000000-0000-0000-0000-000000000001"
        assert row["f"] == Decimal("0.1")
        assert row["l"] == 9223372036854775807

    def test_mysql(self, mysql: TestDatabase) -> None:
        mysql.run(
            "CREATE TABLE t (m DECIMAL(12,3), b BOOLEAN, bit BIT(1), d DATE, s DATETIME(6), "
            "h TIME, x BLOB, t TEXT, u BIGINT UNSIGNED)",
            "INSERT INTO t VALUES (29.92, true, b'1', '2020-02-29', '2020-02-29 13:14:15.123456', "
            "'01:02:03', x'00ff', 'ü€', 18446744073709551615)",
        )
        (row,) = mysql.snap("SQLSelect", table_name="t").output
        assert str(row["m"]) == "29.920"
        assert (row["b"], row["bit"]) == (True, True)
        assert row["d"] == LocalDate(2020, 2, 29)
        assert row["s"] == LocalDateTime(2020, 2, 29, 13, 14, 15, 123456)
        assert row["h"] == LocalTime(1, 2, 3)
        assert row["x"] == b"\x00\xff"
        assert row["t"] == "ü€"
        assert row["u"] == 18446744073709551615

    def test_sqlite_by_the_declared_types(self, sqlite: TestDatabase) -> None:
        sqlite.run(
            "CREATE TABLE t (b BOOLEAN, d DATE, s TIMESTAMP, h TIME, x BLOB, f REAL, odd DATE)",
            "INSERT INTO t VALUES (1, '2020-02-29', '2020-02-29 13:14:15', '01:02:03', x'00ff', "
            "0.1, 'soon')",
        )
        (row,) = sqlite.snap("SQLSelect", table_name="t").output
        assert row == {
            "b": True,
            "d": LocalDate(2020, 2, 29),
            "s": LocalDateTime(2020, 2, 29, 13, 14, 15),
            "h": LocalTime(1, 2, 3),
            "x": b"\x00\xff",
            "f": Decimal("0.1"),
            "odd": "soon",
        }


def test_a_select_can_begin_a_pipeline(sqlite: TestDatabase) -> None:
    sqlite.run(*NUTS)
    pipeline = """
        snaps:
          nuts: {snap: SQLSelect, account: db, table_name: nuts, order_by: [id]}
          big: {snap: Filter, filter: $size > 4}
        links: [nuts -> big]
    """
    result = run_pipeline(pipeline, accounts={"db": sqlite.account})
    assert [document["id"] for document in result.output] == [2, 3]


def test_a_missing_driver_names_the_extra(sqlite: TestDatabase) -> None:
    account = {"dialect": "snowflake", "host": "h", "database": "x"}
    with pytest.raises(ConfigurationError, match=r"pip install 'snapline\[snowflake\]'"):
        sqlite.snap("SQLSelect", table_name="t", account=account)


def test_the_second_output_describes_the_table(database: TestDatabase) -> None:
    database.run(
        "CREATE TABLE nuts (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, size INTEGER)"
    )
    database.run("INSERT INTO nuts VALUES (1, 'a', 4)")
    both = ["output", "metadata"]
    outputs = database.snap("SQLSelect", table_name="nuts", outputs=both).outputs
    assert outputs["output"] == [{"id": 1, "name": "a", "size": 4}]
    (described,) = outputs["metadata"]
    assert (described["schema"], described["table"]) == (None, "nuts")
    keys = ("name", "nullable", "primary_key")
    assert [tuple(column[key] for key in keys) for column in described["columns"]] == [
        ("id", database.dialect == "sqlite", True),
        ("name", False, False),
        ("size", True, False),
    ]
    assert described["columns"][1]["type"] == "VARCHAR(20)"


def test_the_second_output_of_a_missing_table_is_empty(sqlite: TestDatabase) -> None:
    both = ["output", "metadata"]
    result = sqlite.snap("SQLSelect", table_name="bolts", outputs=both, on_error="route")
    assert "metadata" not in result.outputs
    assert "no such table: bolts" in result.errors[0]["reason"]


def test_the_second_output_has_no_type_for_a_column_without_one(sqlite: TestDatabase) -> None:
    sqlite.run(
        "CREATE TABLE bolts (id, size INTEGER)",
        "CREATE VIEW big AS SELECT size + 1 AS s FROM bolts",
    )
    both = ["output", "metadata"]
    described = [
        sqlite.snap("SQLSelect", table_name=name, outputs=both).outputs["metadata"][0]["columns"]
        for name in ("bolts", "big")
    ]
    assert [[each["type"] for each in columns] for columns in described] == [
        [None, "INTEGER"],
        [None],
    ]
