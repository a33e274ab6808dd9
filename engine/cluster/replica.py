"""A worker's side: one copy of every segment, which answers one message after the other.

A chunk runs through its segment at once, snap after snap, so when it is answered, nothing of it is
left in the worker. Snaps run on stage hosts, as everywhere.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.cluster.file_ranges import OpenFile
from engine.cluster.keyed_copy import KeyedCopy
from engine.cluster.keys import Splitter
from engine.cluster.messages import (
    Begin,
    Chunk,
    Finish,
    HoldBack,
    Job,
    Lines,
    Open,
    Range,
    Reply,
    Request,
    Segment,
    Share,
    counts_of,
    failure_of,
    job_of,
    packed,
    reply_bytes,
    request_of,
    unpacked,
)
from engine.cluster.node_files import NodeFiles
from engine.documents import Batch, Document, Item, Lineage, StreamEnd, StreamStart
from engine.errors import EngineError, ExecutionError
from engine.plan.plan import Port
from engine.registry import Registry, discover
from engine.registry.packages import engine_version
from engine.run.execution import Execution, Load, load_yaml
from engine.run.host import StageHost
from engine.run.report import SnapStatistics
from engine.run.services import Services
from engine.script.executor import Executor
from engine.sdk.parallel import ByKey
from engine.sdk.stream_snap import StreamSnap

_BLANK_LINES = b"\n\n\n\n"
"""What a parser gets in place of the lines before those of a chunk. As long as the longest mark
of an encoding, so that it looks for none in the chunk."""


class VersionError(ExecutionError):
    """What is installed at the worker is not what the coordinator has."""


def versions() -> tuple[str, str]:
    """The versions of the engine and of Python in this process."""
    return engine_version(), platform.python_version()


class Replica:
    """The snaps of all segments in this process. Used by one thread, except for `interrupt`.

    `show(label, line)` takes what snaps show, without secrets; it may be called from any thread.
    `node` names the machine if it may have other files than that of the run. Raises VersionError.
    """

    def __init__(
        self,
        job: bytes,
        show: Callable[[str, str], None],
        load: Load = load_yaml,
        node: str = "",
    ) -> None:
        given = _job(job)
        registry = discover()
        _check_snaps(given, registry)
        self._services = Services(
            given.plan, Executor(), lambda label, text, request_id="": show(label, text)
        )
        self._services.__dict__["folder"] = Path(given.folder)
        if node:
            self._services.files = NodeFiles(self._services.files, node)
        execution = Execution(given.plan, given.identity, self._services, registry, load=load)
        execution.copied = frozenset(
            each.labels[0] for each in given.segments if isinstance(each.keyed, ByKey)
        )
        self._execution = execution
        self._failed: list[tuple[Document, Lineage]] = []
        if given.plan.error_pipeline is not None:
            execution.error_pipeline = self  # type: ignore[assignment]  # it has `send`
        execution.on_failure = self._fail
        self._failure: EngineError | None = None
        self._segments = {
            segment.number: _SegmentCopy(
                segment, registry, execution, given.workers, self._forget_failed
            )
            for segment in given.segments
        }

    def send(self, document: Document, lineage: Lineage) -> None:
        """Take a document for the error pipeline, which runs at the coordinator."""
        self._failed.append((document, lineage))

    def answer(self, message: bytes) -> bytes:
        """Do what a message asks for. Never raises: failures are part of the answer."""
        request = request_of(message)
        copy = self._segments[request.segment]
        copy.forget_counts()
        started = perf_counter()
        reading = True
        failure: EngineError | None = None
        try:
            if self._failure is not None:
                raise self._failure
            self._execution.chunk_key = getattr(request, "key", "")
            reading = copy.perform(request)
        except Exception as error:  # noqa: BLE001  # also one of the engine
            failure = failure_of(error)
        failed, self._failed = self._failed, []
        given, self._execution.finals = self._execution.finals, {}
        outputs: list[tuple[Port, bytes]] = []
        finals: dict[str, bytes] = {}
        try:
            outputs = [(port, packed(items)) for port, items in copy.taken().items()]
            finals = {label: packed([*items]) for label, items in given.items()}
        except Exception as error:  # noqa: BLE001  # the results of a snap may be anything
            failure = failure or failure_of(error)
        return reply_bytes(
            Reply(
                outputs=outputs,
                counts=counts_of(copy.statistics),
                failed=failed,
                failure=failure,
                reading=reading,
                seconds=perf_counter() - started,
                finals=finals,
                **copy.keyed.told(),
            )
        )

    def interrupt(self) -> None:
        """Make a blocked call return soon. Called from another thread."""
        for copy in self._segments.values():
            copy.interrupt()

    def close(self) -> None:
        for copy in self._segments.values():
            copy.close()
        self._services.__dict__.pop("folder", None)  # it belongs to the coordinator
        self._services.close()

    def _forget_failed(self) -> None:
        self._failed.clear()

    def _fail(self, label: str, failure: EngineError) -> None:
        """A snap failed outside of any call to it, such as a script that crashed."""
        self._failure = self._failure or failure


class _SegmentCopy:
    """This worker's copy of one segment."""

    def __init__(
        self,
        segment: Segment,
        registry: Registry,
        execution: Execution,
        workers: int,
        forget_failed: Callable[[], None],
    ) -> None:
        routes = execution.plan.routes
        stages = [stage for stage in execution.plan.stages if stage.labels[0] in segment.labels]
        self._segment = segment
        self._execution = execution
        self._hosts = {stage: StageHost(stage, registry, execution) for stage in stages}
        self._entry = self._hosts[stages[0]]
        self._targets = {
            port: target for port, target in routes.targets.items() if target.stage in self._hosts
        }
        self.statistics: dict[str, SnapStatistics] = {
            each.label: each for host in self._hosts.values() for each in host.statistics
        }
        self._outputs: dict[Port, list[Item]] = {}
        self._stream = self._faulty_stream = -1
        self._line = self._offset = 0
        self._file = OpenFile()
        self._forget_failed = forget_failed
        self.keyed = KeyedCopy(segment, execution, self._entry)
        self._splitters = {
            port: (target.view, Splitter(execution, target.label, workers))
            for port, target in segment.splits.items()
        }

    def perform(self, request: Request) -> bool:
        """Returns whether the current stream, if any, can be read further."""
        if isinstance(request, Chunk):
            for batch in request.batches:
                self._push(self._entry, request.view, Batch(unpacked(batch)))
            if request.ends:
                self._pass_on(self._entry.end_of_run())
        elif isinstance(request, Share):
            if share := self.keyed.batch_of(request):
                self._push(self._entry, request.view, share)
        elif isinstance(request, HoldBack):
            self.keyed.snap.hold_back()
        elif isinstance(request, Lines):
            return self._read(request)
        elif isinstance(request, Range):
            return self._read_range(request)
        elif isinstance(request, Open):
            for host in self._hosts.values():
                host.open()
        elif isinstance(request, Begin):
            for host in self._hosts.values():
                self._pass_on(host.start())
        elif isinstance(request, Finish) and self.keyed.is_needed:
            self.keyed.finish(list(self._hosts.values()), self._pass_on)
        elif isinstance(request, Finish):
            self._execution.is_first_copy = request.is_first
            self._execution.finals = {
                label: [item for part in parts for item in _documents(part)]
                for label, parts in request.finals.items()
            }
            for host in self._hosts.values():
                self._pass_on(host.finish())
        return True

    def taken(self) -> dict[Port, list[Any]]:
        """What has left the segment since the last call, in parts for keyed snaps."""
        taken: dict[Port, list[Any]] = self._outputs
        self._outputs = {}
        for port, (view, splitter) in self._splitters.items():
            if port in taken:
                taken[port] = [splitter.parts(view, taken[port])]
        return taken

    def forget_counts(self) -> None:
        """Count from 0 again: the coordinator adds up what each request comes to."""
        for each in self.statistics.values():
            each.inputs = dict.fromkeys(each.inputs, 0)
            each.outputs = dict.fromkeys(each.outputs, 0)
            each.dropped = each.errors = 0
            each.seconds = 0.0

    def interrupt(self) -> None:
        for host in self._hosts.values():
            host.interrupt()

    def close(self) -> None:
        for host in self._hosts.values():
            try:
                host.close()
            except EngineError:  # the run has ended or failed before
                continue
        self._file.close()

    def _push(self, host: StageHost, view: str, batch: Batch) -> None:
        self._pass_on(host.process(view, batch))

    def _pass_on(self, outputs: Iterable[tuple[Port, Batch]]) -> None:
        for port, batch in outputs:
            target = self._targets.get(port)
            if not batch.items:
                continue
            if target is not None:
                self._push(self._hosts[target.stage], target.view, batch)
            elif port in self._segment.exits:
                self._outputs.setdefault(port, []).extend(batch.items)
                if self.keyed.is_needed:
                    self.keyed.note(port, batch)

    # Streams that are cut at ends of lines

    def _read(self, lines: Lines, *, counts: bool = True) -> bool:
        """Let the parser read on where the lines begin; whether it can read further. Unless
        somebody `counts`, it may take lines for others."""
        parser = self._entry.members[0]
        if self._stream != lines.stream:
            self._begin_stream(lines)
        assert isinstance(parser.snap, StreamSnap)
        if (lines.line, lines.offset) != (self._line, self._offset) and parser.snap.is_reading:
            parser.snap.read_elsewhere(lines.line - self._line, lines.offset - self._offset)
        self._line = lines.line + (lines.text.count(b"\n") if counts else 0)
        self._offset = lines.offset + len(lines.text)
        items: list[Item] = [lines.text] if lines.text else []
        if lines.last:
            items.append(StreamEnd(broken=lines.broken))
            self._stream = -1
        if items:
            self._push(self._entry, lines.view, Batch(items))
        return parser.snap.is_reading

    def _read_range(self, given: Range) -> bool:
        """Read a part of a file. Only if a line in it has a mistake, count the lines before it, and
        read the part again, knowing where it is."""
        text = self._file.read(given.path, given.start, given.end)
        if given.start and given.stream != self._faulty_stream:
            parser = self._entry.members[0]
            try:
                reading = self._read(given.lines(self._line, text), counts=False)
            except EngineError:
                if not parser.statistics.errors:
                    raise
            else:
                if not parser.statistics.errors:
                    return reading
            self._undo()
            self._faulty_stream = given.stream
        line = self._file.lines_before(given.path, given.start)
        return self._read(given.lines(line, text))

    def _undo(self) -> None:
        """Forget what came of the current request, except that a formatter has begun a stream."""
        self._stream = -1
        self._forget_failed()
        self.forget_counts()
        starts: dict[Port, list[Item]] = {
            port: [item for item in items if isinstance(item, StreamStart)]
            for port, items in self._outputs.items()
            if port in self._segment.joined
        }
        self._outputs = {port: items for port, items in starts.items() if items}
        for port in self._outputs:
            self.statistics[port.label].outputs[port.view] += 1

    def _begin_stream(self, lines: Lines) -> None:
        parser = self._entry.members[0]
        assert isinstance(parser.snap, StreamSnap)
        parser.snap.leave_stream()
        self._stream, self._line, self._offset = lines.stream, 0, 0
        self._push(self._entry, lines.view, Batch([StreamStart(lines.header)]))
        if lines.offset:
            self._push(self._entry, lines.view, Batch([_BLANK_LINES]))
            self._line = self._offset = len(_BLANK_LINES)
            parser.statistics.inputs[lines.view] -= 1  # whoever read its start has counted it


def _documents(data: bytes) -> list[Document]:
    documents: Any = unpacked(data)
    return list(documents)


def _job(data: bytes) -> Job:
    """Raises VersionError if the job is of another version, or names classes that are not here."""
    try:
        job = job_of(data)
    except (ImportError, AttributeError, TypeError) as error:
        raise VersionError(
            f"the worker cannot read its part of the pipeline: {error}", _INSTALL
        ) from error
    _check_versions(job)
    return job


def _check_snaps(job: Job, registry: Registry) -> None:
    for segment in job.segments:
        for label in segment.labels:
            name = job.plan.snap(label).type
            if name not in registry:
                raise VersionError(
                    f"the worker does not know the snap {name!r} of {label!r}",
                    _INSTALL,
                )


_INSTALL = "install the package of each snap where the workers run, or run with one worker"


def _check_versions(job: Job) -> None:
    engine, python = versions()
    if (engine, python) != (job.engine, job.python):
        raise VersionError(
            f"the worker has snapline {engine} on Python {python}, but the run was started by "
            f"snapline {job.engine} on Python {job.python}",
            "install the same versions in both places",
        )
