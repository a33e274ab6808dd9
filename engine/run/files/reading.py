"""Open a file wherever it is, and read it in chunks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from engine.plan.folders import ARCHIVES, scheme_of
from engine.run.files.failures import failure
from engine.run.files.names import errors_of, is_compression, is_local, split_chain
from engine.sdk.files import FileContent

CHUNK = 512 * 1024
"""To pass a chunk on to the next thread takes as long as to process a hundred lines."""

SPOOLED = 8 * 1024 * 1024
"""Largest remote archive, in bytes, that is held in memory; a larger one goes to a file."""

_TYPES = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


class Elsewhere(NamedTuple):
    """How to open files that are not on this machine: those of http and https with `fetch`, others
    with the options for their URL."""

    fetch: Callable[[str], FileContent]
    options: Callable[[str], Mapping[str, Any]]


def open_file(located: str, elsewhere: Elsewhere) -> FileContent:
    """Open a file. Raises DataError."""
    try:
        return _open(located, elsewhere)
    except errors_of(located) as error:
        raise failure("read", located, error) from error


def open_seekable(located: str, elsewhere: Elsewhere) -> IO[bytes]:
    """Open a file for reading in any order. Raises DataError."""
    try:
        return Path(located).open("rb") if is_local(located) else _held(located, elsewhere)
    except errors_of(located) as error:
        raise failure("read", located, error) from error


def _open(located: str, elsewhere: Elsewhere) -> FileContent:
    if is_local(located):
        return _open_local(located)
    first, rest = split_chain(located)
    scheme = scheme_of(first)
    if rest and is_compression(first):
        return _decompressed(first, rest, elsewhere)
    if rest and scheme in ARCHIVES:
        return _member(located, scheme, first, rest, elsewhere)
    if scheme in ("http", "https") and not rest:
        return elsewhere.fetch(located)
    if scheme == "data":
        return _of_data_url(located)
    return _open_elsewhere(located, elsewhere.options(located))


def _decompressed(compression: str, rest: str, elsewhere: Elsewhere) -> FileContent:
    from engine.run.files.decompression import (
        decompressed,
    )  # imported late: few runs need these libraries

    chunks = decompressed(compression, open_file(rest, elsewhere), f"{compression}::{rest}")
    return FileContent(chunks, content_type=_type_and_coding(rest)[0])


def _member(
    located: str, scheme: str, first: str, archive: str, elsewhere: Elsewhere
) -> FileContent:
    """A member of an archive, which must be local because it is not read sequentially."""
    from engine.run.files.archives import (
        open_member,
    )  # imported late: few runs need these libraries

    held = open_seekable(archive, elsewhere)
    try:
        file, size = open_member(scheme, held, first.partition("://")[2])
    except BaseException:  # raised again once the archive is closed
        held.close()
        raise
    return FileContent(_then_closed(_chunks_of(file, located), held), size, guessed_type(first))


def _held(located: str, elsewhere: Elsewhere) -> IO[bytes]:
    import tempfile

    held = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115  # closed with the archive
    try:
        for chunk in open_file(located, elsewhere):
            held.write(chunk)
    except BaseException:  # raised again once it is closed
        held.close()
        raise
    held.seek(0)
    return held


def _type_and_coding(name: str) -> tuple[str, str | None]:
    from mimetypes import guess_type  # most runs read no file, or one whose type does not matter

    kind, coding = guess_type(name)
    return kind or "", coding


def guessed_type(name: str) -> str:
    """The content type by the name of a file; `a.json.gz` is gzip, not JSON."""
    kind, compression = _type_and_coding(name)
    if compression is not None:
        return _TYPES.get(compression, "application/octet-stream")
    return kind


def _open_local(located: str) -> FileContent:
    file = Path(located).open("rb", buffering=0)  # noqa: SIM115  # closed at its end
    size = os.fstat(file.fileno()).st_size
    return FileContent(_chunks_of(file, located), size, guessed_type(located))


def _open_elsewhere(located: str, options: Mapping[str, Any]) -> FileContent:
    import fsspec  # imported late: fsspec is slow to import and rarely needed

    files, path = fsspec.core.url_to_fs(located, **options)
    file = files.open(path, "rb")
    size = getattr(file, "size", None)
    if size is None:
        with suppress(Exception):  # some file systems know it, but nobody needs it
            size = files.size(path)
    return FileContent(_chunks_of(file, located, keep=files), size, guessed_type(path))


def _of_data_url(url: str) -> FileContent:
    from base64 import b64decode

    head, comma, data = url.removeprefix("data:").partition(",")
    if not comma:
        raise ValueError("a data: URL needs a comma before the data")
    content = unquote_to_bytes(data)
    kind, is_base64 = head.removesuffix(";base64"), head.endswith(";base64")
    if is_base64:
        content = b64decode(content, validate=True)
    return FileContent(iter((content,) if content else ()), len(content), kind or "text/plain")


def _then_closed(chunks: Iterator[bytes], archive: IO[bytes]) -> Iterator[bytes]:
    with archive:
        yield from chunks


def _chunks_of(file: Any, located: str, keep: Any = None) -> Iterator[bytes]:
    """The chunks of an open file. `keep` must stay open until the last chunk."""
    try:
        with file:
            while chunk := file.read(CHUNK):
                yield chunk
    except errors_of(located) as error:
        raise failure("read", located, error) from error
    finally:
        del keep
