from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import StreamEnd, StreamStart
from engine.errors import SnapFailedError
from engine.sdk import S3Account


def named(name: Any, *chunks: bytes, broken: bool = False) -> list[Any]:
    return [StreamStart({"content-location": name}), *chunks, StreamEnd(broken=broken)]


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_all_streams_go_into_one_archive(run_snap: Any, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    given = [
        *named("a.bin", data[:100_000], data[100_000:]),
        *named("sub/b.txt"),
        *named("c", b"c"),
    ]
    result = run_snap("ZipFileWrite", {"file": "out.zip"}, given)
    assert entries(tmp_path / "out.zip") == {"a.bin": data, "sub/b.txt": b"", "c": b"c"}
    assert result.output == [
        {
            "filename": str(tmp_path / "out.zip"),
            "result": "created",
            "entries": ["a.bin", "sub/b.txt", "c"],
        }
    ]


WRITING = """
snaps:
  read: {snap: FileReader, file: a.txt}
  write: {snap: ZipFileWrite, file: out/a.zip, create_dir: true}
links: [read -> write]
"""


def test_files_keep_their_names_without_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A")
    (tmp_path / "p.yaml").write_text(WRITING)
    api.run(tmp_path / "p.yaml")
    assert entries(tmp_path / "out" / "a.zip") == {"a.txt": b"A"}


def test_a_stream_that_fails_is_left_out(run_snap: Any, tmp_path: Path) -> None:
    given = [
        *named("a", b"A"),
        *named("half", b"ha", broken=True),
        *named("../b", b"B"),
        *named("a", b"again"),
        *named(None, b"C"),
        *named("d", b"D"),
    ]
    result = run_snap("ZipFileWrite", {"file": "out.zip"}, given, on_error="route")
    assert entries(tmp_path / "out.zip") == {"a": b"A", "d": b"D"}
    assert [error["reason"] for error in result.errors] == [
        "the name of its entry '../b' leads out of the archive",
        "it has an entry 'a' already",
        "expected a string, got null",
    ]


def test_without_streams_nothing_is_written(run_snap: Any, tmp_path: Path) -> None:
    assert run_snap("ZipFileWrite", {"file": "out.zip"}, []).output == []
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize(
    ("action", "result", "left"),
    [("overwrite", "overwritten", {"a": b"A"}), ("ignore", "ignored", {"old": b""})],
)
def test_an_archive_that_exists(
    run_snap: Any, tmp_path: Path, action: str, result: str, left: dict[str, bytes]
) -> None:
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("old", "")
    settings = {"file": "out.zip", "file_action": action}
    (document,) = run_snap("ZipFileWrite", settings, named("a", b"A")).output
    assert document["result"] == result
    assert entries(tmp_path / "out.zip") == left


def test_an_archive_that_exists_may_be_an_error(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "out.zip").touch()
    with pytest.raises(SnapFailedError, match=r"out\.zip' exists, and file_action is 'error'"):
        run_snap("ZipFileWrite", {"file": "out.zip", "file_action": "error"}, named("a"))


def test_the_name_may_come_from_the_first_header(run_snap: Any, tmp_path: Path) -> None:
    settings = {"file": "= $day + '.zip'", "entry": "= $name"}
    given = [
        *(StreamStart({"day": "monday", "name": "a"}), StreamEnd()),
        *(StreamStart({"day": "tuesday", "name": "b"}), StreamEnd()),
    ]
    run_snap("ZipFileWrite", settings, given)
    assert entries(tmp_path / "monday.zip") == {"a": b"", "b": b""}


def test_an_archive_in_s3_is_written_and_read_with_the_account(
    run_snap: Any, s3: Any, stream: Any, content: Any
) -> None:
    accounts = {"mine": S3Account(access_key_id="id", secret_key="hush")}
    settings = {"file": "s3://shop/out.zip", "entry": "= $name", "account": "mine"}
    given = [*stream(b"A", name="a.txt"), *stream(b"B", name="b.txt")]
    (result,) = run_snap("ZipFileWrite", settings, given, accounts=accounts).output
    assert result == {
        "filename": "s3://shop/out.zip",
        "result": "created",
        "entries": ["a.txt", "b.txt"],
    }
    settings = {"file": "s3://shop/out.zip", "account": "mine"}
    assert content(run_snap("ZipFileRead", settings, [{}], accounts=accounts).output) == b"AB"
    assert all(options == {"key": "id", "secret": "hush"} for options in s3.opened[1:])
