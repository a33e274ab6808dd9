"""One snap's view of a run: its part of the execution, and the failures that it reports."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from engine.documents import NO_LINEAGE, Batch, Document, Lineage, copied
from engine.errors import DataError, EngineError, SnapFailedError
from engine.expressions import (
    Scope,
    compile_expression,
    compile_mapping,
    parse_path,
)
from engine.plan.plan import PlannedSnap
from engine.registry import SnapClass
from engine.run.accounts import UnusableAccountError, account_of
from engine.run.computed_names import ComputedNames
from engine.run.error_documents import ErrorDescriber
from engine.run.execution import Execution
from engine.run.failure_places import at_document, at_expression
from engine.run.failures import BrokenSnapError, broken_snap, explain, full_trace, texts_for_callers
from engine.run.files.access import SnapFiles
from engine.run.late_facts import LateFacts, snap_info
from engine.run.report import SnapStatistics
from engine.run.setting_values import converted
from engine.run.shown_lines import ShownLines
from engine.sdk.children import ChildPipelines
from engine.sdk.context import Function, JsonPath
from engine.sdk.excerpts import excerpt
from engine.sdk.files import FileName
from engine.sdk.http import HttpClient
from engine.sdk.outside import OutsideCall
from engine.sdk.settings import Account, Evaluated, Expression
from engine.sdk.settings import Path as PathSetting
from engine.sdk.views import ERROR_VIEW

if TYPE_CHECKING:
    from engine.sdk.accounts import AccountKind

K = TypeVar("K", bound="AccountKind")
R = TypeVar("R")
T = TypeVar("T")
_EXCERPT = 300


class SnapContext:
    """The `Context` of a snap; it also collects the documents that the snap reports as failed."""

    def __init__(
        self,
        execution: Execution,
        snap: PlannedSnap,
        snap_class: SnapClass,
        statistics: SnapStatistics,
    ) -> None:
        self.label = snap.label
        self.folder = execution.plan.folder
        self.parameters = execution.identity.parameters
        self.pipe = execution.pipe
        self._outside = execution.services.of(snap.label)
        self.files = SnapFiles(self._outside.files, snap.label, snap.settings, execution.writers)
        self.scripts = self._outside.scripts
        self.inputs = tuple(view.name for view in snap.inputs)
        self.outputs = tuple(view.name for view in snap.outputs)
        self.in_ultra = execution.ledger is not None
        self.patience: float | None = None
        self.is_copy = snap.label in execution.copied
        self.needed_fields = snap.needed
        self.statistics = statistics
        self.error_documents: list[Document] = []
        self.error_lineage: list[Lineage] = []
        self.held_lineage: list[Lineage] = []
        self.released_lineage: list[Lineage] = []
        self._execution, self._breaker = execution, execution.breaker
        self._describer = ErrorDescriber(snap, execution)
        self.readable = self._describer.readable
        self._shown = ShownLines(partial(execution.show, snap.label))
        self._run_request = execution.identity.request.id
        self._snap = snap
        self._linked = execution.plan.routes.linked.get(snap.label, frozenset())
        self._class = snap_class
        self._view = ""
        self._batch = self._given = Batch([])
        self._arrived: dict[int, Document] | None = None
        self._expressions_change = self._is_open = False
        self._before = 0
        self._failed_at: int | None = None
        self._functions: dict[Expression, Function] = {}
        self._names = ComputedNames(self)
        self.info = snap_info(snap)

    @property
    def execution(self) -> Execution:
        """The run, for what stands in for a snap."""
        return self._execution

    def first_document(self, view: str) -> Document | None:
        return self._execution.first_documents.get((self.label, view))

    def all_finals(self, documents: list[Document]) -> list[Document] | None:
        finals = self._execution.finals
        if self._execution.is_first_copy:
            return documents + finals.pop(self.label, [])
        finals[self.label] = documents
        return None

    @property
    def http(self) -> HttpClient:
        return self._outside.http

    @property
    def idempotency_key(self) -> str:
        key = self._execution.chunk_key
        return key and f"{key}/{self.label}"

    @cached_property
    def pipelines(self) -> ChildPipelines:
        from engine.run.children import Children  # few snaps run other pipelines

        return Children(self._execution, self.label, self.files)

    def place_of(self, setting: str) -> tuple[str, int]:
        return self._snap.where.path, self._snap.first_lines.get(setting, 0)

    def linked(self, view: str) -> bool:
        return view in self._linked

    @cached_property
    def scope(self) -> Scope:
        return self._execution.scope(LateFacts(self._facts), self.label)

    def _facts(self) -> dict[str, Any]:
        """The variable `snap` of expressions; its counts change."""
        identity = uuid.uuid5(uuid.NAMESPACE_OID, self.label)
        return {**self.info, "instanceId": str(identity)}

    def function(self, expression: Expression, *, null_safe: bool = False) -> Function:
        function = compile_expression(expression.text, null_safe=null_safe, scope=self.scope)
        if function.mutates and self._is_open:
            return lambda document: function(copied(document))
        self._expressions_change |= function.mutates
        return function

    def opened(self) -> bool:
        """Note that the snap is open.

        Returns whether an expression that it uses may change a document; one that is compiled later
        gets a copy of the document.
        """
        self._is_open = True
        return self._expressions_change

    def mapping(
        self,
        rows: Sequence[tuple[str, Expression | PathSetting]],
        *,
        root: str = "$",
        null_safe: bool = False,
        pass_through: bool = False,
    ) -> Callable[[Document], Document]:
        mapped = compile_mapping(
            [(target, expression.text) for target, expression in rows],
            mapping_root=root,
            null_safe=null_safe,
            pass_through=pass_through,
            scope=self.scope,
        )
        if mapped.mutates and self._is_open:
            return lambda document: mapped(copied(document))
        self._expressions_change |= mapped.mutates
        return mapped

    def path(self, path: PathSetting) -> JsonPath:
        return parse_path(path.text, self.scope)

    def value(self, setting: Evaluated[T], document: Document) -> T:
        if setting.expression is None:
            return setting.value  # type: ignore[return-value]  # one of the two is always set
        function = self._functions.get(setting.expression)
        if function is None:
            function = self._functions[setting.expression] = self.function(setting.expression)
        return converted(function(document), setting)

    def account(self, setting: Account[K], document: Document | None = None) -> K:
        name = self.value(setting, {} if document is None else document)
        execution = self._execution
        try:
            return account_of(
                self._outside.accounts,
                name,
                setting.kinds,
                execution.secrets,
                execution.compute_account,
            )
        except UnusableAccountError as error:
            if document is None or setting.expression is None:
                raise
            raise DataError("could not use an account", error.message, error.hint) from None

    def shared(self, account: K, make: Callable[[K], R]) -> R:
        return self._execution.services.shared.get(account, make)

    def conceal(self, text: str) -> None:
        self._execution.secrets.add([text])

    def file(
        self, setting: Evaluated[str], document: Document, *, allow_outside: bool = False
    ) -> FileName:
        return self._names.name(setting, document, allow_outside=allow_outside)

    @property
    def data_parameters(self) -> frozenset[str]:
        return self._execution.identity.files.data_parameters

    def depends_on_data(self, setting: Evaluated[Any]) -> bool:
        return self._execution.depends_on_data(setting)

    def begin(self, view: str, batch: Batch, before: int, given: Batch) -> None:
        """A batch is about to be passed to the snap, as `given` (the batch, or copies of its
        documents), after `before` earlier items of its view."""
        self._view, self._batch, self._before, self._given = view, batch, before, given
        self._arrived = None

    def _as_arrived(self, document: Document | None) -> Document | None:
        """The document as it was before the snap could change it."""
        if document is None or self._given is self._batch:
            return document
        if self._arrived is None:
            pairs = zip(self._given.items, self._batch.items, strict=True)
            self._arrived = {id(own): arrived for own, arrived in pairs}
        return self._arrived.get(id(document), document)

    def give_back_unread(self) -> None:
        """After a failure that stops the pipeline: do not count the documents after it."""
        if self._failed_at is not None:
            self.statistics.inputs[self._view] -= len(self._batch) - self._failed_at - 1
            self._failed_at = None

    def failed(
        self, error: DataError, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> None:
        if self._given is not self._batch:
            original = self._as_arrived(original)
        if self._breaker is not None and self._is_skipped(error, original, True):
            return
        self.statistics.errors += 1
        if self._execution.tracer is not None:
            text = self._execution.secrets.mask_text(f"{error.error}: {error.reason}")
            self._execution.tracer.failed(self.label, lineage, text)
        ledger = self._execution.ledger
        if self._snap.on_error == "route" and (ledger is None or self.linked(ERROR_VIEW.name)):
            self.error_documents.append(self._describer.document(error, original, lineage))
            self.error_lineage.append(lineage)
        elif self._snap.on_error == "error_pipeline" and self._execution.error_pipeline is not None:
            document = self._describer.document(error, original, lineage)
            self._execution.error_pipeline.send(document, lineage)
        elif ledger is not None and lineage:
            self._fail_requests(error, original, lineage)
        elif self._stops(lineage):
            raise self.failure(error, original) from self.shown_cause(error)

    def broke(
        self, error: BaseException, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> None:
        if isinstance(error, SnapFailedError):
            raise error
        original = self._as_arrived(original)
        if isinstance(error, DataError):
            self.failed(error, original, lineage)
        elif isinstance(error, EngineError) and not self._is_contained(lineage):
            self._is_skipped(error, original, False)
            raise self.failure(error, original) from self.shown_cause(error)
        elif isinstance(error, EngineError):
            self.statistics.errors += 1
            text = f"the snap {self.label!r} failed"
            for_callers = texts_for_callers(self._snap, error)
            self._fail_requests(DataError(text, explain(error)), None, lineage, for_callers)
        elif self._snap.facts.stateful or self._stops(lineage):
            if self._is_skipped(error, original, not self._snap.facts.stateful):
                return
            self.statistics.errors += 1
            raise self.failure(error, original) from self.shown_cause(error)
        else:
            self.failed(broken_snap(self.label, self._class, error), original, lineage)

    def _is_skipped(self, error: BaseException, original: Document | None, may_skip: bool) -> bool:
        """Whether the person who is asked about a failed document, if any, drops it."""
        if self._breaker is None:
            return False
        is_skipped = self._breaker.skips(self, error, original, may_skip=may_skip)
        self.statistics.dropped += is_skipped
        self._failed_at = None
        return is_skipped

    def _stops(self, lineage: Lineage) -> bool:
        """Whether a failed document stops the pipeline."""
        return self._snap.on_error == "stop" and not (self.in_ultra and lineage)

    def _is_contained(self, lineage: Lineage) -> bool:
        """Whether an error that would stop a run fails only the requests of a document."""
        return self.in_ultra and bool(lineage) and not self._snap.facts.stateful

    def _fail_requests(
        self,
        error: DataError,
        original: Document | None,
        lineage: Lineage,
        for_callers: tuple[str, str, str] | None = None,
    ) -> None:
        assert self._execution.ledger is not None  # only an ultra pipeline has requests
        texts = for_callers or texts_for_callers(self._snap, error)
        masked = map(self._execution.secrets.mask_text, texts)
        reply = dict(zip(("error", "reason", "resolution"), masked, strict=True))
        described = self._describer.document(error, original, lineage)
        document = {**described, "snap": self.label, "reply": reply}
        self._execution.ledger.fail(lineage, document)

    def dropped(self, count: int, lineage: Sequence[Lineage] = ()) -> None:
        self.statistics.dropped += count

    def abandoned(self, lineage: Lineage) -> bool:
        ledger = self._execution.ledger
        return ledger is not None and ledger.is_abandoned(lineage)

    def held(self, lineage: Sequence[Lineage]) -> None:
        self.held_lineage += lineage

    def released(self, lineage: Sequence[Lineage]) -> None:
        self.released_lineage += lineage

    def leave_ledger(self, batch: Batch | None = None) -> None:
        """Remove finished rows from the ledger: released ones, and those of a processed batch
        unless they are held."""
        leaving, self.released_lineage = self.released_lineage, []
        if batch is not None:
            held, self.held_lineage = Counter(self.held_lineage), []
            for line in batch.complete_lineage():
                if held[line]:
                    held[line] -= 1
                else:
                    leaving.append(line)
        if leaving and self._execution.ledger is not None:
            self._execution.ledger.leave(leaving)

    def show(self, text: str, request_id: str = "") -> None:
        self._shown.show(text, request_id or self._run_request)

    def outside(self, name: str, lineage: Sequence[Lineage]) -> OutsideCall:
        return self._execution.outside(name, self.label, lineage)

    def request_ids(self, lineage: Sequence[Lineage]) -> list[str]:
        return list(map(self._execution.request_ids, lineage))

    def fail(self, error: EngineError) -> None:
        if self._execution.on_failure is not None:
            self._execution.on_failure(self.label, self.failure(error))

    def close(self) -> None:
        """The snap is closed and shows no more lines."""
        self._shown.end()

    def shown_cause(self, error: BaseException) -> BaseException | None:
        """The cause of a failure for its traceback; None if it could show a secret."""
        return None if self._execution.secrets else error

    def failure(self, error: BaseException, original: Document | None = None) -> SnapFailedError:
        """The error that stops the pipeline because of this snap, at this document."""
        trace = full_trace(error)
        if not isinstance(error, EngineError):
            error = broken_snap(self.label, self._class, error)
        for_callers = texts_for_callers(self._snap, error)
        cause = explain(error)
        mask = self._execution.secrets
        if isinstance(error, BrokenSnapError) and original is not None:
            shown = excerpt(mask.mask(self.readable(original)), _EXCERPT)
            cause = f"{cause}\n  the document: {shown}"
        texts = (cause, *for_callers, self._at(error, original), trace)
        return SnapFailedError(
            self.label, self._snap.type, str(self._snap.where), *map(mask.mask_text, texts)
        )

    def _at(self, error: BaseException, original: Document | None) -> str:
        """Which document or stream failed, and the place of the expression that failed."""
        number = self.number_of(original)
        if number is not None:
            self._failed_at = number - self._before - 1
        document = at_document(self._snap, self._view, number, original)
        return f"{document}{at_expression(self._snap, error)}"

    def number_of(self, document: Document | None) -> int | None:
        """Its number among the documents of its view; None if it is not in the current batch."""
        numbered = enumerate(self._batch.items, self._before + 1)
        return next((number for number, item in numbered if item is document), None)
