"""Calling stored procedures: output parameters and rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from snaps.sql.shared.procedures import Parameter, Signature, call_of
from tests.snaps.sql.databases import TestDatabase


def call(database: TestDatabase, name: str, *given: Any, **settings: Any) -> Any:
    return database.snap(
        "SQLStoredProcedure", list(given) or None, stored_procedure_name=name, **settings
    )


@pytest.fixture
def with_procedure(server_database: TestDatabase) -> TestDatabase:
    """`double_it(n IN, twice OUT, total INOUT)`, which writes to the table `calls`."""
    server_database.run("CREATE TABLE calls (n INTEGER)", "DROP PROCEDURE IF EXISTS double_it")
    if server_database.dialect == "postgresql":
        server_database.run(
            "CREATE PROCEDURE double_it(n INTEGER, OUT twice INTEGER, INOUT total NUMERIC) "
            "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO calls VALUES (n); "
            "twice := 2 * n; total := total + n; END $$"
        )
    else:
        server_database.run(
            "CREATE PROCEDURE double_it(n INTEGER, OUT twice INTEGER, INOUT total DECIMAL(9,2)) "
            "BEGIN INSERT INTO calls VALUES (n); SET twice = 2 * n; SET total = total + n; END"
        )
    return server_database


def test_output_parameters_are_fields(with_procedure: TestDatabase) -> None:
    result = call(
        with_procedure,
        "double_it",
        {"n": 5, "sum": Decimal("0.25")},
        parameter_values=["= $n", "= $sum"],
    )
    assert result.output == [{"twice": 10, "total": Decimal("5.25")}]
    assert with_procedure.rows("SELECT n FROM calls") == [(5,)]


def test_values_may_be_given_for_all_parameters(with_procedure: TestDatabase) -> None:
    values = ["= $n", None, 1]
    result = call(with_procedure, "double_it", {"n": 2}, parameter_values=[*values[:1], 0, 1])
    assert result.output == [{"twice": 4, "total": 3}]


def test_the_original_may_be_added(with_procedure: TestDatabase) -> None:
    settings = {"parameter_values": ["= $n", 0], "pass_through": True}
    (output,) = call(with_procedure, "double_it", {"n": 2}, **settings).output
    assert output == {"twice": 4, "total": 2, "original": {"n": 2}}


def test_too_few_values_fail_the_document(with_procedure: TestDatabase) -> None:
    (error,) = call(with_procedure, "double_it", {"n": 2}, on_error="route").errors
    assert error["error"] == "double_it takes 2 values, but parameter_values has 0"
    assert error["reason"] == "its parameters are: n, total"


def test_an_unknown_procedure_fails_the_document(server_database: TestDatabase) -> None:
    (error,) = call(server_database, "nothing", {}, on_error="route").errors
    assert error["reason"] == "there is no stored procedure 'nothing'"


def test_rows_of_a_function_are_results(postgres: TestDatabase) -> None:
    postgres.run(
        "CREATE OR REPLACE FUNCTION up_to(n INTEGER) RETURNS TABLE(i INTEGER) LANGUAGE sql AS "
        "$$ SELECT generate_series(1, n) $$"
    )
    result = call(postgres, "up_to", {"n": 2}, parameter_values=["= $n"])
    assert result.outputs == {"output": [{}], "results": [{"i": 1}, {"i": 2}]}


def test_rows_of_a_procedure_are_results(mysql: TestDatabase) -> None:
    mysql.run(
        "DROP PROCEDURE IF EXISTS two_sets",
        "CREATE PROCEDURE two_sets(OUT n INTEGER) "
        "BEGIN SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3; SET n = 9; END",
    )
    result = call(mysql, "two_sets")
    assert result.outputs == {"output": [{"n": 9}], "results": [{"a": 1}, {"b": 2}, {"b": 3}]}


def test_a_failure_in_the_procedure_fails_the_document(with_procedure: TestDatabase) -> None:
    with_procedure.run("DROP TABLE calls")
    result = call(
        with_procedure, "double_it", {"n": 1}, parameter_values=["= $n", 0], on_error="route"
    )
    assert result.errors[0]["error"] == "SQL operation failed"
    assert "calls" in result.errors[0]["reason"]


def test_sqlite_has_none(sqlite: TestDatabase) -> None:
    (error,) = call(sqlite, "anything", {}, on_error="route").errors
    assert error["reason"] == "SQLite has no stored procedures"


def test_a_failure_after_the_first_rows_fails_the_document(mysql: TestDatabase) -> None:
    mysql.run(
        "DROP PROCEDURE IF EXISTS half",
        "CREATE PROCEDURE half() BEGIN SELECT 1 AS a; SIGNAL SQLSTATE '45000' "
        "SET MESSAGE_TEXT = 'enough'; END",
    )
    result = call(mysql, "half", {}, on_error="route")
    assert [error["reason"] for error in result.errors] == ["SQL [CALL half()]; enough"]
    assert result.outputs.keys() == {"error"}


def test_sql_server_gets_one_batch() -> None:
    signature = Signature(
        (
            Parameter("n", takes=True, gives=False, type="int"),
            Parameter("twice", takes=True, gives=True, type="decimal(9, 2)"),
        )
    )
    made = call_of("dbo.double_it", signature, [5, None], "sqlserver", lambda name: f"[{name}]")
    assert made.statement.shown == (
        "SET NOCOUNT ON; DECLARE @out1 decimal(9, 2) = ?; "
        "EXEC dbo.double_it ?, @out1 OUTPUT; SELECT @out1 AS [twice]"
    )
    assert made.values == [None, 5]
