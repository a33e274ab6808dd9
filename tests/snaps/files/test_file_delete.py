from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
import pytest

from engine.errors import SnapFailedError


def test_files_are_deleted_one_for_each_document(run_snap: Any, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).touch()
    result = run_snap("FileDelete", {"file": "= $f"}, [{"f": "a.txt"}, {"f": "b.txt"}])
    assert result.output == [
        {"file": str(tmp_path / name), "status": "200 OK"} for name in ("a.txt", "b.txt")
    ]
    assert [path.name for path in tmp_path.glob("*.txt")] == ["c.txt"]


def test_a_file_is_deleted_without_input(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    run_snap("FileDelete", {"file": "a.txt"})
    assert not (tmp_path / "a.txt").exists()


def test_a_missing_file_is_an_error_and_the_others_are_deleted(
    run_snap: Any, tmp_path: Path
) -> None:
    (tmp_path / "b.txt").touch()
    given = [{"f": "a.txt"}, {"f": "b.txt"}]
    result = run_snap("FileDelete", {"file": "= $f"}, given, on_error="route")
    (error,) = result.errors
    assert (error["reason"], error["original"]) == ("the file does not exist", {"f": "a.txt"})
    assert "delete_action" in error["resolution"]
    assert not (tmp_path / "b.txt").exists()


def test_a_folder_is_not_deleted(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SnapFailedError, match=r"cannot delete the file .*folder': it is a folder"):
        run_snap("FileDelete", {"file": "folder"})
    assert (tmp_path / "folder").is_dir()


def test_data_cannot_name_a_file_outside_the_project(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "secret").touch()
    with pytest.raises(SnapFailedError, match="part of it comes from data, and it leads out"):
        run_snap("FileDelete", {"file": "= $f"}, [{"f": "../secret"}], project=tmp_path / "project")
    assert (tmp_path / "secret").exists()


def test_a_file_elsewhere_is_deleted(run_snap: Any) -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/deleted/a.txt", b"1")
    run_snap("FileDelete", {"file": "memory://deleted/a.txt"})
    assert not files.exists("/deleted/a.txt")


def test_a_file_of_a_web_server_cannot_be_deleted(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="files of https:// can only be read"):
        run_snap("FileDelete", {"file": "https://127.0.0.1/a.txt"})
