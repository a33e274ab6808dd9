"""Updating rows, or inserting them if there are none."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidPipelineError
from tests.snaps.sql.databases import TestDatabase

NUTS = (
    "CREATE TABLE nuts (id INTEGER PRIMARY KEY, size INTEGER)",
    "INSERT INTO nuts VALUES (1, 4)",
)


def merge(database: TestDatabase, given: list[Any], condition: str = "id = $id") -> Any:
    database.run(*NUTS)
    return database.snap(
        "SQLMerge", given, table_name="nuts", on_condition=condition, on_error="route"
    )


def test_rows_are_updated_or_inserted(database: TestDatabase) -> None:
    given = [{"id": 1, "size": 5}, {"id": 2, "size": 6}, {"id": 2, "size": 7}]
    output = merge(database, given).output
    assert [document["status"] for document in output] == [1, 1, 1]
    assert sorted(database.rows("SELECT * FROM nuts")) == [(1, 5), (2, 7)]


def test_a_row_without_other_fields_is_only_looked_for(database: TestDatabase) -> None:
    merge(database, [{"id": 1}, {"id": 2}])
    assert sorted(database.rows("SELECT * FROM nuts")) == [(1, 4), (2, None)]


def test_a_failed_row_undoes_its_batch(database: TestDatabase) -> None:
    given = [{"id": 5, "size": 5}, {"id": 1, "size": 6, "key": 9}]
    errors = merge(database, given, "id = $id AND size = $size").errors
    assert len(errors) == 1  # `key` is no column
    database.run("DROP TABLE nuts")
    errors = merge(database, [{"id": 5, "size": 5}, {"id": 1, "size": 6}], "size > 9").errors
    assert [(error["original"]["id"], error["failed_row"]) for error in errors] == [(5, 2), (1, 2)]
    assert database.rows("SELECT * FROM nuts") == [(1, 4)]


def test_an_empty_condition_is_a_mistake(sqlite: TestDatabase) -> None:
    with pytest.raises(InvalidPipelineError, match="the condition is empty"):
        merge(sqlite, [{"id": 1}], "")
