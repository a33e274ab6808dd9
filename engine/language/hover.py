"""Hover: help on what is at a position, with values from the last preview."""

from __future__ import annotations

from engine.errors import UnusableSnapError
from engine.language.answers import Hover
from engine.language.complete_links import is_link, views_on_side
from engine.language.diagnose import range_of
from engine.language.expression_help import examples_text
from engine.language.expression_places import expression_at, setting_class
from engine.language.fields import documents_at, knowledge_at
from engine.language.help import (
    parameter_markdown,
    schema_markdown,
    setting_markdown,
    snap_markdown,
    view_markdown,
)
from engine.language.here import Here, place_at
from engine.language.hover_expressions import Explained, explain
from engine.language.positions import Position, Range
from engine.language.related import declared_keys
from engine.language.workspace import Document
from engine.pipeline.links import link_part_at
from engine.pipeline.source import KeyPath
from engine.reference.settings import SettingEntry, setting_entries
from engine.reference.snaps import purpose, snap_entry
from engine.registry import SnapClass


def hover(document: Document, position: Position) -> Hover | None:
    """Help on the snap, setting, function, field or label at a position; None if there is none."""
    here = place_at(document, position)
    if here.offset is None or here.is_comment or not here.path:
        return None
    if place := expression_at(here):
        knowledge = knowledge_at(document, place.label)
        found = explain(place.text, place.offset, place.form, knowledge)
        if found is None:
            return None
        shift = len(here.written) - len(place.text)
        part = _range_inside(here, found, shift)
        is_around = part.start <= position <= part.end  # not in the blanks before the value
        return Hover(part, found.markdown) if is_around else None
    if is_link(here):
        return _link_end(here)
    markdown = _key(here) if here.spot.part == "key" else _value(here)
    scalar = here.scalar
    if not markdown or scalar is None or here.index < scalar.start.index:
        return None
    return Hover(document.lines.range(scalar.start.index, scalar.end.index), markdown)


def _range_inside(here: Here, found: Explained, shift: int) -> Range:
    """The range of a part of an expression, whose text begins at `shift` of the value."""
    at_key = here.spot.part == "key"
    where = here.document.source.position(
        here.path, found.offset + shift, found.length, at_key=at_key
    )
    return range_of(where, here.document)


def _key(here: Here) -> str:
    path, document = here.path, here.document
    if document.kind == "pipeline" and path[0] == "snaps" and len(path) == 2:
        return _label(document, str(path[1]))
    if document.kind == "pipeline" and path[0] == "parameters" and len(path) == 2:
        return _parameter(document, str(path[1]))
    if entry := _setting(here):
        return setting_markdown(entry)
    name = str(path[-1])
    keys = document.schemas.keys(document.source.root, path[:-1])
    return schema_markdown(name, keys.get(name, ())) or _declared(here, name)


def _declared(here: Here, name: str) -> str:
    """A name that another file declares, such as a parameter or a label in a test."""
    for each in declared_keys(here, here.path[:-1]):
        if each.name == name:
            title = f"**{name}**: {each.detail or each.kind}"
            return "\n\n".join(filter(None, (title, each.documentation)))
    return ""


def _setting(here: Here) -> SettingEntry | None:
    """The setting of a snap, or of a row in it, whose key the cursor is in."""
    settings = setting_class(here)
    if settings is None or len(here.path) < 3:
        return None
    entries, found = setting_entries(settings), None
    for step in here.path[2:]:
        if isinstance(step, str):
            found = next((each for each in entries if each.name == step), None)
            entries = found.rows if found else ()
    return found


def _value(here: Here) -> str:
    path, document = here.path, here.document
    if document.kind == "pipeline" and len(path) == 3 and path[0] == "snaps" and path[2] == "snap":
        snap = _class_of(document, here.written)
        return snap_markdown(snap_entry(snap)) if snap else ""
    return _listed(here, path)


def _listed(here: Here, path: KeyPath) -> str:
    """What the schema says about one of the values that it lists."""
    for part in here.document.schemas.at(here.document.source.root, path):
        texts = part.get("markdownEnumDescriptions", ())
        for value, text in zip(part.get("enum", ()), texts, strict=False):
            if value == here.written:
                return f"**{value}**: {text}"
    return ""


def _label(document: Document, label: str) -> str:
    """A snap: what it does, and what reached it in the last preview."""
    spec = document.spec.snaps.get(label)
    if spec is None:
        return ""
    snap = _class_of(document, spec.type)
    parts = [f"**{label}**: {spec.type or 'a snap'}", purpose(snap) if snap else ""]
    if documents := documents_at(document, label):
        parts.append(f"Input, for example: {examples_text(documents)}")
    return "\n\n".join(filter(None, parts))


def _class_of(document: Document, name: str) -> SnapClass | None:
    try:
        return document.registry[name]
    except (KeyError, UnusableSnapError):
        return None


def _parameter(document: Document, name: str) -> str:
    found = next((each for each in document.spec.parameters if each.name == name), None)
    return parameter_markdown(found) if found else ""


def _link_end(here: Here) -> Hover | None:
    """The snap, or the view, that one end of a link names."""
    offset = here.offset or 0
    part = link_part_at(here.written, offset)
    document, label = here.document, part.label
    markdown = _label(document, label)
    start, length = part.start, len(label)
    if part.view and part.is_view_at(offset):
        views = views_on_side(document, label, "input" if part.place else "output") or ()
        view = next((each for each in views if each.name == part.view), None)
        markdown = view_markdown(label, view) if view else ""
        if documents := document.workspace.samples_of(document.path).get(f"{label}.{part.view}"):
            markdown += f"\n\nFor example: {examples_text(documents)}"
        start, length = start + length + 1, len(part.view)
    if not markdown or not start <= offset <= start + length:
        return None
    return Hover(_range_inside(here, Explained("", start, length), 0), markdown)
