"""Running statements: queries, counts, bound values, and what is text in a statement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidPipelineError
from engine.sdk import DateTime, LocalDate, LocalDateTime
from tests.snaps.sql.databases import TestDatabase

NUTS = (
    "CREATE TABLE nuts (id INTEGER, size INTEGER)",
    "INSERT INTO nuts VALUES (1, 4), (2, 6), (3, 6)",
)


def execute(database: TestDatabase, statement: str, *given: Any, **settings: Any) -> list[Any]:
    result = database.snap("SQLExecute", list(given) or None, sql_statement=statement, **settings)
    return result.output


def test_a_query_gives_its_rows(database: TestDatabase) -> None:
    database.run(*NUTS)
    output = execute(database, "SELECT id FROM nuts WHERE size = $s ORDER BY id", {"s": 6})
    assert output == [
        {"id": 2, "original": {"s": 6}},
        {"id": 3, "original": {"s": 6}},
    ]


def test_another_statement_gives_its_count(database: TestDatabase) -> None:
    database.run(*NUTS)
    output = execute(database, "UPDATE nuts SET size = 7 WHERE size = $s", {"s": 6})
    assert output == [{"$UPDATE_COUNT": 2, "message": "Success", "original": {"s": 6}}]
    assert database.rows("SELECT COUNT(*) FROM nuts WHERE size = 7") == [(2,)]


def test_without_input_there_is_one_run_and_no_original(database: TestDatabase) -> None:
    output = execute(database, "CREATE TABLE made (id INTEGER)")
    assert [set(document) for document in output] == [{"$UPDATE_COUNT", "message"}]
    assert database.rows("SELECT * FROM made") == []


def test_pass_through_may_be_off(database: TestDatabase) -> None:
    assert execute(database, "SELECT 1 AS one", {"a": 1}, pass_through=False) == [{"one": 1}]


def test_write_gives_the_count_even_if_there_are_rows(postgres: TestDatabase) -> None:
    postgres.run(*NUTS)
    statement = "DELETE FROM nuts WHERE size = $s RETURNING id"
    (output,) = execute(postgres, statement, {"s": 6}, query_type="write", pass_through=False)
    assert output == {"$UPDATE_COUNT": 2, "message": "Success"}


def test_rows_that_a_statement_returns_are_documents(postgres: TestDatabase) -> None:
    postgres.run(*NUTS)
    statement = "WITH gone AS (DELETE FROM nuts WHERE size = 6 RETURNING id) SELECT id FROM gone"
    output = execute(postgres, statement, pass_through=False)
    assert sorted(document["id"] for document in output) == [2, 3]
    assert postgres.rows("SELECT COUNT(*) FROM nuts") == [(1,)]


@pytest.mark.parametrize("empty", [True, False])
def test_a_query_without_rows(database: TestDatabase, empty: bool) -> None:
    database.run(*NUTS)
    statement = "SELECT id FROM nuts WHERE size = $s"
    output = execute(database, statement, {"s": 1}, ignore_empty_result=empty)
    assert output == ([] if empty else [{"original": {"s": 1}}])


def test_strings_names_and_comments_are_left_alone(database: TestDatabase) -> None:
    statement = "SELECT '$a' AS x, $a AS y -- not $b\n /* nor $c */"
    assert execute(database, statement, {"a": "v"}, pass_through=False) == [{"x": "$a", "y": "v"}]


def test_a_block_in_dollar_signs_is_left_alone(postgres: TestDatabase) -> None:
    postgres.run(*NUTS)
    execute(postgres, "DO $$ BEGIN UPDATE nuts SET size = 0; END $$")
    execute(postgres, "DO $do$ BEGIN UPDATE nuts SET id = 0; END $do$")
    assert set(postgres.rows("SELECT id, size FROM nuts")) == {(0, 0)}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("$a.b", {"a": {"b": 5}}),
        ("$a[1]", {"a": [4, 5]}),
        ("$['a b']", {"a b": 5}),
        ("$a['b c'].d", {"a": {"b c": {"d": 5}}}),
        ("$.a", {"a": 5}),
    ],
)
def test_a_value_may_be_anywhere_in_the_document(
    sqlite: TestDatabase, path: str, document: Any
) -> None:
    assert execute(sqlite, f"SELECT {path} AS n", document, pass_through=False) == [{"n": 5}]


def test_a_value_may_be_used_twice(database: TestDatabase) -> None:
    database.run(*NUTS)
    statement = "SELECT id FROM nuts WHERE id = $a OR (size = $b AND id <> $a) ORDER BY id"
    output = execute(database, statement, {"a": 1, "b": 6}, pass_through=False)
    assert [document["id"] for document in output] == [1, 2, 3]


def test_types_arrive_as_they_are(server_database: TestDatabase) -> None:
    server_database.run(
        "CREATE TABLE t (n DECIMAL(30,12), d DATE, s TIMESTAMP(6), x VARCHAR(200), e INTEGER)"
    )
    document = {
        "n": Decimal("123456789012345678.123456789012"),
        "d": LocalDate(2020, 2, 29),
        "s": LocalDateTime(2020, 2, 29, 13, 14, 15, 123456),
        "x": {"list": [1, Decimal("1.10")]},
        "e": Decimal("1E+3"),
    }
    execute(server_database, "INSERT INTO t VALUES ($n, $d, $s, $x, $e)", document)
    (row,) = execute(server_database, "SELECT * FROM t", pass_through=False)
    assert row == {**document, "x": '{"list":[1,1.10]}', "e": 1000}


def test_an_instant_is_written_in_utc_where_there_are_no_zones(database: TestDatabase) -> None:
    database.run("CREATE TABLE t (s TIMESTAMP NULL)")
    instant = DateTime.fromisoformat("2020-01-01T12:00:00+02:00")
    execute(database, "INSERT INTO t VALUES ($s)", {"s": instant})
    (row,) = execute(database, "SELECT s FROM t", pass_through=False)
    assert row["s"] == LocalDateTime(2020, 1, 1, 10)


def test_unnamed_columns_have_the_drivers_label(sqlite: TestDatabase) -> None:
    assert execute(sqlite, "SELECT 1", pass_through=False) == [{"1": 1}]


def test_integers_of_any_size(database: TestDatabase) -> None:
    large = 2**70
    kind = "TEXT" if database.dialect == "sqlite" else "DECIMAL(30,0)"
    database.run(f"CREATE TABLE t (n {kind})")
    execute(database, "INSERT INTO t VALUES ($n)", {"n": large})
    assert [int(row[0]) for row in database.rows("SELECT n FROM t")] == [large]


def test_sqlite_keeps_the_digits_of_a_decimal_as_far_as_it_can(sqlite: TestDatabase) -> None:
    sqlite.run("CREATE TABLE t (number NUMERIC, text TEXT)")
    digits = Decimal("0.12345678901234567890")
    execute(sqlite, "INSERT INTO t VALUES ($a, $b)", {"a": Decimal("29.92"), "b": digits})
    assert sqlite.rows("SELECT typeof(number), number, text FROM t") == [
        ("real", 29.92, "0.12345678901234567890")
    ]


def test_an_empty_statement_is_a_mistake(sqlite: TestDatabase) -> None:
    with pytest.raises(InvalidPipelineError, match="the statement is empty"):
        execute(sqlite, " ")


def test_a_parameter_in_plain_text_gets_a_warning(sqlite: TestDatabase, tmp_path: Any) -> None:
    from engine import api

    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts/db.yaml").write_text("account: sql\ndialect: sqlite\ndatabase: x.db\n")
    (tmp_path / "p.yaml").write_text(
        "parameters: {top: 5}\nsnaps:\n  a:\n    snap: SQLExecute\n    account: db\n"
        "    sql_statement: SELECT $ID FROM t WHERE n < _top AND $HOME = 1\n"
    )
    (problem,) = api.check(tmp_path / "p.yaml")
    assert "'_top' is not the parameter's value" in problem.message


def test_a_failed_statement_says_what_the_database_said(server_database: TestDatabase) -> None:
    (error,) = server_database.snap(
        "SQLExecute", [{"a": 1}], sql_statement="SELECT nothing + $a", on_error="route"
    ).errors
    assert error["error"] == "SQL operation failed"
    assert error["reason"].startswith("SQL [SELECT nothing + ?]; ")
    assert "nothing" in error["reason"].split("; ", 1)[1]
    assert error["sql_state"] == "42703" if server_database.dialect == "postgresql" else True
    assert error["original"] == {"a": 1}


def test_after_a_failed_statement_the_next_document_goes_on(database: TestDatabase) -> None:
    database.run(*NUTS)
    result = database.snap(
        "SQLExecute",
        [{"a": 1}, {"b": 1}, {"a": 3}],
        sql_statement="SELECT id FROM nuts WHERE id = $a",
        pass_through=False,
        on_error="route",
    )
    assert [document["id"] for document in result.output] == [1, 3]
    assert [error["original"] for error in result.errors] == [{"b": 1}]
