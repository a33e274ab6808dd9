"""The coordinator with workers in this process, small chunks, and workers that are lost at random:
the same documents, counts and errors as without workers."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import api
from engine.cluster import chunks, keyed_copy, keyed_stage, pool, remote_stage
from engine.cluster.needs import Needs
from engine.cluster.placement import PlacementError, Show, WorkerLostError
from engine.cluster.replica import Replica
from engine.documents import Batch
from engine.errors import EngineError, ExecutionError
from engine.run.report import Report
from engine.sdk.results import BATCH_SIZE

PIPELINES = {
    "lines": """\
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true, on_error: route}
  keep: {snap: Filter, filter: $n % 5 != 0, on_error: route}
  map:
    snap: Mapper
    on_error: route
    mappings: {$n: $n, $half: $n / 2, $name: $name.toUpperCase()}
  format: {snap: JSONFormatter, json_lines: true, header: {$first: $n}}
  errors: {snap: Union}
  reasons: {snap: Mapper, mappings: {$label: $snap_details.label, $error: $error}}
links:
  - read -> parse -> keep -> map -> format
  - parse.error -> errors.input0
  - keep.error -> errors.input1
  - map.error -> errors.input2
  - errors -> reasons
""",
    "documents": """\
snaps:
  number: {snap: Sequence, number_of_documents: 700}
  copy: {snap: Copy}
  square: {snap: Mapper, mappings: {$n: $value, $square: $value * $value}}
  odd: {snap: Router, routes: {odd: $value % 2 == 1, even: "true"}, first_match: true}
  halve: {snap: Mapper, on_error: discard, mappings: {$n: "$value > 600 ? $gone : $value / 2"}}
  sort: {snap: Sort, sort_paths: [{path: $square, order: descending}]}
  again: {snap: Mapper, mappings: {$root: "Math.sqrt($square)", $n: $n}}
links:
  - number -> copy
  - copy.output0 -> square -> sort -> again
  - copy.output1 -> odd
  - odd.odd -> halve
""",
    "keyed": """\
snaps:
  number: {snap: Sequence, number_of_documents: 2500}
  shape:
    snap: Mapper
    mappings: {$n: $value, $key: "$value * 7 % 211", $ten: "Math.floor($value / 10)"}
  copy: {snap: Copy}
  totals:
    snap: Aggregate
    group_by_fields: [{field: $key, output_field: key}]
    aggregate_fields:
      - {function: sum, field: $n, result_field: sum}
      - {function: concat, field: $n, result_field: all}
  some: {snap: Filter, filter: $key % 3 != 0}
  join: {snap: Join, join_type: outer, join_paths: [{left_path: $key, right_path: $key}]}
  name: {snap: Mapper, on_error: route, mappings: {$n: $n, $of: $sum, $all: $all.length}}
  tens: {snap: Mapper, mappings: {$ten: $ten}}
  unique: {snap: Unique}
  double: {snap: Mapper, mappings: {$twenty: $ten * 2}}
links:
  - number -> shape -> copy
  - copy.output0 -> join.one
  - copy.output1 -> totals -> some -> join.two
  - join -> name
  - copy.output2 -> tens -> unique -> double
""",
}

KEYED = PIPELINES["keyed"]


SCRIPTED = """\
snaps:
  number: {snap: Sequence, number_of_documents: 10}
  double: {snap: RemotePythonScript, script: double.py, copies: any}
