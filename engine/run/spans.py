"""A span of a trace, as plain data that can leave the process."""

from __future__ import annotations

from typing import Literal

import msgspec

SpanKind = Literal["internal", "server", "client"]
Fact = str | int | float | bool


class SpanData(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`trace`, `span` and `parent` are hexadecimal ids; `parent` is empty at the root of a trace.

    `start` and `end` are nanoseconds since 1970; `error` is empty if it succeeded.
    """

    name: str
    trace: str
    span: str
    parent: str
    start: int
    end: int
    kind: SpanKind = "internal"
    facts: dict[str, Fact] = {}
    error: str = ""
    state: str = ""
