"""The plan: a checked, compiled pipeline as frozen plain data that can be pickled.

The local runtime, an ultra instance and a cluster worker run the same plan; each makes the snaps by
name on the spot. So nothing here may hold a closure, a handle or a global.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from engine.errors import Problem
from engine.expressions import sees_counts
from engine.expressions.steps import Step
from engine.locations import Location
from engine.pipeline.spec import Mode, ParameterSpec
from engine.sdk.parallel import ByKey, ByRun, Once
from engine.sdk.settings import Evaluated, Settings, setting
from engine.sdk.views import View


class Facts(msgspec.Struct, frozen=True):
    """What a snap's class declares (engine.sdk.snap.Snap), for the runner that places stages."""

    stateful: bool
    single: bool
    keeps_order: bool
    loses_lineage: str
    replayable: bool
    blocking: bool
    passes_on: bool
    writes: bool
    flows: bool
    hurries: bool
    plain: bool
    changes_input: bool
    shares_output: bool
    reads: frozenset[tuple[str, ...]] | None
    parallel: Literal["any", "one"] | ByKey | ByRun | Once = "one"
    splits: bool = False
    final: Literal["each", "once", "combined"] = "each"


class Port(msgspec.Struct, frozen=True):
    """A view of a snap."""

    label: str
    view: str

    def __str__(self) -> str:
        return f"{self.label}.{self.view}"


class PlacedExpression(msgspec.Struct, frozen=True):
    """The place of an expression or path in a snap's settings. `target` is its key in a map such as
    `mappings`."""

    text: str
    target: str
    where: Location


OnErrorPlanned = Literal["stop", "discard", "route", "error_pipeline"]
"""What happens to a document that fails in a snap; the last one sends its error document to the
error pipeline of the pipeline."""


class ErrorPipeline(Settings):
    """The pipeline that gets the error documents of all snaps which do not say otherwise."""

    pipeline: Evaluated[str] = setting(
        help="The pipeline file, relative to this one; `.yaml` may be left out.",
    )
    parameters: dict[str, Evaluated[Any]] = setting(
        default={}, help="Parameter to value, such as `= pipe.label`."
    )


