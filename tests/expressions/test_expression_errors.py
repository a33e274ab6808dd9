"""The messages: what was expected, where, and what to write instead."""

from __future__ import annotations

import pickle

import pytest

from engine.errors import EvaluationError, ExpressionError, ExpressionSyntaxError
from engine.expressions import analyse, compile_expression, evaluate

DOCUMENT = {"customer": {"name": "Ann", "tags": ["a"]}, "amount": 5, "nothing": None}


def error_of(text: str, **settings: object) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, DOCUMENT, **settings)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        (
            "$custmer",
            "`$custmer` is not in the document; did you mean `$customer`?",
            "$custmer",
        ),
        (
            "1 + $customer.nmae",
            "`$customer.nmae` is not in the document; did you mean `$customer.name`?",
            "$customer.nmae",
        ),
        ("$nothing.x + 1", "`$nothing.x` cannot be read: null has no `x`", "$nothing.x"),
        ("$customer.tags[3]", "`$customer.tags[3]` is out of range: it has 1 element", None),
        ("$amount.trim()", "a number has no method `trim`", "$amount.trim()"),
        ("$customer * 2", "expected a number, got an object", "$customer * 2"),
        ("_tokn", "there is no parameter `_tokn`", "_tokn"),
        ("[1].map(x => x.y)", "a number has no property `y`", "x.y"),
        ("[1].map(3)", "expected a function such as `x => x.name`, got a number", None),
        ("Date.parse('yesterday')", "`yesterday` is not an ISO date", "Date.parse('yesterday')"),
        ("sl.range(1, 5, 0)", "the step must not be 0", None),
        ("'%d'.sprintf('x')", "`%d` needs a whole number, got x", None),
        ("[].reduce((a, b) => a)", "an empty array cannot be reduced", None),
        ("JSON.parse('{')", "the string is not valid JSON", None),
        (
            "JSON.parse('9'.repeat(5000))",
            "the string is not valid JSON: it holds an integer of more than 4,300 digits",
            None,
        ),
        ("lib.absent.x", "there is no library `absent`", "lib.absent"),
    ],
)
def test_a_failing_evaluation_says_what_is_wrong_and_where(
    text: str, message: str, marked: str | None
) -> None:
    error = error_of(text)
    assert isinstance(error, EvaluationError)
    assert error.message.startswith(message)
    assert text[error.offset : error.offset + error.length] == (marked or text)


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("1 +", "expected an expression, but the expression ends here", 3),
        ("1 2", "expected an operator or the end, got `2`", 2),
        ("(1", "expected `)`, but the expression ends here", 2),
        ("[1,,2]", "expected an element, got `,`", 3),
        ("[1,2,]", "expected an element, got `]`", 5),
        ("{a 1}", "expected `:`, got `1`", 3),
        ("'abc", "the string is not closed", 0),
        ("/* a", "the comment is not closed", 0),
        ("", "the expression is empty", 0),
        ("1 ? 2", "expected `:` and the other value, but the expression ends here", 5),
        ("$.", "expected a name after `.`, but the expression ends here", 2),
        ("x => {a: 1}", "a function cannot have statements in braces", 5),
        ("match 1 { 2 'a' }", "expected `=>` after the pattern, got `'a'`", 12),
        ("1 instanceof Foo", "expected a type", 13),
        ("'a'.match(/(/)", "/(/ is not a valid regex", 10),
        ("(a, a) => 1", "the parameter `a` is declared twice", 4),
        ("$a ==\n", "expected an expression, but the expression ends here", 5),
        ("'a'.match(/[/)", "the character class of the regex is not closed", 11),
        ("'a'.match(/[a]b)", "the regex is not closed", 10),
        ("5px", "`5px` is not a number", 0),
    ],
)
def test_a_syntax_error_has_its_place(text: str, message: str, offset: int) -> None:
    error = error_of(text)
    assert isinstance(error, ExpressionSyntaxError)
    assert error.message.startswith(message)
    assert error.offset == offset


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("$amount === 5", "write =="),
        ("$amount !== 5", "write !="),
        ("$customer.name.includes('A')", "use contains(text)"),
        ("new Date()", "use Date.now() or Date.parse(text)"),
        ("`a${1}`", "join strings with +"),
        ("$customer?.name", "use null-safe access"),
        ("$amount ?? 1", "`x || default`"),
        ("Date.now().toISOString()", "use toString()"),
        ("'5'.padStart(3)", "('000' + x).slice(-3)"),
        ("$amount = 1", "expressions cannot assign"),
        ("$amount += 1", "expressions cannot assign"),
        ("$amount++", "write + 1"),
        ("var x = 1", "there are no variables"),
        ("if (true) 1", "test ? a : b"),
        ("for (;;) 1", "map, filter or reduce"),
        ("function () {}", "write an arrow function"),
        ("$amount & 1", "write && for `and`"),
        ("$amount | 1", "write || for `or`"),
        ("2 ** 3", "Math.pow"),
        ("1;", "remove the semicolon"),
        ("Array.isArray($amount)", "$amount instanceof Array"),
        ("Object.assign({}, $)", "{}.extend(a, b)"),
        ("$customer.tags.some(x => x)", "filter(test).length > 0"),
        ("String(5)", "use '' + 5"),
        ("Math.roundd(1)", "did you mean `round`?"),
        ("parseint('1')", "did you mean `parseInt`?"),
        ("$customer.name.toUppercase()", "did you mean `toUpperCase`?"),
        ("amount", "write `$amount` for the field, or `'amount'` for the string"),
        ("'a'.substr()", ""),
        ("“a”", "use straight quotes"),
        ("$amount == 5 and true", "write &&"),
        ("($amount == 5 OR true)", "write ||"),
        ("not $nothing", "write !"),
        ("NOT $nothing", "write !"),
        ("not($nothing)", "write !"),
        ("$amount <> 5", "write !="),
    ],
)
def test_a_habit_from_javascript_gets_a_hint(text: str, hint: str) -> None:
    assert hint in error_of(text).hint


