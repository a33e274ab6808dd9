"""Hints about what the user probably meant, from the tokens around a mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.expressions import nodes
from engine.expressions.foreign_syntax import OPERATOR_HINTS
from engine.expressions.nodes import Node
from engine.hints import Fix, Hint, Replacement, fixes_of
from engine.late_regex import late_regex

if TYPE_CHECKING:
    from engine.expressions.lexer import Token
    from engine.expressions.recovery import Cursor

_FIELD_BEFORE = late_regex(r"(\$(?:[\w.]*\.)?)(\w+)$")
_HYPHENATED = late_regex(r"(\$(?:[\w.]*\.)?)(\w+(?:-\w+)+)")
_ATTRIBUTE = late_regex(r"@[\w:.-]*\w")
_OWNER = late_regex(r"\$(?:[\w.]*)$")
_WORDS = late_regex(r"\s*([^\W\d_]\w*(?: \w+){1,5})\s*")
_STRING_PREFIXES = frozenset({"f", "r", "b", "u", "fr", "rb"})


def for_missing_operator(cursor: Cursor) -> str:
    """A hint where two values stand side by side."""
    token = cursor.token
    before = cursor.tokens[cursor.at - 1]
    written = cursor.text[token.offset : token.end]
    touches = before.end == token.offset
    is_prefix = before.kind == "name" and before.value.lower() in _STRING_PREFIXES
    if is_prefix and token.kind == "string" and touches:
        return f"{before.value}-strings are not supported; join strings with +: 'a' + $b"
    if before.kind == "string" and token.kind in ("name", "number") and touches:
        return "write a quote inside a string as \\' or \\\""
    if habit := OPERATOR_HINTS.get(written.lower(), ""):
        return habit
    if token.kind == "number" and written.startswith(".") and touches:
        return f"write an element as [{written[1:]}]"
    if written == "@" and touches:
        return for_attribute(cursor.text, token.offset)
    if token.value == ":" and touches:
        return _bracketed(cursor, before, ":")
    if token.kind == "name" and not touches:
        hint = _bracketed(cursor, before, " ")
        words = _WORDS.fullmatch(cursor.text)
        return hint or (f"write a string in quotes: '{words[1]}'" if words else "")
    return ""


def between_values(cursor: Cursor) -> str:
    """A hint where an operator between two values is missing."""
    before, token = cursor.tokens[cursor.at - 1], cursor.token
    hint = for_missing_operator(cursor)
    return hint or ("join strings with +" if "string" in (before.kind, token.kind) else "")


def for_missing_comma(cursor: Cursor) -> str:
    """A hint where two elements stand side by side."""
    return for_missing_operator(cursor) or "is a comma missing before it?"


def _bracketed(cursor: Cursor, before: Token, separator: str) -> str:
    """How to write a field whose name continues after `separator`."""
    found = _FIELD_BEFORE.search(cursor.text, 0, before.end)
    rest = re.compile(r"[:\s]*([\w]+(?:[ :]\w+)*)").match(cursor.text, before.end)
    if not found or not rest:
        return ""
    name = f"{found[2]}{separator}{rest[1]}"
    kind = "a space" if separator == " " else f"`{separator}`"
    return f"write a field with {kind} in its name as {_access(found[1], name)}"


def for_attribute(text: str, offset: int) -> str:
    """A hint if `@` at `offset` begins the name of a field, as attributes of XML are called."""
    found = _ATTRIBUTE.match(text, offset)
    owner = _OWNER.search(text, 0, offset)
    if not found or not owner:
        return ""
    return f"write a field with `@` in its name as {_access(owner[0], found[0])}"


def _access(owner: str, name: str) -> str:
    return f"`{owner.removesuffix('.') if len(owner) > 1 else owner}['{name}']`"


def for_open_bracket(cursor: Cursor) -> str:
    """A hint where something stands instead of a closing bracket."""
    token = cursor.token
    if token.kind == "end":
        return ""
    if token.value == ":":
        return "for part of an array, write x.slice(start, end)"
    if token.value == ",":
        return "write a list as [a, b], and [a, b].indexOf(x) >= 0 to test whether it has x"
    return for_missing_operator(cursor)


def for_missing_value(cursor: Cursor) -> str:
    """A hint where a value is missing."""
    before = cursor.tokens[cursor.at - 1] if cursor.at else None
    token = cursor.token
    if before is None or before.kind != "operator":
        return ""
    if before.value == "?" and token.kind == "end":
        found = _FIELD_BEFORE.search(cursor.text, 0, before.offset)
        if found:
            return f"write a field with `?` in its name as {_access(found[1], found[2] + '?')}"
    if before.value in ("[", ".") and token.value in ("*", "?", ":"):
        return "to select many values use jsonPath($, '$list[*].name')"
    if before.value == ">" and token.value == "=":
        return "write >="
    return ""


def for_hyphenated_name(text: str, offset: int) -> str:
    """A hint if the name at `offset` is the rest of `$user-name`."""
    for found in _HYPHENATED.finditer(text):
        if found.start(2) < offset < found.end():
            return f"write a field with `-` in its name as {_access(found[1], found[2])}"
    return ""


_MAX_ARGUMENT = 40
_NEEDS_PARENTHESES = (nodes.Binary, nodes.Logical, nodes.Conditional, nodes.Unary, nodes.Arrow)


def with_arguments(hint: str, text: str, call: Node, arguments: Sequence[Node]) -> str:
    """The hint for a call with the user's own arguments in place of {x} and {y}."""
    marks = ("{x}", "{y}")
    given = [_argument(text, arguments, place) for place in range(len(marks))]

    def filled(template: str) -> str:
        for mark, argument in zip(marks, given, strict=True):
            template = template.replace(mark, argument or mark.strip("{}"))
        return template

    old = text[call.offset : call.offset + call.length]
    fixes: list[Fix] = []
    for fix in fixes_of(hint):
        if isinstance(fix, Replacement) and not fix.old:
            wanted = sum(mark in fix.new for mark in marks)
            if wanted == len(arguments) and all(given[:wanted]):
                fixes.append(Replacement(_as_operand(filled(fix.new), old == text), old))
        else:
            fixes.append(fix)
    return Hint(filled(hint), fixes)


def _as_operand(text: str, is_alone: bool) -> str:
    """An expression in place of a call: in parentheses if it has operators of its own."""
    outside = re.sub(r"\(.*\)", "", text)
    return f"({text})" if " " in outside and not is_alone else text


def _argument(text: str, arguments: Sequence[Node], place: int) -> str:
    """An argument as written; empty if there is none, or it is long."""
    if len(arguments) <= place:
        return ""
    node = arguments[place]
    written = text[node.offset : node.offset + node.length]
    if len(written) > _MAX_ARGUMENT or isinstance(node, nodes.Broken):
        return ""
    has_parentheses = written.startswith("(") and written.endswith(")")
    return (
        f"({written})" if isinstance(node, _NEEDS_PARENTHESES) and not has_parentheses else written
    )
