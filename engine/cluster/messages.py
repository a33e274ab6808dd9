"""What the coordinator and a worker say to each other, and its form as bytes.

Both ends run the same version of the engine and trust each other, so the form is pickle: it keeps
every value of a document as it is. The items of a batch are packed on their own (`packed`), so
that who only passes them on need not read them.
"""

from __future__ import annotations

import pickle
import sys
from array import array
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

import msgspec

from engine.documents import Document, Header, Item, Lineage
from engine.errors import EngineError, ExecutionError
from engine.plan.plan import Plan, Port
from engine.run.identity import RunIdentity
from engine.sdk.parallel import ByKey, ByRun


class Segment(msgspec.Struct, frozen=True):
    """Snaps that run together, in copies: `labels` in topological order, the first is fed.

    `lines`: it gets text that is cut at ends of lines. The views in `whole` are sent to every
    copy. `exits` are the ports that leave it; the streams of those in `joined` are one stream of
    which every copy makes a part. `keeps`: the snaps that may remember earlier documents. `keyed`:
    which documents the copies of the first snap get, unless any will do. `splits`: the ports whose
    documents go to a view of a keyed snap (ByKey), so that the worker splits them. `combines`: one
    copy of a snap combines the last documents of all.
    """

    number: int
    labels: tuple[str, ...]
    lines: bool
    whole: frozenset[str]
    exits: frozenset[Port]
    joined: frozenset[Port]
    keeps: frozenset[str] = frozenset()
    keyed: ByKey | ByRun | None = None
    splits: Mapping[Port, Port] = {}
    combines: bool = False


class Job(msgspec.Struct, frozen=True):
    """What a worker is for. `identity` holds the resolved parameters; `folder` is the temporary
    folder of the run; `workers`, how many there are. `engine` and `python` are the versions at the
    coordinator."""

    plan: Plan
    identity: RunIdentity
    segments: tuple[Segment, ...]
    folder: str
    workers: int
    engine: str
    python: str


class Open(msgspec.Struct, frozen=True):
    """Create and open the snaps of a segment."""

    segment: int


class Begin(msgspec.Struct, frozen=True):
    """Let the snaps emit what they emit before their first input."""

    segment: int


class Chunk(msgspec.Struct, frozen=True):
    """Batches for a view of a segment's first snap, each packed on its own.

    `key` is the same whenever the chunk is sent again, and that of no other chunk.
    """

    segment: int
    view: str
    batches: tuple[bytes, ...]
    key: str = ""
    ends: bool = False
    """The last document ends a run (ByRun)."""


class Part(msgspec.Struct, frozen=True):
    """Documents for one copy: how many, the documents themselves, and for each the number of those
    before it in the chunk, as an array."""

    count: int
    items: bytes
    numbers: bytes


class Parts(msgspec.Struct, frozen=True):
    """Stands for the documents of a chunk, split for the copies of a keyed snap. `first`: the first
    of them that has a key, in a list; nothing if none has."""

    count: int
    parts: tuple[Part, ...]
    first: bytes


class Share(msgspec.Struct, frozen=True):
    """What one copy gets of a chunk that is split by keys: a part, and the place of the first
    document of the chunk among all. `first`: the first document of the view that has a key."""

    segment: int
    view: str
    part: Part
    place: int
    first: bytes = b""
    key: str = ""

    def places(self) -> array[int]:
        """The places of its documents."""
        place = self.place
        return array("q", [place + number for number in array("q", self.part.numbers)])


class HoldBack(msgspec.Struct, frozen=True):
    """Let a keyed snap keep its results until the end, as another copy must."""

    segment: int


class Lines(msgspec.Struct, frozen=True):
    """Complete lines of a stream, from the line and byte (counted from 0) on where they begin.

    `last`: the stream ends with them, perhaps `broken`, and the last line may be incomplete.
    """

    segment: int
    view: str
    stream: int
    header: Header
    line: int
    offset: int
    text: bytes
    last: bool = False
    broken: bool = False
    key: str = ""

    @property
    def is_first(self) -> bool:
        return not self.offset

    @property
    def amount(self) -> int:
        """Bytes of text."""
        return len(self.text)


class Range(msgspec.Struct, frozen=True):
    """The complete lines of a file from byte `start` to `end`; see Lines."""

    segment: int
    view: str
    stream: int
    header: Header
    path: str
    start: int
    end: int
    last: bool = False
    broken: bool = False
    key: str = ""

    @property
    def is_first(self) -> bool:
        return not self.start

    @property
    def amount(self) -> int:
        """Bytes of text, more or less."""
        return self.end - self.start

    def lines(self, line: int, text: bytes) -> Lines:
        """Its text, which begins in that line."""
        return Lines(
            segment=self.segment,
            view=self.view,
            stream=self.stream,
            header=self.header,
            line=line,
            offset=self.start,
            text=text,
            last=self.last,
            broken=self.broken,
            key=self.key,
        )


