"""The server's end of `engine tap`: passes on what the processes of a task show.

A client that does not read fast enough misses documents; neither the task nor the front waits for
it. Its taps are detached when it hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from engine.errors import ConfigurationError
from engine.run.tap_points import check_condition, tap_points
from engine.sdk.settings import nearest_hint
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.server.control import TapRequest
from engine.tasks.wire.messages import Tapped

_MOST_WAITING = 1024 * 1024
"""Bytes that may wait for a client."""


async def serve_tap(
    tasks: Mapping[str, HostedTask],
    request: TapRequest,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Show documents until the client hangs up; the first line says what is tapped, or why not."""
    try:
        hosted = _task(request.task, tasks)
        ports = tap_points(request.views, hosted.plan)
        if request.condition:
            check_condition(request.condition, hosted.plan)
    except ConfigurationError as error:
        _write(writer, {"error": str(error)})
        return
    _write(writer, {"tapping": [str(port) for port in ports]})
    number = hosted.taps.attach(request.views, request.condition, TapClient(writer).show)
    try:
        with contextlib.suppress(ConnectionError):
            await reader.read()  # it sends nothing more
    finally:
        hosted.taps.detach(number)


class TapClient:
    """Sends a client what it asked for, as long as it reads."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._missed = 0

    def show(self, tapped: Tapped) -> None:
        self._missed += tapped.missed
        if self._writer.transport.get_write_buffer_size() > _MOST_WAITING:
            self._missed += bool(tapped.line)
            return
        if self._missed:
            _write(self._writer, {"missed": self._missed})
            self._missed = 0
        if tapped.line:
            self._writer.write(tapped.line + b"\n")


def _task(name: str, tasks: Mapping[str, HostedTask]) -> HostedTask:
    if name not in tasks:
        hint = nearest_hint(name, tasks) or f"the tasks are: {', '.join(tasks)}"
        raise ConfigurationError(f"there is no task {name!r}; {hint}")
    return tasks[name]


def _write(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(msgspec.json.encode(message) + b"\n")
