"""Give every document to all outputs; each output gets documents of its own."""

from __future__ import annotations

from collections.abc import Mapping

from engine.sdk import Batch, Example, ReadPaths, Settings, Snap, Value, View, Views


class CopySettings(Settings):
    pass


class Copy(Snap[CopySettings]):
    views = Views(outputs=(View("output", many=True, minimum=1),))
    stateful = False
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
    """A copy that shares no list or map with `value`; all other values cannot be changed."""
    if value.__class__ is dict:
        copy = value.copy()
        for key, item in value.items():
            if item.__class__ in _CONTAINERS:
                copy[key] = copied(item)
        return copy
    return [copied(item) if item.__class__ in _CONTAINERS else item for item in value]


_CONTAINERS = frozenset((dict, list))
