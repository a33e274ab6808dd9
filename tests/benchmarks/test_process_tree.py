"""Reading CPU time and memory of a process tree, with small processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.serving.process_tree import command_line, cpu_seconds, descendants, memory

BUSY = "import time\nwhile time.process_time() < 0.2: pass\n"
PARENT = f"""\
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BUSY + "print('done', flush=True); input()"!r}],
                         stdin=subprocess.PIPE)
input()
child.communicate()
print("waited", flush=True)
input()
"""


@contextmanager
def parent_of_a_busy_child() -> Iterator[subprocess.Popen[str]]:
    """A process that ends its child when it gets a line, and itself with the next."""
    command = [sys.executable, "-c", PARENT]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end_the_child(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_the_time_of_a_child_counts_while_it_runs_and_when_it_has_ended() -> None:
    with parent_of_a_busy_child() as process:
        assert line_of(process) == "done"
        running = cpu_seconds(process.pid)
        assert len(descendants(process.pid)) == 2

        end_the_child(process)
        assert line_of(process) == "waited"

        assert descendants(process.pid) == [process.pid]
        assert running >= 0.2
        assert cpu_seconds(process.pid) >= running


def test_memory_is_reported_for_each_process_of_the_tree() -> None:
    with parent_of_a_busy_child() as process:
        assert line_of(process) == "done"

        found = memory(process.pid)

    assert found[0].pid == process.pid
    assert len(found) == 2
    assert all(0 < each.private <= each.pss <= each.rss for each in found)
    assert all(sys.executable in each.command for each in found)


def test_a_process_that_has_ended_has_no_command_line_and_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass

    assert process.pid != os.getpid()
    assert command_line(process.pid) == ""
    assert memory(process.pid) == []
    assert cpu_seconds(process.pid) == 0
