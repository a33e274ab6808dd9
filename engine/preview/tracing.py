"""What the snaps of a preview read from outside, so that a change there is noticed next time."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engine.plan.accounts import Accounts
from engine.preview.files import PreviewFiles
from engine.preview.store import HeldFile
from engine.run.files import ProjectFiles
from engine.run.files.listing import local_entries
from engine.run.services import Outside
from engine.sdk.http import HttpCall, HttpClient, HttpDownload, HttpRequest
from engine.sdk.scripts import Script, ScriptExecutor, ScriptFailure, ScriptSession

if TYPE_CHECKING:
    from engine.pipeline.account_file import AccountFile
    from engine.sdk.accounts import AccountKind

SMALL = 64 * 1024
"""Bytes of a file whose content is its fingerprint; of a larger one, size, time and inode are."""

_MOST_ENTRIES = 10_000
_MOST_FILES = 1_000
"""Files that are remembered of one snap; if it reads more, it runs again each time."""

_ABSENT, _FOLDER = b"absent", b"folder"


class Read(NamedTuple):
    """A `file`, one that is `named` in a script, or a `folder` whose entries match a pattern."""

    kind: str
    name: str
    pattern: str = ""


Note = Callable[[Read], None]


def fingerprint(read: Read) -> bytes:
    """What tells a changed file from one that is as it was; never the same for a device or pipe."""
    try:
        if read.kind == "folder":
            return _digest(repr(list(_entries(read))).encode(errors="surrogateescape"))
        status = os.stat(read.name)  # noqa: PTH116
        if stat.S_ISDIR(status.st_mode):
            return _FOLDER
        if not stat.S_ISREG(status.st_mode):
            return os.urandom(16)
        if status.st_size <= SMALL:
            return _digest(Path(read.name).read_bytes())
        return _digest(f"{status.st_size} {status.st_mtime_ns} {status.st_ino}".encode())
    except (OSError, ValueError):
        return _ABSENT


def _entries(read: Read) -> Iterator[object]:
    for count, entry in enumerate(local_entries(read.name, read.pattern)):
        if count >= _MOST_ENTRIES:
            yield os.urandom(16)
            return
        yield entry


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


class Traces:
    """What each snap of a preview read, by label; that of the pipelines that it runs, too."""

    def __init__(self) -> None:
        self.varying: set[str] = set()
        """The snaps that found something which no fingerprint can tell from another time."""
        self._files: dict[str, dict[Read, bytes]] = {}
        self._shared: dict[Read, bytes] = {}
        self._lock = threading.Lock()

    def guard(self, label: str, outside: Outside) -> Outside:
        """The way of a snap to the outside, watched."""
        return _TracedOutside(self, label.partition("/")[0], outside)

    def note(self, label: str, read: Read) -> None:
        """A snap reads a file now."""
        found = fingerprint(read)
        with self._lock:
            self._files.setdefault(label, {}).setdefault(read, found)

    def note_pipeline(self, path: str) -> None:
        """Some snap runs the pipeline of that file."""
        self._shared.setdefault(Read("file", path), fingerprint(Read("file", path)))

    def names(self) -> set[str]:
        """All files and folders that were read."""
        reads = (*self._files.values(), self._shared)
        return {read.name for files in reads for read in files}

    def files_of(self, label: str, *, runs_pipelines: bool) -> tuple[HeldFile, ...] | None:
        """What a snap read; None if that is too much."""
        files = {**self._files.get(label, {}), **(self._shared if runs_pipelines else {})}
        for read in [each for each in files if each.kind == "named"]:
            if fingerprint(read) != files[read]:
                del files[read]  # the script has written it
        if len(files) > _MOST_FILES:
            return None
        return tuple(HeldFile(*read, found) for read, found in sorted(files.items()))


class _TracedOutside:
    def __init__(self, traces: Traces, label: str, outside: Outside) -> None:
        def note(read: Read) -> None:
            traces.note(label, read)

        def vary() -> None:
            traces.varying.add(label)

        assert isinstance(outside.files, PreviewFiles)  # a preview has no others
        self.files: ProjectFiles = outside.files.for_snap(
            lambda kind, name, pattern: note(Read(kind, name, pattern)), vary
        )
        self.http: HttpClient = _TracedHttp(outside.http, vary)
        self.scripts: ScriptExecutor = _TracedScripts(outside.scripts, note)
        self.accounts: Accounts = _TracedAccounts(outside.accounts, note)


class _TracedHttp:
    def __init__(self, real: HttpClient, vary: Callable[[], None]) -> None:
        self._real = real
        self._vary = vary

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> HttpCall:
        self._vary()
        return self._real.send(request, notice)

    def download(self, request: HttpRequest) -> HttpDownload:
        self._vary()
        return self._real.download(request)


class _TracedScripts:
    """Notes the files that a script opens itself, as far as its text names them."""

    def __init__(self, real: ScriptExecutor, note: Note) -> None:
        self._real = real
        self._note = note

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = lambda failure: None,
    ) -> ScriptSession:
        sources = [script.source, *(module.source for module in script.modules)]
        siblings: set[Path] = set()
        while sources:
            for node in _nodes_of(sources.pop()):
                if name := _file_named_by(node):
                    self._note(Read("named", str(Path(script.directory, name))))
                for name in _imported_by(node):
                    file = Path(script.folder, f"{name}.py")
                    if script.folder and file not in siblings and file.is_file():
                        siblings.add(file)
                        self._note(Read("file", str(file)))
                        sources.append(file.read_text(errors="replace"))
        return self._real.open(script, output, lost)


def _nodes_of(source: str) -> Iterator[ast.AST]:
    try:
        return ast.walk(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return iter(())


def _file_named_by(node: ast.AST) -> str:
    """The string that a node is, if it may be the name of a file; else an empty one."""
    text = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(text, str) or len(text) > 255 or not text.isprintable():
        return ""
    return text if "." in text or "/" in text else ""


def _imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name.replace(".", "/") for name in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module.replace(".", "/")]
    return []


class _TracedAccounts(Accounts):
    def __init__(self, real: Accounts, note: Note) -> None:
        vars(self).update(vars(real))
        self._note = note

    def read(self, name: str, accepted: tuple[type[AccountKind], ...]) -> AccountFile | None:
        found = super().read(name, accepted)
        if found is not None:
            self._note(Read("file", str(Path(found.path).absolute())))
        return found
