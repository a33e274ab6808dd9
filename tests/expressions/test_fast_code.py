"""The fast code of an expression returns what the careful code returns, whatever the operands."""

from __future__ import annotations

import copy
import functools
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ExpressionError
from engine.expressions import DateTime, LocalDate, compile_expression, compile_mapping
from engine.expressions.compiler.rules import FUNCTION_RULES, IN_UTC, METHOD_RULES
from engine.expressions.decimals import exact_decimals
from engine.expressions.limits import MAX_ELEMENTS
from tests.fuzz.expressions import alike

NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 3, 7, -7, 10, 255, 2**53, 2**60 - 1, 2**60, -(2**60), 10**30, 10**4299),
    *map(Decimal, ["0", "0.0", "-0.0", "0.00", "1.50", "-2.5", "7.0", "1E+3", "1E-7", "-0.001"]),
    *map(Decimal, ["1E+9000", "1E-9000", "12345678901234567890123456789.123456789", "1e21"]),
    *(0.0, 1.5, -2.5, 0.1, 1e21, 1e-7, float("nan"), float("inf"), float("-inf")),
]
TEXTS = [
    *("", " ", "a", "b", "ab", "aXbX", "a,b,,c", "hello", "Hello World", "éa", "ß", "a😀b", "😀"),
    *("\ud83d", "\ude00x", "\x1c x \x1f", "\u00a0x\u2003", "a.b.c", "$&", "%s", "name", "keys"),
    *("0", "7", "007", "12", "1.5", "1.50", "-2.5e3", "1e400", "0x10", "1_000", "NaN", "Infinity"),
    *("٣", " 12 ", "2020-01-15", "2020-W03-3", "2020-01-15T10:30:45.678Z", "2020-01-15T10:30:45Z"),
    *("2020-W03-3T10:30:45.678Z", "2020-01-15T103045.67890Z", "2020-13-01", "2020-01-15T24:00:00Z"),
    "2020-01-15 10:30:45.678Z",
]
ODD = [
    *(None, True, False, b"", b"ab"),
    DateTime(2020, 1, 31, 10, 30, 45, 678000, tzinfo=UTC),
    DateTime(9999, 12, 31, 23, 0, 0, tzinfo=UTC),
    DateTime(2020, 1, 31, 10, 30, 45, 678000, tzinfo=timezone(timedelta(hours=2))),
    DateTime(2021, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=0),
    DateTime(2021, 10, 31, 2, 10, tzinfo=ZoneInfo("Europe/Paris"), fold=1),
    LocalDate(2020, 1, 31),
]
SCALARS = NUMBERS + TEXTS + ODD
LISTS: list[Any] = [
    [],
    [3, 1, 2],
    [1, Decimal("1.0"), 1.5, "1", True],
    ["b", "a", "c"],
    ["b", None, "a"],
    ["a😀", "é", "\ud83d"],
    [[1], [2, 3]],
    [{"n": 2, "name": "x"}, {"n": Decimal("1.5"), "name": "y"}, {"n": 2, "name": "z"}],
    [{"n": 1}, {}, 5, None],
    [Decimal("1.10"), Decimal("2.205")],
    [0.1, 0.2],
    [2**60, 2**60],
]
OBJECTS: list[Any] = [
    {},
    {"a": 1, "b": {"c": [1, 2]}},
    {"name": "x", "n": 3, "keys": 1, "extend": None, "get": 2, "isEmpty": 5},
    {"0": "zero", "length": 7},
]
VALUES = SCALARS + LISTS + OBJECTS
values = st.sampled_from(VALUES)
CONSTANTS = ["0", "1", "-1", "2", "1.50", "''", "'a'", "','", "'é'", "'b'", "'7'", "null", "true"]


