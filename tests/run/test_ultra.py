"""Ultra pipelines in this process: every request gets exactly one answer, its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import NO_LINEAGE, Batch, Document, Item
from engine.errors import EngineError
from engine.registry import Registry, discover
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.runner import run_plan
from engine.script.executor import Executor
from engine.sdk import ExecutionError, Snap


class Breaks(Snap[Any]):
    """Fails, like a snap with a bug, on documents that ask for it."""

    stateful = False

    def process(self, document: Document) -> Document:
        if document.get("break"):
            raise KeyError("not in the plan")
        return document


class BreaksAtOnce(Snap[Any]):
    """The same, a batch at a time and without a generator."""

    stateful = False

    def process_batch(self, view: str, batch: Batch) -> Batch:
        if any(document.get("break") for document in batch.items):
            raise ExecutionError("no batch with that in it")
        return batch


class Remembers(Snap[Any]):
    """Has state, which a failure may have left inconsistent."""

    def process(self, document: Document) -> Document:
        raise ExecutionError("it is over")


class Forks(Snap[Any]):
    """Emits as many documents as the input document says: none, one or several."""

    stateful = False

    def process(self, document: Document) -> list[Document]:
        return [{**document, "copy": number} for number in range(document["times"])]


class Outcomes:
    """The ledger listener, observer and live source of one run."""

    def __init__(
        self, batches: list[list[Document]], on_outcome: Callable[[int], None] = lambda _: None
    ) -> None:
        self.batches = batches
        self.on_outcome = on_outcome
        self.ledger = Ledger(self)
        self.answers: dict[int, list[str | Document]] = {}
        self.strays: list[Item] = []
        self.begun_with: list[int] = []

    def answered(self, request: int, items: list[Item]) -> None:
        assert isinstance(items[0], dict)
        self.answers.setdefault(request, []).append(items[0])
        self.on_outcome(request)

    def filtered(self, request: int) -> None:
        self.answers.setdefault(request, []).append("filtered")
        self.on_outcome(request)

    def failed(self, request: int, error: Document) -> None:
        self.answers.setdefault(request, []).append(f"failed: {error['error']}")
        self.on_outcome(request)

    async def run(self, push: Callable[[Batch], None]) -> None:
        for batch in self.batches:
            numbers = [document["request"] for document in batch]
            self.ledger.admit(numbers)
            push(Batch(list(batch), [frozenset((number,)) for number in numbers]))
            await asyncio.sleep(0)

    def started(self, report: Any, secrets: Any) -> None: ...
    def show(self, label: str, text: str, request_id: str = "") -> None: ...
    def finished(self, report: Any) -> None: ...

    def output(self, port: Any, batch: Batch) -> None:
        for position, item in enumerate(batch.items):
            lineage = batch.lineage_of(position)
            if lineage == NO_LINEAGE:
                self.strays.append(item)
            self.ledger.answer(lineage, [item])


def run(
    folder: Path,
    snaps: str,
    links: list[str],
    *batches: list[Document],
    own: tuple[type[Snap[Any]], ...] = (Breaks, BreaksAtOnce, Remembers, Forks),
    on_outcome: Callable[[int], None] = lambda _: None,
    kind: type[Outcomes] = Outcomes,
) -> tuple[Outcomes, EngineError | None]:
    """The outcomes of requests that were sent in these batches through this pipeline."""
    file = folder / "pipeline.yaml"
    text = "\n  - ".join(["links:", *links]) if links else ""
    file.write_text(f"pipeline: Ultra\nsnaps:\n{snaps}\n{text}\n")
    registry = Registry({**discover(), **{each.__name__: each for each in own}})
    plan = api.compile_plan(file, registry)
    outcomes = kind(list(batches), on_outcome)

    async def go() -> EngineError | None:
        _, failure = await run_plan(
            plan,
            registry,
            identify(plan, {}),
            observer=outcomes,
            scripts=Executor(),
            inputs={str(plan.open_inputs[0]): outcomes},
            ledger=outcomes.ledger,
        )
        return failure

    return outcomes, asyncio.run(go())


def requests(*numbers: int, **fields: Any) -> list[Document]:
    return [{"request": number, **fields} for number in numbers]


def test_each_answer_belongs_to_its_request(tmp_path: Path) -> None:
    snaps = "  shape: {snap: Mapper, mappings: {$answer: $request * 10}}"
    outcomes, failure = run(tmp_path, snaps, [], requests(1, 2), requests(3))
    assert failure is None
    assert outcomes.answers == {number: [{"answer": number * 10}] for number in (1, 2, 3)}


def test_a_filtered_request_is_on_outcome_from_a_failed_one(tmp_path: Path) -> None:
    snaps = """\
  keep: {snap: Filter, filter: $request != 2}
  shape: {snap: Mapper, mappings: {$answer: '$request == 3 ? $gone : $request'}}"""
    outcomes, failure = run(tmp_path, snaps, ["keep -> shape"], requests(1, 2, 3, 4))
    assert failure is None
    assert outcomes.answers[1] == [{"answer": 1}]
    assert outcomes.answers[2] == ["filtered"]
    assert str(outcomes.answers[3][0]).startswith("failed: the expression")
    assert outcomes.answers[4] == [{"answer": 4}]


def test_copies_answer_once_and_the_first_wins(tmp_path: Path) -> None:
    snaps = """\
  copy: {snap: Copy}
  left: {snap: Mapper, mappings: {$request: $request, $side: "'left'"}}
  right: {snap: Mapper, mappings: {$request: $request, $side: "'right'"}}"""
    outcomes, _ = run(tmp_path, snaps, ["copy -> left", "copy -> right"], requests(1, 2))
    assert {number: len(given) for number, given in outcomes.answers.items()} == {1: 1, 2: 1}
    assert all(given[0]["request"] == number for number, given in outcomes.answers.items())  # type: ignore[index]


def test_a_copy_that_fails_does_not_spoil_the_one_that_answers(tmp_path: Path) -> None:
    snaps = """\
  copy: {snap: Copy}
  audit: {snap: Mapper, mappings: {$x: $gone}}
  answer: {snap: Mapper, mappings: {$answer: $request}}"""
    outcomes, failure = run(tmp_path, snaps, ["copy -> audit", "copy -> answer"], requests(1, 2))
    assert failure is None
    assert outcomes.answers == {1: [{"answer": 1}], 2: [{"answer": 2}]}


def test_a_request_fails_if_all_its_copies_fail_or_are_dropped(tmp_path: Path) -> None:
    snaps = """\
  copy: {snap: Copy}
  audit: {snap: Mapper, mappings: {$x: $gone}}
  never: {snap: Filter, filter: $request == 0}"""
    outcomes, _ = run(tmp_path, snaps, ["copy -> audit", "copy -> never"], requests(1))
    assert [str(each)[:7] for each in outcomes.answers[1]] == ["failed:"]


def test_an_error_that_is_routed_becomes_the_answer(tmp_path: Path) -> None:
    snaps = """\
  shape: {snap: Mapper, mappings: {$answer: $gone}}
  excuse: {snap: Mapper, mappings: {$status: '418', $content.of: $original.request}}
  join: {snap: Union}"""
    links = ["shape -> join", "shape.error -> excuse -> join"]
    outcomes, _ = run(tmp_path, snaps, links, requests(7, 8))
    assert outcomes.answers == {
        number: [{"status": 418, "content": {"of": number}}] for number in (7, 8)
    }


def test_an_error_view_without_a_link_does_not_swallow_the_request(tmp_path: Path) -> None:
    snaps = "  shape: {snap: Mapper, mappings: {$answer: $gone}, on_error: route}"
    outcomes, _ = run(tmp_path, snaps, [], requests(1))
    assert [str(each)[:7] for each in outcomes.answers[1]] == ["failed:"]


def test_documents_for_a_disabled_snap_do_not_answer(tmp_path: Path) -> None:
    snaps = """\
  copy: {snap: Copy}
  one: {snap: Mapper, mappings: {$answer: $request}}
  two: {snap: Filter, filter: $request == 0}
  off: {snap: Mapper, mappings: {$answer: $request}, mode: disabled}"""
    links = ["copy -> one -> off", "copy -> two"]
    outcomes, _ = run(tmp_path, snaps, links, requests(1))
    assert outcomes.answers == {1: ["filtered"]}


@pytest.mark.parametrize("times", [[0, 1, 2], [70, 0, 1], [1, 1, 1]])
def test_fan_out_is_accounted_for_to_the_last_copy(times: list[int], tmp_path: Path) -> None:
    snaps = """\
  fork: {snap: Forks}
  last: {snap: Filter, filter: $copy == $times - 1}
  shape: {snap: Mapper, mappings: {$request: $request}}"""
    batch = [{"request": number, "times": count} for number, count in enumerate(times)]
    outcomes, _ = run(tmp_path, snaps, ["fork -> last -> shape"], batch)
    assert outcomes.answers == {
        number: [{"request": number} if count else "filtered"] for number, count in enumerate(times)
    }


@pytest.mark.parametrize("snap", ["Breaks", "BreaksAtOnce"])
def test_a_bug_in_a_snap_without_state_fails_only_its_request(snap: str, tmp_path: Path) -> None:
    batch = [{"request": number, "break": number == 2} for number in (1, 2, 3)]
    outcomes, failure = run(tmp_path, f"  one: {{snap: {snap}}}", [], batch, requests(4))
    assert failure is None
    assert [outcomes.answers[number][0] for number in (1, 3)] == [batch[0], batch[2]]
    assert outcomes.answers[2] == ["failed: the snap 'one' failed"]
    assert outcomes.answers[4] == requests(4)


def test_a_filter_without_a_truth_value_fails_only_its_request(tmp_path: Path) -> None:
    batch = [*requests(1, ok=True), *requests(2, ok="yes"), *requests(3, ok=True)]
    outcomes, failure = run(tmp_path, "  keep: {snap: Filter, filter: $ok}", [], batch)
    assert failure is None
    assert [type(outcomes.answers[number][0]) for number in (1, 2, 3)] == [dict, str, dict]


def test_a_failure_of_a_snap_with_state_stops_the_pipeline(tmp_path: Path) -> None:
    outcomes, failure = run(tmp_path, "  one: {snap: Remembers}", [], requests(1))
    assert failure is not None
    assert "it is over" in str(failure)
    assert outcomes.answers == {}  # the front delivers the request again


def test_snaps_that_need_no_request_run_before_the_first_one(tmp_path: Path) -> None:
    """The script fails on a sample that comes before its model."""
    (tmp_path / "model.json").write_text('{"factor": 3}')
    (tmp_path / "script.py").write_text("""\
