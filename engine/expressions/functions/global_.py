"""Global functions."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus

from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.kinds import NumberLike, TextLike
from engine.expressions.limits import check_integer
from engine.expressions.scope import Context
from engine.expressions.utf16 import joined, utf8
from engine.expressions.values import (
    INFINITY,
    NAN,
    NUMBERS,
    SPACE,
    Number,
    comma_text,
    number_of_text,
    scalar_text,
    to_number,
)
from engine.numbers import MAX_DIGITS

GLOBALS = Family("Global", "Functions that are called by name alone.")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INFINITY = re.compile(r"([+-]?)Infinity")
_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@GLOBALS.function(
    "parseInt",
    "The whole number at the start of a string, in base 10 (16 after 0x) or the given one, or NaN.",
    Example('parseInt("12.34")', 12),
    Example('parseInt("0x10")', 16),
    Example('parseInt("10", 2)', 2),
)
def parse_int(text: TextLike, radix: NumberLike = 0) -> Number:
    if text.__class__ is int and radix == 0:
        return int(text)
    base = _base(radix)
    written = comma_text(text).strip(SPACE) if text is not None else "null"
    sign = -1 if written.startswith("-") else 1
    if written[:1] in ("+", "-"):
        written = written[1:]
    if base in (0, 16) and written[:2] in ("0x", "0X"):
        base, written = 16, written[2:]
    base = base or 10
    if not 2 <= base <= 36:
        return NAN
    return _leading_integer(written, base, sign)


def _base(radix: Any) -> int:
    """As JavaScript's ToInt32."""
    number = to_number(radix)
    whole = int(number) if number == number and abs(number) != INFINITY else 0
    return (whole + 2**31) % 2**32 - 2**31


def _leading_integer(written: str, base: int, sign: int) -> Number:
    allowed = _DIGITS[:base] + _DIGITS[10:base].upper()
    end = next((i for i, c in enumerate(written) if c not in allowed), len(written))
    if end == 0:
        return NAN
    if end > MAX_DIGITS:
        raise Failure(f"the number has more than {MAX_DIGITS:,} digits")
    return sign * check_integer(int(written[:end], base))


@GLOBALS.function(
    "parseFloat",
    "The number at the start of a string; NaN if there is none.",
    Example('parseFloat("12.34.56")', 12.34),
    Example('parseFloat("1.23e5")', 123000),
)
def parse_float(text: TextLike) -> Number:
    if text.__class__ in NUMBERS:
        return to_number(text)
    written = comma_text(text).strip(SPACE) if text is not None else "null"
    if found := _FLOAT.match(written):
        return number_of_text(found[0])
    if found := _INFINITY.match(written):
        return -INFINITY if found[1] == "-" else INFINITY
    return NAN


@GLOBALS.function(
    "isNaN",
    "Whether the value, converted to a number, is NaN.",
    Example("isNaN(parseInt('x'))", True),
)
def is_nan(x: Any) -> bool:
    number = to_number(x)
    return number != number


@GLOBALS.function(
    "isFinite", "Whether the value, converted to a number, is finite.", Example("isFinite(5)", True)
)
def is_finite(x: NumberLike) -> bool:
    number = to_number(x)
    return number == number and number not in (INFINITY, -INFINITY)


@GLOBALS.function(
    "encodeURIComponent",
    "The string as in a form: a space becomes +, all but letters, digits and . - * _ become %XX.",
    Example("encodeURIComponent('Hello, World!')", "Hello%2C+World%21"),
)
def encode_uri_component(text: TextLike) -> str:
    return quote_plus(utf8(scalar_text(text)), safe="*").replace("~", "%7E")


@GLOBALS.function(
    "decodeURIComponent",
    "The opposite of encodeURIComponent.",
    Example("decodeURIComponent('Hello%2C+World%21')", "Hello, World!"),
)
def decode_uri_component(text: TextLike) -> str:
    return _unescaped(scalar_text(text).replace("+", " "), keep=frozenset())


@GLOBALS.function(
    "encodeURI",
    "A complete URI, with the characters that are not allowed in it as %XX.",
    Example("encodeURI('http://x/a b?q=é')", "http://x/a%20b?q=%C3%A9"),
)
def encode_uri(text: TextLike) -> str:
    return quote(utf8(scalar_text(text)), safe=";/?:@&=+$,#-_.!~*'()")


_RESERVED = frozenset(b";/?:@&=+$,#")


@GLOBALS.function(
    "decodeURI",
    "The opposite of encodeURI; the %XX of reserved characters stay.",
    Example("decodeURI('a%20b%2Fc')", "a b%2Fc"),
)
def decode_uri(text: TextLike) -> str:
    return _unescaped(scalar_text(text), keep=_RESERVED)


def _unescaped(written: str, keep: frozenset[int]) -> str:
    """Decode each %XX, except those of the bytes in `keep`."""
    if wrong := _BAD_ESCAPE.search(written):
        raise Failure(f"`{written[wrong.start() :][:3]}` is not of the form %XX")

    def decoded(found: re.Match[str]) -> str:
        escapes = [found[0][at : at + 3] for at in range(0, len(found[0]), 3)]
        raw = (int(escape[1:], 16) for escape in escapes)
        data = b"".join(
            escape.encode() if byte in keep else bytes([byte])
            for escape, byte in zip(escapes, raw, strict=True)
        )
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Failure(f"`{found[0][:60]}` is not UTF-8 written as %XX") from None

    return joined(_ESCAPES.sub(decoded, written))


@GLOBALS.function(
    "eval",
    "The value of a string that is an expression; other values are returned as is. Slow: avoid it.",
    Example("eval('5 + 2')", 7),
    Example("eval($rule)", 9, {"rule": "$a + 5", "a": 4}),
)
def eval_(context: Context, document: Any, x: Any) -> Any:
    return context.evaluate(x, document) if x.__class__ is str else x


@GLOBALS.function(
    "jsonPath",
    "What a JSONPath finds: one value for a definite path, an array for one with *, .., a filter, "
    "a slice or a union. Option: {defaultValue: value}.",
    Example(
        "jsonPath($, '$.children[1].name')", "Bob", {"children": [{"name": "Ann"}, {"name": "Bob"}]}
    ),
    Example(
        "jsonPath($, '$children[?(value.age > 18)].age')",
        [20],
        {"children": [{"age": 12}, {"age": 20}]},
    ),
    Example("jsonPath($, '$.absent.x', {defaultValue: 0})", 0, {}),
)
def json_path(context: Context, value: Any, path: TextLike, options: Any = None) -> Any:
    return context.query(value, scalar_text(path, "a path"), options)
