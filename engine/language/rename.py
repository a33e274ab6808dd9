"""Rename a label, parameter or library in all files of the project that mention it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from engine.errors import EngineError
from engine.language.answers import TextEdit
from engine.language.case_mentions import RESERVED
from engine.language.mentions import mention_at, mentions_of
from engine.language.named import Mention, Named
from engine.language.positions import Position, Range
from engine.language.workspace import Document
from engine.late_regex import late_regex
from engine.sdk.settings import shown

_RENAMED = ("label", "parameter", "library")
_LABEL = late_regex(r"[^\W\d](?:[\w -]*\w)?")
_IDENTIFIER = late_regex(r"[^\W\d_]\w*", re.ASCII)


class RenameRefusedError(EngineError):
    """The thing cannot be renamed, or not to this name."""


def prepare_rename(document: Document, position: Position) -> tuple[Range, str]:
    """The range of the name at a position, and the name. Raises RenameRefusedError."""
    mention = _renamed(document, position)
    start = min(mention.start, document.lines.index(position))  # perhaps that of `_` before a name
    return document.lines.range(start, mention.end), mention.named.name


def rename(document: Document, position: Position, new: str) -> dict[str, list[TextEdit]]:
    """The edits in each file. Raises RenameRefusedError for a name that cannot be used."""
    named = _renamed(document, position).named
    new = new.strip()
    if named.kind == "parameter":
        new = new.removeprefix("_")  # as expressions write it
    if new == named.name:
        return {}
    _check_name(named, new)
    found = list(mentions_of(named, document))
    if not any(each.defines for _, places in found for each in places):
        raise RenameRefusedError(f"{Path(named.file).name} has no {named.kind} {shown(named.name)}")
    for owner, places in found:
        _check_file(owner, named, new, places)
    return {
        owner.path: [TextEdit(owner.lines.range(each.start, each.end), new) for each in places]
        for owner, places in found
    }


def _renamed(document: Document, position: Position) -> Mention:
    mention = mention_at(document, position)
    if mention is None or mention.named.kind not in _RENAMED:
        raise RenameRefusedError("only labels, parameters and libraries can be renamed here")
    return mention


def _check_name(named: Named, new: str) -> None:
    if named.kind != "label":
        if not _IDENTIFIER.fullmatch(new):
            raise RenameRefusedError(
                f"{shown(new)} is not a valid {named.kind} name; "
                "use letters, digits and _, starting with a letter"
            )
        return
    if not _LABEL.fullmatch(new) or yaml.safe_load(new) != new:
        raise RenameRefusedError(
            f"{shown(new)} is not a valid label here; use letters, digits, spaces, - and _, "
            "starting with a letter"
        )


def _check_file(owner: Document, named: Named, new: str, places: Sequence[Mention]) -> None:
    """Refuse if the file has the new name already, or may mention the old one elsewhere."""
    name = Path(owner.path).name
    if owner.source.lost or any(each.code == "yaml-error" for each in owner.spec.problems):
        raise RenameRefusedError(f"{name} is not valid YAML; correct that first")
    for place in places:
        if owner.text[place.start : place.end] != named.name:
            line = owner.lines.position(place.start).line + 1
            raise RenameRefusedError(
                f"{shown(named.name)} is written with escapes in {name}:{line}; rename it by hand"
            )
    if owner.kind == "test" and named.kind == "label" and new in RESERVED:
        raise RenameRefusedError(f"{shown(new)} has another meaning in {name}")
    if owner.path == named.file:
        _check_pipeline(owner, named, new)


def _check_pipeline(owner: Document, named: Named, new: str) -> None:
    name, spec = Path(owner.path).name, owner.spec
    taken = {
        "label": tuple(spec.snaps),
        "parameter": tuple(each.name for each in spec.parameters),
        "library": tuple(each.name for each in spec.libraries),
    }
    if new in taken[named.kind]:
        raise RenameRefusedError(f"{name} already has a {named.kind} {shown(new)}")
    if named.kind == "label":
        return
    written = f"_{new}" if named.kind == "parameter" else f"lib.{new}"
    if re.search(rf"(?<!\w){re.escape(written)}(?!\w)", owner.text):
        raise RenameRefusedError(f"{name} already uses '{written}'")
    for label, snap in owner.resolution.snaps.items():
        if snap.settings is None and named.name in repr(snap.spec.settings):
            raise RenameRefusedError(
                f"the settings of '{label}' have mistakes; correct them first, "
                f"since they may use {shown(named.name)}"
            )