class Finish(msgspec.Struct, frozen=True):
    """All inputs of the segment have ended. A keyed one answers with some of its last documents,
    and is asked again for `more`. `is_first`: see `final` of Snap. `finals`: what the other copies
    have answered for snaps that combine, packed, by label."""

    segment: int
    is_first: bool = False
    finals: Mapping[str, tuple[bytes, ...]] = {}


Request = Open | Begin | Chunk | Share | HoldBack | Lines | Range | Finish


class Count(msgspec.Struct):
    """What one snap did with one request, as in SnapStatistics."""

    inputs: dict[str, int]
    outputs: dict[str, int]
    dropped: int
    errors: int
    seconds: float


class Reply(msgspec.Struct):
    """What came of a request: packed items by port, counts by label, and the failure after them.

    `failed` holds error documents for the error pipeline. `reading`: the stream of `Lines` can be
    read further. `seconds`: how long it took. `finals`: last documents for the copy that combines
    them, packed, by label.

    Of a keyed segment: `places` of the items of each port; `holds_back`: results come at the end;
    `more` are to come, all of them after the place `upto`; `kinds` must be those of all copies.
    """

    outputs: list[tuple[Port, bytes]]
    counts: dict[str, Count]
    failed: list[tuple[Document, Lineage]]
    failure: EngineError | None = None
    reading: bool = True
    seconds: float = 0.0
    finals: Mapping[str, bytes] = {}
    places: dict[Port, array[int]] = {}
    holds_back: bool = False
    more: bool = False
    upto: int = 0
    kinds: Mapping[str, str] = {}


def packed(items: list[Item]) -> bytes:
    """Raises ExecutionError if they are nested too deeply."""
    return _pickled(items)


def unpacked(data: bytes) -> list[Item]:
    items: list[Item] = pickle.loads(data)  # from a process of this run
    return items


def to_bytes(message: Job | Request) -> bytes:
    return _pickled(message)


def reply_bytes(reply: Reply) -> bytes:
    """A reply as bytes; a failure that cannot be pickled becomes one that can. Error documents that
    cannot be are left out, and are a failure."""
    try:
        return _pickled(reply)
    except Exception as error:  # noqa: BLE001  # whatever the error of a snap holds
        reply.failure = ExecutionError(str(reply.failure or error))
    try:
        return _pickled(reply)
    except ExecutionError:
        reply.failed = []
        return _pickled(reply)


def failure_of(error: Exception) -> EngineError:
    """What ends a run because of that error."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, RecursionError):
        return ExecutionError(
            "a document is nested too deeply to be sent to a worker", "run with --workers 1"
        )
    return ExecutionError(f"{type(error).__name__}: {error}")  # of the engine; the run names it


def job_of(data: bytes) -> Job:
    job: Job = _read(data, Job)
    return job


def request_of(data: bytes) -> Request:
    request: Request = _read(data, Request)
    return request


def reply_of(data: bytes | bytearray) -> Reply:
    reply: Reply = _read(data, Reply)
    return reply


def _pickled(value: Any) -> bytes:
    """Pickle calls itself for what is within a value. Raises ExecutionError for what is nested more
    deeply than the stack of a thread allows for certain."""
    with suppress(RecursionError):
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    with _DEEP:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _MOST_CALLS))
        try:
            return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except RecursionError as error:
            raise failure_of(error) from None
        finally:
            sys.setrecursionlimit(limit)


_MOST_CALLS = 5_000
_DEEP = Lock()
"""The limit belongs to all threads."""


def _read(data: bytes | bytearray, kind: Any) -> Any:
    message = pickle.loads(data)  # from a process of this run
    if not isinstance(message, kind):
        raise TypeError(f"unexpected message: {type(message).__name__}")
    return message


def counts_of(statistics: Mapping[str, Any]) -> dict[str, Count]:
    """The counts of snaps that did anything."""
    return {
        label: Count(
            {view: count for view, count in each.inputs.items() if count},
            {view: count for view, count in each.outputs.items() if count},
            each.dropped,
            each.errors,
            each.seconds,
        )
        for label, each in statistics.items()
    }


def add_counts(known: Mapping[str, Any], counts: Mapping[str, Count]) -> None:
    """Add them to the statistics of snaps."""
    for label, count in counts.items():
        snap = known[label]
        for view, number in count.inputs.items():
            snap.inputs[view] += number
        for view, number in count.outputs.items():
            snap.outputs[view] += number
        snap.dropped += count.dropped
        snap.errors += count.errors
        snap.seconds += count.seconds
