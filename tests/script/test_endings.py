"""Sessions that end badly: kills, crashes, time limits, floods of output; and their leftovers."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from engine.script.executor import Executor
from engine.sdk.scripts import Script, ScriptError, ScriptFailure
from tests.script.conftest import Opened
from tests.script.processes import children_of, gone, until


def test_a_killed_script_is_a_clear_error_with_its_row_and_last_lines(opened: Opened) -> None:
    session = opened("""
        import os, signal
        print("before the end")
        def snaplogic_process(row):
            if row["n"] == 17:
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    session.start()
    with pytest.raises(ScriptFailure) as caught:
        session.process([{"n": n} for n in range(1, 30)])
    assert "killed by signal 9 (SIGKILL) while it was processing row 17" in str(caught.value)
    assert "before the end" in caught.value.stacktrace
    assert "out of memory?" in caught.value.resolution
    with pytest.raises(ScriptFailure, match="row 17"):
        session.finish()


def test_a_script_killed_from_outside_between_calls_is_a_clear_error(opened: Opened) -> None:
    session = opened("import os\ndef snaplogic_init():\n    return {'pid': os.getpid()}\n")
    [document] = session.start()
    os.kill(document["pid"], signal.SIGKILL)
    with pytest.raises(ScriptFailure, match="killed by signal 9"):
        session.process([{}])


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_a_script_that_waits_for_rows_is_noticed_at_once(end: signal.Signals) -> None:
    lost: queue.SimpleQueue[ScriptFailure] = queue.SimpleQueue()
    source = "import os\ndef snaplogic_init():\n    return {'pid': os.getpid()}\n"
    session = Executor().open(Script(source), lambda line: None, lost.put)
    try:
        [document] = session.start()
        os.kill(document["pid"], end)
        failure = lost.get(timeout=240)
        assert f"killed by signal {end.value}" in str(failure)
        assert "while it was waiting for rows" in str(failure)
        with pytest.raises(ScriptFailure, match="killed by signal"):
            list(session.process([{}]))
    finally:
        session.close()


def test_a_script_that_ends_properly_is_not_reported_as_lost() -> None:
    lost: list[ScriptFailure] = []
    session = Executor().open(Script("x = 1\n"), lambda line: None, lost.append)
    session.start()
    session.finish()
    session.close()
    assert lost == []


def test_a_script_that_closes_its_sockets_is_a_clear_error(opened: Opened) -> None:
    session = opened("""
        import os
        def snaplogic_process(row):
            os.closerange(3, 64)
            return row
    """)
    session.start()
    with pytest.raises(ScriptFailure, match="closed its connection to the engine"):
        session.process([{}])


def test_a_connection_closed_by_a_thread_is_noticed_while_the_script_waits_for_rows(
    tmp_path: Path,
) -> None:
    lost: queue.SimpleQueue[ScriptFailure] = queue.SimpleQueue()
    source = textwrap.dedent(f"""
        import os, threading, time
        def close():
            while not os.path.exists({str(tmp_path / "go")!r}):
                time.sleep(0.01)
            os.closerange(3, 64)
        threading.Thread(target=close, daemon=True).start()
        def snaplogic_process(row):
            return None
    """)
    session = Executor().open(Script(source), lambda line: None, lost.put)
    try:
        session.start()
        list(session.process([{}]))
        (tmp_path / "go").touch()
        assert "closed its connection to the engine" in str(lost.get(timeout=240))
    finally:
        session.close()


def test_a_killed_supervisor_takes_the_script_with_it(opened: Opened) -> None:
    session = opened("""
        import os, subprocess
        def snaplogic_init():
            sleeper = subprocess.Popen(["sleep", "600"])
            return {"pid": os.getpid(), "supervisor": os.getppid(), "sleeper": sleeper.pid}
    """)
    [document] = session.start()
    os.kill(document["supervisor"], signal.SIGKILL)
    assert gone(document["pid"])
    with pytest.raises(ScriptFailure, match="killed by signal 9"):
        session.process([{}])
    session.close()
    assert gone(document["sleeper"])


