"""Graph functions: topological order, reachability, cycles, and chains for stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

Edge = tuple[str, str]


def order(labels: Sequence[str], edges: Iterable[Edge]) -> list[str]:
    """Labels in topological order, otherwise as given. Snaps in cycles are left out."""
    place = {label: position for position, label in enumerate(labels)}
    after: dict[str, list[str]] = {label: [] for label in labels}
    waiting = dict.fromkeys(labels, 0)
    for start, end in edges:
        after[start].append(end)
        waiting[end] += 1
    ready = [place[label] for label in labels if not waiting[label]]
    heapify(ready)
    ordered = []
    while ready:
        label = labels[heappop(ready)]
        ordered.append(label)
        for follower in after[label]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heappush(ready, place[follower])
    return ordered


def cycles(labels: Sequence[str], edges: Sequence[Edge]) -> list[list[Edge]]:
    """One cycle, as its edges in turn, of each group of snaps that feed each other."""
    import networkx  # a third of the engine's start, for a rare mistake

    graph = networkx.DiGraph()
    graph.add_nodes_from(labels)
    graph.add_edges_from(edges)
    groups = [group for group in networkx.strongly_connected_components(graph) if len(group) > 1]
    place = {label: position for position, label in enumerate(labels)}
    groups.sort(key=lambda group: min(place[label] for label in group))
    return [
        networkx.find_cycle(graph.subgraph(group), source=min(group, key=place.__getitem__))
        for group in groups
    ]


def downstream(starts: Iterable[str], edges: Sequence[Edge]) -> set[str]:
    """The snaps themselves and everything downstream of them."""
    after: dict[str, list[str]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        label = waiting.pop()
        if label not in reached:
            reached.add(label)
            waiting.extend(after.get(label, ()))
    return reached


def chains(ordered: Sequence[str], joined: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Runs of snaps in which `joined` leads from each to the next, in the order of their heads."""
    inner = set(joined.values())
    runs = []
    for label in ordered:
        if label in inner:
            continue
        run = [label]
        while run[-1] in joined:
            run.append(joined[run[-1]])
        runs.append(tuple(run))
    return runs
