"""Why a file cannot be used, in messages that a user can act on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.plan.folders import ARCHIVES, COMPRESSIONS, is_chain, scheme_of
from engine.sdk.http import shown_url
from engine.sdk.near_files import nearest_name

LOCAL_ERRORS = (OSError, ValueError)
Words = tuple[str, str]
"""A reason, and what to do."""

_BY_NUMBER: dict[int, Words] = {
    errno.ELOOP: ("it is a link that leads back to itself", "correct the link"),
    errno.ENAMETOOLONG: ("the name is too long for this file system", "use a shorter name"),
    errno.EROFS: ("the file system is read-only", "use a file elsewhere"),
    errno.ENOSPC: ("the disk is full", "free some space, or use a file elsewhere"),
    errno.EDQUOT: ("your disk quota is exhausted", "free some space, or use a file elsewhere"),
    errno.EFBIG: ("the file would be larger than the system allows", ""),
}
_BY_STATUS: dict[int, Words] = {
    401: ("the server asks for a login (status 401)", "provide user and password, or a token"),
    403: ("the server refuses access (status 403)", "check your rights to this file"),
    404: ("the file does not exist on the server (status 404)", "check the name"),
    410: ("the file has been removed from the server (status 410)", "check the name"),
    429: ("the server gets too many requests (status 429)", "try again later, or set retries"),
    503: ("the server is temporarily unavailable (status 503)", "try again later, or set retries"),
}
_EXTRAS = dict.fromkeys(("s3", "s3a"), "install it with: pip install 'snapline[s3]'")
_CREATE_FOLDER = "create it, or set create_dir to true"
_NOT_THERE = (FileNotFoundError, KeyError, IndexError)


def failure(
    what: str,
    located: str,
    error: BaseException,
    *,
    can_create_folder: bool = False,
    kind: str = "file",
) -> DataError:
    """The error for the user: what could not be done to which file, why, and what to do.

    `can_create_folder`: the snap has a setting to make the folder, which is off.
    """
    if isinstance(error, DataError):
        return error
    is_url = bool(scheme_of(located)) or is_chain(located)
    summary = f"cannot {what} the {kind} {shown_url(located)!r}"
    if is_url:
        return DataError(summary, *_remote(located, error, kind))
    return DataError(summary, *_local(Path(located), error, can_create_folder, kind))


def status_words(status: int, phrase: str = "") -> Words:
    """The reason and hint for an HTTP status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    said = f"the server answered with status {status} {phrase}".rstrip()
    return said, "try again later, or set retries" if status >= 500 else "check the address"


def stopped(located: str) -> DataError:
    return DataError(f"cannot write the file {shown_url(located)!r}", "the run was stopped")


def _local(
    path: Path, error: BaseException, can_create_folder: bool = False, kind: str = "file"
) -> Words:
    if isinstance(error, FileNotFoundError):
        return _missing(path, can_create_folder, kind)
    if isinstance(error, NotADirectoryError):
        if path.is_file():
            return "it is a file", "name a folder"
        return _file_on_the_way(path)
    return _general(error)


