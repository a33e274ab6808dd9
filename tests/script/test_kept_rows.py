"""In an ultra task: which request is answered by the result for a row, and when.

A script may keep rows and answer them later; nobody may ever get the answer to another request.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.script.executor import Executor
from engine.sdk.scripts import ScriptError
from tests.script.conftest import Opened
from tests.script.ultra_task import DROPPED, FAILED, FOUR_AT_A_TIME, Tasks, tasks


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Tasks]:
    with tasks(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    "batches", [[[1, 2, 3, 4, 5]], [[1], [2], [3], [4], [5]], [[1, 2], [3, 4, 5]]]
)
def test_rows_that_are_kept_wait_and_a_list_answers_them_in_order(
    task: Tasks, batches: list[list[int]]
) -> None:
    ultra = task(FOUR_AT_A_TIME)
    for batch in batches:
        ultra.give(*batch)
    assert ultra.answers == {1: 1, 2: 2, 3: 3, 4: 4}
    assert ultra.waiting == 1
    assert list(ultra.outcomes) == [1, 2, 3, 4]


def test_a_row_that_cannot_be_sent_fails_its_request_alone(task: Tasks) -> None:
    ultra = task("def snaplogic_process(row):\n    return made(row)\n")
    ultra.give_rows({"id": 1}, {"id": 2, "root": float("nan")}, {"id": 3})
    assert ultra.answers == {1: 1, 2: FAILED, 3: 3}
    assert ultra.errors[2]["reason"] == "$.root is NaN, which JSON cannot represent"
    assert ultra.waiting == 0


def test_only_parts_kept_without_a_ticket_answer_no_request(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row["id"])
            if len(kept) < 3:
                return None
            return [{"for": id} for id in kept]
    """)
    ultra.give(1, 2)
    ultra.give(3)
    assert ultra.answers == {1: DROPPED, 2: DROPPED, 3: FAILED}
    error = ultra.errors[3]
    assert "returned None for a row that it did not keep" in error["reason"]
    assert "slt.answer(row, document)" in error["resolution"]
    assert "line 6)" in error["reason"]


def test_a_list_of_one_is_not_trusted_either_after_a_row_was_lost(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row["id"])
            return [{"for": kept[-2]}] if len(kept) > 1 else None
    """)
    ultra.give_each(1, 2)
    assert ultra.answers == {1: DROPPED, 2: FAILED}


def test_answers_prepared_from_released_rows_answer_no_request(task: Tasks) -> None:
    ultra = task("""
        answers = []
        def snaplogic_process(row):
            kept.append(row)
            if row["id"] == 2:
                answers.extend(made(row) for row in kept)
                kept.clear()
            return answers if row["id"] == 3 else None
    """)
    ultra.give_each(1, 2, 3)
    assert ultra.answers == {1: DROPPED, 2: DROPPED, 3: FAILED}


def test_a_drop_document_and_a_none_drop_a_row(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if row["id"] == 1:
                return slt.get_drop_doc()
            if row["id"] == 2:
                return None
            return made(row)
    """)
    ultra.give(1, 2, 3)
    assert ultra.answers == {1: DROPPED, 2: DROPPED, 3: 3}


def test_a_kept_row_that_is_released_without_an_answer_is_dropped(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept[:] = [row]
            return None
    """)
    ultra.give(1)
    assert ultra.answers == {}
    ultra.give(2)
    assert ultra.answers == {1: DROPPED}
    assert ultra.waiting == 1


def test_several_documents_while_nothing_is_kept_answer_the_current_row(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            return [slt.get_drop_doc(), made(row), {"for": row["id"], "second": True}]
    """)
    ultra.give(1, 2)
    assert ultra.outcomes == {1: {"for": 1}, 2: {"for": 2}}


AMBIGUOUS = {
    "too few": "return [made(row) for row in rows[1:]]",
    "too many": "return [*map(made, rows), {'for': 0}]",
    "one alone": "return made(rows[0])",
    "one in a list": "return [made(rows[0])]",
    "with a drop document": "return [slt.get_drop_doc(), *map(made, rows)]",
}


