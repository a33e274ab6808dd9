"""How a request is told from others: its id, and its place in a trace (W3C Trace Context, level 1).

A caller may name the id in `X-Request-Id`, or implicitly by the trace of its `traceparent`. What is
not sane counts as not sent: the id goes into logs, headers and documents as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import getrandbits

import msgspec

ID_HEADER = "x-request-id"
PARENT_HEADER = "traceparent"
STATE_HEADER = "tracestate"

_ID = re.compile("[!-~]{1,128}")
_PARENT = re.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?")
_STATE = re.compile("[ -~]{1,512}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class RequestTag(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`id` is 1 to 128 visible ASCII characters; empty outside of requests.

    `traceparent` says where the request belongs in a trace, and is the parent of whatever is called
    for it; empty if the request belongs to none. `tracestate` only goes with it.
    """

    id: str = ""
    traceparent: str = ""
    tracestate: str = ""

    @property
    def trace(self) -> str:
        """The id of the trace, 32 hexadecimal digits; empty if there is none."""
        return self.traceparent[3:35]

    @property
    def span(self) -> str:
        """The id of the span that is the parent, 16 hexadecimal digits."""
        return self.traceparent[36:52]

    @property
    def is_sampled(self) -> bool:
        """Whether the trace is recorded."""
        return self.traceparent[-1:] == "1"  # its form is ours


NO_TAG = RequestTag()


def new_tag() -> RequestTag:
    """The tag of a request whose caller has named none."""
    return RequestTag(new_id(128))


def tag_of(ids: Sequence[str], parents: Sequence[str], states: Sequence[str]) -> RequestTag:
    """The tag of a request with these values of the headers X-Request-Id, traceparent, tracestate.

    A header that may come once, but comes twice, counts as not sent.
    """
    parent = _parent(parents[0].strip(" \t")) if len(parents) == 1 else ""
    state = ",".join(states) if parent else ""
    if not _STATE.fullmatch(state):
        state = ""
    given = ids[0].strip(" \t") if len(ids) == 1 else ""
    if _ID.fullmatch(given):
        return RequestTag(given, parent, state)
    return RequestTag(parent[3:35] or new_id(128), parent, state)


def new_id(bits: int) -> str:
    """A new id of a trace (128 bits) or a span (64)."""
    return getrandbits(bits).to_bytes(bits // 8, "big").hex()


def traceparent(trace: str, span: str, *, sampled: bool) -> str:
    return f"00-{trace}-{span}-0{sampled:d}"


def _parent(text: str) -> str:
    """The traceparent in the form of version 00; empty if it is not valid."""
    found = _PARENT.fullmatch(text)
    if found is None:
        return ""
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or trace == _NO_TRACE or span == _NO_SPAN:
        return ""
    return traceparent(trace, span, sampled=int(flags, 16) & 1 == 1)
