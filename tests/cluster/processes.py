"""Finds processes of this machine, and waits for what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

LOOKS = 15_000
"""Looks after which something counts as hanging: five minutes, or more on a busy machine, where
each look takes longer, too."""


def wait_until(condition: Callable[[], object]) -> None:
    for _ in range(LOOKS):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it hangs")


def processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def below(pid: int) -> list[int]:
    """The children of a process."""
    found: list[int] = []
    for each in processes():
        with suppress(OSError, IndexError, ValueError):
            status = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == pid and status[0] != "Z":
                found.append(each)
    return found


def in_this_network(pid: int) -> bool:
    """Whether a process is in the network namespace of this one, as others may run Ray, too."""
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    except OSError:
        return False


def workers_of_ray() -> list[int]:
    """The actors. A child that one of them starts looks like it at first."""
    found = [
        pid
        for pid in processes()
        if command(pid).startswith(b"ray::RayWorker") and in_this_network(pid)
    ]
    children = {child for pid in found for child in below(pid)}
    return [pid for pid in found if pid not in children]


def servers_of_clients() -> list[int]:
    """Each client has one, on the head node; they are its connection to the cluster."""
    return [
        pid
        for pid in processes()
        if b"--mode=specific-server" in command(pid) and in_this_network(pid)
    ]
