"""Compressed files and archives, recognised by their first bytes."""

from __future__ import annotations

_PACKED = {
    b"\x1f\x8b": ("compressed with gzip", "read the file as gzip::NAME"),
    b"BZh": ("compressed with bzip2", "read the file as bz2::NAME"),
    b"\xfd7zX": ("compressed with xz", "read the file as xz::NAME"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "decompress it first"),
    b"PK\x03\x04": ("a zip archive", "read a file in it as zip://MEMBER::NAME"),
}

PACKING_BYTES = max(map(len, _PACKED))


def packing_of(head: bytes) -> tuple[str, str] | None:
    """How a stream with these first bytes is packed, and how to read it; None if it is not.

    Text may begin with `BZh` too, so a reader of text should ask only when it cannot decode it.
    """
    return next((words for mark, words in _PACKED.items() if head.startswith(mark)), None)
