"""Whether a virtual environment for scripts is intact, judging by its files alone.

pip records every file that it installs. An environment in which one of them is missing or truncated
fails in ways that do not point to the cause; so does one that has lost its own files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from engine.script.child.needs import MARK


def damage(folder: Path) -> str:
    """What is wrong with an environment; empty if it is intact."""
    if not os.access(folder / "bin" / "python", os.X_OK):
        return "its Python is missing"
    if not any(folder.glob("lib/*/site-packages")):
        return "its folder of libraries is missing"
    if not _is_configured(folder / "pyvenv.cfg"):
        return "its pyvenv.cfg is missing or incomplete"
    mark = folder / MARK
    if mark.exists():
        return "" if _is_readable(mark) else "its record of an interrupted installation is broken"
    return next(_missing_files(folder), "")


def _is_configured(file: Path) -> bool:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return False
    keys = {line.partition("=")[0].strip() for line in text.splitlines()}
    return {"home", "version"} <= keys and text.endswith("\n")


def _is_readable(mark: Path) -> bool:
    try:
        return isinstance(json.loads(mark.read_text()), list)
    except (OSError, ValueError):
        return False


def _missing_files(folder: Path) -> Iterator[str]:
    for record in sorted(folder.glob("lib/*/site-packages/*.dist-info")):
        name = record.name.removesuffix(".dist-info").replace("-", " ")
        try:
            text = (record / "RECORD").read_text()
        except (OSError, UnicodeDecodeError):
            yield f"the list of files of {name} is missing"
            continue
        for line in text.splitlines():
            quoted, _, size = (*line.rsplit(",", 2), "", "")[:3]
            file = quoted.strip('"')
            if not file.endswith(".pyc") and not _is_there(record.parent / file, size):
                yield f"{file} of {name} is missing or incomplete"


def _is_there(file: Path, size: str) -> bool:
    try:
        return file.stat().st_size >= int(size or 0)
    except (OSError, ValueError):
        return False
