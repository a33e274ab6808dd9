"""Bring the documents of any number of inputs together, in the order in which they arrive."""

from __future__ import annotations

from engine.sdk import Batch, Example, ReadPaths, Settings, Snap, View, Views


class UnionSettings(Settings):
    pass


class Union(Snap[UnionSettings]):
    views = Views(inputs=(View("input", many=True, minimum=1, unlinked="refused"),))
    stateful = False
    passes_on = True
    examples = (
        Example(
            "two inputs become one stream",
            given={"input0": [{"from": "left"}], "input1": [{"from": "right"}]},
            expect=[{"from": "left"}, {"from": "right"}],
        ),
    )

    @classmethod
    def reads(cls, settings: UnionSettings) -> ReadPaths:
        return frozenset()

    def process_batch(self, view: str, batch: Batch) -> Batch:
        return batch