links: [number -> double]
"""


class Place:
    """Workers in threads of this process (a Placement). They are lost with a `risk` per message."""

    name = "threads"

    def __init__(
        self, random: Random, risk: float, *, shares_files: bool, starts: int = 99
    ) -> None:
        self.shares_files = shares_files
        self.started = 0
        self.needed: list[Needs] = []
        self._random = random
        self._risk = risk
        self._starts = starts

    def begin(self, workers: int) -> None:
        """Threads start at once."""

    def needing(self, needs: Needs) -> Place:
        self.needed.append(needs)
        return self

    async def start(self, number: int, job: bytes, show: Show) -> Link:
        if self.started >= self._starts:
            raise PlacementError("there is no room for another worker")
        self.started += 1
        return Link(number, Replica(job, show), self._random, self._risk)

    async def close(self) -> None:
        """Nothing is shared."""


class Link:
    def __init__(self, number: int, replica: Replica, random: Random, risk: float) -> None:
        self.name = f"worker {number}"
        self.incarnation = str(random.random())
        self.lost: asyncio.Future[WorkerLostError] = asyncio.get_running_loop().create_future()
        self._replica = replica
        self._random = random
        self._risk = risk
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[asyncio.Future[bytes]] = []
        self._is_closed = False

    async def send(self, message: bytes) -> asyncio.Future[bytes]:
        if self.lost.done():
            raise self.lost.result()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append(answer)
        made = loop.run_in_executor(self._thread, self._replica.answer, message)
        made.add_done_callback(lambda done: self._answer(answer, done.result()))
        if self._random.random() < self._risk:
            self._lose()
        return answer

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.lost.cancel()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._replica.close)
            self._thread.shutdown()

    def _answer(self, answer: asyncio.Future[bytes], data: bytes) -> None:
        if not answer.done():
            self._waiting.remove(answer)
            answer.set_result(data)

    def _lose(self) -> None:
        error = WorkerLostError(f"{self.name} was lost by chance")
        self.lost.set_result(error)
        for answer in self._waiting:
            answer.set_exception(error)
            answer.exception()  # nobody may wait for it any more
        self._waiting = []


def run(pipeline: Path, place: Place | None = None, workers: int = 1) -> tuple[Report, str]:
    report, failure = asyncio.run(api.start(str(pipeline), workers=workers, placement=place))
    return report, str(failure or "")


def outcome(report: Report) -> dict[str, Any]:
    """What must be the same: outputs, those of each view in order, and counts."""
    snaps = [
        {key: value for key, value in snap.as_dict().items() if key != "seconds"}
        for snap in report.snaps
    ]
    outputs = {port: _whole(items) for port, items in report.outputs.items()}
    if "reasons.output" in outputs:  # a union, which promises no order
        outputs["reasons.output"].sort(key=str)
    return {"status": report.status, "outputs": outputs, "snaps": snaps}


def _whole(items: list[Any]) -> list[Any]:
    """The items with the text of a stream in one piece."""
    text = b"".join(item for item in items if isinstance(item, bytes))
    return [item for item in items if not isinstance(item, bytes)] + ([text] if text else [])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    random = Random(5)
    with (tmp_path / "in.jsonl").open("w") as file:
        for n in range(3000):
            row = {"n": n, "name": f"näme {n}", "rest": "x" * random.randrange(60)}
            if random.random() < 0.01:
                row = {"n": "none"}
            elif random.random() < 0.01:
                del row["name"]
            text = json.dumps(row)
            if random.random() < 0.01:
                text = random.choice(["", "{", "7", "[1]", text + ",", "  "])
            file.write(text + "\n")
    for name, text in PIPELINES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("most", [700, 1 << 20])
@pytest.mark.parametrize("shares_files", [True, False])
def test_chunks_of_any_size_give_the_same(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    workers: int,
    most: int,
    shares_files: bool,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", most)
    alone, _ = run(project / f"{name}.yaml")
    place = Place(Random(1), 0.0, shares_files=shares_files)
    spread, _ = run(project / f"{name}.yaml", place, workers)
    assert place.started == workers
    assert outcome(spread) == outcome(alone)


@pytest.mark.parametrize("name", ["lines", "documents"])
@pytest.mark.parametrize("seed", range(6))
def test_workers_that_are_lost_change_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, seed: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 3_000)
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 30)
    monkeypatch.setattr(remote_stage, "MOST_ATTEMPTS", 50)
    random = Random(seed)
    alone, _ = run(project / f"{name}.yaml")
    place = Place(random, 0.08, shares_files=random.random() < 0.5, starts=10_000)
    spread, _ = run(project / f"{name}.yaml", place, 3)
    assert outcome(spread) == outcome(alone)


@pytest.mark.parametrize("seed", range(8))
def test_a_lost_copy_of_a_keyed_snap_collects_again_or_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 100)
    monkeypatch.setattr(remote_stage, "MOST_ATTEMPTS", 50)
    monkeypatch.setattr(keyed_copy, "PAGE", 30)
    alone, _ = run(project / "keyed.yaml")
    place = Place(Random(seed), 0.03, shares_files=True, starts=10_000)
    spread, failure = run(project / "keyed.yaml", place, 3)
    assert place.started > 3
    if failure:
        assert "had collected is lost with it" in failure
    else:
        assert outcome(spread) == outcome(alone)


class Once(Random):
    """Lets one worker be lost: over that message, counted from 0."""

    def __init__(self, message: int) -> None:
        super().__init__(1)
        self._left = message

    def random(self) -> float:
        self._left -= 1
        return 0.0 if self._left == -1 else 1.0


@pytest.mark.parametrize("message", [3, 5, 8, 11, 14, 20, 30, 45])
def test_a_lost_copy_gets_its_documents_again(project: Path, message: int) -> None:
    alone, _ = run(project / "keyed.yaml")
    place = Place(Once(message), 0.5, shares_files=True)
    spread, failure = run(project / "keyed.yaml", place, 3)
    assert (place.started, failure) == (4, "")
    assert outcome(spread) == outcome(alone)


def test_a_worker_that_is_lost_before_all_are_ready_is_prepared_again(project: Path) -> None:
    is_replaced = threading.Event()

    class Hasty(Place):
        """Worker 1 is lost when it has opened its snaps; worker 2 has not by then."""

        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            work, take = link._replica.answer, link._answer

            def slow(message: bytes) -> bytes:
                is_replaced.wait(60)
                return work(message)

            def lost(answer: asyncio.Future[bytes], data: bytes) -> None:
                take(answer, data)
                if not link.lost.done():
                    link._lose()

            if number == 2:
                link._replica.answer = slow  # type: ignore[method-assign]
            elif self.started <= 2:
                link._answer = lost  # type: ignore[method-assign]
            else:
                is_replaced.set()
            return link

    alone, _ = run(project / "lines.yaml")
    spread, failure = run(project / "lines.yaml", Hasty(Random(1), 0.0, shares_files=True), 2)
    assert failure == ""
    assert outcome(spread) == outcome(alone)


def test_more_than_is_kept_for_a_lost_copy_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_stage, "KEPT_BYTES", 500)
    failure = ""
    for message in range(40, 200, 20):  # which worker has what by then is left to chance
        report, failure = run(
            project / "keyed.yaml", Place(Once(message), 0.5, shares_files=True), 3
        )
        if report.status == "failed":
            break
    assert re.match(
        r"worker \d was lost by chance; what its copy of '\w+' had collected is lost with it",
        failure,
    )
    assert "run again; if memory ran out, with fewer workers" in failure


COMBINED = """\
snaps:
  number: {snap: Sequence, number_of_documents: 300}
  count:
    snap: RemotePythonScript
    copies: any
    final: combined
    source: |
      seen = []
      def snaplogic_process(row):
          seen.append(row["value"])
      def snaplogic_final():
          return {"sum": sum(seen)}
      def snaplogic_combine(documents):
          return {"sum": sum(each["sum"] for each in documents)}
