"""An HTTP client for tests: it returns canned responses and records the requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from engine.errors import ConfigurationError, DataError
from engine.sdk.http import HttpRequest, HttpResponse, shown_url

Answer = HttpResponse | DataError


class CannedHttp:
    """Answers requests from a map of `POST https://host/path` to responses.

    A list of responses is used in order, and its last one repeats; a DataError is raised.
    `requests` holds what was sent. A request without a response fails like an unreachable server.
    """

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]]) -> None:
        self._answers = {key: _listed(key, answer) for key, answer in answers.items()}
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


def _listed(key: str, answer: Answer | Sequence[Answer]) -> list[Answer]:
    """The answers to the requests `key`. Raises ConfigurationError for anything else."""
    if isinstance(answer, Answer):
        return [_with_pairs(answer)]
    answers = list(answer) if isinstance(answer, list | tuple) else []
    if not answers or not all(isinstance(each, Answer) for each in answers):
        raise ConfigurationError(
            f"the answer to {key!r} must be an HttpResponse, a DataError or a list of these, "
            f"not {answer!r:.60}"
        )
    return list(map(_with_pairs, answers))


def _with_pairs(answer: Answer) -> Answer:
    """The response with pairs as headers, as a test may give a map of them."""
    headers: Any = answer.headers if isinstance(answer, HttpResponse) else ()
    if isinstance(answer, HttpResponse) and isinstance(headers, Mapping):
        return replace(answer, headers=tuple(headers.items()))
    return answer


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
