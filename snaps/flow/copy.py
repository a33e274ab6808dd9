"""Send every document to all outputs."""

from __future__ import annotations

from collections.abc import Mapping

from engine.sdk import (
    Batch,
    Example,
    Foreign,
    ReadPaths,
    Settings,
    Share,
    Snap,
    Step,
    View,
    Views,
)


class CopySettings(Settings):
    pass


class Copy(Snap[CopySettings]):
    since = "0.1.0"
    about = """
    Changes behind one output do not affect the others: the outputs share a document until a snap
    that may change it gets its own copy. Views are called `output0`, `output1` and so on, as many
    as are linked.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-copy",
        "Copy",
        version=1,
    )
    views = Views(outputs=(View("output", many=True, minimum=1),))
    stateful = False
    plain = True
    changes_input = False
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

    @classmethod
    def steps(cls, settings: CopySettings) -> tuple[Step, ...]:
        return (Share(),)

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        return dict.fromkeys(self.context.outputs, batch)
