"""One pass over an expression finds all its mistakes, each with its place and a hint."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from engine.errors import ExpressionSyntaxError
from engine.expressions import analyse, compile_expression
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover


def marked(text: str) -> list[str]:
    """The places of the mistakes, in the order of the text."""
    errors = analyse(text).errors
    return [text[error.offset : error.offset + error.length] for error in errors]


def hints(text: str) -> str:
    return "\n".join(error.hint for error in analyse(text).errors)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("len($b) + foo + $x.nope()", ["len", "foo", "nope"]),
        ("$a === 1 && $b !== 2 or $c", ["===", "!==", "or"]),
        ("f(1 2, len($x), $y.nope())", ["f", "2", "len", "nope"]),
        ("[1 2, foo, 3 4]", ["2", "foo", "4"]),
        ("[1,,2,]", [",", "]"]),
        ("{a: 1, b 2, c: foo}", ["2", "foo"]),
        ("$a + * $b - len($c)", ["*", "len"]),
        ("($a + ) * foo", [")", "foo"]),
        ("$a) + len($b)", [")", "len"]),
        ("$a ? : foo", [":", "foo"]),
        ("Math.foo(bar) + Math.pow(1) + sl.x()", ["Math.foo", "bar", "Math.pow(1)", "sl.x"]),
        ("match $a { 1 => foo, _ => len($b) }", ["foo", "len"]),
        ("match foo { 1 => 2 3, _ => bar }", ["foo", "3", "bar"]),
        ("'5px' + 5px + $1st", ["5px", "$1st"]),
        ("$x.replace(/(/, 'y') + $z.replace(/a/gq, '')", ["/(/", "gq"]),
        ("x => foo + (y => bar)", ["foo", "bar"]),
        ("$list.map(x => x.nope() + foo).filter(y => bar)", ["foo", "bar"]),
        ("$a[foo].split(bar", ["foo", "bar", "r"]),
        ("jsonPath($, '$.a[?(value.nope())]') + foo", ["nope", "foo"]),
        ("jsonPath($, '$.a[?(bar == baz)]')", ["bar", "baz"]),
        ("Date.parse($x, 'yyyy-bb') + foo", ["'yyyy-bb'", "foo"]),
        ("Math.pow(1, nope.x, 2) - isNaN()", ["Math.pow(1, nope.x, 2)", "nope", "isNaN()"]),
    ],
)
def test_all_mistakes_of_an_expression_are_found(text: str, places: list[str]) -> None:
    found = marked(text)
    assert [place or text[-1] for place in found] == places


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3 4",
        "'abc + foo(",
        "((($a",
        "f(1, (2",
        "if ($a) { b } else { c }",
        "var x = 1; x + y",
        "Hello, World!",
        "'it's' + foo",
        "$name.toUpperCase( == 'ANNA'",
        "case when $a then 1 else 2 end",
        "$a # and so on",
        "match($a, 'x')",
    ],
)
def test_consequences_of_a_mistake_are_not_reported(text: str) -> None:
    found = [error for error in analyse(text).errors if "`f`" not in error.message]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("len($b)", "write $b.length"),
        ("len($b + $c)", "write ($b + $c).length"),
        ("LEN($b)", "write $b.length"),
        ("$user-name", "`$['user-name']`"),
        ("$a.user-name", "`$a['user-name']`"),
        ("$x-y-z.b", "`$['x-y-z']`"),
        ("$a - name", "`$name` for the field"),
        ("$b == x", "`$x` for the field, or `'x'` for the string"),
        ("$Create TimeStamp", "`$['Create TimeStamp']`"),
        ("$a.Create Time Stamp == 1", "`$a['Create Time Stamp']`"),
        ("$IsAllGood?", "`$['IsAllGood?']`"),
        ("$ns:tag", "`$['ns:tag']`"),
        ("$1st", "`$['1st']`"),
        ("${a} + 1", "write `$a`"),
        ("$a.0", "[0]"),
        ("$a[0:2]", "slice(start, end)"),
        ("$a[*].b", "jsonPath($, '$list[*].name')"),
        ("$a..b", "jsonPath($, '$..name')"),
        ("None", "write null"),
        ("$a == True", "write true"),
        ("$a is not null", "write !="),
        ("$a is null", "write =="),
        ("$a not in [1]", "indexOf(x) < 0"),
        ("$a in (1, 2)", "indexOf(x) >= 0"),
        ("$a like '%x%'", "contains('part')"),
        ("$a between 1 and 5", "x >= low && x <= high"),
        ("$a contains 'x'", "contains('part')"),
        ("f'{$a}'", "join strings with +"),
        ("'it's'", r"\'"),
        ("'a' $b", "join strings with +"),
        ("“a”", "straight quotes"),
        ("‘a’ == $b", "straight quotes"),
        ("$a ≥ 5", "write >="),
        ("$a – 1", "write -"),
        ("'a' if $b else 'c'", "test ? a : b"),
        ("[x for x in $list]", "list.map(x => ...)"),
        ("lambda x: x", "x => ..."),
        ("$list.map(x -> x.y)", "write =>"),
        ("$a ? $b", "test ? a : b"),
        ("upper($a)", "write $a.toUpperCase()"),
        ("left($b, 3)", "write $b.slice(0, 3)"),
        ("coalesce($a, 'x')", "write $a || 'x'"),
        ("ISNULL($a)", "$a == null"),
        ("now()", "Date.now()"),
        ("int($a)", "parseInt($a)"),
        ("str($a)", "'' + $a"),
        ("json.loads($a)", "JSON.parse"),
        ("JSON.dumps($a)", "JSON.stringify($a)"),
        ("trimLeft($a)", "$a.trimLeft(...)"),
        ("parsefloat($a)", "did you mean `parseFloat`?"),
        ("$a.upper()", "toUpperCase()"),
        ("$a.append(1)", "concat(x)"),
        ("hello world", "'hello world'"),
        ("5px", "'5px'"),
        ("1_000", "write 1000"),
        ("[1 2]", "comma"),
    ],
)
def test_syntax_of_other_languages_gets_the_right_hint(text: str, hint: str) -> None:
    assert hint in hints(text)


@pytest.mark.parametrize(
    "text",
    [
        "$a-1",
        "$a - $b",
        "$a?.5:1",
        "$is == $and",
        "$.like",
        "{not: 1}.not",
        "x => x",
        "_like + lib.or",
    ],
)
def test_what_only_looks_like_another_language_is_accepted(text: str) -> None:
    assert analyse(text).errors == ()


def test_compiling_reports_all_mistakes_in_one_error() -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression("len($b) +\n  foo")
    assert str(caught.value) == (
        "there is no function `len`\n"
        "  len($b) +\n"
        "  ^^^\n"
        "  hint: write $b.length\n"
        "`foo` is not known\n"
        "    foo\n"
        "    ^^^\n"
        "  hint: write `$foo` for the field, or `'foo'` for the string"
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def problems(settings: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Code, marked text and hint of each problem that checking a pipeline finds."""
    spec = parse(json.dumps({"snaps": {"snap": settings}}))
    found = check_spec(spec, discover())
    return [(problem.code, _pointed_at(problem.where.excerpt()), problem.hint) for problem in found]


