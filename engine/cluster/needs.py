"""What workers need from a cluster, such as CPUs, GPUs, or resources that its nodes have by name.

Snaps that run together in a worker need, of each resource, as much as the one that needs most. The
segments with equal needs share their workers; the others have workers of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import msgspec

from engine.cluster.messages import Segment
from engine.cluster.segments import Spread
from engine.errors import ConfigurationError

Needs = Mapping[str, float]
"""Amounts by name of the resource; `CPU`, `GPU` and `memory` (bytes) are known everywhere."""

ONE_CPU: Needs = {"CPU": 1.0}
"""What a worker needs unless somebody says otherwise."""


class Group(msgspec.Struct, frozen=True):
    """Segments that share their workers."""

    needs: Needs
    segments: tuple[Segment, ...]


class Demand(msgspec.Struct, frozen=True):
    """So many workers with these needs each."""

    workers: int
    needs: Needs

    def __str__(self) -> str:
        if self.needs == ONE_CPU:
            return f"a CPU for each of its {self.workers} workers"
        return f"{amounts(self.needs)} for each of {self.workers} workers"


def amounts(resources: Needs) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in resources.items())


def groups_of(spread: Spread, needs: Mapping[str, Needs]) -> list[Group]:
    """The segments by what they need; `needs` is by label. Raises ConfigurationError."""
    heads = {label: each for each in spread.segments for label in each.labels}
    for label in needs:
        if label not in heads:
            raise ConfigurationError(f"--resources {label}: {_refusal(label, spread)}")
    groups: dict[tuple[tuple[str, float], ...], list[Segment]] = {}
    for segment in spread.segments:
        wanted = dict(ONE_CPU)
        given = [needs[label] for label in segment.labels if label in needs]
        for name in dict.fromkeys(name for each in given for name in each):
            wanted[name] = max(each.get(name, 0.0) for each in given)
        groups.setdefault(tuple(sorted(wanted.items())), []).append(segment)
    return [Group(dict(wanted), tuple(segments)) for wanted, segments in groups.items()]


def demands_of(groups: Iterable[Group], workers: int) -> list[Demand]:
    return [Demand(workers, group.needs) for group in groups]


def _refusal(label: str, spread: Spread) -> str:
    labels = [snap.label for snap in spread.local.snaps]
    if label not in labels:
        near = get_close_matches(label, labels, 1)
        return "there is no snap with this label" + (f"; did you mean {near[0]!r}?" if near else "")
    reason = spread.reasons.get(label, "")
    return "the snap runs once, in the run itself, and needs nothing of a worker" + (
        f": it {reason}" if reason else ""
    )


def fits(demands: Iterable[Demand], nodes: Iterable[Needs]) -> bool:
    """Whether nodes with these resources have room for all workers, one after the other."""
    left = [dict(node) for node in nodes]
    for demand in sorted(demands, key=lambda each: -len(each.needs)):
        for _ in range(demand.workers):
            place = next((node for node in left if _has(node, demand.needs)), None)
            if place is None:
                return False
            for name, amount in demand.needs.items():
                place[name] = place.get(name, 0.0) - amount
    return True


def _has(node: Needs, needs: Needs) -> bool:
    return all(node.get(name, 0.0) >= amount for name, amount in needs.items())
