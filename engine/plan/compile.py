"""Compile a spec without errors into a plan: views as linked, facts, stages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from engine.errors import InvalidPipelineError
from engine.pipeline.spec import PipelineSpec
from engine.plan import graph
from engine.plan.accounts import Accounts
from engine.plan.collector import KeyPath
from engine.plan.fusion import fused_runs
from engine.plan.linkage import on_error_of
from engine.plan.needs import needed_fields
from engine.plan.plan import Facts, PlacedExpression, Plan, PlannedLink, PlannedSnap, Port, Stage
from engine.plan.python_code import first_lines
from engine.plan.resolve import Resolution, resolve
from engine.plan.routes import routes_of, spilling
from engine.plan.seen import paths_seen
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink, views_as_linked
from engine.registry import Registry
from engine.sdk.settings import KEY, Expression, Path, Settings, expressions_in
from engine.sdk.views import ERROR_VIEW, View, Views


def compile_spec(
    spec: PipelineSpec,
    registry: Registry,
    *,
    project: str | None = None,
    accounts: Accounts | None = None,
) -> Plan:
    """The plan. Raises InvalidPipelineError with all problems if one of them is an error.

    A disabled snap and everything downstream are left out (reference 1.5). The snaps that feed them
    keep their views, but these are not open outputs: documents that leave there are discarded.
    """
    resolution = resolve(spec, registry, project, accounts)
    if any(problem.severity == "error" for problem in resolution.problems):
        raise InvalidPipelineError(resolution.problems)
    return _Compiler(resolution).plan()


class _Link(msgspec.Struct, frozen=True):
    source: Port
    target: Port

    @property
    def labels(self) -> tuple[str, str]:
        return self.source.label, self.target.label


class _Compiler:
    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        self.from_snap: dict[str, list[ResolvedLink]] = {}
        self.to_snap: dict[str, list[ResolvedLink]] = {}
        for link in resolution.links:
            self.from_snap.setdefault(link.labels[0], []).append(link)
            self.to_snap.setdefault(link.labels[1], []).append(link)
        self.used = {port for link in resolution.links for port in _ports(link)}
        disabled = [
            label for label, snap in resolution.snaps.items() if snap.spec.mode == "disabled"
        ]
        left_out = graph.downstream(disabled, [link.labels for link in resolution.links])
        self.labels = [label for label in resolution.snaps if label not in left_out]
        self.links = [_link(link) for link in resolution.links if link.labels[1] not in left_out]
        self.order = graph.order(self.labels, [link.labels for link in self.links])

    def plan(self) -> Plan:
        spec = self.resolution.spec
        snaps = self._snaps()
        growing = spilling(snaps, [(link.source, link.target) for link in self.links])
        links = tuple(
            PlannedLink(link.source, link.target, (link.source, link.target) in growing)
            for link in self.links
        )
        by_label = {snap.label: snap for snap in snaps}
        stages = self._stages(by_label, links)
        unlinked = list(self._open(snaps, "inputs"))
        open_inputs = tuple(port for port, view in unlinked if not view.starts_by_itself)
        leads_to = {link.source: link.target for link in links}
        starting_inputs = tuple(port for port, view in unlinked if view.starts_by_itself)
        return Plan(
            name=spec.name,
            path=spec.path,
            folder=self.resolution.folder,
            project=self.resolution.project,
            parameters=spec.parameters,
            libraries=self.resolution.libraries,
            snaps=snaps,
            links=links,
            stages=stages,
            open_inputs=open_inputs,
            open_outputs=tuple(port for port, _ in self._open(snaps, "outputs")),
            starting_inputs=starting_inputs,
            routes=routes_of(snaps, links, stages, open_inputs, starting_inputs),
            warnings=tuple(self.resolution.problems),
            error_pipeline=self.resolution.error_pipeline,
            lenient=spec.lenient,
            seen=paths_seen(self.order, by_label, leads_to, open_inputs),
        )

    def _snaps(self) -> tuple[PlannedSnap, ...]:
        snaps = {label: self._snap(self.resolution.snaps[label]) for label in self.labels}
        ends = [(link.source, link.target) for link in self.links]
        needed = needed_fields(self.order, snaps, ends)
        return tuple(
            msgspec.structs.replace(snap, needed=needed[label]) for label, snap in snaps.items()
        )

    def _snap(self, snap: ResolvedSnap) -> PlannedSnap:
        settings, views, facts = _known(snap)
        spec = snap.spec
        starting, ending = self.from_snap.get(spec.label, []), self.to_snap.get(spec.label, [])
        return PlannedSnap(
            label=spec.label,
            type=spec.type,
            title=spec.title or spec.label,
            settings=settings,
            on_error=on_error_of(
                spec, starting, has_error_pipeline=self.resolution.error_pipeline is not None
            ),
            mode=spec.mode,
            inputs=tuple(
                views_as_linked(views.inputs, [link.target for link in ending if link.target])
            ),
            outputs=tuple(
                views_as_linked(views.outputs, [link.source for link in starting if link.source])
            ),
            facts=facts,
            where=spec.where,
            first_lines=first_lines(spec.label, snap, self.resolution.spec.source),
            expressions=tuple(self._placed(spec.label, settings)),
            steps=snap.steps,
        )

    def _placed(self, label: str, settings: Settings) -> Iterator[PlacedExpression]:
        source = self.resolution.spec.source
        items = dict(expressions_in(settings))
        for path, item in items.items():
            at_key = path[-1] == KEY
            keys = path[:-1] if at_key else path
            full = ("snaps", label, *keys)
            where = source.where_key(full) if at_key else source.where(full)
            yield PlacedExpression(item.text, _target_of(keys, items), where)

    def _stages(
        self, snaps: Mapping[str, PlannedSnap], links: Sequence[PlannedLink]
    ) -> tuple[Stage, ...]:
        fused = fused_runs(self.order, snaps, links)
        inner = {label for run in fused.values() for label in run[:-1]}
        joined = {
            link.source.label: link.target.label
            for link in links
            if link.source.label not in inner and self._fuses(link, snaps)
        }
        for run in fused.values():
            joined.update(itertools.pairwise(run))
        runs = graph.chains(self.order, joined)
        head = {label: run[0] for run in runs for label in run}
        edges = [
            (head[start], head[end])
            for start, end in (link.labels for link in self.links)
            if head[start] != head[end]
        ]
        by_head = {run[0]: Stage(run, len(fused.get(run[0], ()))) for run in runs}
        return tuple(by_head[label] for label in graph.order(list(by_head), edges))

    def _fuses(self, link: PlannedLink, snaps: Mapping[str, PlannedSnap]) -> bool:
        """Whether the two snaps of a link run as one: no other links, and neither blocks."""
        source, target = snaps[link.source.label], snaps[link.target.label]
        return (
            not link.spills
            and link.source.view != ERROR_VIEW.name
            and len(source.outputs) == 1
            and len(source.inputs) <= 1
            and len(target.inputs) == 1
            and not any(snap.facts.stateful or snap.facts.blocking for snap in (source, target))
        )

    def _open(self, snaps: Sequence[PlannedSnap], side: str) -> Iterator[tuple[Port, View]]:
        for snap in snaps:
            is_open = self.resolution.spec.snaps[snap.label].open_output
            outputs = snap.outputs if is_open else ()
            for view in snap.inputs if side == "inputs" else outputs:
                port = Port(snap.label, view.name)
                if port not in self.used:
                    yield port, view


def _ports(link: ResolvedLink) -> Iterator[Port]:
    """The ends of a link whose views are known; a disabled snap may be an unsupported one."""
    for label, view in zip(link.labels, (link.source, link.target), strict=True):
        if view is not None:
            yield Port(label, view.name)


def _link(link: ResolvedLink) -> _Link:
    ports = link.ports
    if ports is None:
        raise RuntimeError(f"a link of a checked pipeline has no views: {link}")
    return _Link(*ports)


def _known(snap: ResolvedSnap) -> tuple[Settings, Views, Facts]:
    if snap.settings is None or snap.views is None or snap.facts is None:
        raise RuntimeError(f"a snap of a checked pipeline is not resolved: {snap}")
    return snap.settings, snap.views, snap.facts


def _target_of(keys: KeyPath, items: Mapping[KeyPath, Expression | Path]) -> str:
    """What an expression is for: the key of a map, the target of a row in a list of rows."""
    if len(keys) < 2 or not isinstance(keys[-1], str):
        return ""
    if not isinstance(keys[-2], int):
        return keys[-1]
    target = items.get((*keys[:-1], "target"))
    return target.text if target is not None else ""
