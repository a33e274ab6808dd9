"""Checks of settings that are numbers."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sdk import Evaluated, Issue, Settings


def check_bounds(settings: Settings, *names: str, least: int = 0) -> Iterator[Issue]:
    """An issue for each of these settings that is known, and less than `least`."""
    for name in names:
        value = getattr(settings, name)
        if isinstance(value, Evaluated):
            value = value.value
        if value is not None and value < least:
            wanted = "0 or more" if least == 0 else f"at least {least}"
            yield Issue((name,), f"{name} must be {wanted}, got {value}")
