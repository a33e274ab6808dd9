"""Resolving names: an absolute path for a local file, otherwise a URL."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import DataError
from engine.plan.folders import (
    COMPRESSIONS,
    FILE_SCHEMES,
    is_chain,
    path_in_project,
    path_of_file_url,
    scheme_of,
)
from engine.run.files.failures import LOCAL_ERRORS, failure

_MAX_FOLDERS = 1000


class Names:
    """Names in a pipeline of the given folder and project."""

    def __init__(self, folder: str, project: str) -> None:
        self.folder = Path(folder)
        self.project = Path(project)
        self._real: dict[str, str] = {}

    def locate(self, name: str) -> str:
        """An absolute path, or a URL with its schemes in lower case.

        In a chain such as `zip://a.txt::data.zip` each link is located. Raises DataError for an
        empty name, and for one that leaves the project through `sldb:`.
        """
        if not name:
            raise DataError("the file name is missing", "the name is empty", "enter a file name")
        if is_chain(name):
            first, rest = name.split("::", 1)
            return f"{self._link(first)}::{self.locate(rest)}"
        return self._located(name)

    def real_folder(self, name: str) -> str:
        """The real path of a folder, resolved only once."""
        if name not in self._real:
            if len(self._real) >= _MAX_FOLDERS:
                self._real.clear()
            self._real[name] = os.path.realpath(self.locate(name))
        return self._real[name]

    def _link(self, link: str) -> str:
        """A link before the last: a member of an archive, or the compression of what follows."""
        return link.lower() if not scheme_of(link) else _with_small_scheme(link)

    def _located(self, name: str) -> str:
        scheme = scheme_of(name)
        if scheme == "sldb":
            path = str(self._in_project(name))
        elif scheme in FILE_SCHEMES:
            try:
                path = os.path.normpath(self.folder / path_of_file_url(name))
            except ValueError as error:
                raise DataError(
                    f"{name!r} is not a local file",
                    str(error),
                    "write file:/// and the full path of the file",
                ) from None
        elif scheme:
            return _with_small_scheme(name)
        else:
            path = os.path.normpath(self.folder / name)
        if "\0" in path:
            raise DataError(
                "the file name is missing",
                f"the name {name!r} contains a NUL character",
                "remove the character",
            )
        return path

    def _in_project(self, url: str) -> Path:
        try:
            project = self.project.resolve()
            path = (project / path_in_project(url)).resolve()
        except (*LOCAL_ERRORS, RuntimeError) as error:  # RuntimeError for a circle of links
            raise failure("find", url, error) from error
        if not path.is_relative_to(project):
            raise DataError(
                f"the file {url!r} is outside the project",
                f"sldb:/// is the folder {str(project)!r} and cannot be left",
                "use a path inside the project, or file:/// for other places",
            )
        return path


def is_local(located: str) -> bool:
    return located.startswith("/")


def errors_of(located: str) -> tuple[type[Exception], ...]:
    """The errors that using a file may raise; each file system of fsspec has its own."""
    return LOCAL_ERRORS if is_local(located) else (Exception,)


def split_chain(located: str) -> tuple[str, str]:
    """The first link of a chain and the rest; the name and '' if it is not a chain."""
    if is_chain(located):
        first, rest = located.split("::", 1)
        return first, rest
    return located, ""


def is_compression(link: str) -> bool:
    return link in COMPRESSIONS


def _with_small_scheme(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    return with_bucket(f"{scheme.lower()}{colon}{rest}")


def with_bucket(url: str) -> str:
    """`s3:///bucket/key`, as SnapLogic writes it, as `s3://bucket/key`."""
    return f"s3://{url[6:]}" if url[:6].lower() == "s3:///" else url
