"""Where scripts run: in a child of this process, or with `engine executor` on another host."""

from __future__ import annotations

from collections.abc import Callable

from engine.script.child.protocol import FRAME_LIMIT
from engine.sdk.scripts import Script, ScriptFailure, ScriptSession


class Executor:
    """Opens a session where the script's `executor` says; implements ScriptExecutor.

    `frame_limit` is the most bytes that one document may take on its way to or from a script.
    """

    def __init__(self, frame_limit: int = FRAME_LIMIT) -> None:
        self._frame_limit = frame_limit

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = lambda _: None,
    ) -> ScriptSession:
        """A session that has not started; raises ConfigurationError if `executor` is no address."""
        # Imported here: most pipelines run no script, and pay nothing for those that do.
        if script.executor:
            from engine.script.client import RemoteSession

            return RemoteSession(script, output, self._frame_limit, lost)
        from engine.script.session import EmbeddedSession

        return EmbeddedSession(script, output, self._frame_limit, lost)
