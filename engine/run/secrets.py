"""Values of secret parameters never reach a message, an error document or a preview."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MASK = "***"
SHORTEST_INSIDE_TEXT = 4
"""Shorter secrets are masked only where they are the whole text: else every `a` would go."""


class Secrets:
    """Replaces secret values in texts and documents."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = sorted({value for value in values if value}, key=len, reverse=True)
        self._whole = frozenset(known)
        self._inside = [value for value in known if len(value) >= SHORTEST_INSIDE_TEXT]

    def mask_text(self, text: str) -> str:
        if text in self._whole:
            return MASK
        for value in self._inside:
            text = text.replace(value, MASK)
        return text

    def mask(self, value: Any) -> Any:
        """The value with every secret in it replaced; the same object if there are no secrets."""
        if not self._whole:
            return value
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, dict):
            return {self.mask_text(key): self.mask(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.mask(item) for item in value]
        return value
