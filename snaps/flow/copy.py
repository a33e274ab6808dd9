"""Send every document to all outputs; each output gets its own copy."""

from __future__ import annotations

from collections.abc import Mapping

from engine.sdk import Batch, Example, Foreign, ReadPaths, Settings, Snap, Value, View, Views


class CopySettings(Settings):
    pass


class Copy(Snap[CopySettings]):
    since = "0.1.0"
    about = """
    Each output view gets its own copy of every document, so changes behind one output do not
    affect the others. Views are called `output0`, `output1` and so on, as many
    as are linked.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-copy",
        "Copy",
    )
    views = Views(outputs=(View("output", many=True, minimum=1),))
    stateful = False
    plain = True
    passes_on = True
    examples = (
        Example(
            "both outputs get the document",
            given=[{"id": 1}],
            expect={"output0": [{"id": 1}], "output1": [{"id": 1}]},
        ),
    )

    @classmethod
    def reads(cls, settings: CopySettings) -> ReadPaths:
        return frozenset()

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        first, *others = self.context.outputs
        copies = {name: batch.with_items(copied(batch.items)) for name in others}
        return {first: batch, **copies}


def copied(value: Value) -> Value:
    """A copy that shares no list or map with `value`; all other values are immutable."""
    if value.__class__ is dict:
        copy = value.copy()
        for key, item in value.items():
            if item.__class__ in _CONTAINERS:
                copy[key] = copied(item)
        return copy
    return [copied(item) if item.__class__ in _CONTAINERS else item for item in value]


_CONTAINERS = frozenset((dict, list))
