"""Scripts run by `engine executor`: the token, the conversation, and a lost connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from engine.documents import RawJson
from engine.errors import ConfigurationError
from engine.script import server
from engine.script.child.protocol import Channel, encode
from engine.script.executor import Executor
from engine.script.frame_sizes import FRAME_ROWS
from engine.script.server import ScriptServer
from engine.sdk.scripts import ScriptError, ScriptFailure
from tests.script.conftest import Opened
from tests.script.processes import gone

TOKEN = "correct horse"
ECHO = "def snaplogic_process(row):\n    return row\n"


class Host:
    """An executor that listens on loopback."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.server = ScriptServer(TOKEN, sessions=2, log=self.log.append)
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()

    @property
    def facts(self) -> dict[str, Any]:
        return {"executor": f"127.0.0.1:{self.server.port}", "token": TOKEN}

    def dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), 10)

    def stop(self) -> None:
        if self.thread.is_alive():
            self.server.stop()
            self.thread.join()


def received_by(peer: socket.socket) -> bytes:
    """What a peer receives before it is disconnected."""
    with contextlib.suppress(ConnectionResetError):
        return peer.recv(10)
    return b""


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.stop()


def test_a_call_that_is_in_a_hurry_does_not_wait_for_the_network(
    opened: Opened, host: Host
) -> None:
    session = opened(ECHO, **host.facts)
    session.start()
    outcomes = session.parts.process_tracked([{"n": 1}], [1], (), 60.0)
    assert next(outcomes) == []
    assert [list(map(list, some)) for some in outcomes] == [[[1, [{"n": 1}]]]]


def test_a_script_runs_as_it_does_here(opened: Opened, host: Host) -> None:
    session = opened(
        """
        import os
        print("loading")
        def snaplogic_init():
            return {"label": snaplogic_pipe["label"], "elsewhere": os.getpid()}
        def snaplogic_process(row):
            print("row", row["n"])
            return {"x": 1 / row["n"], "big": 2**100}
        def snaplogic_final():
            return [{"n": n} for n in range(3)]
        """,
        pipe={"label": "predict"},
        **host.facts,
    )
    [document] = session.start()
    assert document["label"] == "predict"
    assert opened.lines == ["loading"]
    good, bad, after = session.process([{"n": 1}, {"n": 0}, {"n": 2}])
    assert good == [{"x": 1.0, "big": 2**100}]
    assert after == [{"x": 0.5, "big": 2**100}]
    assert isinstance(bad, ScriptError)
    assert bad.reason == "ZeroDivisionError: division by zero (scripts/x.py, line 8)"
    assert "1 / row" in bad.stacktrace
    assert session.finish() == [{"n": 0}, {"n": 1}, {"n": 2}]
    session.close()
    assert opened.lines == ["loading", "row 1", "row 0", "row 2"]


def test_last_documents_are_combined_there_too(opened: Opened, host: Host) -> None:
    source = "def snaplogic_combine(documents):\n    return documents[::-1]\n"
    session = opened(source, combines=True, **host.facts)
    session.start()
    assert session.combine([{"n": 1}, {"n": 2}]) == [{"n": 2}, {"n": 1}]


def test_values_that_are_extensions_cross_an_executor_unchanged(opened: Opened, host: Host) -> None:
    session = opened("def snaplogic_process(row):\n    return row\n", exact=True, **host.facts)
    session.start()
    row = {"price": Decimal("29.920"), "huge": 10**400, "json": RawJson(b"[1, 2.50]")}
    [[answer]] = session.process([row])  # type: ignore[misc]
    assert repr(answer) == repr(row | {"json": [1, Decimal("2.50")]})


def test_a_function_for_batches_gets_the_rows_of_all_frames_together_there_too(
    opened: Opened, host: Host
) -> None:
    source = "def snaplogic_process_batch(rows):\n    return [{'n': len(rows)} for _ in rows]\n"
    session = opened(source, **host.facts)
    session.start()
    rows = [{"n": n} for n in range(2 * FRAME_ROWS + 1)]
    assert session.process(rows) == [[{"n": len(rows)}] for _ in rows]


