from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart
from engine.errors import ConfigurationError, SnapFailedError


def zipped(**entries: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return held.getvalue()


DATA = os.urandom(300_000)
COMPRESSED = {
    "gzip": gzip.compress(DATA),
    "bzip2": bz2.compress(DATA),
    "xz": lzma.compress(DATA),
    "zip": zipped(a=DATA),
}


@pytest.mark.parametrize("scheme", COMPRESSED)
@pytest.mark.parametrize("detect", [True, False])
def test_each_scheme_is_read_piece_by_piece(
    run_snap: Any, stream: Any, content: Any, scheme: str, detect: bool
) -> None:
    data = COMPRESSED[scheme]
    pieces = [data[:1], data[1:3], *(data[n : n + 70_000] for n in range(3, len(data), 70_000))]
    settings = {"scheme": "auto" if detect else scheme}
    output = run_snap("Decompress", settings, stream(*pieces, name="x")).output
    assert content(output) == DATA
    assert (output[0], output[-1]) == (StreamStart({"name": "x"}), StreamEnd())
    assert max(len(piece) for piece in output if isinstance(piece, bytes)) <= 131_072


def test_several_gzip_streams_in_a_row_are_one_file(
    run_snap: Any, stream: Any, content: Any
) -> None:
    given = stream(gzip.compress(b"a") + gzip.compress(b"b"))
    assert content(run_snap("Decompress", None, given).output) == b"ab"


def test_nothing_compressed_is_an_empty_stream(run_snap: Any, stream: Any) -> None:
    output = run_snap("Decompress", None, stream(gzip.compress(b""))).output
    assert output == [StreamStart({}), StreamEnd()]


@pytest.mark.parametrize("scheme", COMPRESSED)
def test_a_truncated_stream_fails_and_its_output_is_marked_as_broken(
    run_snap: Any, stream: Any, scheme: str
) -> None:
    given = stream(COMPRESSED[scheme][:-100])
    result = run_snap("Decompress", None, given, on_error="route")
    (error,) = result.errors
    assert error["error"] == "cannot decompress the stream"
    assert "it is not a complete" in error["reason"]
    starts = [piece for piece in result.output if isinstance(piece, StreamStart)]
    ends = [piece for piece in result.output if isinstance(piece, StreamEnd)]
    assert ends == [StreamEnd(broken=True)] * len(starts)


@pytest.mark.parametrize("data", [b"", b"x", b"plain text"])
def test_what_is_not_compressed_is_an_error(run_snap: Any, stream: Any, data: bytes) -> None:
    with pytest.raises(SnapFailedError, match=r"which is not gzip, bzip2, xz or zip"):
        run_snap("Decompress", None, stream(data))


def test_a_wrong_scheme_is_an_error(run_snap: Any, stream: Any) -> None:
    with pytest.raises(SnapFailedError, match="it is not a complete xz file"):
        run_snap("Decompress", {"scheme": "xz"}, stream(gzip.compress(b"a")))


def zeros(compress: Any) -> bytes:
    """70 MiB of zeros."""
    pieces: list[bytes] = [compress.compress(bytes(1 << 20)) for _ in range(70)]
    return b"".join(pieces) + bytes(compress.flush())


@pytest.mark.parametrize("scheme", ["gzip", "bzip2"])
def test_a_bomb_is_refused(run_snap: Any, stream: Any, scheme: str) -> None:
    compress = zlib.compressobj(wbits=31) if scheme == "gzip" else bz2.BZ2Compressor()
    given = stream(zeros(compress))
    settings = {"max_ratio": 500}
    (error,) = run_snap("Decompress", settings, given, on_error="route").errors
    assert "more than 500 times its size, as a zip bomb does" in error["reason"]


def test_max_ratio_0_refuses_nothing(run_snap: Any, stream: Any, content: Any) -> None:
    given = stream(zeros(bz2.BZ2Compressor()))
    output = run_snap("Decompress", {"max_ratio": 0}, given).output
    assert sum(len(piece) for piece in output if isinstance(piece, bytes)) == 70 << 20


def test_a_negative_ratio_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_ratio must be 0 or more"):
        run_snap("Decompress", {"max_ratio": -1}, [])


def test_a_zip_archive_must_hold_one_file(run_snap: Any, stream: Any) -> None:
    with pytest.raises(SnapFailedError, match="the archive has 2 files instead of one"):
        run_snap("Decompress", None, stream(zipped(a=b"", b=b"")))


def test_the_next_stream_is_read_after_one_has_failed(
    run_snap: Any, stream: Any, content: Any
) -> None:
    given = [*stream(b"plain"), *stream(gzip.compress(b"a"))]
    result = run_snap("Decompress", None, given, on_error="route")
    assert content(result.output) == b"a"
    assert len(result.errors) == 1


def test_a_broken_stream_stays_broken(run_snap: Any) -> None:
    data = gzip.compress(DATA)
    given = [StreamStart({}), data[:200_000], StreamEnd(broken=True)]
    output = run_snap("Decompress", None, given).output
    assert output[-1] == StreamEnd(broken=True)
