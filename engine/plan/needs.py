"""Which fields of a snap's documents are used, so that a parser can skip the others.

For a snap that passes its documents on, the snaps downstream decide. Wherever a complete document
may become visible - in an error document, at an open output, in a snap that does not declare what
it reads - all fields are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.plan.plan import PlannedSnap, Port

Fields = frozenset[str] | None
"""Top-level fields; None for all."""


def needed_fields(
    order: Sequence[str], snaps: Mapping[str, PlannedSnap], links: Iterable[tuple[Port, Port]]
) -> dict[str, Fields]:
    """For each snap the fields of its output documents that are used. `order` is topological."""
    fed: dict[Port, str] = {source: target.label for source, target in links}
    leaving: dict[str, Fields] = {}
    for label in reversed(order):
        snap = snaps[label]
        ports = [Port(label, view.name) for view in snap.outputs]
        leaving[label] = _together(
            _entering(snaps[fed[port]], leaving[fed[port]]) if port in fed else None
            for port in ports
        )
    return leaving


def _entering(snap: PlannedSnap, leaving: Fields) -> Fields:
    """The fields that a snap needs of its input documents."""
    paths = snap.facts.reads
    if paths is None or snap.makes_error_documents:
        return None
    own = frozenset(path[0] for path in paths)
    return _together((own, leaving)) if snap.facts.passes_on else own


def _together(parts: Iterable[Fields]) -> Fields:
    fields: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        fields |= part
    return fields