def test_a_name_that_is_a_parameter_is_proposed_as_such() -> None:
    assert "`_least`" in error_of("$amount > least", parameters={"least": "1"}).hint
    assert "`_least`" in analyse("$amount > lest", ["least"]).errors[0].hint


def test_the_hint_for_a_missing_library_function_names_a_similar_one() -> None:
    error = error_of("lib.util.totl($)", libraries={"util": "{total: x => x, rate: 1}"})
    assert error.hint == "did you mean `total`?"


@pytest.mark.parametrize(
    "text",
    [
        "Math.foo(1)",
        "sl.foo(1)",
        "foo(1)",
        "$x.includes('a')",
        "$x.nosuch()",
        "$x.map(y => y.includes(1))",
        "'a'.substr()",
        "parseInt()",
        "Math.pow(1)",
        "jsonPath($, '$[')",
        "jsonPath($, '$.a.foo(value)')",
        "Date.parse($x, 'yyyy-bb')",
        "$x.match(/(/)",
        "1 +",
    ],
)
def test_checking_finds_what_fails_on_every_document(text: str) -> None:
    assert len(analyse(text).errors) == 1


@pytest.mark.parametrize(
    "text",
    [
        "$x.map(y => y.z).length",
        "lib.present.anything(1)",
        "lib.present.includes(1)",
        "{f: x => x}.f(1)",
        "_any.length",
        "jsonPath($, $path)",
        "$x.getTime() > 1",
    ],
)
def test_checking_accepts_what_works_on_some_documents(text: str) -> None:
    assert analyse(text).errors == ()


def test_the_message_shows_the_text_with_a_caret() -> None:
    assert str(error_of("1 + $custmer")) == (
        "`$custmer` is not in the document; did you mean `$customer`?\n"
        "  1 + $custmer\n"
        "      ^^^^^^^^"
    )


@pytest.mark.parametrize(
    ("text", "reader"), [("$vat > 5", "$.get('vat')"), ("$customer.tax.id", "$customer.get('tax')")]
)
def test_a_missing_field_unlike_any_other_has_a_hint_how_to_allow_for_it(
    text: str, reader: str
) -> None:
    assert error_of(text).hint == f"if it may be missing, write {reader}, which then returns null"
    assert evaluate(reader, DOCUMENT) is None


def test_an_error_within_a_library_shows_the_text_of_the_library() -> None:
    error = error_of("lib.l.f($)", libraries={"l": "{f: x => x.absent.y}"})
    assert error.text == "{f: x => x.absent.y}"
    assert error.text[error.offset :].startswith("x.absent")


def test_an_error_is_the_same_when_it_is_raised_twice() -> None:
    function = compile_expression("$custmer")
    messages = []
    for _ in range(3):
        with pytest.raises(EvaluationError) as caught:
            function(DOCUMENT)
        messages.append(str(caught.value))
    assert len(set(messages)) == 1


def test_an_error_survives_pickling() -> None:
    error = error_of("$custmer")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.offset, again.hint) == (str(error), error.offset, error.hint)


def test_the_place_is_right_in_a_text_of_several_lines() -> None:
    error = error_of("$amount\n  + $absent")
    assert error.excerpt() == "    + $absent\n      ^^^^^^^"
