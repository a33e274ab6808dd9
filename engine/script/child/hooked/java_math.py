"""`java.math`: exact numbers, which also mix with Python's own."""

# Names are Java's.
# ruff: noqa: N802, N815

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

_PRECISE = decimal.Context(prec=4_300)
_MODES = {
    "UP": decimal.ROUND_UP,
    "DOWN": decimal.ROUND_DOWN,
    "CEILING": decimal.ROUND_CEILING,
    "FLOOR": decimal.ROUND_FLOOR,
    "HALF_UP": decimal.ROUND_HALF_UP,
    "HALF_DOWN": decimal.ROUND_HALF_DOWN,
    "HALF_EVEN": decimal.ROUND_HALF_EVEN,
}


class RoundingMode:
    """How to round; the values are those of Python's decimal module."""

    UP, DOWN, CEILING, FLOOR = (_MODES[name] for name in ("UP", "DOWN", "CEILING", "FLOOR"))
    HALF_UP, HALF_DOWN = _MODES["HALF_UP"], _MODES["HALF_DOWN"]
    HALF_EVEN = _MODES["HALF_EVEN"]


class BigDecimal(Decimal):
    """A decimal with its scale. Together with a float it is a float, as scripts expect it."""

    ROUND_HALF_UP = _MODES["HALF_UP"]
    ROUND_HALF_EVEN = _MODES["HALF_EVEN"]
    ROUND_DOWN = _MODES["DOWN"]
    ROUND_UP = _MODES["UP"]

    @classmethod
    def valueOf(cls, value: Any) -> BigDecimal:
        return cls(str(value))

    def add(self, other: Any) -> BigDecimal:
        return BigDecimal(_PRECISE.add(self, Decimal(other)))

    def subtract(self, other: Any) -> BigDecimal:
        return BigDecimal(_PRECISE.subtract(self, Decimal(other)))

    def multiply(self, other: Any) -> BigDecimal:
        return BigDecimal(_PRECISE.multiply(self, Decimal(other)))

    def divide(self, other: Any, *scale_and_mode: Any) -> BigDecimal:
        """`divide(other)`, `divide(other, mode)` or `divide(other, scale, mode)`."""
        if not scale_and_mode:
            return BigDecimal(decimal.Context(prec=34).divide(self, Decimal(other)))
        *scales, mode = scale_and_mode
        quotient = BigDecimal(_PRECISE.divide(self, Decimal(other)))
        return quotient.setScale(scales[0] if scales else self.scale(), mode)

    def setScale(self, scale: int, mode: str | None = None) -> BigDecimal:
        return BigDecimal(self.quantize(Decimal(1).scaleb(-scale), mode, _PRECISE))

    def scale(self) -> int:
        exponent = self.as_tuple().exponent
        return -exponent if isinstance(exponent, int) else 0

    def negate(self) -> BigDecimal:
        return BigDecimal(_PRECISE.minus(self))

    def abs(self) -> BigDecimal:
        return BigDecimal(_PRECISE.abs(self))

    def compareTo(self, other: Any) -> int:
        return int(self.compare(Decimal(other)))

    def doubleValue(self) -> float:
        return float(self)

    floatValue = doubleValue

    def intValue(self) -> int:
        return int(self)

    longValue = intValue

    def toBigInteger(self) -> BigInteger:
        return BigInteger(int(self))

    def toPlainString(self) -> str:
        return format(self, "f")

    def toString(self) -> str:
        return str(self)

    def stripTrailingZeros(self) -> BigDecimal:
        return BigDecimal(self.normalize(_PRECISE))

    def __repr__(self) -> str:
        return str(self)

    def __add__(self, other: Any) -> Any:
        return float(self) + other if isinstance(other, float) else super().__add__(other)

    def __sub__(self, other: Any) -> Any:
        return float(self) - other if isinstance(other, float) else super().__sub__(other)

    def __mul__(self, other: Any) -> Any:
        return float(self) * other if isinstance(other, float) else super().__mul__(other)

    def __truediv__(self, other: Any) -> Any:
        return float(self) / other if isinstance(other, float) else super().__truediv__(other)

    def __radd__(self, other: Any) -> Any:
        return other + float(self) if isinstance(other, float) else super().__radd__(other)

    def __rsub__(self, other: Any) -> Any:
        return other - float(self) if isinstance(other, float) else super().__rsub__(other)

    def __rmul__(self, other: Any) -> Any:
        return other * float(self) if isinstance(other, float) else super().__rmul__(other)

    def __rtruediv__(self, other: Any) -> Any:
        return other / float(self) if isinstance(other, float) else super().__rtruediv__(other)


class BigInteger(int):
    """An integer of any size, as Python's are."""

    @classmethod
    def valueOf(cls, value: Any) -> BigInteger:
        return cls(value)

    def add(self, other: int) -> BigInteger:
        return BigInteger(self + other)

    def subtract(self, other: int) -> BigInteger:
        return BigInteger(self - other)

    def multiply(self, other: int) -> BigInteger:
        return BigInteger(self * other)

    def compareTo(self, other: int) -> int:
        return (self > other) - (self < other)

    def intValue(self) -> int:
        return int(self)

    longValue = intValue

    def toString(self) -> str:
        return str(self)


CLASSES: dict[str, Any] = {
    "BigDecimal": BigDecimal,
    "BigInteger": BigInteger,
    "RoundingMode": RoundingMode,
}