links: [number -> count]
"""


def test_a_lost_copy_whose_last_documents_are_combined_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 20)
    (project / "combined.yaml").write_text(COMBINED)
    place = Place(Random(1), 0.0, shares_files=True)
    report, failure = run(project / "combined.yaml", place, 2)
    assert (failure, report.outputs) == ("", {"count.output": [{"sum": 45150}]})
    failures = []
    for message in range(4, 40, 3):  # who has what by then is left to chance
        lost = Place(Once(message), 0.5, shares_files=True)
        report, failure = run(project / "combined.yaml", lost, 2)
        if failure:
            failures.append(failure)
        else:
            assert report.outputs == {"count.output": [{"sum": 45150}]}
    assert failures
    for failure in failures:
        assert "what its copy of 'count' had collected: its last documents would be" in failure


def test_copies_that_average_values_of_different_types_fail_the_run(project: Path) -> None:
    (project / "mixed.yaml").write_text("""\
snaps:
  number: {snap: Sequence, number_of_documents: 40}
  shape:
    snap: Mapper
    mappings: {$key: $value % 2, $x: "$value % 2 == 0 ? $value : Date.parse('2024-05-01')"}
  means:
    snap: Aggregate
    on_error: discard
    group_by_fields: [{field: $key, output_field: key}]
    aggregate_fields: [{function: avg, field: $x, result_field: mean}]
