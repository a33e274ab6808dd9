"""A folder of files for browsers, served with the tasks so that a page and its API have one origin.

All files are read at startup and served from memory: nothing that a caller sends ever becomes a
path on the disk, and a slow disk cannot block the front. SIGHUP reloads them.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
from pathlib import Path

import msgspec

from engine.errors import ConfigurationError
from engine.tasks.front.reply import Reply
from engine.tasks.wire.messages import Headers
from engine.tasks.worker.http_headers import joined

INDEX = "index.html"
NOT_FOUND = "404.html"

MAX_SITE_BYTES = 256 * 1024 * 1024
"""Bytes that are kept in memory at most."""

_MIN_GZIP_BYTES = 512
_MAX_GZIP_RATIO = 0.9
"""A compressed file has to be smaller than this share of the plain one."""

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
"""Listed here, because `mimetypes` depends on the machine."""

_NOT_FOUND_PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Page not found</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 34rem }</style>
<h1>Page not found</h1><p>The address may be mistyped. <a href="/">Go to the start page</a></p>
"""


class _File(msgspec.Struct, frozen=True):
    content_type: str
    tag: str
    plain: bytes
    zipped: bytes | None


class Site:
    """The files of a folder under the paths at which a browser asks for them."""

    def __init__(self, folder: str | Path) -> None:
        """Raises ConfigurationError if it is not a folder, has no start page, or is too large."""
        self._folder = Path(folder)
        self._files = _read(self._folder)

    def reload(self) -> None:
        """Reload the files; raises, and changes nothing, if they cannot be served."""
        self._files = _read(self._folder)

    def answer(self, method: str, path: str, headers: Headers) -> Reply:
        """The response to a request for a decoded path."""
        if method not in ("GET", "HEAD"):
            return Reply(405, [_PLAIN, ("allow", "GET, HEAD")], b"This page is read-only.\n")
        file = self._files.get(path)
        if file is None:
            return self._missing()
        fields = joined(headers)
        common: Headers = [
            ("etag", file.tag),
            ("cache-control", "no-cache"),  # cached, but revalidated, at the cost of an empty 304
            ("vary", "accept-encoding"),
        ]
        if _is_known(file.tag, fields.get("if-none-match", "")):
            return Reply(304, common, b"")
        return _file_reply(file, 200, common, fields.get("accept-encoding", ""))

    def _missing(self) -> Reply:
        file = self._files.get(f"/{NOT_FOUND}")
        body = _NOT_FOUND_PAGE if file is None else file.plain
        return Reply(404, [("content-type", "text/html; charset=utf-8"), _NO_SNIFFING], body)


_PLAIN = ("content-type", "text/plain; charset=utf-8")
_NO_SNIFFING = ("x-content-type-options", "nosniff")


def _file_reply(file: _File, status: int, common: Headers, accepted: str) -> Reply:
    headers: Headers = [("content-type", file.content_type), *common, _NO_SNIFFING]
    if file.zipped is not None and _takes_gzip(accepted):
        return Reply(status, [*headers, ("content-encoding", "gzip")], file.zipped)
    return Reply(status, headers, file.plain)


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
        raise ConfigurationError(f"--site {str(folder)!r}: folder not found")
    if not (folder / INDEX).is_file():
        raise ConfigurationError(
            f"--site {str(folder)!r}: the folder has no {INDEX}; give the folder that has one"
        )
    paths = sorted(_paths(folder.resolve()))
    size = sum(path.stat().st_size for _, path in paths)
    if size > MAX_SITE_BYTES:
        raise ConfigurationError(
            f"--site {str(folder)!r}: the files have {size:,} bytes, but at most {MAX_SITE_BYTES:,}"
            " are kept in memory; remove what does not belong to the page"
        )
    files: dict[str, _File] = {}
    for name, path in paths:
        file = files[f"/{name}"] = _file(path)
        if path.name == INDEX:
            files[f"/{name.removesuffix(INDEX)}"] = file
    return files


def _paths(root: Path) -> list[tuple[str, Path]]:
    """Name and path of each file, without hidden ones and links that lead outside."""
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
        raise ConfigurationError(f"--site: cannot read {str(path)!r}: {why}") from error
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
