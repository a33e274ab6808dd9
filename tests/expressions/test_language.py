"""Rules of the language that do not belong to a single function."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EvaluationError, ExpressionError
from engine.expressions import Scope, compile_expression, evaluate, load_library, overlay

DOCUMENT = {
    "a": {"b": {"c": 1}},
    "name": "Ann",
    "text": "12",
    "items": [{"n": 1}, {"n": 2}],
    "nothing": None,
}

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_json_text_is_an_expression_for_its_value(value: Any) -> None:
    assert evaluate(json.dumps(value)) == value


@given(json_values)
def test_stringify_and_parse_give_the_value_back(value: Any) -> None:
    assert evaluate("JSON.parse(JSON.stringify($))", value) == value


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_integers_are_exact_at_any_size(a: int, b: int) -> None:
    assert evaluate("[$a + $b, $a - $b, $a * $b]", {"a": a, "b": b}) == [a + b, a - b, a * b]


@given(st.decimals(-1000, 1000, places=2), st.decimals(-1000, 1000, places=2))
def test_sums_and_products_of_decimals_and_floats_are_exact(a: Any, b: Any) -> None:
    for values in ({"a": a, "b": b}, {"a": float(a), "b": float(b)}, {"a": float(a), "b": b}):
        assert evaluate("[$a + $b, $a - $b, $a * $b]", values) == [a + b, a - b, a * b]


@given(st.text(max_size=20))
def test_base64_gives_the_text_back(text: str) -> None:
    assert evaluate("Base64.decode(Base64.encode($))", text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$absent", None),
        ("$a.absent.deeper", None),
        ("$nothing.x", None),
        ("$name.x", None),
        ("$absent.trim()", None),
        ("$absent.map(x => x.y).length", None),
        ("$absent[0]", None),
        ("$items[9]", None),
        ("$items[9].n", None),
        ("$absent['x']", None),
        ("$absent == null", True),
        ("$absent || 'default'", "default"),
        ("$absent + 'x'", "nullx"),
        ("[...$absent]", []),
        ("{...$absent}", {}),
        ("$items.map(x => x.absent)", [None, None]),
        ("jsonPath($, '$.absent.x')", None),
        ("$a.b.c", 1),
        ("$items.length", 2),
        ("$name.length", 3),
        ("typeof $absent", "object"),
    ],
)
def test_null_safe_access_reads_what_is_absent_as_null(text: str, expected: Any) -> None:
    assert evaluate(text, DOCUMENT, null_safe=True) == expected


@pytest.mark.parametrize(
    "text", ["$name.nosuch()", "Math.foo($absent)", "$items.trim()", "_absent"]
)
def test_null_safe_access_excuses_nothing_else(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, DOCUMENT, null_safe=True)


def test_a_document_without_fields_is_an_error_each_time() -> None:
    function = compile_expression("$a.b")
    documents: list[Any] = [None, 1, "x", [], {}, {"a": None}, {"a": 1}]
    for document in documents:
        with pytest.raises(EvaluationError):
            function(document)


def test_the_fast_code_gives_way_to_other_types() -> None:
    function = compile_expression("$x == 5 && $x > 4 || $x + '' == '5' || $x == 'five'")
    results = [function({"x": x}) for x in (5, 5.0, "5", "five", None, True, [5], {"x": 5})]
    assert results == [True, True, True, True, False, False, False, False]


def test_a_boolean_is_not_a_number_but_compares_like_one() -> None:
    assert evaluate("[true == 1, [true] == [1], typeof true, true + 1]") == [
        True,
        False,
        "boolean",
        2,
    ]


def test_a_property_of_the_name_of_a_method_is_data() -> None:
    document = {"values": [1], "keys": 2, "length": 3, "filter": {"x": 4}}
    assert evaluate("[$values[0], $keys, $length, $filter.x]", document) == [1, 2, 3, 4]


def test_a_function_stored_in_an_object_takes_precedence_over_a_method() -> None:
    assert evaluate("{keys: x => x * 2}.keys(4)") == 8


def test_callbacks_see_parameters_and_fields_around_them() -> None:
    text = "$items.map(x => $items.map(y => x.n * y.n + _p.length))"
    assert evaluate(text, DOCUMENT, parameters={"p": "ab"}) == [[3, 4], [4, 6]]


def test_functions_made_in_a_loop_remember_their_own_variables() -> None:
    assert evaluate("[1, 2].map(x => () => x).map(f => f())") == [1, 2]
    assert evaluate("[1, 2].map(x => match x { n => () => n }).map(f => f())") == [1, 2]


def test_a_mutating_method_changes_its_receiver_once() -> None:
    document = {"list": [1]}
    assert evaluate("$list.push(2) + $list.push(3)", document) == 5
    assert document == {"list": [1, 2, 3]}


def test_sorting_an_array_of_the_expression_itself_is_not_a_mutation() -> None:
    assert not compile_expression("$items.map(x => x.n).sort().reverse()").mutates
    assert compile_expression("$items.sort()").mutates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("match $text { '12' | '13' => 'a', _ => 'b' }", "a"),
        ("match $items { [{n: 1}, ...rest] => rest.length, _ => 0 }", 1),
        ("match $a { {b: {c}} => c + 1 }", 2),
        ("match $a { {x: _} => 1 }", None),
        ("match 5 { String => 's', Number => 'n' }", "n"),
        ("match 'ab' { /^a/ => 'yes', _ => 'no' }", "yes"),
        ("match '5' { 5 => 'number', '5' => 'text' }", "text"),
        ("match true { 1 => 'one', true => 'true' }", "true"),
        ("match 3 { n if n > 5 => 'big', n if n > 2 => 'middle', _ => 'small' }", "middle"),
        ("match [1, [2, 3]] { [a, [b, c]] => a + b + c }", 6),
        ("match {k: 1, v: 2} { {k, ...rest} => rest }", {"v": 2}),
        ("match 1 { (1 | 2) if $nothing == null => 'a', _ => 'b' }", "a"),
        ("match null { Null => 'n' }", "n"),
    ],
)
def test_match_takes_the_first_arm_that_matches(text: str, expected: Any) -> None:
    assert evaluate(text, DOCUMENT) == expected


def test_libraries_can_call_themselves_and_each_other() -> None:
    libraries = {
        "a": "{ base: 2, double: x => x * this.base, name: __name__ }",
        "b": "{ four: x => lib.a.double(lib.a.double(x)), late: () => lib.c.value }",
        "c": "{ value: 'c', list: [{id: 1}], ids: jsonPath(__root__.list, '$[*].id') }",
    }
    text = "[lib.b.four(3), lib.b.late(), lib.a.name, lib.c.ids]"
    assert evaluate(text, libraries=libraries) == [12, "c", "a", [1]]


def test_a_second_library_of_a_name_overlays_the_first() -> None:
    libraries = [("c", "{ x: 1, y: 1 }"), ("c", "{ x: 2 }")]
    assert evaluate("[lib.c.x, lib.c.y]", libraries=libraries) == [2, 1]
    assert overlay({"x": 1}, 5) == 5


def test_a_library_reads_parameters_and_the_pipeline() -> None:
    scope = Scope(parameters={"env": "dev"}, pipe={"label": "P"})
    assert load_library("{ e: _env + pipe.label }", "l", scope) == {"e": "devP"}


def test_a_library_that_never_ends_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="nested too deeply"):
        evaluate("lib.l.f(1)", libraries={"l": "{f: x => this.f(x + 1)}"})


def test_the_time_zone_of_the_scope_counts() -> None:
    text = "Date.parse('2020-07-15T10:30:00').toString()"
    assert evaluate(text, timezone="Europe/Oslo") == "2020-07-15T10:30:00.000+02:00"
    hours = "Date.parse('2020-07-15T10:30:00Z').getHours()"
    assert [evaluate(hours, timezone=zone) for zone in ("UTC", "Asia/Tokyo")] == [10, 19]


def test_days_are_counted_by_the_calendar_and_hours_by_the_clock() -> None:
    day = "Date.parse('2020-03-28T12:00:00').plusDays(1).getHours()"
    hours = "Date.parse('2020-03-28T12:00:00').plusHours(24).getHours()"
    assert evaluate(f"[{day}, {hours}]", timezone="Europe/Oslo") == [12, 13]


def test_parameters_are_strings_whatever_is_passed() -> None:
    assert evaluate("_n + 2", parameters={"n": 12}) == "122"


def test_the_label_of_the_snap_comes_encoded() -> None:
    assert evaluate("snap.label", context={"snap": {"label": "A (b)"}}) == "A+%28b%29"
