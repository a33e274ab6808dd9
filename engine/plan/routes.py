"""Which snap feeds which: plain data, computed once from the parts of the plan.

Runners only read it. Nothing here uses settings or snap classes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from engine.plan.graph import Connections, downstream
from engine.plan.plan import (
    Feed,
    Plan,
    PlannedLink,
    PlannedSnap,
    Port,
    Prelude,
    Routes,
    Stage,
    Target,
)
from engine.plan.sharing import shared_ports


def routes_of(
    snaps: Sequence[PlannedSnap],
    links: Sequence[PlannedLink],
    stages: Sequence[Stage],
    open_inputs: Sequence[Port],
    starting_inputs: Sequence[Port],
) -> Routes:
    """All routes of a plan with these parts. A link may lead to a snap that is not among them."""
    by_label = {snap.label: snap for snap in snaps}
    sources = {link.target: link for link in links}
    unlinked = {*open_inputs, *starting_inputs}
    return Routes(
        targets=_targets(links, stages),
        linked=_linked(links),
        feeds={stage: _feeds(by_label[stage.labels[0]], sources, unlinked) for stage in stages},
        prelude=_prelude(open_inputs[0], links, stages) if len(open_inputs) == 1 else None,
        waiting=frozenset(
            stage
            for stage in stages
            if any(by_label[label].facts.blocking for label in stage.labels)
        ),
        shared=shared_ports(
            [by_label[label] for stage in stages for label in stage.labels],
            {link.source: link.target for link in links},
        ),
    )


def spilling(
    snaps: Iterable[PlannedSnap], links: Iterable[tuple[Port, Port]]
) -> set[tuple[Port, Port]]:
    """Links that fill up while their snap reads another input to its end.

    A sender must not wait on them if what it feeds otherwise may be read to its end somewhere: in a
    diamond, or in two such snaps that are fed crosswise, everybody would wait forever. So such a
    link need not spill only if no input that is read first is connected to its source other than
    through its own snap.
    """
    links = list(links)
    read_first = {
        Port(snap.label, view.name) for snap in snaps for view in snap.inputs if view.read_first
    }
    first = {source.label for source, target in links if target in read_first}
    waiting = {target.label for _, target in links if target in read_first}
    if not waiting:
        return set()
    connections = Connections(((source.label, target.label) for source, target in links), first)
    return {
        (source, target)
        for source, target in links
        if target.label in waiting
        and target not in read_first
        and connections.reach_marked(source.label, without=target.label)
    }


def sources_of(plan: Plan, stage: Stage) -> list[Stage]:
    """The other stages upstream of this one, and all that start a flow."""
    edges = [(link.target.label, link.source.label) for link in plan.links]
    feeding = downstream(stage.labels, edges)
    return [
        other
        for other in plan.stages
        if other != stage
        and (
            other.labels[0] in feeding
            or all(feed.source is None for feed in plan.routes.feeds[other])
        )
    ]


def _targets(links: Iterable[PlannedLink], stages: Iterable[Stage]) -> dict[Port, Target]:
    places = {label: (stage, place) for stage in stages for place, label in enumerate(stage.labels)}
    return {
        link.source: Target(*places[link.target.label], link.target.view)
        for link in links
        if link.target.label in places
    }


def _linked(links: Iterable[PlannedLink]) -> dict[str, frozenset[str]]:
    views: dict[str, set[str]] = {}
    for link in links:
        for port in (link.source, link.target):
            views.setdefault(port.label, set()).add(port.view)
    return {label: frozenset(used) for label, used in views.items()}


def _feeds(
    first: PlannedSnap, sources: Mapping[Port, PlannedLink], unlinked: Collection[Port]
) -> tuple[Feed, ...]:
    feeds = []
    for view in first.inputs:
        port = Port(first.label, view.name)
        link = sources.get(port)
        if link is not None:
            feeds.append(Feed(view, link.source, link.spills))
        elif port in unlinked:
            feeds.append(Feed(view))
    return tuple(feeds)


def _prelude(port: Port, links: Sequence[PlannedLink], stages: Sequence[Stage]) -> Prelude:
    """Stages not reached from the port run first; those reached then process what they sent."""
    start = next(stage for stage in stages if port.label in stage.labels)
    reached = downstream(start.labels, [(link.source.label, link.target.label) for link in links])
    return Prelude(
        first=tuple(stage for stage in stages if stage.labels[0] not in reached),
        then=tuple(stage for stage in stages if stage.labels[0] in reached),
    )
