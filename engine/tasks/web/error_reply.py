"""Errors of the front, in the form that those of tasks have."""

from __future__ import annotations

import msgspec

from engine.tasks.processes.messages import Headers, Reply


def error_reply(
    status: int,
    error: str,
    reason: str = "",
    resolution: str = "",
    headers: Headers | None = None,
) -> Reply:
    """An error as a JSON response."""
    body = msgspec.json.encode({"error": error, "reason": reason, "resolution": resolution})
    fields: Headers = [("content-type", "application/json"), *(headers or ())]
    return Reply(status, fields, body, "refused")
