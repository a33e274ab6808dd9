from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest

from engine import api
from engine.documents import StreamStart
from engine.errors import SnapFailedError


def archive(path: Path, **entries: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


def streams(pieces: Any) -> dict[str, bytes]:
    """The content of each stream by its location."""
    found: dict[str, bytes] = {}
    name = ""
    for piece in pieces:
        if isinstance(piece, StreamStart):
            name = str(piece.header["content-location"])
            found[name] = b""
        elif isinstance(piece, bytes):
            found[name] += piece
    return found


def test_each_file_is_a_stream_and_folders_are_left_out(run_snap: Any, tmp_path: Path) -> None:
    archive(tmp_path / "a.zip", **{"a.json": "{}", "sub/": "", "sub/b.txt": "b"})
    output = run_snap("ZipFileRead", {"file": "a.zip"}).output
    assert streams(output) == {"a.json": b"{}", "sub/b.txt": b"b"}
    header = output[0].header
    assert header["content-type"] == "application/json"
    assert header["content-length"] == 2
    assert header["zip-filename"] == str(tmp_path / "a.zip")


def test_archives_are_read_one_for_each_document(run_snap: Any, tmp_path: Path) -> None:
    archive(tmp_path / "a.zip", a="1")
    archive(tmp_path / "b.zip", b="2")
    given = [{"f": "b.zip"}, {"f": "gone.zip"}, {"f": "a.zip"}]
    result = run_snap("ZipFileRead", {"file": "= $f"}, given, on_error="route")
    assert streams(result.output) == {"b": b"2", "a": b"1"}
    assert [error["original"] for error in result.errors] == [{"f": "gone.zip"}]


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "..\\a", "C:\\a", "%2e%2e/a"])
def test_an_archive_with_a_path_that_leads_out_is_refused(
    run_snap: Any, tmp_path: Path, name: str
) -> None:
    archive(tmp_path / "a.zip", **{"good": "1", name: "2"})
    result = run_snap("ZipFileRead", {"file": "a.zip"}, on_error="route")
    assert result.output == []
    assert "leads out of the archive" in result.errors[0]["reason"]


def test_a_bomb_is_refused(run_snap: Any, tmp_path: Path) -> None:
    archive(tmp_path / "a.zip", a="0" * (40 << 20), b="0" * (40 << 20))
    with pytest.raises(SnapFailedError, match="more than 500 times its size, as a zip bomb does"):
        run_snap("ZipFileRead", {"file": "a.zip", "max_ratio": 500})


def test_a_truncated_archive_is_an_error(run_snap: Any, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", a="1" * 1000)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SnapFailedError, match=r"a\.zip': it is not a complete zip archive"):
        run_snap("ZipFileRead", {"file": "a.zip"})


def test_a_damaged_entry_fails_after_the_good_ones(run_snap: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a", "good")
        file.writestr("b", "damage")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"damage", b"DAMAGE"))
    result = run_snap("ZipFileRead", {"file": "a.zip"}, on_error="route")
    assert streams(result.output)["a"] == b"good"
    assert "Bad CRC-32" in result.errors[0]["reason"]
    assert result.output[-1].broken


def test_an_archive_elsewhere_is_copied_and_read(run_snap: Any, tmp_path: Path) -> None:
    data = archive(tmp_path / "a.zip", a="1").read_bytes()
    fsspec.filesystem("memory").pipe("/zipped/a.zip", data)
    output = run_snap("ZipFileRead", {"file": "memory://zipped/a.zip"}).output
    assert streams(output) == {"a": b"1"}


WRITING = """
snaps:
  read: {snap: ZipFileRead, file: a.zip}
  write: {snap: FileWriter, file: "= 'out/' + $['content-location']", create_dir: true}
links: [read -> write]
"""


def test_the_streams_of_an_archive_are_written_below_a_folder(tmp_path: Path) -> None:
    archive(tmp_path / "a.zip", **{"a.txt": "1", "sub/b.txt": "2"})
    (tmp_path / "p.yaml").write_text(WRITING)
    api.run(tmp_path / "p.yaml")
    assert (tmp_path / "out" / "sub" / "b.txt").read_text() == "2"
