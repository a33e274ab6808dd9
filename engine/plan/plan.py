"""The plan: a checked, compiled pipeline as frozen plain data that can be pickled.

The local runtime, an ultra instance and a cluster worker run the same plan; each makes the snaps by
name on the spot. So nothing here may hold a closure, a handle or a global.
"""

from __future__ import annotations

import msgspec

from engine.locations import Location
from engine.pipeline.spec import Mode, OnError, ParameterSpec
from engine.plan.graph import downstream
from engine.sdk.settings import Settings
from engine.sdk.views import View


class Facts(msgspec.Struct, frozen=True):
    """What a snap's class says of itself (engine.sdk.snap.Snap), for whoever places stages."""

    stateful: bool
    single: bool
    keeps_order: bool
    loses_lineage: str
    replayable: bool
    blocking: bool
    passes_on: bool
    reads: frozenset[tuple[str, ...]] | None


class Port(msgspec.Struct, frozen=True):
    """A view of a snap."""

    label: str
    view: str

    def __str__(self) -> str:
        return f"{self.label}.{self.view}"


class PlannedSnap(msgspec.Struct, frozen=True):
    """A snap with converted settings; `inputs` and `outputs` are the views as linked.

    `needed` are the top-level fields of its output documents that anybody uses; None: all.
    """

    label: str
    type: str
    settings: Settings
    on_error: OnError
    mode: Mode
    inputs: tuple[View, ...]
    outputs: tuple[View, ...]
    facts: Facts
    where: Location
    needed: frozenset[str] | None = None


class PlannedLink(msgspec.Struct, frozen=True):
    """A link. `spills`: its buffer must grow on disk, else a diamond could dead-lock."""

    source: Port
    target: Port
    spills: bool = False


class Stage(msgspec.Struct, frozen=True):
    """Snaps that run as one: a chain in which each feeds only the next."""

    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        return " → ".join(self.labels)


class Library(msgspec.Struct, frozen=True):
    """An expression library with its text, so that a plan needs no file of the author's machine."""

    name: str
    path: str
    text: str


class Plan(msgspec.Struct, frozen=True):
    """All that a runner needs. `folder` is the pipeline file's, `project` what `sldb:///` means.

    Nobody can feed the `starting_inputs`, which are not linked either: they start by themselves.
    """

    name: str
    path: str
    folder: str
    project: str
    parameters: tuple[ParameterSpec, ...]
    libraries: tuple[Library, ...]
    snaps: tuple[PlannedSnap, ...]
    links: tuple[PlannedLink, ...]
    stages: tuple[Stage, ...]
    open_inputs: tuple[Port, ...]
    open_outputs: tuple[Port, ...]
    starting_inputs: tuple[Port, ...] = ()

    def snap(self, label: str) -> PlannedSnap:
        return next(snap for snap in self.snaps if snap.label == label)

    def downstream(self, stage: Stage) -> set[Stage]:
        """The stage and all that it feeds, near or far."""
        stage_of = {label: each for each in self.stages for label in each.labels}
        edges = [(link.source.label, link.target.label) for link in self.links]
        return {stage_of[label] for label in downstream(stage.labels, edges)}
