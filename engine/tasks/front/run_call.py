"""A request about a run of a task whose caller polls: `/runs/TASK/ID`."""

from __future__ import annotations

from engine.tasks.front.task_call import TaskCall

RUN_METHODS = ("GET", "HEAD", "DELETE")


class RunCall(TaskCall):
    """A request about a run of a task whose caller polls: `/runs/TASK/ID`."""

    takes_work = False

    __slots__ = ()

    @property
    def _methods(self) -> tuple[str, ...]:
        return ("GET", "HEAD") if self._path_info.endswith("/result") else RUN_METHODS

    def _begin(self, body: bytes) -> None:
        task, method, path = self._hosted.task, self._head.method, self._path_info
        self._answer(self._front.polled.answer(task, method, path, self._caller_key))
