"""Decompress binary streams: gzip, bzip2, xz and zip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Any, Literal

from engine.sdk import (
    BombError,
    DataError,
    DecompressionError,
    Decompressor,
    Example,
    Foreign,
    Header,
    Issue,
    Item,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.files.shared.archives import bomb, ratio_issues, ratio_setting
from snaps.files.shared.unzipping import Archive

Scheme = Literal["auto", "gzip", "bzip2", "xz", "zip"]
_MAGIC: dict[bytes, Scheme] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_LONGEST = max(map(len, _MAGIC))
_LIBRARY_NAMES = {"gzip": "gzip", "bzip2": "bz2", "xz": "xz"}
_SUMMARY = "cannot decompress the stream"
_HELLO = bytes.fromhex("1f8b0800000000000003cb48cdc9c9070086a6103605000000")
"""`hello`, compressed with gzip."""

HELD = 8 * 1024 * 1024
"""Bytes of a zip archive that are held in memory; a larger one goes to a temporary file."""


class DecompressSettings(Settings):
    scheme: Scheme = setting(
        default="auto",
        help="How the stream is compressed; `auto` finds out from its first bytes. A `zip` archive "
        "must hold one file; use ZipFileRead for more.",
    )
    max_ratio: int = ratio_setting()


class Decompress(StreamSnap[DecompressSettings]):
    since = "0.4.0"
    about = """
    Each stream is decompressed piece by piece; only a zip archive is first collected, on disk if it
    is large. The header is passed on, without `content-length`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-decompress",
        "Decompress",
        version=1,
        settings={"scheme": "scheme"},
        choices={
            "scheme": {
                "AUTO": "auto",
                "GZIP": "gzip",
                "BZIP2": "bzip2",
                "XZ": "xz",
                "ZIP": "zip",
            }
        },
        defaults={"scheme": "AUTO"},
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
            "the scheme is found out from the first bytes",
            given=[StreamStart({"name": "a"}), _HELLO, StreamEnd()],
            expect=[StreamStart({"name": "a"}), b"hello", StreamEnd()],
        ),
        Example(
            "a stream that is not compressed is an error",
            given=[StreamStart({"name": "a"}), b"hello", StreamEnd()],
            on_error="route",
            expect={
                "error": [
                    {
                        "error": _SUMMARY,
                        "reason": "it begins with b'hello', which is not gzip, bzip2, xz or zip",
                        "resolution": "remove the snap if the stream is not compressed",
                        "stacktrace": "cannot decompress the stream: it begins with b'hello', "
                        "which is not gzip, bzip2, xz or zip",
                        "snap_details": {"label": "snap"},
                        "original": {"name": "a"},
                    }
                ]
            },
        ),
    )

    @classmethod
    def check(cls, settings: DecompressSettings) -> Iterable[Issue]:
        yield from ratio_issues(settings.max_ratio)

    def open(self) -> None:
        self._archive: SpooledTemporaryFile[bytes] | None = None

    def begin(self, header: Header) -> list[Item]:
        self._first = b""
        self._decompressor: Decompressor | None = None
        self._started = False
        self._start = StreamStart({k: v for k, v in header.items() if k != "content-length"})
        if self.settings.scheme != "auto":
            self._use(self.settings.scheme)
        return []

    def feed(self, chunk: bytes) -> Iterator[Item]:
        if self._decompressor is None and self._archive is None:
            self._first += chunk
            if len(self._first) < _LONGEST:
                return
            self._use(_scheme_of(self._first))
            chunk, self._first = self._first, b""
        if self._archive is not None:
            self._archive.write(chunk)
        else:
            yield from self._decompressed(chunk)

    def end(self) -> Iterator[Item]:
        if self._decompressor is None and self._archive is None:
            self._use(_scheme_of(self._first))
            yield from self._to_feed_at_end()
        if self._archive is not None:
            yield from self._unzipped(self._archive)
        else:
            try:
                self._running().end()
            except DecompressionError as error:
                yield from self._failed(error)
        yield from self._starting()
        yield StreamEnd()
        self.abandon()

    def broken(self) -> list[Item]:
        started = self._started
        self.abandon()
        return [StreamEnd(broken=True)] if started else []

    def abandon(self) -> None:
        self._decompressor = None
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def close(self) -> None:
        self.abandon()

    def _to_feed_at_end(self) -> Iterator[Item]:
        """The first bytes of a stream that is shorter than the longest mark."""
        if self._archive is not None:
            self._archive.write(self._first)
        else:
            yield from self._decompressed(self._first)

    def _use(self, scheme: Scheme) -> None:
        if scheme == "zip":
            self._archive = SpooledTemporaryFile(HELD)  # noqa: SIM115  # closed by abandon
        else:
            name = _LIBRARY_NAMES[scheme]
            self._decompressor = Decompressor(name, self.settings.max_ratio)

    def _running(self) -> Decompressor:
        assert self._decompressor is not None  # set by _use, before any use
        return self._decompressor

    def _starting(self) -> Iterator[Item]:
        """The start of the output, before its first bytes: a stream that fails has none."""
        if not self._started:
            self._started = True
            yield self._start

    def _decompressed(self, chunk: bytes) -> Iterator[Item]:
        try:
            for piece in self._running().feed(chunk):
                yield from self._starting()
                yield piece
        except (DecompressionError, BombError) as error:
            yield from self._failed(error)

    def _unzipped(self, archive: Any) -> Iterator[Item]:
        try:
            with Archive(archive, _SUMMARY, self.settings.max_ratio) as opened:
                entry = opened.only_entry()
                for piece in opened.pieces(entry):
                    yield from self._starting()
                    yield piece
        except DataError:
            yield from self._breaking()
            raise

    def _failed(self, error: ValueError) -> Iterator[Item]:
        yield from self._breaking()
        if isinstance(error, BombError):
            raise bomb(_SUMMARY, error) from error
        raise DataError(_SUMMARY, str(error), "check the stream, and scheme") from error

    def _breaking(self) -> Iterator[Item]:
        """What has left already is marked as incomplete."""
        if self._started:
            yield StreamEnd(broken=True)


def _scheme_of(first: bytes) -> Scheme:
    for mark, scheme in _MAGIC.items():
        if first.startswith(mark):
            return scheme
    start = f"begins with {first[:8]!r}" if first else "is empty"
    raise DataError(
        _SUMMARY,
        f"it {start}, which is not gzip, bzip2, xz or zip",
        "remove the snap if the stream is not compressed",
    )