links: [number -> shape -> means]
""")
    _, failure = run(project / "mixed.yaml", Place(Random(1), 0.0, shares_files=True), 2)
    assert re.match(r"avg of \$x in 'means' got (dates|numbers) in one copy, and", failure)
    assert "convert the values first; a run with --workers 1 names the documents" in failure


def test_a_worker_that_cannot_be_replaced_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 3_000)
    place = Place(Random(3), 0.2, shares_files=True, starts=4)
    report, failure = run(project / "lines.yaml", place, 3)
    assert report.status == "failed"
    assert failure == "there is no room for another worker"


def test_too_few_workers_at_the_start_fail_the_run(project: Path) -> None:
    place = Place(Random(3), 0.0, shares_files=True, starts=2)
    report, failure = run(project / "lines.yaml", place, 3)
    assert report.status == "failed"
    assert failure == "there is no room for another worker"


def test_a_failure_names_the_document_that_failed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 30)
    text = PIPELINES["documents"].replace("on_error: discard, ", "")
    (project / "documents.yaml").write_text(text)
    _, alone = run(project / "documents.yaml")
    place = Place(Random(2), 0.03, shares_files=True)
    _, spread = run(project / "documents.yaml", place, 3)
    assert "failed on document 301" in spread
    assert spread == alone


def test_what_belongs_to_one_process_is_refused(project: Path) -> None:
    with pytest.raises(EngineError, match="'taps' cannot be used together with several workers"):
        asyncio.run(api.start(str(project / "lines.yaml"), workers=2, taps=object()))  # type: ignore[arg-type]


def test_a_worker_that_is_lost_while_it_starts_is_started_again(project: Path) -> None:
    class Unlucky(Place):
        losses = 0

        async def start(self, number: int, job: bytes, show: Show) -> Link:
            if self.losses < pool.MOST_STARTS - 1:
                self.losses += 1
                raise WorkerLostError(f"worker {number} was lost")
            return await super().start(number, job, show)

    alone, _ = run(project / "lines.yaml")
    spread, _ = run(project / "lines.yaml", Unlucky(Random(1), 0.0, shares_files=True), 1)
    assert outcome(spread) == outcome(alone)


def test_a_file_that_becomes_shorter_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 3_000)
    file = project / "in.jsonl"

    class Cutting(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            answer = link._replica.answer

            def cutting(message: bytes) -> bytes:
                if file.stat().st_size > 60_000 and b"Range" in message[:200]:
                    with file.open("r+b") as opened:
                        opened.truncate(20_000)
                return answer(message)

            link._replica.answer = cutting  # type: ignore[method-assign]
            return link

    report, failure = run(project / "lines.yaml", Cutting(Random(1), 0.0, shares_files=True), 2)
    assert report.status == "failed"
    assert "became shorter while it was read" in failure
    assert isinstance(ExecutionError(failure), EngineError)


def test_documents_that_come_quickly_share_chunks(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SECONDS", 1_000.0)  # also on a busy machine
    monkeypatch.setattr(remote_stage, "QUIET_SECONDS", 1_000.0)
    messages: list[int] = []

    class Counting(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            answer = link._replica.answer

            def counted(message: bytes) -> bytes:
                messages.append(number)
                return answer(message)

            link._replica.answer = counted  # type: ignore[method-assign]
            return link

    text = PIPELINES["documents"].replace("number_of_documents: 700", "number_of_documents: 32000")
    (project / "documents.yaml").write_text(text)
    alone, _ = run(project / "documents.yaml")
    spread, _ = run(project / "documents.yaml", Counting(Random(1), 0.0, shares_files=True), 1)
    assert outcome(spread) == outcome(alone)
    batches = 3 * 32_000 // BATCH_SIZE  # of three segments
    assert len(messages) < batches / 4


class Listener:
    """An observer that keeps what leaves the pipeline."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.left = threading.Semaphore(0)

    def started(self, report: Report, secrets: Any) -> None:
        """Nothing to do."""

    def show(self, label: str, text: str, request_id: str = "") -> None:
        """Nothing to do."""

    def output(self, port: Any, batch: Batch) -> None:
        self.received += batch.items
        self.left.release()

    def finished(self, report: Report) -> None:
        """Nothing to do."""


