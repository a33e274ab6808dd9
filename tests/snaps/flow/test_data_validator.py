from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError, InvalidPipelineError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra


def row(constraint: str, value: Any = None, path: str = "$x") -> dict[str, Any]:
    return {"path": path, "constraint": constraint, "value": value}


def reasons(run_snap: Any, given: list[Any], **settings: Any) -> list[str]:
    run = run_snap("DataValidator", settings, given, on_error="route")
    return [error["reason"] for error in run.errors]


VALID = [
    ("required", None, {"x": None}),
    ("required", True, {"x": 1}),
    ("min_length", "1", {"x": "a"}),
    ("min_length", 2, {"x": [1, 2]}),
    ("min_length", 5, {}),
    ("max_length", 2, {"x": "é€"}),
    ("max_length", 2, {"x": None}),
    ("minimum", "1.5", {"x": Decimal("1.5")}),
    ("minimum", 10, {"x": "11"}),
    ("maximum", 10, {"x": 10}),
    ("pattern", "^.+$", {"x": "a"}),
    ("pattern", "b", {"x": "abc"}),
    ("type", None, {"x": {}}),
    ("type", "string", {"x": ""}),
    ("type", "number", {"x": Decimal("1.50")}),
    ("type", "integer", {"x": 7}),
    ("type", "array", {"x": []}),
    ("type", "boolean", {"x": False}),
    ("type", "any", {"x": None}),
    ("type", "date", {"x": "2024-02-29"}),
    ("type", "time", {"x": "10:30:00"}),
    ("type", "date-time", {"x": "2024-02-29T10:30:00.000Z"}),
    ("type", "local-date-time", {"x": "2024-02-29T10:30:00"}),
]
INVALID = [
    ("required", None, {}, "is missing"),
    ("required", None, {"x.y": 1}, "is missing"),
    ("min_length", 1, {"x": ""}, "must have at least 1 characters or elements"),
    ("min_length", 1, {"x": None}, "must have at least 1 characters or elements"),
    ("min_length", 1, {"x": 12}, "but is neither a string nor a list, got 12"),
    ("max_length", 1, {"x": [1, 2]}, "must have at most 1 characters or elements"),
    ("minimum", 10, {"x": "9"}, "must be 10 or more"),
    ("minimum", 10, {"x": "many"}, "but is not a number"),
    ("maximum", "0.5", {"x": Decimal("0.51")}, "must be 0.5 or less, got 0.51"),
    ("pattern", "^a$", {"x": "ab"}, "must match the pattern '^a$'"),
    ("pattern", "^.+$", {"x": None}, "must match the pattern"),
    ("type", None, {"x": "text"}, "must be of the type object"),
    ("type", "number", {"x": True}, "must be of the type number, got true"),
    ("type", "integer", {"x": Decimal("1.5")}, "must be of the type integer"),
    ("type", "string", {"x": None}, "must be of the type string, got null"),
    ("type", "date", {"x": "2023-02-29"}, "must be of the type date"),
    ("type", "date-time", {"x": "2024-02-29T10:30:00"}, "must be of the type date-time"),
    ("type", "local-date-time", {"x": "2024-02-29"}, "must be of the type local-date-time"),
]


@pytest.mark.parametrize(("constraint", "value", "document"), VALID)
def test_what_keeps_a_rule_passes(
    run_snap: Any, constraint: str, value: Any, document: dict[str, Any]
) -> None:
    run = run_snap("DataValidator", {"constraints": [row(constraint, value)]}, [document])
    assert run.errors == []
    assert len(run.output) == 1


@pytest.mark.parametrize(("constraint", "value", "document", "reason"), INVALID)
def test_what_breaks_a_rule_fails(
    run_snap: Any, constraint: str, value: Any, document: dict[str, Any], reason: str
) -> None:
    [found] = reasons(run_snap, [document], constraints=[row(constraint, value)])
    assert found.startswith("$x: ")
    assert reason in found


def test_an_error_document_names_all_broken_rules(run_snap: Any) -> None:
    rows = [row("min_length", 3), row("pattern", "^a"), row("required", None, "$y")]
    run = run_snap("DataValidator", {"constraints": rows}, [{"x": "b"}], on_error="route")
    [error] = run.errors
    assert error["error"] == "the document is not valid"
    assert error["original"] == {"x": "b"}
    assert error["reason"].count(";") == 2
    assert "violations" not in error


def test_violations_are_listed_on_request(run_snap: Any) -> None:
    settings = {"constraints": [row("minimum", 3)], "standardize_error_output": True}
    run = run_snap("DataValidator", settings, [{"x": 2}], on_error="route")
    assert run.errors[0]["violations"] == [
        {
            "path": "$x",
            "constraint": "minimum",
            "constraint_value": 3,
            "value": 2,
            "message": "must be 3 or more, got 2",
        }
    ]


def test_the_first_of_two_rows_with_one_constraint_counts(run_snap: Any) -> None:
    rows = [row("minimum", 3), row("minimum", 5)]
    assert reasons(run_snap, [{"x": 4}], constraints=rows) == []


