"""How many processes a task has, and what each of them does at a time."""

from __future__ import annotations

import msgspec

from engine.tasks.definition.task import Task

INSTANCE = "engine.tasks.worker.instance:main"
RUNS = "engine.tasks.worker.run_process:main"
"""Entry points of the processes."""


class Staffing(msgspec.Struct, frozen=True, kw_only=True):
    """`least` processes are always kept, at most `most`; each has up to `capacity` jobs.

    `target` is the entry point, `module:function`. A job is given to another process at most
    `redeliveries` times. If `on_demand`, processes beyond `least` are started for jobs that wait.
    """

    target: str
    least: int
    most: int
    capacity: int = 1
    redeliveries: int = 0
    on_demand: bool = True
    numbered: bool = False


def staffing_of(task: Task) -> Staffing:
    """An ultra task has a fixed number of instances, each with many requests. Processes of other
    tasks do one run at a time, which is never repeated; those of triggered tasks are kept warm."""
    limits = task.limits
    if task.type == "ultra":
        return Staffing(
            target=INSTANCE,
            least=task.instances,
            most=task.instances,
            capacity=limits.in_flight,
            redeliveries=limits.redeliveries,
            on_demand=False,
            numbered=True,
        )
    least = min(task.instances, limits.concurrent) if task.type == "triggered" else 0
    return Staffing(target=RUNS, least=least, most=limits.concurrent)
