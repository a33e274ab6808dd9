"""Requests on their way, as the REST snaps hold them."""

from __future__ import annotations

from engine.sdk import DataError, HttpCall, HttpResponse, OutsideCall


class UnsentCall:
    """A request that could not be made, at its place in the order."""

    def __init__(self, error: DataError) -> None:
        self._error = error

    def result(self) -> HttpResponse:
        raise self._error

    def cancel(self) -> None:
        """Nothing to cancel."""


class TracedHttpCall:
    """A request that a trace may show."""

    def __init__(self, call: HttpCall, outside: OutsideCall) -> None:
        self._call = call
        self._outside = outside

    def result(self) -> HttpResponse:
        try:
            response = self._call.result()
        except DataError as error:
            self._outside.end(error.error)
            raise
        failure = f"status {response.status}" if response.status >= 400 else ""
        self._outside.end(failure, status=response.status)
        return response

    def cancel(self) -> None:
        self._call.cancel()
