"""What the system knows of the other end of a connection, without reading from it."""

from __future__ import annotations

import asyncio
import select

_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)


def is_readable(transport: asyncio.Transport) -> bool:
    """Whether something has arrived that was not read yet, if only the end."""
    return _polled(transport, select.POLLIN)


def has_hung_up(transport: asyncio.Transport) -> bool:
    """Whether it will send nothing more; what it has sent may not be read yet."""
    return _polled(transport, _HUNG_UP)


def reads_no_more(transport: asyncio.Transport) -> bool:
    """Whether both directions are over; of TCP, this is known only once it has answered so."""
    return _polled(transport, 0)


def _polled(transport: asyncio.Transport, events: int) -> bool:
    if transport.is_closing():
        return False
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), events)
    return bool(poll.poll(0))