def _pointed_at(excerpt: str) -> str:
    line, carets = excerpt.splitlines()
    return line[carets.index("^") : carets.rindex("^") + 1]


def test_checking_a_pipeline_reports_them_all() -> None:
    found = problems({"snap": "Filter", "filter": "len($b) > foo && _nope == lib.no.x"})
    assert [(code, text) for code, text, _ in found] == [
        ("expression-syntax", "len"),
        ("expression-syntax", "foo"),
        ("unknown-parameter", "_nope"),
        ("unknown-library", "lib.no"),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"snap": "Filter", "filter": "jsonPath($, '$.a[?(value.b == _nope)]').length > 0"},
        {"snap": "Mapper", "mappings": [{"expression": "$a[?(value.b == _nope)]"}]},
        {"snap": "Mapper", "mappings": [{"expression": "jsonPath($, '$a[?(value.b == _nope)]')"}]},
        {"snap": "Mapper", "mappings": {"$a[(_nope)]": "1"}},
        {"snap": "Mapper", "mappings": {"$a": "1"}, "mapping_root": "$a[?(value.b == _nope)]"},
    ],
)
def test_a_parameter_in_a_path_must_be_declared(settings: dict[str, Any]) -> None:
    (problem,) = problems(settings)
    assert problem[:2] == ("unknown-parameter", "_nope")


@pytest.mark.parametrize(
    "piece", ["(", "[1 2,", "$a === ", "f(", "$a ? ", "{a: ", "x => (", "1 2 "]
)
def test_only_the_first_of_very_many_mistakes_are_reported(piece: str) -> None:
    assert 1 <= len(analyse(piece * 20_000).errors) <= 20
