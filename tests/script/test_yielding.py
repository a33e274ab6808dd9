"""Scripts that yield: parts of an answer, in runs and in ultra tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.sdk import part_of
from engine.sdk.scripts import ScriptError
from tests.script.conftest import Opened
from tests.script.ultra_task import DROPPED, FAILED, Tasks, tasks

YIELDS = """
def snaplogic_process(row):
    for number in range(row["n"]):
        yield {"number": number}
"""


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Tasks]:
    with tasks(tmp_path) as opened:
        yield opened


def run(run_snap: Any, source: str, *counts: int, **options: Any) -> Any:
    return run_snap(
        "RemotePythonScript", {"source": source}, [{"n": count} for count in counts], **options
    )


def test_all_that_is_yielded_comes_in_order_and_the_counts_balance(run_snap: Any) -> None:
    result = run(run_snap, YIELDS, 2, 0, 3)
    assert [each["number"] for each in result.output] == [0, 1, 0, 1, 2]
    assert result.dropped == 1


def test_a_generator_may_yield_lists_nothing_and_drop_documents(run_snap: Any) -> None:
    source = """
from snaplogic.tool import SLTool as slt
def snaplogic_process(row):
    yield None
    yield [{"a": 1}, slt.get_drop_doc(), {"a": 2}]
    yield []
    yield {"a": 3}
"""
    result = run(run_snap, source, 1)
    assert result.output == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert result.dropped == 0


def test_what_is_yielded_is_not_changed_later(run_snap: Any) -> None:
    source = """
def snaplogic_process(row):
    document = {"values": []}
    for number in range(3):
        document["values"].append(number)
        yield document
"""
    output = run(run_snap, source, 1).output
    assert output == [{"values": [0]}, {"values": [0, 1]}, {"values": [0, 1, 2]}]


def test_a_generator_that_raises_fails_its_row_after_the_documents_before(run_snap: Any) -> None:
    source = YIELDS + "        if number == 1: raise ValueError('no more')\n"
    result = run(run_snap, source, 3, 1, on_error="route")
    assert [each["number"] for each in result.output] == [0, 1, 0]
    (error,) = result.errors
    assert error["original"] == {"n": 3}
    assert "no more" in error["reason"]


@pytest.mark.parametrize(
    ("yielded", "words"),
    [
        ("5", "each result of snaplogic_process must return a dict"),
        ("{'a': object()}", "key 'a' of the result holds"),
    ],
)
def test_what_cannot_be_a_document_fails_the_row(run_snap: Any, yielded: str, words: str) -> None:
    source = f"def snaplogic_process(row):\n    yield {{'ok': 1}}\n    yield {yielded}\n"
    result = run(run_snap, source, 1, on_error="route")
    assert result.output == [{"ok": 1}]
    assert words in result.errors[0]["reason"]


def test_many_documents_of_one_row_do_not_wait_for_its_end(opened: Opened) -> None:
    script = opened(
        "def snaplogic_process(row):\n"
        "    for number in range(row['n']):\n"
        "        yield {'pad': 'x' * 1000}\n"
    )
    script.start()
    parts = script.parts.process([{"n": 2000}])
    sizes = [len(part_of(answer) or ()) for part in parts for answer in part]
    assert sum(sizes) == 2000
    assert len(sizes) > 10
    assert max(sizes) < 200


def test_in_an_ultra_task_a_row_is_answered_by_what_is_yielded_for_it(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if row["id"] == 2:
                return made(row)
            return several(row)
        def several(row):
            for number in range(row["id"] % 4):
                yield made(row)
    """)
    ultra.give(1, 2, 3, 4)
    assert ultra.answers == {1: 1, 2: 2, 3: 3, 4: DROPPED}
    assert ultra.waiting == 0


def test_in_an_ultra_task_a_generator_that_raises_fails_its_request(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            if row["id"] == 1:
                raise ValueError("not this one")
            yield made(row)
    """)
    ultra.give(1, 2)
    assert ultra.answers == {1: FAILED, 2: 2}
    assert "not this one" in ultra.errors[1]["reason"]


def test_a_generator_answers_its_own_row_only(task: Tasks) -> None:
    ultra = task("""
        def snaplogic_process(row):
            yield slt.answer(row, made(row))
    """)
    ultra.give(1)
    assert ultra.answers == {1: FAILED}
    assert "a document that is yielded answers its own row" in ultra.errors[1]["reason"]


def test_a_cancelled_generator_is_closed_and_the_rows_after_it_are_processed(
    opened: Opened,
) -> None:
    script = opened("""
        import time
        def snaplogic_process(row):
            if row["n"] != 1:
                return {"n": row["n"]}
            return forever()
        def forever():
            while True:
                time.sleep(0.001)
                yield {"n": 1}
    """)
    script.start()
    outcomes: list[Any] = []
    cancelled = False
    for part in script.parts.process_tracked([{"n": 1}, {"n": 2}], [1, 2]):
        outcomes += [each for each in part if part_of(each[1]) is None]
        if not cancelled:
            cancelled = True
            script.parts.cancel(1)
    assert outcomes == [[1, []], [2, [{"n": 2}]]] or outcomes == [(1, []), (2, [{"n": 2}])]


def test_a_time_limit_holds_for_each_step(opened: Opened) -> None:
    source = """
        import time
        def snaplogic_process(row):
            for number in range(4):
                time.sleep(row["n"])
                yield {"number": number}
    """
    script = opened(source, timeout=4.0)
    script.start()
    parts = script.parts.process([{"n": 1.2}])
    assert sum(len(part_of(answer) or ()) for part in parts for answer in part) == 4


def test_a_batch_function_cannot_yield(opened: Opened) -> None:
    script = opened("def snaplogic_process_batch(rows):\n    yield {}\n")
    script.start()
    (answer,) = script.process([{}])
    assert isinstance(answer, ScriptError)
