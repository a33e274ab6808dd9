"""Expressions that do not fit the documents that reach them are told before anything runs."""

from __future__ import annotations

import pytest

from engine.expressions import lint_text_fields
from engine.hints import Hint, Replacement
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover

MAPPER = "{snap: Mapper, mappings: {$name: $n, $total.net: $price}}"
ADDING = "{snap: Mapper, pass_through: true, mappings: {$name: $n}}"
ORDERS = "{snap: JSONGenerator, documents: [{n: 1}, {price: 2}]}"


def absent(snaps: dict[str, str], links: list[str]) -> list[str]:
    return found("absent-field", snaps, links)


def found(code: str, snaps: dict[str, str], links: list[str]) -> list[str]:
    lines = [
        "parameters: {least: 30, since: 2026-01-01, _key: x}",
        "snaps:",
        *(f"  {label}: {snap}" for label, snap in snaps.items()),
    ]
    lines += ["links:", *(f"  - {link}" for link in links)]
    problems = check_spec(parse("\n".join(lines)), discover())
    return [problem.message for problem in problems if problem.code == code]


def read_after(maker: str, expression: str, *, null_safe: bool = False) -> list[str]:
    """The messages for a Mapper that reads the documents of another snap."""
    reader = f'{{snap: Mapper, null_safe_access: {null_safe}, mappings: {{$x: "{expression}"}}}}'
    return absent({"make": maker, "read": reader}, ["make -> read"])


@pytest.mark.parametrize(
    "expression",
    ["$nam", "1 + $nam.length", "$['nam']", "$list.map(x => x + $nam)", "$.nam", "$nam == null"],
)
def test_a_field_that_a_mapper_does_not_make_is_absent(expression: str) -> None:
    assert "the documents of 'make' have no field 'nam'" in read_after(MAPPER, expression)


@pytest.mark.parametrize(
    "expression",
    [
        "$name",
        "$total.gross",
        "$.get('nam', 1)",
        "$.hasOwnProperty('nam') ? $nam : 1",
        "$.hasPath('nam.x') && $nam.x",
        "'nam' in $ ? $nam : 1",
        "typeof $nam",
        "$[_key]",
        "$",
        "eval('$nam')",
        "'$nam'",
    ],
)
def test_an_expression_may_ask_for_what_may_be_missing(expression: str) -> None:
    assert read_after(MAPPER, expression) == []


def test_null_safe_access_does_not_hide_a_misspelled_field() -> None:
    assert read_after(MAPPER, "$nam", null_safe=True) != []


@pytest.mark.parametrize(
    "maker",
    [
        ADDING,
        "{snap: Mapper, mappings: {$: $a}}",
        "{snap: Mapper, mappings: {\"$['x' + 1]\": $a}}",
        "{snap: JSONGenerator, text: '{\"a\": 1}'}",
        "{snap: JSONGenerator, documents: []}",
        "{snap: Sequence, pass_through: true}",
        "{snap: NoSuchSnap}",
    ],
)
def test_nothing_is_said_if_other_fields_are_possible(maker: str) -> None:
    assert read_after(maker, "$nam") == []


def test_fields_are_those_of_all_documents_and_mappers_above() -> None:
    snaps = {"orders": ORDERS, "add": ADDING, "few": "{snap: Filter, filter: $n > $prize}"}
    assert absent(snaps, ["orders -> add -> few"]) == [
        "the documents of 'orders' and 'add' have no field 'prize'"
    ]


def test_a_union_has_the_fields_of_all_its_inputs() -> None:
    snaps = {
        "a": MAPPER,
        "b": ORDERS,
        "both": "{snap: Union}",
        "read": "{snap: Mapper, mappings: {$x: $price + $total.net + $y}}",
    }
    links = ["a -> both", "b -> both -> read"]
    assert absent(snaps, links) == ["the documents of 'a' and 'b' have no field 'y'"]
    snaps["c"] = "{snap: JSONGenerator, file: templates.json}"
    assert absent(snaps, [*links, "c -> both"]) == []


