"""Merge the documents of any number of inputs, in the order in which they arrive."""

from __future__ import annotations

from engine.sdk import (
    Batch,
    Example,
    Foreign,
    Merge,
    ReadPaths,
    Settings,
    Snap,
    Step,
    View,
    Views,
)


class UnionSettings(Settings):
    pass


class Union(Snap[UnionSettings]):
    since = "0.1.0"
    about = """
    The order of the documents of one input is kept; how those of different inputs mix depends on
    when they arrive. Views are called `input0`, `input1` and so on, as many as are linked.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-union",
        "Union",
        version=2,
    )
    views = Views(inputs=(View("input", many=True, minimum=1, unlinked="refused"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
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

    @classmethod
    def steps(cls, settings: UnionSettings) -> tuple[Step, ...]:
        return (Merge(),)

    def process_batch(self, view: str, batch: Batch) -> Batch:
        return batch
