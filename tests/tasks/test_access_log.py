"""The access log: one line for each request, which no caller can forge."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.request_tags import RequestTag
from engine.tasks.front import line_writer
from engine.tasks.front.access import AccessEntry, AccessLog, LogFormat
from engine.tasks.front.head import Head
from engine.tasks.front.line_writer import LineWriter
from tests.tasks.hosting import in_loop

LINE = re.compile(
    r"127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
    r'"GET (\S+) HTTP/1\.1" 200 5 1\.5 - - - -'
)


def lines(form: LogFormat, raw_path: bytes = b"/tasks/a", query: bytes = b"") -> list[str]:
    stream = io.BytesIO()

    @in_loop
    async def write() -> None:
        log = AccessLog(LineWriter(stream.write), form)
        log.write(AccessEntry(head(raw_path, query), 200, 5, 0.0015))
        log.close()

    write()
    return stream.getvalue().decode().splitlines()


def head(raw_path: bytes = b"/", query: bytes = b"") -> Head:
    return Head("GET", raw_path.decode("latin-1"), query.decode("latin-1"), [], "127.0.0.1:4711")


def test_a_line_says_who_asked_what_and_how_it_went() -> None:
    (line,) = lines("text", b"/tasks/a", b"q=1")
    found = LINE.fullmatch(line)
    assert found is not None
    assert found[1] == "/tasks/a?q=1"


@pytest.mark.parametrize("part", ["path", "query"])
def test_a_quote_does_not_end_the_request(part: str) -> None:
    forged = b'/x" 200 5 1.5'
    (line,) = lines("text", forged if part == "path" else b"/", forged if part == "query" else b"")
    assert line.count('"') == 2


def test_a_line_of_json_is_one_object_whatever_was_asked() -> None:
    (line,) = lines("json", b'/a","status":500,"x":"', b"\\u000a\xe4")
    entry = json.loads(line)
    assert entry["path"] == '/a","status":500,"x":"?\\u000aä'
    assert entry["status"] == 200
    assert (entry["bytes"], entry["milliseconds"]) == (5, 1.5)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_path_without_end_is_cut(form: LogFormat) -> None:
    (line,) = lines(form, b"/", b"a" * 60_000)
    assert len(line) < 5_000


@in_loop
async def test_a_full_disk_does_not_cost_a_response(caplog: pytest.LogCaptureFixture) -> None:
    log = AccessLog("/dev/full")
    for _ in range(3):
        log.write(AccessEntry(head(), 200, 5, 0.001))
        log.flush()
    log.close()
    assert caplog.text.count("cannot write the access log") == 1


@in_loop
async def test_a_file_that_was_renamed_is_followed_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path))
    log.write(AccessEntry(head(b"/old"), 200, 5, 0.001))
    path.rename(tmp_path / "access.log.1")
    log.reopen()
    log.write(AccessEntry(head(b"/new"), 200, 5, 0.001))
    log.close()
    assert "GET /old" in (tmp_path / "access.log.1").read_text()
    assert "GET /new" in path.read_text()


@in_loop
async def test_lines_stay_in_the_old_file_if_there_can_be_no_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path))
    path.rename(tmp_path / "old")
    path.mkdir()
    log.reopen()
    log.write(AccessEntry(head(b"/new"), 200, 5, 0.001))
    log.close()
    assert "lines still go to the old file" in caplog.text
    assert "GET /new" in (tmp_path / "old").read_text()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot write the access log '.*'"):
        AccessLog(str(tmp_path))


def test_a_pipe_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match="cannot write the access log"):
        AccessLog(str(path))


@in_loop
async def test_a_reader_that_stalls_costs_lines_and_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "MAX_WAITING_BYTES", 200_000)
    monkeypatch.setattr(line_writer, "CLOSE_SECONDS", 0.01)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(path))
    for _ in range(200):
        log.write(AccessEntry(head(b"/" + b"a" * 4000), 200, 5, 0.001))
    log.close()
    assert log.dropped > 0
    os.close(reader)


ENTRY = AccessEntry(
    Head(
        "GET",
        "/tasks/a",
        "",
        [],
        "127.0.0.1:1",
        tag=RequestTag("mine", f"00-{'1' * 32}-{'2' * 16}-01"),
    ),
    200,
    5,
    0.01,
    "a",
    "ci bot",
    0.002,
    0.003,
)


def line_of(form: LogFormat) -> str:
    stream = io.BytesIO()

    @in_loop
    async def write() -> None:
        log = AccessLog(LineWriter(stream.write), form)
        log.write(ENTRY)
        log.close()

    write()
    return stream.getvalue().decode()


def test_a_line_tells_the_request_its_task_and_its_times() -> None:
    line = line_of("text")
    assert line.startswith("127.0.0.1 - ci%20bot [")
    assert line.endswith('"GET /tasks/a HTTP/1.1" 200 5 10.0 mine a 2.0 3.0\n')


def test_a_line_of_json_tells_the_same_by_name() -> None:
    entry = json.loads(line_of("json"))
    del entry["time"]
    assert entry == {
        "request_id": "mine",
        "client": "127.0.0.1",
        "token": "ci bot",
        "method": "GET",
        "scheme": "http",
        "host": None,
        "path": "/tasks/a",
        "status": 200,
        "bytes": 5,
        "milliseconds": 10.0,
        "task": "a",
        "queue_milliseconds": 2.0,
        "work_milliseconds": 3.0,
        "trace_id": "1" * 32,
    }
