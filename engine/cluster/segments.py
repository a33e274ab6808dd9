"""Which snaps of a plan may run in several copies: the segments, and why the others run once.

A segment is a group of snaps that one worker runs together. Only its first snap is fed from
outside, so a chunk of documents enters, and what comes of it leaves, without any other traffic.
Every worker has a copy of every segment. All other snaps stay with the coordinator, which runs
them as ever; to it, a segment is a single stage.

If the first snap is keyed, every copy gets the documents of some keys (ByKey). The snaps after it
must pass on the lineage of documents, as that is how the coordinator puts results in order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

import msgspec

from engine.cluster.messages import Segment
from engine.expressions.steps import DecodeJson, EncodeJson
from engine.plan.plan import Plan, PlannedLink, PlannedSnap, Port, Stage
from engine.plan.routes import routes_of
from engine.sdk.parallel import ByKey, ByRun, Once
from engine.sdk.views import ERROR_VIEW

_CHANGES = re.compile(r"""\b(random|uuid|now|eval)\b['"\]\s]*\(|\bDate\s*\(\s*\)|\blib\s*[.\[]""")
"""What may make a key another one when it is computed again, or cannot be seen here."""


class Spread(msgspec.Struct, frozen=True):
    """How the work of a plan is divided.

    `remote` is the plan as the workers run it, `local` as the coordinator does: there each segment
    is one stage of `stages`. `reasons`: why a snap runs once.
    """

    remote: Plan
    local: Plan
    stages: Mapping[Stage, Segment]
    reasons: Mapping[str, str]

    @property
    def split_sources(self) -> frozenset[str]:
        """The snaps whose files the workers may read themselves, in parts: those that feed text to
        a segment which may process some of it twice."""
        heads = {each.labels[0] for each in self.segments if each.lines and not each.keeps}
        return frozenset(
            link.source.label
            for link in self.local.links
            if link.target.label in heads and self.local.snap(link.source.label).facts.splits
        )

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(self.stages.values())


def spread_of(plan: Plan) -> Spread:
    """Divide a plan. It may turn out that there is nothing to run in copies: no `stages`."""
    return _Divider(plan).spread()


class _Divider:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._snaps = {snap.label: snap for snap in plan.snaps}
        self._order = [label for stage in plan.stages for label in stage.labels]
        self._into: dict[str, list[PlannedLink]] = {label: [] for label in self._order}
        for link in plan.links:
            if link.target.label in self._into:
                self._into[link.target.label].append(link)
        self._open = {port.label for port in plan.open_inputs}
        self._reasons: dict[str, str] = {}
        self._head: dict[str, str] = {}
        """For each snap in a segment, the first snap of the segment."""

    def spread(self) -> Spread:
        for label in self._order:
            self._place(label)
        self._dissolve_idle()
        stages = self._split()
        remote = self._with_stages(stages)
        numbered = {
            head: self._segment(number, head, remote)
            for number, head in enumerate(dict.fromkeys(self._head.values()))
        }
        joined = self._joined(stages)
        local = self._with_stages(list(joined))
        here = {stage: numbered[head] for stage, head in joined.items() if head}
        waiting = local.routes.waiting | here.keys()
        routes = msgspec.structs.replace(local.routes, waiting=frozenset(waiting))
        local = msgspec.structs.replace(local, routes=routes)
        return Spread(remote, local, here, self._reasons)

    # Which snaps

    def _place(self, label: str) -> None:
        reason = self._reason(label)
        entering = self._into[label]
        heads = {self._head.get(link.source.label, "") for link in entering}
        joins = len(heads) == 1 and "" not in heads and label not in self._open
        snap = self._snaps[label]
        if _reads_first(snap) or _is_keyed(snap):
            joins = False
        if joins and isinstance(self._snaps[min(heads)].facts.parallel, ByKey):
            joins = _passes_places_on(snap)
        if not reason and self._ends_in_text(label) and not joins:
            reason = "puts all documents into one stream"
        if reason:
            self._reasons[label] = reason
        else:
            self._head[label] = heads.pop() if joins else label

    def _reason(self, label: str) -> str:
        """Why the snap must run once, as far as that does not depend on the others."""
        snap = self._snaps[label]
        parallel = snap.facts.parallel
        decodes, encodes = self._begins_with_lines(label), self._ends_in_text(label)
        if any(view.type == "binary" for view in snap.inputs) and not decodes:
            return "reads binary streams in order; only JSON lines can be cut"
        if any(view.type == "binary" for view in snap.outputs) and not encodes:
            return "makes binary streams"
        if not self._into[label] and label not in self._open:
            return "is a source"
        if isinstance(parallel, Once):
            return parallel.why
        if parallel == "one" and not encodes:
            return _why_one(snap)
        if isinstance(parallel, ByKey) and len(parallel.keys) != len(snap.inputs):
            return "joins several inputs, one after the other"
        if any(map(_CHANGES.search, _key_texts(snap))):
            return "its key may be another one when it is computed again"
        if snap.sees_counts:
            return "its expressions count its documents ('snap')"
        return ""

    def _begins_with_lines(self, label: str) -> bool:
        snap = self._snaps[label]
        is_fed = len(self._into[label]) == 1 and len(snap.inputs) == 1
        return is_fed and bool(snap.steps) and isinstance(snap.steps[0], DecodeJson)

    def _ends_in_text(self, label: str) -> bool:
        """Whether it writes lines, so that the parts of several copies can be put together."""
        steps = self._snaps[label].steps
        return bool(steps) and isinstance(steps[-1], EncodeJson)

    def _dissolve_idle(self) -> None:
        """Leave segments that only pass documents on where they are: sending takes longer."""
        members: dict[str, list[str]] = {}
        for label, head in self._head.items():
            members.setdefault(head, []).append(label)
        for labels in members.values():
            if all(self._is_idle(self._snaps[label]) for label in labels):
                for label in labels:
                    del self._head[label]
                    does = "compares neighbours"
                    if not isinstance(self._snaps[label].facts.parallel, ByRun):
                        does = "passes documents on"
                    self._reasons[label] = (
                        f"only {does}; sending them to a worker would take longer"
                    )

    def _is_idle(self, snap: PlannedSnap) -> bool:
        return (
            snap.facts.passes_on
            or isinstance(snap.facts.parallel, ByRun)
            or not snap.outputs
            or self._ends_in_text(snap.label)
        )

    # Stages and plans

    def _split(self) -> list[Stage]:
        """The stages of the plan, cut where a segment begins or ends."""
        split: list[Stage] = []
        for stage in self._plan.stages:
            groups = [
                tuple(labels)
                for _, labels in groupby(stage.labels, lambda label: self._head.get(label, ""))
            ]
            if len(groups) == 1:
                split.append(stage)
            elif stage.fused > len(groups[0]):  # a net of snaps, of which only the whole is one
                split += [Stage((label,)) for label in stage.labels]
            else:
                split += [Stage(groups[0], stage.fused), *map(Stage, groups[1:])]
        return split

    def _joined(self, stages: Sequence[Stage]) -> dict[Stage, str]:
        """The stages with each segment as one of them; its first snap, or nothing for others."""
        labels: dict[str, list[str]] = {}
        places: list[tuple[Stage | None, str]] = []
        for stage in stages:
            head = self._head.get(stage.labels[0], "")
            if not head:
                places.append((stage, ""))
            elif head not in labels:
                places.append((None, head))
            if head:
                labels.setdefault(head, []).extend(stage.labels)
        return {stage or Stage(tuple(labels[head])): head for stage, head in places}

    def _with_stages(self, stages: Sequence[Stage]) -> Plan:
        plan = self._plan
        routes = routes_of(plan.snaps, plan.links, stages, plan.open_inputs, plan.starting_inputs)
        return msgspec.structs.replace(plan, stages=tuple(stages), routes=routes)

    def _segment(self, number: int, head: str, remote: Plan) -> Segment:
        labels = tuple(label for label in self._order if self._head.get(label) == head)
        exits = frozenset(self._exits(labels))
        snaps = [self._snaps[label] for label in labels]
        parallel = snaps[0].facts.parallel
        keyed = parallel if isinstance(parallel, ByKey | ByRun) else None
        return Segment(
            number=number,
            labels=labels,
            lines=self._begins_with_lines(head),
            whole=frozenset(
                view.name for view in snaps[0].inputs if view.read_first and keyed is None
            ),
            exits=exits,
            joined=frozenset(port for port in exits if self._ends_in_text(port.label)),
            keeps=frozenset(
                snap.label
                for snap in snaps
                if snap.facts.stateful
                and snap.facts.final != "once"
                and not self._ends_in_text(snap.label)
                and not _is_keyed(snap)
            ),
            keyed=keyed,
            splits=self._splits(exits) if not isinstance(keyed, ByKey) else {},
            combines=any(snap.facts.final == "combined" for snap in snaps),
        )

    def _splits(self, exits: Collection[Port]) -> dict[Port, Port]:
        """The ports that lead to a keyed segment, and its views."""
        return {
            link.source: link.target
            for link in self._plan.links
            if link.source in exits
            and link.target.label in self._head
            and isinstance(self._snaps[link.target.label].facts.parallel, ByKey)
        }

    def _exits(self, labels: Sequence[str]) -> list[Port]:
        """The ports through which documents leave for other snaps, or for the caller."""
        others = self._snaps.keys() - set(labels)
        outside = {link.source for link in self._plan.links if link.target.label in others}
        ports = [
            Port(label, view)
            for label in labels
            for view in (*(view.name for view in self._snaps[label].outputs), ERROR_VIEW.name)
        ]
        return [port for port in ports if port in outside or port in self._plan.open_outputs]


def _reads_first(snap: PlannedSnap) -> bool:
    return any(view.read_first for view in snap.inputs)


def _is_keyed(snap: PlannedSnap) -> bool:
    return isinstance(snap.facts.parallel, ByKey | ByRun)


def _passes_places_on(snap: PlannedSnap) -> bool:
    """Whether what it makes of a document has the document's lineage."""
    takes_documents = all(view.type == "document" for view in (*snap.inputs, *snap.outputs))
    return takes_documents and not (snap.facts.stateful or snap.facts.loses_lineage)


def _key_texts(snap: PlannedSnap) -> list[str]:
    parallel = snap.facts.parallel
    if isinstance(parallel, ByRun):
        return [key.text for key in parallel.keys]
    if isinstance(parallel, ByKey):
        return [key.text for keys in parallel.keys for key in keys]
    return []


def _why_one(snap: PlannedSnap) -> str:
    """Why its facts allow one copy only."""
    facts = snap.facts
    if facts.stateful and not facts.single:
        return "keeps what it has seen of earlier documents"
    if facts.single:
        return "may run only once"
    if not facts.keeps_order:
        return "does not keep the order of documents"
    return "acts on the outside, and what it does must not be done twice"
