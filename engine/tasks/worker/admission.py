"""Requests on their way into an ultra pipeline: those that can be read become documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from engine.documents import Batch, Item, Lineage
from engine.plan.plan import Plan
from engine.run.lineage import Ledger
from engine.run.plain_way import is_plain
from engine.run.tracing import Tracer
from engine.sdk.moved_json import Places, places_of
from engine.tasks.wire.messages import InstanceOpening, Request
from engine.tasks.worker.body_schema import schema_of
from engine.tasks.worker.documents import request_document, request_stream
from engine.tasks.worker.refusals import TOO_LATE, BadRequest
from engine.tasks.worker.responder import Responder


class Admission:
    """`admit` is called with each request that enters the pipeline."""

    def __init__(
        self,
        opening: InstanceOpening,
        ledger: Ledger,
        responder: Responder,
        admit: Callable[[Request], None] | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._opening = opening
        self._ledger = ledger
        self._responder = responder
        self._admit = admit
        self._tracer = tracer
        self._takes_binary = opening.plan.takes_binary(opening.port)
        self._schema = schema_of(opening.input_schema)
        self._seen = _seen_in_content(opening.plan) if self._schema is None else None

    def batch(self, requests: Iterable[Request]) -> Batch:
        """The items of the requests, except those that are late or cannot be read."""
        items: list[Item] = []
        lineage: list[Lineage] = []
        admitted: list[int] = []
        now, note_tag = monotonic(), self._ledger.tags.add
        for request in requests:
            note_tag(request.id, request.tag)
            if request.is_late(now):
                self._responder.refused(request.id, TOO_LATE, "failed")
                continue
            try:
                given = self._items_of(request)
            except BadRequest as error:
                self._responder.refused(request.id, error.failure)
                continue
            if self._admit is not None:
                self._admit(request)
            if self._tracer is not None:
                self._tracer.begin(request.id, request.tag)
            admitted.append(request.id)
            items += given
            lineage += [frozenset((request.id,))] * len(given)
        self._ledger.admit(admitted)
        return Batch(items, lineage)

    def _items_of(self, request: Request) -> Sequence[Item]:
        if self._takes_binary:
            return request_stream(request, self._opening.task)
        document = request_document(request, self._opening.task, self._seen)
        if self._schema is not None:
            self._schema.check_request(document)
        return (document,)


def _seen_in_content(plan: Plan) -> Places | None:
    """What snaps look at in the content of a request; None if that is all of it."""
    if () in plan.seen or is_plain():
        return None
    return places_of(path[1:] for path in plan.seen if path[0] == "content")
