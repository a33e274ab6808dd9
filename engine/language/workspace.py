"""The files that are open in an editor, and what is computed once for each version of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from engine import api
from engine.api.kinds import FileKind, UserFile
from engine.errors import ConfigurationError, InvalidPipelineError, Problem
from engine.language.positions import Lines
from engine.language.schema_places import SchemaPlaces
from engine.locations import Location
from engine.pipeline.load import read
from engine.pipeline.spec import SnapSpec
from engine.plan.resolve import Resolution, resolve
from engine.plan.snaps import views_of
from engine.registry import Registry, discover
from engine.sdk.views import Views

Samples = Mapping[str, Sequence[Any]]
"""`label.view` of an output to the documents that left there in the last preview."""

SampleSource = Callable[[str], Samples]
"""Returns the samples of the pipeline with this path; none if it has not been previewed. What it
returns is always that of the last preview."""


_Stamp = tuple[str, int, int, int]
"""Path, time, size and number of a file on the disk: what changes with its text."""

_OF_TEXT = ("_composed", "spec", "kind", "lines")
"""The attributes of a document that depend on its text alone."""

_MAX_VIEWS = 10_000
"""Snaps with different settings whose views are remembered."""


def _last_preview(path: str) -> Samples:
    from engine.preview.store import samples  # slow to import

    return samples(path)


def _stamp(path: str) -> _Stamp | None:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return path, found.st_mtime_ns, found.st_size, found.st_ino


class Workspace:
    """Open files by path, and the `folders` that the editor shows. Files that are not open are
    read from the disk.

    The registry is made once: snaps that are installed later are found after a restart.
    """

    def __init__(
        self, registry: Registry | None = None, samples: SampleSource = _last_preview
    ) -> None:
        self.folders: tuple[Path, ...] = ()
        self.registry = discover() if registry is None else registry
        self.samples_of = samples
        self._open: dict[str, Document] = {}
        self._last_read: tuple[_Stamp, Document] | None = None
        self._schemas: dict[FileKind, SchemaPlaces] = {}
        self._views: dict[str, Views | None] = {}

    @property
    def documents(self) -> list[Document]:
        """The open files."""
        return list(self._open.values())

    def open(self, path: str, text: str, version: int = 0) -> Document:
        """The document of a new version of an open file, or of one that is opened now."""
        document = self._open[path] = Document(self, path, text, version)
        return document

    def close(self, path: str) -> None:
        self._open.pop(path, None)

    def document(self, path: str) -> Document:
        """The open version of a file, or what the disk holds.

        Raises ConfigurationError if it is not open and cannot be read.
        """
        if path in self._open:
            return self._open[path]
        stamp = _stamp(path)
        if self._last_read is not None and self._last_read[0] == stamp:
            return self._last_read[1].fresh()
        document = Document(self, path, read(path, "file").decode("utf-8-sig", "replace"))
        self._last_read = None if stamp is None else (stamp, document)
        return document

    def refresh(self) -> None:
        """Forget what depends on the disk, because files there have changed."""
        for document in self.documents:
            self.open(document.path, document.text, document.version)

    def views_of(self, snap: SnapSpec) -> Views | None:
        """The views of a snap; None if its class, or a mistake in its settings, hides them."""
        key = f"{snap.type} {snap.settings}"
        if key not in self._views:
            if len(self._views) >= _MAX_VIEWS:
                self._views.clear()
            self._views[key] = views_of(snap, self.registry)
        return self._views[key]

    def schemas(self, kind: FileKind) -> SchemaPlaces:
        """What the JSON Schema of a kind of file says about its keys."""
        if kind not in self._schemas:
            self._schemas[kind] = SchemaPlaces(kind, self.registry)
        return self._schemas[kind]


class Document(UserFile):
    """One version of the text of a file. It never changes: an edit makes a new document.

    What is computed from the text is kept. So is what was read of other files, until
    `Workspace.refresh`.
    """

    text: str

    def __init__(self, workspace: Workspace, path: str, text: str, version: int = 0) -> None:
        super().__init__(path, text.removeprefix("\ufeff"))
        self.workspace = workspace
        self.version = version

    def fresh(self) -> Document:
        """The same text with what was computed from it, but without what other files say."""
        document = Document(self.workspace, self.path, self.text, self.version)
        known = {name: self.__dict__[name] for name in _OF_TEXT if name in self.__dict__}
        document.__dict__.update(known)
        return document

    @property
    def registry(self) -> Registry:
        return self.workspace.registry

    @property
    def folder(self) -> Path:
        return Path(self.path).parent

    @property
    def schemas(self) -> SchemaPlaces:
        return self.workspace.schemas(self.kind)

    @cached_property
    def lines(self) -> Lines:
        return Lines(self.text)

    @cached_property
    def resolution(self) -> Resolution:
        """The pipeline in the file with snaps and links resolved, as far as possible."""
        return resolve(self.spec, self.registry)

    @cached_property
    def problems(self) -> list[Problem]:
        """What `engine validate` reports for the file."""
        if self.kind == "pipeline":
            return self.resolution.problems
        try:
            return api.check(self.path, self.registry, text=self.text)
        except InvalidPipelineError as error:
            return list(error.problems)
        except ConfigurationError as error:
            return [Problem("missing-file", Location(self.path), str(error))]
