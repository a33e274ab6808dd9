"""Expressions that are still being typed: their trees hold what is there, and nothing compiles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ExpressionSyntaxError
from engine.expressions import analyse, compile_expression, nodes
from engine.expressions.nodes import Broken, Node
from engine.expressions.parsed import Parsed
from engine.expressions.places import nodes_at

UNFINISHED = [
    "$name.",
    "$a +",
    "$a ==",
    "!",
    "[1,",
    "{a: ",
    "{a",
    "{...",
    "f(",
    "Math.max($a,",
    "$a[",
    "lib.",
    "Date.",
    "$a ? ",
    "$a ? 1 :",
    "x =>",
    "$list.map(x => x.",
    "match $x {",
    "match $x { 1 =>",
    "'abc",
    "/a(",
    "($a",
    "jsonPath($, '$.",
]


def written(text: str, node: Node | ExpressionSyntaxError) -> str:
    return text[node.offset : node.offset + node.length]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("$name.", "$name"),
        ("$.", "$"),
        ("lib.", "lib"),
        ("Date.", "Date"),
        ("$a == 'x' && $b.c.", "$b.c"),
        ("Date.now().", "Date.now()"),
        ("$list.map(x => x.", "x"),
        ("{a: $b.", "$b"),
        ("[1, $b.", "$b"),
        ("Math.max($a, $b.", "$b"),
        ("$a ? $b.", "$b"),
        ("$a ? 1 : $b.", "$b"),
        ("($a + $b.", "$b"),
    ],
)
def test_the_value_before_an_unfinished_dot_is_known(text: str, target: str) -> None:
    around = nodes_at(Parsed(text).node, len(text))
    (unfinished,) = [node for node in around if isinstance(node, Broken) and node.lacks_name]
    assert [written(text, part) for part in unfinished.parts] == [target]


@pytest.mark.parametrize(
    ("text", "around"),
    [
        ("$a +", nodes.Binary),
        ("[1,", nodes.ArrayLiteral),
        ("{a: ", nodes.Property),
        ("f(", nodes.Call),
        ("Math.max($a,", nodes.MethodCall),
        ("$a[", nodes.Index),
        ("$a ? 1 :", nodes.Conditional),
        ("$list.map(x => ", nodes.Arrow),
        ("match $x { 1 =>", nodes.Arm),
    ],
)
def test_what_is_around_a_missing_value_is_known(text: str, around: type[Node]) -> None:
    text = text.rstrip()
    found = nodes_at(Parsed(text).node, len(text))
    assert isinstance(found[-1], Broken)
    assert isinstance(found[-2], around)


@pytest.mark.parametrize("text", ["$a.b. + foo", "{a: $b., c: foo}", "[$a., foo]", "f($b., foo)"])
def test_an_unfinished_part_does_not_hide_the_other_mistakes(text: str) -> None:
    places = [written(text, error) for error in analyse(text).errors]
    assert "foo" in places
    assert any("name after `.`" in error.message for error in analyse(text).errors)


@pytest.mark.parametrize(
    "text", ["$name.", "lib.", "Date.", "$list.map(x => x.", "{a: $b.", "f($a."]
)
def test_an_unfinished_name_is_one_mistake(text: str) -> None:
    messages = [
        error.message for error in analyse(text).errors if "function `f`" not in error.message
    ]
    assert messages == ["expected a name after `.`, but the expression ends here"]


@pytest.mark.parametrize("text", UNFINISHED)
def test_the_compiler_refuses_an_unfinished_expression(text: str) -> None:
    with pytest.raises(ExpressionSyntaxError):
        compile_expression(text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"$_.,:?!()[]{}'/ +-*&|=>", "a", "1", "x => ", "match "]), max_size=14
    )
)
def test_every_text_has_a_tree_inside_its_bounds(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = Parsed(text)
    for node in found.node.walk():
        assert 0 <= node.offset <= node.offset + node.length <= max(len(text), node.offset + 1)
    if not found.errors:
        assert not any(isinstance(node, Broken) for node in found.node.walk())
    for offset in range(len(text) + 1):
        assert nodes_at(found.node, offset)[0] is found.node
