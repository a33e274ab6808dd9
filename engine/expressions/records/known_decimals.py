"""Decimals by their text. Prices, rates and quantities repeat, and it takes less time to look a
decimal up than to make it again."""

from __future__ import annotations

from collections.abc import Iterator
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


def scalars(value: Any) -> Iterator[Any]:
    """The strings, numbers and so on in a value."""
    if value.__class__ is dict or value.__class__ is list:
        for item in value.values() if value.__class__ is dict else value:
            yield from scalars(item)
    else:
        yield value
