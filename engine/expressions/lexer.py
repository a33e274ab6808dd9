"""Text -> tokens. The one idea: the token before a slash decides if it divides or begins a regex.

Operators that only JavaScript has are tokens as well, so that the parser can say what to write
instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions.foreign_syntax import FOREIGN_CHARACTERS, FOREIGN_QUOTES, FOREIGN_SIGNS
from engine.expressions.limits import MAX_SOURCE
from engine.expressions.utf16 import join
from engine.hints import Hint, Replacement
from engine.late_regex import late_regex
from engine.numbers import MAX_DIGITS, decimal_of


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
_OPERATORS = (
    ">>>= ... ..= ..< === !== **= <<= >>= >>> &&= ||= ??= "
    "=> -> == != <> <= >= && || ?? ?. ++ -- += -= *= /= %= &= |= ^= ** << >> .. "
    "+ - * / % < > ! = & | ^ ~ ? : . , ; ( ) [ ] { }"
)
_OPERATOR = re.compile("|".join(map(re.escape, _OPERATORS.split())))
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BRACED_FIELD = late_regex(r"\$\{\s*\$?([\w.]*)\s*\}")
_DIGITS_FIRST = late_regex(r"\$\d[\w-]*")
_WORD = re.compile(r"\w+")
_STRING_PART = late_regex(r"[^\\'\"]+")
_REGEX = late_regex(r"/((?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+)/(\w*)")
_WORDS_BEFORE_OPERAND = frozenset({"typeof", "in", "instanceof", "match", "if", "return"})
_OPEN_CLASS = late_regex(r"/(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*+\])*+\[")


class Lexer:
    """The tokens of `text[start:end]` with offsets into `text`, ending with one of kind `end`.

    Mistakes go into `errors` and are read as what was probably meant. `is_open` says that a
    string, regex or comment has no end and swallowed the rest of the text.
    """

    def __init__(self, text: str, start: int = 0, end: int | None = None) -> None:
        self.text = text
        self.at = start
        self.end = len(text) if end is None else end
        self.errors: list[ExpressionSyntaxError] = []
        self.is_open = False
        self._operand_ended = False

    def tokens(self) -> Iterator[Token]:
        if len(self.text) > MAX_SOURCE:
            message = f"the expression is longer than {MAX_SOURCE:,} characters"
            raise ExpressionSyntaxError(message)
        last = self.at
        while self._skip_space() < self.end:
            token = self._next()
            if token is None:
                continue
            self._operand_ended = _ends_operand(token)
            last = token.end
            yield token
        yield Token("end", "", last, 1)

    def _skip_space(self) -> int:
        if found := _SPACE.match(self.text, self.at, self.end):
            self.at = found.end()
        if self.text.startswith("/*", self.at, self.end):
            self._open("the comment is not closed", self.at, 2, "close it with `*/`")
            self.at = self.end
        return self.at

    def _next(self) -> Token | None:
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
        if character == "/" and not self._operand_ended:
            return self._regex()
        if character == "?" and self._is_conditional_with_fraction():
            return self._take("operator", "?", "?")
        if found := _OPERATOR.match(self.text, self.at, self.end):
            return self._take("operator", found[0], found[0])
        return self._foreign(character)

    def _take(self, kind: str, value: object, text: str) -> Token:
        token = Token(kind, value, self.at, len(text))
        self.at += len(text)
        return token

    def _is_conditional_with_fraction(self) -> bool:
        return self.text[self.at + 1 : self.at + 2] == "." and (
            self.text[self.at + 2 : self.at + 3].isdigit()
        )

    def _field(self) -> Token:
        if found := _PLAIN_NAME.match(self.text, self.at + 1, self.end):
            return self._take("field", found[0], f"${found[0]}")
        if found := _BRACED_FIELD.match(self.text, self.at, self.end):
            written = f"${found[1]}" if found[1] else "$['name']"
            self._report("`${...}` is not a field", self.at, 2, f"write `{written}`")
            return self._take("field", found[1].split(".")[0], found[0])
        if found := _DIGITS_FIRST.match(self.text, self.at, self.end):
            name = found[0][1:]
            hint = f"write a name that begins with a digit as `$['{name}']`"
            self._report(f"`{found[0]}` is not a field name", self.at, len(found[0]), hint)
            return self._take("field", name, found[0])
        return self._take("field", "", "$")

    def _number(self, text: str) -> Token:
        start = self.at
        following = self.text[start + len(text) : start + len(text) + 1]
        if following.isalnum() or following == "_":
            found = _WORD.match(self.text, start, self.end)
            written = found[0] if found and len(found[0]) > len(text) else f"{text}{following}"
            self._report(f"`{written}` is not a number", start, len(written), _unit_hint(written))
            return self._take("number", 0, written)
        return self._take("number", self._number_value(text), text)

    def _number_value(self, text: str) -> int | Decimal:
        if len(text) > MAX_DIGITS:
            self._report(f"the number has more than {MAX_DIGITS:,} digits", self.at, len(text))
            return 0
        if text[:2].lower() in ("0x", "0o", "0b"):
            return int(text, 0)
        if text.isdigit():
            return int(text)
        try:
            return decimal_of(text)
        except ArithmeticError:
            self._report(f"the number `{text}` is too big or too small", self.at, len(text))
            return 0

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
            self._open("the string is not closed", start, 1, f"close it with {quote}")
        self.at = min(at + 1, self.end)
        return Token("string", join(parts), start, self.at - start)

    def _escape(self, at: int) -> tuple[str, int]:
        """The character that the escape at `at` stands for, and the offset after it."""
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
            return self._open_regex()
        wrong = set(found[2]) - set("gimsuy")
        if wrong or len(set(found[2])) < len(found[2]):
            hint = (
                "valid flags are g (all), i (ignore case), m (lines), s, u and y, each at most once"
            )
            message = f"`{found[2]}` are not valid regex flags"
            self._report(message, found.start(2), len(found[2]), hint)
            return self._take("regex", (found[1], ""), found[0])
        return self._take("regex", (found[1], found[2]), found[0])

    def _open_regex(self) -> Token:
        if found := _OPEN_CLASS.match(self.text, self.at, self.end):
            hint = "close it with ]; write a literal bracket as \\["
            self._open("the character class of the regex is not closed", found.end() - 1, 1, hint)
        else:
            hint = "a / where a value is expected begins a regex; close it with /"
            self._open("the regex is not closed", self.at, 1, hint)
        return self._take("regex", ("", ""), self.text[self.at : self.end])

    def _foreign(self, character: str) -> Token | None:
        """A character that belongs to no token; a string in foreign quotes is still read as one."""
        sign = FOREIGN_SIGNS.get(character, "")
        hint = FOREIGN_CHARACTERS.get(character, "")
        if sign:
            hint = Hint(f"write {sign}", [Replacement(sign)])
        message = f"`{character}` does not belong in an expression"
        self._report(message, self.at, 1, hint)
        if sign:
            return self._take("operator", sign, character)
        closer = FOREIGN_QUOTES.get(character)
        if closer is None:
            line_end = self.text.find("\n", self.at, self.end)
            rest = self.end if line_end < 0 else line_end
            self.at = rest if character == "#" else self.at + 1
            return None
        end = self.at + 1
        while end < self.end and self.text[end] not in closer:
            end += 1
        written = self.text[self.at : min(end + 1, self.end)]
        return self._take("string", written[1:-1], written)

    def _report(self, message: str, offset: int, length: int, hint: str = "") -> None:
        self.errors.append(ExpressionSyntaxError(message, self.text, offset, length, hint))

    def _open(self, message: str, offset: int, length: int, hint: str) -> None:
        self._report(message, offset, length, hint)
        self.is_open = True


def _unit_hint(written: str) -> str:
    """`5px` is a string without quotes; `1_000` and `5n` are numbers of other languages."""
    plain = written.replace("_", "").rstrip("nLlfFdD")
    return f"write {plain}" if plain.isdigit() else f"write a string as '{written}'"


def _ends_operand(token: Token) -> bool:
    if token.kind == "operator":
        return token.value in (")", "]", "}")
    return not (token.kind == "name" and token.value in _WORDS_BEFORE_OPERAND)
