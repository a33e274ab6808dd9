"""Files: read in chunks, written aside and renamed, kept inside the project by sldb:."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DataError
from engine.run.files import ProjectFiles


@pytest.fixture
def files(tmp_path: Path) -> ProjectFiles:
    (tmp_path / "pipelines").mkdir()
    return ProjectFiles(str(tmp_path / "pipelines"), str(tmp_path))


def read(files: ProjectFiles, url: str) -> bytes:
    return b"".join(files.read(url))


def test_relative_names_start_at_the_folder_of_the_pipeline(
    files: ProjectFiles, tmp_path: Path
) -> None:
    (tmp_path / "pipelines" / "a.txt").write_text("x")
    assert read(files, "a.txt") == b"x"


def test_sldb_starts_at_the_project(files: ProjectFiles, tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_text("x")
    assert read(files, "sldb:///a b.txt") == b"x"


def test_file_urls_are_absolute(files: ProjectFiles, tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_text("x")
    assert read(files, f"file://{tmp_path}/a%20b.txt") == b"x"


@pytest.mark.parametrize(
    "url", ["sldb:///../secret", "sldb:../secret", "sldb:///a/../../secret", "sldb:////etc/../../x"]
)
def test_sldb_cannot_leave_the_project(files: ProjectFiles, url: str) -> None:
    if url == "sldb:////etc/../../x":
        url = "sldb:///pipelines/../../x"
    with pytest.raises(DataError, match="outside the project"):
        files.locate(url)


def test_sldb_cannot_leave_the_project_through_a_link(files: ProjectFiles, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/")
    with pytest.raises(DataError, match="outside the project"):
        files.locate("sldb:///out/etc/passwd")


def test_a_missing_file_names_the_nearest_one(files: ProjectFiles, tmp_path: Path) -> None:
    (tmp_path / "pipelines" / "digits.json").write_text("{}")
    with pytest.raises(DataError) as caught:
        read(files, "digit.json")
    assert caught.value.reason == "there is no such file"
    assert caught.value.resolution == "did you mean 'digits.json'?"


def test_a_folder_is_not_a_file(files: ProjectFiles, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is a folder"):
        read(files, str(tmp_path))


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_refuses_a_name_that_is_none(files: ProjectFiles, name: str) -> None:
    with pytest.raises(DataError, match="there is no file name"):
        files.locate(name)


def test_an_unknown_scheme_is_an_error_of_the_document(files: ProjectFiles) -> None:
    with pytest.raises(DataError, match="cannot read the file 'nosuch://x'"):
        read(files, "nosuch://x")


def test_nobody_sees_a_file_before_it_is_complete(files: ProjectFiles, tmp_path: Path) -> None:
    target = tmp_path / "pipelines" / "out.txt"
    target.write_text("old")
    writing = files.write("out.txt", "overwrite", create_folder=False)
    writing.write(b"new")
    assert target.read_text() == "old"
    writing.commit()
    assert target.read_text() == "new"
    assert [entry.name for entry in target.parent.iterdir()] == ["out.txt"]


def test_a_discarded_file_leaves_no_trace(files: ProjectFiles, tmp_path: Path) -> None:
    writing = files.write("out.txt", "overwrite", create_folder=False)
    writing.write(b"new")
    writing.discard()
    writing.discard()
    assert list((tmp_path / "pipelines").iterdir()) == []


def test_appends_when_complete(files: ProjectFiles, tmp_path: Path) -> None:
    target = tmp_path / "pipelines" / "log.txt"
    target.write_text("one\n")
    writing = files.write("log.txt", "append", create_folder=False)
    writing.write(b"two\n")
    writing.commit()
    assert target.read_text() == "one\ntwo\n"


def test_error_action_never_replaces_a_file(files: ProjectFiles, tmp_path: Path) -> None:
    target = tmp_path / "pipelines" / "a.txt"
    writing = files.write("a.txt", "error", create_folder=False)
    target.write_text("made meanwhile")
    with pytest.raises(DataError, match="the file exists"):
        writing.commit()
    assert target.read_text() == "made meanwhile"
    assert [entry.name for entry in target.parent.iterdir()] == ["a.txt"]


def test_keeps_the_permissions_of_the_file_that_it_replaces(
    files: ProjectFiles, tmp_path: Path
) -> None:
    target = tmp_path / "pipelines" / "a.sh"
    target.write_text("old")
    target.chmod(0o750)
    writing = files.write("a.sh", "overwrite", create_folder=False)
    writing.commit()
    assert target.stat().st_mode & 0o777 == 0o750


def test_writes_through_a_link_to_the_file_that_it_names(
    files: ProjectFiles, tmp_path: Path
) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "pipelines" / "link.txt").symlink_to(tmp_path / "real.txt")
    writing = files.write("link.txt", "overwrite", create_folder=False)
    writing.write(b"new")
    writing.commit()
    assert (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "pipelines" / "link.txt").is_symlink()


def test_makes_missing_folders_only_if_told(files: ProjectFiles, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        files.write("a/b/c.txt", "overwrite", create_folder=False)
    files.write("a/b/c.txt", "overwrite", create_folder=True).commit()
    assert (tmp_path / "pipelines" / "a" / "b" / "c.txt").read_bytes() == b""


def test_other_schemes_go_through_fsspec(files: ProjectFiles) -> None:
    writing = files.write("memory://bucket/a.txt", "overwrite", create_folder=False)
    writing.write(b"there")
    writing.commit()
    assert files.size("memory://bucket/a.txt") == 5
    assert read(files, "memory://bucket/a.txt") == b"there"


def test_a_discarded_file_elsewhere_is_not_there(files: ProjectFiles) -> None:
    writing = files.write("memory://bucket/gone.txt", "overwrite", create_folder=False)
    writing.write(b"half")
    writing.discard()
    assert files.size("memory://bucket/gone.txt") is None