class PlannedSnap(msgspec.Struct, frozen=True):
    """A snap with converted settings; `inputs` and `outputs` are the views as linked.

    `title` is what error documents and `snap.label` call it. `needed` holds the top-level fields of
    its output documents that are used; None: all. `first_lines`: where Python in a setting begins
    in the pipeline file (see python_code). `steps`: what it does, if it declares that.
    """

    label: str
    type: str
    title: str
    settings: Settings
    on_error: OnErrorPlanned
    mode: Mode
    inputs: tuple[View, ...]
    outputs: tuple[View, ...]
    facts: Facts
    where: Location
    needed: frozenset[str] | None = None
    first_lines: Mapping[str, int] = msgspec.field(default_factory=dict)
    expressions: tuple[PlacedExpression, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def sees_counts(self) -> bool:
        """Whether its expressions may use how many documents it has had (`snap.in.totalCount`)."""
        return any(sees_counts(placed.text) for placed in self.expressions)

    @property
    def makes_error_documents(self) -> bool:
        """Whether a document that fails is passed on, inside an error document."""
        return self.on_error in ("route", "error_pipeline")

    def place_of(self, text: str, target: str = "") -> PlacedExpression | None:
        """The expression with that text, preferably for that target."""
        found = [placed for placed in self.expressions if placed.text == text]
        exact = (placed for placed in found if placed.target == target)
        return next(exact, found[0] if found else None)


class PlannedLink(msgspec.Struct, frozen=True):
    """A link. `spills`: its buffer must grow on disk, else a diamond could dead-lock."""

    source: Port
    target: Port
    spills: bool = False


class Stage(msgspec.Struct, frozen=True):
    """Snaps that run as one, in topological order: only the first is fed from outside.

    The first `fused` of them may run as one function (engine.plan.fusion).
    """

    labels: tuple[str, ...]
    fused: int = 0

    @property
    def name(self) -> str:
        return " → ".join(self.labels)


class Target(msgspec.Struct, frozen=True):
    """Where the other end of a link is: an input view of the snap at `place` in a stage."""

    stage: Stage
    place: int
    view: str


class Feed(msgspec.Struct, frozen=True):
    """An input view of a stage that gets items.

    `source` is the port that a link brings them from; without one, the view gets them from the
    caller or, if it is unlinked, what `unlinked` of the view says. `read_first`: it is read to its
    end before the others. `spills`: what waits before it may grow on disk, so no sender waits.
    """

    view: View
    source: Port | None = None
    spills: bool = False


class Prelude(msgspec.Struct, frozen=True):
    """What must end before live items enter an open input, such as loading a model.

    The stages in `first` run to their end; those in `then` process what these sent, in the order of
    the flow, and wait for more.
    """

    first: tuple[Stage, ...]
    then: tuple[Stage, ...]


class Routes(msgspec.Struct, frozen=True):
    """Who feeds whom (engine.plan.routes computes it once, every runner reads it).

    `targets`: where a port leads, inside a stage or to another. `linked`: the views of each snap
    that a link uses. `feeds`: the fed input views of each stage. `prelude`: what comes before live
    items, for a plan with exactly one open input. `waiting`: the stages with a snap that waits for
    the outside. `shared`: the ports whose documents, or parts of them, others may hold too.
    """

    targets: Mapping[Port, Target]
    linked: Mapping[str, frozenset[str]]
    feeds: Mapping[Stage, tuple[Feed, ...]]
    prelude: Prelude | None
    waiting: frozenset[Stage]
    shared: frozenset[Port]

    def inside(self, stage: Stage) -> dict[Port, Target]:
        """The targets inside the stage."""
        return {port: target for port, target in self._from(stage) if target.stage == stage}

    def leaving(self, stage: Stage) -> dict[Port, Target]:
        """The targets in other stages."""
        return {port: target for port, target in self._from(stage) if target.stage != stage}

    def _from(self, stage: Stage) -> Iterator[tuple[Port, Target]]:
        for label in stage.labels:
            for view in sorted(self.linked.get(label, ())):
                port = Port(label, view)
                if port in self.targets:
                    yield port, self.targets[port]


class Library(msgspec.Struct, frozen=True):
    """An expression library with its text, so that a plan does not depend on files."""

    name: str
    path: str
    text: str


class Plan(msgspec.Struct, frozen=True):
    """Everything a runner needs. `folder` is the pipeline file's, `project` what `sldb:///` means.

    The `starting_inputs` are neither linked nor open: their snaps start on their own. `warnings`
    are those of the check. `seen`: the paths in the documents of the open input that snaps look at;
    what is not below one may be JSON text (see engine.plan.seen).
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
    starting_inputs: tuple[Port, ...]
    routes: Routes
    warnings: tuple[Problem, ...] = ()
    error_pipeline: ErrorPipeline | None = None
    lenient: bool = False
    seen: frozenset[tuple[str, ...]] = frozenset({()})

    def with_all_fields(self, labels: Container[str] | None = None) -> Plan:
        """The plan in which these parsers (None: all) build fields that no snap reads, too."""
        snaps = tuple(
            msgspec.structs.replace(snap, needed=None)
            if labels is None or snap.label in labels
            else snap
            for snap in self.snaps
        )
        return msgspec.structs.replace(self, snaps=snaps)

    def snap(self, label: str) -> PlannedSnap:
        return next(snap for snap in self.snaps if snap.label == label)

    def takes_binary(self, port: Port) -> bool:
        """Whether the input is for binary streams."""
        return _is_binary(self.snap(port.label).inputs, port)

    def gives_binary(self, port: Port) -> bool:
        """Whether the output is one of binary streams."""
        return _is_binary(self.snap(port.label).outputs, port)


def _is_binary(views: Iterable[View], port: Port) -> bool:
    return any(view.name == port.view and view.type == "binary" for view in views)
