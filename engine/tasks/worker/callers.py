"""Who has sent a request, as the front knows it."""

from __future__ import annotations

from typing import Any

from engine.sdk.json_reading import json_value
from engine.tasks.wire.messages import Request


def caller_of(request: Request) -> dict[str, Any]:
    """`name` and `claims` of the caller's token; empty if it has neither."""
    if not request.caller:
        return {}
    caller: dict[str, Any] = json_value(request.caller, "the caller", "")
    return caller
