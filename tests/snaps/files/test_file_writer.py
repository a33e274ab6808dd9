from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart
from engine.errors import EngineError
from engine.run.files import ProjectFiles
from engine.testing import kit
from snaps.files.file_writer import FileWriter


def test_writes_the_stream_and_says_so(run_snap: Any, tmp_path: Path, stream: Any) -> None:
    result = run_snap("FileWriter", {"file": "out.txt"}, stream(b"one ", b"two", kind="x"))
    assert (tmp_path / "out.txt").read_bytes() == b"one two"
    assert result.output == [
        {
            "filename": str(tmp_path / "out.txt"),
            "result": "created",
            "original": {"kind": "x"},
        }
    ]


@pytest.mark.parametrize(
    ("action", "outcome", "left"),
    [
        ("overwrite", "overwritten", b"new"),
        ("append", "appended", b"old new".replace(b" ", b"")),
        ("ignore", "ignored", b"old"),
    ],
)
def test_an_existing_file_is_treated_as_asked(
    run_snap: Any, tmp_path: Path, stream: Any, action: str, outcome: str, left: bytes
) -> None:
    (tmp_path / "out.txt").write_bytes(b"old")
    result = run_snap("FileWriter", {"file": "out.txt", "file_action": action}, stream(b"new"))
    assert result.output[0]["result"] == outcome
    assert (tmp_path / "out.txt").read_bytes() == left


def test_an_existing_file_fails_the_stream_if_asked(
    run_snap: Any, tmp_path: Path, stream: Any
) -> None:
    (tmp_path / "out.txt").write_bytes(b"old")
    settings = {"file": "out.txt", "file_action": "error"}
    result = run_snap("FileWriter", settings, stream(b"new", kind="x"), on_error="route")
    assert result.output == []
    assert "'out.txt' exists" in result.errors[0]["reason"]
    assert result.errors[0]["original"] == {"kind": "x"}
    assert (tmp_path / "out.txt").read_bytes() == b"old"


def test_the_name_may_come_from_the_header(run_snap: Any, tmp_path: Path, stream: Any) -> None:
    settings = {"file": "= $['content-location'] + '.copy'"}
    run_snap("FileWriter", settings, stream(b"x", **{"content-location": "a.txt"}))
    assert (tmp_path / "a.txt.copy").read_bytes() == b"x"


def test_each_stream_is_a_file_of_its_own(run_snap: Any, tmp_path: Path, stream: Any) -> None:
    given = stream(b"1", name="a") + stream(b"2", name="b")
    run_snap("FileWriter", {"file": "= $name"}, given)
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "b").read_bytes() == b"2"


@pytest.mark.parametrize("last", [[StreamEnd(broken=True)], []])
def test_an_incomplete_stream_leaves_the_old_file_and_no_trace(
    run_snap: Any, tmp_path: Path, last: list[StreamEnd]
) -> None:
    (tmp_path / "out.txt").write_bytes(b"old")
    result = run_snap("FileWriter", {"file": "out.txt"}, [StreamStart(), b"new", *last])
    assert result.output == []
    assert (tmp_path / "out.txt").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_nobody_sees_the_file_before_it_is_complete(
    run_snap: Any, tmp_path: Path, stream: Any
) -> None:
    seen = []

    class Watching(list[Any]):
        def __getitem__(self, index: Any) -> Any:
            seen.append((tmp_path / "out.txt").exists())
            return super().__getitem__(index)

    half = [StreamStart(), *([b"x"] * 100)]
    run_snap("FileWriter", {"file": "out.txt"}, Watching([*half, StreamEnd()]))
    assert seen == [False] * len(seen)
    assert (tmp_path / "out.txt").read_bytes() == b"x" * 100


def test_a_stream_without_bytes_writes_nothing_and_says_so(
    run_snap: Any, tmp_path: Path, stream: Any
) -> None:
    result = run_snap("FileWriter", {"file": "out.txt"}, stream())
    assert result.output[0]["result"] == "ignored"
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_written_if_asked(run_snap: Any, tmp_path: Path, stream: Any) -> None:
    result = run_snap("FileWriter", {"file": "out.txt", "write_empty_file": True}, stream())
    assert result.output[0]["result"] == "created"
    assert (tmp_path / "out.txt").read_bytes() == b""


