"""How much of a set of exported pipelines would run here, and what each one lacks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import ConfigurationError, Problem
from engine.expressions import analyse, analyse_path
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import Registry
from engine.sdk.settings import shown
from engine.slp.export_file import Export, read_export
from engine.slp.imported import ImportedPipeline, ImportedSnap, Status
from engine.slp.naming import name_of
from engine.slp.pipeline_import import ImportContext, import_pipeline
from engine.slp.project_import import file_finder
from engine.slp.stored import Leaf, flat

_INCOMPLETE = ("missing-setting", "missing-snaps", "unlinked-input", "too-few-links")
"""Codes of what SnapLogic would not run either."""

_LONGEST_ID = 120

_OUTSIDE = ("missing-file", "unknown-account", "unsupported-snap", "unsupported-setting")
"""Codes of what belongs to the place where a pipeline runs, and of what is counted by snap."""


class PipelineCoverage(msgspec.Struct, frozen=True):
    """One pipeline; `lacks` are sentences, empty if all of it is supported here. `faults` are what
    is wrong with the pipeline itself, such as a snap without a required setting."""

    file: str
    name: str
    snaps: int
    lacks: tuple[str, ...]
    faults: tuple[str, ...] = ()

    @property
    def is_supported(self) -> bool:
        return not self.lacks


class ClassCoverage(msgspec.Struct):
    """All snaps of one class: how many there are, in how many pipelines, and what they lack."""

    class_id: str
    snap: str
    status: Status = "supported"
    snaps: int = 0
    pipelines: int = 0
    lacks: Counter[str] = msgspec.field(default_factory=Counter)
    unknown_keys: Counter[str] = msgspec.field(default_factory=Counter)


class Coverage(msgspec.Struct):
    """The result for all files. `unreadable` maps files to the reason."""

    pipelines: list[PipelineCoverage] = msgspec.field(default_factory=list)
    classes: dict[str, ClassCoverage] = msgspec.field(default_factory=dict)
    unreadable: dict[str, str] = msgspec.field(default_factory=dict)
    repeated: int = 0
    empty: int = 0
    expressions: int = 0
    faulty_expressions: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def supported(self) -> int:
        return sum(1 for pipeline in self.pipelines if pipeline.is_supported)


def measure(paths: Iterable[Path], registry: Registry) -> Coverage:
    """Import every pipeline in memory, each content once."""
    coverage = Coverage()
    class_names = registry.by_foreign_id()
    context = ImportContext(registry, class_names, file_finder({}), lambda file: file, inline=True)
    seen: set[bytes] = set()
    for path in paths:
        try:
            export = read_export(path.read_bytes(), str(path))
        except (ConfigurationError, OSError) as error:
            coverage.unreadable[str(path)] = str(error)
            continue
        key = _content_of(export)
        if key in seen:
            coverage.repeated += 1
            continue
        seen.add(key)
        if not export.snaps:
            coverage.empty += 1
            continue
        made = import_pipeline(context.structure(export), context, name_of(path.stem, "pipeline"))
        _count(coverage, export, made, list(_errors_of(made, path, registry)))
    return coverage


def _content_of(export: Export) -> bytes:
    """The same for two exports that differ only in their place and layout."""
    snaps = [msgspec.structs.replace(snap, row=0, column=0) for snap in export.snaps.values()]
    same = msgspec.structs.replace(export, path="", name="", snaps={s.id: s for s in snaps})
    return hashlib.sha256(msgspec.json.encode(same, order="sorted")).digest()


def _errors_of(made: ImportedPipeline, path: Path, registry: Registry) -> Iterator[Problem]:
    for problem in check_spec(parse(made.text, str(path)), registry):
        if problem.severity == "error" and problem.code not in _OUTSIDE:
            yield problem


def _count(
    coverage: Coverage, export: Export, made: ImportedPipeline, errors: list[Problem]
) -> None:
    lacks = [lack for snap in made.lacking for lack in lacks_of(snap)]
    faults = [f"{each.code}: {each.message}" for each in errors if each.code in _INCOMPLETE]
    lacks += [f"{each.code}: {each.message}" for each in errors if each.code not in _INCOMPLETE]
    coverage.pipelines.append(
        PipelineCoverage(export.path, export.name, len(made.snaps), tuple(lacks), tuple(faults))
    )
    for class_id in {snap.class_id for snap in made.snaps}:
        snaps = [snap for snap in made.snaps if snap.class_id == class_id]
        found = coverage.classes.setdefault(class_id, ClassCoverage(class_id, snaps[0].type))
        found.snaps += len(snaps)
        found.pipelines += 1
        for snap in snaps:
            found.lacks.update(f"{key}: {reason}" for key, reason in snap.lacks.items())
            found.unknown_keys.update(snap.unknown_keys)
            if snap.status != "supported":
                found.status = snap.status
    for stored in export.snaps.values():
        for leaf in _expressions(stored.settings):
            coverage.expressions += 1
            if not _compiles(leaf.text):
                coverage.faulty_expressions[leaf.text] += 1


def lacks_of(snap: ImportedSnap) -> Iterator[str]:
    """What keeps a snap from running, each as a sentence."""
    if snap.status == "unknown":
        yield f"{snap.name}: SnapLogic's snap {shown_id(snap.class_id)}"
    for key, reason in snap.lacks.items():
        yield f"{snap.name} ({snap.type}): {reason} ({shown_id(key)})"


def shown_id(class_id: str) -> str:
    """A class id as it is, unless it is too long or has characters that a terminal obeys."""
    quoted = shown(class_id, _LONGEST_ID)
    return class_id if quoted == f"'{class_id}'" else quoted


def _expressions(settings: Mapping[str, Any]) -> Iterator[Leaf]:
    for value in flat(settings).values():
        rows = [{"": value}] if isinstance(value, Leaf) else value
        for row in rows:
            yield from (leaf for leaf in row.values() if leaf.is_expression and not leaf.is_unset)


def _compiles(text: str) -> bool:
    """Whether it is valid as an expression, or as a path, which may be marked as one."""
    return not analyse(text).errors or not analyse_path(text).errors
