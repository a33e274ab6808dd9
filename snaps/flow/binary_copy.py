"""Send every binary stream to all outputs."""

from __future__ import annotations

from collections.abc import Mapping

from engine.sdk import (
    Batch,
    Example,
    Foreign,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
)


class BinaryCopySettings(Settings):
    pass


class BinaryCopy(Snap[BinaryCopySettings]):
    since = "0.4.0"
    about = """
    The pieces of a stream go to all outputs as they come, so a stream of any size needs no memory;
    the slowest output sets the pace. Views are called `output0`, `output1` and so on, as many as
    are linked.
    """
    foreign = Foreign("com-snaplogic-snaps-flow-binarycopy", "Binary Copy", version=1)
    views = Views(
        inputs=(View("input", "binary", unlinked="refused"),),
        outputs=(View("output", "binary", many=True, minimum=1),),
    )
    stateful = False
    plain = True
    changes_input = False
    passes_on = True
    examples = (
        Example(
            "both outputs get the stream",
            given=[StreamStart({"name": "a.txt"}), b"hello", StreamEnd()],
            expect={
                "output0": [StreamStart({"name": "a.txt"}), b"hello", StreamEnd()],
                "output1": [StreamStart({"name": "a.txt"}), b"hello", StreamEnd()],
            },
        ),
    )

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        return dict.fromkeys(self.context.outputs, batch)