def test_rows_that_are_kept_are_answered_later_as_they_are_here(opened: Opened, host: Host) -> None:
    session = opened(
        """
        from snaplogic.tool import SLTool as slt
        kept = []
        def snaplogic_process(row):
            kept.append(row)
            if row["n"] == 2:
                return [slt.answer(row, {"n": row["n"]}) for row in kept[::-1]]
            if row["n"] == 4:
                kept.clear()
                raise ValueError("no")
        def snaplogic_final():
            return [slt.answer(row, {"late": row["n"]}) for row in kept] + [{"over": True}]
        """,
        **host.facts,
    )
    session.start()
    assert session.process_tracked([{"n": 1}], [1]) == []
    assert session.process_tracked([{"n": 2}], [2]) == [(2, [{"n": 2}]), (1, [{"n": 1}])]
    outcomes = session.process_tracked([{"n": 3}, {"n": 4}], [3, 4])
    assert [number for number, _ in outcomes] == [4, 3]
    assert all("ValueError: no" in str(error) for _, error in outcomes)
    assert session.process_tracked([{"n": 5}], [5]) == []
    assert session.finish_tracked() == [(5, [{"late": 5}]), (0, [{"over": True}])]


@pytest.mark.parametrize(("token", "problem"), [("wrong", "wrong"), ("", "missing")])
def test_a_peer_without_the_token_is_refused(
    opened: Opened, host: Host, token: str, problem: str
) -> None:
    session = opened(ECHO, **host.facts | {"token": token})
    with pytest.raises(ScriptFailure, match=f"refused the session: the token is {problem}"):
        session.start()


def test_a_peer_that_announces_a_large_greeting_is_cut_off(host: Host) -> None:
    with host.dial() as peer:
        peer.sendall(struct.pack("!I", 1 << 30) + b"x" * 100)
        assert received_by(peer) == b""


@pytest.mark.parametrize(
    "greeting",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(encode(["hello", 1])),
        bytes(encode(["open", {"source": "print('never')"}])),
        bytes(encode(["hello", "1", TOKEN])),
    ],
)
def test_a_peer_that_does_not_greet_gets_nothing(host: Host, greeting: bytes) -> None:
    with host.dial() as peer:
        peer.sendall(greeting)
        with contextlib.suppress(OSError):  # the executor may have hung up already
            peer.shutdown(socket.SHUT_WR)
        assert received_by(peer) == b""


def test_a_silent_peer_is_cut_off(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.script.server._GREETING_SECONDS", 0.1)
    with host.dial() as peer:
        assert peer.recv(10) == b""


def test_another_version_of_the_protocol_is_refused(host: Host) -> None:
    with host.dial() as peer:
        channel = Channel(peer)
        channel.send("hello", 99, TOKEN)
        kind, detail = channel.receive()
    assert kind == "refused"
    assert "version 99" in detail


def test_more_sessions_than_allowed_are_refused_after_a_while(
    opened: Opened, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "QUEUE_SECONDS", 0.05)
    for _ in range(2):
        opened(ECHO, **host.facts).start()
    with pytest.raises(ScriptFailure, match=r"all 2 sessions have been in use for 0\.05 seconds"):
        opened(ECHO, **host.facts).start()


def test_a_session_waits_until_another_ends(opened: Opened, host: Host) -> None:
    first, second = (opened(ECHO, **host.facts) for _ in range(2))
    first.start()
    second.start()
    third = opened(ECHO, **host.facts)
    starting = threading.Thread(target=third.start)
    starting.start()
    first.finish()
    first.close()
    starting.join()
    assert list(third.process([{"n": 1}])) == [[{"n": 1}]]


def test_silent_strangers_do_not_shut_others_out(opened: Opened, host: Host) -> None:
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(host.dial()) for _ in range(40)]
        opened(ECHO, **host.facts).start()
        assert received_by(silent[0]) == b""  # the oldest makes room


def test_a_closed_session_makes_room(opened: Opened, host: Host) -> None:
    for _ in range(5):
        session = opened(ECHO, **host.facts)
        session.start()
        session.finish()
        session.close()


