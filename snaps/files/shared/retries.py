"""The settings `retries` and `retry_interval` of snaps that use files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event
from typing import Any, Protocol, TypeVar

from engine.sdk import Context, DataError, Document, Evaluated, Issue, setting

T = TypeVar("T")
_DAY = 86_400


def retries_setting(help: str) -> Any:  # noqa: A002  # as in `setting`
    return setting(default=Evaluated(value=0, kind=int), help=help, example=3)


def interval_setting() -> Any:
    return setting(
        default=Evaluated(value=1.0, kind=float),
        help="Seconds to wait before each retry, at most a day.",
    )


class RetrySettings(Protocol):
    @property
    def retries(self) -> Evaluated[int]: ...
    @property
    def retry_interval(self) -> Evaluated[float]: ...


def check_retries(settings: RetrySettings) -> Iterable[Issue]:
    """Check the limits of these two settings."""
    retries, interval = settings.retries.value, settings.retry_interval.value
    if retries is not None:
        yield from _wrong_retries(retries)
    if interval is not None:
        yield from _wrong_interval(interval)


class Retries:
    """Retries a call as the settings say for a document. Setting `ended` stops it.

    Raises DataError if expressions give numbers out of range.
    """

    def __init__(
        self, settings: RetrySettings, context: Context, document: Document, ended: Event
    ) -> None:
        self.count = context.value(settings.retries, document)
        self._interval = context.value(settings.retry_interval, document)
        self._ended = ended
        for issue in (*_wrong_retries(self.count), *_wrong_interval(self._interval)):
            raise DataError(f"{issue.path[0]} is wrong", issue.message, issue.hint)

    def run(self, call: Callable[[], T]) -> T:
        """The result of `call` at the first try that succeeds."""
        for _ in range(self.count):
            try:
                return call()
            except DataError:
                if self._ended.wait(self._interval):
                    break
        return call()


def _wrong_retries(count: int) -> Iterable[Issue]:
    if count < 0:
        yield Issue(("retries",), f"retries must be 0 or more, got {count}", "use 0 or more")


def _wrong_interval(seconds: float) -> Iterable[Issue]:
    if not 0 <= seconds <= _DAY:
        message = f"retry_interval must be 0 to {_DAY} seconds, got {seconds}"
        yield Issue(("retry_interval",), message, f"use a number from 0 to {_DAY}")
