"""The entries of a folder, here or on another file system."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from engine.sdk.files import FileEntry

_UNLIMITED = 1_000
"""How deep a pattern with `**` looks."""


def local_entries(folder: str, pattern: str) -> Iterator[FileEntry]:
    """What matches in a folder of this machine, sorted by path. Raises OSError."""
    matches = matcher(pattern)
    for path, relative in _walk(folder, "", depth_of(pattern)):
        if matches(relative):
            yield _local_entry(path)


def _walk(folder: str, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    """Paths and relative paths. Links to folders are listed, but not followed."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        relative = f"{prefix}{entry.name}"
        yield entry.path, relative
        if depth > 1 and entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{relative}/", depth - 1)


def _local_entry(path: str) -> FileEntry:
    try:
        found = os.stat(path)  # noqa: PTH116  # of the target of a link
    except OSError:
        found = os.lstat(path)  # a link that leads nowhere
    return FileEntry(
        path=path,
        name=path.rpartition("/")[2],
        is_folder=stat.S_ISDIR(found.st_mode),
        size=found.st_size,
        owner=_owner(found.st_uid),
        created=_time(found.st_ctime),
        updated=_time(found.st_mtime),
        permissions=stat.filemode(found.st_mode)[1:],
    )


@lru_cache(1_000)
def _owner(number: int) -> str:
    import pwd  # few runs list folders

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def remote_entries(files: Any, folder: str, pattern: str) -> Iterator[FileEntry]:
    """What matches in a folder of a file system of fsspec, sorted by path."""
    matches = matcher(pattern)
    for found, relative in _walk_remote(files, folder.rstrip("/"), "", depth_of(pattern)):
        if matches(relative):
            yield _remote_entry(files, found)


def _walk_remote(
    files: Any, folder: str, prefix: str, depth: int
) -> Iterator[tuple[dict[str, Any], str]]:
    for found in sorted(files.ls(folder, detail=True), key=lambda entry: str(entry["name"])):
        path = str(found["name"]).rstrip("/")
        name = path.rpartition("/")[2]
        if not name or path == folder:
            continue  # the folder itself, as S3 lists it
        relative = f"{prefix}{name}"
        yield found, relative
        if depth > 1 and found["type"] == "directory":
            yield from _walk_remote(files, path, f"{relative}/", depth - 1)


def _remote_entry(files: Any, found: dict[str, Any]) -> FileEntry:
    path = str(found["name"]).rstrip("/")
    return FileEntry(
        path=str(files.unstrip_protocol(path)),
        name=path.rpartition("/")[2],
        is_folder=found["type"] == "directory",
        size=int(found.get("size") or 0),
        owner=str(found.get("owner") or found.get("uid") or ""),
        created=_remote_time(found, "created", "LastModified", "mtime"),
        updated=_remote_time(found, "LastModified", "mtime", "modified", "created"),
        permissions="",
        storage_class=str(found.get("StorageClass") or ""),
        etag=str(found.get("ETag") or "").strip('"'),
    )


def _remote_time(found: dict[str, Any], *keys: str) -> datetime | None:
    """The first of these that the file system knows."""
    for key in keys:
        value = found.get(key)
        if isinstance(value, int | float):
            return _time(value)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


def depth_of(pattern: str) -> int:
    """How many levels of folders a pattern may match in."""
    return _UNLIMITED if "**" in pattern else pattern.count("/") + 1


@lru_cache(100)
def matcher(pattern: str) -> Any:
    """Whether a relative path matches a glob: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for folders.

    Case matters. A leading `**/` matches no folder as well.
    """
    return re.compile(_regex_of(pattern), re.DOTALL).fullmatch


_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|\{[^{}]*\}|\\.|.", re.DOTALL)


def _regex_of(pattern: str) -> str:
    return "".join(_regex_of_token(token) for token in _GLOB.findall(pattern))


def _regex_of_token(token: str) -> str:
    match token:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if len(token) > 2 and token[0] == "[":
        negated = token[1] in "!^"
        characters = token[2 if negated else 1 : -1]
        return f"[{'^' if negated else ''}{_in_class(characters)}]" if characters else r"\[\]"
    if len(token) > 1 and token[0] == "{":
        return f"(?:{'|'.join(map(_regex_of, token[1:-1].split(',')))})"
    return re.escape(token[1:] if len(token) > 1 and token[0] == "\\" else token)


def _in_class(characters: str) -> str:
    """The characters of a class; only `-` has a meaning there."""
    return re.sub(r"([\\\[\]^&~|])", r"\\\1", characters)
