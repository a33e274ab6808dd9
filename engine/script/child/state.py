"""What the script is doing right now, in memory shared with the engine.

The engine must be able to say what a script was doing when it was killed, and must notice when a
call takes too long. A message per row would be slow; a few numbers in a shared page cost nothing.
"""

from __future__ import annotations

import mmap
import signal
import time
from pathlib import Path

WHERE_SIGNAL = signal.SIGUSR2
"""Asks the child to dump the stacks of its threads; works even while C code holds the GIL."""

UNREACHABLE = 69
"""Exit code of a script's process that has lost its connection to the engine (EX_UNAVAILABLE)."""

IDLE, LOADING, INIT, PROCESS, BATCH, FINAL, COMBINE, PREPARING = range(8)
HOOKS = {
    LOADING: "the script's module code",
    INIT: "snaplogic_init",
    PROCESS: "snaplogic_process",
    BATCH: "snaplogic_process_batch",
    FINAL: "snaplogic_final",
    COMBINE: "snaplogic_combine",
}

_PHASE, ROW, _LAST, SINCE, _STATUS, _CELLS = range(6)
_UNKNOWN = -1000.0


class State:
    """The shared page: phase, row number (from 1), start of the call, exit status."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _CELLS * 8)
        self._cells: memoryview[float] = memoryview(self._map).cast("d")

    @staticmethod
    def create(path: Path) -> State:
        path.write_bytes(bytes(_CELLS * 8))
        state = State(path)
        state._cells[_STATUS] = _UNKNOWN
        return state

    def close(self) -> None:
        self._cells.release()
        self._map.close()

    def enter(self, phase: int) -> None:
        """A call into the script begins; its clock starts."""
        self._cells[SINCE] = time.monotonic()
        self._cells[_PHASE] = phase

    def begin_rows(self) -> tuple[memoryview[float], int]:
        """For a loop over rows: the page and the number of the first row.

        The loop itself sets the cell ROW to the number of each row, and SINCE to the time if calls
        are timed, because a function call for each row would take a tenth of a microsecond.
        """
        self.enter(PROCESS)
        return self._cells, int(self._cells[ROW]) + 1

    def begin_batch(self, count: int) -> None:
        self.enter(BATCH)
        self._cells[_LAST] = self._cells[ROW] + count
        self._cells[ROW] += 1

    def end_batch(self, done: bool) -> None:
        """Count the rows as begun if the batch is `done`; otherwise they are processed again."""
        self._cells[ROW] = self._cells[_LAST] if done else self._cells[ROW] - 1

    def leave(self) -> None:
        self._cells[SINCE] = 0
        self._cells[_PHASE] = IDLE

    def pause(self) -> None:
        """Stop the clock of the call while the engine, not the script, takes the time."""
        self._cells[SINCE] = 0

    def resume(self) -> None:
        self._cells[SINCE] = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the call into the script has taken so far; 0 if no clock is running."""
        since = self._cells[SINCE]
        return time.monotonic() - since if since else 0.0

    @property
    def status(self) -> int | None:
        """Exit code of the script's process, negative for a signal; None if unknown."""
        status = self._cells[_STATUS]
        return None if status == _UNKNOWN else int(status)

    @status.setter
    def status(self, value: int) -> None:
        self._cells[_STATUS] = value

    @property
    def hook(self) -> str:
        return HOOKS.get(int(self._cells[_PHASE]), "")

    def describe(self) -> str:
        """`while it was processing row 17`, `in snaplogic_final`, ..."""
        phase = int(self._cells[_PHASE])
        if phase == PREPARING:
            return "while its requirements were being checked"
        if phase == LOADING:
            return "while it was being loaded"
        if phase == PROCESS:
            return f"while it was processing row {int(self._cells[ROW])}"
        if phase == BATCH:
            first, last = int(self._cells[ROW]), int(self._cells[_LAST])
            return f"while it was processing rows {first} to {last}"
        return f"in {HOOKS[phase]}" if phase in HOOKS else "while it was waiting for rows"