def test_every_value_of_a_path_through_lists_is_checked(run_snap: Any) -> None:
    rows = [row("type", "number", "$a[*].b")]
    given = [{"a": [{"b": 1}, {"b": "x"}, {"b": "y"}]}, {"a": []}]
    [found] = reasons(run_snap, given, constraints=rows)
    assert found.count("must be of the type number") == 2


def test_the_first_value_of_a_called_path_can_be_checked(run_snap: Any) -> None:
    rows = [row("required", True, 'jsonPath($, "a[*].b")[0]')]
    given = [{"a": [{"b": 1}]}, {"a": [{}]}, {}]
    assert len(reasons(run_snap, given, constraints=rows)) == 2


def test_a_missing_path_fails_on_request(run_snap: Any) -> None:
    rows = [row("max_length", 5, "$a.b")]
    assert reasons(run_snap, [{}], constraints=rows) == []
    found = reasons(run_snap, [{}], constraints=rows, validate_json_path=True)
    assert found == ["$a.b: is missing"]


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "price": {"type": "number", "maximum": 10, "multipleOf": 0.05},
    },
}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "'id' is a required property"),
        ({"id": "1"}, "$id: '1' is not of type 'integer'"),
        ({"id": Decimal("1.5")}, "$id: 1.5 is not of type 'integer'"),
        ({"id": True}, "$id: True is not of type 'integer'"),
        ({"id": 1, "price": Decimal("10.05")}, "$price: 10.05 is greater than the maximum of 10"),
        ({"id": 1, "price": Decimal("1.01")}, "1.01 is not a multiple of 0.05"),
    ],
)
def test_a_json_schema_is_applied_to_exact_numbers(
    run_snap: Any, document: dict[str, Any], reason: str
) -> None:
    [found] = reasons(run_snap, [document, {"id": 1, "price": Decimal("1.15")}], schema=SCHEMA)
    assert reason in found


def test_a_schema_may_be_in_a_file(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"required": ["id"]}')
    assert len(reasons(run_snap, [{}, {"id": 1}], schema_file="schema.json")) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"constraints": [row("pattern", "^(a|aa)+$")]},
        {"schema": {"properties": {"x": {"pattern": "^(a|aa)+$"}}}},
    ],
)
def test_a_pattern_that_takes_too_long_fails_the_document(
    run_snap: Any, settings: dict[str, Any]
) -> None:
    given = [{"x": "a" * 50 + "!"}, {"x": "aa"}]
    run = run_snap("DataValidator", settings, given, on_error="route")
    assert run.output == [{"x": "aa"}]
    assert "the pattern '^(a|aa)+$' takes longer than 1 s" in run.errors[0]["reason"]


def test_patterns_of_names_are_applied(run_snap: Any) -> None:
    schema = {"patternProperties": {"^n_": {"type": "integer"}}, "additionalProperties": False}
    [first, second] = reasons(run_snap, [{"n_1": 1}, {"n_2": "x"}, {"m": 1}], schema=schema)
    assert "'x' is not of type 'integer'" in first
    assert "'m' does not match any of the regexes" in second


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"$ref": "https://example.org/x.json"}, "leads to nothing in the schema"),
        ({"$ref": "file:///etc/passwd"}, "its $ref 'file:///etc/passwd' leads to nothing"),
        ({"$ref": "#/$defs/none"}, "its $ref '/$defs/none' leads to nothing"),
        ({"$ref": "#"}, "the schema refers to itself without end"),
    ],
)
def test_a_schema_that_cannot_be_applied_says_why(
    run_snap: Any, schema: dict[str, Any], reason: str
) -> None:
    [found] = reasons(run_snap, [{"x": 1}], schema=schema)
    assert reason in found


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"pattern": "("}, "schema is not a JSON Schema"),
        ({"type": "text"}, "schema is not a JSON Schema"),
        ({"required": "id"}, "schema is not a JSON Schema"),
    ],
)
def test_a_wrong_schema_stops_before_the_first_document(
    run_snap: Any, schema: Any, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run_snap("DataValidator", {"schema": schema}, [{}])


def test_without_the_package_the_message_names_the_extra(
    run_snap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'snapline\[schema\]'"):
        run_snap("DataValidator", {"schema": SCHEMA}, [{}])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "constraints, schema or schema_file is missing"),
        ({"constraints": [row("minimum", "many")]}, "'minimum' needs a number, got"),
        ({"constraints": [row("type", "text")]}, "'type' needs one of string, number"),
        ({"constraints": [row("pattern", "(")]}, "is not a regular expression"),
        ({"constraints": [row("pattern")]}, "'pattern' needs a regular expression"),
    ],
)
def test_mistakes_are_found_when_checking(run_snap: Any, settings: Any, said: str) -> None:
    with pytest.raises(InvalidPipelineError, match=said):
        run_snap("DataValidator", settings, [])


def test_each_request_is_judged_by_itself(tmp_path: Path) -> None:
    snaps = (
        "  v: {snap: DataValidator, constraints: [{path: $request, constraint: maximum, value: 1}]}"
    )
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2))
    assert outcomes.answers == {1: [{"request": 1}], 2: ["failed: the document is not valid"]}
