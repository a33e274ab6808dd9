"""In an ultra task: whose request is answered by what a script returns, and when.

Every document holds, as `for`, the request that it was made for; nobody else may ever get it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import api
from engine.documents import NO_LINEAGE, Batch, Document, Item
from engine.registry import discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.lineage import Ledger
from engine.script.executor import Executor
from engine.sdk.scripts import ScriptError
from tests.script.conftest import Opened

DROPPED, FAILED = "dropped", "failed"
TOOLS = """\
from snaplogic.tool import SLTool as slt
kept = []
def made(row):
    return {"for": row["id"]}
"""


class Task:
    """A script as an ultra task of one snap; judges how each request comes out."""

    def __init__(self, source: str, folder: Path, **facts: Any) -> None:
        self.outcomes: dict[int, Any] = {}
        self.errors: dict[int, Document] = {}
        self.shown: list[str] = []
        self.ledger = Ledger(self)
        spec = {"snap": "RemotePythonScript", "source": TOOLS + textwrap.dedent(source), **facts}
        file = folder / "task.yaml"
        file.write_text(yaml.safe_dump({"pipeline": "Task", "snaps": {"one": spec}}))
        plan = api.compile_plan(file)
        self._execution = Execution(
            plan,
            {},
            scripts=Executor(),
            show=lambda label, line: self.shown.append(line),
            ledger=self.ledger,
        )
        self._host = StageHost(plan.stages[0], discover(), self._execution)
        self._host.open()
        self._pass_on(self._host.start())

    def answered(self, request: int, item: list[Item]) -> None:
        assert request not in self.outcomes
        self.outcomes[request] = item[0]

    def filtered(self, request: int) -> None:
        assert request not in self.outcomes
        self.outcomes[request] = DROPPED

    def failed(self, request: int, error: Document) -> None:
        assert request not in self.outcomes
        self.outcomes[request] = FAILED
        self.errors[request] = error

    def give(self, *requests: int, **fields: Any) -> None:
        """These requests come in one batch."""
        rows = [{"id": request, "text": f"row {request}", **fields} for request in requests]
        self.give_rows(*rows)

    def give_rows(self, *rows: Document) -> None:
        lineage = [frozenset({row["id"]}) if "id" in row else NO_LINEAGE for row in rows]
        self.ledger.admit(row["id"] for row in rows if "id" in row)
        self._pass_on(self._host.process("input", Batch(list(rows), lineage)))

    def give_model(self, **fields: Any) -> None:
        """A document that nobody waits for."""
        self._pass_on(self._host.process("input", Batch([{"model": True, **fields}])))

    def finish(self) -> None:
        self._pass_on(self._host.finish())

    def close(self) -> None:
        self._host.close()
        self._execution.close()

    def _pass_on(self, outputs: Any) -> None:
        for port, batch in outputs:
            assert port.view == "output"
            for position, document in enumerate(batch.items):
                line = batch.lineage_of(position)
                self.ledger.answer(line, [document])
                self.ledger.leave([line])

    @property
    def waiting(self) -> int:
        return len(self.ledger)

    @property
    def answers(self) -> dict[int, Any]:
        """What the answer to each request was made for."""
        return {
            request: outcome["for"] if isinstance(outcome, dict) else outcome
            for request, outcome in self.outcomes.items()
        }


Tasks = Callable[..., Task]


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Tasks]:
    tasks: list[Task] = []

    def make(source: str, **facts: Any) -> Task:
        tasks.append(Task(source, tmp_path, **facts))
        return tasks[-1]

    yield make
    for each in tasks:
        each.close()


FOUR_AT_A_TIME = """
def snaplogic_process(row):
    kept.append(row)
    if len(kept) < 4:
        return None
    answers = [made(row) for row in kept]
    kept.clear()
    return answers
