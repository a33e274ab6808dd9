"""Kinds of values: what functions declare, what follows from an expression, and which methods are
certain to be missing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.expressions import Scope, analyse, evaluate, parse
from engine.expressions.checks import Checker
from engine.expressions.compilation import context_of
from engine.expressions.compiler.names import Names
from engine.expressions.functions import FAMILIES, METHODS, Declaration, Example
from engine.expressions.kinds import RECEIVERS, Inferred, in_words
from engine.expressions.values import kind_of
from engine.pipeline import parse as parse_pipeline
from engine.plan import check_spec
from engine.registry import discover

DECLARED = [
    declared
    for family in FAMILIES
    for declared in (*family.functions.values(), *family.methods.values())
]
EXAMPLES = [example for declared in DECLARED for example in declared.examples]


def inferred(text: str) -> Inferred:
    checker = Checker(text, Names(context_of(Scope(), False), {}))
    return checker.check(parse(text))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("Date.now().trimm()", "a date has no method `trimm`", "dates have methods such as"),
        ("Date.now().plusDay(1)", "a date has no method `plusDay`", "did you mean `plusDays`?"),
        ("Date.now().trim()", "a date has no method `trim`", "it is a method of strings"),
        (
            "('a' + $b).join(';')",
            "a string has no method `join`",
            "it is a method of arrays; for one value or many, use [].concat(value).join(…)",
        ),
        ("'a'.plusDays(1)", "a string has no method `plusDays`", "it is a method of dates"),
        ("('a' + $b).getTime()", "a string has no method `getTime`", "it is a method of dates"),
        ("[1].toUpperCase()", "an array has no method `toUpperCase`", "it is a method of strings"),
        ("Math.abs($x).trim()", "a number has no method `trim`", "it is a method of strings"),
        ("Math.PI.trim()", "a number has no method `trim`", "it is a method of strings"),
        ("($a == 1).toFixed(2)", "a boolean has no method `toFixed`", "it is a method of numbers"),
        (
            "LocalDate.now().getHours()",
            "a date has no method `getHours`",
            "it is a method of DateTime and LocalDateTime and LocalTime",
        ),
        ("'a,b'.split(',').trim()", "an array has no method `trim`", "it is a method of strings"),
        ("'a'.toString(1)", "`toString` takes no arguments, got 1", "the signature is toString()"),
    ],
)
def test_a_method_that_a_value_of_this_kind_cannot_have_is_a_mistake(
    text: str, message: str, hint: str
) -> None:
    (error,) = analyse(text).errors
    assert error.message == message
    assert hint in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "$name.trim() * 2",
        "$name.trim().plusDays(1)",  # null-safe access may make it null
        "{f: x => x}.f(1)",
        "($a || 'x').plusDays(1)",
        "($a ? 'x' : Date.now()).plusDays(1)",
        "JSON.parse($a).trim()",
        "lib.dates.now().trim()",
        "_p.trim()",
        "'a'.match('b').trim()",
        "['a'].find(x => true).trim()",
        "$list.map(x => x.trim())",
        "Date.now().plusDays(1).minusHours(2).toString('yyyy').trim().length",
        "match $a { x => 'a' }.trim()",
    ],
)
def test_a_method_is_fine_where_the_kind_is_not_certain(text: str) -> None:
    assert analyse(text).errors == ()


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared.name)
def test_every_parameter_has_a_kind(declared: Declaration) -> None:
    assert len(declared.kinds) == len(declared.parameters)


@pytest.mark.parametrize("null_safe", [False, True])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.text)
def test_the_inferred_kind_is_that_of_the_value(example: Example, null_safe: bool) -> None:
    kind, is_certain = inferred(example.text).kind, inferred(example.text).is_certain
    value = evaluate(example.text, example.given, null_safe=null_safe)
    if is_certain or (kind != "any" and value is not None):
        assert in_words(kind) == kind_of(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("$name.trim()", "string"),
        ("$d.plusDays(1)", "any"),  # the kind of a date is that of its receiver
        ("Date.now().plusDays(1)", "date"),
        ("LocalTime.parse('10:00').plusHours(1)", "local time"),
        ("$a - $b", "number"),
        ("1 + 2", "number"),
        ("$a + 'x'", "string"),
        ("$a + $b", "any"),
        ("$a > 1 && $b", "any"),
        ("$a > 1 && !$b", "boolean"),
        ("$name.trim().length", "number"),
        ("{a: 1}.keys()", "array"),
        ("x => x", "function"),
    ],
)
def test_a_kind_follows_from_operators_and_functions(text: str, kind: str) -> None:
    assert inferred(text).kind == kind


def test_every_kind_with_methods_has_a_family() -> None:
    classes = {cls for methods in METHODS.values() for cls in methods}
    assert set(RECEIVERS.values()) <= classes


def test_a_lenient_pipeline_only_warns_of_such_a_method() -> None:
    text = "lenient: {}\nsnaps:\n  a: {{snap: JSONGenerator, documents: [{{}}]}}\n"
    text += "  b: {{snap: Filter, filter: 'Date.now().trim()'}}\nlinks: [a -> b]\n"
    strict = check_spec(parse_pipeline(text.format("false")), discover())
    lenient = check_spec(parse_pipeline(text.format("true")), discover())
    assert [problem.severity for problem in strict] == ["error"]
    assert [problem.severity for problem in lenient] == ["warning"]


def test_a_date_from_the_clock_has_its_kind() -> None:
    assert kind_of(evaluate("Date.now()", {})) == in_words(inferred("Date.now()").kind)
    assert kind_of(evaluate("$d", {"d": datetime.now(UTC)})) == "a date"
