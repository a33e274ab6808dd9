"""The base classes of all snaps.

The life of a snap: it is created from its settings, then `open` in the process that runs it,
`process` or `process_batch` until its inputs end, `finish`, and `close` in any case. The runtime
moves batches; `process` handles one document at a time, and performance-critical snaps override
`process_batch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import msgspec

from engine.documents import (
    Batch,
    Document,
    Item,
)
from engine.errors import DataError
from engine.expressions.steps import Step
from engine.sdk.children import ChildReference
from engine.sdk.context import Context
from engine.sdk.facts import Foreign
from engine.sdk.files import ReadFile, WrittenFile
from engine.sdk.http import HttpResponse
from engine.sdk.parallel import Parallel
from engine.sdk.results import BATCH_SIZE, Collected, Emission, Result, To
from engine.sdk.settings import Issue, NoSettings, Settings
from engine.sdk.views import Views

if TYPE_CHECKING:
    from engine.sdk.accounts import AccountKind

S = TypeVar("S", bound=Settings)


class Example(msgspec.Struct, frozen=True):
    """An example of a snap, which is both documentation and test.

    `given` and `expect` are the items of the default views, or a map of view to items. `files` are
    written to an empty project before; `leaves` are the (text) files that must exist after. In
    `expect`, `<project>` stands for the path of the project's folder. `answers` replace servers:
    they map `GET https://host/path` to a response. `accounts` replace account files, and
    `databases` are SQLite files that are made by a script before.
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
    accounts: Mapping[str, AccountKind] = msgspec.field(default_factory=dict)
    databases: Mapping[str, str] = msgspec.field(default_factory=dict)


class PythonCode(msgspec.Struct, frozen=True):
    """Python that a snap will run: a `file`, or the `text` of the setting at `path`.

    One of the names in `needs` must be defined if the input `view` has a link. `calls` says which
    functions the snap calls, if they are defined, and with which arguments; those in `yields` may
    be generators.
    """

    path: tuple[str | int, ...]
    file: str = ""
    text: str = ""
    needs: tuple[str, ...] = ()
    calls: dict[str, tuple[str, ...]] = {}
    yields: tuple[str, ...] = ()
    view: str = "input"