"""


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
    for request in (1, 2, 3):
        ultra.give(request)
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


def test_a_ticket_stands_for_a_row_of_which_only_parts_are_kept(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append((slt.ticket(row), row["id"]))
            if len(kept) == 3:
                return [slt.answer(ticket, {"for": id}) for ticket, id in reversed(kept)]
    """)
    ultra.give(1)
    ultra.give(2)
    assert ultra.answers == {}
    ultra.give(3)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_only_parts_kept_without_a_ticket_answer_nobody(task: Tasks) -> None:
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
    assert ".py" in error["reason"]


def test_a_list_of_one_is_not_trusted_either_after_a_row_was_lost(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row["id"])
            return [{"for": kept[-2]}] if len(kept) > 1 else None
    """)
    ultra.give(1)
    ultra.give(2)
    assert ultra.answers == {1: DROPPED, 2: FAILED}


def test_answers_made_beforehand_from_rows_let_go_of_answer_nobody(task: Tasks) -> None:
    ultra = task("""
        answers = []
        def snaplogic_process(row):
            kept.append(row)
            if row["id"] == 2:
                answers.extend(made(row) for row in kept)
                kept.clear()
            return answers if row["id"] == 3 else None
    """)
    for request in (1, 2, 3):
        ultra.give(request)
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


def test_a_row_kept_and_then_let_go_of_without_an_answer_is_dropped(task: Tasks) -> None:
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


def test_a_kept_row_can_be_dropped_by_a_mark(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) == 2:
                return [slt.answer(kept[0], slt.get_drop_doc()), slt.answer(kept[1], made(row))]
    """)
    ultra.give(1)
    ultra.give(2)
    assert ultra.answers == {1: DROPPED, 2: 2}


def test_several_documents_while_nothing_is_kept_answer_the_row_in_hand(task: Tasks) -> None:
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
def test_nobody_guesses_what_documents_answer(task: Tasks, returned: str) -> None:
    ultra = task(f"""
        def snaplogic_process(row):
            kept.append(row)
            if len(kept) < 3:
                return None
            rows = kept.copy()
            kept.clear()
            {returned}
    """)
    ultra.give(1)
    ultra.give(2)
    ultra.give(3)
    assert ultra.answers == {1: FAILED, 2: FAILED, 3: FAILED}
    assert "rows that were kept (2)" in ultra.errors[1]["reason"]
    assert ultra.errors[3]["original"]["id"] == 3


def test_answers_one_call_late_are_refused_again_and_again(task: Tasks) -> None:
    ultra = task("""
        last = None
        def snaplogic_process(row):
            global last
            before, last = last, row
            return None if before is None else made(before)
    """)
    for request in range(1, 5):
        ultra.give(request)
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
    for request in (1, 2, 3):
        ultra.give(request)
    assert ultra.answers == {1: 1, 2: 2, 3: 3}


def test_rows_that_are_also_in_a_log_are_not_taken_for_released(task: Tasks) -> None:
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
    ultra.give(1)
    ultra.give(2)
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


def test_answers_to_rows_that_have_been_answered_are_left_out(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            first = kept[0]
            return [slt.answer(first, {"for": 1, "again": row["id"]}), slt.answer(row, made(row))]
    """)
    ultra.give(1)
    ultra.give(2)
    assert ultra.outcomes == {1: {"for": 1, "again": 1}, 2: {"for": 2}}
    ultra.finish()
    assert any("slt.answer was given no row" in line for line in ultra.shown)


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


def test_a_model_in_the_midst_of_requests_is_told_apart(task: Tasks) -> None:
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


def test_a_model_that_is_kept_as_a_row_is_in_nobodys_way(task: Tasks) -> None:
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


def test_documents_of_the_model_that_answer_nobody_are_told_of(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if "model" in row:
                return [{"for": id} for id in kept]
            kept.append(row["id"])
    """)
    ultra.give(1, 2)
    ultra.give_model()
    assert ultra.answers == {1: DROPPED, 2: DROPPED}
    ultra.finish()  # until then lines may still be under way
    assert any("they are left out" in line for line in ultra.shown)


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
    "end",
    ["", "def snaplogic_final(): return {'for': 0}", "def snaplogic_final(): 1 / 0"],
    ids=["missing", "summary", "raises"],
)
def test_requests_without_an_answer_at_the_end_fail(task: Tasks, end: str) -> None:
    ultra = task(f"""
        def snaplogic_process(row):
            kept.append(row)
        {end}
    """)
    ultra.give(1, 2)
    ultra.finish()
    assert ultra.answers == {1: FAILED, 2: FAILED}
    assert (
        "ZeroDivisionError" in ultra.errors[1]["reason"]
        or "without an answer" in (ultra.errors[1]["reason"])
    )


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


