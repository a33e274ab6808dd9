"""The base of all snaps.

A snap's life: made from settings, `open` in the process that runs it, `process` or `process_batch`
until its inputs end, `finish`, and `close` in any case. The runtime moves batches; `process` is
sugar for one document at a time, and a hot snap overrides `process_batch`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from time import perf_counter
from types import GeneratorType
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from engine.documents import (
    NO_LINEAGE,
    Batch,
    Document,
    Header,
    Item,
    Lineage,
    StreamEnd,
    StreamStart,
)
from engine.errors import DataError, ExecutionError
from engine.sdk.context import Context
from engine.sdk.facts import Foreign
from engine.sdk.files import WrittenFile
from engine.sdk.http import HttpResponse
from engine.sdk.plain_values import plain
from engine.sdk.settings import Issue, NoSettings, Settings
from engine.sdk.views import View, Views

S = TypeVar("S", bound=Settings)

BATCH_SIZE = 64
"""Documents in a batch that a snap makes one by one; larger ones fall out of the cache."""

HELD_SECONDS = 0.01
"""How long the documents of a generator may wait until they make a batch."""


class To(msgspec.Struct, frozen=True):
    """A document for another view than the first output (empty: the first).

    `lineage` says which requests it answers, where that is not the document in hand: for rows that
    were held back and are answered later.
    """

    view: str
    item: Item
    lineage: Lineage | None = None


Result = Item | To | Iterable[Item | To] | None
Emission = Batch | Mapping[str, Batch] | Iterable[Mapping[str, Batch]] | None


class Example(msgspec.Struct, frozen=True):
    """A snap at work: documentation and test at once.

    `given` and `expect` are the items of the default views, or a map of view to items. `files` are
    laid into an empty project before; `leaves` are the files (text) that must be there after.
    `answers` stand for servers: `GET https://host/path` to what is answered.
    """

    title: str
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)
    given: Any = ()
    expect: Any = ()
    on_error: str = "stop"
    parameters: Mapping[str, str] = msgspec.field(default_factory=dict)
    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    leaves: Mapping[str, str] = msgspec.field(default_factory=dict)
    answers: Mapping[str, HttpResponse] = msgspec.field(default_factory=dict)


class PythonCode(msgspec.Struct, frozen=True):
    """Python that a snap will run: a `file`, or the `text` of the setting at `path`.

    One of the names in `needs` must be defined if the input `view` has a link.
    """

    path: tuple[str | int, ...]
    file: str = ""
    text: str = ""
    needs: tuple[str, ...] = ()
    view: str = "input"


class Snap(Generic[S]):
    """Base of the snaps that take documents.

    Class facts, plain attributes that the plan carries: `views`; `stateful` (a document's result
    depends on earlier ones); `single` (only one copy may run); `keeps_order`; `loses_lineage` (why
    it cannot stand in an ultra task; empty if it can; `loses_lineage_for` if the settings decide);
    `replayable` (running a document twice does no harm); `blocking` (waits for the outside, so it
    runs off the event loop); `passes_on` (its output documents are its input documents); `writes`
    (acts on the outside, so that a preview leaves it out); `flows` (`process_batch` gives each
    result as soon as it is there, so the runtime need not cut batches to keep documents flowing);
    `plain` (its documents hold nothing but what JSON has, bytes and date-times, so the runtime need
    not look).

    Facts for people and for import: `category` (empty: the folder that its file is in), `since`
    (the version that brought it), `about` (long help, Markdown), `foreign` (SnapLogic's own snap).
    """

    settings_class: ClassVar[type[Settings]] = NoSettings
    examples: ClassVar[tuple[Example, ...]] = ()
    views: ClassVar[Views] = Views()
    stateful: ClassVar[bool] = True
    single: ClassVar[bool] = False
    keeps_order: ClassVar[bool] = True
    loses_lineage: ClassVar[str] = ""
    replayable: ClassVar[bool] = True
    blocking: ClassVar[bool] = False
    passes_on: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    category: ClassVar[str] = ""
    since: ClassVar[str] = ""
    about: ClassVar[str] = ""
    foreign: ClassVar[Foreign | None] = None
    flows: ClassVar[bool] = False
    plain: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in getattr(base, "__args__", ()):
                if isinstance(argument, type) and issubclass(argument, Settings):
                    cls.settings_class = argument

    def __init__(self, settings: S, context: Context) -> None:
        self.settings = settings
        self.context = context

    @classmethod
    def views_for(cls, settings: S) -> Views:
        """The views that these settings give; the fixed ones unless a snap says otherwise."""
        return cls.views

    @classmethod
    def loses_lineage_for(cls, settings: S) -> str:
        """Why it loses lineage with these settings; `loses_lineage` unless a snap says else."""
        return cls.loses_lineage

    @classmethod
    def reads(cls, settings: S) -> frozenset[tuple[str, ...]] | None:
        """The document paths that the snap looks at; None if it may look at all."""
        return None

    @classmethod
    def check(cls, settings: S) -> Iterable[Issue]:
        """What is wrong with the settings beyond their types; a warning stops nothing."""
        return ()

    @classmethod
    def files_needed(cls, settings: S) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """(path of the setting, file name) of the files that must be there before a run."""
        return ()

    @classmethod
    def files_written(cls, settings: S) -> Iterable[WrittenFile]:
        """The settings that name what the snap writes: no two snaps may write one file."""
        return ()

    @classmethod
    def python_code(cls, settings: S) -> Iterable[PythonCode]:
        """The Python that it will run, to be compiled when the pipeline is checked."""
        return ()

    @classmethod
    def parameters_read(cls, settings: S) -> Iterable[tuple[tuple[str | int, ...], str, int]]:
        """(path of the setting, name, offset of `_name` in it) of parameters that no expression
        reads, but a template does."""
        return ()

    def open(self) -> None:
        """Get ready: compile expressions, open what is needed."""

    def start(self) -> Iterable[Item | To]:
        """What the snap emits before its first input."""
        return ()

    def process(self, document: Document) -> Result:
        """The result for one document: none drops it. DataError fails this document alone."""
        raise NotImplementedError(f"{type(self).__name__} must define process or process_batch")

    def process_batch(self, view: str, batch: Batch) -> Emission:
        """The results for a batch of one input view."""
        return self._process_each(batch)

    def finish(self) -> Iterable[Item | To]:
        """What was held back, once all inputs have ended."""
        return ()

    def close(self) -> None:
        """Let go of everything. Called in any case, after a failure too."""

    def interrupt(self) -> None:
        """Make a blocked call return soon. Called from another thread."""

    def _process_each(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        collected = self._collected(batch, "process", checks=not self.plain)
        try:
            for position, document in enumerate(batch.items):
                lineage = batch.lineage_of(position)
                try:
                    result = self.process(document)
                    if result is None:
                        self.context.dropped(1, (lineage,))
                    elif result.__class__ is dict or result.__class__ is To:
                        collected.add(result, lineage)
                    elif not (yield from collected.pass_on(result, lineage)):
                        self.context.dropped(1, (lineage,))
                except DataError as error:
                    self.context.failed(error, document, lineage)
                except (Exception, SystemExit) as error:  # noqa: BLE001  # the context names the snap
                    self.context.broke(error, document, lineage)
                if collected.count >= BATCH_SIZE:
                    yield collected.take()
        except Exception:
            if collected.count:  # what came before the failure is not lost by it
                yield collected.take()
            raise
        if collected.count:
            yield collected.take()

    def _collected(self, batch: Batch, method: str, *, checks: bool = False) -> Collected:
        giver = f"{method} of {type(self).__name__}"
        return Collected(self.default_output, batch.lineage is not None, giver, checks=checks)

    @property
    def default_output(self) -> str:
        outputs = type(self).views_for(self.settings).outputs
        return outputs[0].name if outputs else ""


class Collected:
    """Items gathered by view until they make a batch.

    Raises ExecutionError, in the name of the `giver`, for what is not an item: it would become a
    wrong result further on. With `checks` it raises NotPlainError for a document with values that
    no document can hold.
    """

    __slots__ = ("checks", "count", "default", "giver", "items", "keeps", "lineage")

    def __init__(
        self,
        default: str,
        keeps_lineage: bool,
        giver: str = "the snap",
        *,
        checks: bool = False,
    ) -> None:
        self.default = default
        self.keeps = keeps_lineage
        self.giver = giver
        self.checks = checks
        self.items: dict[str, list[Any]] = {}
        self.lineage: dict[str, list[Lineage]] = {}
        self.count = 0

    def add(self, result: Any, lineage: Lineage = NO_LINEAGE) -> None:
        view, item = self.default, result
        if result.__class__ is not dict:
            if isinstance(result, To):
                view, item = result.view or view, result.item
                lineage = lineage if result.lineage is None else result.lineage
            item = self._item(item)
        if self.checks and item.__class__ is dict:
            item = plain(item)
        self.items.setdefault(view, []).append(item)
        if self.keeps:
            self.lineage.setdefault(view, []).append(lineage)
        self.count += 1

    def several(self, result: Any) -> Iterable[Any]:
        """A result as one or more items."""
        if result.__class__ in _COLLECTIONS:  # most are; the questions below take longer
            return result
        if result is None:
            return ()
        if isinstance(result, (*_PIECES, Mapping, To)):
            return (result,)
        if isinstance(result, Iterable) and not isinstance(result, _TEXTS):
            return result
        raise self._refusal(result)

    def pass_on(
        self, result: Any, lineage: Lineage = NO_LINEAGE
    ) -> Generator[Mapping[str, Batch], None, bool]:
        """Add a whole result, handing on the batches that are due. Returns whether it held items.

        A generator may work long on each item, so what it has given is due after a time, too.
        """
        items = self.several(result)
        lazy = items.__class__ is not list and items.__class__ is not tuple
        given, taken = False, perf_counter()
        for item in items:
            given = True
            self.add(item, lineage)
            full = self.count >= BATCH_SIZE or item.__class__ is bytes
            if full or (lazy and perf_counter() - taken > HELD_SECONDS):
                yield self.take()
                taken = perf_counter()
        return given

    def batches(self, result: Any, lineage: Lineage = NO_LINEAGE) -> Iterator[Mapping[str, Batch]]:
        """A whole result in batches. What came before a failure is not lost by it."""
        try:
            yield from self.pass_on(result, lineage)
        except Exception:
            if self.count:
                yield self.take()
            raise
        if self.count:
            yield self.take()

    def take(self) -> Mapping[str, Batch]:
        """The gathered batches by view; starts anew."""
        batches = {
            view: Batch(items, self.lineage[view] if self.keeps else None)
            for view, items in self.items.items()
        }
        self.items, self.lineage, self.count = {}, {}, 0
        return batches

    def _item(self, item: Any) -> Item:
        if item.__class__ is dict or isinstance(item, _PIECES):
            return item
        if isinstance(item, Mapping):  # such as a Counter; from here on a document is a plain dict
            return dict(item)
        raise self._refusal(item)

    def _refusal(self, value: Any) -> ExecutionError:
        kind = "a text" if isinstance(value, str) else repr(type(value).__name__)
        return ExecutionError(
            f"{self.giver} gave {kind}; "
            "it must give a document, several, To(view, document) or None"
        )


_PIECES = (StreamStart, StreamEnd, bytes)
_TEXTS = (str, bytearray, memoryview)
_COLLECTIONS = frozenset((list, tuple, GeneratorType))


class StreamSnap(Snap[S]):
    """Base of the snaps that take binary streams: `begin`, `feed` for each chunk, `end`.

    A DataError in any of the three fails the stream: the rest of its chunks is skipped, and
    `abandon` is called, as it is when the stream breaks off upstream. A stream that has given
    nothing and failed in nothing is acknowledged at its end.
    """

    views = Views(inputs=(View("input", "binary"),))

    _header: Header | None = None
    _lineage: Lineage = NO_LINEAGE
    _answered = False

    def begin(self, header: Header) -> Iterable[Item | To]:
        """A stream starts."""
        return ()

    def feed(self, chunk: bytes) -> Iterable[Item | To]:
        """The next bytes of the stream."""
        raise NotImplementedError(f"{type(self).__name__} must define feed")

    def end(self) -> Iterable[Item | To]:
        """The stream is complete."""
        return ()

    def abandon(self) -> None:
        """The stream will not be completed: forget it."""

    def report(self, error: DataError) -> None:
        """Report a part of the stream that failed; the rest of it goes on."""
        self._answered = True
        self.context.failed(error, self._header, self._lineage)

    def process_batch(self, view: str, batch: Batch) -> Emission:
        return self._process_pieces(batch)

    def _process_pieces(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        for position, piece in enumerate(batch.items):
            if piece.__class__ is StreamStart:
                if self._header is not None:  # the one before has no end
                    self._break_off()
                self._header, self._lineage = piece.header, batch.lineage_of(position)
                self._answered = False
            if self._header is None:
                continue  # the rest of a stream that failed
            try:
                yield from self._take_piece(piece, batch)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # the context names the snap
                try:
                    self.abandon()
                finally:
                    self._answered = True
                    self.context.broke(error, self._header, self._lineage)
                    self._header = None
                continue
            if piece.__class__ is StreamEnd:
                self._acknowledge()

    def _take_piece(self, piece: Any, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        method, result = self._call(piece)
        if result.__class__ is list and batch.lineage is None and _are_documents(result):
            if result:
                self._answered = True
                yield {self.default_output: Batch(result)}
            return
        for batches in self._collected(batch, method).batches(result, self._lineage):
            self._answered = True
            yield batches

    def _call(self, piece: Any) -> tuple[str, Any]:
        """What the method for the piece gives, and its name."""
        if piece.__class__ is bytes:
            return "feed", self.feed(piece)
        if piece.__class__ is StreamStart:
            return "begin", self.begin(piece.header)
        if not piece.broken:
            return "end", self.end()
        self.abandon()
        return "abandon", None

    def _break_off(self) -> None:
        self.abandon()
        self._acknowledge()

    def _acknowledge(self) -> None:
        """The stream is over. If nothing came of it, it ends here."""
        self._header = None
        if not self._answered:
            self.context.dropped(1, (self._lineage,))


def _are_documents(items: list[Any]) -> bool:
    return list(map(type, items)).count(dict) == len(items)