def _general(error: BaseException) -> Words:
    """The reason and hint for an error that does not depend on the path."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    if isinstance(error, PermissionError):
        return "permission denied", "change its permissions or its owner"
    if isinstance(error, IsADirectoryError):
        return "it is a folder", "name a file"
    if isinstance(error, FileExistsError):
        return "the file exists", "use another file_action, or remove it"
    if isinstance(error, UnicodeError):
        return "the name contains half of a surrogate pair", "use another name"
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return reason or type(error).__name__, ""


def _missing(path: Path, can_create_folder: bool, kind: str) -> Words:
    """A missing file: its folder or the target of a link may be missing instead."""
    if path.is_symlink():
        target = str(path.readlink())
        return f"it is a link to {target!r}, which does not exist", "correct or remove the link"
    folder = path.parent
    if folder.is_dir():
        hint = _nearest(path, folders=kind == "folder") or "check the name"
        if can_create_folder and kind == "folder":
            hint = _CREATE_FOLDER
        return f"the {kind} does not exist", hint
    if folder.is_symlink():
        return f"its folder is a link to {str(folder.readlink())!r}, which does not exist", ""
    missing = folder
    while not missing.parent.is_dir() and missing.parent != missing:
        missing = missing.parent
    hint = _nearest(missing, folders=True)
    if can_create_folder:
        hint = _CREATE_FOLDER
    return f"the folder {str(folder)!r} does not exist", hint or "check the name"


def _file_on_the_way(path: Path) -> Words:
    for parent in path.parents:
        if parent.is_file():
            return f"{str(parent)!r} is a file, not a folder", "check the name"
    return "a part of the path is a file, not a folder", "check the name"


def _nearest(path: Path, *, folders: bool = False) -> str:
    name = nearest_name(path, folders=folders)
    return f"did you mean {name!r}?" if name else ""


def _remote(located: str, error: BaseException, kind: str) -> Words:
    """Errors of fsspec; many file systems report every failure as a missing file, with a cause."""
    scheme = _scheme_at_fault(located)
    if scheme in ARCHIVES and not is_chain(located):
        return "the archive is missing", f"write {scheme}://MEMBER::ARCHIVE"
    causes = list(_causes(error))
    for cause in causes:
        words = _of_connection(cause) or _of_archive(cause)
        if words is not None:
            return words
    real = next((cause for cause in causes if not isinstance(cause, _NOT_THERE)), None)
    if real is None:
        return _not_in(located, error, kind)
    if isinstance(real, ImportError):
        return str(real), _EXTRAS.get(scheme, f"install the package for {scheme}://")
    if isinstance(real, ValueError) and str(real).startswith("Protocol not known"):
        return f"the scheme {scheme!r} is not known", _nearest_scheme(scheme) or "check the URL"
    if isinstance(real, NotImplementedError):
        return f"{kind}s of {scheme}:// do not support this", "use another place"
    return _general(real)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )


def _of_connection(error: BaseException) -> Words | None:
    status = _status_of(error)
    if status is not None and status >= 400:
        return status_words(status)
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused", "check host and port, and that the server is running"
    if isinstance(error, socket.gaierror):
        return f"the host is not known: {error.strerror}", "check its name"
    import ssl  # slow to import, and connections rarely fail

    if isinstance(error, ssl.SSLError):
        return (
            f"could not make a secure connection: {error.reason or error}",
            "check the certificate",
        )
    if isinstance(error, TimeoutError):
        return "the server did not answer in time", "try again later, or set retries"
    if isinstance(error, ConnectionError):
        return f"the connection broke: {error.strerror or error}", "try again later, or set retries"
    return None


def _of_archive(error: BaseException) -> Words | None:
    """Errors of zip and tar, without importing either before an archive is read."""
    name = f"{type(error).__module__}.{type(error).__name__}"
    if name == "zipfile.BadZipFile":
        return f"it is not a complete zip archive: {error}", "check the file after '::'"
    if name.startswith("tarfile."):
        reason = str(error).partition("\n")[0].rstrip(": ")
        return f"it is not a complete tar archive: {reason}", "check the file after '::'"
    return None


def _status_of(error: BaseException) -> int | None:
    """The HTTP status in the exceptions of aiohttp, requests and botocore."""
    response: Any = getattr(error, "response", None)
    found = getattr(error, "status", None) or getattr(response, "status_code", None)
    if isinstance(response, dict):
        found = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return found if isinstance(found, int) else None


def _not_in(located: str, error: BaseException, kind: str) -> Words:
    """A missing file: the last link of a chain is a file itself."""
    archive = located.rpartition("::")[2] if is_chain(located) else ""
    named = getattr(error, "filename", None)
    if archive and named and not scheme_of(archive):
        reason, hint = _local(Path(archive), error)
        return f"{reason} ({archive!r})" if archive not in reason else reason, hint
    if archive:
        return f"{archive!r} does not contain the file", "check the name before '::'"
    return f"the {kind} does not exist", "check the name"


def _scheme_at_fault(located: str) -> str:
    return next((scheme for link in located.split("::") if (scheme := scheme_of(link))), "")


def _nearest_scheme(scheme: str) -> str:
    from difflib import get_close_matches

    from fsspec.registry import known_implementations

    if scheme in COMPRESSIONS:
        return f"write '{scheme}::' and the name of the compressed file"
    close = get_close_matches(scheme, ["sldb", *known_implementations], n=1, cutoff=0.6)
    return f"did you mean {close[0] + '://'!r}?" if close else ""
