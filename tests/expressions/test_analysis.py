"""What is known about an expression without a document."""

from __future__ import annotations

import pytest

from engine.expressions import analyse, paths_read, sees_counts


def test_parameters_are_found_at_their_first_place() -> None:
    text = "_b + _a + _b + pipe.args.c + pipe.args['d']"
    assert analyse(text).parameters == {"b": 0, "a": 5, "c": 15, "d": 29}


@pytest.mark.parametrize(
    "text", ["[1].map(_x => _x)", "__root__", "match 1 { _y => _y, _ => 0 }", "$._f"]
)
def test_other_names_with_an_underscore_are_not_parameters(text: str) -> None:
    assert analyse(text).parameters == {}


def test_libraries_are_found_at_their_first_place() -> None:
    assert analyse("lib.a.x + lib['b'].y + lib.a.f(1)").libraries == {"a": 0, "b": 10}


@pytest.mark.parametrize(
    "text",
    [
        *("snap", "snap.in.totalCount", "snap . out", "snap['in'].x", "{a: snap}", "[...snap]"),
        *("x => snap.error", "`${snap.in}`", "eval('sn' + 'ap')", "$a.map(x => snap[x])"),
        *("jsonPath($, '$[?(value > snap.in.totalCount)]')", "snap.in +"),
    ],
)
def test_an_expression_may_see_how_many_documents_there_were(text: str) -> None:
    assert sees_counts(text)


@pytest.mark.parametrize(
    "text",
    ["snap.label", "$snap", "$.snap.in", "$['snap']", "$kind == 'snap'", "lib.snap.in", "pipe.x"],
)
def test_other_uses_of_the_word_snap_are_no_counts(text: str) -> None:
    assert not sees_counts(text)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("1", []),
        ("$a.b + $c", [("a", "b"), ("c",)]),
        ("$a.trim().length", [("a",)]),
        ("$a.length > 1", [("a",)]),
        ("$a[0].b", [("a", "b")]),
        ("$a[$i]", [("a",), ("i",)]),
        ("$['x y'].z", [("x y", "z")]),
        ("$.get('k', $d)", [("k",), ("d",)]),
        ("$.hasOwnProperty('k')", [("k",)]),
        ("'k' in $", [("k",)]),
        ("$items.map(x => x.n + $y)", [("items",), ("y",)]),
        ("_p + pipe.label", []),
    ],
)
def test_the_paths_that_are_read_are_known(text: str, paths: list[tuple[str, ...]]) -> None:
    found = paths_read(text)
    assert found is not None
    known = {path[:1] for path in paths}
    assert {path[:1] for path in found} == known


@pytest.mark.parametrize(
    "text",
    [
        "$",
        "$.keys()",
        "jsonPath($, '$.a')",
        "eval('1')",
        "$[$k]",
        "{a: $}",
        "$.hasPath('a.b')",
        "_k in $",
    ],
)
def test_the_paths_are_unknown_if_anything_may_be_read(text: str) -> None:
    assert paths_read(text) is None


def test_a_nested_conditional_is_a_warning() -> None:
    (found,) = analyse("$a ? 1 : $b ? 2 : 3").lints
    assert (found.offset, found.length) == (9, 10)
    assert "parentheses" in found.hint


@pytest.mark.parametrize("text", ["$a ? 1 : ($b ? 2 : 3)", "$a ? 1 : 2", "1 +", "[$a ? 1 : 2]"])
def test_other_conditions_are_fine(text: str) -> None:
    assert analyse(text).lints == ()
