"""Failed requests in the log: a few per second in full, and a count of the rest."""

from __future__ import annotations

from engine.tasks.worker.failure_log import LINES_PER_SECOND, MAX_IDS, FailureLog


def test_ten_thousand_failures_of_a_second_leave_a_few_lines_and_then_their_number() -> None:
    lines: list[str] = []
    now = 7.0
    log = FailureLog(lambda snap, text, request_id: lines.append(text), clock=lambda: now)
    for _ in range(10_000):
        log.add({"snap": "a", "error": "it failed"})
    assert lines == ["run failed: it failed"] * LINES_PER_SECOND
    now = 8.0
    log.add({"snap": "a", "error": "once more"})
    left = 10_000 - LINES_PER_SECOND
    assert lines[LINES_PER_SECOND:] == [f"{left} more failed", "run failed: once more"]


def test_what_was_only_counted_is_told_without_another_failure() -> None:
    lines: list[str] = []
    now = 7.0
    log = FailureLog(lambda snap, text, request_id: lines.append(text), clock=lambda: now)
    for _ in range(2 * LINES_PER_SECOND):
        log.add({"snap": "a", "error": "it failed"})
    log.flush()
    assert len(lines) == LINES_PER_SECOND
    now = 8.0
    log.flush()
    log.flush()
    log.flush(last=True)
    assert lines[LINES_PER_SECOND:] == [f"{LINES_PER_SECOND} more failed"]


def test_the_end_tells_what_was_only_counted() -> None:
    lines: list[str] = []
    log = FailureLog(lambda snap, text, request_id: lines.append(text), clock=lambda: 7.0)
    for _ in range(LINES_PER_SECOND + 1):
        log.add({"snap": "a", "error": "it failed"})
    log.flush(last=True)
    assert lines[LINES_PER_SECOND:] == ["1 more failed"]


def test_the_note_names_the_requests_that_it_counts() -> None:
    lines: list[str] = []
    now = 7.0
    log = FailureLog(lambda snap, text, request_id: lines.append(text), clock=lambda: now)
    for number in range(LINES_PER_SECOND + MAX_IDS + 1):
        log.add({"snap": "a", "error": "it failed"}, f"id-{number}")
    now = 8.0
    log.add({"snap": "a", "error": "once more"}, "last")
    note = lines[LINES_PER_SECOND]
    assert note.startswith(f"{MAX_IDS + 1} more requests failed: id-5, id-6, ")
    assert note.endswith(f"id-{MAX_IDS + 4}, …")


def test_an_expression_is_placed_in_the_pipeline() -> None:
    lines: list[str] = []
    log = FailureLog(lambda snap, text, request_id: lines.append(text))
    error = {"error": "it failed", "stacktrace": "  $a.b\n  ^^"}
    log.add({**error, "snap_details": {"label": "a", "line": 3}})
    log.add({**error, "snap_details": {"label": "a", "target": "$x", "line": 8}})
    log.add({**error, "snap_details": {"label": "a"}})
    assert [line.split("\n")[0] for line in lines] == [
        "run failed: it failed (line 3 of the pipeline)",
        "run failed: it failed (target '$x', line 8 of the pipeline)",
        "run failed: it failed",
    ]
