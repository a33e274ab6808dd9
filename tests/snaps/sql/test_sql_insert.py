"""Inserting rows: columns, batches, and what happens to the rows of a batch that fails."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import ConfigurationError, SnapFailedError
from engine.sdk import LocalDate, LocalDateTime
from tests.snaps.sql.databases import TestDatabase

NUTS = "CREATE TABLE nuts (id INTEGER PRIMARY KEY, size INTEGER)"


def rows(first: int, last: int) -> list[dict[str, Any]]:
    return [{"id": number, "size": number * 2} for number in range(first, last + 1)]


def insert(database: TestDatabase, given: list[Any], **settings: Any) -> Any:
    return database.snap("SQLInsert", given, table_name="nuts", **settings)


def test_the_fields_are_the_columns(database: TestDatabase) -> None:
    database.run(NUTS)
    output = insert(database, rows(1, 3)).output
    assert output == [{"status": 1, "original": document} for document in rows(1, 3)]
    assert sorted(database.rows("SELECT * FROM nuts")) == [(1, 2), (2, 4), (3, 6)]


def test_a_column_without_a_field_gets_its_default(database: TestDatabase) -> None:
    database.run("CREATE TABLE nuts (id INTEGER, size INTEGER DEFAULT 7, name VARCHAR(9))")
    insert(database, [{"id": 1}])
    assert database.rows("SELECT * FROM nuts") == [(1, 7, None)]


def test_a_field_without_a_column_fails_its_document_alone(database: TestDatabase) -> None:
    database.run(NUTS)
    given = [*rows(1, 2), {"id": 3, "sizes": 1}, *rows(4, 4)]
    result = insert(database, given, on_error="route")
    assert [error["original"] for error in result.errors] == [{"id": 3, "sizes": 1}]
    assert result.errors[0]["error"] == "the table 'nuts' has no column 'sizes'"
    assert len(database.rows("SELECT * FROM nuts")) == 3


def test_case_does_not_matter_if_one_column_fits(database: TestDatabase) -> None:
    database.run(NUTS)
    insert(database, [{"ID": 1, "Size": 2}])
    assert database.rows("SELECT id, size FROM nuts") == [(1, 2)]


def test_columns_that_need_quotes_get_them(database: TestDatabase) -> None:
    quote = "`" if database.dialect == "mysql" else '"'
    names = [f"{quote}{name}{quote}" for name in ("order", "Two Words", "50%")]
    database.run(f"CREATE TABLE nuts ({', '.join(f'{name} INTEGER' for name in names)})")
    insert(database, [{"order": 1, "Two Words": 2, "50%": 3}] * 2)
    assert database.rows("SELECT * FROM nuts") == [(1, 2, 3)] * 2


def test_values_are_bound(database: TestDatabase) -> None:
    database.run("CREATE TABLE nuts (name VARCHAR(50))")
    insert(database, [{"name": "'); DROP TABLE nuts; --"}, {"name": "%s :x ? \\ ü€😀"}])
    assert [row[0] for row in database.rows("SELECT name FROM nuts")] == [
        "'); DROP TABLE nuts; --",
        "%s :x ? \\ ü€😀",
    ]


def test_numbers_become_text_in_a_column_of_text(database: TestDatabase) -> None:
    database.run("CREATE TABLE nuts (name VARCHAR(50))")
    insert(database, [{"name": 5}, {"name": Decimal("1.10")}, {"name": True}])
    assert [row[0] for row in database.rows("SELECT name FROM nuts")] == ["5", "1.10", "true"]


class TestFailingBatches:
    def failing(self, database: TestDatabase, **more: Any) -> Any:
        """Eight rows in batches of three, of which the fifth violates a constraint."""
        database.run(NUTS)
        given = [*rows(1, 4), {"id": 1, "size": 0}, *rows(6, 8)]
        return insert(database, given, account={"batch_size": 3}, on_error="route", **more)

    def test_all_rows_of_the_batch_fail_and_no_other(self, database: TestDatabase) -> None:
        result = self.failing(database)
        assert [error["original"]["id"] for error in result.errors] == [4, 1, 6]
        assert [each["original"]["id"] for each in result.output] == [1, 2, 3, 7, 8]
        assert sorted(database.rows("SELECT id FROM nuts")) == [(1,), (2,), (3,), (7,), (8,)]

    def test_each_error_says_which_row_failed(self, database: TestDatabase) -> None:
        errors = self.failing(database).errors
        assert [(error["batch_row"], error["failed_row"]) for error in errors] == [
            (1, 2),
            (2, 2),
            (3, 2),
        ]
        assert {error["error"] for error in errors} == {"Batch operation failed"}
        assert "error code: " in errors[0]["reason"] or "SQL state: 23505" in errors[0]["reason"]
        assert errors[1]["resolution"].startswith("correct this row")
        assert errors[0]["resolution"].startswith("correct row 2, for which the batch was")
        assert {error["status"] for error in errors} == {0}

    def test_with_a_batch_size_of_one_rows_fail_alone(self, database: TestDatabase) -> None:
        database.run(NUTS)
        given = [*rows(1, 2), {"id": 1, "size": 0}, *rows(3, 3)]
        result = insert(database, given, account={"batch_size": 1}, on_error="route")
        (error,) = result.errors
        assert error["error"] == "SQL operation failed"
        assert error["reason"].startswith("SQL [INSERT INTO nuts (id, size) VALUES (?, ?)]; ")
        assert len(database.rows("SELECT id FROM nuts")) == 3

    def test_without_auto_commit_the_other_batches_are_kept(self, database: TestDatabase) -> None:
        result = self.failing(database, auto_commit=False)
        assert [error["original"]["id"] for error in result.errors] == [4, 1, 6]
        assert len(database.rows("SELECT id FROM nuts")) == 5

    def test_without_auto_commit_a_failure_undoes_everything(self, database: TestDatabase) -> None:
        database.run(NUTS)
        with pytest.raises(SnapFailedError, match="Batch operation failed"):
            insert(
                database,
                [*rows(1, 4), {"id": 1, "size": 0}],
                account={"batch_size": 2, "auto_commit": False},
            )
        assert database.rows("SELECT id FROM nuts") == []

    def test_with_auto_commit_a_failure_keeps_earlier_batches(self, database: TestDatabase) -> None:
        database.run(NUTS)
        with pytest.raises(SnapFailedError, match="Batch operation failed"):
            insert(database, [*rows(1, 4), {"id": 1, "size": 0}], account={"batch_size": 2})
        assert len(database.rows("SELECT id FROM nuts")) == 4

    def test_a_value_that_does_not_fit_is_found_too(self, server_database: TestDatabase) -> None:
        server_database.run("CREATE TABLE nuts (id INTEGER, name VARCHAR(3))")
        given = [{"id": 1, "name": "abc"}, {"id": 2, "name": "abcd"}]
        errors = insert(server_database, given, on_error="route").errors
        assert [error["failed_row"] for error in errors] == [2, 2]
        codes = {"postgresql": "SQL state: 22001", "mysql": "error code: 1406"}
        assert codes[server_database.dialect] in errors[0]["reason"]
        assert server_database.rows("SELECT * FROM nuts") == []

    def test_an_engine_without_transactions_gets_no_row_twice(self, mysql: TestDatabase) -> None:
        mysql.run("CREATE TABLE nuts (id INTEGER UNIQUE, size INTEGER) ENGINE=MyISAM")
        given = [*rows(1, 2), {"id": 1, "size": 0}]
        errors = insert(mysql, given, on_error="route").errors
        assert [error["failed_row"] for error in errors] == [3, 3, 3]
        assert sorted(mysql.rows("SELECT id FROM nuts")) == [(1,), (2,)]


def test_documents_with_other_fields_begin_a_new_batch(database: TestDatabase) -> None:
    database.run(NUTS)
    given = [{"id": 1}, {"id": 2, "size": 3}, {"size": 4, "id": 3}, {"id": 4}]
    assert len(insert(database, given).output) == 4
    found = dict(database.rows("SELECT id, size FROM nuts"))
    assert found == {1: None, 2: 3, 3: 4, 4: None}


def test_an_empty_document_is_an_error(sqlite: TestDatabase) -> None:
    sqlite.run(NUTS)
    (error,) = insert(sqlite, [{}], on_error="route").errors
    assert error["error"] == "the document is empty"


def test_a_missing_table_fails_the_documents(database: TestDatabase) -> None:
    errors = insert(database, rows(1, 2), on_error="route").errors
    assert [error["reason"] for error in errors] == ["there is no table 'nuts'"] * 2


class TestCreateTable:
    def test_the_columns_fit_the_first_documents(self, server_database: TestDatabase) -> None:
        document = {
            "n": 5,
            "big": 2**62,
            "d": Decimal("29.92"),
            "b": True,
            "t": "ü" * 1000,
            "day": LocalDate(2020, 2, 29),
            "s": LocalDateTime(2020, 2, 29, 13, 14, 15, 123000),
            "x": b"\x00\xff",
            "nothing": None,
            "deep": {"a": [1]},
        }
        insert(server_database, [document], create_table=True)
        (row,) = server_database.snap("SQLSelect", table_name="nuts").output
        assert row == {**document, "deep": '{"a":[1]}'}
        assert list(row) == list(document)

    def test_a_table_that_exists_is_left_alone(self, database: TestDatabase) -> None:
        database.run(NUTS, "INSERT INTO nuts VALUES (9, 9)")
        insert(database, rows(1, 1), create_table=True)
        assert sorted(database.rows("SELECT * FROM nuts")) == [(1, 2), (9, 9)]

    def test_names_are_kept(self, database: TestDatabase) -> None:
        insert(database, [{"Two Words": 1, "order": 2}], create_table=True)
        (row,) = database.snap("SQLSelect", table_name="nuts").output
        assert row == {"Two Words": 1, "order": 2}


class TestDuplicates:
    def test_they_may_be_ignored(self, database: TestDatabase) -> None:
        database.run(NUTS, "INSERT INTO nuts VALUES (1, 9)")
        insert(database, rows(1, 2), duplicates="ignore")
        assert sorted(database.rows("SELECT * FROM nuts")) == [(1, 9), (2, 4)]

    @pytest.mark.parametrize("kind", ["sqlite", "mysql"])
    def test_they_may_update(self, kind: str, request: pytest.FixtureRequest) -> None:
        database: TestDatabase = request.getfixturevalue(kind)
        database.run(NUTS, "INSERT INTO nuts VALUES (1, 9)")
        insert(database, rows(1, 2), duplicates="update")
        assert sorted(database.rows("SELECT * FROM nuts")) == [(1, 2), (2, 4)]

    def test_what_a_database_cannot_do_is_a_mistake(self, postgres: TestDatabase) -> None:
        with pytest.raises(ConfigurationError, match="use SQLMerge"):
            insert(postgres, rows(1, 1), duplicates="update")


def test_a_number_that_is_not_finite_fails_its_document(database: TestDatabase) -> None:
    database.run("CREATE TABLE nuts (size FLOAT)")
    result = insert(database, [{"size": 1.5}, {"size": math.nan}], on_error="route")
    assert result.errors[0]["error"] == "cannot send size to the database"
    assert result.errors[0]["reason"] == "it is NaN"
    assert database.rows("SELECT * FROM nuts") == [(1.5,)]
