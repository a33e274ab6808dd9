"""Whether a local file could be read or written, found out without doing either.

The functions raise OSError, as the attempt would; permissions may change until then.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from engine.errors import DataError
from engine.sdk.files import WrittenFile


def check_target(path: Path, written: WrittenFile) -> None:
    """Raise OSError or DataError if the file or folder cannot be written."""
    if written.is_folder:
        check_folder(path, creates=written.creates_folder)
        return
    if path.is_dir():
        raise _error(IsADirectoryError, errno.EISDIR, path)
    if path.exists():
        if not path.is_file() or written.action == "ignore":
            return  # a device or a pipe; or nothing to write
        if written.action == "error":
            raise DataError(
                "cannot write the file",
                f"the file {str(path)!r} exists, and file_action is 'error'",
                "remove the file, use another name, or set file_action to overwrite, append or "
                "ignore",
            )
        if written.action == "append":
            _check_access(path, os.W_OK)
            return
    check_folder(path.parent, creates=written.creates_folder)


def check_folder(folder: Path, *, creates: bool) -> None:
    """Raise OSError if no file can be created in a folder, which may have to be created first."""
    if creates:
        while not folder.exists() and folder.parent != folder:
            folder = folder.parent
    if not folder.exists():
        raise _error(FileNotFoundError, errno.ENOENT, folder)
    if not folder.is_dir():
        raise _error(NotADirectoryError, errno.ENOTDIR, folder)
    _check_access(folder, os.W_OK | os.X_OK)


def check_source(path: Path) -> None:
    """Raise OSError if the file cannot be read."""
    if path.is_dir():
        raise _error(IsADirectoryError, errno.EISDIR, path)
    path.stat()
    _check_access(path, os.R_OK)


def _check_access(path: Path, mode: int) -> None:
    if os.access(path, mode, effective_ids=os.access in os.supports_effective_ids):
        return
    if mode & os.W_OK and os.statvfs(path).f_flag & os.ST_RDONLY:
        raise _error(OSError, errno.EROFS, path)
    raise _error(PermissionError, errno.EACCES, path)


def _error(kind: type[OSError], number: int, path: Path) -> OSError:
    return kind(number, os.strerror(number), str(path))
