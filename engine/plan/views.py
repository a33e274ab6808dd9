"""Links resolved to views: defaults chosen, families counted, types compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from engine.hints import Hint, Replacement
from engine.pipeline.foreign_keys import arrow_ends
from engine.pipeline.spec import LinkSpec, PortSpec, SnapSpec
from engine.plan.collector import ProblemCollector, nearest_of
from engine.plan.plan import Port
from engine.plan.snaps import ResolvedSnap
from engine.registry import Registry
from engine.sdk.facts import category_of
from engine.sdk.settings import nearest_hint, nearest_names, shown
from engine.sdk.views import ERROR_VIEW, View

Side = Literal["input", "output"]


class ResolvedLink(msgspec.Struct, frozen=True):
    """A link between two snaps; a view is None where a mistake leaves it unknown."""

    spec: LinkSpec
    source: View | None
    target: View | None

    @property
    def labels(self) -> tuple[str, str]:
        return self.spec.source.label, self.spec.target.label

    @property
    def ports(self) -> tuple[Port, Port] | None:
        if self.source is None or self.target is None:
            return None
        start, end = self.labels
        return Port(start, self.source.name), Port(end, self.target.name)


def resolve_links(
    snaps: Mapping[str, ResolvedSnap], registry: Registry, collector: ProblemCollector
) -> list[ResolvedLink]:
    """The links between snaps that exist, in the order of the file."""
    links = [link for link in collector.spec.links if _joins_snaps(link, snaps, collector)]
    sources = _Side("output", snaps, registry, collector)
    targets = _Side("input", snaps, registry, collector)
    starts = sources.choose([link.source for link in links])
    ends = targets.choose([link.target for link in links])
    resolved = [ResolvedLink(*each) for each in zip(links, starts, ends, strict=True)]
    for link in resolved:
        _check_types(link, registry, collector)
    return resolved


def _joins_snaps(
    link: LinkSpec, snaps: Mapping[str, ResolvedSnap], collector: ProblemCollector
) -> bool:
    missing = [port for port in (link.source, link.target) if port.label not in snaps]
    for port in missing:
        if collector.may_be_lost(port.label):
            continue
        ends = arrow_ends(port.label)
        if ends and all(end in snaps for end in ends):
            chain = " -> ".join(ends)
            meant = Hint(f"write '{chain}'", [Replacement(chain, port.label)])
            collector.report("bad-link", port.where, "the arrow of a link is '->'", meant)
            continue
        hint = nearest_of(port.label, snaps, "snaps")
        message = f"there is no snap labelled {shown(port.label)}"
        collector.report("unknown-label", port.where, message, hint)
    if not missing and link.source.label == link.target.label:
        message = f"'{link.source.label}' is linked to itself"
        collector.report("cycle", link.target.where, message, "link it to another snap")
        return False
    return not missing


class _Side:
    """One side of all links: hands out the views of one direction."""

    def __init__(
        self,
        side: Side,
        snaps: Mapping[str, ResolvedSnap],
        registry: Registry,
        collector: ProblemCollector,
    ) -> None:
        self.side: Side = side
        self.snaps = snaps
        self.registry = registry
        self.collector = collector
        self.taken: dict[Port, PortSpec] = {}

    def choose(self, ports: Iterable[PortSpec]) -> list[View | None]:
        """A view for each port: first those that are named, then the next free of families."""
        ports = list(ports)
        chosen = [self._named(port) for port in ports]
        earlier: Counter[str] = Counter()
        for position, (port, view) in enumerate(zip(ports, chosen, strict=True)):
            if view is not None and view.many:
                chosen[position] = self._next(port, view, earlier[port.label])
            earlier[port.label] += 1
        return chosen

    def _views(self, label: str) -> tuple[View, ...] | None:
        views = self.snaps[label].views
        if views is None:
            return None
        return views.inputs if self.side == "input" else views.outputs

    def _named(self, port: PortSpec) -> View | None:
        if self.side == "output" and port.view == ERROR_VIEW.name:
            return self._take(port, ERROR_VIEW)
        views = self._views(port.label)
        if views is None:
            return None
        view = _find(views, port.view)
        if view is None:
            self._report_unknown(port, views)
            return None
        return view if view.many else self._take(port, view)

    def _next(self, port: PortSpec, family: View, earlier: int) -> View | None:
        """The next free member. In a named family its number is its position: input0 is the first,
        whatever the others are called."""
        number = earlier if family.named else 0
        while Port(port.label, f"{family.name}{number}") in self.taken:
            number += 1
        return self._take(port, _member(family, f"{family.name}{number}"))

    def _take(self, port: PortSpec, view: View) -> View:
        place = Port(port.label, view.name)
        first = self.taken.setdefault(place, port)
        if first is not port:
            message = f"the {self.side} view '{place}' is already linked on line {first.where.line}"
            self.collector.report("linked-twice", port.where, message, self._split_hint(view))
        return view

    def _split_hint(self, view: View) -> str:
        """Names the snaps that can do what two links on one view were meant to do."""
        candidates = {
            name: snap_class
            for name, snap_class in self.registry.usable()
            if any(
                each.many and each.type == view.type
                for each in (
                    snap_class.views.inputs if self.side == "input" else snap_class.views.outputs
                )
            )
        }
        if not candidates:
            return "a view takes one link; remove one of the two"
        plain = [name for name, snap_class in candidates.items() if snap_class.passes_on]
        names = " or ".join(plain or candidates)
        if self.side == "input":
            return f"put {names} in front of it to take several inputs"
        return f"put {names} after it to get several outputs"

    def _report_unknown(self, port: PortSpec, views: tuple[View, ...]) -> None:
        snap = f"'{port.label}' ({self.snaps[port.label].spec.type})"
        names = [_shown_name(view) for view in views]
        if self.side == "output":
            names.append(ERROR_VIEW.name)
        known = f"its {self.side} views are: {', '.join(names)}" if names else "it has none"
        if not port.view:
            message = f"{snap} has no {self.side} view"
            self.collector.report("unknown-view", port.where, message, self._other_hint(port))
            return
        message = f"{snap} has no {self.side} view {shown(port.view)}"
        hint = self._other_hint(port) or nearest_hint(port.view, names) or known
        self.collector.report("unknown-view", port.where, message, hint)

    def _other_hint(self, port: PortSpec) -> str:
        """What to do if the name belongs to a view of the other direction."""
        views = self.snaps[port.label].views
        if views is None:
            return ""
        if self.side == "input":
            if not port.view:
                return "it can only start a link"
            outputs = [ERROR_VIEW.name, *(view.name for view in views.outputs)]
            found = [port.view] if _find(views.outputs, port.view) else []
            inputs = [view.name for view in views.inputs]
            near = found or nearest_names(port.view, [*inputs, *outputs])
            if near and near[0] not in inputs:
                output = f"{port.label}.{near[0]}"
                return f"to link that output, start a link with it: '{output} -> ...'"
            return ""
        return "" if port.view else f"only its error view can be linked: '{port.label}.error'"


def _find(views: tuple[View, ...], name: str) -> View | None:
    """The view of that name, a family for its next member, or the first if there is no name."""
    if not name:
        return views[0] if views else None
    view = declared_view(views, name)
    return view if view is None or view.name == name else _member(view, name)


def declared_view(views: Sequence[View], name: str) -> View | None:
    """The declared view of that name, or the family that it belongs to: `output7` to `output`."""
    for view in views:
        if view.name == name or _is_numbered(name, view):
            return view
    return next((view for view in views if view.named), None)


def views_as_linked(declared: Sequence[View], linked: Sequence[View]) -> Iterator[View]:
    """Families as the members that have links; optional views only if they have one.

    Members are in the order of their numbers, or of their links if some have other names.
    """
    for view in declared:
        if view.many:
            members = [each for each in linked if declared_view(declared, each.name) == view]
            if all(_is_numbered(member.name, view) for member in members):
                members.sort(key=lambda member: int(member.name[len(view.name) :]))
            for position, member in enumerate(members):
                read_first = bool(view.read_first) if position else view.read_first is True
                yield msgspec.structs.replace(member, read_first=read_first)
        elif view in linked or not view.optional:
            yield view


def _is_numbered(name: str, family: View) -> bool:
    return family.many and bool(re.fullmatch(re.escape(family.name) + "[0-9]{1,6}", name))


def _member(family: View, name: str) -> View:
    return msgspec.structs.replace(family, name=name, many=False, named=False, minimum=0)


def _shown_name(view: View) -> str:
    if not view.many:
        return view.name
    return f"{view.name}0, {view.name}1, ...{' or any other name' if view.named else ''}"


def _check_types(link: ResolvedLink, registry: Registry, collector: ProblemCollector) -> None:
    source, target = link.source, link.target
    if source is None or target is None or source.type == target.type:
        return
    kinds = {"binary": "a binary stream", "document": "documents"}
    start, end = link.labels
    message = (
        f"'{start}.{source.name}' produces {kinds[source.type]}, "
        f"but '{end}.{target.name}' takes {kinds[target.type]}"
    )
    hint = _conversion_hint(link, registry, collector)
    collector.report("view-type", link.spec.target.where, message, hint)


def _conversion_hint(link: ResolvedLink, registry: Registry, collector: ProblemCollector) -> str:
    """Which snaps make documents of streams or the opposite; best the one for the kind of file."""
    is_parsed = link.source is not None and link.source.type == "binary"
    category, start, end = ("parse" if is_parsed else "format"), *link.labels
    names = sorted(name for name, each in registry.usable() if category_of(each) == category)
    suffixes = _file_suffixes(collector.spec.snaps[start if is_parsed else end])
    fitting = [name for name in names if suffixes and name.lower().startswith(suffixes)]
    kind = "parser" if is_parsed else "formatter"
    found = f", such as {' or '.join(fitting or names)}" if names else ""
    return f"put a {kind} between them{found}"


def _file_suffixes(snap: SnapSpec) -> tuple[str, ...]:
    """The kinds of the files that a snap's settings name, such as `csv`."""
    names = [value for value in snap.settings.values() if isinstance(value, str)]
    found = [re.search(r"\.([A-Za-z0-9]{3,})['\"]?\s*$", name) for name in names]
    return tuple(match[1].lower() for match in found if match)
