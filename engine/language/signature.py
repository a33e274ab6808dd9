"""Signature help: the function around the cursor, and the parameter that is being typed."""

from __future__ import annotations

from engine.errors import ExpressionSyntaxError
from engine.expressions import nodes
from engine.expressions.lexer import Lexer, Token
from engine.expressions.places import nodes_at
from engine.language.answers import Signature
from engine.language.expression_help import function_markdown
from engine.language.expression_places import expression_at
from engine.language.fields import knowledge_at
from engine.language.here import here_at
from engine.language.hover_expressions import declaration_of
from engine.language.known import node_of
from engine.language.positions import Position
from engine.language.workspace import Document


def signature(document: Document, position: Position) -> Signature | None:
    """The innermost function whose arguments the position is in; None if there is none."""
    here = here_at(document, position)
    place = expression_at(here)
    if place is None or place.form != "expression":
        return None
    text = place.before
    try:
        tokens = list(Lexer(text).tokens())
        chain = nodes_at(node_of(text), tokens[-1].offset)
    except ExpressionSyntaxError:  # longer, or nested more deeply, than the language allows
        return None
    opened = _open_bracket(tokens)
    if opened is None:
        return None
    bracket, commas = opened
    calls = [each for each in chain if isinstance(each, nodes.Call | nodes.MethodCall)]
    around = [each for each in calls if each.offset < bracket.offset]
    if not around:
        return None
    knowledge = knowledge_at(here.document, place.label)
    found = declaration_of(around[-1], knowledge.at(text, chain))
    if found is None:
        return None
    declared, owner = found
    count = len(declared.parameters)
    is_open_ended = declared.most is None
    active = min(commas, count - 1) if is_open_ended else commas
    return Signature(
        label=f"{owner}{declared.signature}",
        documentation=function_markdown(declared, owner),
        parameters=declared.parameters,
        active=active if 0 <= active < count else None,
    )


def _open_bracket(tokens: list[Token]) -> tuple[Token, int] | None:
    """The innermost `(` of a call that is still open, and the commas after it."""
    depth = commas = 0
    for place in range(len(tokens) - 1, 0, -1):
        token = tokens[place]
        if token.kind != "operator":
            continue
        if token.value in (")", "]", "}"):
            depth += 1
        elif token.value in ("(", "[", "{") and depth:
            depth -= 1
        elif token.value == "(":
            if tokens[place - 1].kind == "name":
                return token, commas
            commas = 0
        elif token.value in ("[", "{"):
            commas = 0  # they separate items
        elif token.value == "," and not depth:
            commas += 1
    return None
