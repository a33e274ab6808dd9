"""Where scripts run: in a child of this process, or with `engine executor` on another host."""

from __future__ import annotations

from collections.abc import Callable

from engine.script.child.protocol import FRAME_LIMIT
from engine.sdk.scripts import Script, ScriptFailure, ScriptSession


class Executor:
    """Opens a session where the script's `executor` says; implements ScriptExecutor.

    `frame_limit` is the maximum size of one document on its way to or from a script, in bytes.
    """

    def __init__(self, frame_limit: int = FRAME_LIMIT) -> None:
        self._frame_limit = frame_limit

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = lambda _: None,
    ) -> ScriptSession:
        """A session, not started yet; raises ConfigurationError if `executor` is not an address."""
        # Imported here, so that pipelines without scripts do not pay for these modules.
        if script.executor:
            from engine.script.client import RemoteSession

            return RemoteSession(script, output, self._frame_limit, lost)
        from engine.script.embedded import EmbeddedSession

        return EmbeddedSession(script, output, self._frame_limit, lost)