def outcome(expression: Any, document: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "value", expression(copy.deepcopy(document))
    except ExpressionError as error:
        return "error", error.message


@functools.cache
def compiled(text: str, null_safe: bool) -> Any:
    return compile_expression(text, null_safe=null_safe)


def check(text: str, document: dict[str, Any], null_safe: bool = False) -> None:
    """Compares with the careful code, which an `eval` in the expression forces."""
    fast = compiled(text, null_safe)
    careful = compiled(f"[({text}), eval(0)][0]", null_safe)
    assert not fast.mutates
    assert careful.mutates
    expected = outcome(careful, document)
    if ".sort(" in text and expected[0] == "error" and "difference" in expected[1]:
        return  # the fast code compares the numbers without computing their difference
    for found in (outcome(fast, document), outcome_in_exact_context(fast, document)):
        assert found[0] == expected[0], (text, document, found, expected)
        if found[0] == "value":
            assert alike(found[1], expected[1]), (text, document, found, expected)


def outcome_in_exact_context(expression: Any, document: dict[str, Any]) -> tuple[str, Any]:
    with exact_decimals():
        return outcome(expression, document)


def ruled_calls() -> list[str]:
    """A call for each rule, with operands from the document."""
    names = ("$b", "$c")
    methods = [f"$a.{name}({', '.join(names[:count])})" for name, count in METHOD_RULES]
    functions = [
        f"{name}({', '.join(('$a', *names)[:count])})"
        for name, count in {**FUNCTION_RULES, **IN_UTC}
    ]
    return methods + functions


@pytest.mark.parametrize("text", ruled_calls())
@given(a=values, b=values, c=values)
@settings(max_examples=60)
def test_a_call_returns_the_same_for_any_operands(text: str, a: Any, b: Any, c: Any) -> None:
    check(text, {"a": a, "b": b, "c": c})


@pytest.mark.parametrize(("name", "count"), sorted(METHOD_RULES))
@given(a=values, b=st.sampled_from(CONSTANTS), c=st.sampled_from(CONSTANTS), safe=st.booleans())
@settings(max_examples=40)
def test_a_call_with_constants_returns_the_same(
    name: str, count: int, a: Any, b: str, c: str, safe: bool
) -> None:
    check(f"$a.{name}({', '.join((b, c)[:count])})", {"a": a}, safe)
    check(f"[$a].map(x => x.{name}({', '.join((b, c)[:count])}))", {"a": a}, safe)


@given(
    a=values,
    b=values,
    sign=st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="]),
    form=st.sampled_from(["$a {} $b", "$a {} 2", "3 {} $a", "$a {} 1.50", "0.10 {} $a"]),
)
@settings(max_examples=600)
def test_an_operator_returns_the_same_for_any_operands(
    a: Any, b: Any, sign: str, form: str
) -> None:
    check(form.format(sign), {"a": a, "b": b})


@pytest.mark.parametrize(
    "text",
    [
        "$a || $b",
        "$a && $b",
        "!$a",
        "$a ? 1 : 2",
        "-$a",
        "$a[$b]",
        "[...$a]",
        "[0].map(x => [...$a, x])",
        "'' + $a + $b",
        "$a + '' + $b",
        "$a.mapValues(x => x)",
        "$a.mapValues((x, k) => k + x)",
        "[0].map(x => $a.mapValues(v => [v, x]))",
        "$a.search(/b/)",
        "Math.pow($a, 3)",
        "$a.repeat(2)",
        "$a.toFixed(2)",
        "$a.concat(['x', $b])",
        "Date.parse('2020-01-15') < $a",
        "sl.range($a)",
        "[1, 2].map((x, i) => i + $a)",
        "[$a, $b, $a].map(x => x || 0).indexOf($b)",
        "[$a, $b].join()",
        "[$a, $b, 'x'].join(', ')",
        "[$a, $b].sum()",
        "[3, $a, $b].slice(0).sort()",
        "[3, $a, $b].slice(0).sort((x, y) => x - y)",
        "$a.hasPath('b.c')",
        "$a.length",
        "$a.trim().length",
        "$a.get('name', $b)",
        "$a.hasOwnProperty('name')",
        "'' + $a",
        "$a + ' '",
        "'x' + $a + 'y' + $b",
        "{...$a, k: $b}",
        "[...$a, $b]",
        "match $a { 'a' => 1, 1..=5 => 2, 1.50 => 3, [x, ...y] => x, {n: 2} => 4, _ => $b }",
        "$a.map(x => x + 1)",
        "$a.map((x, i) => [i, x])",
        "$a.filter((x, i) => i > 0).map(x => x)",
        "$a.filter(x => x > 1).filter(x => x != 2).map(x => x * 1.5)",
        "$a.filter(x => x.n > 1).map(x => x.name)",
        "$a.find(x => x == 2)",
        "$a.find(x => x.n == 2)",
        "$a.reduce((sum, x) => sum + x)",
        "$a.reduce((sum, x) => sum + x, $b)",
        "$a.reduce((sum, x) => sum + x.n, 0)",
        "$a.reduce((all, x) => [...all, x], [])",
        "$a.sum(x => x.n)",
        "$a.map(x => x.n).sum()",
        "$a.filter(x => x).sum()",
        "$a.slice(0).sort()",
        "$a.slice(0).sort((x, y) => x - y)",
        "$a.slice(0).sort((x, y) => y.n - x.n)",
        "$a.map(x => x).sort((x, y) => y - x)",
        "'%s: %05d'.sprintf($a, $b)",
        "'%d'.sprintf($a)",
        "'%3d-%s'.sprintf($a, $b)",
        "$a.replace(/[a-c]+/g, 'x')",
        "$a.replace(/\\d/g, $b)",
        "$a.match(/(\\w)(,)?/)",
        "$a.filter((v, k) => k != 'n')",
        "[$a, $b].filter(x => x.filter((v, k) => v != 1))",
        "$a.mapKeys((v, k) => k + v)",
        "$a.mapKeys(x => x)",
        "$a.findIndex(x => x == 2)",
        "$a.findIndex(x => x.n == 2)",
        "$a.hasOwnProperty('b.c')",
        "[$a].map(x => x.hasPath('b.c'))",
        "$a.getFirst('b', $b)",
        "$a.getFirst('name')",
        "match $a { 2 => 'two', -1..<3 => 'low', {b: {c: x}} => x, {n: 2} => 4, _ => $b }",
        "Date.parse($a, 'yyyy-MM-dd')",
        "Date.parse($a, 'yyyy-MM-dd HH:mm:ss.SSSX')",
        "Date.parse('2020-01-15', 'yyyy-MM-dd') < $a",
        "'%.2f'.sprintf($a)",
        "'%s|%.0f|%d'.sprintf($a, $b, 3)",
        "['a', 'b'].indexOf($a)",
        "[$a].map(x => x + ': ' + $b)",
        "[$a, $b].map(x => '-' + x + '-')",
        "[$a, $b].toString()",
        "Math.max(...$a)",
        "Math.min(...$a)",
        "$a.localeCompare($b)",
        "$a.split(/,/)",
        "$a.split(/[a-c]+/)",
        "$a.plusMonths(1)",
        "jsonPath($, '$.a[0:2].n')",
        "jsonPath($, '$.a[-1:]')",
        "jsonPath($, '$.a[*][::-1]')",
        "jsonPath($, '$.a.b.c')",
        "jsonPath($, '$.a[0]')",
        "jsonPath($, '$.a[-1].n')",
        "jsonPath($, '$.a[*]')",
        "jsonPath($, '$.a[*].n')",
        "jsonPath($, '$.a[*][*]')",
        "jsonPath($, '$.a[?(value.n > 1)].name')",
        "jsonPath($, '$.a[?(value > $.b)]')",
        "jsonPath($.a, '$[?(@.n)]')",
        "jsonPath($a, '$.b')",
    ],
)
@given(a=values, b=values, safe=st.booleans())
@settings(max_examples=60)
def test_an_expression_returns_the_same_for_any_values(
    text: str, a: Any, b: Any, safe: bool
) -> None:
    check(text, {"a": a, "b": b}, safe)


PIECES = [
    " ", "a", "b", "-", "@", r"\d", r"\w", r"\s", r"\S", r"\.", ".", "[a-c]", "[^0-9]", "[a.@_-]",
    "a+", "b*", r"\d+", r"\w?", "[a-z]{2,}", "[^-]+", ".*", r"\d{1,3}", "(", ")", "(a)", r"(\w+)",
]  # fmt: skip
patterns = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "^"]),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
    st.sampled_from(["", "$"]),
)


