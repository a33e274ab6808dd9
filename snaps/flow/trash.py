"""Swallow everything that arrives: documents or binary streams."""

from __future__ import annotations

from typing import Literal

from engine.sdk import (
    Batch,
    Example,
    Foreign,
    ReadPaths,
    Settings,
    Snap,
    StreamEnd,
    View,
    Views,
    setting,
)


class TrashSettings(Settings):
    input_type: Literal["document", "binary"] = setting(
        default="document", help="What arrives: documents or binary streams."
    )


class Trash(Snap[TrashSettings]):
    since = "0.4.0"
    about = """
    What arrives counts as dropped: in an ultra task its request gets an empty response.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-trash",
        "Trash",
        version=1,
        aliases=("com-snaplogic-snaps-test-sinkbot",),
        ignored=("ack_type",),
    )
    views = Views(outputs=())
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (Example("nothing leaves", given=[{"n": 1}, {"n": 2}]),)

    @classmethod
    def views_for(cls, settings: TrashSettings) -> Views:
        return Views((View("input", settings.input_type),), ())

    @classmethod
    def reads(cls, settings: TrashSettings) -> ReadPaths:
        return frozenset()

    def process_batch(self, view: str, batch: Batch) -> None:
        ended = len(batch)
        if self.settings.input_type == "binary":
            ended = sum(piece.__class__ is StreamEnd for piece in batch.items)
        if ended:
            self.context.dropped(ended, batch.complete_lineage())
