"""An exported pipeline as the YAML that a person would have written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from engine.pipeline import parse
from engine.pipeline.environment import escaped
from engine.plan import check_spec
from engine.registry import Registry
from engine.sdk.settings import settings_of, shown
from engine.sdk.views import ERROR_VIEW
from engine.slp.chains import chain_lines
from engine.slp.export_file import Export, StoredView
from engine.slp.imported import ImportedPipeline, ImportedSnap, Status
from engine.slp.literals import constant_of
from engine.slp.naming import is_told_by, label_of, name_of
from engine.slp.snap_import import SnapImport, derived_port
from engine.slp.stored import simplified
from engine.slp.structure import Structure
from engine.slp.wrapping import comment_lines
from engine.slp.yaml_text import AsBlock, AsText, Commented, to_yaml

FileOf = Callable[[str], str]
_FORGIVEN = ("expression-syntax", "unknown-parameter", "unknown-library", "unknown-member")
"""Codes of mistakes in expressions, which SnapLogic finds only when it evaluates them."""

_LABEL_READERS = ("snap.label", "snap_details")


class ImportContext(msgspec.Struct, frozen=True):
    """What an import needs to know: the snaps, and other pipelines and libraries by the names that
    a pipeline uses for them. `is_called` tells whether another pipeline or a task runs the
    pipeline of a file. `inline`: nothing is written beside the pipeline.
    """

    registry: Registry
    class_names: Mapping[str, str]
    pipeline_file: FileOf
    library_file: FileOf
    structure_of: Callable[[str], Structure | None] = lambda _: None
    is_called: Callable[[str], bool] = lambda _: False
    inline: bool = False

    def structure(self, export: Export) -> Structure:
        return Structure(export, self.registry, self.class_names, inline=self.inline)

    def port(self, reference: str, side: str, view: StoredView) -> str:
        """The open view of another pipeline that a nested pipeline calls `view`."""
        structure = self.structure_of(reference)
        return derived_port(view, side) if structure is None else structure.port(side, view)


def import_pipeline(structure: Structure, context: ImportContext, stem: str) -> ImportedPipeline:
    """The YAML of a pipeline, to be called `stem`.yaml. What is not supported is kept and named."""
    made = _Import(structure, context, stem).pipeline()
    path = str(Path(structure.export.path).with_name(f"{stem}.yaml"))
    problems = check_spec(parse(made.text, path), context.registry)
    if any(problem.code in _FORGIVEN and problem.severity == "error" for problem in problems):
        return _Import(structure, context, stem, lenient=True).pipeline()
    return made


class _Import:
    def __init__(
        self, structure: Structure, context: ImportContext, stem: str, *, lenient: bool = False
    ) -> None:
        self.export = structure.export
        self.lenient = lenient
        self.stem = stem
        self.context = context
        self.structure = structure
        self.snaps = structure.snaps
        self.warnings = list(structure.warnings)
        self.files: dict[str, bytes] = {}
        links = self.export.links
        self.has_caller = (
            context.inline or context.is_called(f"{stem}.yaml") or structure.has_open_views
        )
        self.linked_targets = {link.target for link in links}
        self.routed_sources = {  # of links that start at an error view
            link.source
            for link in links
            if self.snaps[link.source].view_names.output(link.source_view) == ERROR_VIEW.name
        }

    def pipeline(self) -> ImportedPipeline:
        order, names, chains = self.structure.order, self.structure.names, self.structure.chains
        snaps = {names[key]: self._entry(key) for key in order}
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

    def _notes(self, snap: SnapImport) -> list[str]:
        unknown = ", ".join(map(shown, snap.unknown_keys))
        return [
            *snap.notes,
            *([f"left out, because they are unknown: {unknown}"] if unknown else []),
        ]

    def _entry(self, key: str) -> Any:
        snap, name = self.snaps[key], self.structure.names[key]
        entry: dict[str, Any] = {"snap": snap.type}
        if self._keeps_label(name, self.structure.wanted[key], snap.stored.label):
            entry["label"] = snap.stored.label
        entry |= self._settings(snap, name)
        if on_error := self._on_error(key):
            entry["on_error"] = on_error
        if snap.mode:
            entry["mode"] = snap.mode
        if self._is_open(key):
            entry["open_input"] = True
        if self.has_caller and self._gives_nothing(key):
            entry["open_output"] = False
        if snap.unsupported:
            entry["unsupported"] = AsBlock({k: v.value for k, v in snap.unsupported.items()})
        return Commented(AsBlock(entry), tuple(comment_lines(snap.stored.notes)))

    def _settings(self, snap: SnapImport, name: str) -> dict[str, Any]:
        settings = dict(snap.settings)
        for setting, text in snap.texts.items():
            file = f"scripts/{self.stem}/{name}{snap.suffix}"
            self.files[file] = text.encode("utf-8", "surrogatepass")
            settings[setting] = file
        reference = next((str(settings.get(each, "")) for each in snap.pipelines), "")
        for side, ports in snap.ports.items():
            settings[snap.port_settings[side]] = {
                view: self.context.port(reference, side, stored) for view, stored in ports.items()
            }
        for setting in snap.pipelines:
            value = settings.get(setting)
            if isinstance(value, str) and not value.startswith("="):
                settings[setting] = self.context.pipeline_file(value)
        known = settings_of(snap.snap_class.settings_class) if snap.snap_class else settings
        return {each: settings[each] for each in known if each in settings}

    def _keeps_label(self, name: str, wanted: str, label: str) -> bool:
        """Whether the label says more than the name that it wanted, or can be seen in the data."""
        if not label:
            return False
        return not is_told_by(wanted, label) or (self._labels_are_seen and label != label_of(name))

    @cached_property
    def _labels_are_seen(self) -> bool:
        if not self.export.error_pipeline.is_unset:
            return True
        stored = msgspec.json.encode([snap.settings for snap in self.export.snaps.values()])
        return any(word.encode() in stored for word in _LABEL_READERS)

    def _is_open(self, key: str) -> bool:
        """Whether a caller feeds its input, which usually needs a link."""
        snap = self.snaps[key]
        views = snap.view_names.views
        needed = views.inputs if views else ()
        return (
            len(needed) == len(snap.stored.inputs) == 1
            and needed[0].unlinked == "refused"
            and not needed[0].many
            and key not in self.linked_targets
        )

    def _gives_nothing(self, key: str) -> bool:
        """Whether its output view was removed, which we would show to the caller."""
        snap = self.snaps[key]
        views = snap.view_names.views
        return (
            not snap.stored.outputs
            and views is not None
            and any(not view.optional for view in views.outputs)
        )

    def _on_error(self, key: str) -> str:
        """What to write: an error view with a link routes without saying so."""
        on_error = self.snaps[key].on_error
        return "" if on_error == "route" and key in self.routed_sources else on_error

    def _parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for parameter in self.export.parameters:
            name = self._parameter_name(parameter.name)
            entry: dict[str, Any] = {}
            if parameter.required:
                entry["required"] = True
            if parameter.default is not None and not (parameter.required and not parameter.default):
                entry["default"] = AsText(self._as_text(parameter.default, f"parameter {name!r}"))
            if parameter.capture:
                entry["capture"] = True
            if parameter.description:
                entry["description"] = parameter.description
            if name in found:
                self.warnings.append(f"the parameter {name!r} is declared twice")
            found[name] = entry["default"] if entry.keys() == {"default"} else entry
        return found

    def _as_text(self, text: str, what: str) -> str:
        """A text of SnapLogic's, where ours would read the environment."""
        if (written := escaped(text)) != text:
            self.warnings.append(
                f"the {what} keeps its text {shown(text)}: SnapLogic does not read the environment"
            )
        return written

    def _parameter_name(self, name: str) -> str:
        """The name of a parameter here: without the `_` that belongs to expressions."""
        plain = name.lstrip("_$")
        valid = plain if plain.isidentifier() else name_of(plain, "parameter")
        if valid != name:
            self.warnings.append(f"the parameter {shown(name)} is called {valid!r} here")
        return valid

    def _libraries(self) -> dict[str, str]:
        return {
            name_of(name) if not name.isidentifier() else name: self.context.library_file(file)
            for name, file in self.export.imports
        }

    def _error_pipeline(self) -> dict[str, Any]:
        leaf = self.export.error_pipeline
        if leaf.is_unset:
            return {}
        constant = constant_of(leaf.text) if leaf.is_expression else leaf.text
        name = f"= {leaf.text.strip()}"
        if constant is not None:
            name = self.context.pipeline_file(str(constant))
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