@pytest.mark.parametrize("returned", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_documents_are_refused(task: Tasks, returned: str) -> None:
    ultra = task(f"""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) < 3:
                return None
            rows = kept.copy()
            kept.clear()
            {returned}
    """)
    ultra.give_each(1, 2, 3)
    assert ultra.answers == {1: FAILED, 2: FAILED, 3: FAILED}
    assert "the call released kept rows (2)" in ultra.errors[1]["reason"]
    assert ultra.errors[3]["original"]["id"] == 3


def test_answers_one_call_late_are_refused_again_and_again(task: Tasks) -> None:
    ultra = task("""
        last = None
        def snaplogic_process(row):
            global last
            before, last = last, row
            return None if before is None else made(before)
    """)
    ultra.give_each(1, 2, 3, 4)
    assert ultra.answers == {1: FAILED, 2: FAILED, 3: FAILED, 4: FAILED}


def test_documents_that_refer_to_kept_rows_do_not_keep_them(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) < 3:
                return None
            answers = [{"for": row["id"], "row": row} for row in kept]
            kept.clear()
            return answers
    """)
    ultra.give_each(1, 2, 3)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_rows_that_are_also_in_a_log_do_not_count_as_released(task: Tasks) -> None:
    ultra = task("""
        log = []
        def snaplogic_process(row):
            log.append(row)
            kept.append(row)
            if len(kept) < 2:
                return None
            answers = [made(row) for row in kept]
            kept.clear()
            return answers
    """)
    ultra.give_each(1, 2)
    assert ultra.answers == {2: FAILED}
    assert "a list must hold one document for each row" in ultra.errors[2]["reason"]


def test_a_dict_that_is_used_for_every_answer_holds_each_answer_in_turn(task: Tasks) -> None:
    ultra = task("""
        out = {"values": []}
        def snaplogic_process(row):
            out["for"] = row["id"]
            out["values"][:] = [row["id"]]
            return out
    """)
    ultra.give(1, 2, 3)
    assert ultra.outcomes == {n: {"for": n, "values": [n]} for n in (1, 2, 3)}


def test_a_row_that_serves_as_a_cache_answers_later_requests_too(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if not kept:
                kept.append(row)
            kept[0]["for"] = row["id"]
            return kept[0]
    """)
    ultra.give(1, 2)
    ultra.give(3)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_rows_that_a_failing_call_releases_fail_with_it(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if row["id"] < 3:
                kept.append(row)
                return None
            kept.clear()
            raise ValueError("no")
    """)
    ultra.give(1, 2)
    ultra.give(3)
    assert ultra.answers == {1: FAILED, 2: FAILED, 3: FAILED}


def test_a_failed_row_that_is_still_kept_has_its_place_in_a_list(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if row["id"] == 1:
                raise ValueError("not yet")
            answers = [made(row) for row in kept]
            kept.clear()
            return answers
    """)
    ultra.give_each(1, 2)
    assert ultra.answers == {1: FAILED, 2: 2}


def test_an_exception_that_is_caught_does_not_keep_the_row(task: Tasks) -> None:
    ultra = task("""
        def checked(row):
            error = ValueError(row)
            raise error  # the frame refers to the error, and the error to the frame
        def snaplogic_process(row):
            try:
                checked(row)
            except ValueError:
                return None
    """)
    ultra.give(1)
    assert ultra.answers == {1: DROPPED}


def test_an_answer_that_cannot_be_sent_fails_its_own_row(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) == 3:
                answers = [made(row) for row in kept]
                answers[1]["text"] = chr(0xd800)
                kept.clear()
                return answers
    """)
    ultra.give(1, 2, 3)
    assert ultra.answers == {1: 1, 2: FAILED, 3: 3}


def test_rows_that_take_several_frames_keep_their_numbers(opened: Opened) -> None:
    session = opened(
        "def snaplogic_process(row):\n    return {'back': row['text']}\n",
        by=Executor(frame_limit=3000),
    )
    session.start()
    sizes = [1000, 10, 1500, 5000, 20, 2000]
    rows = [{"text": "x" * size} for size in sizes]
    outcomes = dict(session.process_tracked(rows, [1, 2, 3, 4, 5, 6]))
    assert isinstance(outcomes.pop(4), ScriptError)
    expected = {number: [{"back": row["text"]}] for number, row in enumerate(rows, 1)}
    del expected[4]
    assert outcomes == expected
