"""The expression or path at the cursor, with the offset of the cursor in it."""

from __future__ import annotations

from typing import Any, Literal, get_origin

import msgspec

from engine.errors import UnusableSnapError
from engine.language.here import Here
from engine.language.setting_types import key_types_at, types_at
from engine.pipeline.source import KeyPath
from engine.plan.plan import ErrorPipeline
from engine.sdk.settings import (
    Account,
    AccountPerDocument,
    BoundText,
    Evaluated,
    Expression,
    Path,
    Settings,
    TargetPath,
)

Form = Literal["expression", "path", "target"]
_MARKED = (Evaluated, Account, AccountPerDocument)
"""Types of settings that are expressions if they begin with `=`."""


class ExpressionPlace(msgspec.Struct, frozen=True):
    """The text of an expression or path, and the offset of the cursor in it.

    `label` is the snap whose setting it is; empty if it belongs to none. `style` is how YAML quotes
    it: empty for a plain value, else the first character.
    """

    text: str
    offset: int
    form: Form
    label: str = ""
    style: str = ""

    @property
    def before(self) -> str:
        return self.text[: self.offset]


def expression_at(here: Here) -> ExpressionPlace | None:
    """The expression or path that the cursor is in; None if it is in something else."""
    offset = here.offset
    if offset is None or here.is_comment:
        return None
    found, text, style = _types(here), here.written, here.scalar.style if here.scalar else ""
    label = here.snap or ""
    form: Form | None = None
    shift = 0
    if Expression in found:
        form = "expression"
    elif TargetPath in found or Path in found:
        form = "target" if TargetPath in found else "path"
    if text.startswith("=") and (form == "expression" or _may_be_marked(here, found)):
        form, shift = "expression", len(text) - len(text[1:].lstrip(" "))
    if form is None or offset < shift:
        return None
    return ExpressionPlace(text[shift:], offset - shift, form, label, style)


def setting_types(here: Here, path: KeyPath) -> list[Any]:
    """The declared types of the value at a path of a pipeline file."""
    owner = _owner(here, path)
    return [] if owner is None else types_at(*owner)


def _types(here: Here) -> list[Any]:
    """The types of the key or value that the cursor is in."""
    if here.spot.part == "value":
        return setting_types(here, here.path)
    owner = _owner(here, here.path[:-1])
    return [] if owner is None else key_types_at(*owner)


def _owner(here: Here, path: KeyPath) -> tuple[Any, KeyPath] | None:
    """The settings class that a path of a pipeline file leads into, and the path inside it."""
    if here.document.kind != "pipeline" or not path:
        return None
    if path[0] == "error_pipeline":
        return ErrorPipeline, path[1:]
    if path[0] != "snaps" or len(path) < 2:
        return None
    settings = setting_class(here)
    return None if settings is None else (settings, path[2:])


def setting_class(here: Here) -> type[Settings] | None:
    """The settings class of the snap that the cursor is in."""
    if here.document.kind != "pipeline" or here.snap is None:
        return None
    try:
        snap = here.document.registry[str(here.value((*here.path[:2], "snap")))]
    except (KeyError, UnusableSnapError):
        return None
    return snap.settings_class


def _may_be_marked(here: Here, found: list[Any]) -> bool:
    """Whether a value that begins with `=` is an expression here."""
    if here.document.kind == "account":
        return here.spot.part == "value"
    return any(kind is BoundText or get_origin(kind) in _MARKED for kind in found)