@given(patterns, st.text("ab1 -@._\n\r\x1cZ", max_size=12), st.sampled_from(["", "g"]))
@settings(max_examples=500)
def test_a_plain_regex_finds_what_the_package_finds(source: str, text: str, flags: str) -> None:
    """An empty group in front says nothing, but no plain regex has one."""
    document = {"text": text}
    for call in ("match({})", "search({})", "replace({}, '<>')", "replaceAll({}, '')"):
        found = [
            outcome_or_mistake(f"$text.{call.format(f'/{prefix}{source}/{flags}')}", document)
            for prefix in ("", "(?:)")
        ]
        assert found[0] == found[1], (call, source, text)


def outcome_or_mistake(text: str, document: dict[str, Any]) -> Any:
    try:
        return outcome(compile_expression(text), document)
    except ExpressionError:
        return "mistake"


def test_deeply_nested_loops_are_compiled_in_reasonable_size() -> None:
    text = "$" + "".join(f".map(x{n} => [x{n}]" for n in range(25)) + ")" * 25
    assert compile_expression(text)([1]) is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$a.split(',').length", "," * (MAX_ELEMENTS + 1)),
        ("$a.concat($a)", [0] * (MAX_ELEMENTS // 2 + 1)),
    ],
    ids=["split", "concat"],
)
def test_the_limit_of_elements_holds_in_the_fast_code(text: str, value: Any) -> None:
    with pytest.raises(ExpressionError, match="too long"):
        compile_expression(text)({"a": value})


def test_a_mapping_never_rounds_in_the_context_of_the_caller() -> None:
    mapping = compile_mapping([("$x", "$a * $b")])
    document = {"a": Decimal("1." + "1" * 40), "b": Decimal("1." + "3" * 40)}
    with exact_decimals():
        expected = document["a"] * document["b"]
    assert mapping(document) == {"x": expected}