class Snap(Generic[S]):
    """Base of the snaps that take documents.

    Class facts, plain attributes that become part of the plan: `views`; `stateful` (a document's
    result depends on earlier ones); `single` (only one copy may run); `keeps_order`;
    `loses_lineage` (why it cannot be used in an ultra task; empty if it can; `loses_lineage_for` if
    that depends on the settings); `replayable` (processing a document twice does no harm);
    `blocking` (waits for the outside world, so it runs off the event loop); `passes_on` (its output
    documents are its input documents); `writes` (acts on the outside world, so a preview skips it;
    `writes_for` if that depends on the settings), and then `would`, which says what it would do:
    `{items}` are its documents, `{file}` the values of the setting `file`; `reaches` (it reads from
    the `network` or a `database`, which a preview does only if it is allowed to); `makes_files` (it
    may create files that `files_written` and `children` do not tell of);
    `flows` (`process_batch` yields each result as soon as it is ready, so the runtime need not
    split batches to keep documents flowing); `hurries` (its calls are often short: when
    `context.patience` is set and not enough, `process_batch` yields an empty map, and goes on when
    it is asked for the next); `plain` (its documents hold only JSON values, bytes
    and date-times, so the runtime need not check them); `changes_input` (it may change its input
    documents, or lists and maps in them, so they must be its own); `shares_output` (two of its
    output documents may hold the same list or map); `parallel` (whether copies of it may share the
    work in `engine run --workers`: "any" number of them, "one", `ByKey`, `ByRun`, or `Once` with
    the reason; empty: any number if it is stateless, not `single`, `keeps_order` and is
    `replayable`; `parallel_for` if that depends on the settings); `splits` (its streams are files,
    passed on as `context.files.read` gives them, so a worker may read parts of them instead). Every
    copy opens, starts and finishes, but only what the first one emits in `start` is used; if
    `final` is "once" instead of "each", that holds for `finish`, too (`final_for` if it depends on
    the settings); with "combined", the first one finishes after all others, with
    `context.all_finals`. If one is lost, another gets the documents that were not answered.

    Facts for people and for import: `category` (empty: the folder of its file), `since` (the
    version that introduced it), `about` (long help, Markdown), `foreign` (SnapLogic's corresponding
    snap).
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
    makes_files: ClassVar[bool] = False
    would: ClassVar[str] = "act on {items}"
    reaches: ClassVar[Literal["", "network", "database"]] = ""
    category: ClassVar[str] = ""
    since: ClassVar[str] = ""
    about: ClassVar[str] = ""
    foreign: ClassVar[Foreign | None] = None
    flows: ClassVar[bool] = False
    hurries: ClassVar[bool] = False
    plain: ClassVar[bool] = False
    changes_input: ClassVar[bool] = True
    shares_output: ClassVar[bool] = True
    parallel: ClassVar[Parallel] = ""
    final: ClassVar[str] = "each"
    splits: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in getattr(base, "__args__", ()):
                if isinstance(argument, type) and issubclass(argument, Settings):
                    cls.settings_class = NoSettings if argument is Settings else argument

    def __init__(self, settings: S, context: Context) -> None:
        self.settings = settings
        self.context = context

    @classmethod
    def views_for(cls, settings: S) -> Views:
        """The views for these settings; override it if they depend on the settings."""
        return cls.views

    @classmethod
    def loses_lineage_for(cls, settings: S) -> str:
        """Why it loses lineage with these settings; override it if that depends on them."""
        return cls.loses_lineage

    @classmethod
    def writes_for(cls, settings: S) -> bool:
        """Whether it writes with these settings; override it if that depends on them."""
        return cls.writes

    @classmethod
    def parallel_for(cls, settings: S) -> Parallel:
        """How many copies may run with these settings; override it if that depends on them."""
        return cls.parallel

    @classmethod
    def final_for(cls, settings: S) -> str:
        """Whether what `each` copy emits at the end is used, what one does, `once`, or what one
        makes of that of all, `combined`."""
        return cls.final

    @classmethod
    def reads(cls, settings: S) -> frozenset[tuple[str, ...]] | None:
        """The document paths that the snap reads; None: it may read any."""
        return None

    @classmethod
    def steps(cls, settings: S) -> Sequence[Step]:
        """What the snap does, as plain data, so that the runtime may do it together with its
        neighbours; empty if `process_batch` must be called. The two must agree on every document.
        """
        return ()

    @classmethod
    def known_output(cls, settings: S) -> Sequence[Document]:
        """Documents that together have every field of its output, as far as the settings show it;
        empty: they do not. Editors propose these fields, and the check warns of others.
        """
        return ()

    @classmethod
    def check(cls, settings: S) -> Iterable[Issue]:
        """Mistakes in the settings beyond wrong types; warnings do not stop the pipeline."""
        return ()

    @classmethod
    def check_inputs(cls, settings: S, inputs: Sequence[str]) -> Iterable[Issue]:
        """Mistakes in settings that name input views; `inputs` are the linked ones, in order."""
        return ()

    @classmethod
    def files_needed(cls, settings: S) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """(path of the setting, file name) of the files that must exist before a run."""
        return ()

    @classmethod
    def files_written(cls, settings: S) -> Iterable[WrittenFile]:
        """The settings that name files the snap writes: no two snaps may write the same file."""
        return ()

    @classmethod
    def files_read(cls, settings: S) -> Iterable[ReadFile]:
        """The settings that name files the snap reads while it runs."""
        return ()

    @classmethod
    def python_code(cls, settings: S) -> Iterable[PythonCode]:
        """The Python code that it will run, to be compiled when the pipeline is checked."""
        return ()

    @classmethod
    def children(cls, settings: S) -> Iterable[ChildReference]:
        """The settings that name pipelines which the snap runs."""
        return ()

    @classmethod
    def parameters_read(cls, settings: S) -> Iterable[tuple[tuple[str | int, ...], str, int, bool]]:
        """The parameters that are read by a template rather than an expression: path of the
        setting, name, offset of `_name` in it, and whether it is needed."""
        return ()

    def open(self) -> None:
        """Prepare to run: compile expressions, open resources."""

    def start(self) -> Iterable[Item | To]:
        """The items to emit before the first input."""
        return ()

    def process(self, document: Document) -> Result:
        """The result for one document; None drops it. DataError fails this document alone."""
        raise NotImplementedError(f"{type(self).__name__} must define process or process_batch")

    def process_batch(self, view: str, batch: Batch) -> Emission:
        """The results for a batch of one input view."""
        return self._process_each(batch)

    def finish(self) -> Iterable[Item | To | Batch]:
        """The items to emit once all inputs have ended; batches of them if they are many."""
        return ()

    @property
    def holds_back(self) -> bool:
        """Whether a copy (`ByKey`) keeps what comes of its documents until `finish`."""
        return False

    def kinds(self) -> Mapping[str, str]:
        """What must be the same in all copies (`ByKey`) that know it: `avg of $x` to `numbers`."""
        return {}

    def hold_back(self) -> None:
        """From now on, keep what comes of the documents until `finish`, as another copy does."""

    def end_of_run(self) -> Iterable[Item | To | Batch]:
        """The items to emit after a run of neighbours (`ByRun`). What follows is another run."""
        return ()

    def close(self) -> None:
        """Release all resources. Always called, even after a failure."""

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
        except Exception:  # raised again after what came before it
            if collected.count:  # keep the results from before the failure
                yield collected.take()
            raise
        if collected.count:
            yield collected.take()

    def _collected(self, batch: Batch, method: str, *, checks: bool = False) -> Collected:
        return Collected(self, method, batch.lineage is not None, checks=checks)

    @property
    def default_output(self) -> str:
        """The first output view; of a family, its first member."""
        outputs = type(self).views_for(self.settings).outputs
        if not outputs:
            return ""
        return f"{outputs[0].name}0" if outputs[0].many else outputs[0].name

    def has_output(self, view: str) -> bool:
        """Whether there is such an output view; an optional one need not be linked."""
        if view in self.context.outputs:
            return True
        declared = type(self).views_for(self.settings).outputs
        return any(each.name == view and each.optional for each in declared)
