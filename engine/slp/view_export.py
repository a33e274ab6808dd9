"""The views of a snap as SnapLogic stores them, and their ids by the names that links use."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from engine.documents import ViewType
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink, declared_view
from engine.sdk.views import ERROR_VIEW, View
from engine.slp.naming import label_of
from engine.slp.stored import Json

Side = Literal["input", "output"]
ERROR_ID = "error0"
_MAX_GAPS = 1000


class ViewIds(msgspec.Struct, frozen=True):
    """The views of one side of a snap in order: (id, label, type), and the id for each name."""

    views: tuple[tuple[str, str, ViewType], ...]
    ids: Mapping[str, str]

    def stored(self) -> dict[str, Json]:
        return {
            key: {"label": {"value": label}, "view_type": {"value": kind}}
            for key, label, kind in self.views
        }


def view_ids(snap: ResolvedSnap, side: Side, links: Sequence[ResolvedLink]) -> ViewIds:
    """The views of a snap; `links` are those that end at its inputs, or start at its outputs."""
    if snap.views is None or snap.snap_class is None:
        return _kept(snap, side, links)
    ends = [link.target if side == "input" else link.source for link in links]
    linked = [view for view in ends if view is not None and view is not ERROR_VIEW]
    found = list(_views(snap, side, linked))
    ids = {name: key for name, key, _, _ in found}
    return ViewIds(tuple((key, label, kind) for _, key, label, kind in found), ids)


def _views(
    snap: ResolvedSnap, side: Side, linked: Sequence[View]
) -> Iterator[tuple[str, str, str, ViewType]]:
    """(name in a link, id, label, type) of each view."""
    assert snap.views is not None  # only those of snaps that are known
    declared = snap.views.inputs if side == "input" else snap.views.outputs
    names = {view.name for view in linked}
    exists = [
        view.name in names or not (view.optional or view.starts_by_itself) or view.many
        for view in declared
    ]
    last = max((place for place, there in enumerate(exists) if there), default=-1)
    foreign = snap.snap_class.foreign if snap.snap_class else None
    if foreign is not None and side in foreign.ports:
        ports = snap.spec.settings.get(foreign.ports[side])
        for view in declared:
            label = port_label(ports[view.name], side) if isinstance(ports, Mapping) else view.name
            yield view.name, f"{uuid.uuid5(uuid.NAMESPACE_OID, label)}_{side}0", label, view.type
        return
    is_open = side == "input" or snap.spec.open_output
    keys = {ours: key for key, ours in foreign.views.items()} if foreign else {}
    for place, view in enumerate(declared[: last + 1]):
        if view.many:
            for name in _members(view, declared, linked):
                is_numbered = name.startswith(view.name) and name[len(view.name) :].isdecimal()
                key = f"{side}{name[len(view.name) :]}" if is_numbered else name
                yield name, key, key, view.type
        elif is_open or view.name in names:
            key = keys.get(view.name, f"{side}{place}")
            label = f"{side}{place}" if view.name == side else view.name
            yield view.name, key, label, view.type


def port_label(port: str, side: Side) -> str:
    """What SnapLogic calls an open view of another pipeline, `clean_order.output`."""
    name, _, view = port.partition(".")
    return f"{label_of(name)} - {f'{side}0' if view == side else view}"


def _members(family: View, declared: Sequence[View], linked: Sequence[View]) -> list[str]:
    """The members of a family that exist: numbers without gaps, or names as they are used."""
    used = [view.name for view in linked if declared_view(declared, view.name) == family]
    numbers = [name.removeprefix(family.name) for name in used]
    if not all(number.isdecimal() for number in numbers):
        return list(dict.fromkeys(used))
    count = max([family.minimum - 1, *map(int, numbers)]) + 1
    if count > len(used) + _MAX_GAPS:
        return list(dict.fromkeys(used))
    return [f"{family.name}{number}" for number in range(count)]


def _kept(snap: ResolvedSnap, side: Side, links: Sequence[ResolvedLink]) -> ViewIds:
    """The views of a snap that is kept as SnapLogic stores it."""
    declared = snap.spec.settings.get(f"{side}s")
    views: dict[str, ViewType] = {}
    if isinstance(declared, Mapping):
        views = {str(key): _type_of(kind) for key, kind in declared.items()}
    elif declared is None:
        views = {f"{side}0": "document"}
    ids: dict[str, str] = {}
    for link in links:
        port = link.spec.target if side == "input" else link.spec.source
        if port.view == ERROR_VIEW.name and side == "output":
            continue
        key = port.view or next(iter(views), f"{side}0")
        views.setdefault(key, "document")
        ids[port.view] = key
    return ViewIds(tuple((key, key, kind) for key, kind in views.items()), ids)


def _type_of(written: object) -> ViewType:
    return "binary" if written == "binary" else "document"
