"""What the previews of a pipeline found, kept in the project between them.

There is a file for each pipeline in `.snapline/preview`, for its owner only. It holds no secrets:
they are masked, and a view that is not as it was does not count as complete. The file is replaced
as a whole, so of two previews at the same time the later one counts, and a reader never sees half
of one. A file that cannot be read is as good as none. The folders may come with somebody else's
project, so nothing is read, written or removed through a link, or in a folder of another user.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any

import msgspec

from engine.documents import Document, ViewType
from engine.plan.folders import folder_of, project_of
from engine.preview.codec import unpack

_log = logging.getLogger(__name__)

FOLDER = Path(".snapline", "preview")
MAX_FILE = 32 << 20
"""Bytes of one pipeline's file."""

MAX_FOLDER = 256 << 20
"""Bytes of all files of a project; beyond, those that were not used for longest are removed."""

MAX_AGE = 30 * 24 * 3600
"""Seconds after which a file that nobody used is removed."""

_MAGIC = b"snapline preview 1\n"
_DIGEST = 16
_BEGIN = len(_MAGIC) + _DIGEST
_SUFFIX = ".preview"
_NEW_SUFFIX = ".new"


class HeldFile(msgspec.Struct, frozen=True, array_like=True):
    """A file, folder or variable that a snap read, with its fingerprint of then (see tracing)."""

    kind: str
    name: str
    pattern: str
    fingerprint: bytes


class HeldView(msgspec.Struct, frozen=True, array_like=True):
    """What left a view: `items` are packed (see codec), and have their numbers among the `count`.

    A binary stream is a list of header, first bytes, size, and content if it is known. `complete`:
    they are all that left it, as it was, so the next snaps can be run with them.
    """

    type: ViewType
    count: int
    numbers: tuple[int, ...]
    items: msgspec.Raw
    complete: bool

    def unpacked(self) -> list[Any]:
        items: list[Any] = unpack(self.items)
        return items


class HeldSnap(msgspec.Struct, frozen=True, array_like=True):
    """A snap as it ran at the time `at`. Equal `id`s stand for equal documents in and out; an empty
    one says that it must run again. `varies`: it would perhaps find something else later."""

    id: bytes
    at: float
    type: str
    inputs: dict[str, int]
    outputs: dict[str, int]
    dropped: int
    errors: int
    views: dict[str, HeldView]
    note: str = ""
    inner_notes: tuple[str, ...] = ()
    files: tuple[HeldFile, ...] = ()
    varies: bool = False
    line: int = 0


class Held(msgspec.Struct, frozen=True):
    """What is known of a pipeline. The `salt` goes into the ids."""

    salt: bytes
    snaps: Mapping[str, HeldSnap] = {}


_decoder = msgspec.msgpack.Decoder(Held)
_encoder = msgspec.msgpack.Encoder()


class UnreadableError(Exception):
    """The file is not one that `save` wrote."""


class Store:
    """The file of a pipeline."""

    def __init__(self, pipeline: str, project: str) -> None:
        path = os.path.realpath(pipeline)
        digest = hashlib.blake2b(path.encode(errors="surrogateescape"), digest_size=6).hexdigest()
        self._folder = Path(project) / FOLDER
        self._folders = (self._folder.parent, self._folder)
        self.path = self._folder / f"{Path(path).stem[:80]}-{digest}{_SUFFIX}"

    def load(self) -> Held | None:
        """What is held; None if there is nothing. Raises OSError, and UnreadableError."""
        return _load(self.path) if self.is_safe() else None

    def is_safe(self) -> bool:
        """Whether the file is in folders of this user, not behind a link."""
        return all(_is_own_folder(folder) for folder in self._folders)

    def save(self, held: Held) -> None:
        """Replace what is held. Raises OSError."""
        data = _encoder.encode(held)
        if len(data) > MAX_FILE:
            raise OSError(errno.EFBIG, "it is too much")
        self._make_folders()
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=_NEW_SUFFIX)  # 0600
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123  # it is open already
                file.write(_MAGIC + _digest(data))
                file.write(data)
            os.replace(name, self.path)  # noqa: PTH105
        except BaseException:  # raised again once nothing of it is left
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise
        self._tidy()

    def _make_folders(self) -> None:
        for folder in self._folders:
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            if not _is_own_folder(folder):
                why = f"'{folder}' is a link, a file, or a folder of another user"
                raise OSError(errno.EPERM, why)
        self._folder.chmod(0o700)
        with suppress(FileExistsError), (self._folder.parent / ".gitignore").open("x") as ignore:
            ignore.write("*\n")

    def _tidy(self) -> None:
        """Remove files that nobody needs any more, and leftovers of previews that were killed."""
        files = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            files = [
                (entry.stat().st_mtime, entry.stat().st_size, entry.path)
                for entry in entries
                if entry.name.endswith((_SUFFIX, _NEW_SUFFIX))
                and entry.is_file(follow_symlinks=False)
            ]
        total, now = 0, time()
        for changed, size, path in sorted(files, reverse=True):
            total += size
            most = MAX_AGE if path.endswith(_SUFFIX) else 3600
            if path != str(self.path) and (total > MAX_FOLDER or now - changed > most):
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108


def _is_own_folder(path: Path) -> bool:
    """Whether it is a folder of this user, and no link to one."""
    try:
        status = path.lstat()
    except OSError:
        return False
    is_own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return stat.S_ISDIR(status.st_mode) and is_own


def _load(path: Path) -> Held | None:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # a pipe would block
            raise UnreadableError
        with path.open("rb") as file:
            data = file.read(MAX_FILE + _BEGIN + 1)
    except FileNotFoundError:
        return None
    body = memoryview(data)[_BEGIN:]
    if not data.startswith(_MAGIC) or _digest(body) != data[len(_MAGIC) : _BEGIN]:
        raise UnreadableError
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise UnreadableError from error


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


_Stamp = tuple[int, int, int]
_MOST_SAMPLES = 8
_samples: dict[str, tuple[_Stamp, dict[str, list[Document]]]] = {}


def samples(pipeline: str | Path) -> dict[str, list[Document]]:
    """The documents that left each view (`LABEL.VIEW`) in the last preview of a pipeline file.

    Numbers, dates and bytes are exact; secrets are masked. Empty without a preview; never raises.
    What was read is kept until the next preview, so a call costs a look at one file. Do not change
    the documents.
    """
    try:
        store = Store(str(pipeline), project_of(folder_of(str(pipeline))))
        if not store.is_safe():
            return {}
        path = store.path
        status = path.lstat()
        stamp = status.st_mtime_ns, status.st_size, status.st_ino
        known = _samples.get(str(path))
        if known is None or known[0] != stamp:
            while len(_samples) >= _MOST_SAMPLES:
                _samples.pop(next(iter(_samples)), None)
            known = _samples[str(path)] = (stamp, _documents_in(_load(path)))
        return known[1]
    except Exception:  # noqa: BLE001  # an editor works without samples
        _log.debug("the last preview of %s cannot be read", pipeline, exc_info=True)
        return {}


def _documents_in(held: Held | None) -> dict[str, list[Document]]:
    return {
        f"{label}.{name}": view.unpacked()
        for label, snap in ({} if held is None else held.snaps).items()
        for name, view in snap.views.items()
        if view.type == "document"
    }