def test_a_message_names_a_few_snaps_only() -> None:
    snaps = {"orders": ORDERS, **{f"add{number}": ADDING for number in range(6)}}
    snaps["few"] = "{snap: Filter, filter: $prize > 1}"
    assert absent(snaps, [" -> ".join(snaps)]) == [
        "the documents of 'orders', 'add0', 'add1' and 4 more have no field 'prize'"
    ]


def test_documents_of_an_error_view_are_others() -> None:
    snaps = {"make": MAPPER, "log": "{snap: Mapper, mappings: {$why: $reason}}"}
    assert absent(snaps, ["make.error -> log"]) == []


def test_paths_and_conditions_are_read_too() -> None:
    snaps = {
        "make": MAPPER,
        "sort": "{snap: Sort, sort_paths: [$nam]}",
        "split": "{snap: Router, routes: {one: $nam == 1}}",
    }
    assert len(absent(snaps, ["make -> sort -> split"])) == 2


def test_a_link_that_cannot_be_read_might_bring_other_documents() -> None:
    snaps = {"make": MAPPER, "read": "{snap: Mapper, mappings: {$x: $nam}}"}
    assert absent(snaps, ["make -> read"]) != []
    assert absent(snaps, ["make -> read", "other => read"]) == []
    assert absent(snaps, ["make -> read", "others -> read"]) == []


def test_a_row_does_not_see_what_other_rows_write() -> None:
    snaps = {"make": MAPPER, "read": "{snap: Mapper, mappings: {$sum: $name, $twice: $sum}}"}
    lines = ["snaps:", *(f"  {label}: {snap}" for label, snap in snaps.items())]
    problems = check_spec(parse("\n".join([*lines, "links: [make -> read]"])), discover())
    assert [problem.code for problem in problems] == ["absent-field"]
    assert problems[0].hint.startswith("expressions read the input document, not what other rows")


def of_csv(expression: str, *more: str) -> list[str]:
    """The messages for a Mapper that reads a CSV file."""
    snaps = {
        "read": "{snap: FileReader, file: = 'a.csv'}",
        "parse": "{snap: CSVParser}",
        "pass": "{snap: Filter, filter: $a != ''}",
        "shape": f'{{snap: Mapper, mappings: {{$x: "{expression}"}}}}',
    }
    return found("text-field", snaps, ["read -> parse -> pass -> shape", *more])


@pytest.mark.parametrize(
    "expression", ["$a + 1", "1 + $a", "$a + _least", "_least <= $a", "$b.trim() + ($a > _least)"]
)
def test_a_string_of_a_csv_file_is_no_number(expression: str) -> None:
    [message] = of_csv(expression)
    assert message.endswith("all fields of 'parse' are strings")


@pytest.mark.parametrize(
    "expression",
    ["+$a + 1", "$a > 1", "$a * 2", "$a + 'x'", "$a > _since", "$a > $b", "parseFloat($a) + 1"],
)
def test_a_string_may_be_used_as_a_string(expression: str) -> None:
    assert of_csv(expression) == []


@pytest.mark.parametrize(
    ("expression", "fixed"),
    [
        ("$a_least > _least", "$a_least > +_least"),
        ("$a_least + _least", "parseFloat($a_least) + parseFloat(_least)"),
        ("1 + $a", "1 + parseFloat($a)"),
    ],
)
def test_a_fix_changes_the_whole_operation(expression: str, fixed: str) -> None:
    [lint] = lint_text_fields(expression, ["_least"])
    assert isinstance(lint.hint, Hint)
    assert lint.hint.fixes == (Replacement(fixed, expression),)


def test_columns_may_have_types() -> None:
    snaps = {
        "read": "{snap: FileReader, file: = 'a.csv'}",
        "types": "{snap: FileReader, file: = 'types.csv'}",
        "parse": "{snap: CSVParser}",
        "shape": "{snap: Mapper, mappings: {$x: $a + 1}}",
    }
    links = ["read -> parse.input", "types -> parse.types", "parse -> shape"]
    assert found("text-field", snaps, links[:1] + links[2:]) != []
    assert found("text-field", snaps, links) == []
