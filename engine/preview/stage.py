"""The registry of a preview: it makes snaps that are limited, or others that stand in for them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

import msgspec

from engine.documents import Item
from engine.plan.plan import Plan, PlannedSnap
from engine.preview.limits import Limited
from engine.preview.numbering import Followed, Numbered
from engine.preview.quotas import Quotas
from engine.preview.replays import Replay
from engine.preview.standins import StandIn
from engine.registry import Registry, SnapClass
from engine.run.context import SnapContext
from engine.run.execution import Execution

OPTIONS = {"network": "--allow-rest", "database": "--allow-sql"}
"""For what a snap may reach, the option that allows it."""

_WHAT = {"network": "it reads over the network", "database": "it reads a database"}


class Policy(msgspec.Struct, frozen=True):
    """What snaps may do: put out `limit` documents if they are sources (None: all of them), reach
    what is `allowed`, and, with `writes`, act on the outside."""

    limit: int | None
    allowed: Collection[str] = ()
    writes: bool = False


class Stood(NamedTuple):
    """A stand-in: the pipeline and the label of its snap, and the snap of the outermost pipeline
    that runs that pipeline (empty if it is that pipeline)."""

    plan: Plan
    label: str
    snap: StandIn
    caller: str


class PreviewRegistry(Registry):
    """The classes of another registry, for a run with a policy.

    It is used for the pipelines that snaps run as well. In the pipeline itself, `followed` is the
    document to follow, and the snaps with `replays` do not run: these leave their views instead.
    """

    def __init__(
        self,
        real: Registry,
        policy: Policy,
        followed: Followed | None = None,
        replays: Mapping[str, Mapping[str, Sequence[Item]]] | None = None,
    ) -> None:
        super().__init__(None, real.files)
        self.stand_ins: list[Stood] = []
        self._replays = replays or {}
        self._real = real
        self._policy = policy
        self._followed = followed
        self._made: dict[str, SnapClass] = {}
        self._quotas: WeakKeyDictionary[Execution, Quotas] = WeakKeyDictionary()

    def __getitem__(self, name: str) -> SnapClass:
        if name not in self._made:
            self._made[name] = self._class_for(self._real[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._real

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def _class_for(self, original: SnapClass) -> SnapClass:
        """A class with the same facts, whose instances are chosen one by one.

        It has no steps, so that a stage calls its snaps, which stop when there is enough.
        """

        def new(cls: type, settings: Any, context: Any) -> Any:
            return self._make(original, settings, context)

        members = {"__new__": new, "steps": classmethod(lambda cls, settings: ())}
        made: SnapClass = _subclass(original, (original,), members)
        return made

    def _make(self, original: SnapClass, settings: Any, context: Any) -> Any:
        assert isinstance(context, SnapContext)  # a preview is a run
        execution = context.execution
        snap = execution.snap(context.label)
        if context.label in self._replays and not execution.services.caller:
            replay = _subclass(original, (Replay, original), {})(settings, context)
            replay.preview_items = self._replays[context.label]
            return replay
        reason = self._reason(original, snap)
        if reason is not None:
            kind = _subclass(original, (StandIn, original), {})
        elif self._policy.limit is not None and takes_from_outside(snap, execution.plan):
            kind = _subclass(original, (Limited, original), {})
        else:
            return self._numbered(original, snap, execution)(settings, context)
        made = self._numbered(kind, snap, execution)(settings, context)
        quotas = self._quotas_of(execution)
        gives_documents = any(view.type == "document" for view in snap.outputs)
        if isinstance(made, StandIn):
            made.preview_reason = reason or ""
            gives_documents = all(view.type == "document" for view in snap.inputs)
            caller = execution.services.caller
            self.stand_ins.append(Stood(execution.plan, snap.label, made, caller))
        cast(Any, made).preview_quota = quotas.add(
            snap.label, gives_documents=gives_documents, interrupt=made.interrupt
        )
        return made

    def _numbered(self, kind: Any, snap: PlannedSnap, execution: Execution) -> Any:
        """The class, or one that numbers documents."""
        followed = self._followed
        is_inner = execution.identity.parent_ruuid is not None
        if followed is None or followed.label != snap.label or is_inner:
            return kind
        return _subclass(kind, (Numbered, kind), {"at_input": followed.is_input})

    def _quotas_of(self, execution: Execution) -> Quotas:
        quotas = self._quotas.get(execution)
        if quotas is None:
            limit = sys.maxsize if self._policy.limit is None else self._policy.limit
            quotas = Quotas(execution.plan, limit, cuts_streams=not self._policy.writes)
            self._quotas[execution] = quotas
        return quotas

    def _reason(self, original: SnapClass, snap: PlannedSnap) -> str | None:
        """Why a snap must not run: empty if it writes; None if it may run."""
        if self._policy.writes:
            return None
        if snap.mode == "execute_only":
            return "its mode is execute_only"
        if snap.facts.writes:
            return ""
        if original.reaches and original.reaches not in self._policy.allowed:
            return f"{_WHAT[original.reaches]}; allow that with {OPTIONS[original.reaches]}"
        return None


def takes_from_outside(snap: PlannedSnap, plan: Plan) -> bool:
    """Whether what it puts out is not bounded by the documents that other snaps send to it."""
    if any(view.type == "binary" for view in (*snap.inputs, *snap.outputs)):
        return True
    linked = plan.routes.linked.get(snap.label, frozenset())
    opened = {port.view for port in plan.open_inputs if port.label == snap.label}
    return not any(view.name in linked or view.name in opened for view in snap.inputs)


def _subclass(original: SnapClass, bases: tuple[type, ...], members: dict[str, Any]) -> Any:
    """A class that is called like the original in messages."""
    names = {"__module__": original.__module__, "__qualname__": original.__qualname__}
    return type(original.__name__, bases, {**names, **members})
