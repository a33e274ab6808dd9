"""A file that is read again when it has changed, without a restart.

A file that is being written may be read half: so it counts as changed only once it looks the same
twice in a row, and what cannot be read leaves the old content in place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from engine.errors import ConfigurationError

log = logging.getLogger(__name__)

T = TypeVar("T")

_Signature = tuple[int, int, int] | None


class WatchedFile(Generic[T]):
    """`value` is what `load` has made of the file at last."""

    def __init__(self, path: str, what: str, load: Callable[[str], T]) -> None:
        """Raises ConfigurationError if it cannot be read."""
        self.path = path
        self._what = what
        self._load = load
        self._read = self._seen = self._signature()
        self.value = load(path)

    def look(self) -> None:
        """Read it if it has changed and is no longer being written."""
        signature = self._signature()
        is_settled = signature == self._seen
        self._seen = signature
        if is_settled and signature != self._read:
            self.reload()

    def reload(self) -> None:
        """Read it now; if that fails, log why and keep what there was."""
        self._read = self._seen = self._signature()
        try:
            value = self._load(self.path)
        except ConfigurationError as error:
            log.error("%s %r cannot be read; the old ones stay valid:\n%s",
                      self._what, self.path, error)  # fmt: skip
            return
        if value != self.value:
            log.info("%s %r read again", self._what, self.path)
        self.value = value

    def _signature(self) -> _Signature:
        try:
            found = Path(self.path).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