@pytest.mark.parametrize(
    ("place", "when"),
    [
        ("def snaplogic_process(row):\n", "while it was processing row 1"),
        ("def snaplogic_process_batch(rows):\n", "while it was processing rows 1 to 2"),
        ("def snaplogic_final():\n", "in snaplogic_final"),
        ("def snaplogic_init():\n", "in snaplogic_init"),
        ("if True:\n", "while it was being loaded"),
    ],
)
def test_os_exit_is_an_error_that_says_where(opened: Opened, place: str, when: str) -> None:
    session = opened(f"import os\n{place}    os._exit(3)\n")

    def run() -> None:
        session.start()
        session.process([{}, {}] if "process" in place else [])
        session.finish()

    with pytest.raises(ScriptFailure, match=f"exited with code 3 {when}"):
        run()


def test_a_crash_in_c_code_names_the_scripts_line(opened: Opened) -> None:
    session = opened("""
        import ctypes
        def snaplogic_process(row):
            ctypes.string_at(0)
    """)
    session.start()
    with pytest.raises(ScriptFailure, match=r"signal 11 \(SIGSEGV\) .*x.py, line 4"):
        session.process([{}])


@pytest.mark.parametrize(
    "endless",
    ["time.sleep(600)", "while True: pass", "ctypes.PyDLL(None).sleep(600)"],
    ids=["sleeping", "busy", "holding the GIL"],
)
def test_a_call_past_its_time_limit_is_ended_and_its_line_named(
    opened: Opened, endless: str
) -> None:
    session = opened(
        f"""
        import ctypes, time
        def snaplogic_process(row):
            if row["n"] == 2:
                {endless}
        """,
        timeout=2.0,  # the first row needs less, on a busy machine, too
    )
    session.start()
    with pytest.raises(ScriptFailure) as caught:
        session.process([{"n": 1}, {"n": 2}])
    assert "snaplogic_process took longer than its limit of 2 seconds" in caught.value.reason
    assert "while it was processing row 2" in caught.value.reason
    assert "(scripts/x.py, line 5, in snaplogic_process)" in caught.value.reason


@pytest.mark.parametrize("hook", ["snaplogic_init", "snaplogic_final"])
def test_the_time_limit_holds_for_the_other_hooks(opened: Opened, hook: str) -> None:
    session = opened(f"import time\ndef {hook}():\n    time.sleep(600)\n", timeout=0.2)

    def run() -> None:
        session.start()
        session.finish()

    with pytest.raises(ScriptFailure, match=f"{hook} took longer than its limit"):
        run()


def test_the_time_limit_is_for_one_row_not_for_the_batch(opened: Opened) -> None:
    session = opened("import time\ndef snaplogic_process(row):\n    time.sleep(0.4)\n", timeout=4)
    session.start()
    assert session.process([{}] * 12) == [[]] * 12


def test_interrupt_from_another_thread_returns_within_a_second(opened: Opened) -> None:
    begun = threading.Event()
    session = opened(
        "import time\ndef snaplogic_process(row):\n    print('begun')\n    time.sleep(600)\n",
        output=lambda line: begun.set(),
    )
    session.start()
    caught: list[BaseException] = []

    def process() -> None:
        try:
            session.process([{}])
        except ScriptFailure as error:
            caught.append(error)

    thread = threading.Thread(target=process)
    thread.start()
    assert begun.wait(240)
    session.interrupt()
    thread.join(240)
    assert not thread.is_alive()  # the script would sleep for 600 s
    assert "scripts/x.py was interrupted" in str(caught[0])
    with pytest.raises(ScriptFailure, match="interrupted"):
        session.finish()


def test_an_interrupted_session_does_not_start(opened: Opened) -> None:
    session = opened("print('x')\n")
    session.interrupt()
    with pytest.raises(ScriptFailure, match="interrupted"):
        session.start()


def test_a_megabyte_of_output_arrives_complete(opened: Opened) -> None:
    session = opened("for i in range(20_000):\n    print('x' * 50, i)\n")
    session.start()
    assert len(opened.lines) == 20_000
    assert opened.lines[-1] == "x" * 50 + " 19999"


def test_a_line_without_end_is_cut(opened: Opened) -> None:
    session = opened("""
        import sys
        for _ in range(20):
            sys.stdout.write("x" * 1_000_000)
        print()
        print("after")
    """)
    session.start()
    first, second = opened.lines
    assert len(first) < 70_000
    assert first.endswith("(line cut after 65536 bytes)")
    assert second == "after"


