"""A folder of files for browsers, served beside the tasks: a page and its API have one origin.

All files are read at the start and answered from memory: nothing that a caller sends ever becomes
a path on the disk, and a slow disk cannot hold up the front. SIGHUP reads them anew.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
from pathlib import Path

import msgspec

from engine.errors import ConfigurationError
from engine.tasks.processes.messages import Headers, Reply

INDEX = "index.html"
NOT_FOUND = "404.html"

MAX_SITE_BYTES = 256 * 1024 * 1024
"""More than this is not kept in memory."""

_MIN_GZIP_BYTES = 512
_MAX_GZIP_RATIO = 0.9
"""A zipped form has to be smaller than this part of the plain one."""

_TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Said here, because what `mimetypes` knows depends on the machine."""

_NOT_FOUND_PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>No such page</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 34rem }</style>
<h1>There is no such page</h1><p>The address may be mistyped. <a href="/">To the first page</a></p>
"""


class _File(msgspec.Struct, frozen=True):
    content_type: str
    tag: str
    plain: bytes
    zipped: bytes | None


class Site:
    """The files of a folder under the paths at which a browser asks for them."""

    def __init__(self, folder: str | Path) -> None:
        """Raises ConfigurationError if the folder is none, has no first page, or is too large."""
        self._folder = Path(folder)
        self._files = _read(self._folder)

    def reload(self) -> None:
        """Read the files anew; what cannot be served raises and changes nothing."""
        self._files = _read(self._folder)

    def answer(self, method: str, path: str, headers: Headers) -> Reply:
        """The answer to a request for a path, which is decoded already."""
        if method not in ("GET", "HEAD"):
            return Reply(405, [_PLAIN, ("allow", "GET, HEAD")], b"This page can only be read.\n")
        file = self._files.get(path)
        if file is None:
            return self._missing()
        fields = _fields(headers)
        common: Headers = [
            ("etag", file.tag),
            ("cache-control", "no-cache"),  # kept, and asked for anew: that costs an empty 304
            ("vary", "accept-encoding"),
        ]
        if _is_known(file.tag, fields.get("if-none-match", "")):
            return Reply(304, common, b"")
        return _whole(file, 200, common, fields.get("accept-encoding", ""))

    def _missing(self) -> Reply:
        file = self._files.get(f"/{NOT_FOUND}")
        body = _NOT_FOUND_PAGE if file is None else file.plain
        return Reply(404, [("content-type", "text/html; charset=utf-8"), _NO_SNIFFING], body)


_PLAIN = ("content-type", "text/plain; charset=utf-8")
_NO_SNIFFING = ("x-content-type-options", "nosniff")


def _whole(file: _File, status: int, common: Headers, accepted: str) -> Reply:
    headers: Headers = [("content-type", file.content_type), *common, _NO_SNIFFING]
    if file.zipped is not None and _takes_gzip(accepted):
        return Reply(status, [*headers, ("content-encoding", "gzip")], file.zipped)
    return Reply(status, headers, file.plain)


def _fields(headers: Headers) -> dict[str, str]:
    """One value for each name; those of a header that is sent twice are joined, as HTTP says."""
    found: dict[str, str] = {}
    for name, value in headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _is_known(tag: str, known: str) -> bool:
    return known.strip() == "*" or tag in (each.strip() for each in known.split(","))


def _takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding names gzip, and not with the weight 0."""
    for each in accepted.lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";")
        if name in ("gzip", "*"):
            return weight.rstrip("0") not in ("q=", "q=0.")
    return False


# Reading the folder


def _read(folder: Path) -> dict[str, _File]:
    if not folder.is_dir():
        raise ConfigurationError(f"--site {str(folder)!r}: there is no such folder")
    if not (folder / INDEX).is_file():
        raise ConfigurationError(
            f"--site {str(folder)!r}: the folder has no {INDEX}; name the one that has it"
        )
    paths = sorted(_paths(folder.resolve()))
    size = sum(path.stat().st_size for _, path in paths)
    if size > MAX_SITE_BYTES:
        raise ConfigurationError(
            f"--site {str(folder)!r}: the files have {size:,} bytes, and at most {MAX_SITE_BYTES:,}"
            " are kept in memory; take away what is no part of the page"
        )
    files: dict[str, _File] = {}
    for name, path in paths:
        file = files[f"/{name}"] = _file(path)
        if path.name == INDEX:
            files[f"/{name.removesuffix(INDEX)}"] = file
    return files


def _paths(root: Path) -> list[tuple[str, Path]]:
    """Name and place of each file: no hidden ones, and none that a link brings in from outside."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.resolve().is_relative_to(root) and path.is_file():
                found.append((path.relative_to(root).as_posix(), path))
    return found


def _file(path: Path) -> _File:
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigurationError(f"--site: {str(path)!r} cannot be read: {why}") from error
    tag = hashlib.sha256(content).hexdigest()[:20]
    return _File(_content_type(path), f'W/"{tag}"', content, _zipped(content))


def _content_type(path: Path) -> str:
    suffix = path.suffix.lower()
    found = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    is_text = found.startswith("text/") or found in ("application/json", "image/svg+xml")
    return f"{found}; charset=utf-8" if is_text else found


def _zipped(content: bytes) -> bytes | None:
    if len(content) < _MIN_GZIP_BYTES:
        return None
    zipped = gzip.compress(content, mtime=0)
    return zipped if len(zipped) < len(content) * _MAX_GZIP_RATIO else None