factor = None
def snaplogic_init(): return None
def snaplogic_process(row):
    global factor
    if "factor" in row:
        factor = row["factor"]
        return {"snaplogic_flag": "drop"}
    return {"answer": row["request"] * factor}
def snaplogic_final(): return None
""")
    snaps = """\
  read: {snap: FileReader, file: model.json}
  parse: {snap: JSONParser}
  ask: {snap: Filter, filter: 'true'}
  join: {snap: Union}
  predict: {snap: RemotePythonScript, script: script.py}"""
    links = ["read -> parse -> join", "ask -> join", "join -> predict"]
    outcomes, failure = run(tmp_path, snaps, links, requests(*range(100)))
    assert failure is None
    assert outcomes.answers == {number: [{"answer": number * 3}] for number in range(100)}


def test_a_document_without_a_request_answers_none(tmp_path: Path) -> None:
    snaps = """\
  make: {snap: JSONGenerator, documents: [{request: -1}]}
  ask: {snap: Filter, filter: 'true'}
  join: {snap: Union}"""
    outcomes, _ = run(tmp_path, snaps, ["make -> join", "ask -> join"], requests(1))
    assert outcomes.strays == [{"request": -1}]
    assert outcomes.answers == {1: requests(1)}


def test_a_failing_model_branch_stops_the_pipeline(tmp_path: Path) -> None:
    snaps = """\
  read: {snap: FileReader, file: gone.json}
  parse: {snap: JSONParser}
  ask: {snap: Filter, filter: 'true'}
  join: {snap: Union}"""
    links = ["read -> parse -> join", "ask -> join"]
    outcomes, failure = run(tmp_path, snaps, links, requests(1))
    assert "gone.json" in str(failure)
    assert outcomes.answers == {}


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        ("return row", {"request": 1}),
        ("return None", "filtered"),
        ("raise ValueError", "failed: Python script error in script.py"),
    ],
)
def test_a_request_is_answered_while_the_next_row_of_its_batch_is_processed(
    first: str, outcome: Any, tmp_path: Path
) -> None:
    """The second row waits for the answer to the first."""
    gate = tmp_path / "gate"
    (tmp_path / "script.py").write_text(f"""\
