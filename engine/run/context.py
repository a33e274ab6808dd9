"""One snap's view of a run: the execution, narrowed, and what the snap reports."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import quote_plus

import msgspec

from engine.documents import NO_LINEAGE, Batch, Document, Lineage
from engine.errors import DataError, SnapFailedError
from engine.expressions import (
    Parts,
    Scope,
    compile_expression,
    compile_mapping,
    compile_parts,
    parse_path,
)
from engine.plan.plan import PlannedSnap
from engine.run.execution import Execution
from engine.run.files.access import SnapFiles
from engine.run.report import SnapStatistics
from engine.sdk.context import Function, JsonPath
from engine.sdk.files import FileName
from engine.sdk.http import HttpClient
from engine.sdk.settings import Evaluated, Expression
from engine.sdk.settings import Path as PathSetting
from engine.sdk.views import ERROR_VIEW

T = TypeVar("T")


class SnapContext:
    """What a snap sees as its `Context`, with the documents that it reports as failed."""

    def __init__(
        self,
        execution: Execution,
        snap: PlannedSnap,
        statistics: SnapStatistics,
    ) -> None:
        self.label = snap.label
        self.folder = execution.plan.folder
        self.parameters = execution.identity.parameters
        self.pipe = execution.pipe
        self.files = SnapFiles(
            execution.services.files, snap.label, snap.settings, execution.writers
        )
        self.scripts = execution.services.scripts
        self.outputs = tuple(view.name for view in snap.outputs)
        self.in_ultra = execution.ledger is not None
        self.needed_fields = snap.needed
        self.statistics = statistics
        self.error_documents: list[Document] = []
        self.error_lineage: list[Lineage] = []
        self.held_lineage: list[Lineage] = []
        self.released_lineage: list[Lineage] = []
        self._execution = execution
        self._snap = snap
        self._linked = execution.plan.routes.linked.get(snap.label, frozenset())
        self._functions: dict[Expression, Function] = {}
        self._parts: dict[Expression, Parts | None] = {}
        self.info = _snap_info(snap)

    @property
    def http(self) -> HttpClient:
        return self._execution.services.http

    def place_of(self, setting: str) -> tuple[str, int]:
        return self._snap.where.path, self._snap.first_lines.get(setting, 0)

    def linked(self, view: str) -> bool:
        return view in self._linked

    @cached_property
    def scope(self) -> Scope:
        return self._execution.scope(self.info)

    def function(self, expression: Expression, *, null_safe: bool = False) -> Function:
        return compile_expression(expression.text, null_safe=null_safe, scope=self.scope)

    def mapping(
        self,
        rows: Sequence[tuple[str, Expression | PathSetting]],
        *,
        root: str = "$",
        null_safe: bool = False,
        pass_through: bool = False,
    ) -> Callable[[Document], Document]:
        return compile_mapping(
            [(target, expression.text) for target, expression in rows],
            mapping_root=root,
            null_safe=null_safe,
            pass_through=pass_through,
            scope=self.scope,
        )

    def path(self, path: PathSetting) -> JsonPath:
        return parse_path(path.text, self.scope)

    def value(self, setting: Evaluated[T], document: Document) -> T:
        if setting.expression is None:
            return setting.value  # type: ignore[return-value]  # one of the two is always set
        function = self._functions.get(setting.expression)
        if function is None:
            function = self._functions[setting.expression] = self.function(setting.expression)
        return _converted(function(document), setting)

    def file(
        self, setting: Evaluated[str], document: Document, *, allow_outside: bool = False
    ) -> FileName:
        parts = None
        rules = self._execution.identity.files
        if setting.expression is not None and not (allow_outside and rules.allow_outside):
            parts = self._parts_of(setting.expression)
        if parts is None:
            return FileName(self.value(setting, document))
        literal, added = parts(document)
        if literal and added is None:
            return FileName(_converted(literal, setting))
        if literal and literal.__class__ is str:
            return FileName(literal + added, literal)
        if literal == "" and added is not None:
            return FileName(_converted(added, setting), "")
        return FileName(self.value(setting, document), "")  # such as `1 + $name`

    def _parts_of(self, expression: Expression) -> Parts | None:
        if expression not in self._parts:
            self._parts[expression] = compile_parts(
                expression.text,
                scope=self.scope,
                data_parameters=self._execution.identity.files.data_parameters,
            )
        return self._parts[expression]

    def failed(
        self, error: DataError, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> None:
        self.statistics.errors += 1
        ledger = self._execution.ledger
        if self._snap.on_error == "route" and (ledger is None or self.linked(ERROR_VIEW.name)):
            self.error_documents.append(self._error_document(error, original))
            self.error_lineage.append(lineage)
        elif ledger is not None and lineage:
            ledger.fail(lineage, {**self._error_document(error, original), "snap": self.label})
        elif self._snap.on_error == "stop":
            raise self.failure(error) from self.shown_cause(error)

    def dropped(self, count: int, lineage: Sequence[Lineage] = ()) -> None:
        self.statistics.dropped += count

    def held(self, lineage: Sequence[Lineage]) -> None:
        self.held_lineage += lineage

    def released(self, lineage: Sequence[Lineage]) -> None:
        self.released_lineage += lineage

    def let_go(self, batch: Batch | None = None) -> None:
        """Let the rows leave the ledger that are done with: those released, and those of a batch
        that has been worked on, unless they are held."""
        leaving, self.released_lineage = self.released_lineage, []
        if batch is not None:
            held, self.held_lineage = Counter(self.held_lineage), []
            for line in batch.whole_lineage():
                if held[line]:
                    held[line] -= 1
                else:
                    leaving.append(line)
        if leaving and self._execution.ledger is not None:
            self._execution.ledger.leave(leaving)

    def give_up(self, failure: SnapFailedError, lineage: Lineage) -> None:
        """Answer for a document on which the snap itself failed, and go on with the next."""
        self.error_documents, self.error_lineage = [], []
        self.statistics.errors += 1
        self.statistics.status = "running"
        error = DataError(f"the snap {self.label!r} failed", failure.cause)
        assert self._execution.ledger is not None  # only ultra pipelines go on
        told = {**self._error_document(error, None), "snap": self.label}
        self._execution.ledger.fail(lineage, told)

    def show(self, text: str) -> None:
        self._execution.show(self.label, text)

    def shown_cause(self, error: BaseException) -> BaseException | None:
        """The cause of a failure for its traceback; none if it could show a secret."""
        return None if self._execution.secrets else error

    def failure(self, error: BaseException) -> SnapFailedError:
        """The error that stops the pipeline because of this snap."""
        if isinstance(error, DataError):
            told = error.error, error.reason, error.resolution
        else:
            told = f"the snap {self.label!r} failed", str(error), ""
        texts = map(self._execution.secrets.mask_text, (explain(error), *told))
        return SnapFailedError(self.label, self._snap.type, str(self._snap.where), *texts)

    def _error_document(self, error: DataError, original: Document | None) -> Document:
        """The shape of the reference (1.4); `original` only if there was an input."""
        document: Document = {
            "error": error.error,
            "reason": error.reason,
            "resolution": error.resolution,
            "stacktrace": getattr(error, "stacktrace", "") or str(error),
        }
        for name, value in error.details.items():
            document.setdefault(name, value)
        if original is not None:
            document["original"] = original
        return self._execution.secrets.mask(document)  # type: ignore[no-any-return]


def _converted(value: Any, setting: Evaluated[T]) -> T:
    """What an expression gave, as the type of the setting. Raises DataError."""
    assert setting.expression is not None  # only those are evaluated
    try:
        return msgspec.convert(value, setting.kind, strict=False)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        summary = f"the expression {setting.expression.text!r} gave a wrong value"
        if get_origin(setting.kind) is Literal:
            choices = ", ".join(get_args(setting.kind))
            raise DataError(summary, f"{value!r} is none of {choices}") from None
        raise DataError(summary, str(error)) from None


def explain(error: BaseException) -> str:
    """All that an error says: what, why, what to do, and the user's own trace if it has one."""
    stacktrace = str(getattr(error, "stacktrace", "")).rstrip()
    resolution = getattr(error, "resolution", "")
    text = str(error)
    parts = [text, stacktrace]
    if resolution and resolution not in text:
        parts.append(f"  hint: {resolution}")
    return "\n".join(part for part in parts if part)


def _snap_info(snap: PlannedSnap) -> dict[str, Any]:
    """What expressions see as `snap`: the label is URL-encoded (expression reference, 11)."""
    return {
        "label": quote_plus(snap.label),
        "instanceId": str(uuid.uuid5(uuid.NAMESPACE_OID, snap.label)),
        "inputViews": {view.name: {"name": view.name} for view in snap.inputs},
        "outputViews": {view.name: {"name": view.name} for view in snap.outputs},
        "errorViews": {},
        "in": {"totalCount": 0},
        "out": {"totalCount": 0},
        "error": {"totalCount": 0},
    }
