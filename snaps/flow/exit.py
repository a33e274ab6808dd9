"""Stop the pipeline when more documents arrive than are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Evaluated,
    Example,
    ExecutionError,
    Foreign,
    Issue,
    Settings,
    Snap,
    View,
    Views,
    setting,
    to_text,
)
from snaps.shared.bounds import check_bounds

MESSAGE = "Exceeded threshold limit"


class ExitSettings(Settings):
    threshold_limit: Evaluated[int] = setting(
        default=Evaluated(value=0, kind=int),
        help="How many documents are allowed. An expression may use parameters.",
    )
    exit_error_message: Evaluated[Any] = setting(
        default=Evaluated(value=MESSAGE, kind=Any),
        help="The error of the pipeline. An expression sees the document that is one too many.",
        example="= 'no stock for ' + $item",
    )


class Exit(Snap[ExitSettings]):
    since = "0.4.0"
    about = """
    The pipeline fails whatever `on_error` says. Until then the documents go to the output, if it
    has a link, and end here if not. In an ultra task each instance counts for itself, and every
    request beyond the limit fails with the message.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-exit",
        "Exit",
        version=1,
        settings={
            "KeyThresholdLimit": "threshold_limit",
            "KeyErrorMsg": "exit_error_message",
        },
    )
    views = Views(outputs=(View("output", optional=True),))
    single = True
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
    examples = (
        Example(
            "documents within the limit pass",
            settings={"threshold_limit": 2},
            given=[{"n": 1}, {"n": 2}],
            expect=[{"n": 1}, {"n": 2}],
        ),
    )

    @classmethod
    def check(cls, settings: ExitSettings) -> Iterable[Issue]:
        return check_bounds(settings, "threshold_limit")

    def open(self) -> None:
        try:
            self._limit = self._left = self.context.value(self.settings.threshold_limit, {})
        except DataError as error:
            raise ExecutionError(f"threshold_limit cannot be computed: {error}") from error

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        allowed = batch.at(range(len(batch))[: self._left])
        self._left -= len(allowed)
        if allowed.items and "output" in self.context.outputs:
            yield {"output": allowed}
        elif allowed.items:
            self.context.dropped(len(allowed), allowed.complete_lineage())
        for position in range(len(allowed), len(batch)):
            document, line = batch.items[position], batch.lineage_of(position)
            message = self._message(document)
            if not line:
                raise ExecutionError(message)
            reason = f"more than {self._limit} documents arrived"
            self.context.failed(DataError(message, reason), document, line)  # this request alone

    def _message(self, document: Document) -> str:
        try:
            message = self.context.value(self.settings.exit_error_message, document)
        except DataError as error:
            return f"{MESSAGE} (exit_error_message cannot be computed: {error})"
        return to_text(message or MESSAGE)
