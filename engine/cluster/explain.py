"""What `engine plan` says: what runs in copies, what runs once, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.cluster.segments import Spread
from engine.plan.plan import Plan, Stage
from engine.sdk.parallel import ByKey
from engine.sdk.settings import Expression, Path


@dataclass(frozen=True, slots=True)
class Part:
    """One stage of the run: its snaps, the copies of each, and notes for people."""

    labels: tuple[str, ...]
    copies: int
    notes: tuple[str, ...]


def parts_of(spread: Spread, plan: Plan, workers: int) -> list[Part]:
    """The stages in the order of the flow."""
    return [_part(stage, spread, plan, workers) for stage in spread.local.stages]


def _part(stage: Stage, spread: Spread, plan: Plan, workers: int) -> Part:
    segment = spread.stages.get(stage)
    if segment is None:
        reasons = {label: spread.reasons.get(label, "") for label in stage.labels}
        single = len(stage.labels) == 1
        notes = tuple(
            reason if single else f"{label} {reason}" for label, reason in reasons.items() if reason
        )
        return Part(stage.labels, 1, notes)
    return Part(stage.labels, workers, tuple(_notes(spread, stage, plan)))


def _notes(spread: Spread, stage: Stage, plan: Plan) -> Iterator[str]:
    segment = spread.stages[stage]
    if isinstance(segment.keyed, ByKey):
        snap = plan.snap(segment.labels[0])
        pairs = zip(snap.inputs, segment.keyed.keys, strict=True)
        single = len(snap.inputs) == 1
        keys = [("" if single else f"{view.name}: ") + _names(keys) for view, keys in pairs]
        yield f"by {'; '.join(keys)}: each copy gets all documents of some keys"
    elif segment.keyed is not None:
        by = _names(segment.keyed.keys) if segment.keyed.keys else "all fields"
        yield f"by {by}: each copy gets complete runs of equal neighbours"
    if segment.lines:
        yield "gets text cut at ends of lines; each worker parses its own"
    for view in sorted(segment.whole):
        yield f"the view {segment.labels[0]}.{view} is sent to every worker"
    for port in sorted(map(str, segment.joined)):
        yield f"the parts that workers write at {port} become one stream"
    for label in segment.labels:
        if plan.snap(label).facts.final == "once":
            yield f"of what the copies of {label} emit at the end, that of the first one is used"
        elif plan.snap(label).facts.final == "combined":
            yield f"the first copy of {label} combines what all of them return at the end"
    for label in sorted(each for each in segment.keeps if plan.snap(each).facts.final == "each"):
        yield f"each copy of {label} starts and finishes on its own"


def _names(keys: Iterable[Expression | Path]) -> str:
    return ", ".join(key.text for key in keys)
