"""Whether a virtual environment for scripts is whole, seen from the files alone.

pip writes down every file that it installs. An environment in which one of them is missing, or is
shorter than it was, fails in ways that say nothing about the cause; so does one that has lost its
own files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from engine.script.child.needs import MARK


def damage(folder: Path) -> str:
    """What is wrong with an environment; empty if nothing is."""
    if not os.access(folder / "bin" / "python", os.X_OK):
        return "its Python is gone"
    if not any(folder.glob("lib/*/site-packages")):
        return "its folder of libraries is gone"
    if not _is_configured(folder / "pyvenv.cfg"):
        return "its pyvenv.cfg is missing or incomplete"
    mark = folder / MARK
    if mark.exists():
        return "" if _is_readable(mark) else "it does not say which installation was cut off"
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
            yield f"{name} has lost its list of files"
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
