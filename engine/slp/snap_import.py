"""One stored snap: the snap of ours that it becomes, its settings, and what is not supported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.registry import SnapClass
from engine.registry.files import snake_case
from engine.sdk.conversion import convert
from engine.sdk.facts import Foreign
from engine.sdk.settings import settings_of
from engine.sdk.views import Views
from engine.slp.conversion import IGNORED, Unsupported, convert_settings
from engine.slp.export_file import StoredSnap, StoredView
from engine.slp.literals import constant_of
from engine.slp.naming import name_of, unique_names
from engine.slp.stored import simplified, text_of
from engine.slp.views import ViewNames

_MODES = {"disabled": "disabled", "execute only": "execute_only"}
_DISCARDS = ("ignore", "discard")
_ON_ERROR = {"continue": "route", **dict.fromkeys(_DISCARDS, "discard")}
_SUFFIXES = {"javascript": ".js", "ruby": ".rb"}


class SnapImport(msgspec.Struct, frozen=True):
    """A stored snap and what becomes of it; without `snap_class` it is kept as it is."""

    stored: StoredSnap
    snap_class: SnapClass | None
    type: str
    settings: dict[str, Any]
    unsupported: dict[str, Unsupported]
    texts: dict[str, str]
    unknown_keys: tuple[str, ...]
    notes: tuple[str, ...]
    view_names: ViewNames
    mode: str
    on_error: str
    ports: Mapping[str, Mapping[str, StoredView]] = msgspec.field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.stored.id

    @property
    def routes_errors(self) -> bool:
        """Whether its error view gets anything."""
        return self.stored.error_behavior.strip().lower() not in ("fail", *_DISCARDS)

    @property
    def fallback(self) -> str:
        """The name of a snap whose label gives none."""
        return snake_case(self.type.rpartition("-")[2])

    @property
    def suffix(self) -> str:
        """The ending of the file for its text."""
        return _SUFFIXES.get(text_of(self.stored.settings.get("language")).lower(), ".py")

    @property
    def port_settings(self) -> Mapping[str, str]:
        """The settings that lead to views of another pipeline, by side."""
        foreign = self.snap_class.foreign if self.snap_class else None
        return {} if foreign is None else foreign.ports

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The settings that name another pipeline."""
        foreign = self.snap_class.foreign if self.snap_class else None
        return () if foreign is None else foreign.pipelines


def import_snap(
    stored: StoredSnap, snap_class: SnapClass | None, *, inline: bool = False
) -> SnapImport:
    """Convert one snap."""
    mode = _MODES.get(stored.mode.strip().lower(), "")
    on_error = _ON_ERROR.get(stored.error_behavior.strip().lower(), "")
    if snap_class is None or snap_class.foreign is None:
        names = ViewNames(stored, None, None, passes_on=False)
        settings = _kept(stored)
        return SnapImport(
            stored, None, stored.class_id, settings, {}, {}, (), (), names, mode, on_error
        )
    foreign = snap_class.foreign
    converted = convert_settings(snap_class.settings_class, foreign, stored.settings, inline=inline)
    settings, unsupported = dict(converted.settings), dict(converted.unsupported)
    _add_account(stored, snap_class, settings, unsupported)
    settings |= _view_types(stored, snap_class)
    ports = _ports(stored, foreign)
    settings |= {foreign.ports[side]: dict.fromkeys(views, "") for side, views in ports.items()}
    if binary := _binary_views(ports):
        settings[foreign.ports["binary"]] = binary
    notes = list(converted.notes)
    is_newest_class = stored.class_id == foreign.class_id
    version = stored.version if is_newest_class and isinstance(stored.version, int) else 0
    if 0 < foreign.version < version:
        notes.append(
            f"it has version {version} of its class; the newest known here is "
            f"{foreign.version}, so settings may be missing"
        )
    return SnapImport(
        stored=stored,
        snap_class=snap_class,
        type=snap_class.__name__,
        settings=settings,
        unsupported=unsupported,
        texts=converted.texts,
        unknown_keys=converted.unknown,
        notes=tuple(notes),
        view_names=ViewNames(
            stored, _views(snap_class, settings), foreign, passes_on=snap_class.passes_on
        ),
        mode=mode,
        on_error=on_error,
        ports=ports,
    )


def derived_port(view: StoredView, side: str) -> str:
    """An open view of a pipeline that is not at hand, by the label that it has outside:
    `Clean Order - output0` is probably `clean_order.output`."""
    label, _, name = view.label.rpartition(" - ")
    return f"{name_of(label)}.{side if name == f'{side}0' else name}"


def _ports(stored: StoredSnap, foreign: Foreign) -> dict[str, dict[str, StoredView]]:
    """The views of a nested pipeline by side and name: `input` and `output` if they are alone."""
    found = {}
    for side, views in (("input", stored.inputs), ("output", stored.outputs)):
        if side in foreign.ports and views:
            labels = [view.label.rpartition(" - ")[0] or view.label for view in views]
            names = [side] if len(views) == 1 else unique_names(map(name_of, labels))
            found[side] = dict(zip(names, views, strict=True))
    return found


def _binary_views(ports: Mapping[str, Mapping[str, StoredView]]) -> list[str]:
    views = [pair for side in ports.values() for pair in side.items()]
    return [name for name, view in views if view.type == "binary"]


def _kept(stored: StoredSnap) -> dict[str, Any]:
    """What an unsupported snap keeps: version, settings, account, and unusual views."""
    kept: dict[str, Any] = {}
    if stored.version is not None:
        kept["class_version"] = stored.version
    settings = {
        key: simplified(value) for key, value in stored.settings.items() if key not in IGNORED
    }
    settings = {key: value for key, value in settings.items() if not _is_empty(value)}
    if settings:
        kept["settings"] = settings
    if not stored.account.is_unset:
        kept["account"] = simplified(
            {"value": stored.account.value, "expression": stored.account.is_expression}
        )
    for side, views in (("inputs", stored.inputs), ("outputs", stored.outputs)):
        if [(view.id, view.type) for view in views] != [(f"{side[:-1]}0", "document")]:
            kept[side] = {view.id: view.type for view in views}
    return kept


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _add_account(
    stored: StoredSnap,
    snap_class: SnapClass,
    settings: dict[str, Any],
    unsupported: dict[str, Unsupported],
) -> None:
    leaf = stored.account
    if leaf.is_unset:
        return
    constant = constant_of(leaf.text) if leaf.is_expression else leaf.text
    name = name_of(str(constant).rpartition("/")[2], "account")
    value = f"= {leaf.text.strip()}" if constant is None else name
    if "account" in settings_of(snap_class.settings_class):
        settings["account"] = value
    else:
        unsupported["account"] = Unsupported(value, "an account")


def _view_types(stored: StoredSnap, snap_class: SnapClass) -> dict[str, Any]:
    """The settings that say which views are binary, of a snap that can have either kind."""
    sides = {"input_type": stored.inputs, "output_type": stored.outputs}
    known = settings_of(snap_class.settings_class)
    return {
        name: "binary"
        for name, views in sides.items()
        if name in known and any(view.type == "binary" for view in views)
    }


def _views(snap_class: SnapClass, settings: Mapping[str, Any]) -> Views:
    converted, _ = convert(snap_class.settings_class, settings)
    return snap_class.views if converted is None else snap_class.views_for(converted)
