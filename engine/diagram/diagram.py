"""What there is to draw of a pipeline: snaps with their ports, and links between them.

A pipeline with mistakes is drawn as far as it can be read: a snap of an unknown type has the views
that its links name, and a link to a snap that is not there leads to a box that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from engine.pipeline.spec import PipelineSpec, PortSpec
from engine.plan.graph import downstream
from engine.plan.resolve import resolve
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink, views_as_linked
from engine.registry import Registry
from engine.sdk.views import ERROR_VIEW, View

Carried = Literal["document", "binary", "error", "unknown"]
State = Literal["", "disabled", "unknown", "missing"]


class DrawnPort(msgspec.Struct, frozen=True):
    """A view; `is_open`: no link uses it, so that callers do. `condition`: when documents leave."""

    name: str
    carries: Carried
    is_open: bool = False
    condition: str = ""


class DrawnSnap(msgspec.Struct, frozen=True):
    """A snap. It is `disabled` if it does not run, perhaps because one upstream of it is disabled;
    `missing` if only links name it."""

    label: str
    type: str
    inputs: tuple[DrawnPort, ...]
    outputs: tuple[DrawnPort, ...]
    state: State = ""
    note: str = ""
    is_failed: bool = False


class DrawnLink(msgspec.Struct, frozen=True):
    """A link between the ports with these places in their snaps. `count`: documents in a run."""

    source: int
    output: int
    target: int
    input: int
    count: int | None = None


class Diagram(msgspec.Struct, frozen=True):
    """A pipeline; links refer to snaps by their place. `problems` is the number of its errors."""

    name: str
    description: str
    snaps: tuple[DrawnSnap, ...]
    links: tuple[DrawnLink, ...]
    problems: int = 0

    def ports(self, link: DrawnLink) -> tuple[DrawnPort, DrawnPort]:
        """The output and the input of a link."""
        source, target = self.snaps[link.source], self.snaps[link.target]
        return source.outputs[link.output], target.inputs[link.input]

    def ends(self, link: DrawnLink) -> tuple[str, str]:
        """The ends of a link as a report of a run names them: `label.view`."""
        output, input_ = self.ports(link)
        source, target = self.snaps[link.source], self.snaps[link.target]
        return f"{source.label}.{output.name}", f"{target.label}.{input_.name}"


def diagram_of(spec: PipelineSpec, registry: Registry) -> Diagram:
    """The diagram of a pipeline, whether or not it has mistakes."""
    resolution = resolve(spec, registry)
    resolved = {(id(link.spec.source), id(link.spec.target)): link for link in resolution.links}
    ends = [
        _Ends(link.source, link.target, resolved.get((id(link.source), id(link.target))))
        for link in spec.links
    ]
    edges = [(end.source.label, end.target.label) for end in ends]
    disabled = [label for label, snap in spec.snaps.items() if snap.mode == "disabled"]
    left_out = downstream(disabled, edges)
    labels = dict.fromkeys([*spec.snaps, *(label for edge in edges for label in edge)])
    linked = {label: _Linked([], []) for label in labels}
    for end in ends:
        linked[end.source.label].outputs.append(end)
        linked[end.target.label].inputs.append(end)
    snaps = [
        _snap(resolution.snaps[label], linked[label], is_off=label in left_out)
        if label in spec.snaps
        else DrawnSnap(label, "", *linked[label].ports(), state="missing")
        for label in labels
    ]
    return Diagram(
        name=spec.name,
        description=spec.description,
        snaps=tuple(snaps),
        links=tuple(_links(snaps, ends)),
        problems=sum(problem.severity == "error" for problem in resolution.problems),
    )


class _Ends(msgspec.Struct, frozen=True):
    """A link as written, and its views as far as they are known."""

    source: PortSpec
    target: PortSpec
    link: ResolvedLink | None

    @property
    def output(self) -> DrawnPort:
        view = self.link and self.link.source
        if view:
            return _port(view)
        name = self.source.view or "output"
        return DrawnPort(name, "error" if name == ERROR_VIEW.name else "unknown")

    @property
    def input(self) -> DrawnPort:
        view = self.link and self.link.target
        return _port(view) if view else DrawnPort(self.target.view or "input", "unknown")


class _Linked(msgspec.Struct, frozen=True):
    """The links to and from a snap."""

    inputs: list[_Ends]
    outputs: list[_Ends]

    def ports(self) -> tuple[tuple[DrawnPort, ...], tuple[DrawnPort, ...]]:
        """The ports that the links name."""
        inputs = {each.input.name: each.input for each in self.inputs}
        outputs = {each.output.name: each.output for each in self.outputs}
        return tuple(inputs.values()), tuple(outputs.values())


def _snap(snap: ResolvedSnap, linked: _Linked, *, is_off: bool) -> DrawnSnap:
    spec = snap.spec
    inputs, outputs = linked.ports()
    if snap.views is not None:
        ends = [each.link.target for each in linked.inputs if each.link and each.link.target]
        inputs = _with_open(views_as_linked(snap.views.inputs, ends), inputs, is_open=True)
        ends = [each.link.source for each in linked.outputs if each.link and each.link.source]
        declared = views_as_linked(snap.views.outputs, ends)
        outputs = _with_open(declared, outputs, is_open=spec.open_output)
    state: State = "disabled" if is_off else "" if snap.snap_class is not None else "unknown"
    return DrawnSnap(spec.label, spec.type, inputs, outputs, state)


def _with_open(
    declared: Iterable[View], named: Sequence[DrawnPort], *, is_open: bool
) -> tuple[DrawnPort, ...]:
    """The declared views that links use or that are open, then the other views of links."""
    used = {port.name for port in named}
    ports = []
    for view in declared:
        if view.name in used:
            ports.append(_port(view))
        elif is_open and not view.starts_by_itself:
            ports.append(msgspec.structs.replace(_port(view), is_open=True))
    known = {port.name for port in ports}
    return (*ports, *(port for port in named if port.name not in known))


def _port(view: View) -> DrawnPort:
    if view is ERROR_VIEW:
        return DrawnPort(view.name, "error")
    return DrawnPort(view.name, view.type, condition=view.condition)


def _links(snaps: Sequence[DrawnSnap], ends: Iterable[_Ends]) -> Iterable[DrawnLink]:
    place = {snap.label: position for position, snap in enumerate(snaps)}
    outputs = [{port.name: at for at, port in enumerate(snap.outputs)} for snap in snaps]
    inputs = [{port.name: at for at, port in enumerate(snap.inputs)} for snap in snaps]
    for each in ends:
        source, target = place[each.source.label], place[each.target.label]
        output, input_ = outputs[source][each.output.name], inputs[target][each.input.name]
        yield DrawnLink(source, output, target, input_)
