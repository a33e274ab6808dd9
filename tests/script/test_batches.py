"""Functions for batches, batches larger than a frame, and answers before the end of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.script.executor import Executor
from engine.sdk.scripts import ScriptError, ScriptFailure
from tests.script.conftest import Opened

ECHO = "def snaplogic_process(row):\n    return row\n"


def test_a_batch_function_gets_all_rows_at_once(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process_batch(rows):
            return [{"of": len(rows)}, None, [row for row in rows]]
    """)
    session.start()
    assert session.process([{"n": 1}, {"n": 2}, {"n": 3}]) == [
        [{"of": 3}],
        [],
        [{"n": 1}, {"n": 2}, {"n": 3}],
    ]


def test_after_an_exception_in_a_batch_each_row_is_retried_with_a_fresh_copy(
    opened: Opened,
) -> None:
    session = opened("""
        def snaplogic_process_batch(rows):
            rows[0]["spoilt"] = True
            raise ValueError("batch")
        def snaplogic_process(row):
            return {"got": row["n"] // row["n"], "spoilt": "spoilt" in row}
    """)
    session.start()
    first, second = session.process([{"n": 1}, {"n": 0}])
    assert first == [{"got": 1, "spoilt": False}]
    assert isinstance(second, ScriptError)


def test_a_batch_function_alone_answers_for_every_row(opened: Opened) -> None:
    session = opened("def snaplogic_process_batch(rows):\n    raise ValueError('batch')\n")
    session.start()
    answers = session.process([{}, {}])
    assert [str(answer) for answer in answers] == [
        "Python script error in scripts/x.py: ValueError: batch (scripts/x.py, line 2)"
    ] * 2


def test_a_batch_result_of_another_length_is_an_error_of_every_row(opened: Opened) -> None:
    session = opened("def snaplogic_process_batch(rows):\n    return rows[:1]\n")
    session.start()
    for answer in session.process([{}, {}]):
        assert isinstance(answer, ScriptError)
        assert "it got 2 rows and returned a list of 1" in answer.reason


def test_a_large_batch_is_split_to_fit_into_frames(opened: Opened) -> None:
    session = opened(ECHO, by=Executor(frame_limit=10_000))
    session.start()
    rows = [{"n": n, "text": "x" * 3000} for n in range(10)]
    assert session.process(rows) == [[row] for row in rows]


def test_a_row_too_large_for_a_frame_is_that_rows_error(opened: Opened) -> None:
    session = opened(ECHO, by=Executor(frame_limit=10_000))
    session.start()
    large, small = session.process([{"text": "x" * 20_000}, {"n": 1}])
    assert small == [{"n": 1}]
    assert "the limit is 10000 bytes" in str(large)


def test_an_answer_too_large_for_a_frame_is_that_rows_error(opened: Opened) -> None:
    session = opened(
        "def snaplogic_process(row):\n    return {'text': 'x' * row['size']}\n",
        by=Executor(frame_limit=10_000),
    )
    session.start()
    small, large = session.process([{"size": 1}, {"size": 20_000}])
    assert small == [{"text": "x"}]
    assert "could not pass on the result of snaplogic_process" in str(large)


WAITING = """
import os, time
def snaplogic_process(row):
    if row["n"] == {waits}:
        end = time.monotonic() + 240
        while not os.path.exists({gate!r}):
            if time.monotonic() > end:
                raise TimeoutError("the previous answer has not been sent")
            time.sleep(0.01)
    return row
"""


@pytest.mark.parametrize("count", [2, 50])
def test_answers_leave_while_the_next_row_is_processed(
    opened: Opened, tmp_path: Path, count: int
) -> None:
    gate = tmp_path / "gate"
    session = opened(WAITING.format(waits=count - 1, gate=str(gate)))
    session.start()
    rows = [{"n": n} for n in range(count)]
    answers: list[Any] = []
    for part in session.parts.process(rows):
        answers += part
        if len(answers) == count - 1:
            gate.touch()
    assert answers == rows


def test_answers_come_again_in_parts_after_a_pause(opened: Opened, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    session = opened(WAITING.format(waits=1, gate=str(gate)))
    session.start()
    for _ in range(3):
        parts = session.parts.process([{"n": 0}, {"n": 1}])
        assert next(parts) == [{"n": 0}]
        gate.touch()
        assert list(parts) == [[{"n": 1}]]
        gate.unlink()


def test_answers_before_the_end_of_the_script_are_delivered(opened: Opened, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    session = opened(f"""
        import os, time
        def snaplogic_process(row):
            if row["n"] == 2:
                while not os.path.exists({str(gate)!r}):
                    time.sleep(0.01)
                os._exit(3)
            return row
    """)
    session.start()
    parts = session.parts.process([{"n": n} for n in range(4)])
    answers: list[Any] = []
    while len(answers) < 2:
        answers += next(parts)
    assert answers == [{"n": 0}, {"n": 1}]
    gate.touch()
    with pytest.raises(ScriptFailure, match="exited with code 3 while it was processing row 3"):
        next(parts)
