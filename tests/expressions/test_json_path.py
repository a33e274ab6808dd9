"""JSONPath in expressions and settings: forms of RFC 9535, filters, and what fails in them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import EvaluationError, ExpressionError, ExpressionSyntaxError
from engine.expressions import evaluate, parse_path
from tests.run.both_ways import both_ways, lines_through, usual_text

OBJECTS = {"o": [{"id": 1, "del": False}, {"id": 2}]}
STORE: dict[str, Any] = {
    "store": {
        "book": [
            {"category": "reference", "author": "Nigel", "price": 8.95},
            {"category": "fiction", "author": "Herman", "price": 8.99, "isbn": "0-553"},
            {"category": "fiction", "author": "Tolkien", "price": 22.99, "isbn": "0-395"},
        ],
        "bicycle": {"color": "red", "price": 19.95},
    }
}


def query(path: str, document: Any, **options: Any) -> Any:
    return evaluate("jsonPath($.document, $.path)", {"document": document, "path": path}, **options)


# --- forms ---


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$ .a", {"b": [1, 2, 3]}),
        ("$\n.a\t['b']", [1, 2, 3]),
        ("$ ['a'] .b [ 0 ]", 1),
        ("$.a.b[ 0 , 2 ]", [1, 3]),
        ("$.a.b[ 0 : 2 ]", [1, 2]),
        ("$.a.b[\r\n*\r\n]", [1, 2, 3]),
        ("$.a.b[ ?( value > 1 ) ]", [2, 3]),
        ("$.a.b[ ? value > 1 ]", [2, 3]),
        ("$.a.b[?@ > 1]", [2, 3]),
        ("$.a.b[?@ > 1 && @ < 3]", [2]),
        ("$.a.b[?(@ > 1) && (@ < 3)]", [2]),
        ("$.a.b[?@ == $.a.b[0]]", [1]),
        ("$.a.b[ ( value.length - 1 ) ]", 3),
        ("$.a.b[?(value == 3), ?(value == 1)]", [3, 1]),
        ("$.a.b[0, ?(value > 1), -1]", [1, 2, 3, 3]),
        ("$.a.b[1:, 0]", [2, 3, 1]),
        ("$.a.b[*, 0]", [1, 2, 3, 1]),
        ("$.a['b', 'b'][0]", [1, 1]),
        ("$.a.b[12345678901:]", []),
        ("$.a.b[-12345678901:12345678901]", [1, 2, 3]),
        ("$.a.b[::10000000000]", [1]),
        ("$.a.b[?(value.nothing == null && false)]", []),
        ("$..[?(value == 2)]", [2]),
        ("$..[0, ?(value == 2)]", [1, 2]),
        ("$['\\u0061']['b'][0]", 1),
    ],
)
def test_a_path_selects(path: str, found: Any) -> None:
    document = {"a": {"b": [1, 2, 3]}}
    assert query(path, document, null_safe="nothing" in path) == found


@pytest.mark.parametrize("digits", ["1234567890", "99999999999999999999", "-1234567890"])
def test_a_position_may_have_any_number_of_digits(digits: str) -> None:
    with pytest.raises(EvaluationError, match=f"has no element {digits}"):
        query(f"$.a[{digits}]", {"a": [1]})
    assert query(f"$[{digits}]", {digits: "named"}) == "named"


@pytest.mark.parametrize(
    "path",
    [
        "$. a",
        "$.. a",
        "$ a",
        "$.a b",
        "$[",
        "$[]",
        "$[?]",
        "$[?()]",
        "$[0 1]",
        "$['a' 'b']",
        "$[,]",
        "$[01]",
        "$[-0]",
        "$[1:02]",
    ],
)
def test_what_is_not_a_path_is_refused(path: str) -> None:
    with pytest.raises(ExpressionSyntaxError):
        parse_path(path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.store.book[*].author", ["Nigel", "Herman", "Tolkien"]),
        ("$..author", ["Nigel", "Herman", "Tolkien"]),
        ("$.store..price", [8.95, 8.99, 22.99, 19.95]),
        ("$..book[-1:].author", ["Tolkien"]),
        ("$..book[?(@.isbn)].author", ["Herman", "Tolkien"]),
        ("$..book[?(!@.isbn)].author", ["Nigel"]),
        ("$..book[?(@.isbn && @.price < 10)].author", ["Herman"]),
        ("$..[?(value.price > 10)].price", [19.95, 22.99]),
        ("$..[?(value.color == 'red')].price", [19.95]),
    ],
)
def test_the_classic_queries_of_the_book_store(path: str, found: Any) -> None:
    assert query(path, STORE) == found


# --- failures in a filter ---


@pytest.mark.parametrize(
    "condition",
    [
        "value.del != true",
        "value.del == null",
        "value.del < 1",
        "value.del.x == 1",
        "value['del']+1",
    ],
)
def test_a_missing_member_in_a_comparison_fails_by_name(condition: str) -> None:
    with pytest.raises(EvaluationError, match="del"):
        query(f"$.o[?({condition})].id", OBJECTS)
    outside = condition.replace("value", "x")
    with pytest.raises(EvaluationError, match="del"):
        evaluate(f"$o.filter(x => {outside})", OBJECTS)


@pytest.mark.parametrize(
    "condition", ["value.del != true", "value.del == null", "value.del.x == null", "value.id == 2"]
)
def test_null_safe_access_means_the_same_in_and_out_of_a_path(condition: str) -> None:
    outside = condition.replace("value", "x")
    expected = evaluate(f"$o.filter(x => {outside}).map(x => x.id)", OBJECTS, null_safe=True)
    assert query(f"$.o[?({condition})].id", OBJECTS, null_safe=True) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$.o[?(value.nope())]", "there is no method `nope`"),
        ("$.o[?(value.id.includes(1))]", "there is no method `includes`"),
        ("$.o[?(nope(value))]", "there is no function `nope`"),
        ("$.o[?(_nope == value.id)]", "there is no parameter `_nope`"),
        ("$.o[?(value.id.trim() == '')]", "a number has no method `trim`"),
        ("$..[?(value.trim() == '')]", "has no method `trim`"),
        ("$.o[?(value.id * value > 1)]", "expected a number"),
        ("$.o.map(value.del)", "`value.del` is not in the object"),
        ("$.o[(value.nope)]", "`nope`"),
        ("$.o[0, ?(value.nope == 1)]", "`value.nope` is not in the object"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"null_safe": True}])
def test_any_other_failure_in_a_path_is_an_error(
    path: str, message: str, options: dict[str, Any]
) -> None:
    if options and ("value.del" in path or "value.nope)" in path or "value.nope ==" in path):
        query(path, OBJECTS, **options)  # a missing member is null then
        return
    with pytest.raises(ExpressionError) as caught:
        query(path, OBJECTS, **options)
    assert message in caught.value.message


def test_an_error_in_a_filter_shows_the_path_and_the_place() -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate("jsonPath($, '$.o[?(value.del != true)].id')", OBJECTS)
    assert caught.value.excerpt() == "  $.o[?(value.del != true)].id\n        ^^^^^^^^^"


# --- jsonPath(...) as a path ---


@pytest.mark.parametrize(
    "text",
    [
        'jsonPath($, "$.o[*].id")',
        "jsonPath($,'o[*].id')",
        " jsonPath ( $ , '$o[*].id' ) ",
        "$o[*].id",
    ],
)
def test_a_json_path_call_in_place_of_a_path_means_the_path(text: str) -> None:
    assert parse_path(text).get(OBJECTS) == [1, 2]


def test_escapes_in_the_string_of_the_call_are_read() -> None:
    path = parse_path(r"""jsonPath($, "$.o[?(value.name == \"a\\\"b\")].id")""")
    assert path.get({"o": [{"id": 1, "name": 'a"b'}, {"id": 2, "name": "c"}]}) == [1]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ('jsonPath($, "$.o[*")', 18),
        ("jsonPath($, '$.o[?(value.nope())]')", 25),
        (r"jsonPath($, '$.o[\'a\'')", 12),
        ("jsonPath($a, '$.o')", 9),
        ("jsonPath($)", 10),
        ("jsonPath($, '$.o', {})", 17),
        ("jsonPath($, $path)", 12),
    ],
)
def test_a_mistake_in_the_call_has_its_place(text: str, offset: int) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_path(text)
    assert (caught.value.text, caught.value.offset) == (text, offset)


@pytest.mark.parametrize("condition", ["lib.gone", "lib.gone.rate", "!lib.gone.rate", "pipe.gone"])
def test_a_library_that_is_missing_is_not_taken_for_a_missing_member(condition: str) -> None:
    with pytest.raises(ExpressionError, match="gone"):
        evaluate(f"jsonPath($, '$.o[?({condition})]')", {"o": [{"id": 1}]})


# --- a position from a field or a parameter, without parentheses ---


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$x[$i]", 20),
        ("$.x[ $.i ]", 20),
        ("$x[$i + 1]", 30),
        ("$x[$i, 0]", [20, 10]),
        ("$m[$k].b", 5),
        ("$m[_name].b", 5),
        ("$x[$y[0]]", 30),
        ("$m[$k.replace(']', '')].b", 5),
    ],
)
def test_a_field_or_a_parameter_is_a_position(path: str, found: Any) -> None:
    document = {"x": [10, 20, 30], "y": [2], "i": 1, "k": "a", "m": {"a": {"b": 5}}}
    assert evaluate(f'jsonPath($, "{path}")', document, parameters={"name": "a"}) == found


def test_the_fields_of_a_position_are_read_from_every_line() -> None:
    snap = "snap: Mapper, mappings: {$v: 'jsonPath($, \"$l[$a % 2]\")'}"
    plain, fused = both_ways(lines_through(snap), usual_text(50))
    assert plain == fused
    assert plain["files"]["out.jsonl"].startswith(b'{"v":1}\n{"v":2}\n')


def test_a_bare_word_is_not_a_position() -> None:
    with pytest.raises(ExpressionSyntaxError, match=r"got `i`") as caught:
        evaluate('jsonPath($, "$x[i]")', {"x": [1], "i": 0})
    assert caught.value.hint == "write ['i'] for the field of that name"
