"""What a caller prefers (RFC 7240): how long it waits, and whether it would rather ask again."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_PREFERENCE = re.compile(r'\s*([A-Za-z-]+)\s*(?:=\s*"?([^",;]*)"?)?[^,]*', re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class Preferences(msgspec.Struct, frozen=True, gc=False):
    """`wait`: seconds for which the caller waits for the response, None if it does not say.

    `respond_async`: it takes 202 and an address to poll instead, at once or after `wait`.
    """

    wait: int | None = None
    respond_async: bool = False


def preferences(values: Iterable[str]) -> Preferences:
    """Those in the values of the Prefer headers; unknown and unreadable ones are ignored."""
    wait, respond_async = None, False
    for value in values:
        for name, given in _PREFERENCE.findall(value):
            name = name.lower()
            if name == "respond-async":
                respond_async = True
            elif name == "wait" and wait is None and _SECONDS.fullmatch(given.strip()):
                wait = int(given)
    return Preferences(wait, respond_async)
