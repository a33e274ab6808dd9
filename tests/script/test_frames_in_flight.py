"""Large batches: rows are sent ahead of the answers, which come in order."""

from __future__ import annotations

from typing import Any

import pytest

from engine.script.frame_sizes import FRAME_ROWS
from engine.script.session import FRAME_BYTES
from engine.sdk.scripts import ScriptError, ScriptFailure
from tests.script.conftest import Opened
from tests.script.processes import until

ECHO = "def snaplogic_process(row):\n    return row\n"
A_FRAME = "x" * (FRAME_BYTES * 6 // 10)
MANY = [{"n": n} for n in range(3 * FRAME_ROWS)]
UNSENDABLE = {"n": object()}


def test_the_next_rows_are_there_before_the_previous_answers_are_taken(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process(row):
            print("row", row["n"])
            return {"n": row["n"]}
    """)
    session.start()
    answers = session.parts.process([{"n": n, "text": A_FRAME} for n in range(4)])
    assert next(answers) == [{"n": 0}]
    assert until(lambda: "row 1" in opened.lines)
    assert "row 2" not in opened.lines
    assert [answer for part in answers for answer in part] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_rows_and_answers_larger_than_the_connection_holds_do_not_block_each_other(
    opened: Opened,
) -> None:
    session = opened("def snaplogic_process(row):\n    return [row, row]\n")
    session.start()
    rows = [{"n": n, "text": A_FRAME * 16} for n in range(8)]
    assert session.process(rows) == [[row, row] for row in rows]


def test_answers_come_in_the_order_of_the_rows(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process(row):
            if row["n"] % 7 == 3:
                raise ValueError(row["n"])
            return row if row["n"] % 5 else None
    """)
    session.start()
    rows: list[dict[str, Any]] = [*MANY]
    places = [0, 1, FRAME_ROWS - 1, FRAME_ROWS, 2000, len(MANY) - 1]
    for place in places:
        rows[place] = UNSENDABLE
    answers = session.process(rows)
    assert len(answers) == len(rows)
    for n, answer in enumerate(answers):
        if isinstance(answer, ScriptError):
            expected = "could not send a row" if n in places else f"ValueError: {n} "
            assert expected in f"{answer.error}: {answer.reason}"
        else:
            assert answer == ([{"n": n}] if n % 5 else [])
    failed = {n for n, answer in enumerate(answers) if isinstance(answer, ScriptError)}
    assert failed == {*places, *range(3, len(rows), 7)}


BATCHES = """
    def snaplogic_process_batch(rows):
        return [{"n": row["n"], "together": len(rows)} for row in rows]
"""


def test_a_function_for_batches_gets_the_rows_of_all_frames_together(opened: Opened) -> None:
    session = opened(BATCHES)
    session.start()
    assert session.process(MANY) == [[row | {"together": len(MANY)}] for row in MANY]
    assert session.process(MANY[:5]) == [[row | {"together": 5}] for row in MANY[:5]]


def test_a_row_that_cannot_be_sent_divides_a_batch(opened: Opened) -> None:
    session = opened(BATCHES)
    session.start()
    before, after = FRAME_ROWS + 1, 2 * FRAME_ROWS - 2
    rows: list[Any] = [*MANY[:before], UNSENDABLE, *MANY[before + 1 :]]
    answers = session.process(rows)
    assert isinstance(answers.pop(before), ScriptError)
    expected = [before] * before + [after] * after
    assert [answer[0]["together"] for answer in answers] == expected  # type: ignore[index]
    assert [answer[0]["n"] for answer in answers] == [  # type: ignore[index]
        row["n"] for row in MANY if row["n"] != before
    ]


def test_rows_of_a_batch_that_raises_are_processed_one_by_one_as_they_were_sent(
    opened: Opened,
) -> None:
    session = opened("""
        def snaplogic_process_batch(rows):
            for row in rows:
                row["n"] = "changed"
            raise ValueError
        def snaplogic_process(row):
            return row
    """)
    session.start()
    assert session.process(MANY) == [[row] for row in MANY]


def test_a_script_that_dies_has_answered_exactly_what_has_arrived(opened: Opened) -> None:
    session = opened(f"""
        import os
        def snaplogic_process(row):
            if row["n"] == {FRAME_ROWS + 7}:
                os._exit(3)
            return row
    """)
    session.start()
    arrived: list[Any] = []
    with pytest.raises(ScriptFailure, match=f"while it was processing row {FRAME_ROWS + 8}"):
        arrived.extend(answer for part in session.parts.process(MANY) for answer in part)
    assert len(arrived) >= FRAME_ROWS
    assert arrived == MANY[: len(arrived)]
