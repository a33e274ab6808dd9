"""Calls to the outside that a snap makes for a request, as traces show them."""

from __future__ import annotations

from typing import Protocol


class OutsideCall(Protocol):
    """`headers` go with a call over HTTP, so that the other side can continue the trace."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]: ...

    def end(self, error: str = "", *, status: int = 0) -> None:
        """The call is over; it failed if there is an error. `status` is that of HTTP, if any."""
        ...


class UntracedCall:
    """A call that no trace shows."""

    def __init__(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.headers = headers

    def end(self, error: str = "", *, status: int = 0) -> None:
        """Nobody wants to know."""


UNTRACED = UntracedCall()
