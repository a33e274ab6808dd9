"""Files elsewhere, through fsspec: read, written when complete, appended to and removed."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import DataError
from engine.run.files import ProjectFiles
from tests.run.files.reading import read


def test_other_schemes_go_through_fsspec(files: ProjectFiles) -> None:
    writing = files.write("memory://bucket/a.txt", "overwrite", create_folder=False)
    writing.write(b"there")
    writing.commit()
    assert files.size("memory://bucket/a.txt") == 5
    assert read(files, "memory://bucket/a.txt") == b"there"


def test_a_missing_remote_file_is_reported(files: ProjectFiles) -> None:
    with pytest.raises(DataError, match="the file does not exist"):
        read(files, "memory://bucket/none.txt")


def test_a_discarded_remote_file_does_not_exist(files: ProjectFiles) -> None:
    writing = files.write("memory://bucket/gone.txt", "overwrite", create_folder=False)
    writing.write(b"half")
    writing.discard()
    assert files.size("memory://bucket/gone.txt") is None


def test_an_action_error_elsewhere_is_checked_again_when_complete(files: ProjectFiles) -> None:
    writing = files.write("memory://bucket/once.txt", "error", create_folder=False)
    writing.write(b"second")
    first = files.write("memory://bucket/once.txt", "overwrite", create_folder=False)
    first.write(b"first")
    first.commit()
    with pytest.raises(DataError, match="the file exists"):
        writing.commit()
    assert read(files, "memory://bucket/once.txt") == b"first"


def test_remote_files_are_committed_independently(files: ProjectFiles) -> None:
    one = files.write("memory://bucket/one.txt", "overwrite", create_folder=False)
    two = files.write("memory://bucket/two.txt", "overwrite", create_folder=False)
    one.write(b"1")
    two.write(b"2")
    one.discard()
    two.commit()
    assert files.size("memory://bucket/one.txt") is None
    assert read(files, "memory://bucket/two.txt") == b"2"


@pytest.mark.parametrize(("commits", "left"), [(True, b"old new"), (False, b"old ")])
def test_appends_to_a_remote_file_when_complete(
    files: ProjectFiles, commits: bool, left: bytes
) -> None:
    url = "memory://bucket/log.txt"
    old = files.write(url, "overwrite", create_folder=False)
    old.write(b"old ")
    old.commit()
    writing = files.write(url, "append", create_folder=False)
    writing.write(b"new")
    (writing.commit if commits else writing.discard)()
    assert read(files, url) == left


def test_an_error_of_another_file_system_is_one_of_the_document(
    files: ProjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    class ClientError(Exception):
        """Not an OSError, like those of several clients."""

    def fails(*args: Any, **options: Any) -> Any:
        raise ClientError("access denied")

    monkeypatch.setattr(MemoryFileSystem, "_open", fails)
    monkeypatch.setattr(MemoryFileSystem, "exists", fails)
    url = "memory://bucket/a.txt"
    with pytest.raises(DataError, match=r"cannot read the file 'memory:.*access denied"):
        read(files, url)
    with pytest.raises(DataError, match=r"cannot write the file 'memory:.*access denied"):
        files.size(url, to="write")
    with pytest.raises(DataError, match=r"cannot write the file 'memory:.*access denied"):
        files.write(url, "overwrite", create_folder=False)


def test_an_aborted_remote_file_does_not_exist(files: ProjectFiles) -> None:
    writing = files.write("memory://bucket/late.txt", "overwrite", create_folder=False)
    writing.write(b"late")
    writing.abort()
    with pytest.raises(DataError, match="the run was stopped"):
        writing.commit()
    assert files.size("memory://bucket/late.txt") is None
