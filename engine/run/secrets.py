"""Secrets of parameters and accounts never reach a message, an error document or a preview."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus
from weakref import WeakSet

from engine.numbers import decimal_of, with_decimals

MASK = "***"
MIN_INSIDE_TEXT = 4
"""Shorter secrets are masked only where they are the whole string: otherwise every `a` would go."""

MIN_CUT = 8
"""Messages may shorten a long secret; at least this much of its start before a `…` is masked."""


class Secrets:
    """Replaces secret values in texts and documents: its own, and those of the `outer` run."""

    def __init__(self, values: Iterable[str] = (), outer: Secrets | None = None) -> None:
        self._values: frozenset[str] = frozenset()
        self._inner: WeakSet[Secrets] = WeakSet()
        self._lock = threading.RLock()
        if outer is None:
            self.add(values)
        else:
            with outer._lock:
                outer._inner.add(self)
                self.add(outer._values.union(values))

    def add(self, values: Iterable[str]) -> None:
        """Replace these from now on, too; so do the runs inside this one. From any thread."""
        added = frozenset(filter(None, values))
        with self._lock:
            self._learn(added)
            for inner in self._inner:
                inner.add(added)

    def _learn(self, values: frozenset[str]) -> None:
        known = self._values | values
        self._numbers = frozenset(filter(None, map(_number_of, known)))
        long = {value for value in known if len(value) >= MIN_INSIDE_TEXT}
        quoted = {form for value in long for form in _quoted(value)}
        self._inside = sorted(long | quoted, key=len, reverse=True)
        self._bytes = [value.encode(errors="surrogatepass") for value in self._inside]
        self._values = known

    def without(self, values: Iterable[str]) -> Secrets:
        """The same secrets except these."""
        return Secrets(self._values.difference(values))

    def __bool__(self) -> bool:
        return bool(self._values)

    def mask_text(self, text: str) -> str:
        if text in self._values:
            return MASK
        for value in self._inside:
            text = text.replace(value, MASK)
            if "…" in text:
                text = _without_cut(text, value)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        for value in self._bytes:
            data = data.replace(value, MASK.encode())
        return data

    def mask_start(self, data: bytes) -> bytes:
        """The beginning of something, which may end in the middle of a secret."""
        masked = self.mask_bytes(data)
        for value in self._bytes:
            for length in range(min(len(value) - 1, len(masked)), MIN_INSIDE_TEXT - 1, -1):
                if masked.endswith(value[:length]):
                    return masked[: len(masked) - length] + MASK.encode()
        return masked

    def mask(self, value: Any) -> Any:
        """The value with all secrets replaced; the same object if there are no secrets."""
        if not self._values:
            return value
        try:
            return self._masked(value)
        except RecursionError:
            return MASK

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, bytes):
            return self.mask_bytes(value)
        if isinstance(value, dict):
            return {self._masked(key): self._masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(item) for item in value]
        if isinstance(value, int | float | Decimal) and self._is_secret(value):
            return MASK
        return value

    def _is_secret(self, number: float | Decimal) -> bool:
        """Whether a secret is written as this number, or as one of the same value."""
        is_equal = number.__class__ is not bool and with_decimals(number) in self._numbers
        return is_equal or str(number) in self._values


def _number_of(secret: str) -> Decimal | None:
    """The number that a secret is, if it is written as one usually is."""
    try:
        number = decimal_of(secret)
    except ArithmeticError:
        return None
    return number if number.is_finite() and str(number) == secret else None


def _quoted(value: str) -> tuple[str, ...]:
    """The value as written in JSON, Python and URLs."""
    import json  # most runs have no secrets

    in_a_url = value.encode(errors="replace")
    return (
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        quote(in_a_url, safe=""),
        quote(in_a_url),
        quote_plus(in_a_url),
    )


def _without_cut(text: str, secret: str) -> str:
    """The text without beginnings of the secret that end in a `…`."""
    for length in range(len(secret) - 1, MIN_CUT - 1, -1):
        text = text.replace(f"{secret[:length]}…", f"{MASK}…")
    return text
