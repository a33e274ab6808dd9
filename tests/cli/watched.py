"""Commands that watch files, in a test that changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from engine.cli import main, watching

Edit = Callable[[], object]


def watch(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], edits: Sequence[Edit]) -> int:
    """Run a command that watches. Each edit happens when it waits, and then somebody presses
    Ctrl+C."""
    remaining = list(edits)

    def pause(seconds: float) -> None:
        if seconds < watching.SECONDS:
            return  # it waits until the file is complete
        if not remaining:
            raise KeyboardInterrupt
        remaining.pop(0)()

    monkeypatch.setattr(watching, "sleep", pause)
    return main(list(arguments))
