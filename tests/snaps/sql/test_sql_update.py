"""Updating rows: which fields are set, and how many rows each document changed."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import SnapFailedError
from tests.snaps.sql.databases import TestDatabase

NUTS = (
    "CREATE TABLE nuts (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, name VARCHAR(9))",
    "INSERT INTO nuts VALUES (1, 4, 'a'), (2, 6, 'b'), (3, 6, 'c')",
)


def update(database: TestDatabase, given: list[Any], condition: Any, **settings: Any) -> Any:
    database.run(*NUTS)
    return database.snap(
        "SQLUpdate", given, table_name="nuts", update_condition=condition, **settings
    )


def sizes(database: TestDatabase) -> dict[int, int]:
    return {row[0]: row[1] for row in database.rows("SELECT id, size FROM nuts")}


def test_the_other_fields_are_set(database: TestDatabase) -> None:
    output = update(database, [{"id": 1, "size": 9}, {"id": 7, "size": 9}], "id = $id").output
    assert [document["status"] for document in output] == [1, 0]
    assert output[0]["original"] == {"id": 1, "size": 9}
    assert sizes(database) == {1: 9, 2: 6, 3: 6}


def test_the_status_counts_rows_that_stay_the_same_too(database: TestDatabase) -> None:
    output = update(database, [{"old": 6, "size": 6}], "size = $old").output
    assert [document["status"] for document in output] == [2]


def test_a_field_that_is_compared_otherwise_is_set(database: TestDatabase) -> None:
    update(database, [{"size": 5}], "size < $size")
    assert sizes(database) == {1: 5, 2: 6, 3: 6}


def test_a_field_without_a_column_may_be_in_the_condition_only(database: TestDatabase) -> None:
    update(database, [{"key": 2, "size": 1}], "id = $key")
    assert sizes(database) == {1: 4, 2: 1, 3: 6}


def test_any_other_field_without_a_column_is_an_error(database: TestDatabase) -> None:
    (error,) = update(database, [{"id": 1, "no": 1}], "id = $id", on_error="route").errors
    assert error["error"] == "the table 'nuts' has no column 'no'"


def test_a_row_that_fails_undoes_its_batch(database: TestDatabase) -> None:
    given = [{"id": 1, "size": 9}, {"id": 2, "size": None}, {"id": 3, "size": 9}]
    errors = update(database, given, "id = $id", on_error="route").errors
    assert [(e["original"]["id"], e["failed_row"]) for e in errors] == [(1, 2), (2, 2), (3, 2)]
    assert sizes(database) == {1: 4, 2: 6, 3: 6}


def test_without_a_field_to_set_there_is_an_error(sqlite: TestDatabase) -> None:
    with pytest.raises(SnapFailedError, match="the document has no field to set"):
        update(sqlite, [{"id": 1}], "id = $id")


def test_without_a_condition_all_rows_are_updated_after_a_warning(sqlite: TestDatabase) -> None:
    output = update(sqlite, [{"size": 1}], None).output
    assert [document["status"] for document in output] == [3]
    assert sizes(sqlite) == {1: 1, 2: 1, 3: 1}


def test_a_condition_may_be_computed(database: TestDatabase) -> None:
    given = [{"column": "id", "size": 1, "is": 2}]
    settings: dict[str, Any] = {"update_condition": "= $column + ' = $is'"}
    database.run(*NUTS, "ALTER TABLE nuts ADD COLUMN other INTEGER")
    result = database.snap("SQLUpdate", given, table_name="nuts", on_error="route", **settings)
    assert result.errors[0]["error"] == "the table 'nuts' has no column 'column'"
