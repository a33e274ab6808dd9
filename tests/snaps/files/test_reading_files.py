"""Where FileReader reads from, and its errors."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.run.fetching import free_port


@pytest.fixture
def read(run_snap: Any, content: Any) -> Any:
    """The bytes that a FileReader returns for a name, or its error document if it fails."""

    def run(name: str, snap: str = "FileReader", **settings: Any) -> Any:
        result = run_snap(snap, {"file": name, **settings}, [{}], on_error="route")
        return result.errors[0] if result.errors else content(result.output)

    return run


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """Files and archives that hold `hello`, in the folder of the pipeline."""
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"hel") + gzip.compress(b"lo") + b"\0" * 9)
    (tmp_path / "a.txt.bz2").write_bytes(bz2.compress(b"hello"))
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(b"hello"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/a.txt", "hello")
        archive.writestr("in/a.txt.gz", gzip.compress(b"hello"))
    for name, mode in [
        ("a.tar", "w"),
        ("a.tar.gz", "w:gz"),
        ("a.tgz", "w:gz"),
        ("a.tar.xz", "w:xz"),
    ]:
        with tarfile.open(tmp_path / name, mode) as archive:  # type: ignore[call-overload]
            member = tarfile.TarInfo("in/a.txt")
            member.size = 5
            archive.addfile(member, io.BytesIO(b"hello"))
    with fsspec.open("memory://reading/a.txt", "wb") as file:
        file.write(b"hello")
    with fsspec.open("memory://reading/a.zip", "wb") as file:
        file.write((tmp_path / "a.zip").read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "a.txt",
        "./x/../a.txt",
        "sldb:///a.txt",
        "SLDB:///a.txt",
        "sldb:a.txt",
        "{folder}/a.txt",
        "file://{folder}/a.txt",
        "FILE://{folder}/a.txt",
        "file:{folder}/a.txt",
        "file://localhost{folder}/a.txt",
        "file:a.txt",
        "local://{folder}/a.txt",
        "Local:{folder}/a.txt",
        "memory://reading/a.txt",
        "MEMORY://reading/a.txt",
        "data:text/plain,hello",
        "data:text/plain;base64,aGVsbG8=",
        "DATA:,hel%6Co",
        "zip://in/a.txt::a.zip",
        "ZIP://in/a.txt::a.zip",
        "zip://in/a.txt::sldb:///a.zip",
        "zip://in/a.txt::file://{folder}/a.zip",
        "zip://in/a.txt::{folder}/a.zip",
        "zip://in/a.txt::memory://reading/a.zip",
        "tar://in/a.txt::a.tar",
        "TAR://in/a.txt::a.tar.gz",
        "tar://in/a.txt::a.tgz",
        "tar://in/a.txt::a.tar.xz",
        "gzip::a.txt.gz",
        "GZIP::a.txt.gz",
        "bz2::a.txt.bz2",
        "xz::a.txt.xz",
        "gzip::zip://in/a.txt.gz::a.zip",
        "gzip::sldb:///a.txt.gz",
        "dir://a.txt::file://{folder}",
        "simplecache::file://{folder}/a.txt",
        "filecache::memory://reading/a.txt",
    ],
)
def test_a_file_is_read_wherever_it_is(read: Any, archives: Path, name: str) -> None:
    assert read(name.format(folder=archives)) == b"hello"


def test_a_name_with_colons_or_a_hash_is_a_name(read: Any, tmp_path: Path) -> None:
    for name in ("a::b.txt", "a#1.txt", "12:30.txt", "what?.txt", "50%.txt", "a\\b.txt"):
        (tmp_path / name).write_bytes(b"x")
        assert read(name) == b"x"
    assert read(f"file://{tmp_path}/a#1.txt") == b"x"
    assert read("data:text/plain,a::b") == b"a::b"
    assert read(f"file://{tmp_path}/50%25.txt") == b"x"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.txt.gz", "application/gzip"),
        ("gzip::a.txt.gz", "text/plain"),
        ("zip://in/a.txt::a.zip", "text/plain"),
        ("a.zip", "application/zip"),
        ("data:application/json,{}", "application/json"),
    ],
)
def test_the_type_is_that_of_the_bytes(run_snap: Any, archives: Path, name: str, kind: str) -> None:
    assert run_snap("FileReader", {"file": name}).output[0].header["content-type"] == kind


def test_a_compressed_file_is_read_as_it_is_without_a_prefix(read: Any, archives: Path) -> None:
    assert read("a.txt.gz") == (archives / "a.txt.gz").read_bytes()


def test_large_members_and_compressed_files_come_in_pieces(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    pieces = run_snap("FileReader", {"file": "gzip::a.gz"}).output[1:-1]
    assert sum(map(len, pieces)) == 5_000_000
    assert max(map(len, pieces)) <= 131_072


WORDS = [
    ("zzz.bin", "the file does not exist", "check the name"),
    ("a.tx", "the file does not exist", "did you mean 'a.txt'?"),
    ("none/a.txt", "none' does not exist", "check the name"),
    ("fold/a.txt", "fold' does not exist", "did you mean 'folder'?"),
    ("a.tx/b.txt", "a.tx' does not exist", "check the name"),  # a.txt is not a folder
    ("folder", "it is a folder", "name a file"),
    ("a.txt/b", "is a file, not a folder", "check the name"),
    ("dangling", "it is a link to 'gone.txt', which does not exist", "correct or remove the link"),
    ("dangling_folder/a.txt", "its folder is a link to 'gone', which does not exist", ""),
    ("circle", "it is a link that leads back to itself", "correct the link"),
    ("x" * 300, "the name is too long", "shorter"),
    ("file://server/a.txt", "names the machine 'server'", "file:///"),
    ("nosuch://x", "the scheme 'nosuch' is not known", "check the URL"),
    ("gzip://a.txt", "the scheme 'gzip' is not known", "write 'gzip::' and the name"),
    ("zip://in/a.txt", "the archive is missing", "write zip://MEMBER::ARCHIVE"),
    ("htps://host/x", "the scheme 'htps' is not known", "did you mean 'https://'?"),
    ("s3://bucket/a.txt", "s3fs", "pip install 'snapline[s3]'"),
    ("memory://reading/none", "the file does not exist", "check the name"),
    ("zip://none.txt::a.zip", "a.zip' does not contain the file", "before '::'"),
    ("zip://in/a.txt::none.zip", "the file does not exist", ""),
    ("zip://in/a.txt::a.zi", "the file does not exist", "did you mean 'a.zip'?"),
    ("tar://none.txt::a.tar", "a.tar' does not contain the file", "before '::'"),
    ("zip://in/a.txt::a.tar.gz", "it is not a complete zip archive", "after '::'"),
    ("tar://in/a.txt::a.zip", "tar archive: file could not be opened successfully", "after '::'"),
    ("gzip::a.txt", "it is not a complete gzip file", "remove 'gzip::'"),
    ("bz2::a.txt", "it is not a complete bz2 file", "remove 'bz2::'"),
    ("xz::a.txt", "it is not a complete xz file", "remove 'xz::'"),
    ("gzip::none.gz", "the file does not exist", "check the name"),
    ("data:nothing", "a data: URL needs a comma", ""),
]


@pytest.mark.parametrize(("name", "reason", "resolution"), WORDS)
def test_the_message_says_what_happened(
    read: Any, archives: Path, name: str, reason: str, resolution: str
) -> None:
    (archives / "folder").mkdir()
    (archives / "dangling").symlink_to("gone.txt")
    (archives / "dangling_folder").symlink_to("gone")
    (archives / "circle").symlink_to("circle")
    error = read(name)
    assert reason in error["reason"]
    assert resolution in error["resolution"]
    assert "create_dir" not in error["resolution"]  # FileReader has no such setting


def test_an_unreachable_server_is_reported_for_other_schemes(read: Any) -> None:
    error = read(f"ftp://127.0.0.1:{free_port()}/a.txt")
    assert error["reason"] == "the connection was refused"
    error = read("ftp://no-such-host.invalid/a.txt")
    assert error["reason"].startswith("the host is not known")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_reported(read: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch(mode=0)
    assert read("a.txt")["reason"] == "permission denied"


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/a", "zip://a::b.zip", "gzip::a.gz", "data:,x", "tar://a::b.tar"]
)
def test_what_can_only_be_read_is_not_written(run_snap: Any, stream: Any, name: str) -> None:
    result = run_snap("FileWriter", {"file": name}, stream(b"x"), on_error="route")
    assert "can only be read" in result.errors[0]["reason"]


def test_writing_into_a_missing_folder_names_the_setting(run_snap: Any, stream: Any) -> None:
    result = run_snap("FileWriter", {"file": "none/a.txt"}, stream(b"x"), on_error="route")
    assert result.errors[0]["resolution"] == "create it, or set create_dir to true"


def test_writing_through_a_dangling_link_names_its_target(
    run_snap: Any, stream: Any, tmp_path: Path
) -> None:
    (tmp_path / "dangling").symlink_to("none/a.txt")
    result = run_snap("FileWriter", {"file": "dangling"}, stream(b"x"), on_error="route")
    assert "it is a link to 'none/a.txt'" in result.errors[0]["reason"]


def test_a_folder_in_an_archive_is_a_folder(read: Any, archives: Path) -> None:
    with zipfile.ZipFile(archives / "b.zip", "w") as archive:
        archive.mkdir("in")
    assert read("zip://in/::b.zip")["reason"] == "it is a folder"


def test_a_compressed_archive_from_elsewhere_is_read(read: Any, archives: Path) -> None:
    with fsspec.open("memory://reading/a.tar.gz", "wb") as file:
        file.write((archives / "a.tar.gz").read_bytes())
    assert read("tar://in/a.txt::memory://reading/a.tar.gz") == b"hello"
