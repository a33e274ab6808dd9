"""Hover and signature help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.editing import HEAD, LINKS, filtered, hovered, signed


@pytest.mark.parametrize(
    ("expression", "word", "part"),
    [
        ("¦$name", "$name", '*string*, such as `"Ada"`'),
        ("$na¦me", "$name", "*string*"),
        ("$address.ci¦ty", "$address.city", '`"Rome"`'),
        ("$address['ci¦ty']", "", ""),
        ("$orders.map(o => o.i¦d)", "o.id", "*number*, such as `1`"),
        ("$orders.map(o => ¦o)", "o", "*object*"),
        ("$name.tr¦im()", "trim", "Without white space at both ends."),
        ("$name.trim(¦)", "", ""),
        ("M¦ath.max(1)", "Math", "Numbers as in JavaScript."),
        ("Math.m¦ax(1)", "max", "Math.max(1, 5, 3)  // 5"),
        ("Math.P¦I", "Math.PI", "`3.14"),
        ("pars¦eInt('1')", "parseInt", "parseInt(text, [radix])"),
        ("_da¦y", "_day", "default `2026-01-01`"),
        ("_to¦ken", "_token", "parameter"),
        ("¦!_day", "", ""),
        ("pipe.ru¦uid", "pipe.ruuid", "The id of the run."),
        ("nu¦ll", "", ""),
        ("'a¦b'", "", ""),
        ("$unkn¦own", "", ""),
    ],
)
def test_parts_of_an_expression_are_explained(expression: str, word: str, part: str) -> None:
    found, markdown = hovered(filtered(f'"{expression}"'))
    assert found == word
    assert part in markdown


@pytest.mark.parametrize("written", ["filter:¦ $age > 1", "filter:¦   Math.max(1)"])
def test_blanks_before_a_value_are_not_explained(written: str) -> None:
    text = f"{HEAD}  x:\n    snap: Filter\n    {written}\n{LINKS}"
    assert hovered(text)[0] in ("", "filter")


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ("5", "default `5`"),
        ("", "empty default"),
        ("a `b`", "default `` a `b` ``"),
        ("x" * 70, f"default `{'x' * 60}…`"),
    ],
)
def test_a_parameter_is_explained_where_it_is_used(default: str, shown: str) -> None:
    parameter = f"  least: {{default: '{default}', description: The limit.}}"
    head = HEAD.replace("parameters:", f"parameters:\n{parameter}", 1)
    used = filtered('"$age > _le¦ast"').replace(HEAD, head)
    assert hovered(used)[1] == f"**_least**: parameter, {shown}\n\nThe limit."


def test_the_paragraphs_of_help_are_not_broken_into_lines() -> None:
    markdown = hovered(f"{HEAD}  x:\n    snap: Fil¦ter\n{LINKS}")[1]
    about = next(each for each in markdown.split("\n\n") if each.startswith("The expression"))
    assert "\n" not in about
    assert markdown.index("**Settings**") < markdown.index("**Views**")


@pytest.mark.parametrize(
    ("lines", "word", "part"),
    [
        ("    sn¦ap: Filter\n", "snap", "The type of the snap."),
        ("    snap: Fil¦ter\n", "Filter", "- `filter` (expression, required): The condition"),
        ("    snap: Filter\n    fil¦ter: $a\n", "filter", "For example: `$age >= 18`"),
        ("    snap: Filter\n    on_er¦ror: stop\n", "on_error", "What happens to a document"),
        ("    snap: Router\n    routes:\n      - out¦put: a\n", "output", "view"),
        ("    snap: Filter\n    noth¦ing: $a\n", "", ""),
        ("    snap: Noth¦ing\n", "", ""),
        ("    snap: Filter # com¦ment\n", "", ""),
    ],
)
def test_keys_and_values_of_a_snap_are_explained(lines: str, word: str, part: str) -> None:
    found, markdown = hovered(f"{HEAD}  x:\n{lines}{LINKS}")
    assert found == word
    assert part in markdown


@pytest.mark.parametrize(
    ("text", "word", "part"),
    [
        (filtered("$a").replace("- read", "- re¦ad"), "read", "JSONGenerator"),
        (
            filtered("$a").replace("- read", "- read.out¦put"),
            "output",
            "**read.output**: documents",
        ),
        (filtered("$a").replace("  x:", "  x¦:"), "x", 'Input, for example: `{"name":"Ada"'),
        (filtered("$a").replace("links:", "li¦nks:"), "links", "How the snaps are linked"),
        (filtered("$a").replace("  day:", "  da¦y:"), "day", "default `2026-01-01`"),
        (filtered("$a").replace("read -> x", "read -> no¦thing"), "", ""),
        (filtered("$a").replace("read -> x", "read ->¦ x"), "", ""),
    ],
)
def test_labels_links_and_keys_are_explained(text: str, word: str, part: str) -> None:
    found, markdown = hovered(text)
    assert found == word
    assert part in markdown


@pytest.mark.parametrize(
    ("path", "text", "part"),
    [
        ("a.task.yaml", "type: ul¦tra\n", ""),
        ("a.task.yaml", "typ¦e: ultra\n", "How the pipeline is hosted"),
        ("accounts/a.yaml", "account: bas¦ic\n", "basic"),
        ("a.test.yaml", "cases:\n  one:\n    mo¦cks: {}\n", "mocks"),
    ],
)
def test_other_files_are_explained(path: str, text: str, part: str) -> None:
    assert part in hovered(text, path)[1]


@pytest.mark.parametrize(
    ("expression", "label", "active"),
    [
        ("$name.substr(¦", "substr(start, [count])", 0),
        ("$name.substr(1, ¦", "substr(start, [count])", 1),
        ("$name.substr(1, ¦2)", "substr(start, [count])", 1),
        ("$name.substr([1, 2], ¦", "substr(start, [count])", 1),
        ("$name.substr(1, 2, ¦", "substr(start, [count])", None),
        ("Math.max(1, 2, ¦", "Math.max(...values)", 0),
        ("Math.max(1, parseInt('1', ¦", "parseInt(text, [radix])", 1),
        ("$orders.map(o => o.id.toFixed(¦", "toFixed([digits])", 0),
        ("$name.replace('a, ¦", "replace(what, replacement)", 0),
        ("Math.max([1, ¦", "Math.max(...values)", 0),
    ],
)
def test_the_signature_of_the_innermost_function_is_shown(
    expression: str, label: str, active: int | None
) -> None:
    found = signed(filtered(f'"{expression}"'))
    assert found is not None
    assert (found.label, found.active) == (label, active)
    assert "```js" in found.documentation


@pytest.mark.parametrize(
    "expression", ["$name¦", "$name.trim()¦", "(1 + ¦", "nothing(¦", "$name.nothing(¦"]
)
def test_outside_of_a_known_function_there_is_no_signature(expression: str) -> None:
    assert signed(filtered(f'"{expression}"')) is None


def test_names_of_the_pipeline_under_test_are_explained(tmp_path: Path) -> None:
    pipeline = "parameters: {size: {description: How many.}}\nsnaps: {a: {snap: Copy}}\n"
    (tmp_path / "p.yaml").write_text(pipeline)
    path = str(tmp_path / "p.test.yaml")
    mock = "cases:\n  one:\n    mocks: {¦a: [{}]}\n"
    assert hovered(mock, path) == ("a", "**a**: Copy")
    parameter = "cases:\n  one:\n    parameters: {si¦ze: 1}\n"
    assert hovered(parameter, path) == ("size", "**size**: parameter\n\nHow many.")


def test_of_a_large_value_only_the_beginning_is_looked_at() -> None:
    picture = {"pixels": [[0] * 10_000] * 10_000, "model": "x" * 10_000_000}
    samples = {"read.output": [picture] * 50}
    assert "[[0,0,0" in hovered(filtered("$pix¦els"), samples=samples)[1]
    assert len(hovered(filtered("$mod¦el"), samples=samples)[1]) < 200
