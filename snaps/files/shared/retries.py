"""The settings `retries` and `retry_interval` of snaps that use files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event
from typing import Protocol, TypeVar

from engine.sdk import DataError, Issue

T = TypeVar("T")
_DAY = 86_400


class RetrySettings(Protocol):
    @property
    def retries(self) -> int: ...
    @property
    def retry_interval(self) -> float: ...


def check_retries(settings: RetrySettings) -> Iterable[Issue]:
    """What types cannot say about these two settings."""
    if settings.retries < 0:
        yield Issue(("retries",), f"{settings.retries} tries cannot be made", "give 0 or more")
    if not 0 <= settings.retry_interval <= _DAY:
        yield Issue(
            ("retry_interval",),
            f"{settings.retry_interval} seconds cannot be waited",
            f"give a number from 0 to {_DAY}",
        )


def retried(call: Callable[[], T], settings: RetrySettings, ended: Event) -> T:
    """What `call` gives at the first try that succeeds. Setting `ended` makes a try the last."""
    for _ in range(settings.retries):
        try:
            return call()
        except DataError:
            if ended.wait(settings.retry_interval):
                break
    return call()
