"""Completion in expressions and paths: fields of the last preview, functions, methods, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.editing import (
    HEAD,
    LINKS,
    SAMPLE,
    chosen,
    completions,
    filtered,
    labels,
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$¦", ["$name", "$age", "$address", "$orders", "$['first name']"]),
        ("$na¦", ["$name", "$age", "$address", "$orders", "$['first name']"]),
        ("$age > 3 && $address.¦", ["city", "['zip code']"]),
        ("$orders[0].¦", ["id", "total"]),
        ("$orders.map(o => o.¦", ["id", "total"]),
        ("$orders.filter(o => o.id > 1).find(p => p.¦", ["id", "total"]),
        ("$orders.map((o, i) => [i, o.¦", ["id", "total"]),
        ("{a: $address}.a.¦", ["city", "['zip code']"]),
        ("$address['¦", ["city", "zip code"]),
        ("$address['zi¦']", ["city", "zip code"]),
        ("($x || $address).¦", ["city", "['zip code']"]),
        ("$name ? $address.¦ : 1", ["city", "['zip code']"]),
        ("jsonPath($, '$.orders[*].¦')", ["id", "total"]),
    ],
)
def test_fields_are_those_of_the_last_preview(expression: str, expected: list[str]) -> None:
    found = completions(filtered(expression))
    assert [each.label for each in found if each.kind in ("field", "variable")] == expected


def test_a_field_comes_with_its_kind_and_an_example() -> None:
    (name,) = [each for each in completions(filtered("$¦")) if each.label == "$name"]
    assert (name.detail, name.documentation) == ("string", '`"Ada"`')


@pytest.mark.parametrize(
    ("expression", "label", "expected"),
    [
        ("$na¦", "$name", "$name"),
        ("$addr¦ess.city", "$name", "$name.city"),
        ("$¦", "$['first name']", "$['first name']"),
        ("$address.¦", "['zip code']", "$address['zip code']"),
        ("$address.zi¦ == 1", "['zip code']", "$address['zip code'] == 1"),
        ("'$address.¦'", '["zip code"]', "'$address[\"zip code\"]'"),
        ('"$address.¦"', "['zip code']", "\"$address['zip code']\""),
        ("$address['¦", "zip code", "$address['zip code']"),
        ("$address['¦']", "zip code", "$address['zip code']"),
        ("$name.¦", "trim", "$name.trim()"),
        ("$name.sub¦", "substr", "$name.substr("),
        ("$name.sub¦(1)", "substr", "$name.substr(1)"),
        ("$name.sub¦str(1)", "substr", "$name.substr(1)"),
        ("$na¦-1", "$age", "$age-1"),
        ("\"'\U0001f600' + $name.tr¦\"", "trim", "\"'\U0001f600' + $name.trim()\""),
        ("Math.m¦", "max", "Math.max("),
        ("_t¦ == 1", "_token", "_token == 1"),
    ],
)
def test_what_is_chosen_replaces_the_word_at_the_cursor(
    expression: str, label: str, expected: str
) -> None:
    text = chosen(filtered(expression), label)
    assert f"filter: {expected}\n" in text


def test_between_brackets_of_yaml_no_name_is_offered_that_would_end_the_value() -> None:
    text = f"{HEAD}  x: {{snap: Filter, filter: $¦}}\n{LINKS}"
    assert "$name" in labels(text)
    assert "$['first name']" not in labels(text)


@pytest.mark.parametrize(
    ("expression", "has", "has_not"),
    [
        ("$name.¦", "trim", "toFixed"),
        ("$age.¦", "toFixed", "trim"),
        ("$orders.¦", "map", "trim"),
        ("$address.¦", "keys", "trim"),
        ("\"'abc'.¦\"", "trim", "toFixed"),
        ("Date.now().¦", "plusDays", "trim"),
        ("($age + 1).toString().¦", "trim", "toFixed"),
        ("$unknown.¦", "trim", "nothing"),
        ("Math.¦", "max", "trim"),
        ("Math.¦", "PI", "parseInt"),
        ("pipe.¦", "ruuid", "trim"),
        ("pipe.args.¦", "day", "trim"),
        ("¦", "parseInt", "trim"),
        ("$age == ¦", "_token", "trim"),
        ("$age in ¦", "$orders", "trim"),
        ("$orders.map(order => ¦", "order", "trim"),
        ("$orders.map(order => ord¦", "order", "id"),
        ("match $age { a => ¦", "a", "trim"),
    ],
)
def test_what_fits_the_value_before_the_dot_is_offered(
    expression: str, has: str, has_not: str
) -> None:
    found = labels(filtered(expression))
    assert has in found
    assert has_not not in found


@pytest.mark.parametrize(
    "expression",
    [
        '"\'abc¦"',
        "$name == 'a¦'",
        "$name ¦",
        "5¦",
        "$name # note¦",
        "$name.trim()¦",
        '"$name"¦',
        "lib.nothing.¦",
        "/a¦/.test($name)",
        "[1, 2]¦",
    ],
)
def test_nothing_is_offered_where_nothing_fits(expression: str) -> None:
    assert labels(filtered(expression)) == []


def test_libraries_and_what_they_define_are_offered(tmp_path: Path) -> None:
    (tmp_path / "tools.expr").write_text("{double: x => x * 2, rate: 0.2}")
    head = "libraries: {tools: tools.expr}\nsnaps:\n  x:\n    snap: Filter\n    filter: "
    path = str(tmp_path / "pipeline.yaml")
    assert labels(f"{head}lib.¦\n", path) == ["tools"]
    assert labels(f"{head}lib.tools.¦\n", path) == ["double", "rate"]
    assert "lib" in labels(f"{head}¦\n", path)


def test_the_default_of_a_secret_parameter_is_not_shown() -> None:
    text = "parameters: {key: {default: abc123, secret: true}}\nsnaps:\n  x:\n    snap: Filter\n"
    assert "abc123" not in repr(completions(f"{text}    filter: ¦\n"))


MAPPER = f"{HEAD}  x:\n    snap: Mapper\n    mappings:\n"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("      $address.¦: 1\n", ["city", "['zip code']"]),
        ("      $orders[*].¦: 1\n", ["id", "total"]),
        ("      $na¦\n", ["$name", "$age", "$address", "$orders", "$['first name']"]),
        ("      $x: $orders[0].¦\n", ["id", "total"]),
        ("      - expression: $orders[0].¦\n", ["id", "total"]),
    ],
)
def test_targets_and_expressions_of_a_mapper_are_completed(row: str, expected: list[str]) -> None:
    found = completions(f"{MAPPER}{row}{LINKS}")
    assert [each.label for each in found if each.kind == "field"] == expected


@pytest.mark.parametrize("path", ["$na¦", "na¦", "¦", "$orders[0].¦"])
def test_paths_in_lists_are_completed(path: str) -> None:
    text = f"{HEAD}  x:\n    snap: Sort\n    sort_paths:\n      - {path}\n{LINKS}"
    expected = "id" if path.startswith("$orders") else "$name"
    assert expected in labels(text)


@pytest.mark.parametrize(
    ("file", "expected"), [("= $name.tr¦", "trim"), ("=¦", "_token"), ("= '¦'", ""), ("out¦", "")]
)
def test_a_setting_that_may_be_an_expression_is_one_after_an_equals_sign(
    file: str, expected: str
) -> None:
    found = labels(f"{HEAD}  x:\n    snap: FileReader\n    file: {file}\n{LINKS}")
    assert (expected in found) if expected else "trim" not in found


def test_fields_come_through_snaps_that_pass_documents_on() -> None:
    snaps = "  f: {snap: Filter, filter: $a}\n  x:\n    snap: Filter\n    filter: $¦\n"
    text = f"{HEAD}{snaps}links:\n  - read -> f -> x\n"
    assert "$name" in labels(text)


def test_without_a_preview_fields_follow_from_the_settings_above() -> None:
    mapper = "  m:\n    snap: Mapper\n    mappings:\n      $q.r: $id\n      $t: $id.toString()\n"
    x = "  x:\n    snap: Filter\n    filter: {}\nlinks:\n  - read -> m -> x\n"
    assert labels(HEAD + mapper + x.format("$¦"), samples={}) == ["$q", "$t"]
    assert labels(HEAD + mapper + x.format("$q.¦"), samples={})[0] == "r"
    assert "trim" in labels(HEAD + mapper + x.format("$t.¦"), samples={})


def test_an_error_view_has_the_fields_of_error_documents() -> None:
    text = f"{HEAD}  f: {{snap: Filter, filter: $a}}\n  x:\n    snap: Filter\n    filter: $¦\n"
    found = labels(f"{text}links:\n  - read -> f\n  - f.error -> x\n")
    assert found[:5] == ["$error", "$reason", "$resolution", "$stacktrace", "$original"]
    inside = text.replace("$¦", "$original.¦")
    assert labels(f"{inside}links:\n  - read -> f\n  - f.error -> x\n")[0] == "name"


def test_links_in_a_circle_do_not_matter() -> None:
    snaps = "  f: {snap: Filter, filter: $a}\n  x:\n    snap: Filter\n    filter: $¦\n"
    assert labels(f"{HEAD}{snaps}links:\n  - f -> x\n  - x -> f\n") == ["$"]


def test_the_samples_are_not_changed() -> None:
    before = repr(SAMPLE)
    labels(filtered("$orders.sort().map(o => o.¦"))
    assert repr(SAMPLE) == before
