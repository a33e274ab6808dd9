"""What goes before the class of a snap that a preview does not run, whatever takes its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.sdk.files import ReadFile, WrittenFile
from engine.sdk.snap import Snap


class NotRun(Snap[Any]):
    """Opens nothing, and neither reads nor writes a file."""

    @classmethod
    def files_written(cls, settings: Any) -> Iterable[WrittenFile]:
        return ()

    @classmethod
    def files_read(cls, settings: Any) -> Iterable[ReadFile]:
        return ()

    def open(self) -> None:
        """Open nothing."""