def test_a_progress_bar_that_rewrites_its_line_shows_its_last_state(opened: Opened) -> None:
    session = opened("""
        import sys
        for step in range(1000):
            sys.stdout.write(f"\\r{step}/1000")
            sys.stdout.flush()
        sys.stdout.write("\\rdone\\r\\n")
    """)
    session.start()
    assert opened.lines[-1] == "done"
    assert len(opened.lines) < 10


def test_a_grandchild_that_keeps_stdout_open_does_not_hold_up_anything(opened: Opened) -> None:
    session = opened("""
        import subprocess
        def snaplogic_init():
            return {"pid": subprocess.Popen(["sleep", "600"]).pid}
    """)
    [document] = session.start()
    session.finish()
    session.close()
    assert gone(document["pid"])


def test_a_daemon_in_a_session_of_its_own_is_ended_too(opened: Opened) -> None:
    session = opened("""
        import os, subprocess
        def snaplogic_init():
            daemon = "(setsid sleep 600 >/dev/null 2>&1 & echo $!)"
            text = subprocess.run(["sh", "-c", daemon], capture_output=True, text=True).stdout
            return {"pid": int(text)}
    """)
    [document] = session.start()
    command = Path(f"/proc/{document['pid']}/cmdline")
    assert until(lambda: command.read_bytes() == b"sleep\x00600\x00")
    session.close()
    assert gone(document["pid"])


def test_a_fork_that_comes_back_does_not_disturb_the_conversation(opened: Opened) -> None:
    session = opened("""
        import os
        def snaplogic_process(row):
            if os.fork() == 0:
                return {"from": "fork"}
            os.wait()
            return {"from": "script"}
    """)
    session.start()
    assert session.process([{}, {}]) == [[{"from": "script"}]] * 2


@pytest.mark.parametrize("end", ["close", "interrupt", "kill", "raise"])
def test_the_temporary_folder_is_removed(opened: Opened, end: str) -> None:
    session = opened("""
        import os
        def snaplogic_init():
            open(tmp_root + "file", "w").close()
            return {"root": tmp_root, "pid": os.getpid()}
        def snaplogic_final():
            raise ValueError
    """)
    [document] = session.start()
    assert Path(document["root"]).is_dir()
    if end == "interrupt":
        session.interrupt()
    if end == "kill":
        os.kill(document["pid"], signal.SIGKILL)
    if end == "raise":
        with pytest.raises(ScriptError):
            session.finish()
    session.close()
    session.close()
    assert not Path(document["root"]).parent.exists()
    assert gone(document["pid"])


def test_when_the_engine_is_killed_the_script_and_its_folder_vanish() -> None:
    parent = textwrap.dedent("""
        from engine.script.executor import Executor
        from engine.sdk.scripts import Script
        source = '''
        import os, subprocess, time
        def snaplogic_process(row):
            print(os.getpid(), subprocess.Popen(["sleep", "600"]).pid, tmp_root)
            time.sleep(600)
        '''
        session = Executor().open(Script(source), lambda line: print(line, flush=True))
        session.start()
        list(session.process([{}]))
    """)
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        script, grandchild, root = engine.stdout.readline().split()
        assert Path(root).is_dir()
        engine.send_signal(signal.SIGKILL)
    assert gone(int(script))
    assert gone(int(grandchild))
    assert until(lambda: not Path(root).parent.exists())


def test_a_session_leaves_no_process_and_no_descriptor_behind(opened: Opened) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    opened("print('x')\n").start()
    opened.sessions.pop().close()
    before, others = descriptors(), children_of(os.getpid())
    for source in ("print('x')\n", "raise ValueError\n", "import os; os._exit(1)\n"):
        session = opened(source)
        with contextlib.suppress(ScriptFailure):
            session.start()
        session.close()
    assert descriptors() == before
    assert children_of(os.getpid()) == others


def test_ctrl_c_at_the_terminal_does_not_reach_the_script(opened: Opened) -> None:
    session = opened("""
        import os
        def snaplogic_init():
            return {"group": os.getpgrp(), "session": os.getsid(0)}
    """)
    [document] = session.start()
    assert document["group"] != os.getpgrp()
    assert document["session"] != os.getsid(0)


def test_memory_that_runs_out_is_an_error_of_the_row(opened: Opened) -> None:
    session = opened("""
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
        def snaplogic_process(row):
            return {"size": len(bytearray(row["size"]))}
    """)
    session.start()
    large, small = session.process([{"size": 1 << 31}, {"size": 5}])
    assert "MemoryError" in str(large)
    assert small == [{"size": 5}]
