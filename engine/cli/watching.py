"""Waits until files change.

It looks at the files four times a second. Those of a pipeline are few and known, so that costs less
than one percent of a processor; and unlike the notifications of an operating system it works on
network drives and in containers, and needs no library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from time import sleep

from engine.cli import terminal_columns
from engine.plan.folders import folder_of, project_of
from engine.registry import Registry

SECONDS = 0.25
MAX_FILES = 2_000

Stamp = tuple[int, int, int] | None
"""Time, size and inode of a file; None if there is none."""


class Watch:
    """The files of one command, as they were when it last read them."""

    def __init__(self, files: Iterable[str]) -> None:
        self._stamps: dict[str, Stamp] = {}
        self.add(files)

    def begin(self) -> None:
        """The command is about to read the files."""
        self._stamps = {file: _stamp(file) for file in self._stamps}

    def add(self, files: Iterable[str]) -> None:
        """Watch these from now on, too."""
        for file in map(os.path.abspath, files):  # links stay
            if len(self._stamps) < MAX_FILES:
                self._stamps.setdefault(file, _stamp(file))

    def wait(self, pause: Callable[[float], object] | None = None) -> list[str]:
        """The files that have changed since `begin`, once nobody writes them any more.

        None have if `pause`, which is called to pass time, returned something true.
        """
        pause = pause or sleep
        while not (changed := self._changed()):
            if pause(SECONDS):
                return []
        while True:
            found = [_stamp(file) for file in self._stamps]
            if pause(SECONDS / 2):
                return []
            if found == [_stamp(file) for file in self._stamps]:
                return self._changed() or changed

    def announce(self) -> None:
        count = sum(stamp is not None for stamp in self._stamps.values())
        say(f"watching {count:,} file{'' if count == 1 else 's'}; press Ctrl+C to end")

    def _changed(self) -> list[str]:
        return [file for file, stamp in self._stamps.items() if _stamp(file) != stamp]


def announce(changed: Sequence[str]) -> None:
    """Say what has changed, before it is read again."""
    text = f"── {datetime.now():%H:%M:%S} · {names(changed)} "
    say(f"\n{text.ljust(min(terminal_columns(), 100), '─')}")


def needs_restart(code: Iterable[str], changed: Iterable[str]) -> bool:
    """Whether code that the process has imported is among the changed files."""
    return bool({os.path.abspath(file) for file in code}.intersection(changed))  # noqa: PTH100


def restart() -> None:
    """Start the process again, with the same command."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stamp(file: str) -> Stamp:
    try:
        status = os.stat(file)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def own_code(registry: Registry, pipeline: str) -> list[str]:
    """The files of the snap packages in the project of a pipeline."""
    project = Path(project_of(folder_of(pipeline)))
    roots = {
        file.root
        for file in registry.files
        if Path(file.path).is_relative_to(project) and "site-packages" not in file.path
    }
    found = (root.rglob("*.py") if root.is_dir() else [root] for root in sorted(roots))
    return [str(file) for files in found for file in files]


def names(files: Iterable[str]) -> str:
    """Files as in a message, the longest part of a path that all share left out."""
    shown = [os.path.relpath(file) if _is_below(file) else file for file in files]
    more = f" and {len(shown) - 3:,} more" if len(shown) > 3 else ""
    return ", ".join(shown[:3]) + more


def _is_below(file: str) -> bool:
    return file.startswith(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118
