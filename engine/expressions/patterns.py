"""The patterns of `match x { pattern => value, ... }`: literals, ranges, shapes, names, guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.expressions import nodes
from engine.expressions.limits import MAX_NESTING
from engine.expressions.nodes import Node

if TYPE_CHECKING:
    from engine.expressions.parser import Parser

_WORDS = {"true": True, "false": False, "null": None, "undefined": None}


def arms(parser: Parser) -> tuple[nodes.Arm, ...]:
    found: list[nodes.Arm] = []
    while not parser.sees("}"):
        found.append(_arm(parser))
        parser.skip_to_separator("}")
        if not parser.accept(","):
            break
    return tuple(found)


def _arm(parser: Parser) -> nodes.Arm:
    start = parser.token.offset
    alternatives = _alternatives(parser, "|", ",")
    guard = _guard(parser) if parser.sees_word("if") else None
    parser.expect("=>", "`=>` after the pattern")
    body = parser.inside(parser.expression)
    return nodes.Arm(start, parser.since(start), alternatives, guard, body)


def _guard(parser: Parser) -> Node:
    parser.advance()
    parser.arrows_allowed = False
    condition = parser.expression()
    parser.arrows_allowed = True
    return condition


def _alternatives(parser: Parser, *separators: str) -> tuple[Node, ...]:
    found = [_pattern(parser)]
    while parser.sees(*separators):
        parser.advance()
        found.append(_pattern(parser))
    return tuple(found)


def _pattern(parser: Parser) -> Node:
    parser.nesting += 1
    if parser.nesting > MAX_NESTING:
        raise parser.error(
            f"nested too deeply (more than {MAX_NESTING} levels)", parser.token.offset
        )
    node = _one_pattern(parser)
    parser.nesting -= 1
    return node


def _one_pattern(parser: Parser) -> Node:
    token = parser.token
    if token.kind in ("number", "string") or parser.sees("-", "+"):
        return _literal_or_range(parser)
    if token.kind == "regex":
        parser.advance()
        return nodes.RegexPattern(token.offset, token.length, *token.value)
    if token.kind == "name":
        return _named(parser)
    if parser.accept("("):
        inner = _alternatives(parser, "|")
        parser.expect(")")
        return inner[0] if len(inner) == 1 else _either(inner)
    if parser.sees("["):
        return _array(parser)
    if parser.sees("{"):
        return _object(parser)
    raise parser.unexpected("a pattern")


def _either(alternatives: tuple[Node, ...]) -> Node:
    first, last = alternatives[0], alternatives[-1]
    length = last.offset + last.length - first.offset
    return nodes.EitherPattern(first.offset, length, alternatives)


def _literal_or_range(parser: Parser) -> Node:
    start = parser.token.offset
    low = _constant(parser)
    if parser.sees("..=", "..<"):
        closed = parser.advance().value == "..="
        high = _constant(parser)
        return nodes.RangePattern(start, parser.since(start), low, high, closed)
    if parser.sees("..", "..."):
        raise parser.unexpected("a range such as 1..=5 (including 5) or 1..<5 (excluding 5)")
    return nodes.LiteralPattern(start, parser.since(start), low)


def _constant(parser: Parser) -> object:
    negative = False
    if parser.sees("-", "+"):
        negative = parser.advance().value == "-"
        if parser.token.kind != "number":
            raise parser.unexpected("a number")
    if parser.token.kind not in ("number", "string"):
        raise parser.unexpected("a number or a string")
    value = parser.advance().value
    return -value if negative else value


def _named(parser: Parser) -> Node:
    token = parser.advance()
    word: str = token.value
    if word in _WORDS:
        return nodes.LiteralPattern(token.offset, token.length, _WORDS[word])
    if word == "_":
        return nodes.AnyPattern(token.offset, token.length)
    if word in nodes.TYPE_NAMES:
        return nodes.TypePattern(token.offset, token.length, word)
    return nodes.NamePattern(token.offset, token.length, word)


def _rest(parser: Parser) -> Node:
    start = parser.token.offset
    parser.expect("...")
    name = parser.advance().value if parser.token.kind == "name" else ""
    return nodes.RestPattern(start, parser.since(start), "" if name == "_" else name)


def _array(parser: Parser) -> Node:
    start = parser.advance().offset
    items: list[Node] = []
    while not parser.sees("]"):
        items.append(_rest(parser) if parser.sees("...") else _nested(parser))
        if isinstance(items[-1], nodes.RestPattern) or not parser.accept(","):
            break
    parser.expect("]", "`,` or `]`")
    return nodes.ArrayPattern(start, parser.since(start), tuple(items))


def _nested(parser: Parser) -> Node:
    inner = _alternatives(parser, "|")
    return inner[0] if len(inner) == 1 else _either(inner)


def _object(parser: Parser) -> Node:
    start = parser.advance().offset
    items: list[Node] = []
    while not parser.sees("}"):
        items.append(_rest(parser) if parser.sees("...") else _field(parser))
        if not parser.accept(","):
            break
    parser.expect("}", "`,` or `}`")
    return nodes.ObjectPattern(start, parser.since(start), tuple(items))


def _field(parser: Parser) -> Node:
    token = parser.token
    if token.kind not in ("name", "string"):
        raise parser.unexpected("a property name")
    parser.advance()
    if parser.accept(":"):
        inner = _nested(parser)
        return nodes.FieldPattern(token.offset, parser.since(token.offset), token.value, inner)
    if token.kind == "string":
        inner = nodes.AnyPattern(token.offset, token.length)
    else:
        inner = nodes.NamePattern(token.offset, token.length, token.value)
    return nodes.FieldPattern(token.offset, token.length, token.value, inner)
