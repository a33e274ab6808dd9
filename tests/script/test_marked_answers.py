"""In an ultra task: scripts that state which row a document answers, by a mark or a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.script.conftest import Opened
from tests.script.ultra_task import DROPPED, FAILED, TOOLS, Tasks, tasks


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Tasks]:
    with tasks(tmp_path) as opened:
        yield opened


def test_marked_answers_may_come_in_any_order(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) < 3:
                return None
            answers = [slt.answer(row, made(row)) for row in reversed(kept)]
            kept.clear()
            return answers
    """)
    ultra.give(1, 2)
    assert ultra.answers == {}
    ultra.give(3)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_a_row_that_was_kept_answers_itself_in_any_order(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            row["for"] = row.pop("id")
            kept.append(row)
            if row["for"] < 3:
                return None
            return [kept[1], kept[2], kept[0]]
    """)
    ultra.give_each(1, 2, 3)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_an_answer_marked_beforehand_keeps_its_row_waiting(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(slt.answer(row, made(row)))
            if len(kept) == 2:
                return [kept.pop(), kept.pop()]
    """)
    ultra.give(1)
    assert ultra.waiting == 1
    ultra.give(2)
    assert ultra.answers == {1: 1, 2: 2}


def test_a_ticket_stands_for_a_row_that_is_kept_only_in_part(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append((slt.ticket(row), row["id"]))
            if len(kept) == 3:
                return [slt.answer(ticket, {"for": id}) for ticket, id in reversed(kept)]
    """)
    ultra.give_each(1, 2)
    assert ultra.answers == {}
    ultra.give(3)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_a_kept_row_can_be_dropped_by_a_mark(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) == 2:
                return [slt.answer(kept[0], slt.get_drop_doc()), slt.answer(kept[1], made(row))]
    """)
    ultra.give_each(1, 2)
    assert ultra.answers == {1: DROPPED, 2: 2}


def test_answers_to_rows_that_have_been_answered_are_left_out(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            first = kept[0]
            return [slt.answer(first, {"for": 1, "again": row["id"]}), slt.answer(row, made(row))]
    """)
    ultra.give_each(1, 2)
    assert ultra.outcomes == {1: {"for": 1, "again": 1}, 2: {"for": 2}}
    ultra.finish()
    assert any(
        "the row given to slt.answer has already been answered" in line for line in ultra.shown
    )


def test_marks_and_tickets_have_no_effect_in_other_runs(opened: Opened) -> None:
    session = opened(
        TOOLS
        + """
def snaplogic_process(row):
    kept.append((slt.ticket(row), row))
    return [slt.answer(one, {"n": each["n"]}) for pair in kept for one, each in [pair]]
"""
    )
    session.start()
    assert session.process([{"n": 1}, {"n": 2}]) == [[{"n": 1}], [{"n": 1}, {"n": 2}]]


def test_a_copy_of_a_row_has_no_ticket(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(slt.ticket(dict(row)))
    """)
    ultra.give(1)
    assert ultra.answers == {1: FAILED}
    assert "this one is a copy, or has been answered" in ultra.errors[1]["reason"]


def test_only_documents_can_be_marked(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            return slt.answer(row, [made(row)])
    """)
    ultra.give(1)
    assert "slt.answer needs one document, a dict, but got list" in ultra.errors[1]["reason"]
