"""One execution of a plan: its identity, parameters, libraries, files and scripts.

All that the snaps of a run share lives here; `Surroundings` narrows it to one snap and is what the
snap sees as its context.
"""

from __future__ import annotations

import getpass
import platform
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import quote_plus

import msgspec

from engine.documents import NO_LINEAGE, Document, Lineage
from engine.errors import DataError, SnapFailedError
from engine.expressions import (
    DateTime,
    Scope,
    check_timezone,
    compile_expression,
    compile_mapping,
    load_library,
    overlay,
    parse_path,
)
from engine.plan.plan import Plan, PlannedLink, PlannedSnap
from engine.run.files import ProjectFiles
from engine.run.lineage import Ledger
from engine.run.parameters import resolve_parameters
from engine.run.platform_paths import plex_path, project_path, run_id
from engine.run.report import SnapStatistics
from engine.run.secrets import Secrets
from engine.sdk.context import Files, Function, JsonPath
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor
from engine.sdk.settings import Evaluated, Expression
from engine.sdk.settings import Path as PathSetting
from engine.sdk.views import ERROR_VIEW

if TYPE_CHECKING:
    from engine.run.http import LoopClient

T = TypeVar("T")
Show = Callable[[str, str], None]


class Execution:
    """What one run of a plan consists of, apart from its snaps.

    `show(label, line)` is called for every line that a snap wants a person to see. With a `ledger`
    it is an ultra pipeline: documents carry the requests that they come from, and one that fails is
    answered for instead of stopping the run. Raises ConfigurationError if a parameter is missing or
    unknown, or the time zone is.
    """

    def __init__(
        self,
        plan: Plan,
        parameters: Mapping[str, str],
        *,
        scripts: ScriptExecutor,
        show: Show,
        timezone: str = "UTC",
        ledger: Ledger | None = None,
        http: HttpClient | None = None,
    ) -> None:
        check_timezone(timezone)
        self.plan = plan
        self.ledger = ledger
        self.scripts = scripts
        self._http = http
        self._own_http: LoopClient | None = None
        self._http_lock = threading.Lock()
        self.timezone = timezone
        self.parameters = resolve_parameters(plan.parameters, parameters)
        self.secrets = Secrets(
            value
            for spec in plan.parameters
            if spec.secret and (value := self.parameters[spec.name])
        )
        self.files: Files = ProjectFiles(plan.folder, plan.project)
        self.plex_path = plex_path()
        self.project_path = project_path(plan.project)
        self.ruuid = run_id(self.plex_path)
        self._show = show
        self._snaps = {snap.label: snap for snap in plan.snaps}
        self._links: dict[str, list[PlannedLink]] = {}
        self._linked: dict[str, set[str]] = {}
        for link in plan.links:
            self._links.setdefault(link.source.label, []).append(link)
            for port in (link.source, link.target):
                self._linked.setdefault(port.label, set()).add(port.view)
        self._folder = Path(tempfile.gettempdir()) / f"snapline-{self.ruuid}"

    def show(self, label: str, text: str) -> None:
        """Show a line to the person who watches, without secrets."""
        self._show(label, self.secrets.mask_text(text))

    @cached_property
    def pipe(self) -> dict[str, Any]:
        """What expressions see as `pipe` (expression reference, section 11)."""
        return {
            "args": self.parameters,
            "flags": {"is_suggest": False},
            "hostname": platform.node(),
            "instanceId": str(uuid.uuid5(uuid.NAMESPACE_URL, self.plan.path)),
            "label": self.plan.name,
            "parentRuuid": None,
            "plexPath": self.plex_path,
            "projectPath": self.project_path,
            "rootRuuid": self.ruuid,
            "ruuid": self.ruuid,
            "startTime": DateTime.now(UTC),
            "tmpDir": self._folder.as_uri(),
            "user": _user(),
        }

    @cached_property
    def libraries(self) -> dict[str, Any]:
        """The expression libraries by name; of two with one name, the later overlays."""
        loaded: dict[str, Any] = {}
        for library in self.plan.libraries:
            value = load_library(library.text, library.name, self._scope({}, loaded))
            known = loaded.get(library.name)
            loaded[library.name] = value if known is None else overlay(known, value)
        return loaded

    def scope(self, snap: Mapping[str, Any]) -> Scope:
        """What the expressions of one snap can reach besides the document."""
        return self._scope(snap, self.libraries)

    def _scope(self, snap: Mapping[str, Any], libraries: Mapping[str, Any]) -> Scope:
        return Scope(
            parameters=self.parameters,
            libraries=libraries,
            pipe=self.pipe,
            snap=snap,
            timezone=self.timezone,
        )

    def snap(self, label: str) -> PlannedSnap:
        return self._snaps[label]

    def links_of(self, labels: Iterable[str]) -> Iterator[PlannedLink]:
        """The links that lead out of these snaps."""
        for label in labels:
            yield from self._links.get(label, ())

    def linked_views(self, label: str) -> frozenset[str]:
        """The views of a snap that a link uses."""
        return frozenset(self._linked.get(label, ()))

    @property
    def http(self) -> HttpClient:
        """The HTTP client that the snaps of the run share; made when one asks for it."""
        if self._http is not None:
            return self._http
        with self._http_lock:
            if self._own_http is None:
                from engine.run.http import LoopClient  # aiohttp takes longer than the whole start

                self._own_http = LoopClient()
            return self._own_http

    def close(self) -> None:
        """End the HTTP client and remove the temporary folder, if the run has made them."""
        if self._own_http is not None:
            self._own_http.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Surroundings:
    """The context of one snap: the execution, narrowed, and the snap's own accounts."""

    def __init__(
        self,
        execution: Execution,
        snap: PlannedSnap,
        linked: frozenset[str],
        statistics: SnapStatistics,
    ) -> None:
        self.label = snap.label
        self.folder = execution.plan.folder
        self.parameters = execution.parameters
        self.pipe = execution.pipe
        self.files = execution.files
        self.scripts = execution.scripts
        self.outputs = tuple(view.name for view in snap.outputs)
        self.in_ultra = execution.ledger is not None
        self.needed_fields = snap.needed
        self.statistics = statistics
        self.error_documents: list[Document] = []
        self.error_lineage: list[Lineage] = []
        self.released_lineage: list[Lineage] = []
        self._execution = execution
        self._snap = snap
        self._linked = linked
        self._functions: dict[Expression, Function] = {}
        self.info = _snap_info(snap)

    @property
    def http(self) -> HttpClient:
        return self._execution.http

    def linked(self, view: str) -> bool:
        return view in self._linked

    @cached_property
    def scope(self) -> Scope:
        return self._execution.scope(self.info)

    def function(self, expression: Expression, *, null_safe: bool = False) -> Function:
        return compile_expression(expression.text, null_safe=null_safe, scope=self.scope)

    def mapping(
        self,
        rows: Sequence[tuple[str, Expression]],
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
        result = function(document)
        try:
            return msgspec.convert(result, setting.kind, strict=False)  # type: ignore[no-any-return]
        except msgspec.ValidationError as error:
            summary = f"the expression {setting.expression.text!r} gave a wrong value"
            if get_origin(setting.kind) is Literal:
                choices = ", ".join(get_args(setting.kind))
                raise DataError(summary, f"{result!r} is none of {choices}") from None
            raise DataError(summary, str(error)) from None

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
        if self._execution.ledger is not None:
            self._execution.ledger.enter(lineage)

    def released(self, lineage: Sequence[Lineage]) -> None:
        self.released_lineage += lineage

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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
