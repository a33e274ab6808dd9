"""Which documents may have several readers, so that none of them may change them in place.

Copy sends the same document to all its outputs; a join puts the same row into many results. Sharing
passes through every snap that builds its output from its input. It ends at a snap that changes its
input, which gets copies (engine.run.ownership).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.plan.plan import PlannedSnap, Port
from engine.sdk.views import ERROR_VIEW


def shared_ports(order: Sequence[PlannedSnap], fed: Mapping[Port, Port]) -> frozenset[Port]:
    """The shared input and output ports. `order` is topological; `fed` maps sources to targets."""
    shared: set[Port] = set()
    for snap in order:
        facts = snap.facts
        arriving = any(Port(snap.label, view.name) in shared for view in snap.inputs)
        leaving = [ERROR_VIEW] if arriving or facts.shares_output else []
        if facts.shares_output or (arriving and not facts.changes_input):
            leaving += snap.outputs
        for view in leaving:
            source = Port(snap.label, view.name)
            shared.add(source)
            if source in fed:
                shared.add(fed[source])
    return frozenset(shared)
