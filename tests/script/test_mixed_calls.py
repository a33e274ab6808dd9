"""In an ultra task: calls of a script that are for no request or for several, in any order.

Examples are a row without a request, such as a model; the end of the run; and batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import Document
from tests.script.ultra_task import DROPPED, FAILED, FOUR_AT_A_TIME, Task, Tasks, tasks


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Tasks]:
    with tasks(tmp_path) as opened:
        yield opened


MODEL_LAST = """
model = None
def snaplogic_process(row):
    global model
    if "model" in row:
        model = row["model"]
        answers = [made(row) for row in kept]
        kept.clear()
        return RETURNED
    if model is None:
        kept.append(row)
        return None
    return made(row)
"""


@pytest.mark.parametrize("requests", [[1], [1, 2, 3]])
@pytest.mark.parametrize("returned", ["[slt.get_drop_doc(), *answers]", "answers"])
def test_the_model_may_come_after_the_requests(
    task: Tasks, returned: str, requests: list[int]
) -> None:
    ultra = task(MODEL_LAST.replace("RETURNED", returned))
    ultra.give(*requests)
    assert ultra.answers == {}
    ultra.give_model()
    ultra.give(9)
    assert ultra.answers == {n: n for n in [*requests, 9]}


def test_a_model_between_requests_does_not_disturb_them(task: Tasks) -> None:
    ultra = task(MODEL_LAST.replace("RETURNED", "answers"))
    ultra.give_rows({"id": 1}, {"id": 2}, {"model": True}, {"id": 3})
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_a_row_that_nobody_waits_for_has_its_place_in_a_list(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) == 1:
                return None
            answers = [{"for": row.get("id")} for row in kept]
            kept.clear()
            return answers
    """)
    ultra.give_model()
    ultra.give(1)
    assert ultra.answers == {1: 1}


def test_a_model_that_is_kept_as_a_row_does_not_disturb_requests(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if "model" in row:
                kept.append(row)
                return None
            return [made(row), made(row)]
    """)
    ultra.give_model()
    ultra.give(1, 2)
    ultra.finish()
    assert ultra.answers == {1: 1, 2: 2}


def test_a_document_for_the_model_itself_makes_the_answers_doubtful(task: Tasks) -> None:
    ultra = task(MODEL_LAST.replace("RETURNED", "[{'model': 'here'}, *answers]"))
    ultra.give(1, 2)
    ultra.give_model()
    assert ultra.answers == {1: FAILED, 2: FAILED}


def test_documents_of_the_model_that_answer_no_request_are_reported(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if "model" in row:
                return [{"for": id} for id in kept]
            kept.append(row["id"])
    """)
    ultra.give(1, 2)
    ultra.give_model()
    assert ultra.answers == {1: DROPPED, 2: DROPPED}
    ultra.finish()  # until then, lines may still be in transit
    assert any("documents ignored" in line for line in ultra.shown)


@pytest.mark.parametrize(
    "returned",
    ["[made(row) for row in kept]", "[slt.answer(row, made(row)) for row in kept[::-1]]"],
)
def test_what_is_left_is_answered_at_the_end(task: Tasks, returned: str) -> None:
    ultra = task(f"""
        def snaplogic_process(row):
            kept.append(row)
        def snaplogic_final():
            return {returned}
    """)
    ultra.give(1, 2)
    ultra.give(3)
    ultra.finish()
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("", "without answering"),
        ("def snaplogic_final(): return {'for': 0}", "without answering"),
        ("def snaplogic_final(): 1 / 0", "ZeroDivisionError"),
    ],
    ids=["missing", "summary", "raises"],
)
def test_requests_without_an_answer_at_the_end_fail(task: Tasks, end: str, reason: str) -> None:
    ultra = task(f"""
        def snaplogic_process(row):
            kept.append(row)
        {end}
    """)
    ultra.give(1, 2)
    ultra.finish()
    assert ultra.answers == {1: FAILED, 2: FAILED}
    assert reason in ultra.errors[1]["reason"]


def test_documents_of_the_end_answer_nobody_if_nobody_waits(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            return made(row)
        def snaplogic_final():
            return [{"for": 0}, {"for": 0}]
    """)
    ultra.give(1)
    ultra.finish()
    assert ultra.answers == {1: 1}


IN_BATCHES = """
def snaplogic_process_batch(rows):
    return [one(row) for row in rows]
"""


def test_batches_may_keep_rows_and_answer_them_later(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process_batch(rows):
            kept.extend(rows)
            results = [None] * len(rows)
            if len(kept) >= 4:
                results[0] = [slt.answer(row, made(row)) for row in reversed(kept)]
                kept.clear()
            return results
    """)
    ultra.give(1, 2, 3)
    assert ultra.answers == {}
    ultra.give(4, 5)
    assert ultra.answers == {n: n for n in range(1, 6)}


