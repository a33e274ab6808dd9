"""An exported pipeline as the YAML that a person would have written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import UnusableSnapError
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import Registry
from engine.sdk.settings import settings_of
from engine.sdk.views import ERROR_VIEW
from engine.slp.chains import (
    Edge,
    chain_lines,
    chains_of,
    reading_order,
    without_needless_numbers,
)
from engine.slp.export_file import Export, StoredSnap
from engine.slp.imported import ImportedPipeline, ImportedSnap, Status
from engine.slp.literals import constant_of
from engine.slp.naming import is_told_by, label_of, name_of, unique_names
from engine.slp.snap_import import SnapImport, import_snap
from engine.slp.stored import simplified
from engine.slp.wrapping import comment_lines
from engine.slp.yaml_text import AsBlock, AsText, Commented, to_yaml

FileOf = Callable[[str], str]
_FORGIVEN = ("expression-syntax", "unknown-parameter", "unknown-library", "unknown-member")
"""Codes of mistakes in expressions, which SnapLogic finds only when it evaluates them."""

_LABEL_READERS = ("snap.label", "snap_details")


class Surroundings(msgspec.Struct, frozen=True):
    """What an import needs to know: the snaps, and the files of other pipelines and libraries by
    the names that a pipeline uses for them. `inline`: nothing is written beside the pipeline."""

    registry: Registry
    class_names: Mapping[str, str]
    pipeline_file: FileOf
    library_file: FileOf
    inline: bool = False


def import_pipeline(export: Export, surroundings: Surroundings, stem: str) -> ImportedPipeline:
    """The YAML of a pipeline, to be called `stem`.yaml. What is not supported is kept and named."""
    made = _Import(export, surroundings, stem).pipeline()
    path = str(Path(export.path).with_name(f"{stem}.yaml"))
    problems = check_spec(parse(made.text, path), surroundings.registry)
    if any(problem.code in _FORGIVEN and problem.severity == "error" for problem in problems):
        return _Import(export, surroundings, stem, lenient=True).pipeline()
    return made


class _Import:
    def __init__(
        self, export: Export, surroundings: Surroundings, stem: str, *, lenient: bool = False
    ) -> None:
        self.export = export
        self.lenient = lenient
        self.stem = stem
        self.surroundings = surroundings
        self.warnings = list(export.problems)
        self.snaps = {key: self._snap(snap) for key, snap in export.snaps.items()}
        self.files: dict[str, bytes] = {}

    def pipeline(self) -> ImportedPipeline:
        places = sorted(self.snaps, key=self._place)
        chains = chains_of(places, self._edges())
        without_needless_numbers(chains, self._families())
        order = reading_order(places, chains)
        wanted = [name_of(self.snaps[key].stored.label, self.snaps[key].fallback) for key in order]
        names = dict(zip(order, unique_names(wanted), strict=True))
        labels = dict(zip(order, wanted, strict=True))
        snaps = {names[key]: self._entry(key, names[key], labels[key]) for key in order}
        for key in order:
            self.warnings += [f"{names[key]}: {note}" for note in self._notes(self.snaps[key])]
        content: dict[str, Any] = {"pipeline": self.export.name}
        if self.export.purpose:
            content["description"] = self.export.purpose
        if parameters := self._parameters():
            content["parameters"] = AsBlock(parameters)
        if libraries := self._libraries():
            content["libraries"] = AsBlock(libraries)
        if self.lenient:
            content["lenient"] = True
        content |= self._error_pipeline()
        content["snaps"] = AsBlock(snaps)
        if chains:
            content["links"] = AsBlock(list(chain_lines(chains, names)))
        return ImportedPipeline(
            name=self.export.name,
            text=to_yaml(content, tuple(self._header())),
            snaps=tuple(self._report(key, names[key]) for key in order),
            files=self.files,
            warnings=tuple(self.warnings),
        )

    def _snap(self, stored: StoredSnap) -> SnapImport:
        name = self.surroundings.class_names.get(stored.class_id, "")
        try:
            snap_class = self.surroundings.registry[name] if name else None
        except (KeyError, UnusableSnapError):
            snap_class = None
        return import_snap(stored, snap_class, inline=self.surroundings.inline)

    def _notes(self, snap: SnapImport) -> list[str]:
        unknown = ", ".join(map(repr, snap.unknown_keys))
        return [
            *snap.notes,
            *([f"left out, because they are unknown: {unknown}"] if unknown else []),
        ]

    def _place(self, key: str) -> tuple[int, int]:
        stored = self.snaps[key].stored
        return stored.row, stored.column

    def _edges(self) -> list[Edge]:
        """The links, those of a snap in the order of its outputs, error views last."""
        edges = []
        for link in self.export.links:
            source, target = self.snaps[link.source], self.snaps[link.target]
            out = source.view_names.output(link.source_view)
            into = target.view_names.input(link.target_view)
            if out == ERROR_VIEW.name and not source.routes_errors:
                self._warn_of_link(source, "its error view gets nothing")
            elif out is None:
                self._warn_of_link(source, f"{source.type} has no view {link.source_view!r} here")
            elif into is None:
                self._warn_of_link(target, f"{target.type} has no view {link.target_view!r} here")
            else:
                edge = Edge(source.id, out, target.id, into)
                edges.append((self._rank(source, link.source_view), edge))
        edges.sort(key=lambda each: each[0])
        return [edge for _, edge in edges]

    def _warn_of_link(self, snap: SnapImport, reason: str) -> None:
        self.warnings.append(f"a link of {snap.stored.label!r} was left out: {reason}")

    def _rank(self, snap: SnapImport, view: str) -> int:
        ids = [each.id for each in snap.stored.outputs]
        return ids.index(view) if view in ids else len(ids)

    def _families(self) -> Mapping[str, str]:
        found = {key: snap.view_names.input_family for key, snap in self.snaps.items()}
        return {key: family for key, family in found.items() if family}

    def _entry(self, key: str, name: str, wanted: str) -> Any:
        snap = self.snaps[key]
        entry: dict[str, Any] = {"snap": snap.type}
        if self._keeps_label(name, wanted, snap.stored.label):
            entry["label"] = snap.stored.label
        entry |= self._settings(snap, name)
        if on_error := self._on_error(key):
            entry["on_error"] = on_error
        if snap.mode:
            entry["mode"] = snap.mode
        if snap.unsupported:
            entry["unsupported"] = AsBlock({k: v.value for k, v in snap.unsupported.items()})
        return Commented(AsBlock(entry), tuple(comment_lines(snap.stored.notes)))

    def _settings(self, snap: SnapImport, name: str) -> dict[str, Any]:
        settings = dict(snap.settings)
        for setting, text in snap.texts.items():
            file = f"scripts/{self.stem}/{name}{snap.suffix}"
            self.files[file] = text.encode("utf-8", "surrogatepass")
            settings[setting] = file
        for setting in snap.pipelines:
            value = settings.get(setting)
            if isinstance(value, str) and not value.startswith("="):
                settings[setting] = self.surroundings.pipeline_file(value)
        known = settings_of(snap.snap_class.settings_class) if snap.snap_class else settings
        return {each: settings[each] for each in known if each in settings}

    def _keeps_label(self, name: str, wanted: str, label: str) -> bool:
        """Whether the label says more than the name that it wanted, or can be seen in the data."""
        if not label:
            return False
        return not is_told_by(wanted, label) or (self._labels_are_seen and label != label_of(name))

    @property
    def _labels_are_seen(self) -> bool:
        if not self.export.error_pipeline.is_unset:
            return True
        stored = msgspec.json.encode([snap.settings for snap in self.export.snaps.values()])
        return any(word.encode() in stored for word in _LABEL_READERS)

    def _on_error(self, key: str) -> str:
        """What to write: an error view with a link routes without saying so."""
        on_error = self.snaps[key].on_error
        is_linked = any(
            link.source == key and self.snaps[key].view_names.output(link.source_view) == "error"
            for link in self.export.links
        )
        return "" if on_error == "route" and is_linked else on_error

    def _parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for parameter in self.export.parameters:
            name = self._parameter_name(parameter.name)
            entry: dict[str, Any] = {}
            if parameter.required:
                entry["required"] = True
            if parameter.default is not None and not (parameter.required and not parameter.default):
                entry["default"] = AsText(parameter.default)
            if parameter.capture:
                entry["capture"] = True
            if parameter.description:
                entry["description"] = parameter.description
            if name in found:
                self.warnings.append(f"the parameter {name!r} is declared twice")
            found[name] = entry["default"] if entry.keys() == {"default"} else entry
        return found

    def _parameter_name(self, name: str) -> str:
        """The name of a parameter here: without the `_` that belongs to expressions."""
        plain = name.lstrip("_$")
        valid = plain if plain.isidentifier() else name_of(plain, "parameter")
        if valid != name:
            self.warnings.append(f"the parameter {name!r} is called {valid!r} here")
        return valid

    def _libraries(self) -> dict[str, str]:
        return {
            name_of(name) if not name.isidentifier() else name: self.surroundings.library_file(file)
            for name, file in self.export.imports
        }

    def _error_pipeline(self) -> dict[str, Any]:
        leaf = self.export.error_pipeline
        if leaf.is_unset:
            return {}
        constant = constant_of(leaf.text) if leaf.is_expression else leaf.text
        name = f"= {leaf.text.strip()}"
        if constant is not None:
            name = self.surroundings.pipeline_file(str(constant))
        if not self.export.error_parameters:
            return {"error_pipeline": name}
        parameters = {
            key: simplified({"value": value.value, "expression": value.is_expression})
            for key, value in self.export.error_parameters
        }
        return {"error_pipeline": AsBlock({"pipeline": name, "parameters": parameters})}

    def _header(self) -> list[str]:
        lines = comment_lines(self.export.notes)
        for note in self.export.canvas_notes:
            lines += comment_lines(note)
        if self.export.author:
            lines += comment_lines(f"Author: {self.export.author}")
        if self.export.documentation:
            lines += comment_lines(f"Documentation: {self.export.documentation}")
        return lines

    def _report(self, key: str, name: str) -> ImportedSnap:
        snap = self.snaps[key]
        lacks = {key: unsupported.reason for key, unsupported in snap.unsupported.items()}
        status: Status = "partly" if lacks else "supported"
        if snap.snap_class is None:
            status = "unknown"
        return ImportedSnap(
            name=name,
            label=snap.stored.label,
            class_id=snap.stored.class_id,
            type=snap.type,
            status=status,
            is_disabled=snap.mode == "disabled",
            lacks=lacks,
            unknown_keys=snap.unknown_keys,
        )
