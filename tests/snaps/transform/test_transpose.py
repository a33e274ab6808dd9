from __future__ import annotations

from typing import Any


def test_every_field_becomes_a_document(run_snap: Any) -> None:
    given = [{"n": n, "m": -n} for n in range(100)]
    first, second = run_snap("Transpose", {}, given).output
    assert first == {"field": "n", **{f"value{n + 1}": n for n in range(100)}}
    assert second["value100"] == -99


def test_the_values_of_a_field_may_name_the_columns(run_snap: Any) -> None:
    settings = {"header_field": "$id", "name_field": "what"}
    output = run_snap("Transpose", settings, [{"a": 1, "id": 7}, {"a": 2, "id": True}]).output
    assert output == [{"what": "a", "7": 1, "true": 2}]


def test_what_a_document_lacks_is_null(run_snap: Any) -> None:
    output = run_snap("Transpose", {}, [{"a": 1}, {"b": 2}]).output
    assert output == [
        {"field": "a", "value1": 1, "value2": None},
        {"field": "b", "value1": None, "value2": 2},
    ]


def test_two_documents_cannot_have_one_name(run_snap: Any) -> None:
    given = [{"id": 1, "a": 1}, {"id": 1, "a": 2}, {"a": 3}]
    run = run_snap("Transpose", {"header_field": "$id"}, given, on_error="route")
    assert run.output == [{"field": "a", "1": 1}]
    assert run.errors[0]["reason"] == "there is already a column '1'"
    assert [error["original"] for error in run.errors] == given[1:]


def test_no_documents_give_none(run_snap: Any) -> None:
    assert run_snap("Transpose", {}, []).output == []
