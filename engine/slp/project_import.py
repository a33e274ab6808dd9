"""Import files of SnapLogic's together, so that they find each other under their new names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from engine.errors import ConfigurationError
from engine.registry import Registry
from engine.slp.accounts import import_account
from engine.slp.export_file import Export, SlpError, read_export, read_json
from engine.slp.imported import ImportedFile, ImportedPipeline
from engine.slp.naming import name_of, unique_names
from engine.slp.pipeline_import import ImportContext, import_pipeline
from engine.slp.structure import Structure
from engine.slp.tasks import import_task, pipeline_of_task

SUFFIXES = (".slp", ".slt", ".sla", ".expr")


class FileReport(msgspec.Struct, frozen=True):
    """What became of one file: the files made of it, or the error that kept it from being imported.

    `files` are empty for a file that has the same content as an earlier one, `same_as`.
    """

    source: str
    files: tuple[ImportedFile, ...] = ()
    pipeline: ImportedPipeline | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""
    same_as: str = ""


class _Source(msgspec.Struct, frozen=True):
    path: Path
    data: bytes
    export: Export | None = None


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and those of SnapLogic's in folders. Raises ConfigurationError."""
    for path in paths:
        if path.is_dir():
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    if name.lower().endswith(SUFFIXES):
                        yield Path(folder, name)
        elif path.exists():
            yield path
        else:
            raise ConfigurationError(f"there is no file '{path}'")


def import_files(paths: Sequence[Path], registry: Registry) -> list[FileReport]:
    """A report for each file, in order, with the files that it becomes."""
    return _ProjectImport(registry).run(paths)


class _ProjectImport:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.class_names = registry.by_foreign_id()
        self.reports: dict[Path, FileReport] = {}

    def run(self, paths: Sequence[Path]) -> list[FileReport]:
        sources = list(self._distinct(paths))
        wanted = [_target(source.path) for source in sources]
        targets = dict(zip((s.path for s in sources), _unique_files(wanted), strict=True))
        pipeline_file = file_finder(_pipeline_names(sources, targets))
        structures: dict[str, Structure] = {}
        called = {pipeline_file(name) for name in _pipelines_of_tasks(sources)}
        context = ImportContext(
            self.registry,
            self.class_names,
            pipeline_file,
            _library_finder(sources, targets),
            structure_of=lambda reference: structures.get(pipeline_file(reference)),
            is_called=called.__contains__,
        )
        for source in sources:
            if source.export is not None:
                structure = context.structure(source.export)
                structures[targets[source.path]] = structure
                called |= {pipeline_file(name) for name in structure.called_pipelines()}
        for source in sources:
            target = targets[source.path]
            self.reports[source.path] = self._import(
                source, target, structures.get(target), context
            )
        return [self.reports[path] for path in dict.fromkeys(paths)]

    def _distinct(self, paths: Sequence[Path]) -> Iterator[_Source]:
        """The files that can be read, those with the same name and content once."""
        seen: dict[tuple[str, bytes], Path] = {}
        for path in dict.fromkeys(paths):
            try:
                data = path.read_bytes()
                first = seen.setdefault((path.name, data), path)
                if first is not path:
                    self.reports[path] = FileReport(str(path), same_as=str(first))
                    continue
                is_pipeline = path.suffix.lower() == ".slp"
                yield _Source(path, data, read_export(data, str(path)) if is_pipeline else None)
            except ConfigurationError as error:
                self.reports[path] = FileReport(str(path), error=str(error))
            except OSError as error:
                reason = f"cannot read '{path}': {error.strerror}"
                self.reports[path] = FileReport(str(path), error=reason)

    def _import(
        self, source: _Source, target: str, structure: Structure | None, context: ImportContext
    ) -> FileReport:
        path = str(source.path)
        suffix = source.path.suffix.lower()
        try:
            if structure is not None:
                made = import_pipeline(structure, context, target.removesuffix(".yaml"))
                return _pipeline_report(path, target, made)
            if suffix == ".slt":
                file = import_task(source.data, path, context.pipeline_file)
            elif suffix == ".sla":
                file = import_account(source.data, path)
            elif suffix == ".expr":
                file = ImportedFile(target, "library", source.data)
            else:
                known = ", ".join(SUFFIXES)
                raise SlpError(f"{path!r} is not a file of SnapLogic's ({known})")
        except ConfigurationError as error:
            return FileReport(path, error=str(error))
        return FileReport(
            path, (msgspec.structs.replace(file, name=target),), warnings=file.warnings
        )


def _pipeline_report(path: str, target: str, made: ImportedPipeline) -> FileReport:
    pipeline = ImportedFile(target, "pipeline", made.text.encode())
    scripts = [ImportedFile(name, "script", data) for name, data in made.files.items()]
    return FileReport(path, (pipeline, *scripts), made, made.warnings)


def _target(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".expr":
        return path.name
    folder = {".slt": "tasks/", ".sla": "accounts/"}.get(suffix, "")
    return f"{folder}{name_of(path.stem, 'pipeline')}.yaml"


def _unique_files(wanted: Sequence[str]) -> list[str]:
    """The file names, each once: the number goes before the ending."""
    parts = [PurePosixPath(name) for name in wanted]
    stems = unique_names([str(part.with_suffix("")) for part in parts])
    return [f"{stem}{part.suffix}" for stem, part in zip(stems, parts, strict=True)]


def _pipeline_names(sources: Sequence[_Source], targets: Mapping[Path, str]) -> Mapping[str, str]:
    """The new file of each pipeline by the names that others use for it."""
    names: dict[str, str] = {}
    exports = [(source, source.export) for source in sources if source.export is not None]
    for source, _ in exports:
        names.setdefault(source.path.stem.casefold(), targets[source.path])
    for source, export in exports:
        names.setdefault(export.name.casefold(), targets[source.path])
    return names


def file_finder(names: Mapping[str, str]) -> Callable[[str], str]:
    """The file of a pipeline by a name, or by a path that ends with it."""

    def find(reference: str) -> str:
        name = reference.strip().rstrip("/").rpartition("/")[2].removesuffix(".slp")
        return names.get(name.casefold()) or f"{name_of(name, 'pipeline')}.yaml"

    return find


def _pipelines_of_tasks(sources: Iterable[_Source]) -> Iterator[str]:
    for source in sources:
        if source.path.suffix.lower() == ".slt":
            with suppress(SlpError):  # reported when it is imported
                yield from pipeline_of_task(read_json(source.data, str(source.path)))


def _library_finder(
    sources: Sequence[_Source], targets: Mapping[Path, str]
) -> Callable[[str], str]:
    files = {s.path.name: targets[s.path] for s in sources if s.path.suffix.lower() == ".expr"}
    return lambda path: files.get(path.rpartition("/")[2], path)