import os, time
def snaplogic_process(row):
    if row["request"] == 1:
        {first}
    end = time.monotonic() + 240
    while not os.path.exists({str(gate)!r}):
        if time.monotonic() > end:
            raise TimeoutError("the first request has no answer yet")
        time.sleep(0.01)
    return row
""")
    snaps = "  work: {snap: RemotePythonScript, script: script.py}"
    outcomes, failure = run(tmp_path, snaps, [], requests(1, 2), on_outcome=lambda _: gate.touch())
    assert failure is None
    assert outcomes.answers == {1: [outcome], 2: [{"request": 2}]}


class Endless(Outcomes):
    """A source that waits for requests that never come."""

    async def run(self, push: Callable[[Batch], None]) -> None:
        await asyncio.Event().wait()


def test_a_script_that_ends_while_it_waits_stops_the_pipeline_at_once(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("""\
import os, threading
def snaplogic_init():
    threading.Timer(0.05, os._exit, [3]).start()
def snaplogic_process(row):
    return row
""")
    snaps = "  work: {snap: RemotePythonScript, script: script.py}"
    _, failure = run(tmp_path, snaps, [], kind=Endless)
    assert "exited with code 3 while it was waiting for rows" in str(failure)
    assert "snap 'work'" in str(failure)


JOINED = """\
  ask: {snap: Mapper, mappings: {$n: $request, $k: $k}}
  table: {snap: JSONGenerator, documents: [{k: 1, v: a}, {k: 2, v: b}]}
