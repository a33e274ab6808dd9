"""Decimals by their text. Prices, rates and quantities repeat, and it takes less time to look a
decimal up than to make it again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.numbers import decimal_of

_MAX = 4_000


class KnownDecimals(dict[str, Decimal]):
    """The first decimals that were read. `each_line` is the usual number of them in a line."""

    def __init__(self, each_line: int) -> None:
        self._each_line = each_line

    def __missing__(self, text: str) -> Decimal:
        made = decimal_of(text)
        if len(self) < _MAX:
            self[text] = made
        return made

    def repeat(self, lines: int) -> bool:
        """Whether most of the decimals in so many lines were known."""
        return len(self) < _MAX or self._each_line * lines > 5 * _MAX


def count_decimals(value: Any) -> int:
    """How many decimals there are in a value."""
    if value.__class__ is dict:
        return sum(map(count_decimals, value.values()))
    if value.__class__ is list:
        return sum(map(count_decimals, value))
    return int(value.__class__ is Decimal)