def test_a_lost_connection_ends_the_script(opened: Opened, host: Host) -> None:
    session = opened(
        "import os\ndef snaplogic_init():\n    return {'pid': os.getpid()}\n", **host.facts
    )
    [document] = session.start()
    session.interrupt()
    assert gone(document["pid"])
    with pytest.raises(ScriptFailure, match="interrupted"):
        session.finish()


def test_interrupt_ends_a_call_that_blocks(opened: Opened, host: Host) -> None:
    begun = threading.Event()
    session = opened(
        "import time\ndef snaplogic_process(row):\n    print('begun')\n    time.sleep(600)\n",
        output=lambda line: begun.set(),
        **host.facts,
    )
    session.start()
    caught: list[str] = []

    def process() -> None:
        try:
            session.process([{}])
        except ScriptFailure as error:
            caught.append(str(error))

    thread = threading.Thread(target=process)
    thread.start()
    assert begun.wait(240)
    session.interrupt()
    thread.join(240)
    assert caught == ["scripts/x.py was interrupted"]


def test_an_executor_that_goes_away_is_a_clear_error(opened: Opened, host: Host) -> None:
    session = opened(ECHO, **host.facts)
    session.start()
    host.stop()
    with pytest.raises(
        ScriptFailure, match=r"lost the connection to the script executor at 127.0.0.1:\d+"
    ):
        session.process([{}])


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        bytes(encode(["rows", []])),
        struct.pack("!I", 3) + b"\xc1\xc1\xc1",
        b"",
    ],
    ids=["other service", "other frame", "no frame", "nothing"],
)
def test_a_service_that_is_not_an_executor_is_a_clear_error(opened: Opened, reply: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        session = opened(ECHO, executor=f"127.0.0.1:{listener.getsockname()[1]}", token="x")
        with pytest.raises(ScriptFailure, match=r"script executor at 127.0.0.1:\d+(:| refused) "):
            session.start()
        thread.join()


def test_no_executor_at_the_address_is_a_clear_error(opened: Opened) -> None:
    with pytest.raises(
        ScriptFailure, match=r"could not connect to the script executor at 127.0.0.1:1"
    ):
        opened(ECHO, executor="127.0.0.1:1", token="x").start()


@pytest.mark.parametrize("address", ["host", "host:", ":1", "host:x", "host:99999"])
def test_an_invalid_address_is_a_configuration_error(opened: Opened, address: str) -> None:
    with pytest.raises(ConfigurationError, match="write host:port"):
        opened(ECHO, executor=address)


def test_a_remote_crash_is_reported_like_a_local_one(opened: Opened, host: Host) -> None:
    session = opened(
        "import os\nprint('last')\ndef snaplogic_process(row):\n    os._exit(3)\n", **host.facts
    )
    session.start()
    with pytest.raises(
        ScriptFailure, match="exited with code 3 while it was processing row 1"
    ) as caught:
        session.process([{}])
    assert "last" in caught.value.stacktrace


def test_the_time_limit_holds_there(opened: Opened, host: Host) -> None:
    source = "import time\ndef snaplogic_process(row):\n    time.sleep(600)\n"
    session = opened(source, timeout=0.2, **host.facts)
    session.start()
    with pytest.raises(ScriptFailure, match=r"limit of 0.2 seconds.*x.py, line 3"):
        session.process([{}])


def test_a_script_that_cannot_load_is_a_failure_there_too(opened: Opened, host: Host) -> None:
    with pytest.raises(ScriptFailure, match=r"NameError.*line 1"):
        opened("undefined\n", **host.facts).start()
    with pytest.raises(ScriptFailure, match="not a valid name for a script environment"):
        opened(ECHO, environment="../x", **host.facts).start()


def test_a_large_batch_is_split_for_an_executor(opened: Opened, host: Host) -> None:
    session = opened(ECHO, by=Executor(frame_limit=10_000), **host.facts)
    session.start()
    rows = [{"text": "x" * 3000} for _ in range(10)]
    assert session.process(rows) == [[row] for row in rows]
