"""The path of a file that another file names."""

from __future__ import annotations

import os
from pathlib import Path


def path_beside(path: str, name: str) -> str:
    """The path of a file named in another, without `..` unless a symbolic link needs it."""
    joined = Path(path).parent / name
    tidy = Path(os.path.normpath(joined))
    same = tidy.exists() and joined.exists() and tidy.samefile(joined)
    return str(tidy if same or not joined.exists() else joined)
