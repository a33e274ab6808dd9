"""The socket between the run and a worker, at its end and in trouble."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.cluster.frames import REPLY, REQUEST, receive_frame, send_frame
from engine.cluster.message_socket import MessageSocket
from engine.cluster.nearby import Door, called
from engine.cluster.placement import Answer, WorkerLostError
from engine.cluster.worker_socket import WorkerSocket

SECONDS = 60.0

SCRIPT = """\
import atexit
from pathlib import Path

written = open("rows-%d.txt" % __import__("os").getpid(), "w")
atexit.register(lambda: Path("ended-%d" % __import__("os").getpid()).write_text("1"))


def snaplogic_process(row):
    print(row["value"], file=written)
    return row
"""


def test_scripts_end_properly_with_a_run_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "write.py").write_text(SCRIPT)
    (tmp_path / "p.yaml").write_text(
        "snaps:\n  number: {snap: Sequence, number_of_documents: 50}\n"
        "  write: {snap: RemotePythonScript, copies: any, script: write.py}\n"
        "links: [number -> write]\n"
    )
    _, failure = asyncio.run(api.start(str(tmp_path / "p.yaml"), workers=2))
    assert failure is None
    lines = [each.read_text().split() for each in tmp_path.glob("rows-*")]
    assert sorted(int(number) for some in lines for number in some) == list(range(1, 51))
    assert len(list(tmp_path.glob("ended-*"))) == len(lines)


class StandIn:
    """A replica that answers `first` at once, and other messages when it is interrupted."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.interrupted = threading.Event()
        self.closed = False

    def answer(self, message: bytes) -> bytes:
        self.asked.append(message)
        if message == b"broken":
            raise MemoryError
        if message != b"first":
            assert self.interrupted.wait(SECONDS)
        return message

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        self.closed = True


def worker(replica: Any, ours: socket.socket) -> threading.Thread:
    """A worker that works in a thread, as one of Ray does."""
    run = WorkerSocket(ours)

    def work() -> None:
        try:
            run.work(replica, lambda: None)
        except MemoryError:
            pass
        finally:
            run.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(("messages", "is_interrupted"), [([], False), ([b"second"], True)])
def test_only_a_busy_worker_is_interrupted(messages: list[bytes], is_interrupted: bool) -> None:
    theirs, ours = socket.socketpair()
    replica = StandIn()
    thread = worker(replica, ours)
    with theirs:
        for message in (b"first", *messages):
            send_frame(theirs, REQUEST, message)
        kind, body = receive_frame(theirs)
        assert (kind, bytes(body)) == (REPLY, b"first")
        while len(replica.asked) < 1 + len(messages):
            threading.Event().wait(0.001)
    thread.join(SECONDS)
    assert (replica.closed, replica.interrupted.is_set()) == (True, is_interrupted)


def test_a_worker_that_breaks_hangs_up() -> None:
    theirs, ours = socket.socketpair()
    theirs.settimeout(SECONDS)
    thread = worker(StandIn(), ours)
    with theirs:
        send_frame(theirs, REQUEST, b"broken")
        with pytest.raises(EOFError):
            receive_frame(theirs)
    thread.join(SECONDS)


def test_a_message_whose_sender_is_cancelled_is_sent_to_its_end() -> None:
    async def check() -> None:
        theirs, ours = socket.socketpair()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[WorkerLostError] = loop.create_future()
        waiting: deque[asyncio.Future[Answer]] = deque()
        messages = MessageSocket(ours, lost, waiting, lambda label, line: None)
        large = bytes(10_000_000)
        first = asyncio.create_task(messages.send(large))
        while not waiting:
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(messages.send(b"second"))
        with theirs:
            for sent in (large, b"second"):
                kind, body = await asyncio.to_thread(receive_frame, theirs)
                assert (kind, bytes(body)) == (REQUEST, sent)
            await second
            await messages.close()
        ours.close()

    asyncio.run(asyncio.wait_for(check(), SECONDS))


def test_without_a_folder_to_write_to_nobody_can_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: str) -> str:
        raise FileNotFoundError(2, "No usable temporary directory")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)

    async def check() -> None:
        door = Door()
        assert door.path == ""
        assert called(door.path) is None
        door.close()

    asyncio.run(check())
