"""The keys at an address, kept and renewed.

A failure to fetch them must not lock everybody out, so the old ones stay valid; and a caller must
not be able to make the server fetch them at will, so a key that is not there is looked for at most
every ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.tasks.front.json_keys import MAX_BYTES, Keys, parse_keys

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

MIN_PAUSE = 10.0
"""Seconds between two attempts to fetch the keys."""

FETCH_SECONDS = 5.0
MIN_AGE, MAX_AGE, DEFAULT_AGE = 300.0, 86_400.0, 3600.0
"""Seconds until the keys are fetched again: what the response says, within these bounds."""

_PLAIN = {"accept": "application/json", "accept-encoding": "identity"}
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


class KeySet:
    """`keys` is empty until they have been fetched once. `failure`: why the last attempt failed."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self.keys: Keys = ()
        self.failure = ""
        self._clock = clock
        self._tried = -MIN_PAUSE
        self._stale_from = 0.0
        self._fetching: asyncio.Task[None] | None = None

    @property
    def may_be_fetched(self) -> bool:
        """Whether waiting for `refreshed` can bring anything new."""
        return self._fetching is not None or self._clock() - self._tried >= MIN_PAUSE

    def renew_if_stale(self) -> None:
        """Begin to fetch the keys if they are old; nobody waits for it."""
        if self._clock() >= self._stale_from and self.may_be_fetched:
            self._begin()

    async def refreshed(self) -> None:
        """Wait for the attempt in progress, or for a new one if it may begin."""
        if self.may_be_fetched:
            await asyncio.shield(self._begin())

    def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    def _begin(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._fetch(), name=f"keys of {self.address}")
        return self._fetching

    async def _fetch(self) -> None:
        try:
            self.keys, age = await fetched(self.address)
        except (ValueError, OSError) as error:  # aiohttp's own errors are turned into these
            self._note_failure(str(error))
        else:
            self._stale_from = self._clock() + age
            if self.failure:
                log.info("the keys at %s can be fetched again", self.address)
            self.failure = ""
        finally:
            self._fetching = None

    def _note_failure(self, reason: str) -> None:
        if not self.failure:
            effect = "the old ones stay valid" if self.keys else "callers get 503 until they can be"
            log.error("cannot fetch the keys at %s: %s; %s", self.address, reason, effect)
        self.failure = reason


async def fetched(address: str) -> tuple[Keys, float]:
    """The keys at an address, and for how many seconds to keep them.

    Raises ValueError or OSError with a message for the operator.
    """
    import aiohttp  # needed only by tasks that fetch keys

    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS),
                trust_env=True,
                auto_decompress=False,  # the limit is for what arrives
            ) as session,
            session.get(address, headers=_PLAIN, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"the response has the status {response.status}, not 200")
            data = await _limited(response.content)
            age = keeping_time(response.headers.get("cache-control", ""))
    except TimeoutError:
        raise ValueError(f"there was no response within {FETCH_SECONDS:g} seconds") from None
    except aiohttp.ClientError as error:
        raise ValueError(str(error) or type(error).__name__) from None
    return parse_keys(data), age


async def _limited(content: aiohttp.StreamReader) -> bytes:
    data = b""
    while len(data) <= MAX_BYTES and (piece := await content.read(MAX_BYTES)):
        data += piece
    return data


def keeping_time(cache_control: str) -> float:
    """Seconds for which to keep a response with this header."""
    if re.search(r"no-store|no-cache", cache_control, re.IGNORECASE):
        return MIN_AGE
    found = _MAX_AGE.search(cache_control)
    return min(max(float(found[1]), MIN_AGE), MAX_AGE) if found else DEFAULT_AGE
