from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest


def test_the_output_starts_empty(run_snap: Any) -> None:
    result = run_snap("Mapper", {"mappings": {"$b": "$a"}}, [{"a": 1, "x": 2}])
    assert result.output == [{"b": 1}]


def test_the_output_starts_from_the_input_if_asked(run_snap: Any) -> None:
    settings = {"mappings": {"$b": "$a + 1"}, "pass_through": True}
    assert run_snap("Mapper", settings, [{"a": 1, "x": 2}]).output == [{"a": 1, "x": 2, "b": 2}]


def test_mappings_run_from_top_to_bottom(run_snap: Any) -> None:
    settings = {"mappings": {"$request": "$request", "$request.start": "1"}}
    assert run_snap("Mapper", settings, [{"request": {"end": 2}}]).output == [
        {"request": {"end": 2, "start": 1}}
    ]


@pytest.mark.parametrize("mappings", [{}, []])
def test_without_rows_the_output_is_what_it_starts_from(run_snap: Any, mappings: Any) -> None:
    assert run_snap("Mapper", {"mappings": mappings}, [{"a": 1}]).output == [{}]
    settings = {"mappings": mappings, "pass_through": True}
    assert run_snap("Mapper", settings, [{"a": 1}]).output == [{"a": 1}]


def test_rows_can_be_given_as_a_list(run_snap: Any) -> None:
    settings = {
        "mappings": [{"target": "$b", "expression": "$a"}, {"expression": "$a"}],
        "pass_through": True,
    }
    assert run_snap("Mapper", settings, [{"a": 1}]).output == [{"b": 1}]


def test_a_root_limits_what_is_mapped(run_snap: Any) -> None:
    settings = {"mappings": {"$n": "$name"}, "mapping_root": "$people[*]"}
    given = [{"id": 7, "people": [{"name": "A"}, {"name": "B"}]}]
    assert run_snap("Mapper", settings, given).output == [
        {"id": 7, "people": [{"n": "A"}, {"n": "B"}]}
    ]


def test_a_missing_field_fails_its_document_alone(run_snap: Any) -> None:
    given = [{"a": 1}, {"x": 1}, {"a": 3}]
    result = run_snap("Mapper", {"mappings": {"$b": "$a"}}, given, on_error="route")
    assert result.output == [{"b": 1}, {"b": 3}]
    assert [error["original"] for error in result.errors] == [{"x": 1}]


def test_the_input_document_is_not_changed(run_snap: Any) -> None:
    given = [{"a": {"b": 1}}]
    settings = {"mappings": {"$a": "$a", "$a.c": "2"}, "pass_through": True}
    assert run_snap("Mapper", settings, given).output == [{"a": {"b": 1, "c": 2}}]
    assert given == [{"a": {"b": 1}}]


def test_a_row_of_one_empty_document_comes_from_an_unlinked_mapper(run_snap: Any) -> None:
    assert run_snap("Mapper", {"mappings": {"$a": "1 + 1"}}).output == [{"a": 2}]


def test_functions_that_round_do_so_although_sums_are_exact(run_snap: Any) -> None:
    mappings = {
        "$a": "$n.toExponential(2)",
        "$b": "$n.toPrecision(1)",
        "$c": "$n.toFixed(1)",
        "$d": "'%.1e'.sprintf($n)",
    }
    (document,) = run_snap("Mapper", {"mappings": mappings}, [{"n": Decimal("123.456")}]).output
    assert document == {"a": "1.23e+2", "b": "1e+2", "c": "123.5", "d": "1.2e+02"}
