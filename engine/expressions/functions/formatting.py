"""`'...'.sprintf(...)`: the conversions of Java's Formatter."""

from __future__ import annotations

import functools
import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from typing import Any

import msgspec

from engine.expressions.decimals import shortest
from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example
from engine.expressions.functions.strings import TEXTS
from engine.expressions.limits import check_integer, check_text
from engine.expressions.utf16 import join, joined, length, units
from engine.expressions.values import INFINITY, Number, to_number, to_text
from engine.numbers import MAX_DIGITS, MAX_EXPONENT

_CONVERSION = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])", re.ASCII)
_MAX_WIDTH = 10_000
_HALF_UP = Context(
    prec=_MAX_WIDTH + MAX_EXPONENT + MAX_DIGITS,
    rounding=ROUND_HALF_UP,
    Emin=-_MAX_WIDTH - MAX_EXPONENT,
    Emax=_MAX_WIDTH + MAX_EXPONENT,
    traps=[InvalidOperation],
)
_FLAGS = {
    "s": "-",
    "b": "-",
    "c": "-",
    "d": "-+ 0,(",
    "x": "-#+ 0(",
    "o": "-#+ 0(",
    "e": "-#+ 0(",
    "f": "-#+ 0,(",
    "g": "-+ 0,(",
    "%": "-",
    "n": "",
}
_WITH_PRECISION = frozenset("sbefg")
_WITH_CAPITALS = frozenset("SBCXEG")
_LETTERS = "use %s %d %f %e %g %x %o %c %b %n or %%"


class Conversion(msgspec.Struct, frozen=True):
    """A parsed `%05.2f`; `place` is None for the next argument and 0 for the previous one again."""

    text: str
    place: int | None
    flags: str
    width: int
    precision: int | None
    letter: str


Piece = str | Conversion


@functools.lru_cache(maxsize=512)
def _pieces(template: str) -> tuple[Piece, ...]:
    """The literal strings and conversions of a format; raises Failure."""
    found: list[Piece] = []
    at = 0
    for match in _CONVERSION.finditer(template):
        found += (_literal(template[at : match.start()]), _conversion_of(match))
        at = match.end()
    return (*found, _literal(template[at:]))


def _literal(text: str) -> str:
    if "%" in text:
        place = text.index("%")
        message = f"`{text[place : place + 5]}` is not a conversion"
        raise Failure(message, "write %% for a percent sign")
    return text


def _conversion_of(found: re.Match[str]) -> Conversion:
    number, flags, width, precision, letter = found.groups()
    place = None if number is None else int(number[:6])
    conversion = Conversion(
        found[0],
        0 if "<" in flags else place,
        flags.replace("<", "", 1),
        _bounded(width) if width else 0,
        _bounded(precision) if precision else None,
        letter,
    )
    if problem := _problem(conversion, counts_from_zero=place == 0):
        raise Failure(f"`{found[0]}` is not a valid conversion: {problem[0]}", problem[1])
    return conversion


def _bounded(digits: str) -> int:
    size = int(digits[:9])
    if size > _MAX_WIDTH:
        raise Failure(f"a width or precision may be at most {_MAX_WIDTH:,}")
    return size


def _problem(conversion: Conversion, counts_from_zero: bool) -> tuple[str, str] | None:
    """What Java would refuse, and what to write instead."""
    letter, flags = conversion.letter, conversion.flags
    kind = letter.lower()
    if kind not in _FLAGS or (letter != kind and letter not in _WITH_CAPITALS):
        return f"there is no `%{letter}`", _LETTERS
    if counts_from_zero:
        return "arguments are numbered from 1", "write %1$s for the first argument"
    if len(set(flags)) < len(flags):
        return "a flag is repeated", ""
    for flag in flags:
        if flag not in _FLAGS[kind]:
            return f"`%{letter}` does not take the flag `{flag}`", ""
    if conversion.precision is not None and kind not in _WITH_PRECISION:
        return f"`%{letter}` does not take a precision", f"remove .{conversion.precision}"
    if ("-" in flags or "0" in flags) and not conversion.width:
        return "the flags - and 0 need a width", f"as in %{flags}8{letter}"
    if {"-", "0"} <= set(flags) or {"+", " "} <= set(flags):
        return "its flags contradict each other", ""
    if (kind == "n" and conversion.width) or (kind in "n%" and conversion.place == 0):
        return f"`%{letter}` takes no flags", ""
    return None


@TEXTS.method(
    "sprintf",
    "The string with its conversions (%s %d %f %e %g %x %o %c %b %n %%, with flags, width and "
    "precision as in Java) replaced by the arguments.",
    Example("'%s has %d items'.sprintf('Bob', 3)", "Bob has 3 items"),
    Example("'%05d'.sprintf(42)", "00042"),
    Example("'%,.2f'.sprintf(1234.5)", "1,234.50"),
)
def sprintf(text: str, *arguments: Any) -> str:
    parts: list[str] = []
    following = size = 0
    last = -1
    for piece in _pieces(text):
        if isinstance(piece, str):
            parts.append(piece)
        elif piece.letter in "%n":
            parts.append("\n" if piece.letter == "n" else _padded("%", piece))
        else:
            if piece.place is None:
                last = following
                following += 1
            elif piece.place:
                last = piece.place - 1
            if not 0 <= last < len(arguments):
                count = len(arguments)
                raise Failure(f"`{piece.text}` has no argument (there are {count})")
            parts.append(_converted(arguments[last], piece))
        size += len(parts[-1])
        check_text(size)
    return join(parts)


