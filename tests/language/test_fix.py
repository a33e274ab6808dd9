"""Quick fixes do what the hints of problems say."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language import Document, Position, Range, Workspace
from engine.language.fix import QuickFix, quick_fixes
from engine.registry import Registry, discover
from tests.language.folders import edited

ROOT = Path(__file__).parents[2]
EVERYWHERE = Range(Position(0, 0), Position(100_000, 0))
FIXTURES = sorted(
    path
    for path in (ROOT / "tests/diagnostics").glob("*.yaml")
    if not path.name.startswith(("too-large", "too-deep"))
)

CASES = {
    "the name of a snap": (
        "snaps: {a: {snap: Filtr, filter: $x}}\n",
        "Write 'Filter'",
        "snaps: {a: {snap: Filter, filter: $x}}\n",
    ),
    "the key of a setting": (
        "snaps: {a: {snap: Filter, fliter: $x}}\n",
        "Replace 'fliter' with 'filter'",
        "snaps: {a: {snap: Filter, filter: $x}}\n",
    ),
    "a key at the top level": (
        "snaps: {a: {snap: Copy}, b: {snap: Copy}}\nlink: [a -> b]\n",
        "Replace 'link' with 'links'",
        "snaps: {a: {snap: Copy}, b: {snap: Copy}}\nlinks: [a -> b]\n",
    ),
    "a label in a link": (
        "snaps: {abc: {snap: Copy}, bcd: {snap: Copy}}\nlinks: [abx -> bcd]\n",
        "Replace 'abx' with 'abc'",
        "snaps: {abc: {snap: Copy}, bcd: {snap: Copy}}\nlinks: [abc -> bcd]\n",
    ),
    "a view like a label": (
        "snaps: {outpt: {snap: Filter, filter: $x}, b: {snap: Copy}}\nlinks: [outpt.outpt -> b]\n",
        "Replace 'outpt' with 'output'",
        "snaps: {outpt: {snap: Filter, filter: $x}, b: {snap: Copy}}\nlinks: [outpt.output -> b]\n",
    ),
    "a missing setting in brackets": (
        "snaps: {a: {snap: Filter}}\n",
        "Add 'filter'",
        "snaps: {a: {snap: Filter, filter: $age >= 18}}\n",
    ),
    "a missing setting on lines": (
        "snaps:\n  a:\n    snap: Filter # here\n  b: {snap: Copy}\n",
        "Add 'filter'",
        "snaps:\n  a:\n    snap: Filter # here\n    filter: $age >= 18\n  b: {snap: Copy}\n",
    ),
    "a parameter that is not declared": (
        "snaps: {a: {snap: Filter, filter: $x == _p}}\n",
        "Add 'p' to 'parameters'",
        "parameters:\n  p: {required: true}\nsnaps: {a: {snap: Filter, filter: $x == _p}}\n",
    ),
    "a parameter beside others": (
        "parameters:\n  quantity: 1\nsnaps: {a: {snap: Filter, filter: $x == _p}}\n",
        "Add 'p' to 'parameters'",
        "parameters:\n  quantity: 1\n  p: {required: true}\n"
        "snaps: {a: {snap: Filter, filter: $x == _p}}\n",
    ),
    "an operator of JavaScript": (
        "snaps: {a: {snap: Filter, filter: $x === 1 && $y !== 2}}\n",
        "Write '=='",
        "snaps: {a: {snap: Filter, filter: $x == 1 && $y !== 2}}\n",
    ),
    "a function of Python": (
        "snaps: {a: {snap: Filter, filter: 1 < len($x)}}\n",
        "Replace 'len($x)' with '$x.length'",
        "snaps: {a: {snap: Filter, filter: 1 < $x.length}}\n",
    ),
    "a function that becomes an operation": (
        "snaps: {a: {snap: Filter, filter: str($x) < $y}}\n",
        "Replace 'str($x)' with '('' + $x)'",
        "snaps: {a: {snap: Filter, filter: ('' + $x) < $y}}\n",
    ),
    "a name without a sign in single quotes": (
        "snaps: {a: {snap: Filter, filter: 'name == 1'}}\n",
        "Replace 'name' with ''name''",
        "snaps: {a: {snap: Filter, filter: '''name'' == 1'}}\n",
    ),
    "a name without a sign and without quotes": (
        "snaps: {a: {snap: Filter, filter: name == 1}}\n",
        "Replace 'name' with ''name''",
        "snaps: {a: {snap: Filter, filter: '''name'' == 1'}}\n",
    ),
    "a boolean in quotes": (
        "parameters: {p: {required: 'yes'}}\nsnaps: {a: {snap: Copy}}\n",
        "Write true",
        "parameters: {p: {required: true}}\nsnaps: {a: {snap: Copy}}\n",
    ),
    "a choice of another tool": (
        "snaps: {a: {snap: Copy, on_error: ignore}}\n",
        "Write discard",
        "snaps: {a: {snap: Copy, on_error: discard}}\n",
    ),
    "an arrow": (
        "snaps: {a: {snap: Copy}, b: {snap: Copy}}\nlinks: [a => b]\n",
        "Replace 'a => b' with 'a -> b'",
        "snaps: {a: {snap: Copy}, b: {snap: Copy}}\nlinks: [a -> b]\n",
    ),
    "an expression without its mark": (
        "snaps: {a: {snap: FileReader, file: $name + '.csv'}}\n",
        "Write \"= $name + '.csv'\"",
        "snaps: {a: {snap: FileReader, file: \"= $name + '.csv'\"}}\n",
    ),
    "a value that needs quotes": (
        "snaps:\n  a:\n    snap: Filter\n    filter: $a ? 1 : 2\n",
        "Put the whole value in quotes: '$a ? 1 : 2'",
        "snaps:\n  a:\n    snap: Filter\n    filter: '$a ? 1 : 2'\n",
    ),
    "a key of another tool": (
        "snaps:\n  a:\n    type: Copy\n",
        "Replace 'type' with 'snap'",
        "snaps:\n  a:\n    snap: Copy\n",
    ),
    "a condition in a condition": (
        "snaps: {a: {snap: Filter, filter: '$a ? 1 : $b ? 2 : 3'}}\n",
        "Replace '$b ? 2 : 3' with '($b ? 2 : 3)'",
        "snaps: {a: {snap: Filter, filter: '$a ? 1 : ($b ? 2 : 3)'}}\n",
    ),
    "a parameter compared with true": (
        "parameters: {p: 'true'}\nsnaps: {a: {snap: Filter, filter: _p == true}}\n",
        "Write '_p == 'true''",
        "parameters: {p: 'true'}\nsnaps: {a: {snap: Filter, filter: _p == 'true'}}\n",
    ),
    "line breaks of Windows": (
        "snaps:\r\n  a:\r\n    snap: Filter\r\n",
        "Add 'filter'",
        "snaps:\r\n  a:\r\n    snap: Filter\r\n    filter: $age >= 18\r\n",
    ),
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


def fixes(
    registry: Registry, text: str, path: str = "file.yaml"
) -> tuple[Document, list[QuickFix]]:
    document = Workspace(registry).open(path, text)
    return document, quick_fixes(document, EVERYWHERE)


@pytest.mark.parametrize(("text", "title", "expected"), CASES.values(), ids=CASES)
def test_a_fix_changes_what_is_wrong(
    registry: Registry, text: str, title: str, expected: str
) -> None:
    document, found = fixes(registry, text)
    titles = [each.title for each in found]
    assert title in titles
    chosen = found[titles.index(title)]
    assert edited(document, list(chosen.edits)) == expected


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_after_a_fix_its_problem_is_gone(registry: Registry, path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    document, found = fixes(registry, text, str(path))
    for each in found:
        after = Workspace(registry).open(str(path), edited(document, list(each.edits)))
        remaining = [(problem.code, problem.message) for problem in after.problems]
        fixed = (each.diagnostic.code, each.diagnostic.message)
        before = [(problem.code, problem.message) for problem in document.problems]
        assert remaining.count(fixed) < before.count(fixed), each.title


def test_only_problems_at_the_place_are_fixed(registry: Registry) -> None:
    text = "snaps:\n  a: {snap: Filtr, filter: $x}\n  b: {snap: Coppy}\n"
    document = Workspace(registry).open("file.yaml", text)
    place = Range(Position(2, 14), Position(2, 14))
    assert [each.title for each in quick_fixes(document, place)] == ["Write 'Copy'"]


def test_a_single_proposal_is_preferred(registry: Registry) -> None:
    _, found = fixes(registry, "snaps: {a: {snap: Filtr, filter: $x}}\n")
    assert [each.is_preferred for each in found] == [True]
