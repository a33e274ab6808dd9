"""What data may add to the name of a file: nothing that leads out of the author's folder.

`'files/' + $name` may name files in `files` and below. A name without such a beginning may name
files in the project, or in the folder of the pipeline. Links are followed first. What a name could
mean to other software (an encoded `..`, a backslash) is checked as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from engine.errors import DataError
from engine.plan.folders import ARCHIVES, FILE_SCHEMES, is_chain, scheme_of
from engine.run.files.failures import LOCAL_ERRORS, failure
from engine.run.files.names import Names, is_compression, with_bucket
from engine.sdk.files import FileName

_LOCAL = ("", "sldb", *FILE_SCHEMES)
_NO_FOLDER = ("", *(f"{scheme}:{'/' * n}" for scheme in (*FILE_SCHEMES, "sldb") for n in range(3)))
"""Beginnings that do not name a folder."""

_DECODINGS = 3
"""How often a name is percent-decoded in search of `..`."""


def check_bounds(name: FileName, names: Names) -> None:
    """Raise DataError if data leads the name out of the folder of its literal part."""
    if name.literal is None:
        return
    if "\0" in unquote(name.text):
        raise _refused(name, "it contains a NUL character")
    links = name.text.split("::") if is_chain(name.text) else [name.text]
    literals = name.literal.split("::") if len(links) > 1 else [name.literal]
    for position, link in enumerate(links):
        if position < len(literals) - 1:
            continue  # the author wrote all of it
        literal = literals[position] if position < len(literals) else ""
        reason = _violation(link, literal, is_last=position == len(links) - 1, names=names)
        if reason:
            raise _refused(name, reason)


def _violation(link: str, literal: str, *, is_last: bool, names: Names) -> str:
    """What is wrong with a link of a chain, given the beginning that the author wrote."""
    scheme = scheme_of(link)
    if not is_last and (is_compression(link) or scheme in ARCHIVES):
        return "its member leads out of the archive" if _climbs(link.partition("://")[2]) else ""
    if is_last and scheme in _LOCAL:
        return _local_violation(link, literal, names)
    if scheme_of(literal) != scheme:
        if not scheme:
            return "data must not add '::' with another name"
        return f"data must not set the scheme {scheme + '://'!r}"
    return _remote_violation(link, literal)


def _local_violation(link: str, literal: str, names: Names) -> str:
    added = link[len(literal) :]
    written = _folder_of(literal, added)
    if literal in _NO_FOLDER:
        bases = ["sldb:///", "."]
        reason = "it leads out of the project"
    elif not written:
        bases = ["."]
        reason = "it leads out of the folder of the pipeline"
    else:
        bases = [written]
        reason = f"it leads out of {written!r}"
    if literal and _climbs(added):
        return reason
    try:
        allowed = [names.real_folder(base) for base in bases]
        for reading in _readings(link):
            found = os.path.realpath(names.locate(reading))
            if not any(_is_inside(found, base) for base in allowed):
                return reason
    except LOCAL_ERRORS as error:
        raise failure("find", link, error) from error
    return ""


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder if folder.endswith("/") else f"{folder}/")


def _remote_violation(url: str, literal: str) -> str:
    """Neither the host nor a path that climbs may come from data."""
    url, literal = with_bucket(url), with_bucket(literal)
    try:
        host, written_host = urlsplit(url).netloc, urlsplit(literal).netloc
    except ValueError as error:
        return str(error)
    if not host or host != written_host:
        return f"data must not set the host {host!r}" if host else "data must not name a host"
    path = literal.partition("?")[0]
    folder = _folder_of(path, url[len(path) :])
    added = url[len(folder) :]
    if scheme_of(url) in ("http", "https"):
        added = re.split("[?#]", added, maxsplit=1)[0]
    return f"it leads out of {folder!r}" if _climbs(added) else ""


def _folder_of(literal: str, added: str) -> str:
    """The folder that the author wrote: all of it if a slash follows, or up to its last slash."""
    if any(reading.startswith("/") for reading in _readings(added)):
        return literal if literal.endswith("/") else f"{literal}/"
    return literal[: literal.rfind("/") + 1]


def _climbs(path: str) -> bool:
    """Whether a relative path leads out of its starting folder."""
    for reading in _readings(path):
        depth = 0
        for segment in reading.split("/"):
            depth += -1 if segment == ".." else segment not in ("", ".")
            if depth < 0:
                return True
    return False


def _readings(text: str) -> Iterator[str]:
    """The text and other readings of it: backslashes as slashes, percent escapes decoded."""
    seen = set()
    for _ in range(_DECODINGS + 1):
        for reading in (text, text.replace("\\", "/")):
            if reading not in seen:
                seen.add(reading)
                yield reading
        text = unquote(text)


def _refused(name: FileName, reason: str) -> DataError:
    return DataError(
        f"the file name {name.text!r} is not allowed",
        f"part of it comes from data, and {reason}",
        "correct the data; or, if it can be trusted, set allow_outside to true (for a hosted task, "
        "in its task file as well)",
    )
