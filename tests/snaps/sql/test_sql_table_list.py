"""Listing tables and views."""

from __future__ import annotations

from tests.snaps.sql.databases import TestDatabase


def test_tables_and_views_come_by_name(database: TestDatabase) -> None:
    database.run(
        "CREATE TABLE nuts (id INTEGER)",
        "CREATE TABLE bolts (id INTEGER)",
    )
    assert database.snap("SQLTableList").output == [
        {"schema": None, "table": "bolts", "type": "TABLE"},
        {"schema": None, "table": "nuts", "type": "TABLE"},
    ]


def test_a_view_says_so(postgres: TestDatabase) -> None:
    postgres.run("DROP SCHEMA IF EXISTS sales CASCADE", "CREATE SCHEMA sales")
    postgres.run("CREATE VIEW sales.v AS SELECT 1 AS one")
    assert postgres.snap("SQLTableList", schema_name="sales").output == [
        {"schema": "sales", "table": "v", "type": "VIEW"}
    ]


def test_each_document_gets_the_list(sqlite: TestDatabase) -> None:
    sqlite.run("CREATE TABLE nuts (id INTEGER)")
    output = sqlite.snap("SQLTableList", [{"n": 1}, {"n": 2}]).output
    assert [document["original"] for document in output] == [{"n": 1}, {"n": 2}]


def test_a_server_that_is_not_there_fails_the_document(sqlite: TestDatabase) -> None:
    unreachable = {"dialect": "postgresql", "host": "127.0.0.1", "port": 1, "database": "shop"}
    result = sqlite.snap("SQLTableList", [{"n": 1}], account=unreachable, on_error="route")
    assert result.output == []
    [error] = result.errors
    assert error["original"] == {"n": 1}
    assert "127.0.0.1" in error["reason"]
    assert error["resolution"]
