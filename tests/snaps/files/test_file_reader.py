from __future__ import annotations

import gzip
import math
import os
from pathlib import Path
from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart
from engine.errors import ConfigurationError


def test_reads_once_if_nothing_is_linked(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    pieces = run_snap("FileReader", {"file": "a.json"}).output
    assert pieces[0].header == {
        "content-location": str(tmp_path / "a.json"),
        "content-type": "application/json",
        "content-length": 2,
    }
    assert pieces[1:] == [b"{}", StreamEnd()]


def test_reads_one_file_for_each_document(run_snap: Any, tmp_path: Path, content: Any) -> None:
    (tmp_path / "a.txt").write_bytes(b"A")
    (tmp_path / "b.txt").write_bytes(b"B")
    given = [{"name": "b"}, {"name": "a"}]
    result = run_snap("FileReader", {"file": "= $name + '.txt'"}, given)
    assert content(result.output) == b"BA"
    assert sum(isinstance(piece, StreamStart) for piece in result.output) == 2


def test_a_large_file_comes_in_pieces(run_snap: Any, tmp_path: Path, content: Any) -> None:
    data = os.urandom(1_200_000)
    (tmp_path / "big.bin").write_bytes(data)
    pieces = run_snap("FileReader", {"file": "big.bin"}).output
    assert content(pieces) == data
    assert max(len(piece) for piece in pieces if isinstance(piece, bytes)) <= 524_288


def test_an_empty_file_is_an_empty_stream(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    start, end = run_snap("FileReader", {"file": "empty"}).output
    assert isinstance(start, StreamStart)
    assert end == StreamEnd()


def test_header_fields_are_made_from_the_document(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"A")
    settings = {"file": "a.txt", "output_headers": {"$who": "$name"}}
    start = run_snap("FileReader", settings, [{"name": "Ada"}]).output[0]
    assert start.header["who"] == "Ada"
    assert start.header["content-type"] == "text/plain"


def test_a_missing_file_goes_to_the_error_view_and_the_others_are_read(
    run_snap: Any, tmp_path: Path, content: Any
) -> None:
    (tmp_path / "data.txt").write_bytes(b"A")
    given = [{"name": "dta.txt"}, {"name": "data.txt"}]
    result = run_snap("FileReader", {"file": "= $name"}, given, on_error="route")
    assert content(result.output) == b"A"
    (error,) = result.errors
    assert "dta.txt" in error["error"] + error["reason"]
    assert "data.txt" in error["resolution"]
    assert error["original"] == {"name": "dta.txt"}


def test_a_folder_is_not_a_file(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    result = run_snap("FileReader", {"file": "folder"}, [{}], on_error="route")
    assert result.output == []
    assert len(result.errors) == 1


def test_the_project_cannot_be_left_through_sldb(run_snap: Any) -> None:
    result = run_snap("FileReader", {"file": "sldb:///../../etc/passwd"}, [{}], on_error="route")
    assert "outside the project" in result.errors[0]["error"]
    assert result.output == []


def test_a_file_that_breaks_off_ends_a_broken_stream(
    run_snap: Any, tmp_path: Path, content: Any
) -> None:
    data = os.urandom(100_000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(data)[:-1000])
    result = run_snap("FileReader", {"file": "gzip::a.gz"}, [{}], on_error="route")
    assert data.startswith(content(result.output))
    assert result.output[-1] == StreamEnd(broken=True)
    assert result.errors[0]["reason"].endswith("it is truncated")


def test_tries_again_until_the_file_can_be_opened(
    run_snap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    from engine.errors import DataError
    from engine.run.files import ProjectFiles

    tries = []
    original = ProjectFiles.read

    def read(self: ProjectFiles, name: str) -> Any:
        tries.append(name)
        if len(tries) < 3:
            raise DataError("cannot read the file", "not yet")
        return original(self, name)

    (tmp_path / "a.txt").write_text("there")
    monkeypatch.setattr(ProjectFiles, "read", read)
    settings = {"file": "a.txt", "retries": 2, "retry_interval": 0}
    assert content(run_snap("FileReader", settings).output) == b"there"
    assert len(tries) == 3


def test_a_name_that_is_wrong_is_not_tried_again(run_snap: Any) -> None:
    settings = {"file": "sldb:///../../etc/passwd", "retries": 3, "retry_interval": 80_000}
    result = run_snap("FileReader", settings, [{}], on_error="route")
    assert "outside the project" in result.errors[0]["error"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retries": -1}, "retries must be 0 or more, got -1"),
        ({"retry_interval": -1}, "retry_interval must be 0 to 86400 seconds, got -1.0"),
        ({"retry_interval": math.inf}, "'.inf' is not a number that JSON can hold"),
        ({"retry_interval": math.nan}, "'.nan' is not a number that JSON can hold"),
    ],
)
def test_invalid_retries_are_refused(run_snap: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run_snap("FileReader", {"file": "a.txt", **settings})


def test_a_name_that_no_file_can_have_is_the_error_of_its_document(run_snap: Any) -> None:
    given = [{"name": "a\ud800"}]
    result = run_snap("FileReader", {"file": "= $name"}, given, on_error="route")
    assert "half of a surrogate pair" in result.errors[0]["reason"]