"""
TABLE_LINKS = ["ask -> look_up", "table -> look_up.table"]


def test_requests_are_joined_with_a_table_each_for_itself(tmp_path: Path) -> None:
    snaps = JOINED + "  look_up: {snap: Join, join_paths: [{left_path: $k, right_path: $k}]}"
    sent = [{"request": 1, "k": 2}, {"request": 2, "k": 9}, {"request": 3}, {"request": 4, "k": 1}]
    outcomes, failure = run(tmp_path, snaps, TABLE_LINKS, sent[:2], sent[2:])
    assert failure is None
    assert outcomes.answers[1] == [{"n": 1, "k": 2, "table_k": 2, "v": "b"}]
    assert outcomes.answers[2] == ["filtered"]
    assert str(outcomes.answers[3][0]).startswith("failed: ")
    assert outcomes.answers[4] == [{"n": 4, "k": 1, "table_k": 1, "v": "a"}]
    assert outcomes.strays == []


def test_a_look_up_answers_every_request(tmp_path: Path) -> None:
    look_up = (
        "{snap: InMemoryLookup, single_document_output: true,"
        " join_paths: [{left_path: k, right_path: k}]}"
    )
    sent = [{"request": 1, "k": 2}, {"request": 2, "k": 9}]
    outcomes, failure = run(tmp_path, f"{JOINED}  look_up: {look_up}", TABLE_LINKS, sent)
    assert failure is None
    assert outcomes.answers == {
        1: [{"n": 1, "k": 2, "table_k": 2, "v": "b"}],
        2: [{"n": 2, "k": 9}],
    }


def test_a_table_that_does_not_fit_in_memory_fails_an_ultra_pipeline(tmp_path: Path) -> None:
    look_up = "{snap: Join, memory: 1, join_paths: [{left_path: $k, right_path: $k}]}"
    sent = [{"request": 1, "k": 2}]
    _, failure = run(tmp_path, f"{JOINED}  look_up: {look_up}", TABLE_LINKS, sent)
    assert "in an ultra task they must fit, so raise the setting 'memory'" in str(failure)
