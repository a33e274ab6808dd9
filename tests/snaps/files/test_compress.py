from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart

READERS = {"gzip": gzip.decompress, "bzip2": bz2.decompress, "xz": lzma.decompress}


@pytest.mark.parametrize("scheme", READERS)
def test_other_programs_read_what_it_makes(
    run_snap: Any, stream: Any, content: Any, scheme: str
) -> None:
    data = os.urandom(300_000)
    given = stream(data[:100_000], data[100_000:])
    result = run_snap("Compress", {"scheme": scheme}, given)
    read: Callable[[bytes], bytes] = READERS[scheme]
    assert read(content(result.output)) == data


def test_a_zip_archive_has_one_entry_named_as_the_file(
    run_snap: Any, stream: Any, content: Any
) -> None:
    given = stream(b"hel", b"lo", **{"content-location": "/data/in/a.txt"})
    result = run_snap("Compress", {"scheme": "zip"}, given)
    with zipfile.ZipFile(io.BytesIO(content(result.output))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {"a.txt": b"hello"}


def test_gzip_is_the_default_and_the_header_passes(run_snap: Any, stream: Any) -> None:
    given = stream(b"hello", **{"content-type": "text/plain", "content-length": 5})
    start, *pieces, end = run_snap("Compress", None, given).output
    assert (start, end) == (StreamStart({"content-type": "text/plain"}), StreamEnd())
    assert gzip.decompress(b"".join(pieces)) == b"hello"


def test_streams_are_compressed_each_by_itself(run_snap: Any, stream: Any) -> None:
    output = run_snap("Compress", None, [*stream(b"a"), *stream(), *stream(b"b")]).output
    streams: list[bytes] = []
    for piece in output:
        if isinstance(piece, StreamStart):
            streams.append(b"")
        elif isinstance(piece, bytes):
            streams[-1] += piece
    assert list(map(gzip.decompress, streams)) == [b"a", b"", b"b"]


def test_a_broken_stream_stays_broken(run_snap: Any) -> None:
    given = [StreamStart({}), b"hel", StreamEnd(broken=True)]
    assert run_snap("Compress", None, given).output[-1] == StreamEnd(broken=True)