def _converted(value: Any, conversion: Conversion) -> str:
    text = _text(value, conversion)
    return _padded(text.upper() if conversion.letter.isupper() else text, conversion)


def _padded(text: str, conversion: Conversion) -> str:
    space = " " * (conversion.width - length(text))
    return text + space if "-" in conversion.flags else space + text


def _text(value: Any, conversion: Conversion) -> str:
    kind = conversion.letter.lower()
    if kind == "s":
        return _cut(to_text(value), conversion)
    if kind == "b":
        truth = value if value.__class__ is bool else value is not None
        return _cut("true" if truth else "false", conversion)
    if value is None:
        return _cut("null", conversion)
    if kind == "c":
        if value.__class__ is str and len(value) == 1:
            return str(value)
        return chr(_integer(value, conversion.letter))
    if kind == "d":
        number = _integer(value, conversion.letter)
        digits = f"{abs(number):,}" if "," in conversion.flags else str(abs(number))
        return _with_sign(digits, number < 0, conversion)
    if kind in "xo":
        return _radix(_integer(value, conversion.letter), kind, conversion)
    return _fraction(value, kind, conversion)


def _cut(text: str, conversion: Conversion) -> str:
    if conversion.precision is None:
        return text
    return joined(units(text)[: conversion.precision])


def _number(value: Any, letter: str, what: str = "a number") -> Number:
    """A number, or a string that is one."""
    number = to_number(value)
    is_text = value.__class__ is str
    if value.__class__ is bool or (is_text and (number != number or not value.strip())):
        raise Failure(f"`%{letter}` needs {what}, got {to_text(value)[:60] or 'an empty string'}")
    return number


def _integer(value: Any, letter: str) -> int:
    number = _number(value, letter, "a whole number")
    if number != number or number in (INFINITY, -INFINITY) or int(number) != number:
        raise Failure(f"`%{letter}` needs a whole number, got {to_text(value)[:60]}")
    if letter in "cC" and not 0 <= number < 0x110000:
        raise Failure(f"{number} is not the code of a character")
    return check_integer(int(number))


def _with_sign(digits: str, negative: bool, conversion: Conversion) -> str:
    """`digits` with sign and leading zeros."""
    flags = conversion.flags
    before, after = "", ""
    if negative:
        before, after = ("(", ")") if "(" in flags else ("-", "")
    elif "+" in flags or " " in flags:
        before = "+" if "+" in flags else " "
    if "0" in flags:
        digits = digits.rjust(conversion.width - len(before) - len(after), "0")
    return before + digits + after


def _radix(number: int, kind: str, conversion: Conversion) -> str:
    """A negative number in two's complement (32 or 64 bits) as in Java; longer ones with a sign."""
    is_long = -(1 << 63) <= number < 1 << 63
    if is_long and (signs := set("+ (") & set(conversion.flags)):
        raise Failure(f"`{conversion.text}` does not take the flag `{min(signs)}` for {number}")
    if is_long and number < 0:
        number &= (1 << (32 if number >= -(1 << 31) else 64)) - 1
    prefix = {"x": "0x", "o": "0"}[kind] if "#" in conversion.flags else ""
    digits = f"{abs(number):{kind}}"
    if "0" in conversion.flags:
        digits = digits.rjust(conversion.width - len(prefix) - (number < 0), "0")
    return _with_sign(prefix + digits, number < 0, conversion)


def _fraction(value: Any, kind: str, conversion: Conversion) -> str:
    number = _number(value, kind)
    if number != number:
        return "NaN"
    if number in (INFINITY, -INFINITY):
        unpadded = msgspec.structs.replace(conversion, flags=conversion.flags.replace("0", ""))
        return _with_sign("Infinity", number < 0, unpadded)
    exact = as_decimal(number)
    precision = 6 if conversion.precision is None else conversion.precision
    if kind == "g":
        kind, precision = _general(exact, precision)
    digits = _rounded(exact.copy_abs(), kind, precision)
    whole, mark, rest = re.split(r"([.e]|$)", digits, maxsplit=1)
    if "," in conversion.flags:
        whole = f"{int(whole):,}"
    if "#" in conversion.flags and precision == 0:
        whole += "."
    return _with_sign(whole + mark + rest, exact.is_signed(), conversion)


def _general(exact: Decimal, precision: int) -> tuple[str, int]:
    """Plain digits if the rounded number is at least 0.0001 and below 10 to the precision."""
    precision = precision or 1
    power = Decimal(_rounded(exact.copy_abs(), "e", precision - 1)).adjusted() if exact else 0
    if -4 <= power < precision:
        return "f", precision - 1 - power
    return "e", precision - 1


def _rounded(exact: Decimal, kind: str, precision: int) -> str:
    if kind == "f":
        return fixed_text(exact, precision)
    with localcontext() as context:
        context.rounding = ROUND_HALF_UP
        context.prec = _HALF_UP.prec
        text = f"{exact:.{precision}{kind}}"
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    power = int(exponent) if exact else 0
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02}"


def fixed_text(exact: Decimal, digits: int) -> str:
    """With this many digits after the point, halves rounded away from zero."""
    rounded = exact.quantize(_place(digits), context=_HALF_UP)
    text = str(rounded)
    return f"{rounded:f}" if "E" in text else text


@functools.lru_cache
def _place(digits: int) -> Decimal:
    return Decimal((0, (1,), -digits))


def half_up(number: Number, digits: int) -> str:
    """`number` with this many decimals, halves of its shortest text rounded away from zero."""
    return fixed_text(as_decimal(number), digits)


def as_decimal(number: Number) -> Decimal:
    return shortest(number) if isinstance(number, float) else Decimal(number)
