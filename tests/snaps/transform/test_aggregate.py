from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError
from engine.expressions import DateTime, LocalDate

FUNCTIONS = ("count", "sum", "avg", "min", "max", "concat", "unique_concat")
BY_G = [{"field": "$g", "output_field": "g"}]


def fields(*functions: str, field: str = "$v") -> list[dict[str, str]]:
    return [{"function": each, "field": field, "result_field": each} for each in functions]


def of(run_snap: Any, function: str, values: list[Any], **settings: Any) -> Any:
    """What a function makes of some values."""
    settings = {"aggregate_fields": fields(function), **settings}
    given = [{"v": value} for value in values]
    (document,) = run_snap("Aggregate", settings, given, exact=True).output
    return document[function]


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        ("count", [1, None, "a", [1], {}], 4),
        ("COUNT", [None], 0),
        ("sum", [0.1, 0.2, None, Decimal("1.70")], "2.00"),
        ("sum", ["12", " 1.5 ", 10**20], "100000000000000000013.5"),
        ("sum", [None], None),
        ("avg", [10, 0, 0], "3.333333333333333"),
        ("avg", [1, 2], "1.5"),
        ("avg", [2, "4"], 3),
        ("avg", [None], None),
        ("min", [3, Decimal("-1.50"), None], "-1.50"),
        ("max", ["a", "B", "\U0001f600", "\ufffd"], "\ufffd"),
        ("max", [1, "a", True], "a"),
        ("concat", ["a", None, 1.10, "a", True], "a|1.1|a|true"),
        ("unique_concat", ["b", "a", "b"], "b|a"),
        ("concat", [None], None),
    ],
)
def test_functions(run_snap: Any, function: str, values: list[Any], expected: Any) -> None:
    name = function.lower()
    result = of(run_snap, name, values)
    assert (str(result) if isinstance(result, Decimal) else result) == expected
    assert run_snap(
        "Aggregate",
        {"aggregate_fields": [{"function": function, "field": "$v", "result_field": "r"}]},
        [{"v": value} for value in values],
        exact=True,
    ).output == [{"r": result}]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([100, 1, 1, 1], "25.75"), ([12552, 1, 1], "4184.667"), ([5379.3, 0, 1], "1793.433"),
     ([17934.1] * 9 + [17934], "17934.09"), ([2, 4], "3")],
)  # fmt: skip
def test_averages_may_have_the_seven_digits_of_former_versions(
    run_snap: Any, values: list[Any], expected: str
) -> None:
    assert str(of(run_snap, "avg", values, avg_digits=7)) == expected


def test_the_average_of_dates_is_a_date(run_snap: Any) -> None:
    days = [LocalDate(2026, 1, 1), LocalDate(2026, 1, 2), LocalDate(2026, 1, 6)]
    assert of(run_snap, "avg", days) == LocalDate(2026, 1, 3)
    moments = [DateTime.fromisoformat(f"2026-01-01T0{hour}:00:00+00:00") for hour in (1, 3)]
    assert str(of(run_snap, "avg", moments)) == "2026-01-01T02:00:00.000Z"
    assert of(run_snap, "max", days) == days[2]


def test_integer_mode_cuts_fractions_off(run_snap: Any) -> None:
    assert of(run_snap, "sum", [1.9, "2.9", -1], integer_mode=True) == 2
    assert of(run_snap, "avg", [1.9, 2, 4], integer_mode=True) == 2
    assert of(run_snap, "avg", [-1, -2], integer_mode=True) == -1


@pytest.mark.parametrize(
    ("function", "value", "message"),
    [
        ("sum", "a dozen", 'sum needs a number, but got "a dozen"'),
        ("sum", True, "sum needs a number, but got true"),
        ("avg", [1], r"avg needs a number, but got \[1\]"),
        ("avg", LocalDate(2026, 1, 1), "avg needs values of one type"),
        ("max", {"a": 1}, "max needs a single value"),
        ("concat", [1], "concat needs a single value"),
    ],
)
def test_a_value_that_a_function_cannot_use_fails_its_document_alone(
    run_snap: Any, function: str, value: Any, message: str
) -> None:
    settings = {"aggregate_fields": fields(function)}
    given = [{"v": 1}, {"v": value}, {"v": 1}]
    result = run_snap("Aggregate", settings, given, on_error="route")
    assert result.output == [
        {function: "1|1" if function == "concat" else 2 if function == "sum" else 1}
    ]
    assert [error["original"] for error in result.errors] == [{"v": value}]
    assert re.match(message, result.errors[0]["reason"])
    with pytest.raises(SnapFailedError, match=message):
        run_snap("Aggregate", settings, given)


