"""A transport that lingers after it is closed, and the flow control of pipelined requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import Any, cast

from uvicorn.protocols.http.flow_control import FlowControl


class LingeringTransport:
    """Closing it while the caller is still sending (`unread`) only ends the output: it `lingers`.

    A connection that is closed with unread data is reset, and the response may be lost with it.
    Data that arrives while it lingers has to be discarded; end of file, or a second `close`, closes
    it.
    """

    __slots__ = ("_transport", "lingers", "unread", "write")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.write = transport.write
        self.unread = False
        self.lingers = False

    def close(self) -> None:
        if self.unread and not self.is_closing():
            self.lingers = True
            self._transport.write_eof()
        else:
            self._transport.close()

    def is_closing(self) -> bool:
        return self.lingers or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class PipelineFlowControl(FlowControl):
    """Stops reading while requests that have arrived are waiting."""

    def __init__(self, transport: LingeringTransport, waiting: Sized) -> None:
        super().__init__(cast("asyncio.Transport", transport))
        self._lingering = transport
        self._waiting = waiting

    def resume_reading(self) -> None:
        if self._lingering.lingers or not self._waiting:
            super().resume_reading()
