"""One execution of a plan in one process: the plan, the run's identity, the process's services."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.documents import Document, Lineage
from engine.errors import EngineError
from engine.expressions import (
    DateTime,
    Scope,
    compile_expression,
    compile_parts,
    load_library,
    overlay,
)
from engine.pipeline import PipelineSpec, load
from engine.plan.plan import Plan, PlannedSnap
from engine.registry import Registry
from engine.request_tags import NO_TAG, RequestTag
from engine.run.call_tree import CallTree
from engine.run.files.access import Writers
from engine.run.identity import RunIdentity
from engine.run.late_facts import LateFacts
from engine.run.lineage import Ledger
from engine.run.secrets import Secrets
from engine.run.services import Services
from engine.sdk.outside import UNTRACED, OutsideCall, UntracedCall
from engine.sdk.settings import Evaluated

if TYPE_CHECKING:
    from engine.pipeline.computed_account import ComputedAccount
    from engine.run.breaking import Breaker
    from engine.run.error_pipeline import ErrorPipeline
    from engine.run.tracing import Tracer
    from engine.sdk.accounts import AccountKind


Load = Callable[[str, Registry], PipelineSpec]
"""Reads the file of a pipeline. Raises ConfigurationError."""


def load_yaml(path: str, registry: Registry) -> PipelineSpec:
    """The pipeline of a YAML file."""
    return load(path)


class Execution:
    """The state that the snaps of a run share in one process.

    With a `ledger` it is an ultra pipeline: documents carry the requests that they come from, and a
    failed document fails its requests instead of stopping the run. A run that another one started
    has that one's `outer_secrets`, and is one of `calls`. A `breaker` decides about documents that
    fail; a `tracer` collects the spans of requests.
    """

    def __init__(
        self,
        plan: Plan,
        identity: RunIdentity,
        services: Services,
        registry: Registry,
        *,
        load: Load = load_yaml,
        ledger: Ledger | None = None,
        outer_secrets: Secrets | None = None,
        calls: CallTree | None = None,
        breaker: Breaker | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.plan = plan
        self.identity = identity
        self.services = services
        self.registry = registry
        self.load = load
        self.calls = calls
        self.breaker = breaker
        self.tracer = tracer
        self.ledger = ledger
        self.secrets = Secrets(
            (
                value
                for spec in plan.parameters
                if spec.secret and (value := identity.parameters[spec.name])
            ),
            outer_secrets,
        )
        self.writers = Writers() if ledger is None else None  # an ultra task has no end
        self.pipe: Mapping[str, Any] = LateFacts(self._pipe)
        """The variable `pipe` of expressions (expression reference, section 11)."""
        self.error_pipeline: ErrorPipeline | None = None
        """Set before the run starts, if the plan names one."""
        self.chunk_key = ""
        """In a worker: what identifies the documents that are processed now."""
        self.copied: frozenset[str] = frozenset()
        """In a worker: the snaps of which it has a copy that gets the documents of some keys."""
        self.is_first_copy = True
        """In a worker: whether what its snaps emit at the end is used, if only one copy's is."""
        self.finals: dict[str, list[Document]] = {}
        """In a worker: the last documents of the other copies, by label; in those, their own."""
        self.first_documents: dict[tuple[str, str], Document] = {}
        """In a worker: the first document for all copies of a snap, by label and view."""
        self._computed_accounts: dict[int, AccountKind] = {}
        self._snaps = {snap.label: snap for snap in plan.snaps}
        self.on_failure: Callable[[str, EngineError], None] | None = None
        """Called from any thread when a snap (given by label) fails outside of any call to it."""

    def snap(self, label: str) -> PlannedSnap:
        return self._snaps[label]

    def show(self, label: str, text: str, request_id: str = "") -> None:
        """Show a line to the person watching, without secrets."""
        self.services.show(label, self.secrets.mask_text(text), request_id)

    def outside(self, name: str, label: str, lineage: Iterable[Lineage]) -> OutsideCall:
        """A call to the outside that the snap makes for these documents begins."""
        numbers = frozenset().union(*lineage)
        if self.tracer is not None and (call := self.tracer.call(name, label, numbers)):
            return call
        tag = self.request_of(numbers)
        if not tag.traceparent:
            return UNTRACED
        from engine.run.tracing import headers_of  # few requests belong to a trace

        return UntracedCall(headers_of(tag))

    def request_of(self, lineage: Lineage) -> RequestTag:
        """The request to which a document belongs; the first if there are several."""
        if self.ledger is None:
            return self.identity.request
        return self.ledger.tags.of(min(lineage)) if lineage else NO_TAG

    def request_ids(self, lineage: Lineage) -> str:
        """The ids of the requests to which a document belongs; empty if there are none."""
        if self.ledger is None:
            return self.identity.request.id
        return self.ledger.tags.ids(lineage) if lineage else ""

    def _pipe(self) -> dict[str, Any]:
        identity = self.identity
        return {
            "args": identity.parameters,
            "flags": {"is_suggest": False},
            "hostname": platform.node(),
            "instanceId": str(uuid.uuid5(uuid.NAMESPACE_URL, self.plan.path)),
            "label": self.plan.name,
            "parentRuuid": identity.parent_ruuid,
            "plexPath": identity.plex_path,
            "projectPath": identity.project_path,
            "rootRuuid": identity.root_ruuid or identity.ruuid,
            "ruuid": identity.ruuid,
            "startTime": DateTime.fromtimestamp(identity.started.timestamp(), UTC),
            "tmpDir": self.services.folder.as_uri(),
            "user": identity.user,
        }

    @cached_property
    def libraries(self) -> dict[str, Any]:
        """The expression libraries by name; of two with the same name, the later one overlays."""
        loaded: dict[str, Any] = {}
        for library in self.plan.libraries:
            value = load_library(library.text, library.name, self._scope({}, loaded))
            known = loaded.get(library.name)
            loaded[library.name] = value if known is None else overlay(known, value)
        return loaded

    def captured_parameters(self) -> dict[str, str | None]:
        """The parameters whose values the report shows."""
        values = self.identity.parameters
        return {
            spec.name: self.secrets.mask(values[spec.name])
            for spec in self.plan.parameters
            if spec.capture
        }

    def depends_on_data(self, setting: Evaluated[Any]) -> bool:
        """Whether a document, or a parameter that counts as data, can change the value."""
        if setting.expression is None:
            return False
        parameters = self.identity.files.data_parameters
        scope = self.scope({})
        parts = compile_parts(setting.expression.text, scope=scope, data_parameters=parameters)
        return parts is not None

    def compute_account(self, computed: ComputedAccount) -> AccountKind:
        """An account whose fields depend on the parameters; the same object for equal fields.

        Raises ConfigurationError or DataError.
        """
        key = id(computed)
        if key not in self._computed_accounts:
            scope = self.scope({})
            account = computed.account(lambda text: compile_expression(text, scope=scope)({}))
            self._computed_accounts[key] = self.services.shared.known(account, self.services)
        return self._computed_accounts[key]

    def scope(self, snap: Mapping[str, Any], label: str = "") -> Scope:
        """The variables of one snap's expressions, in addition to the document."""
        return self._scope(snap, self.libraries, label)

    def _scope(
        self, snap: Mapping[str, Any], libraries: Mapping[str, Any], label: str = ""
    ) -> Scope:
        return Scope(
            lenient=self.plan.lenient,
            parameters=self.identity.parameters,
            libraries=libraries,
            pipe=self.pipe,
            snap=snap,
            timezone=self.identity.timezone,
            now=self.identity.now,
            random=self._random(label),
        )

    def _random(self, label: str) -> Callable[[], float] | None:
        """The random numbers of a snap, its own whatever the others do; None without a seed."""
        if self.identity.random_seed is None:
            return None
        from random import Random  # few runs have a seed

        return Random(f"{self.identity.random_seed}/{label}").random