def test_a_missing_field_fails_its_document(run_snap: Any) -> None:
    settings = {"aggregate_fields": fields("sum")}
    result = run_snap("Aggregate", settings, [{"v": 1}, {"w": 1}], on_error="route")
    assert (result.output, len(result.errors)) == ([{"sum": 1}], 1)


def test_groups_leave_in_the_order_of_their_first_documents_with_the_group_first(
    run_snap: Any,
) -> None:
    settings = {
        "group_by_fields": [*BY_G, {"field": "$h.x", "output_field": "$by.h"}],
        "aggregate_fields": [{"function": "sum", "field": "$v", "result_field": "$sum"}],
    }
    given = [
        {"g": "b", "h": {"x": None}, "v": 1},
        {"g": "a", "h": {"x": 1}, "v": 2},
        {"g": "b", "h": {"x": None}, "v": 3},
        {"g": "a", "h": {"x": True}, "v": 4},
        {"g": "a", "h": {"x": 1.0}, "v": 5},
    ]
    output = run_snap("Aggregate", settings, given).output
    assert output == [
        {"g": "b", "by": {"h": None}, "sum": 4},
        {"g": "a", "by": {"h": 1}, "sum": 7},
        {"g": "a", "by": {"h": True}, "sum": 4},
    ]
    assert list(output[0]) == ["g", "by", "sum"]


def test_documents_cannot_be_grouped_by_lists(run_snap: Any) -> None:
    settings = {"group_by_fields": BY_G, "aggregate_fields": fields("count")}
    given = [{"g": [1], "v": 1}, {"g": 1, "v": 1}]
    result = run_snap("Aggregate", settings, given, on_error="route")
    assert result.output == [{"g": 1, "count": 1}]
    assert result.errors[0]["reason"] == "a group-by field must be a single value, but is [1]"


@pytest.mark.parametrize("by", [[], BY_G])
def test_no_documents_give_no_output(run_snap: Any, by: list[Any]) -> None:
    settings = {"group_by_fields": by, "aggregate_fields": fields("count")}
    assert run_snap("Aggregate", settings, []).output == []


@pytest.mark.parametrize("memory", [1, "50 kB", "200 kB"])
def test_more_groups_than_fit_in_memory_give_the_same_in_the_same_order(
    run_snap: Any, memory: Any
) -> None:
    settings = {"group_by_fields": BY_G, "aggregate_fields": fields(*FUNCTIONS)}
    given = [{"g": number * 7919 % 1000, "v": number % 13} for number in range(3000)]
    spilled = run_snap("Aggregate", {**settings, "memory": memory}, given, exact=True)
    assert spilled.output == run_snap("Aggregate", settings, given, exact=True).output


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_sorted_documents_are_grouped_as_they_come(run_snap: Any, order: str) -> None:
    settings = {"group_by_fields": BY_G, "aggregate_fields": fields(*FUNCTIONS)}
    given = [{"g": number // 50, "v": number % 7} for number in range(1000)]
    given = given if order == "ascending" else given[::-1]
    expected = run_snap("Aggregate", settings, given).output
    assert run_snap("Aggregate", {**settings, "sorted_streams": order}, given).output == expected


def test_documents_that_are_not_sorted_as_said_are_an_error(run_snap: Any) -> None:
    settings = {
        "group_by_fields": BY_G,
        "aggregate_fields": fields("count"),
        "sorted_streams": "ascending",
    }
    given = [{"g": 1, "v": 1}, {"g": 3, "v": 1}, {"g": 2, "v": 1}]
    with pytest.raises(SnapFailedError, match="not in ascending order: document 3 has the key 2"):
        run_snap("Aggregate", settings, given)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"aggregate_fields": []}, "there is nothing to compute"),
        ({"aggregate_fields": fields("sum"), "avg_digits": 0}, "from 1 to 34, got 0"),
        ({"aggregate_fields": fields("median")}, "expected one of count, sum"),
    ],
)
def test_mistakes_are_found_when_checking(
    run_snap: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidPipelineError, match=message):
        run_snap("Aggregate", settings, [])
