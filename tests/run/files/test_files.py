"""Files: read in chunks, written under a hidden name, and kept inside the project by sldb:."""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError
from engine.run.files import ProjectFiles
from tests.run.files.reading import read


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
    assert caught.value.reason == "the file does not exist"
    assert caught.value.resolution == "did you mean 'digits.json'?"


def test_a_folder_is_not_a_file(files: ProjectFiles, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is a folder"):
        read(files, str(tmp_path))


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_refuses_an_invalid_name(files: ProjectFiles, name: str) -> None:
    with pytest.raises(DataError, match="the file name is missing"):
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


def test_creates_missing_folders_only_if_asked(files: ProjectFiles, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the folder .* does not exist"):
        files.write("a/b/c.txt", "overwrite", create_folder=False)
    files.write("a/b/c.txt", "overwrite", create_folder=True).commit()
    assert (tmp_path / "pipelines" / "a" / "b" / "c.txt").read_bytes() == b""


@pytest.mark.parametrize("url", ["a.txt", "memory://bucket/a.txt"])
def test_a_removed_file_is_gone_and_may_be_removed_again(files: ProjectFiles, url: str) -> None:
    files.write(url, "overwrite", create_folder=False).commit()
    assert files.size(url) == 0
    files.remove(url)
    assert files.size(url) is None
    files.remove(url)


def test_what_cannot_be_removed_is_an_error_of_the_document(
    files: ProjectFiles, tmp_path: Path
) -> None:
    (tmp_path / "pipelines" / "folder").mkdir()
    with pytest.raises(DataError, match="cannot delete the file"):
        files.remove("folder")
    with pytest.raises(DataError, match="outside the project"):
        files.remove("sldb:///../a.txt")


@pytest.mark.parametrize("name", ["a\ud800", "sldb:///a\ud800"])
def test_a_name_that_cannot_be_one_is_an_error_of_the_document(
    files: ProjectFiles, name: str
) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: files.size(name),
        lambda: read(files, name),
        lambda: files.write(name, "overwrite", create_folder=False),
    ]
    for call in calls:
        with pytest.raises(DataError, match="half of a surrogate pair"):
            call()


@contextmanager
def a_disk_with_room_for(size: int) -> Iterator[None]:
    """No file can grow, which fails like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_of_the_document_and_leaves_no_trace(
    files: ProjectFiles, tmp_path: Path
) -> None:
    writing = files.write("out.txt", "overwrite", create_folder=False)
    writing.write(b"x" * 500)
    with a_disk_with_room_for(100):
        with pytest.raises(DataError, match=r"cannot write the file '.*out\.txt'"):
            writing.commit()
        writing.discard()
    assert list((tmp_path / "pipelines").iterdir()) == []


def test_discarding_on_a_full_disk_is_quiet(files: ProjectFiles, tmp_path: Path) -> None:
    writing = files.write("out.txt", "overwrite", create_folder=False)
    writing.write(b"x" * 500)
    with a_disk_with_room_for(100):
        writing.discard()
    assert list((tmp_path / "pipelines").iterdir()) == []


def test_what_cannot_be_appended_completely_is_not_appended(
    files: ProjectFiles, tmp_path: Path
) -> None:
    target = tmp_path / "pipelines" / "log.txt"
    target.write_bytes(b"o" * 900)
    writing = files.write("log.txt", "append", create_folder=False)
    writing.write(b"n" * 500)
    with a_disk_with_room_for(1000), pytest.raises(DataError, match="cannot write"):
        writing.commit()
    assert target.read_bytes() == b"o" * 900
    assert [entry.name for entry in target.parent.iterdir()] == ["log.txt"]


def test_two_appends_to_a_new_file_are_both_kept(files: ProjectFiles, tmp_path: Path) -> None:
    first = files.write("log.txt", "append", create_folder=False)
    second = files.write("log.txt", "append", create_folder=False)
    first.write(b"first ")
    second.write(b"second")
    first.commit()
    second.commit()
    assert (tmp_path / "pipelines" / "log.txt").read_bytes() == b"first second"


def append(folder: str, letter: bytes) -> None:
    files = ProjectFiles(folder, folder)
    for _ in range(5):
        writing = files.write("log.txt", "append", create_folder=False)
        writing.write(letter * 300_000)
        writing.commit()


def test_concurrent_appends_do_not_mix(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    both = [
        spawning.Process(target=append, args=(str(tmp_path), letter)) for letter in (b"a", b"b")
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    written = (tmp_path / "log.txt").read_bytes()
    assert len(written) == 3_000_000
    for start in range(0, len(written), 300_000):
        assert len(set(written[start : start + 300_000])) == 1


@pytest.mark.parametrize("action", ["overwrite", "append", "error"])
def test_an_aborted_file_is_never_put_in_place(
    files: ProjectFiles, tmp_path: Path, action: Any
) -> None:
    target = tmp_path / "pipelines" / "out.txt"
    if action != "error":
        target.write_text("old")
    writing = files.write("out.txt", action, create_folder=False)
    writing.write(b"new")
    writing.abort()
    with pytest.raises(DataError, match="the run was stopped"):
        writing.commit()
    writing.discard()
    assert [entry.read_text() for entry in target.parent.iterdir()] == ["old"] * target.exists()


def test_aborting_reaches_a_commit_that_takes_long(
    files: ProjectFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "pipelines" / "out.txt"
    target.write_text("old")
    writing = files.write("out.txt", "overwrite", create_folder=False)
    monkeypatch.setattr(os, "fsync", lambda _: writing.abort())
    with pytest.raises(DataError, match="the run was stopped"):
        writing.commit()
    assert target.read_text() == "old"
    assert [entry.name for entry in target.parent.iterdir()] == ["out.txt"]


@pytest.fixture
def output() -> Iterator[tuple[int, int]]:
    """An open pipe: where to read, and where to write."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("named", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_an_open_pipe_can_be_written(
    files: ProjectFiles, tmp_path: Path, output: tuple[int, int], named: str
) -> None:
    (tmp_path / "pipelines" / "link").symlink_to(f"/dev/fd/{output[1]}")
    writing = files.write(named.format(output[1]), "overwrite", create_folder=False)
    writing.write(b"there")
    writing.commit()
    assert os.read(output[0], 100) == b"there"


def test_an_open_file_is_written_where_it_is_and_never_replaced(
    files: ProjectFiles, tmp_path: Path
) -> None:
    place = tmp_path / "redirected.txt"
    place.write_bytes(b"before ")
    with place.open("ab") as file:
        number = place.stat().st_ino
        writing = files.write(f"/dev/fd/{file.fileno()}", "overwrite", create_folder=False)
        writing.write(b"there")
        writing.commit()
    assert place.read_bytes() == b"before there"
    assert place.stat().st_ino == number


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no such folder")
def test_a_folder_of_devices_may_contain_files(files: ProjectFiles, tmp_path: Path) -> None:
    name = f"/dev/shm/{tmp_path.name}-{os.getpid()}.txt"
    writing = files.write(name, "overwrite", create_folder=False)
    writing.write(b"x")
    assert not Path(name).exists()
    writing.commit()
    assert read(files, name) == b"x"
    Path(name).unlink()
