"""Pins: documents that leave a snap in previews, instead of what it would put out.

They are in a pin file beside the pipeline, `orders.preview.yaml`, which only previews read. A snap
with a pin does not run: its views put out what is pinned, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.documents import Item, ViewType
from engine.errors import InvalidPipelineError, Problem
from engine.locations import Location
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Table
from engine.pipeline.pin_files import pin_file
from engine.pipeline.source import KeyPath, Source
from engine.pipeline.spec import PipelineSpec
from engine.registry import Registry
from engine.sdk.settings import Settings, nearest_hint, setting, shown
from engine.sdk.views import ERROR_VIEW
from engine.testing.cases.case import Given
from engine.testing.cases.documents import GivenError, items_of
from engine.testing.cases.source_reader import SourceReader, kind_of, label_hint
from engine.testing.mocks import declared_output, output_type, views_of

Pinned = Mapping[str, Mapping[str, Sequence[Item]]]
"""The items of each view, by label."""


class PinSettings(Settings):
    """A pin file."""

    pins: dict[str, Any] = setting(
        help="What leaves snaps in previews, by label: a list of documents, `{file: NAME}` or "
        "`{csv: TEXT}`; or a map of view to one of these, with the failed documents under `error`.",
    )


class Pins(msgspec.Struct, frozen=True):
    """What a pin file says. `files` are those that it names."""

    items: Pinned = {}
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()


def pins_of(spec: PipelineSpec, registry: Registry) -> Pins:
    """The pins of a pipeline, if it has any. Raises InvalidPipelineError if they have mistakes."""
    file = pin_file(spec.path)
    if not Path(file).is_file():
        return Pins()
    pins = parse_pins(read(file, "pin file"), file, spec, registry)
    if any(problem.severity == "error" for problem in pins.problems):
        raise InvalidPipelineError(pins.problems)
    return pins


def parse_pins(text: str | bytes, file: str, spec: PipelineSpec, registry: Registry) -> Pins:
    """The pins in the text of a file, with all mistakes. Raises nothing."""
    source, problems = compose_text(text, file)
    if source.root is None:
        hint = "write 'pins:', and below it the label of a snap and its documents"
        empty = Problem("empty-file", Location(file), "the file contains no pins", hint)
        return Pins(problems=tuple(problems or [empty]))
    reader = _PinReader(source, problems, spec, registry)
    items = dict(reader.pins())
    return Pins(items, tuple(reader.problems), tuple(reader.files))


class _PinReader(SourceReader):
    def __init__(
        self, source: Source, problems: list[Problem], spec: PipelineSpec, registry: Registry
    ) -> None:
        super().__init__(source, problems)
        self.files: list[str] = []
        self._spec = spec
        self._registry = registry

    def pins(self) -> Iterator[tuple[str, Mapping[str, Sequence[Item]]]]:
        if not isinstance(self.source.root, Table):
            message = f"a pin file must be a map, not {kind_of(self.source.root)}"
            self.report("wrong-type", (), message, "write 'pins:', and below it labels")
            return
        self.settings(PinSettings, ())
        for label in self.table(("pins",)):
            path: KeyPath = ("pins", label)
            if label in self._spec.snaps:
                yield label, dict(self._views(label, path))
            else:
                hint = label_hint(label, self._spec.snaps)
                message = f"the pipeline has no snap labelled {shown(label)}"
                self.report("unknown-label", path, message, hint, at_key=True)

    def _views(self, label: str, path: KeyPath) -> Iterator[tuple[str, Sequence[Item]]]:
        value = self.value(path)
        if isinstance(value, dict) and not value.keys() & {"file", "csv"}:
            for name in value:
                if self._has_view(label, name, (*path, name)):
                    yield name, self._items(label, name, self.given((*path, name)))
        elif name := self._first_view(label, path):
            yield name, self._items(label, name, self.given(path))

    def _first_view(self, label: str, path: KeyPath) -> str:
        views = views_of(self._spec.snaps[label], self._registry)
        if views is not None and not views.outputs:
            message = f"{shown(label)} has no output view, so nothing leaves it"
            self.report("unknown-view", path, message, "remove the pin", at_key=True)
            return ""
        first = None if views is None else views.outputs[0]
        if first is None:
            return "output"
        return f"{first.name}0" if first.many else first.name

    def _has_view(self, label: str, name: str, path: KeyPath) -> bool:
        views = views_of(self._spec.snaps[label], self._registry)
        if name == ERROR_VIEW.name or views is None:
            return True
        if declared_output(self._spec, self._registry, label, name) is not None:
            return True
        known = [*(view.name for view in views.outputs), ERROR_VIEW.name]
        hint = nearest_hint(name, known) or f"its output views are: {_listed(known)}"
        message = f"{shown(label)} has no output view {shown(name)}"
        self.report("unknown-view", path, message, hint, at_key=True)
        return False

    def _items(self, label: str, name: str, given: Given) -> Sequence[Item]:
        if given.file:
            self.files.append(given.file)
        try:
            return items_of(given, self._type(label, name))
        except GivenError as error:
            self.report("wrong-type", error.path, error.message, error.hint)
            return ()

    def _type(self, label: str, name: str) -> ViewType:
        if name == ERROR_VIEW.name:
            return "document"
        return output_type(self._spec, self._registry, label, name)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
