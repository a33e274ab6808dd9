"""Moving over tokens, and resuming after a mistake at the next operator, comma or closing bracket.

A mistake at the very place where parsing resumed follows from the one before, and is not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.errors import ExpressionSyntaxError
from engine.expressions import nodes, syntax_hints
from engine.expressions.foreign_syntax import FOREIGN_OPERATORS, OPERATOR_HINTS
from engine.expressions.lexer import Lexer, Token
from engine.expressions.nodes import Node

LEVELS: dict[str, int] = {
    operator: level
    for level, operators in enumerate(
        ("||", "&&", "== !=", "< <= > >= in instanceof", "+ -", "* / %"), start=1
    )
    for operator in operators.split()
}
FOREIGN_LEVELS = {written: LEVELS[meant] for written, (meant, _) in FOREIGN_OPERATORS.items()}
_MAX_ERRORS = 20
T = TypeVar("T")


class Cursor:
    def __init__(self, text: str, lexer: Lexer) -> None:
        self.text = text
        self.tokens = list(lexer.tokens())
        self.errors = lexer.errors
        self.end_is_lost = lexer.is_open
        self.at = 0
        self.nesting = 0
        self.arrows_allowed = True
        self.resumed_at = -1
        self.unfinished: Node | None = None

    # --- moving on ---

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def advance(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def sees(self, *operators: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "operator" and token.value in operators

    def sees_word(self, word: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "name" and token.value == word

    def accept(self, operator: str) -> bool:
        if self.sees(operator):
            self.at += 1
            return True
        return False

    def expect(self, operator: str, what: str = "") -> Token:
        if not self.sees(operator):
            raise self.unexpected(what or f"`{operator}`")
        return self.advance()

    def end(self) -> int:
        """The end of the last token consumed."""
        return self.tokens[self.at - 1].end if self.at else self.tokens[0].offset

    def since(self, offset: int) -> int:
        return self.end() - offset

    # --- mistakes ---

    def error(
        self, message: str, offset: int, length: int = 1, hint: str = ""
    ) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(message, self.text, offset, length, hint)

    def unexpected(self, wanted: str, hint: str = "") -> ExpressionSyntaxError:
        token = self.token
        if token.kind == "end":
            message = f"expected {wanted}, but the expression ends here"
            return self.error(message, token.offset, hint=hint)
        written = self.text[token.offset : token.end]
        hint = hint or OPERATOR_HINTS.get(written.lower(), "")
        return self.error(f"expected {wanted}, got `{written}`", token.offset, token.length, hint)

    def report(self, error: ExpressionSyntaxError) -> None:
        """Keep a mistake, unless it follows from another."""
        follows = self.at == self.resumed_at or (self.end_is_lost and self.token.kind == "end")
        if not follows:
            self.keep(error)

    def keep(self, error: ExpressionSyntaxError) -> None:
        if len(self.errors) < _MAX_ERRORS:
            self.errors.append(error)

    def give_up(self) -> None:
        """Skip the rest: after this mistake it could mean anything."""
        self.at = len(self.tokens) - 1
        self.end_is_lost = False

    # --- resuming ---

    def inside(self, parse_one: Callable[[], Node]) -> Node:
        """The contents of brackets; in them an arrow is an arrow again, even in a guard."""
        start, arrows_allowed, nesting = self.at, self.arrows_allowed, self.nesting
        self.arrows_allowed = True
        try:
            return parse_one()
        except ExpressionSyntaxError as error:
            return self.broken(start, error)
        finally:
            self.arrows_allowed, self.nesting = arrows_allowed, nesting

    def broken(self, start: int, error: ExpressionSyntaxError) -> Node:
        """Record the mistake in the part that began at the token `start`, and resume after it."""
        self.report(error)
        depth = sum(map(_opened, self.tokens[start : self.at]))
        while not (depth <= 0 and self.is_stop()) and self.token.kind != "end":
            depth += _opened(self.advance())
        self.resumed_at = self.at
        offset = self.tokens[start].offset
        parts = () if self.unfinished is None else (self.unfinished,)
        self.unfinished = None
        return nodes.Broken(offset, max(1, self.since(offset)), parts)

    def is_stop(self) -> bool:
        token = self.token
        return self.sees(",", ":", "?", ")", "]", "}") or (
            token.kind in ("operator", "name") and token.value in LEVELS
        )

    def close(self, closer: str, what: str = "") -> None:
        """Consume the closing bracket, skipping anything before it."""
        if self.accept(closer):
            return
        self.report(self.unexpected(what or f"`{closer}`", syntax_hints.for_open_bracket(self)))
        self.skip_to(closer)
        self.accept(closer)
        self.resumed_at = self.at

    def skip_to(self, *stops: str) -> None:
        """Skip tokens up to one of `stops`, or to a bracket that closes an enclosing one."""
        depth = 0
        while self.token.kind != "end":
            if depth == 0 and self.sees(*stops, ")", "]", "}"):
                break
            depth += _opened(self.advance())
        self.resumed_at = self.at

    def skip_over_operator(self) -> None:
        """Skip tokens up to and including the next binary operator."""
        depth = 0
        while self.token.kind != "end":
            token = self.advance()
            depth = max(0, depth + _opened(token))
            if depth == 0 and token.kind in ("operator", "name") and token.value in LEVELS:
                break
        self.resumed_at = self.at


def _opened(token: Token) -> int:
    """By how much the token changes the number of open brackets."""
    if token.kind != "operator":
        return 0
    return (token.value in ("(", "[", "{")) - (token.value in (")", "]", "}"))
