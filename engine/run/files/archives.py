"""Members of zip and tar archives."""

from __future__ import annotations

import tarfile
import zipfile
from typing import IO


def open_member(scheme: str, archive: IO[bytes], name: str) -> tuple[IO[bytes], int]:
    """A member and its size; the archive must stay open while it is read.

    Raises KeyError if the member does not exist, IsADirectoryError if it is a folder.
    """
    name = name.lstrip("/")
    return _of_zip(archive, name) if scheme == "zip" else _of_tar(archive, name)


def _of_zip(archive: IO[bytes], name: str) -> tuple[IO[bytes], int]:
    members = zipfile.ZipFile(archive)
    info = members.getinfo(name)
    if info.is_dir():
        raise IsADirectoryError
    return members.open(info), info.file_size


def _of_tar(archive: IO[bytes], name: str) -> tuple[IO[bytes], int]:
    members = tarfile.open(fileobj=archive)  # noqa: SIM115  # closed with the archive
    try:
        info = members.getmember(name)
    except KeyError:
        info = members.getmember(f"./{name}")  # `tar -C folder .` names them this way
    if info.isdir():
        raise IsADirectoryError
    file = members.extractfile(info)
    if file is None:
        raise KeyError(name)
    return file, info.size
