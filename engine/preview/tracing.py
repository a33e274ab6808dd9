"""What the snaps of a preview read from outside, so that a change there is noticed next time."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engine.pipeline.environment import variables_in
from engine.plan.accounts import Accounts
from engine.plan.folders import is_file
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
"""Bytes of a file whose content is its fingerprint; of a larger one, size, times and inode are."""

_MOST_ENTRIES = 10_000
_MOST_FILES = 1_000
"""Files that are remembered of one snap; if it reads more, it runs again each time."""

_ABSENT, _FOLDER = b"absent", b"folder"
_COST = {"n": 2**13, "r": 8, "p": 1}
"""What guessing a secret from its hash costs, each time."""


class Read(NamedTuple):
    """A `file`, one that is `named` in a script, a `folder` whose entries match a pattern, or a
    `variable` of the environment."""

    kind: str
    name: str
    pattern: str = ""


Note = Callable[[Read], None]


def fingerprint(read: Read, salt: bytes) -> bytes:
    """What tells a changed file from one that is as it was; never the same for a device or pipe."""
    if read.kind == "variable":  # which may be a secret
        value = os.environ.get(read.name)
        return _ABSENT if value is None else hash_of_secret(value, salt)
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
        times = status.st_mtime_ns, status.st_ctime_ns  # programs can set the first one back
        return _digest(f"{status.st_size} {times} {status.st_ino}".encode())
    except (OSError, ValueError):
        return _ABSENT


def _entries(read: Read) -> Iterator[object]:
    for count, entry in enumerate(local_entries(read.name, read.pattern)):
        if count >= _MOST_ENTRIES:
            yield os.urandom(16)
            return
        yield entry


@lru_cache(64)
def hash_of_secret(value: str, salt: bytes) -> bytes:
    """A hash that is slow to compute. The salt is that of the file that it is stored in."""
    return hashlib.scrypt(value.encode(errors="surrogatepass"), salt=salt, **_COST)


def _variables_in(path: Path) -> Iterator[Read]:
    """The variables of the environment that a YAML file names."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return
    for name in variables_in(text):
        yield Read("variable", name)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


class Traces:
    """What each snap of a preview read, by label; that of the pipelines that it runs, too.

    The `salt` is that of the file which holds it.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
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
        found = fingerprint(read, self._salt)
        with self._lock:
            self._files.setdefault(label, {}).setdefault(read, found)

    def note_pipeline(self, path: str) -> None:
        """Some snap runs the pipeline of that file."""
        for read in (Read("file", path), *_variables_in(Path(path))):
            self._shared.setdefault(read, fingerprint(read, self._salt))

    def names(self) -> set[str]:
        """All files and folders that were read."""
        reads = (*self._files.values(), self._shared)
        return {read.name for files in reads for read in files if read.kind != "variable"}

    def files_of(self, label: str, *, runs_pipelines: bool) -> tuple[HeldFile, ...] | None:
        """What a snap read; None if that is too much."""
        files = {**self._files.get(label, {}), **(self._shared if runs_pipelines else {})}
        for read in [each for each in files if each.kind == "named"]:
            if fingerprint(read, self._salt) != files[read]:
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
    """Notes the files that a script opens itself, as far as its text names them, and the variables
    of the environment that it gets."""

    def __init__(self, real: ScriptExecutor, note: Note) -> None:
        self._real = real
        self._note = note

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = lambda failure: None,
    ) -> ScriptSession:
        for variable in script.variables:
            self._note(Read("variable", variable))
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
        for path in self.candidates(name):  # one that appears before the others would count
            self._note(Read("file", str(path.absolute())))
            if is_file(path):
                for variable in _variables_in(path):
                    self._note(variable)
                break
        return super().read(name, accepted)
