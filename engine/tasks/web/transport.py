"""How much is read from a caller, and until when: one transport, one flow control."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import Any, cast

from uvicorn.protocols.http.flow_control import FlowControl


class LingeringTransport:
    """To close it while the caller has more to say (`unread`) only ends the answers: it `lingers`.

    A connection that is closed with data unread is reset, and the answer may be lost with it. What
    comes while it lingers is to be thrown away; the end of that, or a second `close`, closes it.
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
    """Nothing more is read while requests wait that have come already."""

    def __init__(self, transport: LingeringTransport, waiting: Sized) -> None:
        super().__init__(cast("asyncio.Transport", transport))
        self._lingering = transport
        self._waiting = waiting

    def resume_reading(self) -> None:
        if self._lingering.lingers or not self._waiting:
            super().resume_reading()
