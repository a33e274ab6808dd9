"""Warnings about parameters in expressions: their values are strings, whatever they look like.

So are fields of some documents, such as those of CSV files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from engine.expressions import nodes
from engine.expressions.analysis import Analysis, Lint, with_locals
from engine.expressions.nodes import Node
from engine.expressions.parsed import Memo, parse, parsed
from engine.hints import Hint, Replacement

_ARITHMETIC = ("-", "*", "/", "%")
_ORDER = ("<", ">", "<=", ">=")


def lint_parameters(found: Analysis, flags: Collection[str] = ()) -> list[Lint]:
    """The warnings for `text`; none if it is not a valid expression.

    `flags` are the parameters, without underscore, whose default is `true` or `false`.
    """
    if found.node is None or found.errors or not found.parameters:
        return []
    return [lint for flag, lint in WARNINGS(found.text) if not flag or flag in flags]


def lint_text_fields(text: str, numbers: Collection[str]) -> list[Lint]:
    """The warnings for an expression in which every `$name` is a string.

    `numbers` are the parameters, with underscore, whose default looks like a number.
    """
    found = parsed(text)
    if found.errors:
        return []
    binaries = [node for node in found.node.walk() if isinstance(node, nodes.Binary)]
    return [lint for node in binaries for lint in _about_text(node, text, numbers)]


def _about_text(node: nodes.Binary, text: str, numbers: Collection[str]) -> list[Lint]:
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if not isinstance(one, nodes.Member) or not isinstance(one.target, nodes.Root):
            continue
        field, whole = _text_of(one, text), _text_of(node, text)
        name = other.name if isinstance(other, nodes.Name) and other.name in numbers else ""
        if node.operator in _ORDER and name:
            message = f"`{field}` and `{name}` are strings, so '10' comes before '9'"
            instead = _rewritten(node, text, {other: f"+{name}"})
            hint = Hint(f"write {instead} to compare numbers", [Replacement(instead, whole)])
            return [_lint(node, message, hint)]
        if node.operator == "+" and (name or _is_number(other)):
            message = f"`{whole}` joins strings, as `{field}` is a string"
            strings = (one, other) if name else (one,)
            numeric = {each: f"parseFloat({_text_of(each, text)})" for each in strings}
            instead = _rewritten(node, text, numeric)
            hint = Hint(f"write {instead} to add numbers", [Replacement(instead, whole)])
            return [_lint(node, message, hint)]
    return []


def _text_of(node: Node, text: str) -> str:
    return text[node.offset : node.offset + node.length]


def _rewritten(node: nodes.Binary, text: str, sides: Mapping[Node, str]) -> str:
    """The text of the node with other texts for its sides."""
    left, right = node.left, node.right
    between = text[left.offset + left.length : right.offset]
    return "".join(
        (sides.get(left, _text_of(left, text)), between, sides.get(right, _text_of(right, text)))
    )


Warnings = tuple[tuple[str, Lint], ...]
"""Warnings, each with the parameter that it is about if that must be a flag."""


def _lints_of(text: str) -> Warnings:
    """The warnings for a text that is an expression, whatever its parameters are."""
    return tuple(
        found
        for each, local in with_locals(parse(text), frozenset())
        for found in _at(each, text, local)
    )


WARNINGS: Memo[Warnings] = Memo(_lints_of)


def _at(node: Node, text: str, local: Collection[str]) -> Iterator[tuple[str, Lint]]:
    for lint in _about_values(node, text, local):
        yield "", lint
    for test in _tests_of(node):
        if name := _parameter(test, local):
            message = f"`{name}` is a string, and even the string 'false' is true"
            instead = f"{name} == 'true'"
            fix = Replacement(f"({instead})" if isinstance(node, nodes.Unary) else instead)
            yield name[1:], _lint(test, message, Hint(f"write {instead}", [fix]))


def _parameter(node: Node, local: Collection[str]) -> str:
    """The name of the parameter that a node is, or ''."""
    if not isinstance(node, nodes.Name) or node.name in local or len(node.name) < 2:
        return ""
    return node.name if node.name[0] == "_" and node.name[1] != "_" else ""


def _about_values(node: Node, text: str, local: Collection[str]) -> Iterator[Lint]:
    if isinstance(node, nodes.Binary):
        left, right = _parameter(node.left, local), _parameter(node.right, local)
        if node.operator == "+" and (
            (left and _is_number(node.right)) or (right and _is_number(node.left))
        ):
            name = left or right
            yield _lint(
                node,
                f"`{text[node.offset : node.offset + node.length]}` joins strings: the value of "
                f"`{name}` is a string, like that of every parameter",
                Hint(
                    f"write parseInt({name}) or parseFloat({name}) to add numbers",
                    (Replacement(f"{each}({name})", name) for each in ("parseInt", "parseFloat")),
                ),
            )
        elif node.operator in _ORDER and left and right:
            message = f"`{left}` and `{right}` are strings, so '10' comes before '9'"
            yield _lint(node, message, f"compare parseFloat({left}) and parseFloat({right})")
        elif node.operator in ("==", "!="):
            for name, other in ((left, node.right), (right, node.left)):
                if name and isinstance(other, nodes.Literal) and isinstance(other.value, bool):
                    word = "true" if other.value else "false"
                    message = f"`{name}` is a string, like every parameter, and never equals {word}"
                    instead = f"{name} {node.operator} '{word}'"
                    hint = Hint(f"write {instead}", [Replacement(instead)])
                    yield _lint(node, message, hint)


def _tests_of(node: Node) -> tuple[Node, ...]:
    """The parts of a node that are used as conditions."""
    if isinstance(node, nodes.Conditional):
        return (node.test,)
    if isinstance(node, nodes.Unary) and node.operator == "!":
        return (node.operand,)
    return (node.left, node.right) if isinstance(node, nodes.Logical) else ()


def _is_number(node: Node) -> bool:
    if isinstance(node, nodes.Literal):
        return isinstance(node.value, int | float | Decimal) and not isinstance(node.value, bool)
    if isinstance(node, nodes.Unary):
        return node.operator in ("-", "+")
    return isinstance(node, nodes.Binary) and node.operator in _ARITHMETIC


def _lint(node: Node, message: str, hint: str) -> Lint:
    return Lint(message, node.offset, node.length, hint)
