"""Files for a test: those it supplies take precedence, and real files are never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from typing import IO

import msgspec

from engine.errors import ConfigurationError
from engine.run.files import ProjectFiles
from engine.run.files.failures import failure
from engine.run.files.names import is_local
from engine.sdk.files import FileAction, FileContent, FileEntry, FileTarget, Purpose, WrittenFile
from engine.sdk.http import HttpClient


class ScratchFiles(ProjectFiles):
    """The files of a pipeline, with a scratch folder on top that contains all differences.

    `given` maps names, as the pipeline would write them, to their content. Local files are written,
    appended to and removed in the scratch folder only. Names with another scheme (`s3://`, …) are
    used directly.
    """

    def __init__(
        self,
        folder: str,
        project: str,
        http: Callable[[], HttpClient] | None,
        given: Mapping[str, str | bytes],
        scratch: Path,
    ) -> None:
        super().__init__(folder, project, http)
        self._scratch = scratch
        self._removed: set[str] = set()
        for name, content in given.items():
            if not isinstance(content, str | bytes):
                kind = type(content).__name__
                message = f"the file {name!r} must be given as text or bytes, not {kind}"
                raise ConfigurationError(f"{message}; for JSON, pass json.dumps(...)")
            target = self._scratch_path(self.locate(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self._given = {path: path.read_bytes() for path in self._all()}

    def in_folder(self, folder: str, project: str) -> ScratchFiles:
        files = type(self)(folder, project, self._http, {}, self._scratch)
        files._removed = self._removed
        return files

    @property
    def written(self) -> dict[str, bytes]:
        """What the run wrote, by name: relative to the pipeline's folder where it is inside."""
        folder = self.locate(".")
        found = {}
        for path in self._all():
            content = path.read_bytes()
            if self._given.get(path) != content:
                real = Path("/") / path.relative_to(self._scratch)
                inside = real.is_relative_to(folder)
                found[str(real.relative_to(folder)) if inside else str(real)] = content
        return found

    def size(self, name: str, *, to: Purpose = "read") -> int | None:
        return (
            None
            if self._is_hidden(self.locate(name))
            else super().size(self._visible_name(name), to=to)
        )

    def read(self, name: str) -> FileContent:
        located = self.locate(name)
        if self._is_hidden(located):
            located = str(self._scratch_path(located))  # where it is missing
        return super().read(self._visible_name(located))

    def seekable(self, name: str) -> IO[bytes]:
        located = self.locate(name)
        if self._is_hidden(located):
            located = str(self._scratch_path(located))
        return super().seekable(self._visible_name(located))

    def entries(self, folder: str, pattern: str) -> Iterator[FileEntry]:
        located = self.locate(folder)
        scratch = self._scratch_path(located)
        if not is_local(located) or not scratch.is_dir():
            found = {entry.path: entry for entry in super().entries(folder, pattern)}
        else:
            real = super().entries(folder, pattern) if Path(located).is_dir() else ()
            found = {entry.path: entry for entry in real}
            for entry in super().entries(str(scratch), pattern):
                path = str(Path("/") / Path(entry.path).relative_to(self._scratch))
                found[path] = msgspec.structs.replace(entry, path=path)
        return iter([found[path] for path in sorted(found) if not self._is_hidden(path)])

    def write(self, name: str, action: FileAction, *, create_folder: bool) -> FileTarget:
        located = self.locate(name)
        if not is_local(located):
            return super().write(name, action, create_folder=create_folder)
        target, real = self._scratch_path(located), Path(located)
        if real.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        elif not create_folder and not target.parent.is_dir():
            error = FileNotFoundError()  # named by its real path, not by that in the scratch folder
            raise failure("write", located, error, can_create_folder=True)
        if real.is_file() and not target.exists() and not self._is_hidden(located):
            copyfile(real, target)
        self._removed.discard(located)
        return super().write(str(target), action, create_folder=create_folder)

    def check_writable(self, name: str, written: WrittenFile) -> None:
        """Nothing: a test finds out when the snap writes."""

    def check_folder(self, name: str, written: WrittenFile) -> None:
        """Nothing: see check_writable."""

    def check_readable(self, name: str) -> None:
        """Nothing: see check_writable."""

    def remove(self, name: str) -> None:
        located = self.locate(name)
        if not is_local(located):
            return super().remove(name)
        self._removed.add(located)
        return super().remove(str(self._scratch_path(located)))

    def _is_hidden(self, located: str) -> bool:
        """Whether a real file counts as missing."""
        return located in self._removed

    def _visible_name(self, name: str) -> str:
        """The name of the file in the scratch folder if it is there."""
        located = self.locate(name)
        target = self._scratch_path(located)
        return str(target) if is_local(located) and target.exists() else located

    def _scratch_path(self, located: str) -> Path:
        return self._scratch / located.lstrip("/")

    def _all(self) -> list[Path]:
        return sorted(path for path in self._scratch.rglob("*") if path.is_file())
