"""Rate limits: a token bucket for each caller, in a table of bounded size."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from engine.tasks.definition.rate import Rate
from engine.tasks.front.reply import Reply, error_reply

MAX_CALLERS = 10_000
"""Callers that are remembered; those that have not called for longest are forgotten first."""


class RateLimit:
    """Lets each caller send as many requests as the rate says, all at once or spread."""

    def __init__(self, rate: Rate, of: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._of = of
        self._clock = clock
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def refusal(self, caller: str) -> Reply | None:
        """The response to a request too many; None if it may go on, which counts it."""
        rate, now = self._rate, self._clock()
        left, since = self._callers.pop(caller, (float(rate.count), now))
        left = min(float(rate.count), left + (now - since) * rate.count / rate.seconds)
        allowed = left >= 1
        self._callers[caller] = (left - 1 if allowed else left, now)
        if len(self._callers) > MAX_CALLERS:
            self._callers.popitem(last=False)
        if allowed:
            return None
        seconds = math.ceil((1 - left) * rate.seconds / rate.count)
        return error_reply(
            429,
            "too many requests",
            f"at most {rate} are allowed from one {self._of}",
            f"try again in {seconds} second{'' if seconds == 1 else 's'}",
            [("retry-after", str(seconds))],
        )


class RateLimits:
    """Those of all tasks; a limit that a reload has changed starts again."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, str, Rate], RateLimit] = {}

    def refusal(self, task: str, rate: Rate, of: str, caller: str) -> Reply | None:
        """The response if the caller, an address or a token, sends more than the task allows."""
        key = task, of, rate
        limit = self._limits.get(key) or self._limits.setdefault(key, RateLimit(rate, of))
        return limit.refusal(caller)


@lru_cache(1024)
def network_of(address: str) -> str:
    """The address, or its network of IPv6, whose addresses a caller chooses freely (RFC 8981)."""
    if ":" not in address:
        return address
    parsed = ipaddress.IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if parsed.is_link_local:  # of all neighbours
        return address
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
