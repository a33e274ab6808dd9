"""The responses of an instance: what became of each request, as the ledger says."""

from __future__ import annotations

from collections.abc import Callable

from engine.documents import Document, Item
from engine.errors import DataError
from engine.run.numbered_tags import NumberedTags
from engine.tasks.wire.messages import LogLine, Response, RunFailure
from engine.tasks.worker.documents import described, error_response, response_of
from engine.tasks.worker.failure_log import FailureLog


class Responder:
    """The listener of the ledger; `send` may be called from any thread. `tags` are those of the
    requests."""

    def __init__(
        self, send: Callable[[Response | LogLine], None], tags: NumberedTags | None = None
    ) -> None:
        self.filtered_status = 204
        self._tags = tags or NumberedTags()
        self._send = send
        self._failure_log = FailureLog(self._send_failure)

    def answered(self, request: int, items: list[Item]) -> None:
        try:
            response = response_of(request, items)
        except DataError as error:
            self.failed(request, described(error))
        except Exception as error:  # noqa: BLE001  # whatever it holds, a document costs only its request
            wrapped = DataError("the response cannot be sent", f"{type(error).__name__}: {error}")
            self.failed(request, described(wrapped))
        else:
            self._send(response)

    def filtered(self, request: int) -> None:
        self._send(Response(request, self.filtered_status, [], b"", "filtered"))

    def failed(self, request: int, error: Document) -> None:
        self._send(error_response(request, 500, error.get("reply", error), "failed"))
        self.log_failure(request, error)

    def log_failure(self, request: int, error: Document) -> None:
        self._failure_log.add(error, self._tags.of(request).id)

    def flush_log(self, *, last: bool = False) -> None:
        """As `FailureLog.flush`."""
        self._failure_log.flush(last=last)

    def refused(self, request: int, failure: RunFailure, outcome: str = "refused") -> None:
        """It never enters the pipeline."""
        self._send(error_response(request, failure.status, failure.texts, outcome))

    def _send_failure(self, label: str, text: str, request_id: str) -> None:
        self._send(LogLine(label, text, request_id, is_failure=True))
