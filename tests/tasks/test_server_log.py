"""The log of the server: no text from outside forges a line, no stalled reader stops the server."""

from __future__ import annotations

import json
import logging
import threading

import pytest

from engine.tasks.front import line_writer
from engine.tasks.front.access import LogFormat
from engine.tasks.front.line_writer import LineWriter
from engine.tasks.server.logs import configure_logs

FORGED = "bad\n2026-01-01 00:00:00 other: task reloaded\r\x1b[2J\u2028x"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_text_from_outside_stays_in_its_record(
    form: LogFormat, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    logger = logging.getLogger("engine")
    before = logger.handlers[:], logger.level, logger.propagate
    configure_logs(form)
    try:
        logger.warning("request failed: %s", FORGED, extra={"task": "a"})
        logger.info("next", extra={"task": "a"})
        for handler in logger.handlers:
            handler.close()
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    lines = capfdbinary.readouterr().err.decode().rstrip("\n").split("\n")
    if form == "json":
        assert [json.loads(line)["message"] for line in lines] == [
            f"request failed: {FORGED}",
            "next",
        ]
        return
    first, forged, last = lines
    assert first.endswith("a: warning: request failed: bad")
    assert forged == "    2026-01-01 00:00:00 other: task reloaded\\r\\x1b[2J\\u2028x"
    assert last.endswith("a: next")


def test_lines_are_written_in_order() -> None:
    written: list[bytes] = []
    writer = LineWriter(written.append)
    for number in range(100):
        writer.write(b"%d\n" % number)
    writer.close()
    assert b"".join(written) == b"".join(b"%d\n" % number for number in range(100))


def test_lines_that_nobody_reads_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_writer, "MAX_WAITING_BYTES", 10)
    written: list[bytes] = []
    begun, gate = threading.Event(), threading.Event()

    def write(data: bytes) -> None:
        begun.set()
        gate.wait()
        written.append(data)

    writer = LineWriter(write)
    writer.write(b"first\n")
    begun.wait()
    for _ in range(3):
        writer.write(b"dropped\n")
    writer.write(b"ok\n")
    gate.set()
    writer.close()
    assert written == [b"first\n", b"3 lines were dropped: nobody read them in time\nok\n"]


def test_a_full_disk_is_reported_and_the_next_line_tried() -> None:
    errors: list[OSError] = []

    def fail(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    writer = LineWriter(fail, errors.append)
    writer.write(b"a\n")
    writer.write(b"b\n")
    writer.close()
    assert [error.errno for error in errors] == [28, 28]
