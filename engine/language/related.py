"""Names that one file declares and another uses: parameters, labels and views of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.errors import ConfigurationError
from engine.language.answers import CompletionKind
from engine.language.here import Here
from engine.language.workspace import Document
from engine.pipeline import pin_files
from engine.pipeline.source import KeyPath
from engine.pipeline.spec import PipelineSpec, SnapSpec
from engine.plan.folders import folder_of, local_path, project_of
from engine.sdk.children import PIPELINE_SUFFIXES
from engine.sdk.views import ERROR_VIEW


class Declared(msgspec.Struct, frozen=True):
    """A name that may be used as a key or a value."""

    name: str
    kind: CompletionKind
    detail: str = ""
    documentation: str = ""


def declared_keys(here: Here, path: KeyPath) -> Iterator[Declared]:
    """The names that may be keys of the map at the path."""
    document = here.document
    if document.kind == "pipeline" and path == ("snaps",):
        yield from _labels_of_links(document.spec)
    elif path[-1:] == ("parameters",) and (pipeline := pipeline_of(here, path)):
        yield from _parameters(pipeline.spec)
    elif document.kind in ("test", "pins") and (pipeline := pipeline_of(here, path)):
        yield from _of_pipeline(pipeline, path[2:] if document.kind == "test" else path)


def _of_pipeline(pipeline: Document, path: KeyPath) -> Iterator[Declared]:
    """Labels and views for a path in a case of a test file, or in a pin file."""
    if path in (("mocks",), ("pins",)):
        yield from _labels(pipeline.spec)
    elif path == ("expect",):
        yield from _labels(pipeline.spec)
        yield from _outputs(pipeline)
    elif path[:1] in (("mocks",), ("pins",)) and len(path) == 2:
        yield from _views_of(pipeline, str(path[1]))


def declared_values(here: Here) -> Iterator[Declared]:
    """The names that may be the value at the cursor."""
    path = here.path
    if here.document.kind == "test" and path[:1] == ("cases",) and path[2:3] == ("allow",):
        pipeline = pipeline_of(here, path)
        if pipeline is not None:
            yield from _labels(pipeline.spec)


def pipeline_of(here: Here, path: KeyPath) -> Document | None:
    """The pipeline that a file, or the map around the path, names."""
    document = here.document
    if document.kind == "test":
        from engine.testing.cases.reading import parse_tests

        return _opened(document, Path(parse_tests(document.text, document.path).pipeline))
    if document.kind == "pins":
        return _opened(document, Path(pin_files.pipeline_of(document.path)))
    named = here.value((*path[:-1], "pipeline"))
    if not isinstance(named, str) or named.startswith("="):
        return None
    folder = folder_of(document.path)
    place = local_path(named, folder, project_of(folder))
    return None if place is None else _opened(document, place)


def _opened(document: Document, path: Path) -> Document | None:
    for suffix in PIPELINE_SUFFIXES:
        try:
            return document.workspace.document(str(path.with_name(path.name + suffix)))
        except (ConfigurationError, ValueError):
            continue
    return None


def _parameters(spec: PipelineSpec) -> Iterator[Declared]:
    for each in spec.parameters:
        detail = "required" if each.required else ""
        if each.default is not None and not each.secret:
            detail = f"default {each.default}"
        yield Declared(each.name, "parameter", detail, each.description)


def _labels(spec: PipelineSpec) -> Iterator[Declared]:
    for label, snap in spec.snaps.items():
        yield Declared(label, "label", snap.type)


def _views_of(pipeline: Document, label: str) -> Iterator[Declared]:
    """The views on which a mock or a pin of the snap may send documents."""
    snap = pipeline.spec.snaps.get(label)
    for name, carried in _output_names(pipeline, snap) if snap else ():
        yield Declared(name, "view", carried)


def _outputs(pipeline: Document) -> Iterator[Declared]:
    """The output views of all snaps, for expectations."""
    for label, snap in pipeline.spec.snaps.items():
        for name, _ in _output_names(pipeline, snap):
            yield Declared(f"{label}.{name}", "view", snap.type)


def _output_names(pipeline: Document, snap: SnapSpec) -> Iterator[tuple[str, str]]:
    """The output views of a snap, with what they carry; of a family, its first member."""
    views = pipeline.workspace.views_of(snap)
    for view in () if views is None else (*views.outputs, ERROR_VIEW):
        yield f"{view.name}0" if view.many else view.name, view.type


def _labels_of_links(spec: PipelineSpec) -> Iterator[Declared]:
    """The labels that links name and no snap has."""
    ports = (port for link in spec.links for port in (link.source, link.target))
    for label in dict.fromkeys(port.label for port in ports):
        if label not in spec.snaps:
            yield Declared(label, "label", "named in links")
