"""An HTTP client for tests: it returns canned responses and records the requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.errors import DataError
from engine.sdk.http import HttpRequest, HttpResponse, shown_url

Answer = HttpResponse | DataError


class CannedHttp:
    """Answers requests from a map of `POST https://host/path` to responses.

    A list of responses is used in order, and its last one repeats; a DataError is raised.
    `requests` holds what was sent. A request without a response fails like an unreachable server.
    """

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]]) -> None:
        self._answers = {
            key: [answer] if isinstance(answer, Answer) else list(answer)
            for key, answer in answers.items()
        }
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> CannedCall:
        return CannedCall(self._answer(request))

    def download(self, request: HttpRequest) -> CannedDownload:
        return CannedDownload(self._answer(request))

    def _answer(self, request: HttpRequest) -> Answer:
        self.requests.append(request)
        key = f"{request.method} {request.url}"
        answers = self._answers.get(key)
        if answers is None:
            known = ", ".join(map(shown_url, self._answers)) or "none"
            error = f"{request.method} {shown_url(request.url)!r} has no answer"
            return DataError(error, f"the answers are for: {known}")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class CannedCall:
    """A call that is complete from the start."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def result(self) -> HttpResponse:
        if isinstance(self._answer, DataError):
            raise self._answer
        return self._answer

    def cancel(self) -> None:
        """Nothing to cancel."""


class CannedDownload:
    """A download that is complete from the start."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def response(self) -> HttpResponse:
        if isinstance(self._answer, DataError):
            raise self._answer
        return self._answer

    def pieces(self) -> Iterator[bytes]:
        if body := self.response().body:
            yield body

    def cancel(self) -> None:
        """Nothing to cancel."""
