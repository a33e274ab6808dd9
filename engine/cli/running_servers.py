"""The servers of this user that a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.tasks.server.states import ServerState


def server_of(task: str, pid: int | None) -> ServerState:
    """The server that hosts the task. Raises ConfigurationError unless there is exactly one."""
    from engine.sdk.settings import nearest_hint
    from engine.tasks.server.control import servers

    found = [server for server in servers() if pid is None or server.pid == pid]
    if not found:
        of = "" if pid is None else f" with the process id {pid}"
        raise ConfigurationError(f"no server{of} is running; start one with: engine serve FILE")
    hosting = [server for server in found if task in [each.name for each in server.tasks]]
    if len(hosting) > 1:
        pids = ", ".join(str(server.pid) for server in hosting)
        raise ConfigurationError(
            f"several servers host a task {task!r}; choose one with --server PID: {pids}"
        )
    if not hosting:
        names = sorted({each.name for server in found for each in server.tasks})
        hint = nearest_hint(task, names) or f"the tasks are: {', '.join(names)}"
        raise ConfigurationError(f"there is no task {task!r}; {hint}")
    return hosting[0]
