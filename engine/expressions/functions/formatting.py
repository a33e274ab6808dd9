"""`'...'.sprintf(...)`: the conversions of Java's Formatter."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example
from engine.expressions.functions.strings import TEXTS
from engine.expressions.limits import check_text
from engine.expressions.values import INFINITY, Number, to_number, to_text, truthy

_CONVERSION = re.compile(r"%(?:(\d+)\$|(<))?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")
_LARGEST = 10_000


@TEXTS.method(
    "sprintf",
    "The text with its conversions (%s %d %f %e %x %o %c %b %%, with width and precision as in "
    "Java) replaced by the arguments.",
    Example("'%s has %d items'.sprintf('Bob', 3)", "Bob has 3 items"),
    Example("'%05d'.sprintf(42)", "00042"),
    Example("'%,.2f'.sprintf(1234.5)", "1,234.50"),
)
def sprintf(text: str, *arguments: Any) -> str:
    return _Format(text, arguments).text()


class _Format:
    def __init__(self, template: str, arguments: tuple[Any, ...]) -> None:
        self.template = template
        self.arguments = arguments
        self.next = 0
        self.last = -1

    def text(self) -> str:
        parts: list[str] = []
        at = size = 0
        for found in _CONVERSION.finditer(self.template):
            parts += (self._literal(at, found.start()), self._converted(found))
            size += len(parts[-1])
            check_text(size)
            at = found.end()
        return "".join([*parts, self._literal(at, len(self.template))])

    def _literal(self, start: int, end: int) -> str:
        piece = self.template[start:end]
        if "%" in piece:
            place = piece.index("%")
            raise Failure(
                f"`{piece[place : place + 5]}` is not a conversion", "write %% for a percent sign"
            )
        return piece

    def _converted(self, found: re.Match[str]) -> str:
        flags, letter = found[3], found[6]
        width = _bounded(found[4])
        precision = None if found[5] is None else _bounded(found[5])
        if letter == "%":
            return _padded("%", width, flags)
        if letter == "n":
            return "\n"
        value = self._argument(found)
        text = _conversion(value, letter, flags, precision, width)
        if letter.isupper():
            text = text.upper()
        return _padded(text, width, flags)

    def _argument(self, found: re.Match[str]) -> Any:
        if found[1]:
            self.last = int(found[1][:6]) - 1
        elif not found[2]:
            self.last = self.next
            self.next += 1
        if not 0 <= self.last < len(self.arguments):
            raise Failure(f"`{found[0]}` has no argument (there are {len(self.arguments)})")
        return self.arguments[self.last]


def _bounded(digits: str | None) -> int:
    size = int(digits[:9]) if digits else 0
    if size > _LARGEST:
        raise Failure(f"a width or precision may be {_LARGEST:,} at most")
    return size


def _padded(text: str, width: int, flags: str) -> str:
    return text.ljust(width) if "-" in flags else text.rjust(width)


def _conversion(value: Any, letter: str, flags: str, precision: int | None, width: int) -> str:
    kind = letter.lower()
    if kind == "s":
        return to_text(value)[:precision]
    if kind == "b":
        truth = value if value.__class__ is bool else value is not None
        return ("true" if truthy(truth) else "false")[:precision]
    if value is None:
        return "null"
    if kind == "c":
        return value if isinstance(value, str) and len(value) == 1 else chr(_integer(value, letter))
    if kind == "d":
        return _signed(_integer(value, letter), "", flags, width)
    if kind in "xo":
        return _radix(_integer(value, letter), kind, flags, width)
    if kind in "feg":
        return _fraction(value, kind, flags, 6 if precision is None else precision, width)
    raise Failure(f"`%{letter}` is not a conversion", "use %s %d %f %e %g %x %o %c %b or %%")


def _integer(value: Any, letter: str) -> int:
    number = to_number(value)
    if number != number or number in (INFINITY, -INFINITY) or int(number) != number:
        raise Failure(f"`%{letter}` needs a whole number, got {to_text(value)[:60]}")
    if letter in "cC" and not 0 <= number < 0x110000:
        raise Failure(f"{number} is not a character")
    return int(number)


def _signed(number: int | Decimal, fraction: str, flags: str, width: int) -> str:
    """Digits with sign, grouping and leading zeros; `fraction` follows the whole part."""
    negative = number < 0 or (isinstance(number, Decimal) and number.is_signed())
    digits = f"{abs(int(number)):{',' if ',' in flags else ''}}" + fraction
    return _with_sign(digits, negative, flags, width)


def _with_sign(digits: str, negative: bool, flags: str, width: int) -> str:
    before, after = "", ""
    if negative:
        before, after = ("(", ")") if "(" in flags else ("-", "")
    elif "+" in flags or " " in flags:
        before = "+" if "+" in flags else " "
    if "0" in flags and "-" not in flags:
        digits = digits.rjust(width - len(before) - len(after), "0")
    return before + digits + after


def _radix(number: int, kind: str, flags: str, width: int) -> str:
    if number < 0:
        number &= (1 << (32 if number >= -(1 << 31) else 64)) - 1
    digits = f"{number:{kind}}"
    prefix = {"x": "0x", "o": "0"}[kind] if "#" in flags else ""
    if "0" in flags:
        digits = digits.rjust(width - len(prefix), "0")
    return prefix + digits


def _fraction(value: Any, kind: str, flags: str, precision: int, width: int) -> str:
    number = to_number(value)
    if number != number:
        return "NaN"
    if number in (INFINITY, -INFINITY):
        return _with_sign("Infinity", number < 0, flags.replace("0", ""), width)
    exact = Decimal(repr(number))
    if kind == "g":
        kind, precision = _general(exact, precision)
    text = _rounded(exact, kind, precision)
    whole, dot, rest = text.lstrip("-").partition("." if kind == "f" else "\0")
    if kind == "f" and "," in flags:
        whole = f"{int(whole):,}"
    return _with_sign(whole + dot + rest, text.startswith("-"), flags, width)


def _general(exact: Decimal, precision: int) -> tuple[str, int]:
    precision = precision or 1
    if exact == 0 or -4 <= exact.adjusted() < precision:
        return "f", max(0, precision - 1 - (exact.adjusted() if exact else 0))
    return "e", precision - 1


def _rounded(exact: Decimal, kind: str, precision: int) -> str:
    with localcontext() as context:
        context.rounding = ROUND_HALF_UP
        context.prec = _LARGEST + 5_000
        text = f"{exact:.{precision}{kind}}"
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}" if mark else text


def half_up(number: Number, digits: int) -> str:
    """`number` with so many decimals, halves rounded away from zero on the shortest text."""
    return _rounded(Decimal(repr(number)), "f", digits)
