"""The open jobs of a task; of those that wait, suspects are done first, each of them alone."""

from __future__ import annotations

from engine.tasks.pool.job import Job

SUSPECT_AFTER = 2
"""Number of processes that end with a job in progress before it is done alone."""


class Jobs:
    """`size` is that of all open ones together, in bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._open: dict[int, Job] = {}
        self._again: dict[int, Job] = {}
        self._waiting: dict[int, Job] = {}
        self._suspects: dict[int, Job] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def waiting(self) -> int:
        """Number of jobs that no process works on."""
        return len(self._again) + len(self._waiting) + len(self._suspects)

    @property
    def active(self) -> int:
        return len(self._open) - self.waiting

    @property
    def has_suspects(self) -> bool:
        return bool(self._suspects)

    def get(self, number: int) -> Job | None:
        return self._open.get(number)

    def open(self, job: Job) -> None:
        self._open[job.id] = job
        self.size += job.size

    def wait(self, job: Job) -> None:
        """An open job waits for a process."""
        self._waiting[job.id] = job

    def wait_again(self, jobs: list[Job]) -> None:
        """Jobs of a process that has ended, before all that have not begun."""
        again = {}
        for job in jobs:
            if job.deaths >= SUSPECT_AFTER:
                self._suspects[job.id] = job
            else:
                again[job.id] = job
        self._again = again | self._again

    def next_suspect(self) -> Job:
        return self._suspects.pop(next(iter(self._suspects)))

    def next(self, *, latest: bool) -> Job | None:
        """The one that has waited longest, suspects apart; or the one that came last."""
        if latest and self._waiting and not self._again:
            return self._waiting.popitem()[1]
        jobs = self._again or self._waiting
        return jobs.pop(next(iter(jobs))) if jobs else None

    def settle(self, job: Job) -> None:
        """The job is over."""
        del self._open[job.id]
        self.size -= job.size
        if job.process is None:
            for jobs in (self._again, self._waiting, self._suspects):
                jobs.pop(job.id, None)

    def overdue(self, now: float) -> list[Job]:
        return [job for job in self._open.values() if job.deadline <= now]

    def all(self) -> list[Job]:
        return list(self._open.values())
