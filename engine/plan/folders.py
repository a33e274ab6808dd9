"""Where the files of a pipeline are: beside it, in its project, or elsewhere."""

from __future__ import annotations

from pathlib import Path

_MARKS = (".git", "pyproject.toml")
_SLDB = "sldb:///"


def folder_of(pipeline: str) -> str:
    """The folder of a pipeline file, as a full path."""
    return str(Path(pipeline).absolute().parent)


def project_of(folder: str) -> str:
    """The nearest folder upwards that has `.git` or `pyproject.toml`, else the folder itself."""
    start = Path(folder)
    for candidate in (start, *start.parents):
        if any((candidate / mark).exists() for mark in _MARKS):
            return str(candidate)
    return folder


def is_file(path: Path) -> bool:
    """Whether there is such a file; no for names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def local_path(name: str, folder: str, project: str) -> Path | None:
    """The file on this machine that a name means, or None if it is not on this machine."""
    if name.startswith(_SLDB):
        return Path(project, name[len(_SLDB) :].lstrip("/"))
    if name.startswith("file://"):
        return Path(name[len("file://") :])
    return None if "://" in name else Path(folder, name)
