"""Compress binary streams with gzip, bzip2, xz or zip."""

from __future__ import annotations

from typing import Any, Literal

from engine.sdk import (
    Example,
    Foreign,
    Header,
    Item,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    compressor,
    setting,
)
from snaps.files.shared.archives import ForwardFile, entry_name

_LIBRARY_NAMES = {"gzip": "gzip", "bzip2": "bz2", "xz": "xz"}


class CompressSettings(Settings):
    scheme: Literal["gzip", "bzip2", "xz", "zip"] = setting(
        default="gzip",
        help="How to compress. `zip` makes an archive with one entry, named as the header's "
        "`content-location` ends; several files go into one archive with ZipFileWrite.",
    )


class Compress(StreamSnap[CompressSettings]):
    since = "0.4.0"
    about = """
    Each stream is compressed by itself, piece by piece. Its header is passed on, without
    `content-length`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-compress",
        "Compress",
        version=1,
        settings={"scheme": "scheme"},
        choices={"scheme": {"GZIP": "gzip", "BZIP2": "bzip2", "XZ": "xz", "ZIP": "zip"}},
    )
    views = Views(
        inputs=(View("input", "binary", unlinked="refused"),),
        outputs=(View("output", "binary"),),
    )
    stateful = True
    plain = True
    changes_input = False
    shares_output = False
    loses_lineage = ""
    examples = (
        Example(
            "the header is passed on, without the length",
            settings={"scheme": "bzip2"},
            given=[StreamStart({"name": "a", "content-length": 5}), b"hello", StreamEnd()],
            expect=[
                StreamStart({"name": "a"}),
                b'BZh91AY&SY\x191e=\x00\x00\x00\x81\x00\x02D\xa0\x00!\x9ah3M\x073\x8b\xb9"\x9c(H\x0c\x98'
                b"\xb2\x9e\x80",
                StreamEnd(),
            ],
        ),
    )

    def begin(self, header: Header) -> list[Item]:
        self._compressor: Any = (
            _Zip(header)
            if self.settings.scheme == "zip"
            else compressor(_LIBRARY_NAMES[self.settings.scheme])
        )
        return [StreamStart({k: v for k, v in header.items() if k != "content-length"})]

    def feed(self, chunk: bytes) -> list[Item]:
        compressed = self._compressor.compress(chunk)
        return [compressed] if compressed else []

    def end(self) -> list[Item]:
        return [self._compressor.flush(), StreamEnd()]

    def broken(self) -> list[Item]:
        return [StreamEnd(broken=True)]


class _Zip:
    """A zip archive of one entry, with the interface of a compressor."""

    def __init__(self, header: Header) -> None:
        from zipfile import ZIP_DEFLATED, ZipFile

        self._held = bytearray()
        self._archive = ZipFile(ForwardFile(self._held.extend), "w", ZIP_DEFLATED)
        name = entry_name(header.get("content-location") or "content").rpartition("/")[2]
        self._entry = self._archive.open(name, "w", force_zip64=True)

    def compress(self, data: bytes) -> bytes:
        self._entry.write(data)
        return self._taken()

    def flush(self) -> bytes:
        self._entry.close()
        self._archive.close()
        return self._taken()

    def _taken(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held
