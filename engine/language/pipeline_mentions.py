"""What a pipeline file mentions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import ConfigurationError
from engine.expressions import Analysis, analyse, analyse_path
from engine.language.named import Kind, Mentions, Named, full_path, node_at, scalars_in
from engine.language.workspace import Document
from engine.late_regex import late_regex
from engine.pipeline.links import ARROW
from engine.pipeline.nodes import Items, Scalar
from engine.pipeline.source import KeyPath
from engine.plan.accounts import Accounts
from engine.plan.expressions import shift_of
from engine.plan.folders import is_file, local_path
from engine.sdk.children import PIPELINE_SUFFIXES, ChildReference
from engine.sdk.conversion import convert_partly
from engine.sdk.settings import (
    KEY,
    Account,
    Expression,
    Settings,
    TargetPath,
    expressions_in,
    settings_of,
)

_FILE_NAME = late_regex(r"[^\s=$<>|*?\"'{}][^\s<>|*?\"'{}]*\.\w{1,10}")
_ERROR_PIPELINE: KeyPath = ("error_pipeline",)


def mentions_in_pipeline(document: Document) -> Mentions:
    """The mentions in a pipeline file, as far as it can be read."""
    return _Reader(document).mentions()


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.spec = document.spec
        self.resolution = document.resolution
        self.found = Mentions(document)
        self.file = full_path(document.path)
        self.libraries = {
            library.name: self._local(library.file) or "" for library in self.spec.libraries
        }
        self.accounts = Accounts(self.resolution.folder, self.resolution.project)

    def mentions(self) -> Mentions:
        for label in self.spec.snaps:
            self.found.add_key(self._own("label", label), ("snaps", label), defines=True)
            self._snap(label)
        self._links()
        for parameter in self.spec.parameters:
            path: KeyPath = ("parameters", parameter.name)
            self.found.add_key(self._own("parameter", parameter.name), path, defines=True)
        for name, file in self.libraries.items():
            path = ("libraries", name)
            self.found.add_key(self._own("library", name), path, defines=True)
            self._file(file, path)
        self._error_pipeline()
        self._other_files()
        return self.found

    def _own(self, kind: Kind, name: str) -> Named:
        return Named(kind, self.file, name)

    def _links(self) -> None:
        """Each end of each link, even of links with mistakes."""
        links = node_at(self.document.source.root, ("links",))
        for place, item in enumerate(links.items if isinstance(links, Items) else ()):
            for label, offset in _ends(item.text if isinstance(item, Scalar) else ""):
                named = self._own("label", label)
                self.found.add_value(named, ("links", place), offset, len(label))

    def _snap(self, label: str) -> None:
        snap = self.resolution.snaps[label]
        owner: KeyPath = ("snaps", label)
        if snap.spec.type:
            self.found.add_value(Named("snap", "", snap.spec.type), (*owner, "snap"))
        if snap.snap_class is None:
            return
        written = snap.spec.settings
        values = snap.settings or convert_partly(snap.snap_class.settings_class, written)
        self._settings(owner, written, values)
        for path, name, offset, _ in snap.parameters:
            self._inside(self._own("parameter", name), owner, path, offset + 1)
        for reference in snap.children:
            self._child(owner, reference)
        for path, name in snap.files:
            self._file(self._local(name), (*owner, *path))

    def _error_pipeline(self) -> None:
        settings, written = self.resolution.error_pipeline, self.spec.error_pipeline
        if settings is None or written is None:
            return
        root = self.document.source.root
        is_name = isinstance(node_at(root, _ERROR_PIPELINE), Scalar)
        if not is_name:
            self._settings(_ERROR_PIPELINE, written, settings)
        path: KeyPath = () if is_name else ("pipeline",)
        names = frozenset(settings.parameters)
        self._child(_ERROR_PIPELINE, ChildReference(path, settings.pipeline, parameters=names))

    def _settings(
        self, owner: KeyPath, written: Mapping[str, Any], values: Settings | Mapping[str, Any]
    ) -> None:
        for path, item in expressions_in(values):
            if isinstance(item, Expression):
                found = analyse(item.text)
            else:
                found = analyse_path(item.text, target=isinstance(item, TargetPath))
            self._expression(found, owner, path, shift_of(written, path, item.text))
        for name, value in _each(values):
            if isinstance(value, Account) and value.value:
                self._file(self._account(value.value), (*owner, name))

    def _expression(self, found: Analysis, owner: KeyPath, path: KeyPath, shift: int) -> None:
        for used in found.used_parameters:
            self._inside(self._own("parameter", used.name), owner, path, shift + used.start)
        for used in found.used_libraries:
            self._inside(self._own("library", used.name), owner, path, shift + used.start)
        for member in found.members:
            named = Named("member", self.libraries.get(member.library, ""), member.name)
            self._inside(named, owner, path, shift + member.offset)

    def _inside(self, named: Named, owner: KeyPath, path: KeyPath, offset: int) -> None:
        at_key = path[-1] == KEY
        full = (*owner, *(path[:-1] if at_key else path))
        self.found.add_inside(named, full, offset, len(named.name), at_key=at_key)

    def _child(self, owner: KeyPath, reference: ChildReference) -> None:
        name = reference.pipeline.value or ""
        files = (self._local(name + end) for end in PIPELINE_SUFFIXES if name)
        file = next(filter(None, files), "")
        if not file:
            return
        self._file(file, (*owner, *reference.path))
        for name in reference.parameters:
            path = (*owner, *reference.parameters_path, name)
            self.found.add_key(Named("parameter", file, name), path)

    def _account(self, name: str) -> str:
        try:
            found = self.accounts.read(name, ())
        except ConfigurationError:
            return ""
        return "" if found is None else full_path(found.path)

    def _file(self, file: str, path: KeyPath) -> None:
        if file:
            self.found.add_value(Named("file", file), path)

    def _local(self, name: str) -> str:
        """The full path of an existing file on this machine; empty if there is none."""
        found = local_path(name, self.resolution.folder, self.resolution.project)
        return full_path(found) if found is not None and is_file(found) else ""

    def _other_files(self) -> None:
        """Values that are names of existing files, such as the `file` of a reader."""
        snaps = node_at(self.document.source.root, ("snaps",))
        for path, text in scalars_in(snaps, ("snaps",)):
            if _FILE_NAME.fullmatch(text):
                self._file(self._local(text), path)


def _ends(link: str) -> Iterator[tuple[str, int]]:
    """The label of each end of a link, with its offset."""
    offset = 0
    for part in link.split(ARROW):
        label = part.strip().partition(".")[0]
        if label:
            yield label, offset + part.index(label)
        offset += len(part) + len(ARROW)


def _each(values: Settings | Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings by name, of an object or of those that could be converted."""
    if isinstance(values, Settings):
        yield from ((name, getattr(values, name)) for name in settings_of(type(values)))
    else:
        yield from values.items()
