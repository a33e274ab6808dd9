"""The server from startup to shutdown: errors are reported, and no request or process is left."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.tasks.front.http_server import RECENT_SECONDS
from tests.tasks.callers import children, in_background, metric, post
from tests.tasks.conftest import END_SECONDS, START_SECONDS, Serve, Served
from tests.tasks.slow_pipelines import HOLDS, SLOW, echo, pipeline


def serve_until_it_ends(*arguments: str | Path, folder: Path) -> tuple[int, str]:
    """Exit code and standard error of a server that cannot start."""
    command = [sys.executable, "-m", "engine", "serve", *map(str, arguments)]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def alive(pid: int) -> bool:
    """Whether a process is running and not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


# Start


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, response = serve_until_it_ends(
            echo(tmp_path, "x"), "--port", str(port), folder=tmp_path
        )
    assert code == 1
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use" in response
    assert "--port (0 takes a free one)" in response
    assert "Traceback" not in response


def test_a_pipeline_with_mistakes_is_not_served(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("pipeline: Wrong\nsnaps:\n  a: {snap: Fliter, filter: 'true'}\n")
    code, response = serve_until_it_ends(file, "--port", "0", folder=tmp_path)
    assert code == 2
    assert "wrong.yaml:3:13  unknown-snap" in response


def test_a_missing_parameter_is_named_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "needs.yaml"
    file.write_text(
        "pipeline: Needs\nparameters:\n  token: {required: true, description: callers send it}\n"
        "snaps:\n  a: {snap: Filter, filter: $token == _token}\n"
    )
    code, response = serve_until_it_ends(file, "--port", "0", folder=tmp_path)
    assert code == 2
    assert "token" in response
    assert "callers send it" in response
    code, response = serve_until_it_ends(file, "--port", "0", "--param", "tokn=x", folder=tmp_path)
    assert code == 2
    assert "did you mean 'token'?" in response


def test_a_missing_model_file_ends_the_server_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "hosting.yaml"
    file.write_text("""\
pipeline: Hosting
snaps:
  read: {snap: FileReader, file: gone.json}
  parse: {snap: JSONParser}
  ask: {snap: Filter, filter: 'true'}
  join: {snap: Union}
links: [read -> parse -> join, ask -> join]
""")
    code, response = serve_until_it_ends(file, "--port", "0", folder=tmp_path)
    assert code == 1
    assert "hosting: error: the task could not be started in 5 tries: snap 'read'" in response
    assert "gone.json" in response
    assert "no task could be started; shutting down" in response
    assert "Traceback" not in response


def test_a_script_that_fails_to_load_ends_the_server_with_its_line(tmp_path: Path) -> None:
    file = pipeline(tmp_path, "raise ValueError('the model is broken')\n")
    code, response = serve_until_it_ends(file, "--port", "0", folder=tmp_path)
    assert code == 1
    assert "the model is broken" in response
    assert 'File "slow.py", line 1' in response


def test_a_request_that_comes_before_the_model_is_ready_waits_for_it(
    serve: Serve, tmp_path: Path
) -> None:
    waits = 'while not os.path.exists("go"): time.sleep(0.01)\n'
    script = SLOW.replace("def snaplogic_init()", f"{waits}def snaplogic_init()")
    served = serve(pipeline(tmp_path, script), ready=False)
    assert not served.is_ready()
    call = in_background(post, served, "slow", id=1)
    served.wait_for(lambda: metric(served, 'snapline_queue_depth{task="slow"}') == 1)
    (tmp_path / "go").touch()
    call.join()
    assert call.result == (200, {"id": 1})


@pytest.mark.parametrize("host", ["192.0.2.1", "..", "x" * 300])
def test_a_host_that_is_not_of_this_machine_gets_another_remedy(tmp_path: Path, host: str) -> None:
    code, response = serve_until_it_ends(
        echo(tmp_path, "x"), "--host", host, "--port", "0", folder=tmp_path
    )
    assert code == 1
    assert "give an address of this machine with --host" in response


def test_a_drain_delay_that_is_not_a_duration_is_refused(tmp_path: Path) -> None:
    code, response = serve_until_it_ends(
        echo(tmp_path, "x"), "--drain-delay", "soon", folder=tmp_path
    )
    assert code == 2
    assert "--drain-delay: 'soon' is not a duration; write seconds" in response


def test_an_origin_that_no_browser_sends_is_refused(tmp_path: Path) -> None:
    code, response = serve_until_it_ends(
        echo(tmp_path, "x"), "--allow-origin", "example.org", folder=tmp_path
    )
    assert code == 2
    assert "--allow-origin example.org: write scheme and host" in response


def test_parameters_from_callers_are_not_required_at_startup(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "report.yaml").write_text("""\
pipeline: Report
parameters: {day: {required: true}}
snaps: {shape: {snap: Mapper, mappings: {$day: _day}}}
""")
    task = tmp_path / "task.yaml"
    task.write_text("name: report\ntype: triggered\npipeline: report.yaml\n")
    served = serve(task)
    assert post(served, "report?day=monday")[1] == [{"day": "monday"}]
    status, response = post(served, "report")
    assert status == 400
    assert "'day' is required" in response["reason"]


# What goes wrong


def test_the_log_says_why_a_request_failed_with_the_line_of_the_script(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(pipeline(tmp_path, SLOW.replace('row["content"]["id"]', 'row["content"]["no"]')))
    status, response = post(served, "slow", id=1)
    assert status == 500
    assert "Traceback" not in str(response)
    for words in (
        "KeyError",
        "slow: [answer] warning: request failed: Python script error",
        'File "slow.py", line 5, in snaplogic_process',
    ):
        served.wait_for(partial(is_logged, served, words))


def is_logged(served: Served, words: str) -> bool:
    return words in served.stderr


def test_a_failed_request_is_in_the_log(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "fails.yaml"
    file.write_text("pipeline: Fails\nsnaps: {a: {snap: Mapper, mappings: {$x: $gone}}}\n")
    served = serve(file)
    assert post(served, "fails")[0] == 500
    served.wait_for(lambda: "request failed" in served.stderr)


def test_a_list_of_processes_names_the_task(serve: Serve, tmp_path: Path) -> None:
    served = serve(echo(tmp_path, "a"))
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in children(served.pid)]
    assert any("\0echo: instance 1\0" in line for line in lines)


# End


def test_a_request_in_work_gets_its_answer_when_the_server_is_asked_to_end(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(pipeline(tmp_path))
    processes = children(served.pid)
    call = in_background(post, served, "slow", id=5, waits=True)
    served.wait_for(lambda: in_flight(served, "slow") == 1)
    served.signal(signal.SIGTERM)
    served.wait_for(lambda: "shutting down" in served.stderr)
    (tmp_path / "go").touch()
    call.join()
    assert call.result == (200, {"id": 5})
    assert served.process.wait(END_SECONDS) == 0
    wait_until_gone(processes)


def test_rows_that_a_script_holds_are_answered_when_the_server_ends(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(pipeline(tmp_path, HOLDS, "holds"))
    calls = [in_background(post, served, "holds", id=number) for number in range(5)]
    served.wait_for(lambda: in_flight(served, "holds") == 5)
    assert served.stop() == 0
    for number, call in enumerate(calls):
        call.join()
        assert call.result == (200, {"id": number})


def in_flight(served: Any, task: str) -> float:
    return metric(served, f'snapline_in_flight{{task="{task}"}}')


def test_requests_that_take_longer_than_the_shutdown_are_reported(
    serve: Serve, tmp_path: Path
) -> None:
    pipeline(tmp_path)
    (tmp_path / "slow.task.yaml").write_text(
        "name: slow\ntype: ultra\npipeline: slow.yaml\ntimeouts: {drain: 0.2s}\n"
    )
    served = serve("slow.task.yaml")
    call = in_background(post, served, "slow", id=5, waits=True)
    served.wait_for(lambda: in_flight(served, "slow") == 1)
    assert served.stop() == 0
    call.join()
    assert call.result[0] == 503
    assert "1 request was still open at shutdown and not answered" in served.stderr


def wait_until_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while any(alive(pid) for pid in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in processes if alive(pid)]


def test_a_second_signal_ends_it_at_once(serve: Serve, tmp_path: Path) -> None:
    served = serve(pipeline(tmp_path))
    processes = children(served.pid)
    call = in_background(post, served, "slow", id=5, waits=True)
    served.wait_for(lambda: in_flight(served, "slow") == 1)
    served.signal(signal.SIGINT)
    served.wait_for(lambda: "shutting down" in served.stderr)
    served.signal(signal.SIGINT)
    assert served.process.wait(END_SECONDS) == 130  # the call would go on forever
    call.join()
    assert call.result[0] == 503
    wait_until_gone(processes)


def test_nothing_is_left_when_the_front_is_killed_and_it_can_be_started_again(
    serve: Serve, tmp_path: Path
) -> None:
    file = pipeline(tmp_path)
    served = serve(file, "--instances", "2")
    processes = children(served.pid)
    assert len(processes) >= 4  # two instances, and a script under each
    os.kill(served.pid, signal.SIGKILL)
    served.process.wait()
    wait_until_gone(processes)
    assert post(serve(file), "slow", id=1) == (200, {"id": 1})


@pytest.mark.parametrize("delay", [[], ["--drain-delay", "5s"]])
def test_callers_that_keep_their_connections_lose_nothing_when_the_server_stops(
    serve: Serve, tmp_path: Path, delay: list[str]
) -> None:
    log = tmp_path / "access.log"
    served = serve(echo(tmp_path, "old"), "--access-log", log, *delay)
    outcomes: Counter[str] = Counter()
    stopping = threading.Event()

    def caller() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        begun = time.monotonic()
        while True:
            is_new = connection.sock is None
            asked_before, begun = begun, time.monotonic()
            try:
                connection.request("POST", "/tasks/echo", b'{"id": 1}')
                response = connection.getresponse()
            except http.client.RemoteDisconnected:  # this caller was idle for seconds
                continue
            except ConnectionError as error:
                connection.close()
                if not is_new and time.monotonic() - asked_before > RECENT_SECONDS:
                    continue  # so long that the connection does not even end in order
                outcomes["refused" if is_new else repr(error)] += 1
                return
            response.read()
            outcomes[str(response.status)] += 1
            if outcomes["200"] > 100:
                stopping.set()

    callers = [in_background(caller) for _ in range(64)]
    assert stopping.wait(START_SECONDS)
    served.signal(signal.SIGTERM)
    for each in callers:
        each.join()
    assert set(outcomes) == {"200", "refused"}
    assert served.process.wait(END_SECONDS) == 0
    assert log.read_text().count("POST /tasks/echo") == outcomes["200"]
