"""Makes the documents of a snap's error view."""

from __future__ import annotations

from collections.abc import Callable

from engine.documents import NO_LINEAGE, Document, Lineage, without_raw_json
from engine.errors import DataError, ExpressionError
from engine.plan.plan import PlannedSnap
from engine.run.execution import Execution
from engine.run.failure_places import place_of


class ErrorDescriber:
    """Error documents of one snap, without secrets; `readable` returns a document without RawJson.

    What depends only on the expression that failed is made once: many documents may fail there.
    """

    def __init__(self, snap: PlannedSnap, execution: Execution) -> None:
        self._snap = snap
        self._execution = execution
        self._secrets = execution.secrets
        self._details_at: dict[tuple[str, str], Document] = {}
        holds_text = () not in execution.plan.seen
        self.readable: Callable[[Document], Document] = (
            without_raw_json if holds_text else _unchanged
        )

    def document(
        self, error: DataError, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> Document:
        """The shape of the reference (1.4); `original` only if there was an input.

        `request_id` is that of the hosted request, if there is one.
        """
        document: Document = error.report()
        document["snap_details"] = self._details(error)
        if error.details:
            for name, value in error.details.items():
                document.setdefault(name, value)
        if original is not None:
            document["original"] = self.readable(original)
        if request_id := self._execution.request_ids(lineage):
            document["request_id"] = request_id
        # not decided when the run starts: a snap's account adds secrets when the snap opens
        masked: Document = self._secrets.mask(document)
        return masked

    def _details(self, error: DataError) -> Document:
        """The snap that failed, with the mapping's target and the line in the pipeline file."""
        if not isinstance(error, ExpressionError):
            return {"label": self._snap.title}
        place = error.text, error.target
        details = self._details_at.get(place)
        if details is None:
            details = {"label": self._snap.title}
            if (placed := place_of(self._snap, error)) is not None:
                if placed.target:
                    details["target"] = placed.target
                details["line"] = placed.where.line
                self._details_at[place] = details
        return details.copy()  # each error document has its own


def _unchanged(document: Document) -> Document:
    return document
