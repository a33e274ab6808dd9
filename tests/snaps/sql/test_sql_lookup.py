"""Looking up rows for documents, many with one query."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidPipelineError
from tests.snaps.sql.databases import TestDatabase

CUSTOMERS = (
    "CREATE TABLE customers (id INTEGER, region VARCHAR(9), name VARCHAR(20))",
    "INSERT INTO customers VALUES (1, 'eu', 'Ada'), (2, 'eu', 'Grace'), (2, 'us', 'Edsger')",
)


def lookup(database: TestDatabase, given: list[Any], **settings: Any) -> Any:
    database.run(*CUSTOMERS)
    settings = {"lookup_conditions": {"id": "= $id"}, **settings}
    return database.snap("SQLLookup", given, table_name="customers", **settings)


def names(result: Any) -> list[Any]:
    return [document["name"] for document in result.output]


def test_rows_come_in_the_order_of_the_documents(database: TestDatabase) -> None:
    given = [{"id": 1, "n": 1}, {"id": 3, "n": 2}, {"id": 1, "n": 3}]
    result = lookup(database, given, output_fields=["name"])
    assert result.output == [
        {"name": "Ada", "original": {"id": 1, "n": 1}},
        {"name": "Ada", "original": {"id": 1, "n": 3}},
    ]
    assert result.dropped == 1


def test_several_rows_give_several_documents(database: TestDatabase) -> None:
    result = lookup(database, [{"id": 2}])
    assert sorted(names(result)) == ["Edsger", "Grace"]
    assert list(result.output[0]) == ["id", "region", "name", "original"]


def test_all_conditions_must_hold(database: TestDatabase) -> None:
    conditions = {"id": "= $id", "region": "us"}
    assert names(lookup(database, [{"id": 2}], lookup_conditions=conditions)) == ["Edsger"]


@pytest.mark.parametrize("fields", [["name"], []])
def test_a_document_without_a_row_may_pass(database: TestDatabase, fields: list[str]) -> None:
    settings = {"output_fields": fields, "pass_through_on_no_match": True}
    (output,) = lookup(database, [{"id": 9}], **settings).output
    nothing = dict.fromkeys(fields or ["id", "region", "name"])
    assert output == {**nothing, "original": {"id": 9}}


def test_more_documents_than_fit_in_a_query(database: TestDatabase) -> None:
    database.run("CREATE TABLE numbers (n INTEGER, square INTEGER)")
    values = ", ".join(f"({n}, {n * n})" for n in range(1000))
    database.run(f"INSERT INTO numbers VALUES {values}")
    result = database.snap(
        "SQLLookup",
        [{"n": n} for n in range(500)],
        table_name="numbers",
        lookup_conditions={"n": "= $n"},
        output_fields=["square"],
    )
    assert [document["square"] for document in result.output] == [n * n for n in range(500)]


def test_the_database_compares(mysql: TestDatabase) -> None:
    conditions = {"name": "= $name"}
    assert names(lookup(mysql, [{"name": "ADA"}], lookup_conditions=conditions)) == ["Ada"]


def test_null_is_equal_to_nothing(database: TestDatabase) -> None:
    database.run(*CUSTOMERS, "INSERT INTO customers VALUES (NULL, 'eu', 'Nobody')")
    result = database.snap(
        "SQLLookup", [{"id": None}], table_name="customers", lookup_conditions={"id": "= $id"}
    )
    assert (result.output, result.dropped) == ([], 1)


def test_a_value_that_the_document_lacks_fails_it_alone(database: TestDatabase) -> None:
    result = lookup(database, [{"id": 1}, {"no": 1}], on_error="route")
    assert names(result) == ["Ada"]
    assert [error["original"] for error in result.errors] == [{"no": 1}]


def test_a_query_that_fails_fails_the_documents_it_was_for(database: TestDatabase) -> None:
    result = lookup(database, [{"id": 1}, {"id": 2}], output_fields=["nope"], on_error="route")
    assert [error["original"] for error in result.errors] == [{"id": 1}, {"id": 2}]
    assert result.errors[0]["error"] == "SQL operation failed"


def test_without_a_condition_it_is_a_mistake(sqlite: TestDatabase) -> None:
    with pytest.raises(InvalidPipelineError, match="there is no condition"):
        lookup(sqlite, [{}], lookup_conditions={})