def test_the_folder_is_made_only_if_asked(run_snap: Any, tmp_path: Path, stream: Any) -> None:
    result = run_snap("FileWriter", {"file": "new/out.txt"}, stream(b"x"), on_error="route")
    assert len(result.errors) == 1
    run_snap("FileWriter", {"file": "new/out.txt", "create_dir": True}, stream(b"x"))
    assert (tmp_path / "new" / "out.txt").read_bytes() == b"x"


def test_the_header_can_be_written_beside_the_file(
    run_snap: Any, tmp_path: Path, stream: Any
) -> None:
    settings = {"file": "out.txt", "write_header_file": True}
    run_snap("FileWriter", settings, stream(b"x", kind="y"))
    assert json.loads((tmp_path / "out.txt.header").read_text()) == {"kind": "y"}


def test_the_project_cannot_be_left_through_sldb(run_snap: Any, stream: Any) -> None:
    settings = {"file": "sldb:///../out.txt", "create_dir": True}
    with pytest.raises(EngineError, match="outside the project"):
        run_snap("FileWriter", settings, stream(b"x"))


def test_a_name_that_is_not_a_string_is_the_error_of_its_stream(
    run_snap: Any, tmp_path: Path, stream: Any
) -> None:
    given = stream(b"1", kind="x") + stream(b"2", name="b")
    result = run_snap("FileWriter", {"file": "= $name"}, given, on_error="route")
    assert len(result.errors) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("action", ["overwrite", "append"])
def test_a_stream_without_bytes_says_that_an_older_file_stays(
    run_snap: Any, tmp_path: Path, stream: Any, action: str
) -> None:
    (tmp_path / "out.txt").write_bytes(b"old")
    result = run_snap("FileWriter", {"file": "out.txt", "file_action": action}, stream())
    said = "nothing to write, out.txt is left as it was"
    assert (result.output[0]["result"], result.output[0]["reason"]) == ("ignored", said)
    assert result.shown == [said]
    assert (tmp_path / "out.txt").read_bytes() == b"old"


def test_a_header_that_json_cannot_hold_fails_its_stream_and_leaves_no_trace(
    run_snap: Any, tmp_path: Path, stream: Any
) -> None:
    settings = {"file": "out.txt", "write_header_file": True}
    result = run_snap("FileWriter", settings, stream(b"x", bad="\ud800"), on_error="route")
    assert result.output == []
    assert "cannot write the header" in result.errors[0]["error"]
    assert list(tmp_path.iterdir()) == []


def test_a_header_elsewhere_does_not_cost_the_file_its_content(
    run_snap: Any, stream: Any, tmp_path: Path
) -> None:
    url = "memory://writer/data.txt"
    settings = {"file": url, "write_header_file": True}
    assert run_snap("FileWriter", settings, stream(b"x", kind="y")).output[0]["result"] == "created"
    files = ProjectFiles(str(tmp_path), str(tmp_path))
    assert b"".join(files.read(url)) == b"x"
    assert json.loads(b"".join(files.read(f"{url}.header"))) == {"kind": "y"}


def test_a_place_that_cannot_be_written_to_is_reported(run_snap: Any, stream: Any) -> None:
    with pytest.raises(EngineError, match="cannot write the file 'nosuch://x'"):
        run_snap("FileWriter", {"file": "nosuch://x"}, stream(b"x"))


@pytest.mark.parametrize("headers", [False, True])
@pytest.mark.parametrize("moment", ["before", "while writing", "in the commit"])
def test_a_file_that_a_stopped_run_is_late_with_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: Any, moment: str, headers: bool
) -> None:
    class Interrupted(FileWriter):
        def begin(self, header: Any) -> tuple[()]:
            if moment == "before":
                self.interrupt()
            if moment == "in the commit":
                monkeypatch.setattr(os, "fsync", lambda _: self.interrupt())
            return super().begin(header)

        def feed(self, chunk: bytes) -> tuple[()]:
            super().feed(chunk)
            if moment == "while writing":
                self.interrupt()
            return ()

    (tmp_path / "out.txt").write_bytes(b"old")
    settings = {"file": "out.txt", "write_header_file": headers}
    with pytest.raises(EngineError, match="the run was stopped"):
        kit.run_snap(Interrupted, settings, stream(b"new"), project=tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.txt", b"old")]
