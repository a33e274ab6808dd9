"""`jsonPath($, "...")` where a path stands: the path is meant, not the call."""

from __future__ import annotations

import re

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions.lexer import Lexer, Token

_CALL = re.compile(r"\s*jsonPath\s*\(")
_SHAPE = ("jsonPath", "(", "", ",", None, ")", "")


class CalledPath(msgspec.Struct, frozen=True):
    """The `path` in a call, and where its string stands in `text`."""

    text: str
    path: str
    literal: Token

    def error(self, inner: ExpressionSyntaxError) -> ExpressionSyntaxError:
        """A mistake in the path at its place in the whole text."""
        start = self.literal.offset + 1
        if self.text.startswith(self.path, start):
            offset, length = start + inner.offset, inner.length
        else:  # escapes have moved the characters
            offset, length = self.literal.offset, self.literal.length
        return ExpressionSyntaxError(inner.message, self.text, offset, length, inner.hint)


def called_path(text: str) -> CalledPath | None:
    """The path in `jsonPath($, "...")`; None if `text` is not such a call."""
    if not _CALL.match(text):
        return None
    lexer = Lexer(text)
    found = list(lexer.tokens())
    if lexer.errors:
        raise lexer.errors[0]
    for token, wanted in zip(found, _SHAPE, strict=False):
        if not (token.kind == "string" if wanted is None else token.value == wanted):
            message = "a path may only be written as `jsonPath($, '...')`"
            hint = "write the path itself, such as `$list[*].name`"
            raise ExpressionSyntaxError(message, text, token.offset, token.length, hint)
    return CalledPath(text, str(found[4].value), found[4])
