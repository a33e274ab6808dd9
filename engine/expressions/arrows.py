"""Arrow functions: `x => x.name`, `(a, b = 1, ...rest) => a + b`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.expressions import nodes
from engine.expressions.lexer import Token
from engine.expressions.nodes import Node

if TYPE_CHECKING:
    from engine.expressions.parser import Parser

_CONSTANTS = frozenset({"true", "false", "null"})


def begins(parser: Parser) -> bool:
    """Whether an arrow function begins here."""
    if not parser.arrows_allowed:
        return False
    if parser.token.kind == "name":
        return _is_arrow(parser.tokens[parser.at + 1])
    return parser.sees("(") and _parenthesis_begins_arrow(parser)


def _parenthesis_begins_arrow(parser: Parser) -> bool:
    depth = 0
    for at in range(parser.at, len(parser.tokens)):
        token = parser.tokens[at]
        if token.kind != "operator":
            continue
        if token.value in ("(", "[", "{"):
            depth += 1
        elif token.value in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                return _is_arrow(parser.tokens[at + 1])
    return False


def _is_arrow(token: Token) -> bool:
    return token.kind == "operator" and token.value in ("=>", "->")


def arrow(parser: Parser) -> Node:
    start = parser.token.offset
    parameters = _parameters(parser)
    sign = parser.token
    if parser.sees("->"):
        parser.report(parser.unexpected("`=>`"))
        parser.advance()
    else:
        parser.expect("=>")
    if parser.sees("{"):
        hint = "the body is a single expression; put an object in parentheses: x => ({a: x})"
        raise parser.error("a function cannot have statements in braces", sign.offset + 3, 1, hint)
    body = parser.inside(parser.expression)
    return nodes.Arrow(start, parser.since(start), parameters, body)


def _parameters(parser: Parser) -> tuple[nodes.Parameter, ...]:
    if parser.token.kind == "name":
        token = parser.advance()
        return (nodes.Parameter(token.offset, token.length, token.value),)
    parser.expect("(")
    found: list[nodes.Parameter] = []
    while not parser.sees(")"):
        found.append(_parameter(parser))
        if found[-1].rest or not parser.accept(","):
            break
    parser.expect(")", "`,` or `)` after the parameters")
    for place, parameter in enumerate(found):
        if any(parameter.name == earlier.name for earlier in found[:place]):
            message = f"the parameter `{parameter.name}` is declared twice"
            raise parser.error(message, parameter.offset, parameter.length)
    return tuple(found)


def _parameter(parser: Parser) -> nodes.Parameter:
    start = parser.token.offset
    rest = parser.accept("...")
    if parser.token.kind != "name" or parser.token.value in _CONSTANTS:
        raise parser.unexpected("the name of a parameter")
    name = parser.advance().value
    default = parser.expression() if not rest and parser.accept("=") else None
    return nodes.Parameter(start, parser.since(start), name, default, rest)
