"""Graphs of snaps: what one snap alone holds together."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.plan.graph import Connections, Edge, downstream

_LABELS = "abcdefghi"
_EDGES = st.lists(
    st.tuples(st.sampled_from(_LABELS), st.sampled_from(_LABELS)).filter(lambda e: e[0] < e[1]),
    min_size=1,
    max_size=14,
)


@given(_EDGES, st.sets(st.sampled_from(_LABELS)))
def test_connections_without_a_snap_are_those_that_a_search_finds(
    edges: list[Edge], marked: set[str]
) -> None:
    connections = Connections(edges, marked)
    for start, without in edges:
        rest = [edge for edge in edges if without not in edge]
        found = downstream([start], [*rest, *((end, start) for start, end in rest)])
        assert connections.reach_marked(start, without) == bool(found & marked)


def test_a_chain_longer_than_the_recursion_limit_can_be_searched() -> None:
    labels = [str(number) for number in range(5000)]
    connections = Connections(pairwise(labels), {"0"})
    assert connections.reach_marked("4998", "4999")
    assert not connections.reach_marked("4999", "4998")
