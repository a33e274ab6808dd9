from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra


def converted(run_snap: Any, value: Any, **settings: Any) -> Any:
    return run_snap("TypeConverter", settings, [{"x": value}], exact=True).output[0]["x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-7", -7),
        ("0", 0),
        ("5.10", Decimal("5.10")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal("1E+3")),
        ("12345678901234567890", 12345678901234567890),
    ],
)
def test_auto_finds_numbers(run_snap: Any, text: str, value: Any) -> None:
    found = converted(run_snap, text, auto=True)
    assert (found, type(found), str(found)) == (value, type(value), str(value))


@pytest.mark.parametrize(
    "text", ["", "007", "1,5", "12 ", "1.2.3", "abc", "-", ".", "2024-13-01T00:00:00Z", "9" * 101]
)
def test_auto_leaves_other_texts_alone(run_snap: Any, text: str) -> None:
    assert converted(run_snap, text, auto=True) == text


def test_auto_finds_dates_with_a_time(run_snap: Any) -> None:
    found = converted(run_snap, "2024-02-29T10:30:00Z", auto=True)
    assert found.isoformat() == "2024-02-29T10:30:00+00:00"


@pytest.mark.parametrize("value", [None, True, 5, Decimal("1.50"), ["1"], {"a": "1"}])
def test_auto_leaves_other_values_alone(run_snap: Any, value: Any) -> None:
    assert converted(run_snap, value, auto=True) == value


@pytest.mark.parametrize(
    ("value", "rule", "expected"),
    [
        (" 12 ", "integer", 12),
        ("12.0", "integer", 12),
        (Decimal("3.00"), "integer", 3),
        ("007", "integer", 7),
        ("1.50", "decimal", Decimal("1.50")),
        (3, "decimal", 3),
        (3, "string", "3"),
        (Decimal("1.50"), "string", "1.50"),
        (True, "string", "true"),
        ([1], "string", "[1]"),
        (None, "integer", None),
    ],
)
def test_rules_convert(run_snap: Any, value: Any, rule: str, expected: Any) -> None:
    found = converted(run_snap, value, properties=[{"field": "$x", "rule": rule}])
    assert (found, type(found)) == (expected, type(expected))


def test_a_date_may_have_a_format_of_its_own(run_snap: Any) -> None:
    rows = [{"field": "$x", "rule": "date_time", "format": "dd/MM/yyyy"}]
    assert converted(run_snap, "29/02/2024", properties=rows).date().isoformat() == "2024-02-29"


def test_a_rule_wins_over_auto(run_snap: Any) -> None:
    rows = [{"field": "$x", "rule": "string"}]
    assert converted(run_snap, "12", auto=True, properties=rows) == "12"


def test_rules_reach_into_objects_and_skip_missing_fields(run_snap: Any) -> None:
    rows = [{"field": "$a.b", "rule": "integer"}]
    given = [{"a": {"b": "1"}}, {"a": {}}, {}]
    output = run_snap("TypeConverter", {"properties": rows}, given).output
    assert output == [{"a": {"b": 1}}, {"a": {}}, {}]


@pytest.mark.parametrize(
    ("rule", "value", "reason"),
    [
        ("integer", "1.5", "is not an integer"),
        ("integer", True, "true is not a number"),
        ("decimal", "many", '"many" is not a number'),
        ("date_time", "soon", "soon"),
    ],
)
def test_what_cannot_be_converted_fails_its_document_unless_fail_safe_is_set(
    run_snap: Any, rule: str, value: Any, reason: str
) -> None:
    rows = [{"field": "$x", "rule": rule}]
    run = run_snap("TypeConverter", {"properties": rows}, [{"x": value}], on_error="route")
    [error] = run.errors
    assert error["error"] == "could not convert '$x'"
    assert reason in error["reason"]
    assert error["original"] == {"x": value}
    assert converted(run_snap, value, properties=rows, fail_safe=True) == value


def test_each_request_keeps_its_document(tmp_path: Path) -> None:
    snaps = "  t: {snap: TypeConverter, properties: [{field: $request, rule: string}]}"
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2))
    assert outcomes.answers == {1: [{"request": "1"}], 2: [{"request": "2"}]}
