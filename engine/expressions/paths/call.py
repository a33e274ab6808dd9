"""`jsonPath($, "...")` in place of a path: it means the path, not the call.

`jsonPath($, "...")[0]` is the first of the values that the path finds.
"""

from __future__ import annotations

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions.lexer import Lexer, Token
from engine.late_regex import late_regex

_CALL = late_regex(r"\s*jsonPath\s*\(")
_SHAPE = ("jsonPath", "(", "", ",", None, ")", "")
_INDEX = late_regex(r"\[\s*(\d{1,9})\s*\]\s*$")


class CalledPath(msgspec.Struct, frozen=True):
    """The `path` in a call, and where its string stands in `text`."""

    text: str
    path: str
    literal: Token

    def error(self, inner: ExpressionSyntaxError) -> ExpressionSyntaxError:
        """The mistakes in the path at their places in the complete text."""
        literal = self.literal
        offset = literal.offset
        found = (relocated(one, self.text, offset, literal.length, self.path) for one in inner.all)
        return ExpressionSyntaxError.of(found)


def relocated(
    inner: ExpressionSyntaxError, text: str, offset: int, length: int, path: str
) -> ExpressionSyntaxError:
    """A mistake in the `path` that a string literal of `text` holds, at its place in `text`."""
    if text.startswith(path, offset + 1):  # no escapes have shifted the characters
        offset, length = offset + 1 + inner.offset, inner.length
    return ExpressionSyntaxError(inner.message, text, offset, length, inner.hint)


def called_path(text: str) -> CalledPath | None:
    """The path in `jsonPath($, "...")`; None if `text` is not such a call."""
    if not _CALL.match(text):
        return None
    index = _INDEX.search(text)
    call = text[: index.start()] if index else text
    lexer = Lexer(call)
    found = list(lexer.tokens())
    if lexer.errors:
        raise lexer.errors[0]
    for token, wanted in zip(found, _SHAPE, strict=False):
        if not (token.kind == "string" if wanted is None else token.value == wanted):
            message = "a path may only be written as `jsonPath($, '...')`"
            hint = "write the path itself, such as `$list[*].name`"
            raise ExpressionSyntaxError(message, text, token.offset, token.length, hint)
    path = str(found[4].value)
    return CalledPath(
        text, f"{path}.filter(key == {index[1]}).first()" if index else path, found[4]
    )