def test_documents_that_come_slowly_do_not_wait_for_others(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_FIRST_DOCUMENTS", 1_000)
    listener = Listener()
    pipeline = project / "roots.yaml"
    pipeline.write_text("snaps: {root: {snap: Mapper, mappings: {$root: Math.sqrt($n)}}}\n")

    def squares() -> Iterator[list[Any]]:
        for n in range(1, 4):
            yield [{"n": n * n}]
            assert listener.left.acquire(timeout=120)  # before the next one comes

    place = Place(Random(1), 0.0, shares_files=True)
    inputs = {"root": squares()}
    _, failure = asyncio.run(
        api.start(str(pipeline), inputs=inputs, placement=place, workers=2, observer=listener)
    )
    assert failure is None
    assert listener.received == [{"root": 1}, {"root": 2}, {"root": 3}]


@pytest.mark.parametrize("risk", [0.0, 0.02])
def test_snaps_with_other_needs_have_workers_of_their_own(project: Path, risk: float) -> None:
    """Those of `again` need a lamp; all others share workers with a CPU."""
    pipeline = project / "documents.yaml"
    alone, _ = run(pipeline)
    place = Place(Random(1), risk, shares_files=False)
    spread, failure = asyncio.run(
        api.start(str(pipeline), workers=2, placement=place, resources={"again": {"lamp": 1}})
    )
    assert failure is None
    assert place.needed == [{"CPU": 1.0, "lamp": 1.0}]
    assert place.started >= 4
    assert outcome(spread) == outcome(alone)


def test_a_file_that_a_node_lacks_is_named_with_the_node(project: Path) -> None:
    """The run itself has seen the script before the worker looks for it."""
    (project / "double.py").write_text("def snaplogic_process(row):\n    return row\n")
    (project / "scripted.yaml").write_text(SCRIPTED)

    class Elsewhere(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            (project / "double.py").unlink(missing_ok=True)
            replica = Replica(job, show, node="10.0.0.7")
            return Link(number, replica, Random(1), 0.0)

    _, failure = run(project / "scripted.yaml", Elsewhere(Random(1), 0.0, shares_files=False), 1)
    assert f"cannot read the file '{project / 'double.py'}'" in failure
    assert "the file does not exist on the node 10.0.0.7" in failure


def test_resources_need_a_cluster(project: Path) -> None:
    with pytest.raises(EngineError, match="resources are for workers on a cluster"):
        asyncio.run(
            api.start(str(project / "lines.yaml"), workers=2, resources={"map": {"GPU": 1}})
        )
