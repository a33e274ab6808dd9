"""Where the files of a pipeline are: next to it, in its project, or elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from engine.late_regex import late_regex

COMPRESSIONS = ("gzip", "bz2", "xz")
"""Prefixes before `::` that read a compressed file."""

ARCHIVES = ("zip", "tar")
"""Schemes of the members of archives."""

FILE_SCHEMES = ("file", "local")

_NEVER_CHAINED = ("sldb", "http", "https", "data", *FILE_SCHEMES)
"""Schemes whose URLs may contain `::` themselves, as in `http://[::1]/a.json`."""

_MARKS = (".git", "pyproject.toml")
_CACHES = ("simplecache", "filecache", "blockcache")
_SCHEME = late_regex(r"[a-z][a-z0-9+.-]*://|(?:file|local|sldb|data):", re.IGNORECASE)


def folder_of(pipeline: str) -> str:
    """The folder of a pipeline file, as a full path."""
    return str(Path(pipeline).absolute().parent)


def project_of(folder: str) -> str:
    """The nearest parent folder with `.git` or `pyproject.toml`, else the folder itself."""
    start = Path(folder)
    for candidate in (start, *start.parents):
        if any((candidate / mark).exists() for mark in _MARKS):
            return str(candidate)
    return folder


def is_file(path: Path) -> bool:
    """Whether the file exists; False for names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def local_path(name: str, folder: str, project: str) -> Path | None:
    """The file on this machine that a name means, or None if it is not on this machine."""
    scheme = scheme_of(name)
    if scheme == "sldb":
        return Path(project, path_in_project(name))
    if scheme in FILE_SCHEMES:
        try:
            return Path(folder, path_of_file_url(name))
        except ValueError:
            return None
    return None if scheme or is_chain(name) else Path(folder, name)


def scheme_of(name: str) -> str:
    """The scheme of a URL in lower case; empty for a plain path."""
    match = _SCHEME.match(name)
    return match[0].rstrip(":/").lower() if match else ""


def is_chain(name: str) -> bool:
    """Whether it is a chain of URLs such as `zip://a.txt::archive.zip` or `gzip::a.gz`."""
    first, *rest = name.split("::")
    scheme = scheme_of(first)
    if scheme:
        return bool(rest) and scheme not in _NEVER_CHAINED
    return bool(rest) and first.lower() in (*COMPRESSIONS, *_CACHES)


def path_in_project(url: str) -> str:
    """The path in `sldb:///a/b`, relative to the project."""
    return url.partition(":")[2].lstrip("/")


def path_of_file_url(url: str) -> str:
    """The path in `file:///a%20b`. Raises ValueError if the URL names another machine."""
    rest = url.partition(":")[2]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise ValueError(f"the URL names the machine {host!r}")
        rest = slash + path
    return unquote(rest)
