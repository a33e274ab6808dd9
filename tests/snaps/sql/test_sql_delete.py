"""Deleting rows."""

from __future__ import annotations

from pathlib import Path

from engine import api
from tests.snaps.sql.databases import TestDatabase

NUTS = (
    "CREATE TABLE nuts (id INTEGER, size INTEGER)",
    "INSERT INTO nuts VALUES (1, 4), (2, 6), (3, 6)",
)


def test_the_status_is_the_number_of_rows(database: TestDatabase) -> None:
    database.run(*NUTS)
    output = database.snap(
        "SQLDelete", [{"s": 6}, {"s": 7}], table_name="nuts", delete_condition="size = $s"
    ).output
    assert output == [{"status": 2, "original": {"s": 6}}, {"status": 0, "original": {"s": 7}}]
    assert database.rows("SELECT * FROM nuts") == [(1, 4)]


def test_a_condition_without_values_is_the_same_for_all(database: TestDatabase) -> None:
    database.run(*NUTS)
    result = database.snap(
        "SQLDelete", [{}, {}], table_name="nuts", delete_condition="size % 4 = 0"
    )
    assert [document["status"] for document in result.output] == [1, 0]


def test_without_a_condition_everything_is_deleted(database: TestDatabase) -> None:
    database.run(*NUTS)
    assert database.snap("SQLDelete", [{"a": 1}], table_name="nuts").output[0]["status"] == 3
    assert database.rows("SELECT * FROM nuts") == []


def test_a_missing_condition_gets_a_warning(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts/db.yaml").write_text("account: sql\ndialect: sqlite\ndatabase: x.db\n")
    file = tmp_path / "p.yaml"
    file.write_text("snaps:\n  a: {snap: SQLDelete, account: db, table_name: nuts}\n")
    (problem,) = api.check(file)
    assert problem.message == "without delete_condition, every document deletes all rows"
    assert problem.severity == "warning"


def test_a_value_that_the_document_lacks_fails_it_alone(database: TestDatabase) -> None:
    database.run(*NUTS)
    result = database.snap(
        "SQLDelete",
        [{"id": 1}, {"no": 1}, {"id": 2}],
        table_name="nuts",
        delete_condition="id = $id",
        on_error="route",
    )
    assert [error["original"] for error in result.errors] == [{"no": 1}]
    assert database.rows("SELECT id FROM nuts") == [(3,)]
