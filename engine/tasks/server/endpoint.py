"""Where a server listens."""

from __future__ import annotations

import errno
import socket

import msgspec

from engine.errors import EngineError
from engine.tasks.front.listening import listen
from engine.tasks.front.tls import ServerTls


class Endpoint(msgspec.Struct, frozen=True):
    """An address, and the certificate shown there. `option` is the one that sets the port."""

    host: str = "127.0.0.1"
    port: int = 8080
    tls: ServerTls | None = None
    option: str = "--port"

    @property
    def url(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{shown}:{self.port}"

    def listen(self) -> tuple[Endpoint, socket.socket]:
        """The endpoint with the port that it got, and its socket. Raises EngineError."""
        try:
            listener = listen(self.host, self.port)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", "") or "it is not a valid host name"
            place = f"{self.host}:{self.port}"
            raise EngineError(f"cannot listen at {place}: {why}; {self._hint(error)}") from error
        port = listener.getsockname()[1]
        return msgspec.structs.replace(self, port=port), listener

    def _hint(self, error: Exception) -> str:
        option, number = self.option, getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            return (
                "stop the process that uses it, "
                f"or choose another port with {option} (0 takes a free one)"
            )
        if number == errno.EACCES:
            return f"choose a port of 1024 or above with {option}"
        host = option.replace("port", "host")
        return f"give an address of this machine with {host}, such as 127.0.0.1, or 0.0.0.0 for all"
