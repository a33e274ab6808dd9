"""Text -> tokens. The one idea: what came before a slash decides if it divides or begins a regex.

Operators that JavaScript has and this language has not are tokens as well, so that the parser can
say what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions.limits import MAX_DIGITS, MAX_SOURCE


class Token(msgspec.Struct, frozen=True):
    """`kind` is number, string, regex, name, field (`$name`), operator or end."""

    kind: str
    value: Any
    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


_SPACE = re.compile(r"(?:[ \t\r\n\f\v\u00a0\ufeff]+|/\*.*?\*/|//[^\n]*)+", re.S)
_PLAIN_NAME = re.compile(r"[^\W\d][\w$]*", re.UNICODE)
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
)
_OPERATORS = [
    ">>>=",
    "...",
    "..=",
    "..<",
    "===",
    "!==",
    "**=",
    "<<=",
    ">>=",
    ">>>",
    "&&=",
    "||=",
    "??=",
    "=>",
    "==",
    "!=",
    "<>",
    "<=",
    ">=",
    "&&",
    "||",
    "??",
    "?.",
    "++",
    "--",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "&=",
    "|=",
    "^=",
    "**",
    "<<",
    ">>",
    "..",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<",
    ">",
    "!",
    "=",
    "&",
    "|",
    "^",
    "~",
    "?",
    ":",
    ".",
    ",",
    ";",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
]
_OPERATOR = re.compile("|".join(re.escape(text) for text in _OPERATORS))
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_STRING_PART = re.compile(r"[^\\'\"]+")
_REGEX = re.compile(r"/((?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+)/(\w*)")
_WORDS_BEFORE_OPERAND = frozenset({"typeof", "in", "instanceof", "match", "if", "return"})
_OPEN_CLASS = re.compile(r"/(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*+\])*+\[")
_TOO_BIG_EXPONENT = MAX_DIGITS - 1


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """All tokens of `text[start:end]` with offsets into `text`, closed by one of kind `end`."""
    if len(text) > MAX_SOURCE:
        raise ExpressionSyntaxError(f"the expression is longer than {MAX_SOURCE:,} characters")
    lexer = _Lexer(text, start, len(text) if end is None else end)
    return list(lexer.tokens())


class _Lexer:
    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.at = start
        self.end = end
        self.operand_ended = False

    def tokens(self) -> Iterator[Token]:
        last = self.at
        while self._skip_space() < self.end:
            token = self._next()
            self.operand_ended = _ends_operand(token)
            last = token.end
            yield token
        yield Token("end", "", last, 1)

    def _skip_space(self) -> int:
        if found := _SPACE.match(self.text, self.at, self.end):
            self.at = found.end()
        if self.text.startswith("/*", self.at, self.end):
            raise self._error("the comment is not closed", self.at, 2, "close it with `*/`")
        return self.at

    def _next(self) -> Token:
        character = self.text[self.at]
        if character in "'\"":
            return self._string(character)
        if character == "$":
            return self._field()
        if found := _NUMBER.match(self.text, self.at, self.end):
            return self._number(found[0])
        if found := _PLAIN_NAME.match(self.text, self.at, self.end):
            return self._take("name", found[0], found[0])
        if character == "@":
            return self._take("name", "value", "@")
        if character == "/" and not self.operand_ended:
            return self._regex()
        if character == "?" and self._is_conditional_with_fraction():
            return self._take("operator", "?", "?")
        if found := _OPERATOR.match(self.text, self.at, self.end):
            return self._take("operator", found[0], found[0])
        raise self._unknown(character)

    def _take(self, kind: str, value: object, text: str) -> Token:
        token = Token(kind, value, self.at, len(text))
        self.at += len(text)
        return token

    def _is_conditional_with_fraction(self) -> bool:
        return self.text[self.at + 1 : self.at + 2] == "." and (
            self.text[self.at + 2 : self.at + 3].isdigit()
        )

    def _field(self) -> Token:
        found = _PLAIN_NAME.match(self.text, self.at + 1, self.end)
        name = found[0] if found else ""
        return self._take("field", name, f"${name}")

    def _number(self, text: str) -> Token:
        following = self.text[self.at + len(text) : self.at + len(text) + 1]
        if following.isalnum() or following == "_":
            raise self._error(f"`{text}{following}` is not a number", self.at, len(text) + 1)
        return self._take("number", self._number_value(text), text)

    def _number_value(self, text: str) -> int | float:
        if len(text) > MAX_DIGITS:
            raise self._error(
                f"a number may have {MAX_DIGITS:,} digits at most", self.at, len(text)
            )
        if text[:2].lower() in ("0x", "0o", "0b"):
            return int(text, 0)
        if text.isdigit():
            return int(text)
        exponent = text.lower().partition("e")[2].lstrip("+-")
        if len(exponent) > 9 or abs((exact := Decimal(text)).adjusted()) > _TOO_BIG_EXPONENT:
            raise self._error(f"the number `{text}` is too big or too small", self.at, len(text))
        near = float(exact)
        if near == float("inf"):
            return int(exact)
        return int(exact) if near.is_integer() and abs(near) < 1e21 else near

    def _string(self, quote: str) -> Token:
        start = self.at
        parts: list[str] = []
        at = start + 1
        while at < self.end and self.text[at] != quote:
            if self.text[at] == "\\":
                piece, at = self._escape(at)
                parts.append(piece)
            elif found := _STRING_PART.match(self.text, at, self.end):
                parts.append(found[0])
                at = found.end()
            else:
                parts.append(self.text[at])
                at += 1
        if at >= self.end:
            raise self._error("the string is not closed", start, 1, f"close it with {quote}")
        self.at = at + 1
        return Token("string", _joined_surrogates("".join(parts)), start, self.at - start)

    def _escape(self, at: int) -> tuple[str, int]:
        """The character that the escape at `at` stands for, and where the text goes on."""
        letter = self.text[at + 1 : at + 2]
        digits = {"u": 4, "x": 2}.get(letter)
        if digits is None:
            return ("", at + 2) if letter == "\n" else (_ESCAPES.get(letter, letter), at + 2)
        code = self.text[at + 2 : at + 2 + digits]
        if len(code) < digits or not all(c in "0123456789abcdefABCDEF" for c in code):
            return letter, at + 2
        return chr(int(code, 16)), at + 2 + digits

    def _regex(self) -> Token:
        found = _REGEX.match(self.text, self.at, self.end)
        if not found:
            raise self._open_regex()
        wrong = set(found[2]) - set("gimsu")
        if wrong or len(set(found[2])) < len(found[2]):
            hint = "the flags are g (all), i (ignore case) and m (lines)"
            raise self._error(
                f"`{found[2]}` are not flags of a regex", found.start(2), len(found[2]), hint
            )
        return self._take("regex", (found[1], found[2]), found[0])

    def _open_regex(self) -> ExpressionSyntaxError:
        found = _OPEN_CLASS.match(self.text, self.at, self.end)
        if found:
            hint = "close it with ]; a bracket itself is written \\["
            message = "the character class of the regex is not closed"
            return self._error(message, found.end() - 1, 1, hint)
        hint = "a / where a value is expected begins a regex; close it with /"
        return self._error("the regex is not closed", self.at, 1, hint)

    def _unknown(self, character: str) -> ExpressionSyntaxError:
        hint = ""
        if character == "`":
            hint = "there are no template literals; join texts with +, as in 'a' + $b"
        elif character in "“”‘’":
            hint = "use straight quotes: ' or \""
        return self._error(f"`{character}` does not belong into an expression", self.at, 1, hint)

    def _error(
        self, message: str, offset: int, length: int, hint: str = ""
    ) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(message, self.text, offset, length, hint)


def _joined_surrogates(text: str) -> str:
    """`\\uD83D\\uDE00` is one character."""
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _ends_operand(token: Token) -> bool:
    if token.kind == "operator":
        return token.value in (")", "]", "}")
    return not (token.kind == "name" and token.value in _WORDS_BEFORE_OPERAND)
