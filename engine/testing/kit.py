"""Run one snap as in a pipeline: same checks, same plan, same host, same error handling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.documents import Batch, Document, Item, StreamEnd, StreamStart
from engine.errors import ConfigurationError
from engine.numbers import with_decimals, with_floats
from engine.pipeline.spec import OnError
from engine.plan import compile_spec
from engine.plan.views import declared_view
from engine.registry import Registry, SnapClass, discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.identity import identify
from engine.run.report import SnapStatistics
from engine.run.services import Services
from engine.script.executor import Executor
from engine.sdk.accounts import AccountKind
from engine.sdk.conversion import convert
from engine.sdk.http import HttpClient
from engine.sdk.plain_values import NotPlainError, plain
from engine.sdk.results import BATCH_SIZE
from engine.sdk.scripts import ScriptExecutor
from engine.sdk.settings import Settings
from engine.sdk.views import View, Views
from engine.testing.accounts import GivenAccounts
from engine.testing.single import LABEL, spec_of, with_stand_ins


@dataclass(slots=True)
class SnapRun:
    """The result of a snap: items by output view, counts, and the lines that it showed."""

    outputs: dict[str, list[Any]]
    statistics: SnapStatistics
    shown: list[str] = field(default_factory=list)
    default_view: str = "output"

    @property
    def output(self) -> list[Any]:
        """The items of the first output view."""
        return self.outputs.get(self.default_view, [])

    @property
    def errors(self) -> list[Any]:
        """The error documents, with `on_error="route"`."""
        return self.outputs.get("error", [])

    @property
    def dropped(self) -> int:
        return self.statistics.dropped


Items = Sequence[Item] | bytes
Given = Items | Mapping[str, Items] | None


def run_snap(
    snap: str | SnapClass,
    settings: Mapping[str, Any] | None = None,
    given: Given = None,
    *,
    on_error: OnError = "stop",
    parameters: Mapping[str, str] | None = None,
    outputs: Sequence[str] | None = None,
    project: str | Path = ".",
    scripts: ScriptExecutor | None = None,
    http: HttpClient | None = None,
    accounts: Mapping[str, AccountKind] | None = None,
    timezone: str = "UTC",
    exact: bool = False,
) -> SnapRun:
    """Run a snap, by class or by name, on some items.

    `settings` are as in a pipeline file. `given` is a list for the first input view, or a map of
    view to list; None leaves the inputs unlinked, as in a pipeline. Bytes in place of a list are
    one binary stream. `outputs` are the output views that count as linked (default: all). `http`
    replaces the client that sends requests (see CannedHttp), `accounts` the account files of those
    names. A float in `given` counts as its shortest decimal; the numbers of the result are int and
    float, or with `exact` int and Decimal.
    Raises ConfigurationError with every problem that `engine validate` would find, and
    SnapFailedError where a pipeline would stop.
    """
    registry = discover()
    snap_class = _found(snap, registry) if isinstance(snap, str) else snap
    registry = with_stand_ins(registry, snap_class)
    views = views_of(snap_class, settings or {})
    fed = _fed(views.inputs, given)
    if fed is not None:
        fed = {
            name: _checked(name, _view(views.inputs, name), items) for name, items in fed.items()
        }
    folder = Path(project).resolve()
    spec = spec_of(
        snap_class,
        settings or {},
        fed={name: _view(views.inputs, name) for name in fed or {}},
        linked=_linked(views.outputs, outputs),
        on_error=on_error,
        parameters=list(parameters or {}),
        project=folder,
    )
    fakes = GivenAccounts(str(folder), str(folder), accounts or {})
    plan = compile_spec(spec, registry, project=str(folder), accounts=fakes)
    shown: list[str] = []
    identity = identify(plan, parameters or {}, timezone=timezone)
    services = Services(
        plan,
        scripts or Executor(),
        lambda _, text, request_id="": shown.append(text),
        http,
        accounts=fakes,
    )
    execution = Execution(plan, identity, services, registry)
    if fed is None:
        nothing: Document = {}
        inputs = execution.snap(LABEL).inputs
        fed = {view.name: [nothing] for view in inputs if view.unlinked != "nothing"}
    result = _run(execution, registry, fed, shown)
    as_wanted = with_decimals if exact else with_floats
    result.outputs = {view: list(map(as_wanted, items)) for view, items in result.outputs.items()}
    return result


def _run(
    execution: Execution,
    registry: Registry,
    fed: Mapping[str, Sequence[Item]],
    shown: list[str],
) -> SnapRun:
    stage = next(stage for stage in execution.plan.stages if LABEL in stage.labels)
    host = StageHost(stage, registry, execution, cuts=False)
    outputs = execution.snap(LABEL).outputs
    result = SnapRun({}, host.statistics[0], shown, outputs[0].name if outputs else "")
    try:
        host.open()
        _collect(result, host.start())
        read_first = {view.name for view in execution.snap(LABEL).inputs if view.read_first}
        for view, items in sorted(fed.items(), key=lambda entry: entry[0] not in read_first):
            for start in range(0, len(items), BATCH_SIZE):
                _collect(result, host.process(view, Batch(list(items[start : start + BATCH_SIZE]))))
        _collect(result, host.finish())
    finally:
        host.close()
        execution.services.close()
    return result


def _collect(result: SnapRun, outputs: Any) -> None:
    for port, batch in outputs:
        if batch.items:
            result.outputs.setdefault(port.view, []).extend(batch.items)


def _found(name: str, registry: Registry) -> SnapClass:
    if name not in registry:
        raise ConfigurationError("; ".join(registry.explain_unknown(name)))
    return registry[name]


def _checked(name: str, view: View, items: Iterable[Item]) -> Sequence[Item]:
    """The items as a link would carry them; anything else would make the test meaningless."""
    items = list(items)
    if view.type == "document":
        return [_document(name, item) for item in items]
    if items and not isinstance(items[0], StreamStart):
        raise ConfigurationError(
            f"the view {name!r} takes binary streams: pass the bytes of one stream without a "
            "list, or the pieces of any number: [StreamStart(), bytes, StreamEnd()]"
        )
    return items


def _document(name: str, item: Item) -> Document:
    if not isinstance(item, Mapping):
        raise ConfigurationError(f"the view {name!r} takes documents, not {item!r}")
    try:
        document: Document = with_decimals(plain(item))
    except NotPlainError as error:
        raise ConfigurationError(
            f"a document for the view {name!r}: {error}; {error.resolution}"
        ) from None
    return document


def views_of(snap_class: SnapClass, settings: Mapping[str, Any]) -> Views:
    """The views for these settings, or the fixed ones if the settings are invalid: the check
    reports that later, and nothing runs."""
    converted: Settings | None = convert(snap_class.settings_class, settings)[0]
    return snap_class.views if converted is None else snap_class.views_for(converted)


def _fed(inputs: tuple[View, ...], given: Given) -> dict[str, Sequence[Item]] | None:
    """The items by input view, in the order of the links; None if nothing is linked."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        if not all(isinstance(items, list | tuple | bytes) for items in given.values()):
            raise ConfigurationError(
                "an input that is a map must have a list of items for each input view; "
                "put a single document in a list: [{...}]"
            )
        return {name: _pieces(items) for name, items in given.items()}
    if not inputs:
        raise ConfigurationError("the snap has no input view; do not pass it any items")
    return {_first_name(inputs[0]): _pieces(given)}


def _pieces(items: Items) -> Sequence[Item]:
    """The items; bytes alone are a stream."""
    return [StreamStart(), items, StreamEnd()] if isinstance(items, bytes) else items


def _linked(outputs: tuple[View, ...], names: Sequence[str] | None) -> dict[str, View]:
    names = [_first_name(view) for view in outputs] if names is None else names
    return {name: _view(outputs, name) for name in names}


def _view(views: tuple[View, ...], name: str) -> View:
    """The declared view of that name, or the family that it belongs to."""
    view = declared_view(views, name)
    if view is not None:
        return view
    known = ", ".join(view.name for view in views) or "none"
    raise ConfigurationError(f"there is no view {name!r}; the views are: {known}")


def _first_name(view: View) -> str:
    return f"{view.name}0" if view.many else view.name