def test_rows_that_a_failing_call_lets_go_of_fail_with_it(task: Tasks) -> None:
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


def test_a_row_that_failed_and_is_kept_all_the_same_has_its_place_in_a_list(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            kept.append(row)
            if row["id"] == 1:
                raise ValueError("not yet")
            answers = [made(row) for row in kept]
            kept.clear()
            return answers
    """)
    ultra.give(1)
    ultra.give(2)
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
    for request in range(1, 5):
        ultra.give(request)
    assert ultra.answers == {1: 1, 2: 2, 3: 3, 4: 4}


def test_rows_of_a_batch_that_raised_are_given_once_more_and_kept_only_once(task: Tasks) -> None:
    marked = FOUR_AT_A_TIME.replace("made(row)", "slt.answer(row, made(row))")
    ultra = task(marked + "def snaplogic_process_batch(rows): raise ValueError(rows)\n")
    ultra.give(1, 2)
    ultra.give(3, 4)
    assert ultra.answers == {1: 1, 2: 2, 3: 3, 4: 4}


def test_rows_are_not_given_once_more_if_the_batch_that_raised_has_kept_them(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process_batch(rows):
            kept.extend(rows)
            raise ValueError("no")
        def snaplogic_process(row):
            return made(kept[0])
    """)
    ultra.give(1, 2)
    assert ultra.answers == {1: FAILED, 2: FAILED}


def test_parts_that_a_batch_kept_before_it_raised_answer_nobody(task: Tasks) -> None:
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


def test_marks_and_tickets_make_no_difference_in_any_other_run(opened: Opened) -> None:
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
    assert "slt.answer wants one document, a dict, and was given list" in ultra.errors[1]["reason"]


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


# Scripts that do anything in any order ---------------------------------------------------------

ANYTHING = """
in_batches = False
last = None
log = []

def told(item):
    return {"for": item[1]}

def marked(item):
    return slt.answer(item[0], told(item)) if item[0] is not None else None

def take(count=None):
    taken = kept[:count]
    del kept[:count]
    return taken

def snaplogic_process(row):
    global last
    do, id = row["do"], row.get("id", 0)
    mine = (row, id)
    if do == "answer":
        return told(mine)
    if do == "list":
        return [told(mine)]
    if do == "fan out":
        return [told(mine), told(mine)]
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
        return [told(item) for item in [*take(), mine]]
    if do == "flush and keep":
        answers = [told(item) for item in take()]
        kept.append(mine)
        return answers
    if do == "flush two":
        return [told(item) for item in [*take(2), mine]]
    if do == "flush and drop":
        return [slt.get_drop_doc(), *[told(item) for item in take()]]
    if do == "flush marked":
        return [answer for item in take()[::-1] if (answer := marked(item))] + [told(mine)]
    if do == "one late" and id and not in_batches:
        before, last = last, mine
        return told(before) if before else None
    if do == "rows themselves":
        rows = [item[0] for item in take()[::-1] if isinstance(item[0], dict)]
        for each in rows:
            each["for"] = each["id"]
        return rows
    return None

def snaplogic_final():
    return [told(item) for item in take()]
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
    ultra = Task(ANYTHING + (BATCHES if batches else ""), tmp_path, on_error="discard")
    try:
        number = 0
        for call in calls:
            rows: list[Document] = []
            for do, chance in call:
                number += 1
                rows.append({"do": do} if chance == 0 else {"do": do, "id": number})
            if rows:
                ultra.give_rows(*rows)
        ultra.finish()
    finally:
        ultra.close()
    for request, outcome in ultra.answers.items():
        assert outcome in (request, DROPPED, FAILED)
    assert ultra.waiting == 0