def test_each_result_of_a_batch_answers_its_row(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process_batch(rows):
            results = [made(row) for row in rows]
            results[1] = slt.get_drop_doc()
            results[2] = None
            results[3] = (1,)
            return results
    """)
    ultra.give(1, 2, 3, 4, 5)
    assert ultra.answers == {1: 1, 2: DROPPED, 3: DROPPED, 4: FAILED, 5: 5}


def test_a_list_in_a_batch_that_may_be_for_other_rows_is_refused(task: Tasks) -> None:
    ultra = task(FOUR_AT_A_TIME.replace("snaplogic_process", "one") + IN_BATCHES)
    ultra.give(1, 2, 3, 4)
    assert set(ultra.answers.values()) == {FAILED}
    assert len(ultra.answers) == 4


def test_results_of_the_batch_before_are_refused(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process_batch(rows):
            before, kept[:] = kept.copy(), rows
            return [made(row) for row in before] or [None] * len(rows)
    """)
    ultra.give(1, 2)
    ultra.give(3, 4)
    assert ultra.answers == {1: FAILED, 2: FAILED, 3: FAILED, 4: FAILED}


def test_a_batch_of_one_row_is_like_a_row(task: Tasks) -> None:
    ultra = task(FOUR_AT_A_TIME.replace("snaplogic_process", "one") + IN_BATCHES)
    ultra.give_each(1, 2, 3, 4)
    assert ultra.answers == {1: 1, 2: 2, 3: 3, 4: 4}


def test_rows_of_a_batch_that_raised_are_processed_again_and_kept_only_once(task: Tasks) -> None:
    marked = FOUR_AT_A_TIME.replace("made(row)", "slt.answer(row, made(row))")
    ultra = task(marked + "def snaplogic_process_batch(rows): raise ValueError(rows)\n")
    ultra.give(1, 2)
    ultra.give(3, 4)
    assert ultra.answers == {1: 1, 2: 2, 3: 3, 4: 4}


def test_rows_are_not_processed_again_if_the_batch_that_raised_has_kept_them(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process_batch(rows):
            kept.extend(rows)
            raise ValueError("no")
        def snaplogic_process(row):
            return made(kept[0])
    """)
    ultra.give(1, 2)
    assert ultra.answers == {1: FAILED, 2: FAILED}


def test_parts_that_a_batch_kept_before_it_raised_answer_no_request(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row["id"])
            return [{"for": id} for id in kept]
        def snaplogic_process_batch(rows):
            kept.append(rows[1]["id"])
            raise ValueError("no")
    """)
    ultra.give(1, 2)
    assert ultra.answers == {1: FAILED, 2: FAILED}


ANYTHING = """
in_batches = False
last = None
log = []

def named(item):
    return {"for": item[1]}

def marked(item):
    return slt.answer(item[0], named(item)) if item[0] is not None else None

def take(count=None):
    taken = kept[:count]
    del kept[:count]
    return taken

def snaplogic_process(row):
    global last
    do, id = row["do"], row.get("id", 0)
    mine = (row, id)
    if do == "answer":
        return named(mine)
    if do == "list":
        return [named(mine)]
    if do == "fan out":
        return [named(mine), named(mine)]
    if do == "drop":
        return slt.get_drop_doc()
    if do == "raise":
        raise ValueError(id)
    if do == "keep":
        kept.append(mine)
    if do == "keep and log" and id:
        kept.append(mine)
        log.append(row)
    if do == "keep and raise":
        kept.append(mine)
        raise ValueError(id)
    if do == "keep the ticket":
        kept.append((slt.ticket(row), id))
    if do == "keep a part" and id:
        kept.append((None, id))
    if do == "forget":
        kept.clear()
    if do == "flush":
        return [named(item) for item in [*take(), mine]]
    if do == "flush and keep":
        answers = [named(item) for item in take()]
        kept.append(mine)
        return answers
    if do == "flush two":
        return [named(item) for item in [*take(2), mine]]
    if do == "flush and drop":
        return [slt.get_drop_doc(), *[named(item) for item in take()]]
    if do == "flush marked":
        return [answer for item in take()[::-1] if (answer := marked(item))] + [named(mine)]
    if do == "one late" and id and not in_batches:
        before, last = last, mine
        return named(before) if before else None
    if do == "rows themselves":
        rows = [item[0] for item in take()[::-1] if isinstance(item[0], dict)]
        for each in rows:
            each["for"] = each["id"]
        return rows
    return None

def snaplogic_final():
    return [named(item) for item in take()]
"""
ACTIONS = sorted({line.split('"')[1] for line in ANYTHING.splitlines() if "if do ==" in line})
BATCHES = """
in_batches = True
def snaplogic_process_batch(rows):
    return [snaplogic_process(row) for row in rows]
"""


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    calls=st.lists(
        st.lists(st.tuples(st.sampled_from([*ACTIONS, "none"]), st.integers(0, 5)), max_size=4),
        max_size=12,
    ),
    batches=st.booleans(),
)
def test_no_request_ever_gets_the_answer_to_another(
    calls: list[list[tuple[str, int]]], batches: bool, tmp_path: Path
) -> None:
    source = ANYTHING + (BATCHES if batches else "")
    with closing(Task(source, tmp_path, on_error="discard")) as ultra:
        number = 0
        for call in calls:
            rows: list[Document] = []
            for do, chance in call:
                number += 1
                rows.append({"do": do} if chance == 0 else {"do": do, "id": number})
            if rows:
                ultra.give_rows(*rows)
        ultra.finish()
    for request, outcome in ultra.answers.items():
        assert outcome in (request, DROPPED, FAILED)
    assert ultra.waiting == 0
